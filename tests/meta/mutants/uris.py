"""Servers that check the Uri of a request wrongly."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from .kit import Theme, accepts, answers, bind, crashes, rejects, valid
from .messages import MISSING, error, ok

THEME = Theme("uri")
_add = THEME.add

_URI = "request.Uri.maxLength request.valid"
_NOWHERE = "contract-mutant:nowhere"


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


# --- The length of a Uri ------------------------------------------------------------------------------------

for _limit in (64, 128, 253, 254):
    _add(
        f"over-{_limit}-rejected",
        f"A Uri of more than {_limit} code points is rejected.",
        _URI,
        rejects(bind(_limit, lambda limit, r: valid(r) and len(r.text) > limit)),
    )
for _limit in (256, 1000, 10**9):
    _add(
        f"up-to-{_limit}-accepted" if _limit < 10**9 else "of-any-length-accepted",
        f"A Uri of 256 to {_limit} code points is taken for its first 255.",
        "request.Uri.maxLength request.large-body",
        accepts(
            bind(_limit, lambda limit, r: 255 < len(r.text) <= limit), lambda r: r.with_uri(r.text[:255])
        ),
    )
_add(
    "length-in-one-byte",
    "The length of the Uri is kept in one byte, so 257 code points count as one.",
    "request.Uri.maxLength",
    accepts(lambda r: len(r.text) > 255 and len(r.text) % 256 > 0, lambda r: r.with_uri(r.text[:255])),
)
_add(
    "of-257-accepted",
    "A Uri of 257 code points is taken, one of 256 is not.",
    "request.Uri.maxLength",
    accepts(lambda r: len(r.text) == 257, lambda r: r.with_uri(r.text[:255])),
)
_add(
    "of-white-space-rejected",
    "A Uri of white space alone is rejected.",
    "request.valid",
    rejects(lambda r: valid(r) and not r.text.strip()),
)
_MEASURES: dict[str, Callable[[str], int]] = {
    "utf-8-bytes": _utf8,
    "utf-16-units": _utf16,
    "nfd": lambda text: len(unicodedata.normalize("NFD", text)),
    "percent-encoded": lambda text: sum(1 if chr(byte).isalnum() else 3 for byte in text.encode()),
}
for _name, _measure in _MEASURES.items():
    _add(
        f"measured-in-{_name}",
        f"The limit of the Uri counts {_name}, which are more than its code points.",
        _URI,
        rejects(bind(_measure, lambda measure, r: valid(r) and measure(r.text) > 255)),
    )
_add(
    "measured-without-white-space",
    "The limit of the Uri does not count the white space around it.",
    "request.Uri.maxLength",
    accepts(
        lambda r: len(r.text) > 255 and len(r.text.strip()) <= 255,
        lambda r: r.with_uri(r.text.strip() or "u"),
    ),
)
_add(
    "limit-only-for-ascii",
    "The limit of the Uri holds for ASCII only.",
    "request.Uri.maxLength",
    accepts(lambda r: len(r.text) > 255 and not r.text.isascii(), lambda r: r.with_uri(r.text[:255])),
)
_add(
    "256-truncated-not-found",
    "A Uri of exactly 256 code points is answered 404: its constraint is checked after the look-up.",
    "request.Uri.maxLength",
    answers(lambda r: len(r.text) == 256, error(404, "ResourceNotFoundException")),
)

# --- The Uri's other constraints ----------------------------------------------------------------------------

_add(
    "empty-accepted",
    "An empty Uri is one that does not exist.",
    "request.Uri.minLength",
    accepts(lambda r: r.uri == "", lambda r: r.with_uri(_NOWHERE)),
)
_add(
    "empty-is-any",
    "An empty Uri is answered with an integration.",
    "request.Uri.minLength",
    answers(lambda r: r.uri == "", lambda r: ok({"DomainName": r.domain, "Uri": ""})),
)
_add(
    "of-one-character-rejected",
    "A Uri of one code point is rejected.",
    "request.Uri.minLength request.valid",
    rejects(lambda r: valid(r) and len(r.text) == 1),
)
_add(
    "null-accepted",
    "A null Uri is one that does not exist.",
    "request.Uri.required request.Uri.type",
    accepts(lambda r: r.uri is None, lambda r: r.with_uri("null")),
)
_add(
    "missing-accepted",
    "A body without Uri is answered 404.",
    "request.Uri.required request.uri-in-body",
    accepts(
        lambda r: isinstance(r.document, dict) and "Uri" not in r.document, lambda r: r.with_uri(_NOWHERE)
    ),
)
_add(
    "missing-crashes",
    "A body without Uri is answered 500: a KeyError.",
    "request.Uri.required request.uri-in-body",
    crashes(lambda r: isinstance(r.document, dict) and "Uri" not in r.document),
)
_add(
    "missing-lists-all",
    "A body without Uri is answered 200, with a list of integrations.",
    "request.Uri.required",
    answers(lambda r: r.document == {}, ok({"Items": []})),
)
_add(
    "no-body-accepted",
    "A request without a body is answered 404.",
    "request.Uri.required request.json",
    accepts(lambda r: not r.body, lambda r: r.with_document({"Uri": _NOWHERE})),
)
_add(
    "no-body-crashes",
    "A request without a body is answered 500.",
    "request.Uri.required request.json",
    crashes(lambda r: not r.body),
)


def _of_type(*types: type) -> Any:
    return lambda r: r.uri is not MISSING and type(r.uri) in types


_COERCIONS: tuple[tuple[str, tuple[type, ...], Callable[[Any], str]], ...] = (
    ("number", (int, float), lambda value: str(value)),
    ("boolean", (bool,), lambda value: str(value).lower()),
    ("array", (list,), lambda value: str(value[0]) if value and value[0] else "[]"),
    ("object", (dict,), lambda value: json.dumps(value)[:255]),
)
for _name, _types, _shown in _COERCIONS:
    _add(
        f"{_name}-coerced",
        f"A Uri that is a JSON {_name} is made a string.",
        "request.Uri.type",
        accepts(_of_type(*_types), bind(_shown, lambda shown, r: r.with_uri(shown(r.uri)))),
    )
    _add(
        f"{_name}-crashes",
        f"A Uri that is a JSON {_name} is answered 500.",
        "request.Uri.type",
        crashes(_of_type(*_types)),
    )
_add(
    "falsy-is-missing-and-accepted",
    "A Uri of 0, false, [] or {} is answered 404: falsy values skip the check of the type.",
    "request.Uri.type",
    accepts(lambda r: not r.uri and r.uri not in ("", None), lambda r: r.with_uri(_NOWHERE)),
)

# --- What a Uri may consist of ------------------------------------------------------------------------------

for _name, _description, _when in (
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
):
    _add(
        f"{_name}-rejected",
        f"A Uri {_description} is rejected.",
        "request.valid request.Uri.minLength request.Uri.maxLength response.status",
        rejects(bind(_when, lambda when, r: valid(r) and when(r.text))),
    )
_LENGTHS = "request.Uri.minLength request.Uri.maxLength response.status"
for _name, _description, _clauses, _when in (
    ("non-ascii", "a character beyond ASCII", _LENGTHS, lambda text: not text.isascii()),
    ("with-sql", "a single quote", "", lambda text: "'" in text),  # it was put into a statement
    ("with-template", "a percent directive", "", re.compile("%[sdn]").search),  # it was used as a format
):
    _add(
        f"{_name}-crashes",
        f"A Uri with {_description} is answered 500.",
        f"request.valid {_clauses}",
        crashes(bind(_when, lambda when, r: valid(r) and bool(when(r.text)))),
    )
