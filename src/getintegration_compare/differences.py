"""Two normalised answers to the same request -> how they differ: by kind, by place, by clause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from getintegration_compare.names import CLOSE, OPEN
from getintegration_compare.normalise import Answer, Moment
from getintegration_contract.contract import Contract
from getintegration_contract.text import shorten

STATUS = "status"
ERROR_TYPE = "error type"
ENVELOPE = "envelope"
HEADER = "header"
MISSING = "member missing"
EXTRA = "member extra"
VALUE = "value"
TYPE = "type"
TIMING = "timing"
KINDS = (STATUS, ERROR_TYPE, ENVELOPE, HEADER, MISSING, EXTRA, TYPE, VALUE, TIMING)

#: Classes of timing by their upper bound in seconds. Hiccups below a second say nothing of an endpoint.
TIMING_CLASSES = ((1.0, "prompt, below 1 s"), (5.0, "slow, 1 to 5 s"), (float("inf"), "very slow, over 5 s"))
#: Times as long as the other, at least, to be in another class.
_TIMING_RATIO = 2.0
#: Members of an error that are its envelope, reported as such.
_ENVELOPE_MEMBERS = frozenset({"__type", "code", "Message", "message"})
_TYPES = ((bool, "boolean"), (int | float | Moment, "number"), (str, "string"), (dict, "object"))
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
    reference: Answer, candidate: Answer, clauses: tuple[str, ...], contract: Contract
) -> Iterator[Difference]:
    """All differences between two answers to one request.

    Args:
        clauses: What the request was sent for; used where the contract has nothing more precise.
        contract: Knows the clauses of members.
    """
    if reference.status != candidate.status:
        statuses = str(reference.status or "no answer"), str(candidate.status or "no answer")
        yield Difference(STATUS, "", *statuses, clauses)
    if reference.error_type != candidate.error_type and reference.status >= 400 <= candidate.status:
        types = reference.error_type or "none", candidate.error_type or "none"
        yield Difference(ERROR_TYPE, "", *types, clauses)
    if (timing := _timing(reference.seconds, candidate.seconds)) is not None:
        yield Difference(TIMING, "", *timing, clauses)
    if reference.status != candidate.status:
        return  # what else differs follows from that
    yield from _envelope(reference, candidate)
    yield from _headers(reference, candidate, clauses)
    yield from _bodies(reference, candidate, clauses, contract)


def _timing(reference: float, candidate: float) -> tuple[str, str] | None:
    classes = [next(name for bound, name in TIMING_CLASSES if t < bound) for t in (reference, candidate)]
    short, long = sorted((reference, candidate))
    if classes[0] == classes[1] or long < _TIMING_RATIO * short:
        return None
    return classes[0], classes[1]


def _envelope(reference: Answer, candidate: Answer) -> Iterator[Difference]:
    if reference.status < 400:
        return
    for where, clause, one, other in (
        ("place of the type", "error.type", reference.type_in, candidate.type_in),
        ("name of the message", "error.Message.type", reference.message_in, candidate.message_in),
    ):
        if one != other:
            places = " and ".join(one) or "none", " and ".join(other) or "none"
            yield Difference(ENVELOPE, where, *places, (clause,))


def _headers(reference: Answer, candidate: Answer, clauses: tuple[str, ...]) -> Iterator[Difference]:
    one, other = _by_name(reference), _by_name(candidate)
    for name in dict.fromkeys((*one, *other)):
        if name.lower() == "x-amzn-errortype":
            continue  # the type is compared as the type, its place as the envelope
        if one.get(name) != other.get(name):
            values = [_clip(", ".join(side.get(name, ["none"]))) for side in (one, other)]
            bearing = _header_clauses(name, reference.status, clauses)
            yield Difference(HEADER, name, values[0], values[1], bearing)
    common = one.keys() & other.keys()
    orders = [[name for name in headers if name in common] for headers in (one, other)]
    if orders[0] != orders[1]:
        yield Difference(HEADER, "order", _shown(orders[0]), _shown(orders[1]), clauses)


def _by_name(answer: Answer) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name, []).append(value)
    return headers


def _header_clauses(name: str, status: int, clauses: tuple[str, ...]) -> tuple[str, ...]:
    if name.lower() == "content-type":
        return ("error.content-type" if status >= 400 else "response.content-type",)
    if name.lower() == "x-amzn-requestid":
        return ("response.request-id",)
    return clauses


def _bodies(
    reference: Answer, candidate: Answer, clauses: tuple[str, ...], contract: Contract
) -> Iterator[Difference]:
    body = ("error.body.json" if reference.status >= 400 else "response.body.json",)
    if reference.is_json != candidate.is_json:
        yield Difference(TYPE, "body", _body_kind(reference), _body_kind(candidate), body)
        return
    if reference.text is not None and candidate.text is not None and reference.text != candidate.text:
        where = "layout of the body" if reference.is_json else "body"
        yield Difference(VALUE, where, _clip(reference.text), _clip(candidate.text), body)
    if reference.is_json:
        place = _Place(reference.status, clauses, contract)
        yield from _values("", reference.document, candidate.document, place)


def _body_kind(answer: Answer) -> str:
    return "JSON" if answer.is_json else "no JSON" if answer.text else "empty"


class _Place(NamedTuple):
    """Where values are compared: knows the clauses of a member."""

    status: int
    clauses: tuple[str, ...]
    contract: Contract

    def clauses_of(self, where: str, *suffixes: str) -> tuple[str, ...]:
        """The most precise clause of a member that there is."""
        member = where.partition(".")[0].partition("[")[0]
        if self.status != 200 or not member:
            return self.clauses
        for pattern in (*suffixes, "response.{}.type", "response.unknown-members"):
            if (clause := pattern.format(member)) in self.contract.clauses:
                return (clause,)
        return self.clauses


def _values(where: str, one: Any, other: Any, place: _Place) -> Iterator[Difference]:
    if _type(one) != _type(other):
        yield Difference(TYPE, where or "body", _typed(one), _typed(other), place.clauses_of(where))
    elif isinstance(one, dict):
        if place.status >= 400 and not where:
            one, other = _without_envelope(one, other), _without_envelope(other, one)
        members = {name: f"{where}.{name}" if where else name for name in (*one, *other)}
        yield from _parts(members, one, other, place, "response.{}.required")
    elif isinstance(one, list):
        items = {number: f"{where}[{number}]" for number in range(max(len(one), len(other)))}
        yield from _parts(items, dict(enumerate(one)), dict(enumerate(other)), place)
    elif one != other:
        is_time = where.rpartition(".")[2] in ("CreatedAt", "LastUpdatedAt")
        precise = ("response.timestamps.order",) if is_time else ("response.echo.{}", "state.put-get.{}")
        yield Difference(
            VALUE, where or "body", _shown(one), _shown(other), place.clauses_of(where, *precise)
        )


def _without_envelope(members: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The members of an error without those of its envelope, but for a message that both sides have."""
    both = {"Message", "message"} & members.keys() & other.keys()
    return {name: value for name, value in members.items() if name not in _ENVELOPE_MEMBERS - both}


def _parts(
    names: dict[Any, str], one: dict[Any, Any], other: dict[Any, Any], place: _Place, *missing: str
) -> Iterator[Difference]:
    """Differences of members or items, by their keys and places; ``missing`` is the clause of one missing."""
    for key, name in names.items():
        where = _clip(name)
        if key not in other:
            yield Difference(MISSING, where, _typed(one[key]), "none", place.clauses_of(name, *missing))
        elif key not in one:
            yield Difference(EXTRA, where, "none", _typed(other[key]), place.clauses_of(name))
        else:
            yield from _values(where, one[key], other[key], place)


def _type(value: Any) -> str:
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "null" if value is None else "array"


def _typed(value: Any) -> str:
    """A value's type, and itself where it is the same thing every time."""
    return str(value).lower() if isinstance(value, bool) else _type(value)


def _shown(value: Any) -> str:
    return _clip(json.dumps(value, ensure_ascii=False, default=str).translate(_TOKENS))


def _clip(text: str) -> str:
    return shorten(text, _LONGEST)
