"""Two normalised answers to the same request -> how they differ: by kind, by place, by clause."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from getintegration_compare.names import CLOSE, OPEN
from getintegration_compare.normalise import Answer
from getintegration_contract.contract import Contract
from getintegration_contract.text import shorten

KINDS = (
    *("status", "error type", "envelope", "header"),
    *("member missing", "member extra", "type", "value", "timing"),
)
STATUS, ERROR_TYPE, ENVELOPE, HEADER, MISSING, EXTRA, TYPE, VALUE, TIMING = KINDS

#: Classes of timing by their upper bound in seconds. Hiccups below a second say nothing of an endpoint.
TIMING_CLASSES = ((1.0, "prompt, below 1 s"), (5.0, "slow, 1 to 5 s"), (float("inf"), "very slow, over 5 s"))
#: Times as long as the other, at least, to be in another class.
_TIMING_RATIO = 2.0
#: Members of an error that are its envelope, reported as such.
_ENVELOPE_MEMBERS = frozenset({"__type", "code", "Message", "message"})
_TYPES = {bool: "boolean", str: "string", dict: "object", list: "array", type(None): "null"}
_OF_BODIES = frozenset({MISSING, EXTRA, TYPE, VALUE})
#: By kind, the clauses that a member of a 200 may have, the most precise first.
_PRECISE = {MISSING: ("response.{}.required",), VALUE: ("response.echo.{}", "state.put-get.{}")}
#: How tokens for names are shown.
_TOKENS = {ord(OPEN): "<", ord(CLOSE): ">"}
_LONGEST = 160


class Difference(NamedTuple):
    """One way in which two answers differ.

    Attributes:
        where: The member, header or part of the envelope; empty for the answer as a whole.
        clauses: The clauses that it bears on.
    """

    kind: str
    where: str
    reference: str
    candidate: str
    clauses: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """What a waiver of just this difference has as its ``difference``."""
        return f"{self.kind}:{self.where or f'{self.reference} -> {self.candidate}'}"


def differences(
    reference: Answer, candidate: Answer, clauses: tuple[str, ...], contract: Contract | None
) -> Iterator[Difference]:
    """All differences between two answers to one request.

    Args:
        clauses: What the request was sent for; used where nothing is more precise.
        contract: Knows the clauses of members; None for the answers of another operation.
    """
    for kind, where, one, other, *own in _all(reference, candidate):
        if contract is None:
            own = []
        elif not own and reference.status == candidate.status == 200:
            own = _of_member(kind, where, contract)
        if kind in _OF_BODIES:
            where = where or "body"
        yield Difference(kind, where, one, other, tuple(own) or clauses)


def _of_member(kind: str, where: str, contract: Contract) -> list[str]:
    """The most precise clause that there is of a member; none of what is no member."""
    if kind not in _OF_BODIES or not where:
        return []
    member = re.split(r"[.\[]", where)[0]
    precise = _PRECISE.get(kind, ())
    if kind == VALUE and where.rpartition(".")[2] in ("CreatedAt", "LastUpdatedAt"):
        precise = ("response.timestamps.order",)
    patterns = (*precise, "response.{}.type", "response.unknown-members")
    return [name for name in (each.format(member) for each in patterns) if name in contract.clauses][:1]


def _all(reference: Answer, candidate: Answer) -> Iterator[tuple[str, ...]]:
    """Kind, place and both sides of each difference, and the clauses that the place alone tells."""
    statuses = reference.status, candidate.status
    if statuses[0] != statuses[1]:
        yield STATUS, "", *(str(status or "no answer") for status in statuses)
    if reference.error_type != candidate.error_type and min(statuses) >= 400:
        yield ERROR_TYPE, "", reference.error_type or "none", candidate.error_type or "none"
    yield from _timing(reference.seconds, candidate.seconds)
    if statuses[0] != statuses[1]:
        return  # what else differs follows from that
    about = "error" if reference.status >= 400 else "response"
    for where, clause, *places in (
        ("place of the type", "error.type", reference.type_in, candidate.type_in),
        ("name of the message", "error.Message.type", reference.message_in, candidate.message_in),
    ):
        if places[0] != places[1]:
            yield ENVELOPE, where, *(" and ".join(side) or "none" for side in places), clause
    yield from _headers(reference.headers, candidate.headers, about)
    if reference.is_json != candidate.is_json:
        yield TYPE, "body", _body_kind(reference), _body_kind(candidate), f"{about}.body.json"
        return
    texts = reference.text, candidate.text
    if texts[0] != texts[1]:  # both are None where the layout is of no interest
        where = "layout of the body" if reference.is_json else "body"
        yield VALUE, where, *(_clip(text or "") for text in texts), f"{about}.body.json"
    one, other = reference.document, candidate.document
    if about == "error" and isinstance(one, dict) and isinstance(other, dict):
        one, other = _without_envelope(one, other), _without_envelope(other, one)
    yield from _values("", one, other)


def _timing(reference: float, candidate: float) -> Iterator[tuple[str, ...]]:
    classes = [next(name for bound, name in TIMING_CLASSES if t < bound) for t in (reference, candidate)]
    short, long = sorted((reference, candidate))
    if classes[0] != classes[1] and long >= _TIMING_RATIO * short:
        yield TIMING, "", *classes


def _headers(one: dict[str, list[str]], other: dict[str, list[str]], about: str) -> Iterator[tuple[str, ...]]:
    own = {"content-type": [f"{about}.content-type"], "x-amzn-requestid": ["response.request-id"]}
    for name in dict.fromkeys((*one, *other)):
        low = name.lower()  # the type is compared as the type, its place as the envelope
        if one.get(name) != other.get(name) and low != "x-amzn-errortype":
            values = [_clip(", ".join(side.get(name, ["none"]))) for side in (one, other)]
            yield HEADER, name, *values, *own.get(low, [])
    orders = [[name for name in side if name in one and name in other] for side in (one, other)]
    if orders[0] != orders[1]:
        yield HEADER, "order", *map(_shown, orders)


def _body_kind(answer: Answer) -> str:
    return "JSON" if answer.is_json else "no JSON" if answer.text else "empty"


def _without_envelope(members: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The members of an error without those of its envelope, but for a message that both sides have."""
    both = {"Message", "message"} & members.keys() & other.keys()
    return {name: value for name, value in members.items() if name not in _ENVELOPE_MEMBERS - both}


def _values(where: str, one: Any, other: Any) -> Iterator[tuple[str, ...]]:
    """Differences of two values, and of their members or items."""
    kind = _type(one)
    if kind != _type(other):
        yield TYPE, where, _typed(one), _typed(other)
    elif kind not in ("object", "array"):
        if one != other:
            yield VALUE, where, _shown(one), _shown(other)
    else:
        ones, others = (dict(enumerate(side)) if kind == "array" else side for side in (one, other))
        for key in dict.fromkeys((*ones, *others)):
            place = f"{where}[{key}]" if kind == "array" else f"{where}.{key}" if where else key
            place = _clip(place)
            if key not in others:
                yield MISSING, place, _typed(ones[key]), "none"
            elif key not in ones:
                yield EXTRA, place, "none", _typed(others[key])
            else:
                yield from _values(place, ones[key], others[key])


def _type(value: Any) -> str:
    return _TYPES.get(type(value), "number")


def _typed(value: Any) -> str:
    """A value's type, and itself where it is the same thing every time."""
    return str(value).lower() if isinstance(value, bool) else _type(value)


def _shown(value: Any) -> str:
    return _clip(json.dumps(value, ensure_ascii=False).translate(_TOKENS))


def _clip(text: str) -> str:
    return shorten(text, _LONGEST)
