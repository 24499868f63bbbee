"""summary.md, and annotations for GitHub's log."""

from typing import Any

from getintegration_contract.report import view
from getintegration_contract.report.view import Found, Report, View
from getintegration_contract.text import shorten, visible

#: GitHub shows ten annotations of a kind for a step.
_ANNOTATIONS = 10


def summary(report: Report) -> str:
    """The run as Markdown, for summary.md and $GITHUB_STEP_SUMMARY."""
    from getintegration_contract.report import engine

    shown = View(report)
    same = view.printed_before([entry.finding for entry in shown.violated])
    return engine.markdown("summary.md", report=report, view=shown, same=same, message=_message)


def _message(first: str, message: dict[str, Any]) -> str:
    headers = (shorten(visible(f"{name}: {value}"), 500) for name, value in message["headers"])
    body = ["", shorten(visible(message["body"], keep="\n\t"), 1_500)] if message["body"] else []
    return "\n".join([visible(first), *headers, *body])


def annotations(report: Report) -> list[str]:
    """GitHub workflow commands: an error for all that fails the run, a warning for what is only reported."""
    shown = View(report)
    errors = [_annotation("error", entry) for entry in shown.violated]
    errors += [_command("error", "complaint", complaint) for complaint in report["complaints"]]
    errors += [_command("error", "the suite itself failed", error) for error in report["errors"]]
    if report["exit_status"] not in (0, 1, 3):
        errors.append(_command("error", shown.word, "\n".join(report["notes"]) or shown.headline))
    warnings = [_annotation("warning", entry) for entry in shown.reported]
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
