"""Servers that read the body of a request wrongly: its JSON, its type, its size, what stands in it."""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from .fates import CRASH, NOT_FOUND, page
from .kit import Theme, accepts, answers, asks, crashes, of_type, rejects, valid
from .messages import MISSING, Handler, Request, Response, error, load, ok

THEME = Theme("body")

_NOWHERE = "contract-mutant:nowhere"

# --- JSON ---------------------------------------------------------------------------------------------------


def _lenient(text: str) -> str | None:
    """The Uri in a body that is nearly JSON."""
    found = re.search(r"""["']?Uri["']?\s*:\s*["']([^"']+)["']""", text)
    return found[1] if found else None


def _reads(pattern: str) -> Handler:
    """Takes bodies that are not JSON but match a pattern for what their author meant."""

    def change(request: Request) -> Request | None:
        text = request.body.decode("utf-8", "replace")
        if load(request.body) is not MISSING or not re.search(pattern, text, re.DOTALL):
            return None
        return request.with_document({"Uri": (_lenient(text) or _NOWHERE)[:255]})

    return asks(change)


def _decodes(encoding: str, errors: str = "strict") -> Handler:
    def change(request: Request) -> Request | None:
        if load(request.body) is not MISSING:
            return None
        try:
            document = json.loads(request.body.decode(encoding, errors))
        except (ValueError, RecursionError):
            return None
        return request.with_document(document) if isinstance(document, dict) else None

    return asks(change)


THEME["request.json"] = {
    **{
        f"json-{name}-accepted: The parser of JSON allows {description}.": _reads(pattern)
        for name, description, pattern in (
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
        )
    },
    "json-latin-1-accepted: A body in Latin-1 is read.": _decodes("latin-1"),
    "json-invalid-utf-8-replaced: Bytes that are no UTF-8 are replaced.": _decodes("utf-8", "replace"),
}
for _name, _description, _clauses, _answer in (
    ("crashes", "500", "request.body.type", CRASH),
    ("not-found", "404", "request.body.type", NOT_FOUND),
    ("ignored", "200, empty", "request.body.type", ok({})),
    ("422", "422, as frameworks do", "request.body.type", error(422, "SerializationException")),
    ("type", "400 JSONDecodeError", "error.BadRequestException.type", error(400, "JSONDecodeError")),
    ("page", "with a page of a framework", "error.type error.content-type error.body.json", page(400)),
):
    THEME[f"request.json {_clauses}"] = {
        f"json-unreadable-{_name}: A body that is not JSON is answered {_description}.": answers(
            lambda r: bool(r.body) and r.document is MISSING, _answer
        )
    }

for _name, _types, _document in (
    ("array", (list,), lambda d: {"Uri": _NOWHERE}),
    ("string", (str,), lambda d: {"Uri": d[:255] or _NOWHERE}),
    ("scalar", (int, float, bool), lambda d: {"Uri": str(d)}),
    ("null", (type(None),), lambda d: {"Uri": "null"}),
):
    THEME["request.body.type"] = {
        f"json-{_name}-accepted: A body that is a JSON {_name} is taken for a Uri.": accepts(
            of_type("document", *_types), lambda r, make=_document: r.with_document(make(r.document))
        ),
        f"json-{_name}-crashes: A JSON {_name} is answered 500.": crashes(of_type("document", *_types)),
    }
