"""Faults that independent servers once got past the suite with."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from .excuses import serves, serves_claims
from .fates import WRONG_SIGNATURE
from .kit import Theme, answers, asks, crashes, rejects, valid
from .lookup import Key, equal, near, same
from .messages import Handler, Request, error, load, ok
from .signatures import dated_now, fits_any
from .signing import ALGORITHM, fits
from .writes import Document, History, edits, key, revives

THEME = Theme("escaped")

# --- Names that every object of some languages has ----------------------------------------------------------

_INHERITED = {"constructor", "toString", "__proto__", "__class__"}

THEME["missing.integration"] = {
    "inherited-uri-crashes: A Uri that every object has crashes it.": crashes(lambda r: r.text in _INHERITED),
    "inherited-uri-found: Such a Uri is found, and empty.": answers(lambda r: r.text in _INHERITED, ok({})),
}
THEME["missing.domain"] = {
    "inherited-domain-crashes: Such a domain name crashes it.": crashes(lambda r: r.domain in _INHERITED)
}


def one_of_all(change: Key) -> Handler:
    """A server that keeps one integration for all Uris of the same key: the last one that was put."""

    def members(history: History, _: Document) -> Document:
        asked = history.request
        alike = [
            documents[-1].get("ObjectTypeName")
            for (domain, uri), documents in history.past.alive.items()
            if domain == asked.domain and change(uri) == change(asked.text)
        ]
        return {"ObjectTypeName": alike[-1]} if alike and alike[-1] else {}

    return edits(members)


# --- Keys that lose parts of an ARN -------------------------------------------------------------------------

_ARNS: dict[str, Key] = {
    "account": lambda uri: re.sub(r"^(arn:[^:]*:[^:]*:[^:]*:)[^:]*:", r"\1:", uri),
    "region": lambda uri: re.sub(r"^(arn:[^:]*:[^:]*:)[^:]*:", r"\1:", uri),
    "partition": lambda uri: re.sub(r"^arn:[^:]*:", "arn::", uri),
}
THEME["missing.uri.arn state.put-get.Uri state.update.isolated"] = {
    f"arn-without-{part}: ARNs that differ only in their {part} are the same.": near(equal(key), same)
    for part, key in _ARNS.items()
}

# --- Characters that are lost or mixed up -------------------------------------------------------------------

_CHARACTERS: dict[str, tuple[str, Key]] = {
    "zero-width": ("missing.uri.normalization", lambda uri: uri.replace("\u200b", "")),
    "accents-in-any-case": (
        "missing.uri.case",
        lambda uri: "".join(char if char.isascii() else char.lower() for char in uri),
    ),
    "low-bytes": ("missing.uri.normalization", lambda uri: "".join(chr(ord(char) & 0xFF) for char in uri)),
    "astral": ("state.put-get.Uri", lambda uri: re.sub("[\U00010000-\U0010ffff]", "?", uri)),
}
for _name, (_clause, _key) in _CHARACTERS.items():
    THEME[f"{_clause} state.put-get.Uri state.update.isolated response.echo.Uri"] = {
        f"uri-{_name}: Uris are compared by a key that loses characters: {_name}.": near(equal(_key), same)
        if _name != "astral"
        else one_of_all(_key)
    }

# --- The path is not what counts ----------------------------------------------------------------------------


def named(find: Callable[[Request], Any]) -> Handler:
    """The domain is one that is named elsewhere in a request, if there is such a name."""

    def change(request: Request) -> Request | None:
        name = find(request)
        return request.with_domain(name) if isinstance(name, str) and name else None

    return asks(change)


THEME["request.domain-in-path"] = {
    "domain-from-body: DomainName of the body beats the path.": named(lambda r: r.members.get("DomainName")),
    "domain-from-query: DomainName of the query beats the path.": named(
        lambda r: parse_qs(r.query).get("DomainName", [None])[0]
    ),
}
THEME["request.valid"] = {
    "path-not-decoded: The domain's name stays encoded.": rejects(lambda r: "%" in r.path and valid(r)),
    **{
        f"first-{name}-only: Of a body, only the first {limit} bytes are read.": answers(
            lambda r, limit=limit: len(r.body) > limit and valid(r), WRONG_SIGNATURE
        )
        for name, limit in (("packet", 65_536), ("read", 262_144))
    },
}

# --- Stale once more ----------------------------------------------------------------------------------------


@THEME.mutant("deleted-comes-back", "state.deleted", revives)
def _back_at_the_second_reading(history: History) -> bool:
    """A deleted integration is there again at the second reading."""
    missed = history.deleted and history.past.notes.get(key(history.request), False)
    if history.deleted:
        history.past.notes[key(history.request)] = True
    return bool(missed)


# --- Bodies ------------------------------------------------------------------------------------------------


@THEME.mutant("json-in-a-string", "request.body.type", asks)
def _once_more(request: Request) -> Request | None:
    """JSON in a JSON string is read as well."""
    if not isinstance(request.document, str):
        return None
    inner = load(request.document.encode())
    return request.with_document(inner) if isinstance(inner, dict) else None


@THEME.mutant("form-with-its-type", "request.uri-in-body", asks)
def _form(request: Request) -> Request | None:
    """A form is read where its type says so."""
    uris = parse_qs(request.body.decode("utf-8", "replace")).get("Uri")
    if not uris or "form" not in (request.header("content-type") or ""):
        return None
    return request.with_uri(uris[0]).with_header("Content-Type", "application/json")


THEME["request.content-type"] = {
    "amz-json-unknown: Under application/x-amz-json-1.1 there is no operation.": answers(
        lambda r: "x-amz-json" in (r.header("content-type") or ""), error(404, "UnknownOperationException")
    )
}
THEME["request.json.robust"] = {
    "many-members-crash: More than twenty members crash it.": crashes(lambda r: len(r.members) > 20),
    "inherited-member-crashes: A member __proto__ crashes it.": crashes(lambda r: "__proto__" in r.members),
}

# --- Signatures ---------------------------------------------------------------------------------------------

THEME["sigv4.unsigned-host"] = {
    "host-unsigned: Host need not be signed.": serves_claims(lambda r, c: "host" not in c.signed and fits(r))
}


@THEME.mutant("any-algorithm", "sigv4.not-sigv4", serves)
def _otherwise_signed(request: Request) -> bool:
    """Any algorithm's name is taken for AWS4-HMAC-SHA256."""
    value = request.header("authorization") or ""
    fixed = re.sub(r"^AWS4-\S+", ALGORITHM, value)
    return fixed != value and fits(request.with_header("Authorization", fixed))


THEME["sigv4.wrong-service"] = {
    "service-by-its-beginning: The service of a scope need only begin rightly.": serves_claims(
        lambda r, c: c.service.startswith("profile") and fits(r)
    )
}

THEME["sigv4.missing-date"] = {
    "no-date: Without a date the present is taken.": fits_any(
        lambda r: () if r.header("x-amz-date") or r.header("date") else dated_now(r)
    )
}
THEME["sigv4.tampered-body"] = {
    f"{name}-body-unverified: Of a body over {kibibytes} KiB nothing is verified.": serves_claims(
        lambda r, c, limit=kibibytes << 10: len(r.body) > limit
    )
    for name, kibibytes in (("large", 1), ("huge", 64))
}
