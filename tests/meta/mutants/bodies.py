"""Servers that read the body of a request wrongly: its JSON, its type, its size, what stands in it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs

from .kit import Theme, accepts, answers, asks, bind, crashes, rejects, valid
from .messages import MISSING, Request, Response, error, load, ok

THEME = Theme("body")
_add = THEME.add

_NOWHERE = "contract-mutant:nowhere"

# --- JSON ---------------------------------------------------------------------------------------------------


def _lenient(text: str) -> str | None:
    """The Uri in a body that is nearly JSON."""
    found = re.search(r"""["']?Uri["']?\s*:\s*["']([^"']+)["']""", text)
    return found[1] if found else None


def _reads(pattern: str) -> Any:
    """Takes bodies that are not JSON but match a pattern for what their author meant."""
    rule = re.compile(pattern, re.DOTALL)

    def change(request: Request) -> Request | None:
        text = request.body.decode("utf-8", "replace")
        if load(request.body) is not MISSING or not rule.search(text):
            return None
        return request.with_document({"Uri": (_lenient(text) or _NOWHERE)[:255]})

    return asks(change)


for _name, _description, _pattern in (
    ("trailing-comma", "a trailing comma", r",\s*[}\]]"),
    ("comment", "comments", r"/\*|//\s"),
    ("single-quotes", "single quotes", r"'Uri'"),
    ("unquoted-key", "keys without quotes", r"\{\s*Uri\s*:"),
    ("nan", "NaN", r"NaN"),
    ("infinity", "Infinity", r"Infinity"),
    ("control-character", "line breaks in strings", r'"[^"]*\n[^"]*"'),
    ("trailing-garbage", "anything after the document", r"^\s*\{[^{}]*\}\s*\S"),
    ("garbage-before", "a word before the document", r"^\w+\{"),
    ("garbage-right-behind", "a word right behind the document", r"\}\w+$"),
    ("form-feed", "form feeds between tokens", r":\s*\f"),
    ("any-white-space", "white space of any kind between tokens", r":[\v\u00a0]"),
    ("truncated", "a missing bracket at the end", r'^\{[^}]*"$'),
    ("leading-zero", "a number with a leading zero", r":\s*0\d"),
    ("anything", "anything", r""),
):
    _add(
        f"json-{_name}-accepted",
        f"The parser of JSON allows {_description}.",
        "request.json",
        _reads(_pattern),
    )


def _decodes(encoding: str, errors: str = "strict") -> Any:
    def change(request: Request) -> Request | None:
        if load(request.body) is not MISSING:
            return None
        try:
            document = json.loads(request.body.decode(encoding, errors))
        except (ValueError, RecursionError):
            return None
        return request.with_document(document) if isinstance(document, dict) else None

    return asks(change)


_add("json-latin-1-accepted", "A body in Latin-1 is read.", "request.json", _decodes("latin-1"))
_add(
    "json-invalid-utf-8-replaced",
    "Bytes that are no UTF-8 are replaced, not rejected.",
    "request.json",
    _decodes("utf-8", "replace"),
)
_UNREADABLE = "request.body.type"
_PAGE = Response(400, (("Content-Type", "text/html"),), b"<h1>Bad Request</h1>")


def _unreadable(request: Request) -> bool:
    return bool(request.body) and request.document is MISSING


for _name, _description, _clauses, _answer in (
    ("crashes", "500", _UNREADABLE, error(500, "InternalServerException")),
    ("not-found", "404", _UNREADABLE, error(404, "ResourceNotFoundException")),
    ("ignored", "200, empty", _UNREADABLE, ok({})),
    ("422", "422, as frameworks do", _UNREADABLE, error(422, "SerializationException")),
    ("type", "400 JSONDecodeError", "error.BadRequestException.type", error(400, "JSONDecodeError")),
    ("page", "with a page of a framework", "error.type error.content-type error.body.json", _PAGE),
):
    _add(
        f"json-unreadable-{_name}",
        f"A body that is not JSON is answered {_description}.",
        f"request.json {_clauses}",
        answers(_unreadable, _answer),
    )
for _name, _types, _change in (
    ("array", (list,), lambda r: {"Uri": _NOWHERE}),
    ("string", (str,), lambda r: {"Uri": r.document[:255] or _NOWHERE}),
    ("scalar", (int, float, bool), lambda r: {"Uri": str(r.document)}),
    ("null", (type(None),), lambda r: {"Uri": "null"}),
):
    _add(
        f"json-{_name}-accepted",
        f"A body that is a JSON {_name} is taken for a Uri.",
        "request.body.type",
        accepts(
            bind(_types, lambda types, r: r.document is not MISSING and type(r.document) in types),
            bind(_change, lambda change, r: r.with_document(change(r))),
        ),
    )
    _add(
        f"json-{_name}-crashes",
        f"A body that is a JSON {_name} is answered 500.",
        "request.body.type",
        crashes(bind(_types, lambda types, r: r.document is not MISSING and type(r.document) in types)),
    )
_add(
    "json-array-of-one-unwrapped",
    "An array of one object is taken for that object.",
    "request.body.type",
    accepts(
        lambda r: isinstance(r.document, list) and len(r.document) == 1 and isinstance(r.document[0], dict),
        lambda r: r.with_document(r.document[0]),
    ),
)
for _name, _description, _when in (
    ("duplicate-keys", "with duplicate keys", lambda body: body.count(b'"Uri"') > 1),
    ("byte-order-mark", "with a byte order mark", lambda body: body.startswith(b"\xef\xbb\xbf")),
    ("utf-16", "in UTF-16", lambda body: body.startswith(b"\xff\xfe")),
    ("deep", "nested 10,000 deep", lambda body: body.count(b"[") > 10_000 or body.count(b"{") > 10_000),
    ("lone-surrogate", "with a lone surrogate", lambda body: b"\\ud800" in body),
    ("escaped-nul", "with an escaped NUL", lambda body: b"\\u0000" in body),
    ("huge-number", "with a number of thousands of digits", lambda body: b"9" * 4300 in body),
    ("huge-exponent", "with a number beyond any float", lambda body: b"e999" in body),
    ("white-space", "of white space", lambda body: bool(body) and not body.strip()),
):
    _add(
        f"json-{_name}-crashes",
        f"A body {_description} is answered 500.",
        "request.json.robust",
        crashes(bind(_when, lambda when, r: when(r.body))),
    )
for _name, _description, _when in (
    ("escapes", "with escaped characters", lambda body: b"\\u" in body),
    ("escaped-slashes", "with escaped slashes", lambda body: b"\\/" in body),
    ("indented", "with line breaks between its tokens", lambda body: b"{\n" in body),
    ("white-space-around", "with white space around it", lambda body: body[:1].isspace()),
    ("utf-8", "with bytes beyond ASCII", lambda body: not body.isascii()),
):
    _add(
        f"json-{_name}-rejected",
        f"Valid JSON {_description} is rejected.",
        "request.valid request.Uri.maxLength request.Uri.minLength response.status",
        rejects(bind(_when, lambda when, r: valid(r) and when(r.body))),
    )

# --- Where the Uri stands, how large and of what type a body is ---------------------------------------------


def _elsewhere(find: Any) -> Any:
    def change(request: Request) -> Request | None:
        if request.uri is not MISSING:
            return None
        found = find(request)
        return request.with_document({"Uri": found[:255]}) if found else None

    return asks(change)


def _in_body(*keys: str) -> Any:
    def find(request: Request) -> Any:
        document = request.document if isinstance(request.document, dict) else {}
        return next((document[key] for key in keys if isinstance(document.get(key), str)), None)

    return find


def _any_case(request: Request) -> Any:
    document = request.document if isinstance(request.document, dict) else {}
    return next((v for k, v in document.items() if k.lower() == "uri" and isinstance(v, str)), None)


for _name, _description, _find in (
    ("query", "in the query", lambda r: parse_qs(r.query).get("Uri", [None])[0]),
    ("header", "in a header", lambda r: r.header("uri")),
    ("form", "in a form", lambda r: parse_qs(r.body.decode("latin-1")).get("Uri", [None])[0]),
    ("lower-case-key", "under uri", _in_body("uri")),
    ("upper-case-key", "under URI", _in_body("URI")),
    ("any-case-key", "under its name in any case", _any_case),
    ("stripped-key", "under its name with white space around", _in_body(" Uri", "Uri ", "Uri\0")),
    ("other-name", "under IntegrationUri", _in_body("IntegrationUri")),
):
    _add(
        f"uri-from-{_name}",
        f"A Uri {_description} stands in for the member.",
        "request.uri-in-body",
        _elsewhere(_find),
    )


def _large(request: Request) -> bool:
    return len(request.body) > 1_000_000


for _name, _description, _answer in (
    ("crashes", "answered 500", lambda _: error(500, "InternalServerException")),
    ("found", "answered 200", lambda r: ok({"DomainName": r.domain, "Uri": r.text[:255]})),
    (
        "gateway-page",
        "answered 502",
        lambda _: Response(502, (("Content-Type", "text/html"),), b"<h1>502</h1>"),
    ),
):
    _add(
        f"large-body-{_name}",
        f"A body of megabytes is {_description}.",
        "request.large-body",
        answers(_large, _answer),
    )


for _name, _description, _when in (
    (
        "wrong",
        "A wrong Content-Type",
        lambda r: r.media_type != "application/json" and r.header("content-type"),
    ),
    ("missing", "A missing Content-Type", lambda r: r.header("content-type") is None),
):
    for _fate, _answer in (
        ("crashes", lambda _: error(500, "InternalServerException")),
        ("not-found", lambda _: error(404, "ResourceNotFoundException")),
        ("denied", lambda _: error(406, "NotAcceptableException")),
        ("empty", lambda _: Response(204)),
    ):
        _add(
            f"content-type-{_name}-{_fate}",
            f"{_description} is answered {_answer(None).status}.",
            "request.content-type",
            answers(bind(_when, lambda when, r: bool(when(r))), _answer),
        )
for _name, _when in (
    ("with-charset", lambda value: ";" in value),
    ("in-capitals", lambda value: value != value.lower()),
):
    _add(
        f"content-type-{_name}-rejected",
        f"A Content-Type {_name.replace('-', ' ')} is answered 415.",
        "request.valid",
        answers(
            bind(
                _when,
                lambda when, r: r.media_type == "application/json" and when(r.header("content-type") or ""),
            ),
            error(415, "UnsupportedMediaTypeException"),
        ),
    )
