"""Two recordings -> how two endpoints differ.

Two figures are never blended: divergence, the share of what was compared that differs, and coverage, the
share of all requests that was compared at all, with the reason for everything that was not.
"""

import datetime
import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Self

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

#: Differences of one kind, at one place, with the same two sides, as reports have them.
Group = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """How to compare: with which normalisations, from which age in days a recording is stale."""

    contract: Contract
    steps: Collection[str] = frozenset(NORMALISATIONS)
    today: datetime.date = field(default_factory=lambda: datetime.datetime.now(datetime.UTC).date())
    max_age: int = MAX_AGE
    waivers: Sequence[Waiver] = ()


class Comparison:
    """Compares two recordings, exchange by exchange.

    Args:
        unsent: Why requests were not sent to both sides.

    Attributes:
        suites: What reference and candidate are.
        pairs, clauses: How many pairs of answers were compared, differ, differ openly, and in which ways:
            altogether and for each clause.
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
        self.pairs = _tally()
        self.clauses: dict[str, dict[str, Any]] = defaultdict(_tally)
        self._waivers = {waiver: _compiled(waiver.clause) for waiver in settings.waivers}
        self._used: set[Waiver] = set()
        self._keys: set[Key] = set()
        #: By what makes it one, a group, and the requests of its examples.
        self._groups: dict[tuple[Any, ...], tuple[Group, list[Key]]] = {}
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
        self.groups = [group for group, _ in self._groups.values()]
        self.groups.sort(key=lambda group: (not group["open"], -group["count"]))
        for group in self.groups:
            group["clauses"] = dict(group["clauses"].most_common())
        for tally in (self.pairs, *self.clauses.values()):
            tally["kinds"] = dict(tally["kinds"].most_common())
        self.complaints = list(self._complaints()) if self.pairs["compared"] else []

    def confirm(self, repeated: Self) -> None:
        """Note for each group whether a second comparison, which may be of fewer requests, shows it again."""
        same = {difference[:4] for difference in repeated._groups}
        shown = {(key, *group[:2]) for group, (_, keys) in repeated._groups.items() for key in keys}
        for difference, (group, keys) in self._groups.items():
            if asked := repeated._keys.intersection(keys):
                places = {(key, *difference[:2]) for key in asked}
                group["confirmed"] = difference[:4] in same or not shown.isdisjoint(places)

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
            group, keys = self._group(difference, bool(broken & _bearing(difference, reference)))
            group["count"] += 1
            group["clauses"].update(difference.clauses)
            if len(keys) < _EXAMPLES and key not in keys:
                keys.append(key)
                example = {"test": key.test, "reference": _shown(one), "candidate": _shown(other)}
                group["examples"].append(example)
            groups.append(group)
            for clause in difference.clauses:
                found.setdefault(clause, []).append(group)
        self._keys.add(key)
        _count(self.pairs, groups)
        for clause, bearing in found.items():
            _count(self.clauses[clause], bearing)

    def _group(self, difference: Difference, contradicted: bool) -> tuple[Group, list[Key]]:
        """The group of a difference. Where AWS breaks a clause, the contract is contradicted."""
        waiver, accepted = self._accepted_by(difference), None
        key = (*difference[:4], waiver, contradicted)
        if key not in self._groups and len(self._groups) >= _GROUPS:
            difference = Difference(difference.kind, _OTHERS, _OTHERS, _OTHERS)
            key = (*difference[:4], waiver, contradicted)
        if key in self._groups:
            return self._groups[key]
        if waiver:
            named = {name: getattr(waiver, name) for name in ("reason", "owner", "link")}
            accepted = {"difference": waiver.clause, **named, "expires": waiver.expires.isoformat()}
        state = "accepted" if waiver else "contradicted" if contradicted else "open"
        group = {
            "pattern": difference.pattern,
            **difference._asdict(),
            "count": 0,
            "clauses": Counter[str](),
            "state": state,
            "open": state == "open",
            "accepted": accepted,
            "contradicted": contradicted,
            "confirmed": None,  # whether asking again showed it again
            "examples": [],
        }
        return self._groups.setdefault(key, (group, []))

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
        names = sorted(
            set().union(*((group["kind"], group["pattern"], *group["clauses"]) for group in self.groups))
        )
        for waiver in self._waivers:
            if waiver.expired(self.settings.today):
                yield f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}"
            elif waiver not in self._used:
                close = difflib.get_close_matches(waiver.clause, names, n=1, cutoff=0.5)
                nearest = f"; the nearest is {close[0]}" if close else ""
                yield f"the waiver of {waiver.clause} matches no difference{nearest}"


def _tally() -> dict[str, Any]:
    return {"compared": 0, "different": 0, "unaccepted": 0, "kinds": Counter[str]()}


def _count(tally: dict[str, Any], groups: list[Group]) -> None:
    """Count a pair, with the groups that its differences belong to."""
    tally["compared"] += 1
    tally["different"] += bool(groups)
    tally["unaccepted"] += any(group["open"] for group in groups)
    tally["kinds"].update(group["kind"] for group in groups)


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
