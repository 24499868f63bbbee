"""What every rendering of a report needs: groups, findings with their clause, the verdict in words."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from getintegration_contract.judging.ledger import (
    INDETERMINATE,
    NOT_CLAIMED,
    NOT_EXERCISED,
    UPHELD,
    VIOLATED,
    WAIVED,
)

#: A violated clause that cannot fail the target; report.json calls it violated and not gating.
REPORTED = "reported"

#: Outcomes as people read them, worst first.
OUTCOMES = (VIOLATED, REPORTED, INDETERMINATE, WAIVED, NOT_EXERCISED, NOT_CLAIMED, UPHELD)

#: Columns and counts that are shown even when they are zero.
ALWAYS = (UPHELD, VIOLATED)

#: Headers that say what an answer is, and those that a clause may name.
_TELLING = frozenset(
    {"x-amzn-errortype", "x-amzn-requestid", "content-type", "content-encoding", "retry-after", "allow"}
)
_NAMED = (
    *("Content-Type", "Accept", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Host", "Connection"),
    *("Expect", "Transfer-Encoding", "Content-Length", "Content-Encoding", "X-Amzn-ErrorType"),
    *("Date", "Allow", "Retry-After"),
)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')

_WORDS = {
    0: "PASS",
    1: "FAIL",
    2: "INTERRUPTED",
    3: "INTERNAL ERROR",
    4: "WRONG USE",
    5: "NOTHING RAN",
    6: "INDETERMINATE",
}


@dataclass(frozen=True)
class Group:
    """A group of clauses with the counts of their outcomes."""

    name: str
    clauses: list[dict[str, Any]]
    counts: Counter[str]


@dataclass(frozen=True)
class Found:
    """A finding with its clause, its waiver if it has one, and those that follow from it."""

    finding: dict[str, Any]
    clause: dict[str, Any]
    outcome: str
    waiver: dict[str, Any] | None
    is_new: bool = False
    followers: list[Found] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """What stands behind the name of a clause that was not violated before."""
        return " (new)" if self.is_new else ""


def outcome(clause: dict[str, Any]) -> str:
    """The outcome of a clause, telling a violation that fails the target from one that is reported."""
    if clause["outcome"] == VIOLATED and not clause["gating"]:
        return REPORTED
    return str(clause["outcome"])


def tally(clauses: list[dict[str, Any]]) -> Counter[str]:
    """How many clauses have each outcome."""
    return Counter(map(outcome, clauses))


def groups(report: dict[str, Any]) -> list[Group]:
    """The clauses by group, worst group first, else in the order of the contract."""
    gathered: dict[str, list[dict[str, Any]]] = {}
    for clause in report["clauses"]:
        gathered.setdefault(clause["group"], []).append(clause)
    found = [Group(name, clauses, tally(clauses)) for name, clauses in gathered.items()]
    return sorted(found, key=lambda group: [-group.counts[name] for name in OUTCOMES[:-1]])


def columns(report: dict[str, Any]) -> list[str]:
    """The outcomes that a matrix of this report needs a column for."""
    counts = tally(report["clauses"])
    return [name for name in (UPHELD, *OUTCOMES[:-1]) if counts[name] or name in ALWAYS]


def findings(report: dict[str, Any], wanted: str) -> list[Found]:
    """The causes whose clause came out as wanted, in the order of the report, with what follows from them."""
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    waivers = {waiver["clause"]: waiver for waiver in report["waivers"]}
    new = (report["baseline"] or {"new": ()})["new"]
    found: dict[str, Found] = {}
    for finding in report["findings"]:
        name = finding["clause"]
        entry = Found(finding, clauses[name], outcome(clauses[name]), waivers.get(name), name in new)
        found[name] = entry
        if finding["follows"] is not None:
            found[finding["follows"]].followers.append(entry)
    return [e for e in found.values() if e.finding["follows"] is None and e.outcome == wanted]


def printed_before(findings: list[dict[str, Any]]) -> dict[str, str]:
    """Clauses whose exchange is printed with a finding before theirs, each with that one's clause."""
    first: dict[str, str] = {}
    same = {}
    for finding in findings:
        if finding["exchange"]:
            before = first.setdefault(json.dumps(finding["exchange"], sort_keys=True), finding["clause"])
            if before != finding["clause"]:
                same[finding["clause"]] = before
    return same


def changes(report: dict[str, Any]) -> list[str]:
    """What is new, mended or as it was since the baseline, if there is one: a line."""
    if not (before := report["baseline"]):
        return []
    parts = []
    words = {"new": "new", "mended": "mended", "still": "still violated", "undecided": "no longer decided"}
    for key, word in words.items():
        names = f" ({', '.join(before[key])})" if before[key] and key != "still" else ""
        if before[key] or key != "undecided":
            parts.append(f"{len(before[key])} {word}{names}")
    return [f"since {before['started'][:16].replace('T', ' ')}: {', '.join(parts)}"]


def waived(entry: Found) -> str:
    """Why a violation is accepted, by whom, how long."""
    waiver = entry.waiver or {"reason": "", "owner": None, "link": None, "expires": "?"}
    who = ", ".join(filter(None, (waiver["owner"], waiver["link"]))) or "nobody"
    return f"{waiver['reason']} ({who}, until {waiver['expires']})"


