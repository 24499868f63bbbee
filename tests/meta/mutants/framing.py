"""Servers whose messages are framed wrongly, or have heads that HTTP does not allow."""

from __future__ import annotations

import gzip
from dataclasses import replace

from .kit import Theme, always, bind, closing, is_get, on_answer, on_found
from .messages import Handler, Raw, Request, Response
from .wire import serialise

THEME = Theme("transport")
#: Mutants that leave a client waiting are run with a short time limit, so that a run stays short.
HASTY = THEME.with_(settings={"request-timeout": 1.0})
_STRICT = THEME.with_(options=("--fail-on-should",))

ANSWERS, _FRAMING = "transport.answers", "transport.framing"
_LENGTH = f"{_FRAMING} {ANSWERS} response.body.json"


def sized(answer: Response) -> bytes:
    """The answer with a Content-Length."""
    return serialise(replace(answer, framing="length"))


def head_and_body(answer: Response) -> tuple[bytes, bytes]:
    """The same in two parts."""
    head, _, body = sized(answer).partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def _with_length(answer: Response, change: int) -> bytes:
    """The answer with a Content-Length that is off by some bytes."""
    length = len(answer.body)
    old, new = (b"Content-Length: %d\r\n" % length, b"Content-Length: %d\r\n" % (length + change))
    return sized(answer).replace(old, new)


# --- Framing ------------------------------------------------------------------------------------------------

HASTY[_LENGTH] = {
    f"content-length-{name}: Content-Length is off by {change}.": on_found(
        bind(change, lambda change, a: Raw(_with_length(a, change), "close"))
    )
    for name, change in (
        ("one-short", -1),
        ("twenty-short", -20),
        ("one-long", 1),
        ("five-hundred-long", 500),
    )
}
HASTY[f"{_LENGTH} transport.keep-alive"] = {
    "content-length-short-kept-alive: Content-Length is too small, and the connection is kept.": on_found(
        lambda a: Raw(_with_length(a, -5), "keep")
    )
}


@HASTY.mutant("content-length-of-characters", f"{_LENGTH} transport.keep-alive", on_found)
def _measured_in_characters(answer: Response) -> Raw:
    """Content-Length counts characters, not bytes."""
    whole = answer.with_document(answer.document)
    return Raw(_with_length(whole, len(whole.body.decode()) - len(whole.body)), "keep")


@HASTY.mutant("content-length-before-compression", f"{_LENGTH} transport.encoding", on_found)
def _compressed_with_old_length(answer: Response) -> Raw:
    """Content-Length is that of the body before it was compressed."""
    packed = answer.with_body(gzip.compress(answer.content)).with_header("Content-Encoding", "gzip")
    return Raw(_with_length(packed, len(answer.content) - len(packed.body)), "close")


_MORE = b"\r\n<!-- served in 3 ms -->"
HASTY[f"{_FRAMING} transport.keep-alive {ANSWERS}"] = {
    "body-followed-by-more: More bytes follow the body, and the connection is kept.": on_found(
        lambda a: Raw(sized(a) + _MORE, "keep")
    )
}
THEME[_FRAMING] = {
    "last-body-followed-by-more: More bytes follow the body of the last answer on a connection.": on_found(
        lambda a: Raw(sized(a) + _MORE, "close"), lambda r: is_get(r) and closing(r)
    )
}


def _chunked_head(answer: Response) -> bytes:
    head, _ = head_and_body(answer.with_body(b""))
    return head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


HASTY[_LENGTH] = {
    f"{name}: {description}.": on_found(
        bind(data, lambda data, a: Raw(_chunked_head(a) + data(a.body), "close"))
    )
    for name, description, data in (
        ("chunk-size-wrong", "A chunk is longer than its size says", lambda b: b"5\r\n%s\r\n0\r\n\r\n" % b),
        ("chunk-size-garbage", "The size of a chunk is no number", lambda b: b"zz\r\n%s\r\n0\r\n\r\n" % b),
        ("last-chunk-missing", "The last chunk is missing", lambda b: b"%x\r\n%s\r\n" % (len(b), b)),
    )
}

# --- Heads ------------------------------------------------------------------------------------------------

_CRLF = b"\r\n"
_SYNTAX, _SINGLE = "transport.syntax", "transport.singleton-fields"


def _headed(line: bytes) -> Handler:
    """An integration with a line of its own after the first one of its head."""

    def change(answer: Response) -> Raw:
        first, _, rest = sized(answer).partition(_CRLF)
        return Raw(first + _CRLF + line + rest, "keep")

    return on_found(change)


