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
_ENVELOPE = frozenset({"__type", "code", "Message", "message"})
#: Compared as the type of an error, its place as the envelope.
_TYPE_HEADER = "x-amzn-errortype"
_TYPES = {bool: "boolean", str: "string", dict: "object", list: "array", type(None): "null"}
#: Clauses about parts of the envelope, and about headers.
_OF_PARTS = {
    "place of the type": "error.type",
    "name of the message": "error.Message.type",
    "content-type": "{}.content-type",
    "x-amzn-requestid": "response.request-id",
}
#: By kind, the clauses that a member of a 200 may have, the most precise first; any kind has the last two.
_OF_MEMBERS = {MISSING: ("response.{}.required",), VALUE: ("response.echo.{}", "state.put-get.{}")}
_OF_ALL_MEMBERS = ("response.{}.type", "response.unknown-members")
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
    clauses: tuple[str, ...] = ()

    @property
    def pattern(self) -> str:
        """The ``difference`` of a waiver of just this one."""
        return f"{self.kind}:{self.where or f'{self.reference} -> {self.candidate}'}"


def differences(
    reference: Answer, candidate: Answer, clauses: tuple[str, ...], contract: Contract | None
) -> Iterator[Difference]:
    """All differences between two answers to one request.

    Args:
        clauses: What the request was sent for; used where nothing is more precise.
        contract: Knows the clauses of members; None for the answers of another operation.
    """
    for found in _of_whole(reference, candidate):
        own = found.clauses if contract else ()
        yield found._replace(clauses=own or clauses)
    if reference.status != candidate.status or reference.is_json != candidate.is_json:
        return
    one, other = reference.document, candidate.document
    if reference.status >= 400 and isinstance(one, dict) and isinstance(other, dict):
        # The envelope has been compared, but not a message that both sides have.
        left_out = _ENVELOPE - ({"Message", "message"} & one.keys() & other.keys())
        one, other = ({name: side[name] for name in side if name not in left_out} for side in (one, other))
    for found in _values("", one, other):
        own = _of_member(found, contract) if contract and reference.status == 200 else ()
        yield found._replace(where=found.where or "body", clauses=own or clauses)


def _of_whole(reference: Answer, candidate: Answer) -> Iterator[Difference]:
    """Differences of the answers but for their documents, with the clauses that their place alone gives."""
    sides, statuses = (reference, candidate), (reference.status, candidate.status)
    if statuses[0] != statuses[1]:
        yield Difference(STATUS, "", str(statuses[0] or "no answer"), str(statuses[1] or "no answer"))
    if reference.error_type != candidate.error_type and min(statuses) >= 400:
        yield Difference(ERROR_TYPE, "", reference.error_type or "none", candidate.error_type or "none")
    short, long = sorted((reference.seconds, candidate.seconds))
    one, other = (next(name for bound, name in TIMING_CLASSES if side.seconds < bound) for side in sides)
    if one != other and long >= _TIMING_RATIO * short:
        yield Difference(TIMING, "", one, other)
    if statuses[0] != statuses[1]:
        return  # what else differs follows from that
    about = "error" if reference.status >= 400 else "response"
    for kind, ones, others, joint in (
        (ENVELOPE, reference.envelope, candidate.envelope, " and "),
        (HEADER, reference.headers, candidate.headers, ", "),
    ):
        for name in dict.fromkeys((*ones, *others)):
            if ones.get(name) != others.get(name) and name.lower() != _TYPE_HEADER:
                one, other = (_clip(joint.join(side.get(name) or ["none"])) for side in (ones, others))
                clause = _OF_PARTS.get(name.lower())
                yield Difference(kind, name, one, other, (clause.format(about),) if clause else ())
    shared = [name for name in reference.headers if name in candidate.headers]
    order = [name for name in candidate.headers if name in reference.headers]
    if shared != order:
        yield Difference(HEADER, "order", _shown(shared), _shown(order))
    clauses = (f"{about}.body.json",)
    if reference.is_json != candidate.is_json:
        yield Difference(TYPE, "body", _body_kind(reference), _body_kind(candidate), clauses)
    elif reference.text != candidate.text:  # both are None where the layout is of no interest
        where = "layout of the body" if reference.is_json else "body"
        yield Difference(VALUE, where, _clip(reference.text or ""), _clip(candidate.text or ""), clauses)


def _body_kind(answer: Answer) -> str:
    return "JSON" if answer.is_json else "no JSON" if answer.text else "empty"


def _values(where: str, one: Any, other: Any) -> Iterator[Difference]:
    """Differences of two values, and of their members or items."""
    kind = _type(one)
    if kind != _type(other):
        yield Difference(TYPE, where, _typed(one), _typed(other))
    elif kind not in ("object", "array"):
        if one != other:
            yield Difference(VALUE, where, _shown(one), _shown(other))
    else:
        ones, others = (dict(enumerate(side)) if kind == "array" else side for side in (one, other))
        for key in dict.fromkeys((*ones, *others)):
            place = f"{where}[{key}]" if kind == "array" else f"{where}.{key}" if where else key
            place = _clip(place)
            if key not in others:
                yield Difference(MISSING, place, _typed(ones[key]), "none")
            elif key not in ones:
                yield Difference(EXTRA, place, "none", _typed(others[key]))
            else:
                yield from _values(place, ones[key], others[key])


def _of_member(found: Difference, contract: Contract) -> tuple[str, ...]:
    """The most precise clause that there is of a member; none of what is no member."""
    if not found.where:
        return ()
    member = re.split(r"[.\[]", found.where)[0]
    precise = _OF_MEMBERS.get(found.kind, ())
    if found.kind == VALUE and found.where.rpartition(".")[2] in ("CreatedAt", "LastUpdatedAt"):
        precise = ("response.timestamps.order",)
    names = (name.format(member) for name in (*precise, *_OF_ALL_MEMBERS))
    return tuple([name for name in names if name in contract.clauses][:1])


def _type(value: Any) -> str:
    return _TYPES.get(type(value), "number")


def _typed(value: Any) -> str:
    """A value's type, and itself where it is the same thing every time."""
    return str(value).lower() if isinstance(value, bool) else _type(value)


def _shown(value: Any) -> str:
    return _clip(json.dumps(value, ensure_ascii=False).translate(_TOKENS))


def _clip(text: str) -> str:
    return shorten(text, _LONGEST)
