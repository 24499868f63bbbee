"""Which exchange of one recording answers the same question as which of another."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from getintegration_compare.names import Names
from getintegration_compare.safety import writes
from getintegration_contract.recording import Recording
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import NONE

_RACE = "its test reads while it writes, and its answers depend on which came first"
#: Seconds by which two clocks of one process may seem to overlap.
_TOLERANCE = 0.001


class Key(NamedTuple):
    """What makes a request the same on both sides: its test, what was asked, and how often before."""

    test: str
    question: bytes
    number: int


@dataclass(frozen=True)
class Index:
    """The keys of a recording.

    Attributes:
        keys: Of every exchange, in order; None for an attempt that a later one made up for.
        races: Tests that wrote while they asked: who was first decides what they were answered.
    """

    keys: list[Key | None]
    races: frozenset[str]


@dataclass
class Pairs:
    """How the exchanges of two recordings belong together.

    Attributes:
        pairs: Positions in the reference and in the candidate.
        alone: Positions in the reference that have no counterpart, each with the reason.
        extra: Positions in the candidate that have none, each with the reason.
        transient: Attempts on each side that a later attempt made up for.
    """

    pairs: list[tuple[int, int]] = field(default_factory=list)
    alone: dict[int, str] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)
    transient: tuple[int, int] = (0, 0)


def question(recorded: Recorded, names: Names) -> bytes:
    """A digest of what was asked, by whom and how signed, names aside."""
    request = names.hide(recorded.exchange.request)
    signed = str(recorded.signing.get("kind", ""))
    who = recorded.exchange.identity if signed != NONE else None
    parts = (request.method, request.target, who or "", signed)
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16)
    digest.update(b"\0" + request.body)
    return digest.digest()


def keys(recording: Recording, names: Names) -> Index:
    """The keys of a recording's exchanges."""
    found: list[Key | None] = []
    races = _Races()
    last: dict[tuple[str, bytes], tuple[int, int]] = {}
    counts: Counter[tuple[str, bytes]] = Counter()
    for position, recorded in enumerate(recording):
        asked = question(recorded, names)
        same = sys.intern(recorded.test), asked
        if recorded.attempt > 1 and same in last and last[same][1] == recorded.attempt - 1:
            found[last[same][0]] = None
        else:
            counts[same] += 1
        last[same] = position, recorded.attempt
        found.append(Key(*same, counts[same]))
        races.see(same[0], recorded)
    return Index(found, frozenset(races.tests))


class _Races:
    """Finds tests in which a write and another exchange were under way at the same time."""

    def __init__(self) -> None:
        self.tests: set[str] = set()
        #: By test, when the last exchange so far had ended, and the last write.
        self._ends: dict[str, tuple[float, float]] = {}

    def see(self, test: str, recorded: Recorded) -> None:
        """Take in the next exchange, in the order in which they were sent."""
        exchange = recorded.exchange
        any_end, write_end = self._ends.get(test, (0.0, 0.0))
        is_write = writes(exchange.request)
        if exchange.started + _TOLERANCE < (any_end if is_write else write_end):
            self.tests.add(test)
        end = exchange.started + exchange.seconds
        self._ends[test] = max(any_end, end), max(write_end, end) if is_write else write_end


def pair(
    one: Index,
    other: Index,
    *,
    by_order: bool,
    reasons: Mapping[int, str],
    extra_reasons: Mapping[int, str],
) -> Pairs:
    """Pair two recordings.

    Args:
        one, other: The keys of the reference and of the candidate.
        by_order: Whether requests of one test may also be paired by their order, where names differ.
        reasons, extra_reasons: Why an exchange of the reference, or of the candidate, was not sent to the
            other side, by position.
    """
    reference, candidate = one.keys, other.keys
    places = {key: position for position, key in enumerate(candidate) if key is not None}
    found = Pairs(transient=(_transient(reference), _transient(candidate)))
    alone: list[int] = []
    for position, key in enumerate(reference):
        if key is None:
            continue
        counterpart = places.pop(key, None)
        if counterpart is None:
            alone.append(position)
        else:
            found.pairs.append((position, counterpart))
    extra = sorted(places.values())
    if by_order:
        alone, extra = _pair_by_order(reference, candidate, alone, extra, found)
    tests = [{key.test for key in side if key is not None} for side in (reference, candidate)]
    found.alone = {place: reasons.get(place) or _reason(reference[place], tests[1]) for place in alone}
    found.extra = {place: extra_reasons.get(place) or _reason(candidate[place], tests[0]) for place in extra}
    races = one.races | other.races
    for side, reasons_of in ((reference, found.alone), (candidate, found.extra)):
        raced = [place for place, key in enumerate(side) if key is not None and key.test in races]
        # What was paired is told once, on the side of the reference.
        told = raced if side is reference else [place for place in raced if place in reasons_of]
        reasons_of.update(dict.fromkeys(told, _RACE))
    found.pairs = sorted(pair for pair in found.pairs if pair[0] not in found.alone)
    return found


def _transient(side: Sequence[Key | None]) -> int:
    return sum(key is None for key in side)


def _pair_by_order(
    reference: Sequence[Key | None],
    candidate: Sequence[Key | None],
    alone: list[int],
    extra: list[int],
    found: Pairs,
) -> tuple[list[int], list[int]]:
    """Pair what is left of each test in its order, if as much is left on both sides."""
    left: dict[str, tuple[list[int], list[int]]] = {}
    for side, positions in enumerate((alone, extra)):
        for position in positions:
            key = (reference, candidate)[side][position]
            assert key is not None
            left.setdefault(key.test, ([], []))[side].append(position)
    kept_alone: list[int] = []
    kept_extra: list[int] = []
    for test, (one, other) in left.items():
        if test and len(one) == len(other):
            found.pairs.extend(zip(one, other, strict=True))
        else:
            kept_alone += one
            kept_extra += other
    return kept_alone, kept_extra


def _reason(key: Any, tests: set[str]) -> str:
    if key is not None and key.test in tests:
        return "its test sent no such request to the other side"
    return "its test did not send anything to the other side"
