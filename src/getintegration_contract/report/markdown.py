"""summary.md for people, and annotations for GitHub's log."""

import re
from collections.abc import Iterator
from typing import Any

from getintegration_contract.report import view
from getintegration_contract.report.view import Found
from getintegration_contract.text import shorten, visible

#: Findings told in full; GitHub takes a summary of at most 1 MiB.
_IN_FULL = 40
_BODY = 1_500
_ICONS = {"pass": "✅", "fail": "❌"}
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


def summary(report: dict[str, Any]) -> str:
    """The run as Markdown, for summary.md and $GITHUB_STEP_SUMMARY."""
    blocks = (
        _head(report),
        _matrix(report),
        _violations(report),
        _listed(report, "reported", "Reported, cannot fail the target"),
        _waived(report),
        _undecided(report),
        _measured(report),
    )
    return "\n".join("\n".join((*lines, "")) for block in blocks if (lines := list(block)))


def annotations(report: dict[str, Any]) -> list[str]:
    """GitHub workflow commands: an error for all that fails the run, a warning for what is only reported."""
    status = report["exit_status"]
    errors = [_annotation("error", entry) for entry in view.findings(report, "violated")]
    errors += [_command("error", "complaint", complaint) for complaint in report["complaints"]]
    errors += [_command("error", "the suite itself failed", error) for error in report["errors"]]
    if status not in (0, 1, 3):
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
    data = visible(message, keep="\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = visible(title).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{data}"


def _head(report: dict[str, Any]) -> Iterator[str]:
    target, run = report["target"], report["run"]
    icon = _ICONS.get(report["verdict"], "⚠️")
    yield f"## {icon} {view.word(report)}: {view.headline(report)}"
    yield ""
    missing = view.not_claimed(report)
    if missing:
        listed = ", ".join(f"{code(claim)} ({count})" for claim, count in missing.most_common())
        yield f"**Not claimed, so not checked:** {listed}"
        yield ""
    for line in view.changes(report):
        yield f"**{inline(line)}**"
        yield ""
    strict = ", strict" if run["strict"] else ""
    name = f"{inline(target['name'])}, " if target["name"] else ""
    yield (
        f"{name}{code(target['endpoint'])}, {inline(target['region'])},"
        f" {run['depth']} depth, seed {run['seed']}"
        f"{strict}, {report['started']}: {view.verdict(report)}."
    )
    for label, lines in (
        ("Complaint", report["complaints"]),
        ("The suite itself failed", report["errors"]),
        ("Note", report["notes"]),
    ):
        for number, line in enumerate(lines):
            if number == 0:
                yield ""
            yield f"- **{label}:** {inline(line)}"


def _matrix(report: dict[str, Any]) -> Iterator[str]:
    columns = view.columns(report)
    yield f"| group | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for group in view.groups(report):
        cells = [_count(group.counts[column], column) for column in columns]
        yield f"| {inline(group.name)} | {' | '.join(cells)} |"


def _count(count: int, column: str) -> str:
    if not count:
        return ""
    return f"**{count}**" if column == "violated" else str(count)


def _violations(report: dict[str, Any]) -> Iterator[str]:
    found = view.findings(report, "violated")
    if found:
        yield "### Violated"
    shown: list[Any] = []
    for entry in found[:_IN_FULL]:
        yield ""
        yield from _finding(entry, entry.finding["exchange"] in shown)
        shown.append(entry.finding["exchange"])
    if len(found) > _IN_FULL:
        yield ""
        yield from map(_line, found[_IN_FULL:])


def _finding(entry: Found, is_shown: bool) -> Iterator[str]:
    finding, clause = entry.finding, entry.clause
    yield f"#### {code(clause['id'])}{inline(entry.mark)}"
    yield ""
    yield f"{inline(clause['text'])} *({clause['provenance']}: {inline(clause['source'])})*"
    yield ""
    if finding["hint"]:
        yield f"**{inline(finding['hint'])}**"
        yield ""
    expected, actual = (cell(shorten(view.spaces(finding[side]), 500)) for side in ("expected", "actual"))
    yield "| expected | actual |"
    yield "|---|---|"
    yield f"| {expected} | {actual} |"
    yield ""
    yield f"Mend: {inline(finding['mend'])}"
    yield ""
    places = ", ".join(code(view.test_name(place)) for place in finding["places"][:3])
    others = " and others" if len(finding["places"]) > 3 else ""
    yield f"Seen {view.times(finding['count'])}, in {places or 'no single test'}{others}."
    if finding["exchange"] is not None and not is_shown:
        yield ""
        yield "<details><summary>Request and response</summary>"
        yield ""
        yield from _block(_request(finding["exchange"]), "http")
        yield from _block(_response(finding["exchange"]), "http")
        yield "</details>"
    yield ""
    yield from _block("\n".join([finding["repeat"], *finding["also"]]), "sh")
    if entry.followers:
        yield ""
        yield f"<details><summary>{view.many(len(entry.followers), 'more clause')} that follow</summary>"
        yield ""
        yield from map(_line, entry.followers)
        yield ""
        yield "</details>"


def _request(exchange: dict[str, Any]) -> str:
    request = exchange["request"]
    return _message(f"{request['method']} {request['target']}", request)


def _response(exchange: dict[str, Any]) -> str:
    return _message(view.status_line(exchange["response"]), exchange["response"])


def _message(first: str, message: dict[str, Any]) -> str:
    headers = [visible(f"{name}: {value}") for name, value in message["headers"]]
    lines = [visible(first), *(shorten(header, 500) for header in headers)]
    if message["body"]:
        lines += ["", shorten(visible(message["body"], keep="\n\t"), _BODY)]
    return "\n".join(lines)


def _block(text: str, language: str) -> Iterator[str]:
    shown = visible(text, keep="\n\t")
    fence = _fence(shown, 3)
    yield f"{fence}{language}\n{shown}\n{fence}"


def _fence(text: str, least: int) -> str:
    """More backticks than the text has in a row."""
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])