def telling(entry: Found, message: dict[str, Any], side: str) -> list[list[str]]:
    """The headers of a message that matter for a finding, those that its clause names even if absent."""
    sentence, side_of = f"{entry.clause['id']} {entry.clause['text']}", entry.clause["id"].partition(".")[0]
    if side_of == "transport":
        side_of = "request" if "equest" in sentence else "response"
    about = "response" if side_of in ("response", "error") else "request"
    named = [name for name in _NAMED if re.search(rf"(?i)(?<![\w-]){name}(?![\w-])", sentence)]
    wanted = {name.lower() for name in named if side == about} | (_TELLING if side == "response" else set())
    found = [header for header in message["headers"] if header[0].lower() in wanted]
    there = {name.lower() for name, _ in found}
    return found + [[name, "absent"] for name in named if name.lower() not in there and side == about]


def spaces(text: str) -> str:
    """A text with white space visible where it is easily overlooked: at the ends of strings, and in runs."""
    text = re.sub(r"^ +| +$", _escaped, text)
    return _STRING.sub(lambda found: re.sub(r'(?<=^") +(?=.)| +(?="$)|  +', _escaped, found[0]), text)


def _escaped(run: re.Match[str]) -> str:
    return "\\x20" * len(run[0])


def not_claimed(report: dict[str, Any]) -> Counter[str]:
    """Clauses by the capability that the target does not claim."""
    return Counter(
        clause["capability"]
        for clause in report["clauses"]
        if clause["outcome"] == NOT_CLAIMED and clause["capability"]
    )


def undecided(report: dict[str, Any]) -> dict[str, list[str]]:
    """MUST clauses that were not decided, by the reason why, those shared by most clauses first."""
    reasons: dict[str, list[str]] = {}
    for clause in report["clauses"]:
        if clause["level"] == "MUST" and clause["outcome"] in (NOT_EXERCISED, INDETERMINATE):
            reasons.setdefault(clause["reason"], []).append(clause["id"])
    return dict(sorted(reasons.items(), key=lambda item: -len(item[1])))


def faults(report: dict[str, Any]) -> str:
    """Transient faults and how often each came."""
    return ", ".join(f"{kind} {times(count)}" for kind, count in report["run"]["faults"].items())


def word(report: dict[str, Any]) -> str:
    """The verdict as a word."""
    return _WORDS.get(report["exit_status"], "INDETERMINATE")


def verdict(report: dict[str, Any]) -> str:
    """The verdict as one line, without its word."""
    counts = tally(report["clauses"])
    always = (UPHELD, VIOLATED, WAIVED, NOT_EXERCISED, NOT_CLAIMED)
    causes = len(findings(report, VIOLATED))
    several = f" by {many(causes, 'cause')}" if causes != counts[VIOLATED] else ""
    outcomes = ", ".join(
        f"{counts[name]} {name}{several if name == VIOLATED else ''}"
        for name in (UPHELD, *OUTCOMES[:-1])
        if counts[name] or name in always
    )
    if report["run"]["partial"]:
        outcomes = f"part of the suite only: {outcomes}"
    complaints = many(len(report["complaints"]), "complaint")
    trouble = f", {complaints}" if report["complaints"] else ""
    faults = sum(report["run"]["faults"].values())
    if faults:
        trouble += f"; {many(faults, 'stray fault')} repeated"
    return f"{outcomes}{trouble}; {many(report['run']['requests'], 'request')} in {report['seconds']:.1f} s"


def headline(report: dict[str, Any]) -> str:
    """What happened, as a short sentence without a full stop."""
    status, counts = report["exit_status"], tally(report["clauses"])
    if status == 0:
        part = " by this part of the suite" if report["run"]["partial"] else ""
        which = "clause is newly" if counts[VIOLATED] else "clause that can fail the target is"
        return f"No {which} violated{part}"
    if status == 1:
        parts = []
        if counts[VIOLATED]:
            causes = many(len(findings(report, VIOLATED)), "cause")
            parts.append(f"{many(counts[VIOLATED], 'clause')} violated, {causes}")
        if report["complaints"]:
            parts.append(many(len(report["complaints"]), "complaint"))
        return ", ".join(parts) or "The run failed"
    return {
        2: "The run was interrupted",
        3: f"The suite itself failed in {many(len(report['errors']), 'test')}",
        4: "The suite was used in a wrong way",
        5: "No test ran",
    }.get(status, "The environment got in the way")


def many(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """How often."""
    return "once" if count == 1 else f"{count:,} times"


def test_name(node: str) -> str:
    """A test's id without the folders of its file."""
    path, separator, rest = node.partition("::")
    return path.rpartition("/")[2] + separator + rest


def status_line(response: dict[str, Any]) -> str:
    """The status of a response, or that none came."""
    if response["status"] == 0:
        return f"no answer: {response['reason']}"
    return f"{response['status']} {response['reason']}".strip()


def milliseconds(seconds: float) -> str:
    """A latency, to two or three digits."""
    value = seconds * 1000
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"
