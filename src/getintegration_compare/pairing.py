"""Which exchange of one recording has the same request as which of another."""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from getintegration_compare.names import Names
from getintegration_compare.safety import writes
from getintegration_contract.recording import Recording
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import NONE

_RACE = "its test reads while it writes, and its answers depend on which came first"
_NO_SUCH_REQUEST = "its test sent no such request to the other side"
_NO_SUCH_TEST = "its test did not send anything to the other side"
#: What a signature in the query has of its moment.
_MOMENT = re.compile(r"(?<=X-Amz-Date=)[^&]*|(?<=X-Amz-Signature=)[^&]*|(?<=%2F)\d{8}(?=%2F)", re.IGNORECASE)
#: Seconds by which two clocks of one process may seem to overlap.
_TOLERANCE = 0.001


class Key(NamedTuple):
    """What makes a request the same on both sides: its test, its content, and how often it came before."""

    test: str
    request: bytes
    number: int


@dataclass(frozen=True)
class Answers:
    """What one side answered to the requests of a recording.

    Attributes:
        recording: Its answers.
        sent: Positions in the source of the requests that it was sent, in order.
        unsent: Why it was not sent the others, by position in the source.
    """

    recording: Recording
    sent: Sequence[int]
    unsent: Mapping[int, str]

    @classmethod
    def of(cls, recording: Recording) -> Answers:
        """All answers of a recording."""
        return cls(recording, range(len(recording)), {})

    def missing_in(self, other: Answers) -> dict[int, str]:
        """Why answers of this side have no counterpart, by their position in its recording."""
        reasons = enumerate(self.sent)
        return {rank: other.unsent[position] for rank, position in reasons if position in other.unsent}


@dataclass(frozen=True)
class Index:
    """The keys of a recording.

    Attributes:
        keys: Of every exchange, in order; None for an attempt that a later one made up for.
        races: Tests that wrote while they read: who was first decides what they were answered.
    """

    keys: list[Key | None]
    races: frozenset[str]

    @property
    def transient(self) -> int:
        """Attempts that a later one made up for."""
        return self.keys.count(None)


@dataclass
class Pairs:
    """How the exchanges of two recordings belong together.

    Attributes:
        pairs: Keys, each with its positions in the reference and in the candidate.
        alone: Why exchanges of the reference have no counterpart, by position.
        extra: Why exchanges of the candidate have none, by position.
    """

    pairs: list[tuple[Key, int, int]] = field(default_factory=list)
    alone: dict[int, str] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)


def request_key(recorded: Recorded, names: Names) -> bytes:
    """A digest of what was sent, by whom and how signed, with tokens for names."""
    request = recorded.exchange.request
    target = names.hide_target(request.target)
    signed = str(recorded.signing.get("kind", ""))
    identity = recorded.exchange.identity if signed != NONE else None
    target = _MOMENT.sub("", target) if "?" in target else target
    head = "\0".join((request.method, target, identity or "", signed, ""))
    content = head.encode("utf-8", "surrogatepass") + names.body_key(request.body)
    return hashlib.blake2b(content, digest_size=16).digest()


def index(recording: Recording, names: Names) -> Index:
    """The keys of a recording's exchanges."""
    found: list[Key | None] = []
    races = _Races()
    last: dict[tuple[str, bytes], tuple[int, int]] = {}
    counts: Counter[tuple[str, bytes]] = Counter()
    for position, recorded in enumerate(recording):
        same = sys.intern(recorded.test), request_key(recorded, names)
        earlier, attempt = last.get(same, (0, 0))
        if 1 <= attempt == recorded.attempt - 1:
            found[earlier] = None
        else:
            counts[same] += 1
        last[same] = position, recorded.attempt
        found.append(Key(*same, counts[same]))
        races.add(recorded)
    return Index(found, frozenset(races.tests))


class _Races:
    """Finds tests in which a write and another exchange were under way at the same time."""

    def __init__(self) -> None:
        self.tests: set[str] = set()
        #: By test, when the last exchange so far had ended, and the last write.
        self._ends: dict[str, tuple[float, float]] = {}

    def add(self, recorded: Recorded) -> None:
        """Take in the next exchange, in the order in which they were sent."""
        exchange = recorded.exchange
        any_end, write_end = self._ends.get(recorded.test, (0.0, 0.0))
        is_write = writes(exchange.request)
        if exchange.started + _TOLERANCE < (any_end if is_write else write_end):
            self.tests.add(recorded.test)
        end = exchange.started + exchange.seconds
        self._ends[recorded.test] = max(any_end, end), max(write_end, end) if is_write else write_end


def pair(
    reference: Index,
    candidate: Index,
    *,
    by_order: bool,
    reference_reasons: Mapping[int, str],
    candidate_reasons: Mapping[int, str],
) -> Pairs:
    """Pair two recordings.

    Args:
        by_order: Whether requests of one test may also be paired by their order, where names differ.
        reference_reasons, candidate_reasons: Why an exchange was not sent to the other side, by position.
    """
    places = {key: position for position, key in enumerate(candidate.keys) if key is not None}
    pairs, alone = [], {}
    for position, key in enumerate(reference.keys):
        if key is None:
            continue
        if (other := places.pop(key, None)) is None:
            alone[position] = key
        else:
            pairs.append((key, position, other))
    extra = {position: key for key, position in places.items()}
    if by_order:
        pairs += _pair_by_order(alone, extra)
    races = reference.races | candidate.races
    alone |= {position: key for key, position, _ in pairs if key.test in races}
    return Pairs(
        sorted((each for each in pairs if each[0].test not in races), key=lambda each: each[1]),
        _reasons(alone, reference_reasons, candidate, races),
        _reasons(extra, candidate_reasons, reference, races),
    )


def _pair_by_order(alone: dict[int, Key], extra: dict[int, Key]) -> list[tuple[Key, int, int]]:
    """Take what is left of each test in its order, if as much is left on both sides."""
    left: dict[str, tuple[list[int], list[int]]] = {}
    for side, keys in enumerate((alone, extra)):
        for position in sorted(keys):
            left.setdefault(keys[position].test, ([], []))[side].append(position)
    pairs = []
    for test, (ones, others) in left.items():
        if test and len(ones) == len(others):
            for one, other in zip(ones, others, strict=True):
                pairs.append((alone.pop(one), one, other))
                del extra[other]
    return pairs


def _reasons(
    unpaired: Mapping[int, Key], given: Mapping[int, str], other: Index, races: Iterable[str]
) -> dict[int, str]:
    """Why exchanges have no counterpart on the other side, by position."""
    tests = {key.test for key in other.keys if key is not None}
    return {
        position: _RACE
        if key.test in races
        else given.get(position) or (_NO_SUCH_REQUEST if key.test in tests else _NO_SUCH_TEST)
        for position, key in unpaired.items()
    }