def _line(entry: Found) -> str:
    finding = entry.finding
    return (
        f"- {code(entry.clause['id'])}{inline(entry.mark)}:"
        f" expected {code(shorten(finding['expected'], 200))},"
        f" got {code(shorten(finding['actual'], 200))}"
        f" ({entry.clause['provenance']}, {view.times(finding['count'])})"
    )


def _listed(report: dict[str, Any], outcome: str, title: str) -> Iterator[str]:
    found = view.findings(report, outcome)
    if found:
        yield f"### {title}"
        yield ""
        yield from map(_line, found)


def _waived(report: dict[str, Any]) -> Iterator[str]:
    found = view.findings(report, "waived")
    if found:
        yield "### Waived"
        yield ""
    for entry in found:
        yield f"- {code(entry.clause['id'])}: {inline(view.waived(entry))}"


def _undecided(report: dict[str, Any]) -> Iterator[str]:
    reasons = view.undecided(report)
    if not reasons:
        return
    count = sum(map(len, reasons.values()))
    yield f"<details><summary>{view.many(count, 'MUST clause')} not decided</summary>"
    yield ""
    for reason, clauses in reasons.items():
        yield f"- {', '.join(map(code, clauses))}: {inline(reason)}"
    yield ""
    yield "</details>"


def _measured(report: dict[str, Any]) -> Iterator[str]:
    run = report["run"]
    if run["faults"]:
        listed = ", ".join(f"{inline(kind)} {view.times(count)}" for kind, count in run["faults"].items())
        yield f"Transient faults, each repeated: {listed}."
        yield ""
    if run["latency"]:
        yield "<details><summary>Latency</summary>"
        yield ""
        yield "| phase | requests | median ms | p99 ms |"
        yield "|---|---:|---:|---:|"
        for phase, entry in run["latency"].items():
            median, slow = view.milliseconds(entry["p50"]), view.milliseconds(entry["p99"])
            yield f"| {inline(phase)} | {entry['requests']} | {median} | {slow} |"
        yield ""
        yield "</details>"
