"""summary.md, annotations for GitHub's log, and the requirement document: every clause of the contract."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from getintegration_contract.contract import Contract
from getintegration_contract.report import engine, files, view
from getintegration_contract.report.view import View
from getintegration_contract.text import shorten, visible

#: GitHub shows ten annotations of a kind for a step.
_ANNOTATIONS = 10


def summary(report: files.Report) -> str:
    """The run as Markdown, for summary.md and $GITHUB_STEP_SUMMARY."""
    shown = View(report)
    same = view.printed_before(shown.violated)
    return engine.render("summary.md", engine.inline, report=report, view=shown, same=same, message=_message)


def _message(first: str, message: dict[str, Any]) -> str:
    headers = (shorten(visible(f"{name}: {value}"), 500) for name, value in message["headers"])
    body = ["", shorten(visible(message["body"], keep="\n\t"), 1_500)] if message["body"] else []
    return "\n".join([visible(first), *headers, *body])


def annotations(report: files.Report) -> list[str]:
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


def clauses(contract: Contract, form: str) -> str:
    """The requirement document, as ``text``, ``markdown`` or ``json``."""
    about, listed = contract.document["info"], list(contract.clauses.values())
    rulings = list(_rulings(contract.document))
    if form == "json":
        document = {
            "title": about["title"],
            "version": about["version"],
            "clauses": [{**asdict(clause), "gating": clause.gates()} for clause in listed],
            "rulings": [{"place": place, "text": ruling} for place, ruling in rulings],
        }
        return files.to_json(document)
    counted = (Counter(getattr(clause, key) for clause in listed) for key in ("level", "provenance"))
    parts = [", ".join(f"{count} {name}" for name, count in each.most_common()) for each in counted]
    counts = f"{len(listed)} clauses: {'; '.join(parts)}."
    groups = view.by(map(asdict, listed), "group")
    if form == "text":
        return engine.render("clauses.txt", str, counts=counts, groups=groups)
    shown = {"title": about["title"], "counts": counts, "groups": groups, "rulings": rulings}
    return engine.render("clauses.md", engine.inline, **shown)


def _rulings(document: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Where the sources contradict each other and how the description decides it: place, ruling."""
    if isinstance(document, dict):
        for key, value in document.items():
            if key == "x-ruling":
                yield " / ".join(place), value
            else:
                yield from _rulings(value, (*place, str(key)))
    elif isinstance(document, list):
        for value in document:
            name = value.get("name", value.get("group", "")) if isinstance(value, dict) else ""
            yield from _rulings(value, (*place, name) if name else place)
