"""Servers that are wrong below the level of JSON: framing, connections, encodings, methods, expectations."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from . import framing
from .fates import CRASH
from .framing import ANSWERS, head_and_body, sized
from .kit import Theme, When, always, answers, bind, chain, closing, on_answer, on_found
from .messages import Answer, Handler, Raw, Request, Response, error

THEME = Theme("transport")
HASTY = THEME.with_(**framing.HASTY.more)

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
        bind(status, lambda status, _, a: Raw(b"", "reset") if a.status == status else a)
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
    "gzip-claimed-if-accepted: A plain body claims to be gzip, if the client accepts gzip.": _coded(
        "gzip", bytes, _accepts_gzip
    ),
    "deflate-claimed: A plain body claims to be deflate.": _coded("deflate", bytes),
    "deflate-for-gzip: A deflated body claims to be gzip.": _coded("gzip", zlib.compress),
    "gzip-for-deflate: A gzipped body claims to be deflate.": _coded("deflate", gzip.compress),
    "gzip-cut: A gzipped body is cut.": _coded("gzip", _cut),
    "gzip-cut-if-accepted: A gzipped body is cut, if the client accepts gzip.": _coded(
        "gzip", _cut, _accepts_gzip
    ),
    "gzip-twice: A body is gzipped twice and claims it once.": _coded(
        "gzip", lambda body: gzip.compress(gzip.compress(body))
    ),
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


def _fated(when: When, fate: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda request, answer: fate(answer) if when(request) else answer)


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
    ("close", "Connection: close", "close", closing),
    ("large-headers", "Headers of kilobytes", "large-headers", lambda r: head_size(r) > 3000),
):
    for _kind, (_description, _fate) in _FATES.items():
        _clauses = f"transport.{_clause} {ANSWERS}" + (" response.body.json" if _kind == "empties" else "")
        HASTY[_clauses] = {f"{_name}-{_kind}: {_what} {_description}.": _fated(_when, _fate)}
HASTY.with_(continues=False)[f"transport.expect-continue {ANSWERS}"] = {
    "expect-waited-for:"
    " Expect: 100-continue is not understood: the body is waited for, without a word.": chain()
}
THEME["transport.chunked"] = {
    "chunked-misread:"
    " A chunked body is taken as it stands on the wire, and what was asked for is not found.": answers(
        lambda r: r.chunked, Response(204)
    )
}
