"""Two recordings -> how far two endpoints answer alike.

Two figures are told and never blended: divergence, the share of what was compared that differs, and coverage,
the share of all requests that was compared at all, with the reason for everything that was not.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from getintegration_compare.acceptance import Acceptance
from getintegration_compare.differences import (
    ERROR_TYPE,
    EXTRA,
    MISSING,
    STATUS,
    Difference,
    differences,
)
from getintegration_compare.evidence import (
    MAX_AGE,
    Evidence,
    clauses_of,
    expectation,
    is_operation,
    judged,
)
from getintegration_compare.names import Names
from getintegration_compare.normalise import NORMALISATIONS, Answer, normalise
from getintegration_compare.pairing import Key, keys, pair
from getintegration_contract.contract import Contract
from getintegration_contract.judging.judge import Judge
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import SHOWN
from getintegration_contract.sending.faults import transient_fault
from getintegration_contract.target.waivers import Waiver
from getintegration_contract.text import shorten

SCHEMA_VERSION = 1

#: Exchanges that a group of differences shows; further ones are only counted.
_EXAMPLES = 3
#: Groups that are kept apart; of an endpoint that differs in more ways, the rest is told together.
_GROUPS = 2000
_OTHERS = "(others)"


@dataclass(frozen=True)
class Example:
    """One pair of exchanges that shows a difference; long bodies are cut."""

    key: Key
    test: str
    reference: dict[str, Any]
    candidate: dict[str, Any]


@dataclass
class Group:
    """Differences of one kind, at one place, with the same two sides.

    Attributes:
        count: Exchanges that show it.
        clauses: How often it bears on each clause.
        accepted: The waiver that accepts it.
        contradicted: Whether the reference, AWS, breaks a clause here: then the contract is wrong.
        confirmed: Whether asking again showed it again; None if nobody asked.
    """

    difference: Difference
    accepted: Waiver | None
    contradicted: bool
    count: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    confirmed: bool | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Kind and where: what a repeat is held against."""
        return self.difference.kind, self.difference.where


@dataclass
class ClauseParity:
    """How one clause fared."""

    compared: int = 0
    different: int = 0
    unaccepted: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass
class Comparison:
    """What a comparison found.

    Attributes:
        compared: Pairs of answers that were compared.
        different: Of these, pairs with any difference.
        unaccepted: Of these, pairs with a difference that no waiver accepts and is not the contract's fault.
        total: Requests that either side was asked, transient attempts aside.
        not_compared: Exchanges of the reference that were not compared, by reason.
        only_candidate: Exchanges of the candidate that were not compared, by reason.
        transient: Attempts on each side that a later attempt made up for.
        keys: Which requests were compared.
        evidence: What the reference says of the clauses, where it is AWS.
    """

    reference: Suite
    candidate: Suite
    without: tuple[str, ...]
    compared: int = 0
    different: int = 0
    unaccepted: int = 0
    total: int = 0
    not_compared: Counter[str] = field(default_factory=Counter)
    only_candidate: Counter[str] = field(default_factory=Counter)
    transient: tuple[int, int] = (0, 0)
    groups: list[Group] = field(default_factory=list)
    clauses: dict[str, ClauseParity] = field(default_factory=dict)
    keys: set[Key] = field(default_factory=set)
    evidence: Evidence | None = None
    stale: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def divergence(self) -> float:
        """Share of the compared pairs that differ."""
        return self.different / self.compared if self.compared else 0.0

    @property
    def coverage(self) -> float:
        """Share of all requests that were compared."""
        return self.compared / self.total if self.total else 0.0

    @property
    def is_drift(self) -> bool:
        """Whether both sides are the same endpoint, so that differences are what changed since."""
        return self.reference.where == self.candidate.where


