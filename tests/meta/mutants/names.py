"""Servers that check the name of the domain wrongly, and servers that treat all bad input alike."""

from __future__ import annotations

import re
import string
from urllib.parse import unquote

from .kit import Theme, accepts, answers, asks, bind, crashes, is_get, rejects, valid, valid_name, valid_uri
from .messages import Request, Response, error, ok

THEME = Theme("name")
_add = THEME.add

_NAME = "request.DomainName.maxLength request.DomainName.pattern request.valid"

# --- The name of the domain ---------------------------------------------------------------------------------

_CHARACTERS = string.ascii_letters + string.digits + "_-"

for _limit in (32, 62, 63):
    _add(
        f"over-{_limit}-rejected",
        f"A domain name of more than {_limit} code points is rejected.",
        _NAME,
        rejects(bind(_limit, lambda limit, r: valid(r) and len(r.domain) > limit)),
    )
for _limit in (65, 255, 10**9):
    _add(
        f"up-to-{_limit}-accepted" if _limit < 10**9 else "of-any-length-accepted",
        f"A domain name of 65 to {_limit} code points is taken for its first 64.",
        "request.DomainName.maxLength",
        accepts(
            bind(_limit, lambda limit, r: 64 < len(r.domain) <= limit), lambda r: r.with_domain(r.domain[:64])
        ),
    )
_add(
    "over-64-crashes",
    "A domain name of more than 64 code points is answered 500.",
    "request.DomainName.maxLength",
    crashes(lambda r: len(r.domain) > 64),
)
_add(
    "of-one-character-rejected",
    "A domain name of one code point is rejected.",
    "request.DomainName.minLength request.valid",
    rejects(lambda r: valid(r) and len(r.domain) == 1),
)
for _name, _status, _answer in (
    ("found", 200, lambda r: ok({"DomainName": "default", "Uri": r.text})),
    ("crashes", 500, lambda r: error(500, "InternalServerException")),
):
    _add(
        f"empty-{_name}",
        f"An empty domain name is answered {_status}.",
        "request.DomainName.minLength",
        answers(lambda r: not r.domain, _answer),
    )
for _name, _description, _when in (
    ("with-underscore", "with an underscore", lambda name: "_" in name),
    ("with-hyphen", "with a hyphen", lambda name: "-" in name),
    ("starting-with-digit", "starting with a digit", lambda name: name[0] in string.digits),
    ("starting-with-hyphen", "starting with a hyphen", lambda name: name[0] == "-"),
    ("with-capital", "with a capital letter", lambda name: name != name.lower()),
    ("without-letter", "without a letter", lambda name: not any(c in string.ascii_letters for c in name)),
):
    _add(
        f"{_name}-rejected",
        f"A domain name {_description} is rejected.",
        "request.DomainName.pattern request.DomainName.minLength request.valid response.status",
        rejects(bind(_when, lambda when, r: valid(r) and when(r.domain))),
    )
for _name, _description, _pattern in (
    ("match-without-end", "a valid beginning", r"[a-zA-Z0-9_-]+(?s:.*)"),
    ("match-with-dollar", "a newline at the end", r"[a-zA-Z0-9_-]+\n?"),
    ("search", "one valid character anywhere", r"(?s:.*)[a-zA-Z0-9_-](?s:.*)"),
    ("unicode-word", "letters and digits of any script", r"[\w-]+"),
    ("with-dot", "dots", r"[a-zA-Z0-9_.-]+"),
    ("with-space", "spaces", r"[a-zA-Z0-9_ -]+"),
    ("with-colon", "colons", r"[a-zA-Z0-9_:-]+"),
    ("range-a-z-misspelt", "what lies between Z and a", r"[A-z0-9-]+"),
    ("with-plus", "plus signs", r"[a-zA-Z0-9_+-]+"),
    ("with-at", "at signs", r"[a-zA-Z0-9_@-]+"),
    ("with-percent", "percent signs", r"[a-zA-Z0-9_%-]+"),
):
    _add(
        f"pattern-{_name}",
        f"The pattern of domain names lets {_description} pass.",
        "request.DomainName.pattern",
        accepts(
            bind(
                re.compile(_pattern),
                lambda pattern, r: (
                    not valid_name(r) and len(r.domain) <= 64 and pattern.fullmatch(r.domain) is not None
                ),
            ),
            lambda r: r.with_domain("".join(c for c in r.domain if c in _CHARACTERS) or "x"),
        ),
    )
_add(
    "stripped",
    "White space around a domain name is removed before it is checked.",
    "request.DomainName.pattern",
    accepts(lambda r: r.domain != r.domain.strip(), lambda r: r.with_domain(r.domain.strip() or "x")),
)
_add(
    "not-checked",
    "A domain name is not checked at all: an invalid one does not exist.",
    "request.DomainName.pattern",
    accepts(lambda r: bool(r.domain) and not valid_name(r), lambda r: r.with_domain("x")),
)
_add(
    "decoded-twice",
    "The path is percent-decoded twice.",
    "request.DomainName.pattern",
    asks(lambda r: r.with_domain(unquote(r.domain)) if "%" in r.domain else None),
)
_add(
    "cut-at-nul",
    "A domain name ends at NUL.",
    "request.DomainName.pattern",
    accepts(lambda r: "\0" in r.domain, lambda r: r.with_domain(r.domain.partition("\0")[0] or "x")),
)
for _name, _description, _when in (
    ("of-dots-normalised", "of dots", lambda r: r.domain in (".", "..")),  # by the path, after routing
    ("with-slash-crashes", "with an encoded slash", lambda r: "/" in r.domain),
    ("with-nul-crashes", "with NUL", lambda r: "\0" in r.domain),
    ("not-utf-8-crashes", "that is not UTF-8", lambda r: "\ufffd" in r.domain),
):
    _add(
        _name, f"A domain name {_description} is answered 500.", "request.DomainName.pattern", crashes(_when)
    )
_add(
    "invalid-not-found",
    "An invalid domain name is answered 404: its constraint is checked after the look-up.",
    "request.DomainName.pattern request.DomainName.maxLength",
    answers(
        lambda r: bool(r.domain) and not valid_name(r), lambda _: error(404, "ResourceNotFoundException")
    ),
)
_add(
    "invalid-page-of-framework",
    "An invalid domain name is answered with a framework's 404 page in HTML: the route does not match.",
    "request.DomainName.pattern error.content-type error.body.json",
    answers(
        lambda r: not valid_name(r),
        lambda _: Response(404, (("Content-Type", "text/html"),), b"<p>Not Found"),
    ),
)

# --- All bad input alike ------------------------------------------------------------------------------------


def _invalid(request: Request) -> bool:
    return is_get(request) and bool(request.domain) and not (valid_name(request) and valid_uri(request))


_CONSTRAINTS = "request.Uri.maxLength request.Uri.minLength request.DomainName.maxLength request.Uri.required"
for _status in (200, 404, 409, 412, 422, 500, 501):
    _add(
        f"invalid-answered-{_status}",
        f"Invalid input is answered {_status} ValidationError.",
        _CONSTRAINTS,
        answers(_invalid, bind(_status, lambda status, _: error(status, "ValidationError"))),
    )
