"""The ledger: the checks of all tests, of all workers -> the outcome of every clause.

Each test yields an :class:`Entry`; entries travel from workers as JSON, so that a worker that dies loses only
the test under way. Memory grows with the number of clauses and tests, not with the number of requests.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from getintegration_contract.clause import Clause
from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.judge import Check

UPHELD = "upheld"
VIOLATED = "violated"
WAIVED = "waived"
NOT_EXERCISED = "not exercised"
NOT_CLAIMED = "not claimed"
INDETERMINATE = "indeterminate"

LATENCY_LIMIT = "latency.limit"
FAULT_LIMIT = "faults.limit"
STRAY_FAULTS = "transport.stray-faults"

#: Share of requests that may meet a passing fault of a target without a limit.
_STRAY_SHARE = 0.01

#: Tests that a finding names; the others are only counted.
_PLACES = 12


@dataclass
class Finding:
    """A violated clause: what was due, what came, and the smallest exchange to show it."""

    clause: str
    expected: str
    actual: str
    exchange: dict[str, Any] | None
    size: int
    count: int = 1
    places: list[str] = field(default_factory=list)


def gather(findings: dict[str, Finding], found: Finding) -> None:
    """Take in a finding, in whatever order findings come.

    The smallest exchange is kept, and the test that it comes from stays the first place.
    """
    known = findings.setdefault(found.clause, found)
    if known is found:
        return
    places = {*known.places, *found.places}
    if (found.size, found.places[:1]) < (known.size, known.places[:1]):
        known.expected, known.actual = found.expected, found.actual
        known.exchange, known.size, known.places = found.exchange, found.size, found.places
    first = known.places[:1]
    known.places = [*first, *sorted(places.difference(first))][:_PLACES]
    known.count += found.count


@dataclass
class Entry:
    """What one test found; JSON-able by :meth:`to_dict`.

    Attributes:
        phase: The group in which its latency is counted.
        crowded: Whether its requests wait for one another on purpose, so that they say nothing about latency.
    """

    test: str
    phase: str = ""
    crowded: bool = False
    checks: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    not_exercised: dict[str, str] = field(default_factory=dict)
    indeterminate: dict[str, str] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    latency: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    notes: list[str] = field(default_factory=list)

    def record(self, check: Check, exchange: dict[str, Any] | None, size: int) -> None:
        """Count a check; keep the redacted exchange of a violation if it is the smallest so far."""
        self.checks[check.clause] += 1
        if check.ok:
            return
        found = Finding(check.clause, check.expected, check.actual, exchange, size, 1, [self.test])
        gather(self.findings, found)

    def observe(self, exchange: Exchange) -> None:
        """Count one exchange, its status and its latency."""
        self.requests += 1
        self.statuses[str(exchange.response.status)] += 1
        self.latency[str(bucket(exchange.seconds))] += 1

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form, of plain types, as it travels from a worker."""
        plain = {name: dict(each) if isinstance(each, Counter) else each for name, each in vars(self).items()}
        return {**plain, "findings": [vars(finding) for finding in self.findings.values()]}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one clause."""

    clause: Clause
    outcome: str
    checks: int
    violations: int
    reason: str
    gating: bool
    tests: tuple[str, ...]


@dataclass
class Ledger:
    """Gathers entries and decides the outcome of each clause.

    Attributes:
        capabilities: What the target claims.
        strict: Whether SHOULD clauses gate as well.
        waived: Clauses whose violation is accepted.
        latency: Buckets by phase.
        aborted: Why the run ended before its tests were through, if it did.
        notes: Each once, in the order in which they came.
        hindrances: By capability, why it was given up although the target claims it.
    """

    contract: Contract
    capabilities: Collection[str]
    strict: bool = False
    waived: Collection[str] = ()
    checks: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    latency: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    requests: int = 0
    aborted: str | None = None
    notes: dict[str, None] = field(default_factory=dict)
    hindrances: dict[str, str] = field(default_factory=dict)
    _crowded: set[str] = field(default_factory=set)
    #: By outcome and clause, the first test that gave a reason, and its reason.
    _reasons: dict[str, dict[str, tuple[str, str]]] = field(default_factory=lambda: defaultdict(dict))
    _tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, entry: dict[str, Any]) -> None:
        """Take in one test's entry."""
        test, phase = entry["test"], entry["phase"]
        self.checks.update(entry["checks"])
        self.faults.update(entry["faults"])
        self.statuses.update(entry["statuses"])
        self.latency[phase].update({int(number): count for number, count in entry["latency"].items()})
        self.requests += entry["requests"]
        self.notes.update(dict.fromkeys(entry["notes"]))
        function = test.partition("[")[0]
        for clause in entry["checks"]:
            self._tests[clause].add(function)
        for raw in entry["findings"]:
            gather(self.findings, Finding(**raw))
        if entry["crowded"]:
            self._crowded.add(phase)
        for outcome in (NOT_EXERCISED, INDETERMINATE):
            for clause, reason in entry[outcome.replace(" ", "_")].items():
                first = self._reasons[outcome].get(clause, (test, reason))
                self._reasons[outcome][clause] = min((test, reason), first)

    def judge_latency(self, limit: float) -> None:
        """Hold the latency of the run against a limit in seconds, to about a tenth of it."""
        calm = {phase for phase, buckets in self.latency.items() if buckets} - self._crowded
        if not calm:
            return
        tail = percentile(sum((self.latency[phase] for phase in calm), Counter()), 0.99)
        self.checks[LATENCY_LIMIT] += 1
        if tail > limit:
            slowest = max(sorted(calm), key=lambda phase: percentile(self.latency[phase], 0.99))
            due, actual = f"99 of 100 requests within {limit:g} s", f"{tail:.3g} s; slowest phase: {slowest}"
            self.findings[LATENCY_LIMIT] = Finding(LATENCY_LIMIT, due, actual, None, 0)

    def judge_faults(self, limit: float | None) -> None:
        """Hold the share of requests that met a passing fault against 1 in 100, and the target's limit.

        A single one is never too many. The tests have recorded the exchanges.
        """
        example = self.findings.pop(STRAY_FAULTS, None)
        count = example.count if example else 0
        for clause, share in ((STRAY_FAULTS, _STRAY_SHARE), (FAULT_LIMIT, limit)):
            if share is None or not self.requests:
                continue
            self.checks[clause] = 1
            if example and count > max(1, share * self.requests):
                expected = f"5xx, 408, or no whole answer, to at most {share:.4g} of the requests"
                actual = f"{count} of {self.requests} requests, answered otherwise when repeated"
                self.findings[clause] = replace(example, clause=clause, expected=expected, actual=actual)

    def claimed(self, finding: Finding) -> bool:
        """Whether the target claims what a finding is about."""
        return self.contract.clauses[finding.clause].is_claimed(self.capabilities)

    def gates(self, clause: str) -> bool:
        """Whether a violation of the clause fails the target."""
        known = self.contract.clauses[clause]
        return known.is_claimed(self.capabilities) and clause not in self.waived and known.gates(self.strict)

    def outcomes(self) -> list[Outcome]:
        """Every clause of the contract, in its order."""
        return [self._outcome(clause) for clause in self.contract.clauses.values()]

    def violations(self) -> list[Outcome]:
        """The violated clauses that fail the target."""
        return [entry for entry in self.outcomes() if entry.outcome == VIOLATED and entry.gating]

    def _outcome(self, clause: Clause) -> Outcome:
        checks, finding = self.checks[clause.id], self.findings.get(clause.id)
        outcome, reason = UPHELD, ""
        if not clause.is_claimed(self.capabilities):
            outcome, reason = NOT_CLAIMED, f"the target does not claim {clause.capability}"
            reason = self.hindrances.get(str(clause.capability), reason)
        elif finding is not None:
            outcome = WAIVED if clause.id in self.waived else VIOLATED
        elif not checks:
            outcome, reason = self._unsettled(clause)
        tests = tuple(sorted(self._tests.get(clause.id, ())))
        violations = finding.count if finding else 0
        return Outcome(clause, outcome, checks, violations, reason, clause.gates(self.strict), tests)

    def _unsettled(self, clause: Clause) -> tuple[str, str]:
        """The outcome of a clause that was not checked, and why it was not."""
        for outcome in (INDETERMINATE, NOT_EXERCISED):
            if found := self._reasons[outcome].get(clause.id):
                return outcome, found[1]
        return (INDETERMINATE, self.aborted) if self.aborted else (NOT_EXERCISED, _unobserved(clause))


def _unobserved(clause: Clause) -> str:
    """Why a clause was not exercised, where no test gave a reason."""
    side, name, *rest = clause.id.split(".")
    if side == "error" and name.endswith("Exception"):
        return f"no {name} was seen" + " with its own status" * (rest == ["type"])
    if side in ("response", "error"):
        return f"no {side} carried {name} in a form that could violate it"
    return "no test came to check it"


def bucket(seconds: float) -> int:
    """A logarithmic bucket of microseconds, twenty to a power of ten, so about 12 % wide."""
    return round(20 * math.log10(max(seconds, 1e-6) * 1e6))


def percentile(buckets: Counter[int], share: float) -> float:
    """Seconds that a share of the requests stayed below, to about a tenth; 0 without requests."""
    rank = share * sum(buckets.values())
    for number in sorted(buckets):
        rank -= buckets[number]
        if rank <= 0:
            return float(10 ** (number / 20) / 1e6)
    return 0.0
