"""Two recordings -> how two endpoints differ.

Two figures are never blended: divergence, the share of what was compared that differs, and coverage, the
share of all requests that was compared at all, with the reason for everything that was not.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from getintegration_compare.differences import ERROR_TYPE, EXTRA, MISSING, STATUS, Difference, differences
from getintegration_compare.names import Names
from getintegration_compare.normalise import NORMALISATIONS, Answer
from getintegration_compare.pairing import Key, index, pair
from getintegration_compare.verdicts import Verdicts, expectation, is_operation
from getintegration_contract.contract import Contract
from getintegration_contract.recording import Recording
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import SHOWN
from getintegration_contract.sending.faults import transient_fault
from getintegration_contract.target.waivers import Waiver
from getintegration_contract.text import shorten, visible

#: Days after which a recording is called stale.
MAX_AGE = 90
#: Exchanges that a group of differences shows; further ones are only counted.
_EXAMPLES = 3
#: Groups that are kept apart; of an endpoint that differs in more ways, the rest is counted together.
_GROUPS = 2000
_OTHERS = "(others)"
#: The state of differences that neither a waiver nor evidence excuses.
OPEN = "open"


@dataclass(frozen=True)
class Settings:
    """How to compare: with which normalisations, from which age in days a recording is stale."""

    contract: Contract
    steps: Collection[str] = frozenset(NORMALISATIONS)
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    max_age: int = MAX_AGE
    waivers: Sequence[Waiver] = ()


@dataclass
class Group:
    """Differences of one kind, at one place, with the same two sides.

    Attributes:
        contradicted: Whether the reference, AWS, breaks a clause here: then the contract is wrong.
        examples: Both exchanges of some of the requests that show it; long bodies are cut.
        confirmed: Whether asking again showed it again; None if nobody asked.
    """

    difference: Difference
    accepted: Waiver | None
    contradicted: bool
    count: int = 0
    clauses: Counter[str] = field(default_factory=Counter)
    examples: dict[Key, tuple[Recorded, Recorded]] = field(default_factory=dict)
    confirmed: bool | None = None

    @property
    def state(self) -> str:
        """How it stands; only what is open counts against the candidate."""
        return "accepted" if self.accepted else "contradicted" if self.contradicted else OPEN

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        accepted = None
        if waiver := self.accepted:
            named = {name: getattr(waiver, name) for name in ("reason", "owner", "link")}
            accepted = {"difference": waiver.clause, **named, "expires": waiver.expires.isoformat()}
        return {
            "pattern": self.difference.pattern,
            **self.difference._asdict(),
            "count": self.count,
            "clauses": dict(self.clauses.most_common()),
            "state": self.state,
            "open": self.state == OPEN,
            "accepted": accepted,
            "contradicted": self.contradicted,
            "confirmed": self.confirmed,
            "examples": [
                {"test": key.test, "reference": _shown(one), "candidate": _shown(other)}
                for key, (one, other) in self.examples.items()
            ],
        }


@dataclass
class Tally:
    """Pairs of answers: how many were compared, differ, differ openly, and in which ways."""

    compared: int = 0
    different: int = 0
    unaccepted: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, groups: list[Group]) -> None:
        """Count a pair, with the groups that its differences belong to."""
        self.compared += 1
        self.different += bool(groups)
        self.unaccepted += any(group.state == OPEN for group in groups)
        self.kinds.update(group.difference.kind for group in groups)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {**vars(self), "kinds": dict(self.kinds.most_common())}


class Comparison:
    """Compares two recordings, exchange by exchange.

    Args:
        unsent: Why requests were not sent to both sides.

    Attributes:
        suites: What reference and candidate are.
        pairs, clauses: What was compared, altogether and for each clause.
        total: Requests that either side was asked, transient attempts aside.
        not_compared, only_candidate: Exchanges of each side that were not compared, by reason.
        transient: Attempts on each side that a later attempt made up for.
        groups: The differences, open ones first, the most frequent first.
        complaints: What is wrong with the waivers: expired ones, and ones that match no difference.
    """

    def __init__(
        self,
        reference: Recording,
        candidate: Recording,
        settings: Settings,
        unsent: Mapping[Key, str] | None = None,
    ) -> None:
        self.settings = settings
        self.suites = reference.suite, candidate.suite
        self.verdicts = Verdicts(settings.contract, reference if reference.suite.is_aws else None)
        self.pairs = Tally()
        self.clauses: dict[str, Tally] = defaultdict(Tally)
        self._waivers = {waiver: _compiled(waiver.clause) for waiver in settings.waivers}
        self._used: set[Waiver] = set()
        self._keys: set[Key] = set()
        self._groups: dict[tuple[Any, ...], Group] = {}
        self._names = names = Names(reference.suite.states), Names(candidate.suite.states)
        one, other = index(reference, names[0]), index(candidate, names[1])
        by_order = not names[0].same_as(names[1])
        pairs, self.not_compared, self.only_candidate = pair(one, other, unsent or {}, by_order=by_order)
        self.total = len(pairs) + self.not_compared.total() + self.only_candidate.total()
        self.transient = one.transient, other.transient
        for key, position, place in pairs:
            sides = reference.exchanges[position], candidate.exchanges[place]
            if reason := _incomparable(*sides):
                self.not_compared[reason] += 1
            else:
                self._add(key, *sides, self.verdicts.broken_by(position))
        self.groups = sorted(self._groups.values(), key=lambda group: (group.state != OPEN, -group.count))
        self.complaints = list(self._complaints()) if self.pairs.compared else []

    def confirm(self, repeated: Comparison) -> None:
        """Note for each group whether a second comparison, which may be of fewer requests, shows it again."""
        same = {group.difference[:4] for group in repeated.groups}
        shown = {(key, *group.difference[:2]) for group in repeated.groups for key in group.examples}
        for group in self.groups:
            if asked := group.examples.keys() & repeated._keys:
                places = {(key, *group.difference[:2]) for key in asked}
                group.confirmed = group.difference[:4] in same or not shown.isdisjoint(places)

    def _add(self, key: Key, one: Recorded, other: Recorded, broken: Set[str]) -> None:
        """Compare two answers; ``broken`` are the clauses that the reference breaks, if it is AWS."""
        contract, steps = self.settings.contract, self.settings.steps
        clauses = one.clauses
        if not clauses and (due := expectation(contract, one, self.suites[0])):
            clauses = (due.clause,)
        reference = Answer(one.exchange, self._names[0], steps)
        candidate = Answer(other.exchange, self._names[1], steps)
        # The contract says nothing of other operations' members.
        known = contract if is_operation(one.exchange.request) else None
        found: dict[str, list[Group]] = {clause: [] for clause in clauses}
        groups = []
        for difference in differences(reference, candidate, clauses, known):
            group = self._group(difference, bool(broken & _bearing(difference, reference)))
            group.count += 1
            group.clauses.update(difference.clauses)
            if len(group.examples) < _EXAMPLES:
                group.examples[key] = one, other
            groups.append(group)
            for clause in difference.clauses:
                found.setdefault(clause, []).append(group)
        self._keys.add(key)
        self.pairs.add(groups)
        for clause, bearing in found.items():
            self.clauses[clause].add(bearing)

    def _group(self, difference: Difference, contradicted: bool) -> Group:
        accepted = self._accepted_by(difference)
        key = (*difference[:4], accepted, contradicted)
        if key not in self._groups and len(self._groups) >= _GROUPS:
            difference = Difference(difference.kind, _OTHERS, _OTHERS, _OTHERS, difference.clauses)
            key = (*difference[:4], accepted, contradicted)
        return self._groups.setdefault(key, Group(difference, accepted, contradicted))

    def _accepted_by(self, difference: Difference) -> Waiver | None:
        """The waiver that accepts a difference."""
        names = _names(difference) if self._waivers else ()
        for waiver, pattern in self._waivers.items():
            if any(name == waiver.clause or pattern.fullmatch(name) for name in names):
                self._used.add(waiver)
                if not waiver.expired(self.settings.today):
                    return waiver
        return None

    def _complaints(self) -> Iterator[str]:
        names = sorted(set().union(*(_names(group.difference) for group in self.groups)))
        for waiver in self._waivers:
            if waiver.expired(self.settings.today):
                yield f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}"
            elif waiver not in self._used:
                close = difflib.get_close_matches(waiver.clause, names, n=1, cutoff=0.5)
                nearest = f"; the nearest is {close[0]}" if close else ""
                yield f"the waiver of {waiver.clause} matches no difference{nearest}"


def _incomparable(one: Recorded, other: Recorded) -> str | None:
    """Why two answers say nothing of each other, if they do not."""
    for side, recorded in (("reference", one), ("candidate", other)):
        if transient_fault(recorded.exchange.response) == "429":
            return f"the {side} was throttled"
    return "the reference gave no answer" if one.exchange.response.status == 0 else None


def _bearing(difference: Difference, reference: Answer) -> set[str]:
    """The clauses that a difference bears on, those of the reference's form among them."""
    clauses = set(difference.clauses)
    if difference.kind in (MISSING, EXTRA):
        clauses.add(f"response.{difference.where}.required")
    if difference.kind in (STATUS, ERROR_TYPE) and reference.error_type:
        clauses |= {f"error.{reference.error_type}.status", f"error.{reference.error_type}.type"}
    return clauses


def _shown(recorded: Recorded) -> dict[str, Any]:
    """An exchange whose bodies are short enough for a page."""
    exchange = recorded.exchange.to_dict()
    for side in ("request", "response"):
        exchange[side]["body"] = shorten(exchange[side]["body"], SHOWN)
    return exchange


def _names(difference: Difference) -> set[str]:
    """What the pattern of a waiver is held against.

    The kind (``header``), the kind with its place (``header:etag``) or its two sides (``status:404 -> 400``),
    and every clause (``response.Tags.type``).
    """
    return {difference.kind, difference.pattern, visible(difference.pattern), *difference.clauses}


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which ``*`` and ``?`` alone mean something: places have brackets of their own."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
