"""Which exchange of one recording has the same request as which of another."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from getintegration_compare.names import Names
from getintegration_contract.contract import domain_segment
from getintegration_contract.exchange import Request, undated
from getintegration_contract.recording import Recording
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import NONE

_RACE = "its test reads while it writes, and its answers depend on which came first"
_NO_SUCH_REQUEST = "its test sent no such request to the other side"
_NO_SUCH_TEST = "its test did not send anything to the other side"
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Seconds by which two clocks of one process may seem to overlap.
_TOLERANCE = 0.001


class Key(NamedTuple):
    """What makes a request the same on both sides: its test, its content, and how often it came before."""

    test: str
    request: bytes
    number: int


@dataclass(frozen=True)
class Index:
    """The keys of a recording.

    Attributes:
        keys: Of every exchange, in order; None for an attempt that a later one made up for.
        races: Tests that wrote while they read: who was first decides what they were answered.
    """

    keys: list[Key | None]
    races: set[str]


class Pairs(NamedTuple):
    """How two recordings belong together: keys with both positions, and why other exchanges stand alone."""

    pairs: list[tuple[Key, int, int]]
    alone: list[str]
    extra: list[str]
    unsent: list[str]


def writes(request: Request) -> bool:
    """Whether a request may write: all but GetIntegration itself, and methods that never write.

    No lenient reading of a path lets one through.
    """
    if request.method in _READING_METHODS:
        return False
    segment = domain_segment(request.target)
    if request.method != "POST" or segment is None:
        return True
    segment = unquote(unquote(segment))
    return segment in (".", "..") or any(char in segment for char in "/\\?#;")


def _digest(recorded: Recorded, names: Names) -> bytes:
    """A digest of what was sent, by whom and how signed, with tokens for names."""
    request = recorded.exchange.request
    target = undated(names.hide_target(request.target))
    signed = str(recorded.signing.get("kind", ""))
    identity = recorded.exchange.identity if signed != NONE else None
    head = "\0".join((request.method, target, identity or "", signed, ""))
    content = head.encode("utf-8", "surrogatepass") + names.body_key(request.body)
    return hashlib.blake2b(content, digest_size=16).digest()


def index(recording: Recording, names: Names) -> Index:
    """The keys of a recording's exchanges."""
    found = Index([], set())
    last: dict[tuple[str, bytes], tuple[int, int]] = {}
    counts: Counter[tuple[str, bytes]] = Counter()
    #: By test, when the last exchange so far had ended, and the last write.
    ends: dict[str, tuple[float, float]] = {}
    for position, recorded in enumerate(recording):
        test, exchange = sys.intern(recorded.test), recorded.exchange
        same = test, _digest(recorded, names)
        earlier, attempt = last.get(same, (0, 0))
        if 1 <= attempt == recorded.attempt - 1:
            found.keys[earlier] = None
        else:
            counts[same] += 1
        last[same] = position, recorded.attempt
        found.keys.append(Key(*same, counts[same]))

        any_end, write_end = ends.get(test, (0.0, 0.0))
        end = exchange.started + exchange.seconds
        is_write = writes(exchange.request)
        if exchange.started + _TOLERANCE < (any_end if is_write else write_end):
            found.races.add(test)
        ends[test] = max(any_end, end), max(write_end, end) if is_write else write_end
    return found


def pair(reference: Index, candidate: Index, unsent: Mapping[Key, str], *, by_order: bool) -> Pairs:
    """Pair two recordings.

    Args:
        unsent: Why requests were not sent to both sides, by key.
        by_order: Whether requests of one test may also be paired by their order, where names differ.
    """
    places = {key: position for position, key in enumerate(candidate.keys) if key is not None}
    pairs, alone = [], {}
    for position, key in enumerate(reference.keys):
        if key is not None and (other := places.pop(key, None)) is not None:
            pairs.append((key, position, other))
        elif key is not None:
            alone[position] = key
    extra = {position: key for key, position in places.items()}
    known = {*reference.keys, *candidate.keys}
    if by_order:
        pairs += _pair_by_order(alone, extra)
    races = reference.races | candidate.races

    def reasons(keys: list[Key], other: Index) -> list[str]:
        tests = {key.test for key in other.keys if key is not None}
        return [
            _RACE
            if key.test in races
            else unsent.get(key) or (_NO_SUCH_REQUEST if key.test in tests else _NO_SUCH_TEST)
            for key in keys
        ]

    raced = [key for key, _, _ in pairs if key.test in races]
    return Pairs(
        sorted((each for each in pairs if each[0].test not in races), key=lambda each: each[1]),
        reasons([*alone.values(), *raced], candidate),
        reasons(list(extra.values()), reference),
        [why for key, why in unsent.items() if key not in known],
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
