"""Servers that check the Uri of a request wrongly."""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from .fates import NOT_FOUND
from .kit import Theme, accepts, answers, crashes, of_type, of_uri, rejects
from .messages import MISSING, Request, ok

THEME = Theme("uri")

_NOWHERE = "contract-mutant:nowhere"


def _is_long(request: Request, most: float = float("inf")) -> bool:
    return 255 < len(request.text) <= most


def _cut(request: Request) -> Request:
    return request.with_uri(request.text[:255])


def _to_nowhere(request: Request) -> Request:
    return request.with_uri(_NOWHERE)


# --- The length of a Uri ------------------------------------------------------------------------------------

THEME["request.Uri.maxLength request.valid"] = {
    f"over-{limit}-rejected: A Uri of more than {limit} code points is rejected.": rejects(
        of_uri(lambda text, limit=limit: len(text) > limit)
    )
    for limit in (64, 128, 253, 254)
}
THEME["request.Uri.maxLength request.large-body"] = {
    f"{name}-accepted: A Uri of 256 to {limit} code points is taken for its first 255.": accepts(
        lambda r, limit=limit: _is_long(r, limit), _cut
    )
    for name, limit in (("up-to-256", 256), ("up-to-1000", 1000), ("of-any-length", 10**9))
}
THEME["request.Uri.maxLength"] = {
    "length-in-one-byte: Its length is kept in one byte.": accepts(
        lambda r: _is_long(r) and len(r.text) % 256 > 0, _cut
    ),
    "of-257-accepted: 257 code points are taken, 256 are not.": accepts(lambda r: len(r.text) == 257, _cut),
}
THEME["request.valid"] = {
    "of-white-space-rejected: White space alone is rejected.": rejects(of_uri(lambda text: not text.strip()))
}
_MEASURES: dict[str, Callable[[str], int]] = {
    "utf-8-bytes": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16-units": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
    "nfd": lambda text: len(unicodedata.normalize("NFD", text)),
    "percent-encoded": lambda text: sum(1 if chr(byte).isalnum() else 3 for byte in text.encode()),
}
THEME["request.Uri.maxLength request.valid"] = {
    f"measured-in-{name}: The limit of the Uri counts {name}, which are more than its code points.": rejects(
        of_uri(lambda text, measure=measure: measure(text) > 255)
    )
    for name, measure in _MEASURES.items()
}
THEME["request.Uri.maxLength"] = {
    "measured-without-white-space: The limit of the Uri does not count the white space around it.": accepts(
        lambda r: _is_long(r) and len(r.text.strip()) <= 255, lambda r: r.with_uri(r.text.strip() or "u")
    ),
    "limit-only-for-ascii: The limit of the Uri holds for ASCII only.": accepts(
        lambda r: _is_long(r) and not r.text.isascii(), _cut
    ),
    "256-truncated-not-found: The look-up is first.": answers(lambda r: len(r.text) == 256, NOT_FOUND),
}

# --- The Uri's other constraints ----------------------------------------------------------------------------


def _lacks_uri(request: Request) -> bool:
    return isinstance(request.document, dict) and request.uri is MISSING


THEME["request.Uri.minLength"] = {
    "empty-accepted: An empty Uri is one that does not exist.": accepts(lambda r: r.uri == "", _to_nowhere),
    "empty-is-any: An empty Uri is answered with an integration.": answers(
        lambda r: r.uri == "", lambda r: ok({"DomainName": r.domain, "Uri": ""})
    ),
}
THEME["request.Uri.minLength request.valid"] = {
    "of-one-character-rejected: One code point is rejected.": rejects(of_uri(lambda text: len(text) == 1))
}
THEME["request.Uri.required request.Uri.type"] = {
    "null-accepted: null is taken for a Uri.": accepts(lambda r: r.uri is None, lambda r: r.with_uri("null"))
}
THEME["request.Uri.required request.uri-in-body"] = {
    "missing-accepted: A body without Uri is answered 404.": accepts(_lacks_uri, _to_nowhere),
    "missing-crashes: A body without Uri is answered 500: a KeyError.": crashes(_lacks_uri),
}
THEME["request.Uri.required"] = {
    "missing-lists-all: It gets 200 and a list.": answers(lambda r: r.document == {}, ok({"Items": []}))
}
THEME["request.Uri.required request.json"] = {
    "no-body-accepted: A request without a body is answered 404.": accepts(lambda r: not r.body, _to_nowhere),
    "no-body-crashes: A request without a body is answered 500.": crashes(lambda r: not r.body),
}

_COERCIONS: tuple[tuple[str, tuple[type, ...], Callable[[Any], str]], ...] = (
    ("number", (int, float), lambda value: str(value)),
    ("boolean", (bool,), lambda value: str(value).lower()),
    ("array", (list,), lambda value: str(value[0]) if value and value[0] else "[]"),
    ("object", (dict,), lambda value: json.dumps(value)[:255]),
)
for _name, _types, _shown in _COERCIONS:
    THEME["request.Uri.type"] = {
        f"{_name}-coerced: A Uri that is a JSON {_name} is made a string.": accepts(
            of_type("uri", *_types), lambda r, shown=_shown: r.with_uri(shown(r.uri))
        ),
        f"{_name}-crashes: A Uri that is a JSON {_name} is answered 500.": crashes(of_type("uri", *_types)),
    }
THEME["request.Uri.type"] = {
    "falsy-is-missing-and-accepted: Falsy values skip the check of the type.": accepts(
        lambda r: not r.uri and r.uri not in ("", None), _to_nowhere
    )
}

# --- What a Uri may consist of ------------------------------------------------------------------------------

THEME["request.valid request.Uri.minLength request.Uri.maxLength response.status"] = {
    f"{name}-rejected: A Uri {description} is rejected.": rejects(of_uri(test))
    for name, description, test in (
        ("non-ascii", "with a character beyond ASCII", lambda text: not text.isascii()),
        ("astral", "with a character beyond the basic plane", lambda text: any(c > "\uffff" for c in text)),
        ("with-space", "with a space", lambda text: " " in text),
        ("with-percent", "with a percent sign", lambda text: "%" in text),
        ("without-scheme", "without a colon", lambda text: ":" not in text),
        ("not-arn-or-s3", "other than arn: and s3:", lambda text: not text.startswith(("arn:", "s3:"))),
        ("with-quote", "with a quote", lambda text: '"' in text or "'" in text),
        ("with-markup", "with an angle bracket", lambda text: "<" in text),
        ("with-dots", "with two dots", lambda text: ".." in text),
        ("with-control", "with a control character", lambda text: any(c < " " for c in text)),
        ("with-backslash", "with a backslash", lambda text: "\\" in text),
        ("with-query", "with a question mark", lambda text: "?" in text),
        ("with-double-slash-path", "beginning with a slash", lambda text: text.startswith("/")),
        ("spelling-null", "spelling null", lambda text: text == "null"),
        ("of-digits", "of digits only", str.isdigit),
    )
}
_LENGTHS = "request.Uri.minLength request.Uri.maxLength response.status"
for _name, _description, _clauses, _test in (
    ("non-ascii", "a character beyond ASCII", _LENGTHS, lambda text: not text.isascii()),
    ("with-sql", "a single quote", "", lambda text: "'" in text),  # it was put into a statement
    ("with-template", "a percent directive", "", re.compile("%[sdn]").search),  # it was used as a format
):
    THEME[f"request.valid {_clauses}"] = {
        f"{_name}-crashes: A Uri with {_description} is answered 500.": crashes(of_uri(_test))
    }
