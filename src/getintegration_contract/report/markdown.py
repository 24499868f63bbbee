"""summary.md, and annotations for GitHub's log."""

from typing import Any

from markupsafe import Markup

from getintegration_contract.report import engine, view
from getintegration_contract.report.files import Report
from getintegration_contract.report.view import View
from getintegration_contract.text import shorten, visible

#: GitHub shows ten annotations of a kind for a step.
_ANNOTATIONS = 10


def summary(report: Report) -> str:
    """The run as Markdown, for summary.md and $GITHUB_STEP_SUMMARY."""
    shown = View(report)
    same = view.printed_before([entry.finding for entry in shown.violated])
    return engine.render("summary.md", engine.inline, report=report, view=shown, same=same, message=_message)


def _message(first: str, message: dict[str, Any]) -> str:
    headers = (shorten(visible(f"{name}: {value}"), 500) for name, value in message["headers"])
    body = ["", shorten(visible(message["body"], keep="\n\t"), 1_500)] if message["body"] else []
    return "\n".join([visible(first), *headers, *body])


def annotations(report: Report) -> list[str]:
    """GitHub workflow commands: an error for all that fails the run, a warning for what is only reported."""
    commands = engine.render("annotations.txt", _data, report=report, view=View(report), title=_title)
    lines = []
    for kind in ("error", "warning"):
        found = [line for line in commands.splitlines() if line.startswith(f"::{kind} ")]
        if left := len(found[_ANNOTATIONS:]):
            more = f"::{kind} title={left + 1} more::all of them are in the summary"
            found[_ANNOTATIONS - 1 :] = [more]
        lines += found
    return lines


def _data(text: str) -> str:
    """What a workflow command says, escaped as the runner's toolkit does it."""
    return visible(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def _title(text: str) -> Markup:
    """The title of a workflow command, on a line of its own."""
    return Markup(_data(visible(text)).replace(":", "%3A").replace(",", "%2C"))
