"""Servers that break what other official material than the reference page says."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from getintegration_emulator.identities import Identity

from .excuses import excuses
from .fates import NOT_FOUND, WRONG_SIGNATURE
from .kit import SURROGATE, Theme, accepts, always, answers, is_get, on_answer, on_document, remembers
from .messages import PUT, Answer, Forward, Handler, Request, Response, error, ok
from .signing import CALLER, IDENTITIES, Claim, claim_of, fits, refused, resigned, signature
from .writes import Past, knows

THEME = Theme("official")

# --- Query authentication -----------------------------------------------------------------------------------


def _parameters(request: Request) -> dict[str, str]:
    return {name: unquote(value) for name, _, value in (p.partition("=") for p in request.query.split("&"))}


def _signer(request: Request) -> Identity | None:
    key = _parameters(request).get("X-Amz-Credential", "").partition("/")[0]
    return next((identity for identity in IDENTITIES.values() if identity.access_key == key), None)


def is_right(request: Request, digits: int = 64) -> bool:
    """Whether as many digits of the signature in the query are right."""
    given, identity = _parameters(request), _signer(request)
    scope = given.get("X-Amz-Credential", "").split("/")
    if identity is None or len(scope) != 5:
        return False
    query = "&".join(p for p in request.query.split("&") if not p.startswith("X-Amz-Signature="))
    plain = replace(request, target=f"{request.path}?{query}").with_header("X-Amz-Date", given["X-Amz-Date"])
    claim = Claim(*scope, ("host",), "")
    due = signature(plain, claim)
    return due[:digits] == given["X-Amz-Signature"][:digits]


def presigned(condition: Callable[[Request], bool]) -> Handler:
    """Serves requests with a signature in the query that fulfil a condition."""

    def excuse(request: Request) -> Identity | None:
        is_presigned = "X-Amz-Signature" in _parameters(request) and not request.header("authorization")
        return (_signer(request) or CALLER) if is_presigned and condition(request) else None

    return excuses(excuse)


def is_current(request: Request) -> bool:
    """Whether a presigned request has not expired."""
    given = _parameters(request)
    signed = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return datetime.now(UTC) <= signed + timedelta(seconds=int(given["X-Amz-Expires"]))


THEME["sigv4.query-authentication"] = {
    f"query-signature-{name}: A signature in the query is accepted {description}.": presigned(condition)
    for name, description, condition in (
        ("anything", "whatever it is", always),
        ("of-a-known-key", "if its key is known", lambda r: _signer(r) is not None and is_current(r)),
        ("of-an-unknown-key", "if its key is unknown", lambda r: _signer(r) is None),
        ("begun-right", "if it begins right", lambda r: is_right(r, 63) and is_current(r)),
        ("expired", "for ever, if it is right", is_right),
    )
}

# --- Signed headers that are sent twice ---------------------------------------------------------------------


def _repeated(request: Request) -> list[str]:
    claim, names = claim_of(request), [name.lower() for name, _ in request.headers]
    return [name for name in (claim.signed if claim else ()) if names.count(name) > 1]


def _lines(combine: Callable[[list[str]], list[str]]) -> Handler:
    """Verifies repeated headers as if they had other lines."""

    def handler(request: Request, forward: Forward) -> Answer:
        verified = request
        for name in _repeated(request):
            values = [value for key, value in request.headers if key.lower() == name]
            rest = tuple(header for header in verified.headers if header[0].lower() != name)
            verified = replace(verified, headers=(*rest, *((name, value) for value in combine(values))))
        if verified is request:
            return forward(request)
        return forward(resigned(request)) if fits(verified) else WRONG_SIGNATURE

    return handler


THEME["sigv4.canonical-headers sigv4.tampered-header"] = {
    f"header-lines-{name}: Of a signed header that is sent twice, {description} counts.": _lines(combine)
    for name, description, combine in (
        ("last", "only the last line", lambda values: values[-1:]),
        ("first", "only the first line", lambda values: values[:1]),
        ("reversed", "the lines in the opposite order", lambda values: values[::-1]),
        ("sorted", "the lines in alphabetical order", sorted),
        ("spaced", "the lines with a space between", lambda values: [", ".join(values)]),
        ("run-together", "the lines without a comma", lambda values: ["".join(values)]),
        ("different", "no line that is as one before it", lambda values: list(dict.fromkeys(values))),
    )
}


def _named(*names: str) -> Callable[[Request], bool]:
    """Whether headers are there under one of these names, in just this case."""
    return lambda request: any(name in names for name, _ in request.headers)


THEME["sigv4.canonical-headers"] = {
    f"header-name-{name}: {description} is not understood.": answers(_named(*names), WRONG_SIGNATURE)
    for name, description, names in (
        ("in-small-letters", "authorization", ("authorization",)),
        ("in-capitals", "AUTHORIZATION", ("AUTHORIZATION",)),
        ("in-turkish", "A signed name with a capital I", ("X-Amz-ID",)),
    )
}

# --- Headers that only a GET heeds --------------------------------------------------------------------------

THEME["request.valid"] = {
    "date-of-modification-heeded: If-Modified-Since is answered 304.": answers(
        lambda r: r.header("if-modified-since") is not None, Response(304)
    ),
    "range-heeded: Range is answered with ten bytes.": on_answer(
        lambda r, a: replace(a, status=206).with_body(a.content[:10]) if r.header("range") else a
    ),
}

# --- Accept -------------------------------------------------------------------------------------------------

for _name, _value, _status, _clause in (
    ("json-crashes", "application/json", 500, ""),
    ("json-rejected", "application/json", 400, ""),
    ("application-crashes", "application/*", 500, ""),
    ("application-unacceptable", "application/*", 406, ""),
    ("anything-unacceptable", "*/*", 406, ""),
    ("anything-empty", "*/*", 204, ""),
    ("list-unacceptable", "text/html, */*", 406, ""),
    ("hal-crashes", "application/hal+json", 500, ".other"),
    ("hal-rejected", "application/hal+json", 400, ".other"),
    ("images-not-found", "image/*", 404, ".other"),
    ("pages-redirected", "text/html", 302, ".other"),
):
    THEME[f"request.accept{_clause}"] = {
        f"accept-{_name}: Accept: {_value} is answered {_status}.": answers(
            lambda r, value=_value: r.header("accept") == value,
            error(_status, "NotAcceptableException"),
        )
    }

# --- Readings of a body that nobody can mean ----------------------------------------------------------------


def _served_first(when: Callable[[Request], bool]) -> Handler:
    """Answers some bodies with the first integration that it holds."""

    def change(past: Past, request: Request, answer: Response, forward: Forward) -> Answer:
        mine = [uri for domain, uri in past.alive if domain == request.domain]
        if not (is_get(request) and when(request) and mine) or refused(answer):
            return answer
        return forward(resigned(request.with_document({"Uri": mine[0]})))

    return knows(change)


THEME["request.body.type"] = {
    "null-is-the-first-integration: null finds the first one.": _served_first(lambda r: r.document is None),
    "null-is-no-integration: null is answered 404.": answers(lambda r: r.document is None, NOT_FOUND),
    "null-is-empty: null is answered 200, empty.": answers(lambda r: r.document is None, ok({})),
}
THEME["request.json.robust"] = {
    "white-space-is-the-first-integration: So does a space.": _served_first(lambda r: r.body == b" "),
    "uri-cut-at-nul: A Uri ends at its first NUL.": accepts(
        lambda r: "\0" in r.text, lambda r: r.with_uri(r.text.partition("\0")[0])
    ),
    "surrogates-left-out: Lone surrogates in a Uri are left out.": accepts(
        lambda r: bool(SURROGATE.search(r.text)), lambda r: r.with_uri(SURROGATE.sub("", r.text))
    ),
}


@THEME.mutant("duplicate-names-joined", "request.json.robust")
def _joined(request: Request, forward: Forward) -> Answer:
    """Of a name that stands twice both values count."""
    values = re.findall(rb'"Uri": "([^"]*)"', request.body)
    answer = forward(request)
    if not is_get(request) or len(values) < 2 or refused(answer):
        return answer
    found = forward(resigned(request.with_document({"Uri": values[0].decode()})))
    return found.edited(Uri=b",".join(values).decode()) if found.status == 200 else found


# --- Scope --------------------------------------------------------------------------------------------------

THEME["state.put-get.Scope"] = {
    "scope-default-is-DOMAIN: Put without Scope, DOMAIN is read.": on_document(
        lambda d: {**d, "Scope": d.get("Scope") or "DOMAIN"}
    )
}


@THEME.mutant("scope-default-is-the-last", "state.put-get.Scope", remembers(list))
def _scope_of_the_last(last: list[Any], request: Request, forward: Forward) -> Answer:
    """Put without Scope, that of the last put is read."""
    if request.operation == PUT and request.members.get("Scope"):
        last.append(request.members["Scope"])
    elif request.operation == PUT and request.members and last:
        request = resigned(request.edited(Scope=last[-1]))
    return forward(request)