for _name, _description, _clause, _line in (
    ("line-of-lf", "One line of the head ends in LF alone", _SYNTAX, b"X-Note: 1\n"),
    ("folded-field", "A field goes on in the next line", _SYNTAX, b"X-Note: one,\r\n two\r\n"),
    ("folded-by-tab", "A field goes on after a tab", _SYNTAX, b"X-Note: one,\r\n\ttwo\r\n"),
    ("space-before-colon", "A space stands before a colon", _SYNTAX, b"X-Note : 1\r\n"),
    ("tab-before-colon", "A tab stands before a colon", _SYNTAX, b"X-Note\t: 1\r\n"),
    ("name-with-space", "The name of a field has a space", _SYNTAX, b"X Note: 1\r\n"),
    ("name-in-brackets", "The name of a field has brackets", _SYNTAX, b"X-Note(1): 1\r\n"),
    ("name-of-nothing", "A field has no name", _SYNTAX, b": 1\r\n"),
    ("line-without-colon", "A line of the head has no colon", _SYNTAX, b"X-Note\r\n"),
    ("nul-in-value", "A value holds NUL", _SYNTAX, b"X-Note: a\0b\r\n"),
    ("cr-in-value", "A value holds a CR", _SYNTAX, b"X-Note: a\rb\r\n"),
    ("coding-beside-length", "A coding, and Content-Length", _FRAMING, b"Transfer-Encoding: gzip\r\n"),
    ("chunked-beside-length", "Chunked, and Content-Length", _FRAMING, b"Transfer-Encoding: chunked\r\n"),
    ("length-that-differs", "Content-Length stands there twice", _FRAMING, b"Content-Length: 1\r\n"),
    ("type-on-two-lines", "Content-Type stands on two lines", _SINGLE, b"Content-Type: application/json\r\n"),
    ("dates-on-two-lines", "Date stands on two lines", _SINGLE, b"Date: a\r\nDate: b\r\n"),
):  # fmt: skip
    HASTY[_clause] = {f"{_name}: {_description}.": _headed(_line)}


@HASTY.mutant("lines-of-lf", _SYNTAX, on_answer)
def _of_lf(_: Request, answer: Response) -> Raw:
    """All lines of the head end in LF alone."""
    head, body = head_and_body(answer)
    return Raw(head.replace(_CRLF, b"\n") + body, "keep")


def _lengthened(new: bytes) -> Handler:
    def change(answer: Response) -> Raw:
        size = len(answer.body)
        return Raw(sized(answer).replace(b"Content-Length: %d" % size, new % (size, size), 1), "keep")

    return on_found(change)


HASTY[_FRAMING] = {
    "length-twice: Content-Length stands there twice, alike.": _lengthened(
        b"Content-Length: %d\r\nContent-Length: %d"
    ),
    "length-listed: Content-Length is a list of itself.": _lengthened(b"Content-Length: %d, %d"),
}
HASTY["transport.close-announced"] = {
    f"{name}-and-kept: {description}.": on_answer(
        lambda _, a: Raw(sized(a.with_header("Connection", "close")), "keep"), when
    )
    for name, description, when in (
        ("close-announced", "Every answer says Connection: close, and no connection is closed", always),
        (
            "close-unasked",
            "Answers say Connection: close where nobody asked for it, and the connection is kept",
            lambda r: not closing(r),
        ),
        (
            "close-agreed",
            "What asks for Connection: close is answered so, and the connection is kept",
            closing,
        ),
    )
}
_DATES = {
    "asctime": "Sun Nov  6 08:49:37 1994",
    "rfc-850": "Sunday, 06-Nov-94 08:49:37 GMT",
    "iso": "1994-11-06T08:49:37Z",
    "offset": "Sun, 06 Nov 1994 08:49:37 +0000",
    "wrong-weekday": "Mon, 06 Nov 1994 08:49:37 GMT",
    "one-digit": "Sun, 6 Nov 1994 08:49:37 GMT",
}
_DELAYS = {"soon": "soon", "fraction": "1.5", "unit": "120 s", "negative": "-1"}
for _field, _clause, _values in (("Date", "date-form", _DATES), ("Retry-After", "retry-after", _DELAYS)):
    THEME[f"transport.{_clause}"] = {
        f"{_field.lower()}-{name}: {_field} is {value!r}.": on_answer(
            bind((_field, value), lambda field, _, a: a.with_header(*field))
        )
        for name, value in _values.items()
    }
_STRICT["transport.date"] = {
    "date-absent: No answer has a Date.": on_answer(lambda _, a: a.with_header("Date", None), always),
    "date-absent-from-errors: No error has a Date.": on_answer(
        lambda _, a: a.with_header("Date", None) if a.status > 200 else a
    ),
}
_STRICT["transport.allow"] = {
    "allow-absent: A 405 does not say which methods there are.": on_answer(
        lambda _, a: a.with_status(405).with_header("Allow", None), lambda r: r.operation is None
    )
}
