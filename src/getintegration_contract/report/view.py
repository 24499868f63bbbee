"""What every rendering of a report needs: groups, findings with their clause, the verdict in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
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

#: Columns of a matrix.
COLUMNS = (UPHELD, VIOLATED, REPORTED, WAIVED, NOT_EXERCISED, NOT_CLAIMED, INDETERMINATE)

#: Columns and counts that are shown even when they are zero.
ALWAYS = (UPHELD, VIOLATED)

#: Response headers that say what an answer is.
TELLING_HEADERS = frozenset(
    {"x-amzn-errortype", "content-type", "content-encoding", "x-amzn-requestid", "retry-after", "allow"}
)

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
    """A finding with its clause, and its waiver if it has one."""

    finding: dict[str, Any]
    clause: dict[str, Any]
    outcome: str
    waiver: dict[str, Any] | None


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
    return [name for name in COLUMNS if counts[name] or name in ALWAYS]


def findings(report: dict[str, Any], wanted: str) -> list[Found]:
    """The findings whose clause came out as wanted, in the order of the report."""
    clauses = {clause["id"]: clause for clause in report["clauses"]}
    waivers = {waiver["clause"]: waiver for waiver in report["waivers"]}
    found = [
        Found(finding, clause, outcome(clause), waivers.get(clause["id"]))
        for finding in report["findings"]
        if (clause := clauses.get(finding["clause"])) is not None
    ]
    return [entry for entry in found if entry.outcome == wanted]


def not_claimed(report: dict[str, Any]) -> Counter[str]:
    """Clauses by the claim that the target does not make."""
    return Counter(
        clause["claim"]
        for clause in report["clauses"]
        if clause["outcome"] == NOT_CLAIMED and clause["claim"]
    )


def undecided(report: dict[str, Any]) -> dict[str, list[str]]:
    """MUST clauses that were not decided, by the reason why, those shared by most clauses first."""
    reasons: dict[str, list[str]] = {}
    for clause in report["clauses"]:
        if clause["level"] == "MUST" and clause["outcome"] in (NOT_EXERCISED, INDETERMINATE):
            reasons.setdefault(clause["reason"], []).append(clause["id"])
    return dict(sorted(reasons.items(), key=lambda item: -len(item[1])))


def word(report: dict[str, Any]) -> str:
    """The verdict as a word."""
    return _WORDS.get(report["exit_status"], "INDETERMINATE")


def verdict(report: dict[str, Any]) -> str:
    """The verdict as one line, without its word."""
    counts = tally(report["clauses"])
    shown = (UPHELD, VIOLATED, REPORTED, WAIVED, NOT_EXERCISED, NOT_CLAIMED, INDETERMINATE)
    always = (UPHELD, VIOLATED, WAIVED, NOT_EXERCISED, NOT_CLAIMED)
    outcomes = ", ".join(f"{counts[name]} {name}" for name in shown if counts[name] or name in always)
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
        return "No clause that can fail the target is violated"
    if status == 1:
        parts = []
        if counts[VIOLATED]:
            parts.append(f"{many(counts[VIOLATED], 'clause')} violated")
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
