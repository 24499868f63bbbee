"""The template engine of pages and Markdown: it escapes everything that is not marked as safe."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2

from getintegration_contract.report import trend, view
from getintegration_contract.text import shorten, visible

PACKAGE = "getintegration_contract.report"


@cache
def engine(package: str = PACKAGE, finalize: Callable[[Any], Any] | None = None) -> jinja2.Environment:
    """An engine for the templates of a package, which may extend and import those of this one.

    Args:
        finalize: Makes a value safe where HTML's escaping is not the right one.
    """
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in (package, PACKAGE)]),
        autoescape=True,
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "visible": lambda text: visible(text, keep="\n\t"),
        "slug": lambda text: text.replace(" ", "-"),
        "times": view.times,
        "test_name": view.test_name,
        "status_line": view.status_line,
        "ms": view.milliseconds,
        "outcome": view.outcome,
        "many": view.many,
        "spaces": view.spaces,
        "shorten": shorten,
    }
    made.globals |= {"view": view, "trend": trend}
    return made