def compare(
    reference: Recording,
    candidate: Recording,
    contract: Contract,
    *,
    acceptance: Acceptance | None = None,
    without: tuple[str, ...] = (),
    today: datetime.date | None = None,
    max_age: int = MAX_AGE,
    reasons: Mapping[int, str] | None = None,
    extra_reasons: Mapping[int, str] | None = None,
) -> Comparison:
    """Compare two recordings, exchange by exchange.

    Args:
        acceptance: Differences that are accepted.
        without: Names of normalisations that are left out.
        today: For expiry and age; by default the present day.
        max_age: Days after which a recording is stale.
        reasons, extra_reasons: Why exchanges of the reference, or of the candidate, were not sent to the
            other side, by position.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    names = Names(reference.suite.states), Names(candidate.suite.states)
    asked = keys(reference, names[0])
    pairs = pair(
        asked,
        keys(candidate, names[1]),
        by_order=names[0] != names[1],
        reasons=reasons or {},
        extra_reasons=extra_reasons or {},
    )
    acceptance = acceptance or Acceptance([], today)
    result = Comparison(reference.suite, candidate.suite, without, transient=pairs.transient)
    result.total = len(pairs.pairs) + len(pairs.alone) + len(pairs.extra)
    result.not_compared.update(pairs.alone.values())
    result.only_candidate.update(pairs.extra.values())
    result.stale = [
        f"the recording of {suite.where} is stale: {suite.age(today)} days old, and {max_age} are allowed"
        for suite in (reference.suite, candidate.suite)
        if suite.age(today) > max_age
    ]
    if reference.suite.is_aws:
        result.evidence = judged(reference, contract)
    gatherer = _Gatherer(result, contract, acceptance)
    for position, other in pairs.pairs:
        key = asked.keys[position]
        assert key is not None, "what a later attempt made up for is in no pair"
        gatherer.take(key, reference[position], candidate[other], names)
    result.groups = gatherer.ordered()
    result.complaints = acceptance.complaints() if result.compared else []
    return result


def confirm(comparison: Comparison, repeated: Comparison) -> None:
    """Note for each group whether a second comparison shows it again.

    A group of which no example was compared again is left as it is: the limit on requests was spent, say.
    """
    shown = {(example.key, *group.place) for group in repeated.groups for example in group.examples}
    same = {group.difference[:4] for group in repeated.groups}
    for group in comparison.groups:
        # By key, since a repeat that asks only part of the requests has other positions.
        asked = {example.key for example in group.examples} & repeated.keys
        if asked:
            places = {(key, *group.place) for key in asked}
            group.confirmed = group.difference[:4] in same or not shown.isdisjoint(places)


class _Gatherer:
    """Puts the differences of all pairs into groups; keeps a few examples of each."""

    def __init__(self, result: Comparison, contract: Contract, acceptance: Acceptance) -> None:
        self._result = result
        self._contract = contract
        self._acceptance = acceptance
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._judge = Judge(contract)

    def take(self, asked: Key, one: Recorded, other: Recorded, names: tuple[Names, Names]) -> None:
        """Compare one pair."""
        result = self._result
        for side, recorded in (("reference", one), ("candidate", other)):
            fault = transient_fault(recorded.exchange.response)
            if fault == "429":
                result.not_compared[f"the {side} was throttled"] += 1
                return
            if side == "reference" and recorded.exchange.response.status == 0:
                result.not_compared["the reference gave no answer"] += 1
                return
        clauses = clauses_of(self._contract, one, result.reference)
        answers = (
            normalise(one.exchange, names[0], result.without),
            normalise(other.exchange, names[1], result.without),
        )
        broken = self._broken(one)
        found = list(differences(*answers, clauses, self._contract))
        if not is_operation(one.exchange.request):  # the contract says nothing of other operations' members
            found = [difference._replace(clauses=clauses) for difference in found]
        accepted = []
        for difference in found:
            contradicted = not broken.isdisjoint(_bearing(difference, answers[0]))
            accepted.append(self._add(difference, contradicted, asked, one, other))
        result.compared += 1
        result.keys.add(asked)
        result.different += bool(found)
        result.unaccepted += not all(accepted)
        self._count_clauses(clauses, found, accepted)

    def ordered(self) -> list[Group]:
        """The groups, open ones first, the most frequent first."""
        return sorted(self._groups.values(), key=lambda group: (group.accepted is not None, -group.count))

    def _broken(self, recorded: Recorded) -> frozenset[str]:
        """The clauses that AWS, as the reference, breaks with an answer: there the contract is wrong."""
        evidence = self._result.evidence
        if evidence is None:
            return frozenset()
        due = expectation(self._contract, recorded, self._result.reference)
        if due is None:  # tests judged it, if anybody did
            return frozenset(evidence.violated)
        checks = self._judge.judge(recorded.exchange, due)
        return frozenset(check.clause for check in checks if not check.ok)

    def _add(
        self, difference: Difference, contradicted: bool, asked: Key, one: Recorded, other: Recorded
    ) -> bool:
        """Put a difference into its group; whether it is accepted, or the contract's fault."""
        accepted = self._acceptance.accepts(difference)
        kind, where, reference, candidate, _ = difference
        waiver = accepted.clause if accepted else None
        key = (kind, where, reference, candidate, waiver, contradicted)
        if key not in self._groups and len(self._groups) >= _GROUPS:
            difference = Difference(kind, _OTHERS, _OTHERS, _OTHERS, difference.clauses)
            key = (kind, _OTHERS, _OTHERS, _OTHERS, waiver, contradicted)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(difference, accepted, contradicted)
        group.count += 1
        group.clauses.update(difference.clauses)
        if len(group.examples) < _EXAMPLES:
            shown = _cut(one.exchange.to_dict()), _cut(other.exchange.to_dict())
            group.examples.append(Example(asked, one.test, *shown))
        return contradicted or accepted is not None

    def _count_clauses(self, clauses: tuple[str, ...], found: list[Difference], accepted: list[bool]) -> None:
        counted: dict[str, list[bool]] = {clause: [] for clause in clauses}
        for difference, is_accepted in zip(found, accepted, strict=True):
            for clause in difference.clauses:
                counted.setdefault(clause, []).append(is_accepted)
                self._clause(clause).kinds[difference.kind] += 1
        for clause, all_accepted in counted.items():
            entry = self._clause(clause)
            entry.compared += 1
            entry.different += bool(all_accepted)
            entry.unaccepted += not all(all_accepted)

    def _clause(self, clause: str) -> ClauseParity:
        if clause not in self._result.clauses:
            self._result.clauses[clause] = ClauseParity()
        return self._result.clauses[clause]


def _bearing(difference: Difference, reference: Answer) -> set[str]:
    """The clauses that a difference bears on, those of the reference's form among them."""
    clauses = set(difference.clauses)
    if difference.kind in (MISSING, EXTRA):
        clauses.add(f"response.{difference.where}.required")
    if difference.kind in (STATUS, ERROR_TYPE) and reference.error_type:
        clauses |= {f"error.{reference.error_type}.status", f"error.{reference.error_type}.type"}
    return clauses


def _cut(exchange: dict[str, Any]) -> dict[str, Any]:
    """An exchange whose bodies are short enough for a page."""
    for side in ("request", "response"):
        exchange[side]["body"] = shorten(exchange[side]["body"], SHOWN)
    return exchange


def normalisations(without: tuple[str, ...]) -> list[dict[str, Any]]:
    """All normalisations, each with whether it was applied."""
    return [
        {"name": step.name, "says": step.says, "applied": step.name not in without} for step in NORMALISATIONS
    ]
