"""Markdown that shows text as it is, summary.md, and annotations for GitHub's log."""

import re
from typing import Any

from getintegration_contract.report import view
from getintegration_contract.report.view import Found
from getintegration_contract.text import shorten, visible

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&@!])")

#: GitHub shows ten annotations of a kind for a step.
_ANNOTATIONS = 10


def inline(text: str) -> str:
    """Text that Markdown shows as it is, in a paragraph or in a cell of a table."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def code(text: str) -> str:
    """Text in a fixed-width font."""
    plain = visible(text)
    fence = _fence(plain, 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def cell(text: str) -> str:
    """Text in a fixed-width font, in a cell of a table."""
    return code(text).replace("|", "\\|")


def block(text: str, language: str) -> str:
    """Lines of text in a fixed-width font."""
    plain = visible(text, keep="\n\t")
    fence = _fence(plain, 3)
    return f"{fence}{language}\n{plain}\n{fence}"


def _fence(text: str, least: int) -> str:
    """More backticks than the text has in a row."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])


def render(name: str, *, package: str = "", **values: Any) -> str:
    """A template in Markdown; what it shows is escaped unless a filter has set it in a fixed-width font."""
    from markupsafe import Markup

    from getintegration_contract.report.engine import PACKAGE, engine

    def safe(value: Any) -> Markup:
        return value if isinstance(value, Markup) else Markup(inline(str(value)))

    made = engine(package or PACKAGE, finalize=safe)
    for known in (code, cell, block):
        made.filters[known.__name__] = lambda *given, known=known: Markup(known(*given))
    return made.get_template(name).render(**values).rstrip() + "\n"


def summary(report: dict[str, Any]) -> str:
    """The run as Markdown, for summary.md and $GITHUB_STEP_SUMMARY."""
    violated = view.findings(report, "violated")
    return render(
        "summary.md",
        report=report,
        violated=violated,
        same=view.printed_before([entry.finding for entry in violated]),
        columns=view.columns(report),
        missing=view.not_claimed(report),
        undecided=view.undecided(report),
        message=_message,
    )


def _message(first: str, message: dict[str, Any]) -> str:
    headers = (shorten(visible(f"{name}: {value}"), 500) for name, value in message["headers"])
    body = ["", shorten(visible(message["body"], keep="\n\t"), 1_500)] if message["body"] else []
    return "\n".join([visible(first), *headers, *body])


def annotations(report: dict[str, Any]) -> list[str]:
    """GitHub workflow commands: an error for all that fails the run, a warning for what is only reported."""
    errors = [_annotation("error", entry) for entry in view.findings(report, "violated")]
    errors += [_command("error", "complaint", complaint) for complaint in report["complaints"]]
    errors += [_command("error", "the suite itself failed", error) for error in report["errors"]]
    if report["exit_status"] not in (0, 1, 3):
        notes = "\n".join(report["notes"])
        errors.append(_command("error", view.word(report), notes or view.headline(report)))
    warnings = [_annotation("warning", entry) for entry in view.findings(report, "reported")]
    return [*_limited(errors, "error"), *_limited(warnings, "warning")]


def _limited(commands: list[str], kind: str) -> list[str]:
    if len(commands) <= _ANNOTATIONS:
        return commands
    left = len(commands) - _ANNOTATIONS + 1
    return [*commands[: _ANNOTATIONS - 1], _command(kind, f"{left} more", "all of them are in the summary")]


def _annotation(kind: str, entry: Found) -> str:
    finding, clause = entry.finding, entry.clause
    message = (
        f"{clause['text']} ({clause['provenance']}: {clause['source']})\n"
        f"expected: {shorten(finding['expected'], 300)}\n"
        f"actual: {shorten(finding['actual'], 300)}\n"
        f"mend: {finding['mend']}\n"
        f"repeat: {finding['repeat']}"
    )
    more = f", {len(entry.followers)} more follow" if entry.followers else ""
    return _command(kind, f"{clause['id']} {entry.outcome}{more}", message)


def _command(kind: str, title: str, message: str) -> str:
    """A workflow command, escaped as the runner's toolkit does it."""
    data = visible(message, keep="\n").replace("%", "%25").replace("\n", "%0A")
    name = visible(title).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"
