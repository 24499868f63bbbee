"""A report as people read it: what every rendering shows, as groups, findings and sentences."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from getintegration_contract.judging.ledger import (
    INDETERMINATE,
    NOT_CLAIMED,
    NOT_EXERCISED,
    UPHELD,
    VIOLATED,
    WAIVED,
)
from getintegration_contract.report.files import Report

Entries = list[dict[str, Any]]

#: A violated clause that cannot fail the target; report.json calls it violated and not gating.
REPORTED = "reported"

#: Outcomes as people read them, worst first.
OUTCOMES = (VIOLATED, REPORTED, INDETERMINATE, WAIVED, NOT_EXERCISED, NOT_CLAIMED, UPHELD)

#: Columns and counts that are shown even when they are zero.
ALWAYS = (UPHELD, VIOLATED)

#: By exit status; any other is as the last.
_WORDS = ("PASS", "FAIL", "INTERRUPTED", "INTERNAL ERROR", "WRONG USE", "NOTHING RAN", "INDETERMINATE")

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class View:
    """What every rendering of a report shows.

    Attributes:
        counts: Clauses by outcome, a violation that fails the target apart from one that is reported.
        columns: The outcomes that a table of the groups needs a column for.
        groups: Name, clauses and counts of each group, the worst first, else in the order of the contract.
        violated: The causes of what fails the target, each with what follows from it; so are ``reported``
            and ``waived``.
        missing: Clauses by the capability that the target does not claim.
        undecided: MUST clauses that were not decided, by the reason why, those shared by most first.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.word = word(report)
        clauses: Entries = report["clauses"]
        self.counts = Counter(map(outcome, clauses))
        self.columns = [name for name in (UPHELD, *OUTCOMES[:-1]) if self.counts[name] or name in ALWAYS]
        groups = [(name, them, Counter(map(outcome, them))) for name, them in by(clauses, "group").items()]
        self.groups = sorted(groups, key=lambda group: [-group[2][name] for name in OUTCOMES[:-1]])
        causes = by(self._causes(), "outcome")
        self.violated, self.reported, self.waived = (
            causes.get(name, []) for name in (VIOLATED, REPORTED, WAIVED)
        )
        unclaimed = (clause for clause in clauses if clause["outcome"] == NOT_CLAIMED)
        self.missing = Counter(clause["capability"] for clause in unclaimed if clause["capability"])
        open_ = [each for each in clauses if each["outcome"] in (NOT_EXERCISED, INDETERMINATE)]
        reasons = by((clause for clause in open_ if clause["level"] == "MUST"), "reason")
        most_first = sorted(reasons.items(), key=lambda item: -len(item[1]))
        self.undecided = {reason: [clause["id"] for clause in them] for reason, them in most_first}

    def _causes(self) -> Entries:
        """What follows from nothing else, in the order of the report, with all of its finding and clause.

        Beside that it has its ``waiver`` or None, those that follow from it as ``followers``, and as ``mark``
        what stands behind the name of a clause that was not violated before.
        """
        clauses = {clause["id"]: clause for clause in self.report["clauses"]}
        waivers = {waiver["clause"]: waiver for waiver in self.report["waivers"]}
        new = (self.report["baseline"] or {"new": ()})["new"]
        found: dict[str, dict[str, Any]] = {}
        for finding in self.report["findings"]:
            clause = clauses[finding["clause"]]
            entry = {**clause, **finding, "outcome": outcome(clause), "waiver": waivers.get(clause["id"])}
            found[clause["id"]] = entry | {"mark": " (new)" if clause["id"] in new else "", "followers": []}
            if finding["follows"] is not None:
                found[finding["follows"]]["followers"].append(found[clause["id"]])
        return [entry for entry in found.values() if entry["follows"] is None]


def word(report: Report) -> str:
    """The verdict as a word."""
    return _WORDS[min(report["exit_status"], len(_WORDS) - 1)]


def outcome(clause: dict[str, Any]) -> str:
    """The outcome of a clause, telling a violation that fails the target from one that is reported."""
    is_reported = clause["outcome"] == VIOLATED and not clause["gating"]
    return REPORTED if is_reported else str(clause["outcome"])


def by(entries: Iterable[dict[str, Any]], key: str) -> dict[str, Entries]:
    """Entries by what they have under a key, in their order."""
    gathered: dict[str, Entries] = {}
    for entry in entries:
        gathered.setdefault(entry[key], []).append(entry)
    return gathered


def printed_before(findings: Entries) -> dict[str, str]:
    """Clauses whose exchange is printed with a finding before theirs, each with that one's clause."""
    first: dict[str, str] = {}
    same = {}
    for finding in findings:
        if finding["exchange"]:
            before = first.setdefault(json.dumps(finding["exchange"], sort_keys=True), finding["clause"])
            if before != finding["clause"]:
                same[finding["clause"]] = before
    return same


def spaces(text: str) -> str:
    """A text with white space visible where it is easily overlooked: at the ends of strings, and in runs."""

    def escaped(run: re.Match[str]) -> str:
        return "\\x20" * len(run[0])

    text = re.sub(r"^ +| +$", escaped, text)
    return _STRING.sub(lambda found: re.sub(r'(?<=^") +(?=.)| +(?="$)|  +', escaped, found[0]), text)


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


def number(value: float) -> str:
    """A count, or a measure to a tenth."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
