"""The template engine of all renderings: it makes safe what is not marked as safe."""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from getintegration_contract.report import view
from getintegration_contract.text import shorten, visible

PACKAGE = "getintegration_contract.report"

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&@!])")


def in_html(text: str) -> str:
    """Text that a browser shows as it is."""
    return escape(_visible(text))


@cache
def engine(package: str = PACKAGE, safe: Callable[[str], str] = in_html) -> jinja2.Environment:
    """An engine for the templates of a package, which may extend and import those of this one.

    Args:
        safe: What is shown goes through it, unless it is marked as safe.
    """

    def finalize(value: Any) -> Markup:
        return value if isinstance(value, Markup) else Markup(safe(str(value)))

    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in (package, PACKAGE)]),
        autoescape=True,
        optimized=False,  # a template is rendered once: to fold its constants takes longer than it saves
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    of_view = (view.outcome, view.word, view.spaces, view.many, view.times, view.number, view.test_name)
    others = (view.status_line, view.milliseconds, code, cell, block, shorten)
    made.filters |= {each.__name__: each for each in (*of_view, *others)}
    made.filters |= {"visible": _visible, "digest": _digest, "slug": lambda text: text.replace(" ", "-")}
    made.globals |= {"OUTCOMES": view.OUTCOMES, "ALWAYS": view.ALWAYS}
    return made


def _visible(text: str) -> str:
    return visible(text, keep="\n\t")


def render(name: str, safe: Callable[[str], str] = in_html, *, package: str = PACKAGE, **values: Any) -> str:
    """A template of a package, with these values."""
    return engine(package, safe).get_template(name).render(**values).rstrip() + "\n"


def _digest(text: str) -> str:
    """What a content security policy calls a style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def inline(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or in a cell of a table."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def code(text: str) -> Markup:
    """Text in a fixed-width font."""
    plain = visible(text)
    fence = _fence(plain, 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return Markup(f"{fence}{pad}{plain}{pad}{fence}")


def cell(text: str) -> Markup:
    """Text in a fixed-width font, in a cell of a table."""
    return Markup(str(code(text)).replace("|", "\\|"))


def block(text: str, language: str) -> Markup:
    """Lines of text in a fixed-width font."""
    plain = _visible(text)
    fence = _fence(plain, 3)
    return Markup(f"{fence}{language}\n{plain}\n{fence}")


def _fence(text: str, least: int) -> str:
    """More backticks than the text has in a row."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])
