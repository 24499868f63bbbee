"""compare.html: the comparison as one page that needs nothing else, in the style of report.html."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files as resources
from typing import Any

import jinja2

from getintegration_compare.report import text
from getintegration_contract.report import html as pages


def html(report: dict[str, Any]) -> str:
    """The comparison as one page that needs nothing else."""
    values = {
        "title": text.title(report),
        "headline": [text.headline(report), text.coverage(report)],
        "remarks": text.remarks(report),
    }
    template = _environment().get_template("page.html")
    return pages.render(template, _text("style.css"), {}, report=report, **values)


def pretty(body: str) -> str:
    """A body as it is read best: JSON indented, everything else as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


@cache
def _text(name: str) -> str:
    return resources("getintegration_compare.report").joinpath(name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> Any:
    environment = pages.environment(jinja2.FunctionLoader(_text))
    environment.filters |= {"pretty": pretty, "state": text.standing}
    return environment
