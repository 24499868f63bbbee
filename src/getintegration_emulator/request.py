"""One HTTP request as it was on the wire, and how its parts are read."""

import json
from typing import Any, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote_to_bytes

from .errors import serialization


class Request(NamedTuple):
    """A request, nothing in it decoded.

    ``path`` and ``query`` are the two halves of the request target; ``headers`` has lower-case
    names, and the values of a repeated header joined with a comma in the order of the wire.
    """

    method: str
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes


def path_segments(path: bytes) -> list[str]:
    """Split a raw path at its slashes, then percent-decode each segment.

    ``%2F`` stays inside its segment, and ``.``, ``..`` and empty segments stay as they are. Bytes
    that are not UTF-8 become U+FFFD. A path that does not begin with a slash has no segments.
    """
    first, *segments = path.split(b"/")
    if first:
        return []
    return [unquote_to_bytes(segment).decode("utf-8", "replace") for segment in segments]


def query_parameters(query: bytes) -> dict[str, str]:
    """Read a query string; of a repeated name the last value counts."""
    try:
        return dict(parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise serialization("The query string cannot be read.") from error


def _no_such_number(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is not JSON")


def _number(digits: str) -> float:
    """An integer, or a float where it has more digits than Python converts; JSON sets no limit."""
    return int(digits) if len(digits) < 1000 else float(digits)


_decode = json.JSONDecoder(parse_constant=_no_such_number, parse_int=_number).decode


def json_object(body: bytes) -> dict[str, Any]:
    """Read a body as a JSON object; an empty one means ``{}``.

    Raises :class:`ApiError` (400 SerializationException) for anything else: invalid UTF-8 or JSON,
    ``NaN`` or ``Infinity``, nesting too deep for the parser, another JSON type.
    """
    if not body:
        return {}
    try:
        value = _decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise serialization(f"The request body is not readable JSON: {error}.") from error
    if not isinstance(value, dict):
        raise serialization("The request body is not a JSON object.")
    return value
