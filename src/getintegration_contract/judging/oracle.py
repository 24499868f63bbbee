"""What is due for any request, from the description alone; generated cases are judged by it."""

import json
import math
import re
from urllib.parse import unquote_to_bytes

from getintegration_contract.contract import Contract, domain_segment
from getintegration_contract.exchange import Request, no_constant
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    INVALID,
    NOT_FOUND,
    OK,
    UNREADABLE,
    Expectation,
    answer,
)

_SEEN_BY_ROUTING = re.compile(r"[/\\\x00]")
_BROKEN_ENCODING = re.compile(r"%(?![0-9a-fA-F]{2})")
#: Type faults may be met by the deserializer before the operation sees them.
_DESERIALIZER = (".type", ".required")


def expectation(contract: Contract, request: Request, existing: tuple[str, str]) -> Expectation:
    """The expectation for a POST to the operation's path.

    Args:
        contract: The contract.
        request: As it goes over the wire.
        existing: Domain and Uri of an integration that exists.
    """
    segment = domain_segment(request.target)
    name = _routed(segment)
    if name is None:
        clause = "request.DomainName.minLength" if segment == "" else "request.DomainName.pattern"
        return Expectation(clause, (CLIENT_ERROR,), shape="none")
    # Nothing says whether the domain or the body is looked at first.
    first = () if name == existing[0] else (NOT_FOUND,)
    media_type = (request.header("content-type") or "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        lawful = (OK, NOT_FOUND, answer(400), answer(415))
        return Expectation("request.content-type", lawful, shape="none")
    try:
        body = _strict(request.body)
    except (_AmbiguousError, RecursionError, UnicodeEncodeError):
        return Expectation("request.json.robust", (OK, NOT_FOUND, CLIENT_ERROR))
    except ValueError:
        return Expectation("request.json", (UNREADABLE, *first))
    if broken := contract.violated_by(name, body):
        deserialized = any(clause.endswith(_DESERIALIZER) for clause in broken)
        due = UNREADABLE if deserialized else INVALID
        in_name = any(clause.startswith("request.DomainName.") for clause in broken)
        return Expectation(broken[0], (due,) if in_name else (due, *first))
    assert isinstance(body, dict)
    exists = (name, body["Uri"]) == existing
    answers = (OK,) if exists else (OK, NOT_FOUND)
    is_plain = body.keys() == {"Uri"}  # that unknown members are ignored is only observed
    clause = "response.status" if exists and is_plain else "request.valid"
    return Expectation(clause, answers if is_plain else (*answers, UNREADABLE), name, body["Uri"])


def _routed(segment: str | None) -> str | None:
    """The domain name in a segment; None if a router may reject the segment, in any form."""
    if segment is None or _BROKEN_ENCODING.search(segment):
        return None
    try:
        name = unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if name in ("", ".", "..") or _SEEN_BY_ROUTING.search(name) else name


#: Digits of a number that every parser can be asked to read.
_DIGITS = 300


class _AmbiguousError(Exception):
    """JSON that parsers read in different ways."""


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise _AmbiguousError
    return document


def _number(digits: str) -> float:
    value = float(digits)
    if len(digits) > _DIGITS or math.isinf(value):
        raise _AmbiguousError
    return value


def _strict(body: bytes) -> object:
    """The document of a body; no body at all counts as an empty object, as restJson1 reads it.

    Raises:
        ValueError: The body is not JSON in UTF-8.
        _AmbiguousError: It is, but parsers differ.
        UnicodeEncodeError: It has half a surrogate pair, of which parsers make different things.
    """
    if not body:
        return {}
    text = body.decode("utf-8")
    if text.startswith("\ufeff") or "\\u0000" in text:
        raise _AmbiguousError
    document: object = json.loads(
        text, object_pairs_hook=_pairs, parse_constant=no_constant, parse_int=_number, parse_float=_number
    )
    json.dumps(document, ensure_ascii=False).encode("utf-8")  # to see that it can be encoded
    return document
