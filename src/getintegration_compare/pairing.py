"""Which exchange of one recording has the same request as which of another."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from getintegration_compare.names import Names
from getintegration_contract.contract import domain_segment
from getintegration_contract.exchange import Request, undated
from getintegration_contract.recording import Recording
from getintegration_contract.recording.har import NONE, Recorded

_RACE = "its test reads while it writes, so its answers depend on timing"
_NO_SUCH_REQUEST = "its test sent no such request to the other side"
_NO_SUCH_TEST = "its test sent nothing to the other side"
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Seconds by which two clocks of one process may seem to overlap.
_TOLERANCE = 0.001


class Key(NamedTuple):
    """What makes a request the same on both sides: its test, its content, and how often it came before."""

    test: str
    request: bytes
    number: int


class Index(NamedTuple):
    """The requests of a recording.

    Attributes:
        places: The position of each, in order, but for transient attempts that a later one made up for.
        races: Tests that wrote while they read: who was first decides what they were answered.
    """

    places: dict[Key, int]
    transient: int
    races: set[str]


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
    request = names.hide(recorded.exchange.request)
    signed = str(recorded.signing.get("kind", ""))
    identity = recorded.exchange.identity if signed != NONE else None
    head = "\0".join((request.method, undated(request.target), identity or "", signed, ""))
    content = head.encode("utf-8", "surrogatepass") + request.body
    return hashlib.blake2b(content, digest_size=16).digest()


def index(recording: Recording, names: Names) -> Index:
    places: dict[Key, int] = {}
    transient = 0
    races: set[str] = set()
    counts: Counter[tuple[str, bytes]] = Counter()
    #: By test, when the last exchange so far had ended, and the last write.
    ends: dict[str, tuple[float, float]] = {}
    for position, recorded in enumerate(recording.exchanges):
        test, exchange = recorded.test, recorded.exchange
        same = test, _digest(recorded, names)
        earlier = Key(*same, counts[same])
        if earlier in places and recording.exchanges[places[earlier]].attempt == recorded.attempt - 1:
            transient += 1
            del places[earlier]
        else:
            counts[same] += 1
        places[Key(*same, counts[same])] = position

        any_end, write_end = ends.get(test, (0.0, 0.0))
        end = exchange.started + exchange.seconds
        is_write = writes(exchange.request)
        if exchange.started + _TOLERANCE < (any_end if is_write else write_end):
            races.add(test)
        ends[test] = max(any_end, end), max(write_end, end) if is_write else write_end
    return Index(places, transient, races)


def pair(
    reference: Index, candidate: Index, unsent: Mapping[Key, str], *, by_order: bool
) -> tuple[list[tuple[Key, int, int]], Counter[str], Counter[str]]:
    """Pair two recordings: keys with both positions, and why other exchanges of either side stand alone.

    Args:
        unsent: Why requests were not sent to both sides.
        by_order: Whether requests of one test may also be paired by their order, where names differ.
    """
    ones, others = dict(reference.places), dict(candidate.places)
    pairs = [(key, ones.pop(key), others.pop(key)) for key in reference.places if key in others]
    if by_order:
        pairs += _pair_by_order(ones, others)
    races = reference.races | candidate.races

    def reasons(keys: Iterable[Key], other: Index) -> Counter[str]:
        tests = {key.test for key in other.places}
        usual = {key: _NO_SUCH_REQUEST if key.test in tests else _NO_SUCH_TEST for key in keys}
        return Counter(_RACE if key.test in races else unsent.get(key, why) for key, why in usual.items())

    raced = [key for key, _, _ in pairs if key.test in races]
    nowhere = unsent.keys() - reference.places.keys() - candidate.places.keys()
    kept = sorted((each for each in pairs if each[0].test not in races), key=lambda each: each[1])
    return kept, reasons([*ones, *raced, *nowhere], candidate), reasons(others, reference)


def _pair_by_order(ones: dict[Key, int], others: dict[Key, int]) -> list[tuple[Key, int, int]]:
    """Take what is left of each test in its order, if as much is left on both sides."""
    left: dict[str, tuple[list[Key], list[Key]]] = defaultdict(lambda: ([], []))
    for number, keys in enumerate((ones, others)):
        for key in keys:
            left[key.test][number].append(key)
    return [
        (key, ones.pop(key), others.pop(other))
        for test, (mine, theirs) in left.items()
        if test and len(mine) == len(theirs)
        for key, other in zip(mine, theirs, strict=True)
    ]
