"""Servers that are wrong below the level of JSON: framing, connections, encodings, methods, expectations."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

from .framing import ANSWERS, HASTE, head_and_body, sized
from .kit import Theme, When, always, answers, bind, closing, on_answer, on_found
from .messages import Answer, Handler, Raw, Request, Response, error

THEME = Theme("transport")
_add = THEME.add

# --- No answer, or half of one ------------------------------------------------------------------------------

for _name, _description, _answer in (
    ("closed-without-answer", "The connection is closed without an answer", lambda answer: Raw(b"", "close")),
    ("reset-without-answer", "The connection is reset without an answer", lambda answer: Raw(b"", "reset")),
    ("head-only", "Only the head arrives", lambda answer: Raw(head_and_body(answer)[0], "close")),
    ("half-a-head", "Half of the head arrives", lambda answer: Raw(sized(answer)[:60], "close")),
    (
        "half-a-body",
        "Half of the body arrives",
        lambda answer: Raw(sized(answer)[: -len(answer.body) // 2], "close"),
    ),
    ("garbage", "The status line is garbage", lambda answer: Raw(b"garbage\r\n\r\n" + answer.body, "close")),
    (
        "status-not-a-number",
        "The status is no number",
        lambda answer: Raw(sized(answer).replace(b" 200 ", b" OK ", 1), "close"),
    ),
):
    _add(
        _name,
        f"{_description}, where an integration exists.",
        f"{ANSWERS} response.status",
        on_found(_answer),
        **HASTE,
    )
for _status in (400, 404):
    _add(
        f"reset-in-place-of-{_status}",
        f"The connection is reset where {_status} is due.",
        f"{ANSWERS} request.Uri.maxLength missing.integration missing.domain",
        on_answer(
            bind(_status, lambda status, _, answer: Raw(b"", "reset") if answer.status == status else answer)
        ),
        **HASTE,
    )
_add(
    "stalls-for-long-uris",
    "A request with a Uri of 254 code points is never answered.",
    f"{ANSWERS} request.Uri.maxLength",
    on_answer(lambda request, answer: Raw(b"", "stall") if len(request.text) == 254 else answer),
    **HASTE,
)
_add(
    "stalls-half-way-for-short-uris",
    "The answer to a Uri of one code point stops half way.",
    f"{ANSWERS} request.Uri.minLength",
    on_answer(lambda request, answer: Raw(sized(answer)[:-5], "stall") if request.text == "u" else answer),
    **HASTE,
)


# --- Content codings ----------------------------------------------------------------------------------------


def _coded(coding: str | None, pack: Callable[[bytes], bytes], when: When = always) -> Handler:
    """Packs the body of an integration, and claims a coding."""

    def change(request: Request, answer: Response) -> Response:
        if answer.status != 200 or not when(request):
            return answer
        return answer.with_body(pack(answer.content)).with_header("Content-Encoding", coding)

    return on_answer(change)


_ENCODING = f"transport.encoding {ANSWERS}"
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
    _add(_name, f"{_description}.", f"{_ENCODING} response.body.json", _coded(_coding, _pack), **HASTE)
    if _name not in ("gzip-claimed", "gzip-cut"):
        continue
    _add(
        f"{_name}-if-accepted",
        f"{_description}, if the client accepts gzip.",
        f"{_ENCODING} response.body.json",
        _coded(_coding, _pack, lambda request: "gzip" in (request.header("accept-encoding") or "")),
        **HASTE,
    )

# --- Methods, headers and bodies of other kinds -------------------------------------------------------------

_FAILED = error(500, "InternalServerException")


def _method(name: str, fate: Callable[[Response], Answer]) -> Handler:
    return on_answer(lambda _, answer: fate(answer), lambda request: request.method == name)


_FATES: tuple[tuple[str, str, Callable[[Response], Answer]], ...] = (
    ("crashes", "is answered 500", lambda answer: _FAILED),
    ("unimplemented", "is answered 501", lambda answer: error(501, "NotImplementedException")),
    ("resets", "resets the connection", lambda answer: Raw(b"", "reset")),
    (
        "cut",
        "gets half an answer",
        lambda answer: Raw(sized(answer)[: -len(answer.body) // 2 - 1], "close"),
    ),
    ("stalls", "is never answered", lambda answer: Raw(b"", "stall")),
    ("empties", "is answered 200 without a body", lambda answer: answer.with_status(200).with_body(b"")),
)
for _name in ("HEAD", "OPTIONS"):
    for _fate_name, _description, _fate in (*_FATES[:3], _FATES[4]):
        _add(
            f"{_name}-{_fate_name}",
            f"{_name} {_description}.",
            f"transport.{_name.lower()}" + (f" {ANSWERS}" if _fate_name in ("resets", "stalls") else ""),
            _method(_name, _fate),
            **(HASTE if _fate_name in ("resets", "stalls") else {}),
        )
_add(
    "HEAD-with-body",
    "HEAD is answered with a body.",
    "transport.head",
    _method("HEAD", lambda answer: Raw(sized(answer.with_body(b'{"Message": "no"}')), "keep")),
    **HASTE,
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
            f"{_clause} {ANSWERS}" + (" response.body.json" if _fate_name == "empties" else ""),
            _fated(_when, _fate),
            **HASTE,
        )
_add(
    "expect-waited-for",
    "Expect: 100-continue is not understood: the body is waited for, without a word.",
    f"transport.expect-continue {ANSWERS}",
    lambda request, forward: forward(request),
    continues=False,
    **HASTE,
)
_add(
    "chunked-misread",
    "A chunked body is taken as it stands on the wire, and what was asked for is not found.",
    "transport.chunked",
    answers(lambda request: request.chunked, lambda _: Response(204)),
)
