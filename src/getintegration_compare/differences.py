"""Two normalised answers to the same request -> how they differ: by kind, by place, by clause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from getintegration_compare.names import CLOSE, OPEN
from getintegration_compare.normalise import Answer, Moment
from getintegration_contract.contract import Contract

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
_SHOWN = 160


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
        yield Difference(STATUS, "", _status(reference), _status(candidate), clauses)
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


def _status(answer: Answer) -> str:
    return str(answer.status) if answer.status else "no answer"


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
            values = _header_text(one.get(name)), _header_text(other.get(name))
            yield Difference(HEADER, name, *values, _header_clauses(name, reference.status, clauses))
    common = one.keys() & other.keys()
    orders = [[name for name in headers if name in common] for headers in (one, other)]
    if orders[0] != orders[1]:
        yield Difference(HEADER, "order", _shown(orders[0]), _shown(orders[1]), clauses)


def _by_name(answer: Answer) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name, []).append(value)
    return headers


def _header_text(values: list[str] | None) -> str:
    return "none" if values is None else _clip(", ".join(values))


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
        yield from _members(where, one, other, place)
    elif isinstance(one, list):
        for index in range(max(len(one), len(other))):
            item = f"{where}[{index}]"
            if index >= len(other):
                yield Difference(MISSING, item, _typed(one[index]), "none", place.clauses_of(where))
            elif index >= len(one):
                yield Difference(EXTRA, item, "none", _typed(other[index]), place.clauses_of(where))
            else:
                yield from _values(item, one[index], other[index], place)
    elif one != other:
        is_time = where.rpartition(".")[2] in ("CreatedAt", "LastUpdatedAt")
        precise = ("response.timestamps.order",) if is_time else ("response.echo.{}", "state.put-get.{}")
        yield Difference(
            VALUE, where or "body", _shown(one), _shown(other), place.clauses_of(where, *precise)
        )


def _members(where: str, one: dict[str, Any], other: dict[str, Any], place: _Place) -> Iterator[Difference]:
    for name in dict.fromkeys((*one, *other)):
        if place.status >= 400 and not where and name in _ENVELOPE_MEMBERS:
            if name in one and name in other and name in ("Message", "message"):
                yield from _values(name, one[name], other[name], place)
            continue
        member = f"{where}.{name}" if where else name
        if name not in other:
            clauses = place.clauses_of(member, "response.{}.required")
            yield Difference(MISSING, _clip(member), _typed(one[name]), "none", clauses)
        elif name not in one:
            yield Difference(EXTRA, _clip(member), "none", _typed(other[name]), place.clauses_of(member))
        else:
            yield from _values(_clip(member), one[name], other[name], place)


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
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
