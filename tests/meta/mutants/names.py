"""Servers that check the name of the domain wrongly, and servers that treat all bad input alike."""

import re
import string
from functools import partial
from urllib.parse import unquote

from .fates import CRASH, NOT_FOUND, page
from .kit import Theme, accepts, answers, asks, bad_input, bad_name, crashes, of_domain, rejects, valid_name
from .messages import Request, error, ok

THEME = Theme("name")

# --- The name of the domain ---------------------------------------------------------------------------------

_CHARACTERS = string.ascii_letters + string.digits + "_-"

THEME["request.DomainName.maxLength request.DomainName.pattern request.valid"] = {
    f"over-{limit}-rejected: A domain name of more than {limit} code points is rejected.": rejects(
        of_domain(lambda name, limit=limit: len(name) > limit)
    )
    for limit in (32, 62, 63)
}
THEME["request.DomainName.maxLength"] = {
    **{
        f"{name}-accepted: A domain name of 65 to {limit} code points is taken for its first 64.": accepts(
            lambda r, limit=limit: 64 < len(r.domain) <= limit, lambda r: r.with_domain(r.domain[:64])
        )
        for name, limit in (("up-to-65", 65), ("up-to-255", 255), ("of-any-length", 10**9))
    },
    "over-64-crashes: A longer one is answered 500.": crashes(lambda r: len(r.domain) > 64),
}
THEME["request.DomainName.minLength request.valid"] = {
    "of-one-character-rejected: A single code point is rejected.": rejects(of_domain(lambda n: len(n) == 1))
}
THEME["request.DomainName.minLength"] = {
    "empty-found: An empty domain name is answered 200.": answers(
        lambda r: not r.domain, lambda r: ok({"DomainName": "default", "Uri": r.text})
    ),
    "empty-crashes: An empty domain name is answered 500.": answers(lambda r: not r.domain, CRASH),
}
THEME["request.DomainName.pattern request.DomainName.minLength request.valid response.status"] = {
    f"{name}-rejected: A domain name {description} is rejected.": rejects(of_domain(test))
    for name, description, test in (
        ("with-underscore", "with an underscore", lambda name: "_" in name),
        ("with-hyphen", "with a hyphen", lambda name: "-" in name),
        ("starting-with-digit", "starting with a digit", lambda name: name[0] in string.digits),
        ("starting-with-hyphen", "starting with a hyphen", lambda name: name[0] == "-"),
        ("with-capital", "with a capital letter", lambda name: name != name.lower()),
        ("without-letter", "without a letter", lambda name: not re.search("[a-zA-Z]", name)),
    )
}


def _lenient(pattern: str, request: Request) -> bool:
    short = len(request.domain) <= 64
    return not valid_name(request) and short and re.fullmatch(pattern, request.domain) is not None


THEME["request.DomainName.pattern"] = {
    f"pattern-{name}: The pattern of domain names lets {description} pass.": accepts(
        partial(_lenient, pattern),
        lambda r: r.with_domain("".join(c for c in r.domain if c in _CHARACTERS) or "x"),
    )
    for name, description, pattern in (
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
    )
}
THEME["request.DomainName.pattern"] = {
    "stripped: White space around a domain name is removed before it is checked.": accepts(
        lambda r: r.domain != r.domain.strip(), lambda r: r.with_domain(r.domain.strip() or "x")
    ),
    "not-checked: An invalid one does not exist.": accepts(bad_name, lambda r: r.with_domain("x")),
    "decoded-twice: The path is percent-decoded twice.": asks(
        lambda r: r.with_domain(unquote(r.domain)) if "%" in r.domain else None
    ),
    "cut-at-nul: A domain name ends at NUL.": accepts(
        lambda r: "\0" in r.domain, lambda r: r.with_domain(r.domain.partition("\0")[0] or "x")
    ),
    # The dots are normalised by the path, after routing.
    "of-dots-normalised: A domain name of dots is answered 500.": crashes(lambda r: r.domain in (".", "..")),
    "with-slash-crashes: An encoded slash is answered 500.": crashes(lambda r: "/" in r.domain),
    "with-nul-crashes: NUL is answered 500.": crashes(lambda r: "\0" in r.domain),
    "not-utf-8-crashes: What is not UTF-8 is answered 500.": crashes(lambda r: "\ufffd" in r.domain),
}
THEME["request.DomainName.pattern request.DomainName.maxLength"] = {
    "invalid-not-found: It is checked after the look-up.": answers(bad_name, NOT_FOUND)
}
THEME["request.DomainName.pattern error.content-type error.body.json"] = {
    "invalid-page-of-framework: No route matches.": answers(lambda r: not valid_name(r), page(404))
}

# --- All bad input alike ------------------------------------------------------------------------------------

THEME["request.Uri.maxLength request.Uri.minLength request.DomainName.maxLength request.Uri.required"] = {
    f"invalid-answered-{status}: It is ValidationError.": answers(bad_input, error(status, "ValidationError"))
    for status in (200, 404, 409, 412, 422, 500, 501)
}
