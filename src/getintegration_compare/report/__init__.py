"""Reports of a comparison: terminal, JSON, Markdown, HTML with both answers side by side, JUnit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from getintegration_compare.report.document import document
from getintegration_compare.report.text import junit, markdown, terminal
from getintegration_contract.report import files

__all__ = ["document", "terminal", "write"]


def write(report: dict[str, Any], directory: Path) -> list[Path]:
    """Write compare.json, compare.md, compare.html and compare-junit.xml.

    Raises:
        ReportError: The directory cannot be written.
    """
    from getintegration_compare.report.page import html  # loads the template engine

    return [
        files.write(directory / "compare.json", files.to_json(report)),
        files.write(directory / "compare.md", markdown(report)),
        files.write(directory / "compare.html", html(report)),
        files.write(directory / "compare-junit.xml", junit(report)),
    ]
