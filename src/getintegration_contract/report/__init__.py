"""Reports of a run: a run -> ``document`` -> terminal, JSON, Markdown, HTML, JUnit properties.

Start-up matters, so nothing is imported here before it is asked for, Jinja2 least of all.
"""

from pathlib import Path
from typing import Any


def write(report: dict[str, Any], directory: Path) -> list[Path]:
    """Write report.json, summary.md and report.html, each at once or not at all; the files written.

    A folder ``history`` in the directory asks for a trend: the report.json that is there already moves
    into it, named after its start, and report.html draws the runs against the same target.

    Raises:
        UsageError: The directory cannot be written.
    """
    from getintegration_contract.report import files, html, markdown

    earlier = files.keep(directory)
    texts = {
        "report.json": files.to_json(report),
        "summary.md": markdown.summary(report),
        "report.html": html.page(report, earlier),
    }
    return [files.write(directory / name, text) for name, text in texts.items()]
