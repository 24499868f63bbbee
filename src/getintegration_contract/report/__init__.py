"""Reports of a run: a run -> ``document`` -> terminal, JSON, Markdown, HTML, JUnit properties.

Start-up matters, so nothing is imported here before it is asked for, Jinja2 least of all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from getintegration_contract.errors import ReportError

__all__ = ["ReportError", "write"]


def write(report: dict[str, Any], directory: Path) -> list[Path]:
    """Write report.json, summary.md and report.html, each at once or not at all.

    A folder ``history`` in the directory asks for a trend: the report.json that is there already moves
    into it, named after its start, and report.html draws the runs against the same target.

    Returns:
        The files written.

    Raises:
        ReportError: With one sentence, if the directory cannot be written.
    """
    from getintegration_contract.report import files, history, html, markdown

    earlier = history.keep(directory)
    return [
        files.write(directory / "report.json", files.to_json(report)),
        files.write(directory / "summary.md", markdown.summary(report)),
        files.write(directory / "report.html", html.page(report, earlier)),
    ]
