"""Servers that are wrong below the level of JSON: framing, connections, encodings, methods, expectations."""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import replace

from .fates import CRASH
from .kit import Theme, When, always, answers, chain, for_some, headed, is_get, on_answer, on_error, on_found
from .messages import Answer, Handler, Raw, Request, Response, error
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


def _relined(answer: Response, line: bytes) -> bytes:
    """The answer with another line in place of its Content-Length."""
    return sized(answer).replace(b"Content-Length: %d" % len(answer.body), line, 1)


def _with_length(answer: Response, change: int) -> bytes:
    """The answer with a Content-Length that is off by some bytes."""
    return _relined(answer, b"Content-Length: %d" % (len(answer.body) + change))


# --- Framing ------------------------------------------------------------------------------------------------

HASTY[_LENGTH] = {
    f"content-length-{name}: Content-Length is off by {change}.": on_found(
        lambda a, change=change: Raw(_with_length(a, change), "close")
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
    "body-followed-by-more: More bytes follow the body.": on_found(lambda a: Raw(sized(a) + _MORE, "keep"))
}
THEME[_FRAMING] = {
    "last-body-followed-by-more: More bytes follow the body of the last answer on a connection.": on_found(
        lambda a: Raw(sized(a) + _MORE, "close"), lambda r: is_get(r) and r.closes
    )
}


def _chunked_head(answer: Response) -> bytes:
    head, _ = head_and_body(answer.with_body(b""))
    return head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


HASTY[_LENGTH] = {
    f"{name}: {description}.": on_found(lambda a, data=data: Raw(_chunked_head(a) + data(a.body), "close"))
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


HASTY[_FRAMING] = {
    f"length-{name}.": on_found(
        lambda a, line=line: Raw(_relined(a, line % (len(a.body), len(a.body))), "keep")
    )
    for name, line in (
        ("twice: Content-Length stands there twice, alike", b"Content-Length: %d\r\nContent-Length: %d"),
        ("listed: Content-Length is a list of itself", b"Content-Length: %d, %d"),
    )
}
HASTY["transport.close-announced"] = {
    f"{name}-and-kept: {description}.": on_answer(
        lambda _, a: Raw(sized(a.with_header("Connection", "close")), "keep"), when
    )
    for name, description, when in (
        ("close-announced", "Every answer says Connection: close, and no connection is closed", always),
        ("close-unasked", "Answers say so unasked, and keep the connection", lambda r: not r.closes),
        ("close-agreed", "What asks for it gets it, and the connection is kept", lambda r: r.closes),
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
        f"{_field.lower()}-{name}: {_field} is {value!r}.": for_some(always, headed(_field, value))
        for name, value in _values.items()
    }
_STRICT["transport.date"] = {
    "date-absent: No answer has a Date.": on_answer(lambda _, a: a.with_header("Date", None), always),
    "date-absent-from-errors: No error has a Date.": on_error(headed("Date", None)),
}
_STRICT["transport.allow"] = {
    "allow-absent: A 405 does not say which methods there are.": on_answer(
        lambda _, a: a.with_status(405).with_header("Allow", None), lambda r: r.operation is None
    )
}

# --- No answer, or half of one ------------------------------------------------------------------------------

HASTY[f"{ANSWERS} response.status"] = {
    f"{name}: {description}, where an integration exists.": on_found(answer)
    for name, description, answer in (
        ("closed-without-answer", "The connection is closed without an answer", lambda _: Raw(b"", "close")),
        ("reset-without-answer", "The connection is reset without an answer", lambda _: Raw(b"", "reset")),
        ("head-only", "Only the head arrives", lambda a: Raw(head_and_body(a)[0], "close")),
        ("half-a-head", "Half of the head arrives", lambda a: Raw(sized(a)[:60], "close")),
        ("half-a-body", "Half of the body arrives", lambda a: Raw(sized(a)[: -len(a.body) // 2], "close")),
        ("garbage", "The status line is garbage", lambda a: Raw(b"garbage\r\n\r\n" + a.body, "close")),
        (
            "status-not-a-number",
            "The status is no number",
            lambda a: Raw(sized(a).replace(b" 200 ", b" OK ", 1), "close"),
        ),
    )
}
HASTY[f"{ANSWERS} request.Uri.maxLength missing.integration missing.domain"] = {
    f"reset-in-place-of-{status}: The connection is reset where {status} is due.": on_answer(
        lambda _, a, status=status: Raw(b"", "reset") if a.status == status else a
    )
    for status in (400, 404)
}
HASTY[f"{ANSWERS} request.Uri.maxLength"] = {
    "stalls-for-long-uris: A request with a Uri of 254 code points is never answered.": on_answer(
        lambda r, a: Raw(b"", "stall") if len(r.text) == 254 else a
    )
}
HASTY[f"{ANSWERS} request.Uri.minLength"] = {
    "stalls-half-way-for-short-uris: The answer to a Uri of one code point stops half way.": on_answer(
        lambda r, a: Raw(sized(a)[:-5], "stall") if r.text == "u" else a
    )
}

# --- Content codings ----------------------------------------------------------------------------------------


def _coded(coding: str | None, pack: Callable[[bytes], bytes], when: When = always) -> Handler:
    """Packs the body of an integration, and claims a coding."""

    def change(request: Request, answer: Response) -> Response:
        if answer.status != 200 or not when(request):
            return answer
        return answer.with_body(pack(answer.content)).with_header("Content-Encoding", coding)

    return on_answer(change)


def _accepts_gzip(request: Request) -> bool:
    return "gzip" in (request.header("accept-encoding") or "")


def _cut(body: bytes) -> bytes:
    return gzip.compress(body)[:-12]


HASTY[f"transport.encoding {ANSWERS} response.body.json"] = {
    "gzip-claimed: A plain body claims to be gzip.": _coded("gzip", bytes),
    "gzip-claimed-if-accepted: The same, if the client accepts gzip.": _coded("gzip", bytes, _accepts_gzip),
    "deflate-claimed: A plain body claims to be deflate.": _coded("deflate", bytes),
    "deflate-for-gzip: A deflated body claims to be gzip.": _coded("gzip", zlib.compress),
    "gzip-for-deflate: A gzipped body claims to be deflate.": _coded("deflate", gzip.compress),
    "gzip-cut: A gzipped body is cut.": _coded("gzip", _cut),
    "gzip-cut-if-accepted: The same, if the client accepts gzip.": _coded("gzip", _cut, _accepts_gzip),
    "gzip-twice: It claims that once.": _coded("gzip", lambda body: gzip.compress(gzip.compress(body))),
    "gzip-unclaimed: A gzipped body does not say so.": _coded(None, gzip.compress),
}

# --- Methods, headers and bodies of other kinds -------------------------------------------------------------

_FATES: dict[str, tuple[str, Callable[[Response], Answer]]] = {
    "crashes": ("is answered 500", lambda a: CRASH),
    "unimplemented": ("is answered 501", lambda a: error(501, "NotImplementedException")),
    "resets": ("resets the connection", lambda a: Raw(b"", "reset")),
    "cut": ("gets half an answer", lambda a: Raw(sized(a)[: -len(a.body) // 2 - 1], "close")),
    "stalls": ("is never answered", lambda a: Raw(b"", "stall")),
    "empties": ("is answered 200 without a body", lambda a: a.with_status(200).with_body(b"")),
}


def _method(name: str, fate: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda _, answer: fate(answer), lambda request: request.method == name)


for _name in ("HEAD", "OPTIONS"):
    for _kind, _theme, _clauses in (
        ("crashes", THEME, ""),
        ("unimplemented", THEME, ""),
        ("resets", HASTY, ANSWERS),
        ("stalls", HASTY, ANSWERS),
    ):
        _description, _fate = _FATES[_kind]
        _theme[f"transport.{_name.lower()} {_clauses}"] = {
            f"{_name}-{_kind}: {_name} {_description}.": _method(_name, _fate)
        }
HASTY["transport.head"] = {
    "HEAD-with-body: HEAD is answered with a body.": _method(
        "HEAD", lambda a: Raw(sized(a.with_body(b'{"Message": "no"}')), "keep")
    )
}


def head_size(request: Request) -> int:
    """The bytes of a request's headers."""
    return sum(len(name) + len(value) for name, value in request.headers)


for _name, _what, _clause, _when in (
    ("chunked", "A chunked body", "chunked", lambda r: r.chunked),
    ("expect", "Expect: 100-continue", "expect-continue", lambda r: r.header("expect") is not None),
    ("close", "Connection: close", "close", lambda r: r.closes),
    ("large-headers", "Headers of kilobytes", "large-headers", lambda r: head_size(r) > 3000),
):
    for _kind, (_description, _fate) in _FATES.items():
        _clauses = f"transport.{_clause} {ANSWERS}" + (" response.body.json" if _kind == "empties" else "")
        HASTY[_clauses] = {f"{_name}-{_kind}: {_what} {_description}.": for_some(_when, _fate)}
HASTY.with_(continues=False)[f"transport.expect-continue {ANSWERS}"] = {
    "expect-waited-for: The body is waited for, without a word.": chain()
}
THEME["transport.chunked"] = {
    "chunked-misread: Chunks are not read, and so nothing is found.": answers(
        lambda r: r.chunked, Response(204)
    )
}
