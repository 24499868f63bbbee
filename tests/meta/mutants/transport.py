"""Servers that are wrong below the level of JSON: framing, connections, encodings, methods, expectations."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from .kit import Theme, When, always, answers, bind, closing, is_get, on_answer, on_found, stateless
from .messages import Answer, Handler, Raw, Request, Response, error
from .wire import serialise

THEME = Theme("transport")
_add = THEME.add

#: Mutants that leave a client waiting are run with a short time limit, so that a run stays short.
_HASTE = {"settings": {"request-timeout": 1.0}}

_ANSWERS, _FRAMING = "transport.answers", "transport.framing"


def _bytes(answer: Response) -> bytes:
    return serialise(replace(answer, framing="length"))


def _head_and_body(answer: Response) -> tuple[bytes, bytes]:
    head, _, body = _bytes(answer).partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def _with_length(answer: Response, change: int) -> bytes:
    """The answer with a Content-Length that is off by some bytes."""
    length = len(answer.body)
    old, new = (b"Content-Length: %d\r\n" % length, b"Content-Length: %d\r\n" % (length + change))
    return _bytes(answer).replace(old, new)


# --- Framing ------------------------------------------------------------------------------------------------

for _change, _name in ((-1, "one-short"), (-20, "twenty-short"), (1, "one-long"), (500, "five-hundred-long")):
    _add(
        f"content-length-{_name}",
        f"Content-Length is off by {_change}.",
        f"{_FRAMING} {_ANSWERS} response.body.json",
        on_found(bind(_change, lambda change, answer: Raw(_with_length(answer, change), "close"))),
        **_HASTE,
    )
_add(
    "content-length-short-kept-alive",
    "Content-Length is too small, and the connection is kept.",
    f"{_FRAMING} {_ANSWERS} response.body.json transport.keep-alive",
    on_found(lambda answer: Raw(_with_length(answer, -5), "keep")),
    **_HASTE,
)


_LENGTH = f"{_FRAMING} {_ANSWERS} response.body.json"
_finding = stateless(on_found)


@THEME.mutant("content-length-of-characters", f"{_LENGTH} transport.keep-alive", _finding, **_HASTE)
def _measured_in_characters(answer: Response) -> Raw:
    """Content-Length counts characters, not bytes."""
    whole = answer.with_document(answer.document)
    return Raw(_with_length(whole, len(whole.body.decode()) - len(whole.body)), "keep")


@THEME.mutant("content-length-before-compression", f"{_LENGTH} transport.encoding", _finding, **_HASTE)
def _compressed_with_old_length(answer: Response) -> Raw:
    """Content-Length is that of the body before it was compressed."""
    packed = answer.with_body(gzip.compress(answer.content)).with_header("Content-Encoding", "gzip")
    return Raw(_with_length(packed, len(answer.content) - len(packed.body)), "close")


_add(
    "body-followed-by-more",
    "More bytes follow the body, and the connection is kept.",
    f"{_FRAMING} transport.keep-alive {_ANSWERS}",
    on_found(lambda answer: Raw(_bytes(answer) + b"\r\n<!-- served in 3 ms -->", "keep")),
    **_HASTE,
)
_add(
    "last-body-followed-by-more",
    "More bytes follow the body of the last answer on a connection.",
    _FRAMING,
    on_found(
        lambda answer: Raw(_bytes(answer) + b"\r\n<!-- served in 3 ms -->", "close"),
        lambda request: is_get(request) and closing(request),
    ),
)
_CHUNKS: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
    ("chunk-size-wrong", "A chunk is longer than its size says", lambda body: b"5\r\n%s\r\n0\r\n\r\n" % body),
    ("chunk-size-garbage", "The size of a chunk is no number", lambda body: b"zz\r\n%s\r\n0\r\n\r\n" % body),
    ("last-chunk-missing", "The last chunk is missing", lambda body: b"%x\r\n%s\r\n" % (len(body), body)),
)
for _name, _description, _data in _CHUNKS:
    _add(
        _name,
        f"{_description}.",
        f"{_ANSWERS} {_FRAMING} response.body.json",
        on_found(bind(_data, lambda data, answer: Raw(_chunked_head(answer) + data(answer.body), "close"))),
        **_HASTE,
    )


def _chunked_head(answer: Response) -> bytes:
    head, _ = _head_and_body(answer.with_body(b""))
    return head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


# --- Heads ------------------------------------------------------------------------------------------------

_SYNTAX, _SINGLE = "transport.syntax", "transport.singleton-fields"


def _headed(line: bytes, answer: Response) -> Raw:
    """The answer with a line of its own after the first one of its head."""
    first, _, rest = _bytes(answer).partition(_CRLF)
    return Raw(first + _CRLF + line + rest, "keep")


_CRLF = b"\r\n"
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
    _add(_name, f"{_description}.", _clause, on_found(bind(_line, _headed)), **_HASTE)


@THEME.mutant("lines-of-lf", _SYNTAX, stateless(on_answer), **_HASTE)
def _of_lf(_: Request, answer: Response) -> Raw:
    """All lines of the head end in LF alone."""
    head, body = _head_and_body(answer)
    return Raw(head.replace(_CRLF, b"\n") + body, "keep")


def _lengthened(new: bytes, answer: Response) -> Raw:
    size = len(answer.body)
    return Raw(_bytes(answer).replace(b"Content-Length: %d" % size, new % (size, size), 1), "keep")


for _name, _description, _new in (
    ("length-twice", "Content-Length stands there twice, alike", b"Content-Length: %d\r\nContent-Length: %d"),
    ("length-listed", "Content-Length is a list of itself", b"Content-Length: %d, %d"),
):
    _add(_name, f"{_description}.", _FRAMING, on_found(bind(_new, _lengthened)), **_HASTE)
_CLOSES = "transport.close-announced"
for _name, _description, _when in (
    ("close-announced", "Every answer says Connection: close, and no connection is closed", always),
    ("close-agreed", "What asks for Connection: close is answered so, and the connection is kept", closing),
):
    _add(
        f"{_name}-and-kept",
        f"{_description}.",
        _CLOSES,
        on_answer(lambda _, answer: Raw(_bytes(answer.with_header("Connection", "close")), "keep"), _when),
        **_HASTE,
    )
for _field, _clause, _values in (
    (
        "Date",
        "transport.date-form",
        {
            "asctime": "Sun Nov  6 08:49:37 1994",
            "rfc-850": "Sunday, 06-Nov-94 08:49:37 GMT",
            "iso": "1994-11-06T08:49:37Z",
            "offset": "Sun, 06 Nov 1994 08:49:37 +0000",
            "wrong-weekday": "Mon, 06 Nov 1994 08:49:37 GMT",
            "one-digit": "Sun, 6 Nov 1994 08:49:37 GMT",
        },
    ),
    (
        "Retry-After",
        "transport.retry-after",
        {"soon": "soon", "fraction": "1.5", "unit": "120 s", "negative": "-1"},
    ),
):
    for _name, _value in _values.items():
        _add(
            f"{_field.lower()}-{_name}",
            f"{_field} is {_value!r}.",
            _clause,
            on_answer(bind((_field, _value), lambda field, _, answer: answer.with_header(*field))),
        )
_SHOULD = {"options": ("--fail-on-should",)}
_add(
    "date-absent",
    "No answer has a Date.",
    "transport.date",
    on_answer(lambda _, answer: answer.with_header("Date", None), always),
    **_SHOULD,
)
_add(
    "date-absent-from-errors",
    "No error has a Date.",
    "transport.date",
    on_answer(lambda _, answer: answer.with_header("Date", None) if answer.status > 200 else answer),
    **_SHOULD,
)
_add(
    "allow-absent",
    "A 405 does not say which methods there are.",
    "transport.allow",
    on_answer(
        lambda _, answer: answer.with_status(405).with_header("Allow", None),
        lambda request: request.operation is None,
    ),
    **_SHOULD,
)

# --- No answer, or half of one ------------------------------------------------------------------------------

for _name, _description, _answer in (
    ("closed-without-answer", "The connection is closed without an answer", lambda answer: Raw(b"", "close")),
    ("reset-without-answer", "The connection is reset without an answer", lambda answer: Raw(b"", "reset")),
    ("head-only", "Only the head arrives", lambda answer: Raw(_head_and_body(answer)[0], "close")),
    ("half-a-head", "Half of the head arrives", lambda answer: Raw(_bytes(answer)[:60], "close")),
    (
        "half-a-body",
        "Half of the body arrives",
        lambda answer: Raw(_bytes(answer)[: -len(answer.body) // 2], "close"),
    ),
    ("garbage", "The status line is garbage", lambda answer: Raw(b"garbage\r\n\r\n" + answer.body, "close")),
    (
        "status-not-a-number",
        "The status is no number",
        lambda answer: Raw(_bytes(answer).replace(b" 200 ", b" OK ", 1), "close"),
    ),
):
    _add(
        _name,
        f"{_description}, where an integration exists.",
        f"{_ANSWERS} response.status",
        on_found(_answer),
        **_HASTE,
    )
for _status in (400, 404):
    _add(
        f"reset-in-place-of-{_status}",
        f"The connection is reset where {_status} is due.",
        f"{_ANSWERS} request.Uri.maxLength missing.integration missing.domain",
        on_answer(
            bind(_status, lambda status, _, answer: Raw(b"", "reset") if answer.status == status else answer)
        ),
        **_HASTE,
    )
_add(
    "stalls-for-long-uris",
    "A request with a Uri of 254 code points is never answered.",
    f"{_ANSWERS} request.Uri.maxLength",
    on_answer(lambda request, answer: Raw(b"", "stall") if len(request.text) == 254 else answer),
    **_HASTE,
)
_add(
    "stalls-half-way-for-short-uris",
    "The answer to a Uri of one code point stops half way.",
    f"{_ANSWERS} request.Uri.minLength",
    on_answer(lambda request, answer: Raw(_bytes(answer)[:-5], "stall") if request.text == "u" else answer),
    **_HASTE,
)


# --- Content codings ----------------------------------------------------------------------------------------


def _coded(coding: str | None, pack: Callable[[bytes], bytes], when: When = always) -> Handler:
    """Packs the body of an integration, and claims a coding."""

    def change(request: Request, answer: Response) -> Response:
        if answer.status != 200 or not when(request):
            return answer
        return answer.with_body(pack(answer.content)).with_header("Content-Encoding", coding)

    return on_answer(change)


_ENCODING = f"transport.encoding {_ANSWERS}"
for _name, _description, _coding, _pack in (
    ("gzip-claimed", "A plain body claims to be gzip", "gzip", lambda body: body),
    ("deflate-claimed", "A plain body claims to be deflate", "deflate", lambda body: body),
    ("deflate-for-gzip", "A deflated body claims to be gzip", "gzip", zlib.compress),
    ("gzip-for-deflate", "A gzipped body claims to be deflate", "deflate", gzip.compress),
    ("gzip-cut", "A gzipped body is cut", "gzip", lambda body: gzip.compress(body)[:-12]),
    (
        "gzip-twice",
        "A body is gzipped twice and claims it once",
        "gzip",
        lambda b: gzip.compress(gzip.compress(b)),
    ),
    ("gzip-unclaimed", "A gzipped body does not say so", None, gzip.compress),
):
    _add(_name, f"{_description}.", f"{_ENCODING} response.body.json", _coded(_coding, _pack), **_HASTE)
    if _name not in ("gzip-claimed", "gzip-cut"):
        continue
    _add(
        f"{_name}-if-accepted",
        f"{_description}, if the client accepts gzip.",
        f"{_ENCODING} response.body.json",
        _coded(_coding, _pack, lambda request: "gzip" in (request.header("accept-encoding") or "")),
        **_HASTE,
    )

# --- Methods, headers and bodies of other kinds -------------------------------------------------------------

_FAILED = error(500, "InternalServerException")


def _method(name: str, fate: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda _, answer: fate(answer), lambda request: request.method == name)


_FATES: tuple[tuple[str, str, Callable[[Response], Answer]], ...] = (
    ("crashes", "is answered 500", lambda answer: _FAILED),
    ("unimplemented", "is answered 501", lambda answer: error(501, "NotImplementedException")),
    ("resets", "resets the connection", lambda answer: Raw(b"", "reset")),
    ("cut", "gets half an answer", lambda answer: Raw(_bytes(answer)[: -len(answer.body) // 2 - 1], "close")),
    ("stalls", "is never answered", lambda answer: Raw(b"", "stall")),
    ("empties", "is answered 200 without a body", lambda answer: answer.with_status(200).with_body(b"")),
)
for _name in ("HEAD", "OPTIONS"):
    for _fate_name, _description, _fate in (*_FATES[:3], _FATES[4]):
        _add(
            f"{_name}-{_fate_name}",
            f"{_name} {_description}.",
            f"transport.{_name.lower()}" + (f" {_ANSWERS}" if _fate_name in ("resets", "stalls") else ""),
            _method(_name, _fate),
            **(_HASTE if _fate_name in ("resets", "stalls") else {}),
        )
_add(
    "HEAD-with-body",
    "HEAD is answered with a body.",
    "transport.head",
    _method("HEAD", lambda answer: Raw(_bytes(answer.with_body(b'{"Message": "no"}')), "keep")),
    **_HASTE,
)


def _head_size(request: Request) -> int:
    return sum(len(name) + len(value) for name, value in request.headers)


_KINDS: tuple[tuple[str, str, str, Callable[[Request], bool]], ...] = (
    ("chunked", "A chunked body", "transport.chunked", lambda request: request.chunked),
    (
        "expect",
        "Expect: 100-continue",
        "transport.expect-continue",
        lambda request: request.header("expect") is not None,
    ),
    ("close", "Connection: close", "transport.close", closing),
    ("large-headers", "Headers of kilobytes", "transport.large-headers", lambda r: _head_size(r) > 3000),
)


def _fated(when: When, fate: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: fate(answer) if when(request) else answer)


for _name, _description, _clause, _when in _KINDS:
    for _fate_name, _fate_description, _fate in _FATES:
        _add(
            f"{_name}-{_fate_name}",
            f"{_description} {_fate_description}.",
            f"{_clause} {_ANSWERS}" + (" response.body.json" if _fate_name == "empties" else ""),
            _fated(_when, _fate),
            **_HASTE,
        )
_add(
    "expect-waited-for",
    "Expect: 100-continue is not understood: the body is waited for, without a word.",
    f"transport.expect-continue {_ANSWERS}",
    lambda request, forward: forward(request),
    continues=False,
    **_HASTE,
)
_add(
    "chunked-misread",
    "A chunked body is taken as it stands on the wire, and what was asked for is not found.",
    "transport.chunked",
    answers(lambda request: request.chunked, lambda _: Response(204)),
)