THEME["request.body.type"] = {
    "json-array-of-one-unwrapped: An array of one object is taken for that object.": accepts(
        lambda r: isinstance(r.document, list) and len(r.document) == 1 and isinstance(r.document[0], dict),
        lambda r: r.with_document(r.document[0]),
    )
}
THEME["request.json.robust"] = {
    f"json-{name}-crashes: A body {description} is answered 500.": crashes(lambda r, test=test: test(r.body))
    for name, description, test in (
        ("duplicate-keys", "with duplicate keys", lambda body: body.count(b'"Uri"') > 1),
        ("byte-order-mark", "with a byte order mark", lambda body: body.startswith(b"\xef\xbb\xbf")),
        ("utf-16", "in UTF-16", lambda body: body.startswith(b"\xff\xfe")),
        ("deep", "nested 10,000 deep", lambda body: max(body.count(b"["), body.count(b"{")) > 10_000),
        ("lone-surrogate", "with a lone surrogate", lambda body: b"\\ud800" in body),
        ("escaped-nul", "with an escaped NUL", lambda body: b"\\u0000" in body),
        ("huge-number", "with a number of thousands of digits", lambda body: b"9" * 4300 in body),
        ("huge-exponent", "with a number beyond any float", lambda body: b"e999" in body),
        ("huger-exponent", "with an exponent of 64 bits", lambda body: b"e99999" in body),
        ("white-space", "of white space", lambda body: bool(body) and not body.strip()),
    )
}
THEME["request.valid request.Uri.maxLength request.Uri.minLength response.status"] = {
    f"json-{name}-rejected: Valid JSON {description} is rejected.": rejects(
        lambda r, test=test: valid(r) and test(r.body)
    )
    for name, description, test in (
        ("escapes", "with escaped characters", lambda body: b"\\u" in body),
        ("escaped-slashes", "with escaped slashes", lambda body: b"\\/" in body),
        ("indented", "with line breaks between its tokens", lambda body: b"{\n" in body),
        ("white-space-around", "with white space around it", lambda body: body[:1].isspace()),
        ("utf-8", "with bytes beyond ASCII", lambda body: not body.isascii()),
    )
}

# --- Where the Uri stands, how large and of what type a body is ---------------------------------------------


def _elsewhere(find: Callable[[Request], str | None]) -> Handler:
    def change(request: Request) -> Request | None:
        found = find(request) if request.uri is MISSING else None
        return request.with_document({"Uri": found[:255]}) if found else None

    return asks(change)


def _member(named: Callable[[str], bool]) -> Callable[[Request], str | None]:
    return lambda r: next((v for name, v in r.members.items() if named(name) and isinstance(v, str)), None)


THEME["request.uri-in-body"] = {
    f"uri-from-{name}: A Uri {description} stands in for the member.": _elsewhere(find)
    for name, description, find in (
        ("query", "in the query", lambda r: parse_qs(r.query).get("Uri", [None])[0]),
        ("header", "in a header", lambda r: r.header("uri")),
        ("form", "in a form", lambda r: parse_qs(r.body.decode("latin-1")).get("Uri", [None])[0]),
        ("lower-case-key", "under uri", _member(lambda name: name == "uri")),
        ("upper-case-key", "under URI", _member(lambda name: name == "URI")),
        ("any-case-key", "under its name in any case", _member(lambda name: name.lower() == "uri")),
        ("stripped-key", "with space around its name", _member(lambda n: n in (" Uri", "Uri ", "Uri\0"))),
        ("other-name", "under IntegrationUri", _member(lambda name: name == "IntegrationUri")),
    )
}
THEME["request.large-body"] = {
    f"large-body-{name}: Megabytes are answered {status}.": answers(lambda r: len(r.body) > 1_000_000, answer)
    for name, status, answer in (
        ("crashes", 500, CRASH),
        ("found", 200, lambda r: ok({"DomainName": r.domain, "Uri": r.text[:255]})),
        ("gateway-page", 502, page(502)),
    )
}
for _name, _when in (
    ("wrong", lambda r: r.media_type != "application/json" and bool(r.header("content-type"))),
    ("missing", lambda r: r.header("content-type") is None),
):
    THEME["request.content-type"] = {
        f"content-type-{_name}-{fate}: A {_name} type is answered {answer.status}.": answers(_when, answer)
        for fate, answer in (
            ("crashes", CRASH),
            ("not-found", NOT_FOUND),
            ("denied", error(406, "NotAcceptableException")),
            ("empty", Response(204)),
        )
    }
THEME["request.valid"] = {
    f"content-type-{name}-rejected: A Content-Type {description} is answered 415.": answers(
        lambda r, test=test: r.media_type == "application/json" and test(r.header("content-type") or ""),
        error(415, "UnsupportedMediaTypeException"),
    )
    for name, description, test in (
        ("with-charset", "with charset", lambda value: ";" in value),
        ("with-quotes", "with a quoted charset", lambda value: '"' in value),
        ("in-capitals", "in capitals", lambda value: value != value.lower()),
    )
}
