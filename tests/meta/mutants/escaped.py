"""Faults that independent servers once got past the suite with."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs

from .excuses import now, serves, serves_claims
from .kit import Build, Theme, answers, asks, bind, crashes, rejects, stateless, valid
from .lookup import Key, equal, near, same
from .messages import Answer, Request, Response, error, load, ok
from .signing import ALGORITHM, fits
from .writes import Writes, edited, key, reads

THEME = Theme("escaped")
_add = THEME.add

# --- Names that every object of some languages has ----------------------------------------------------------

_INHERITED = {"constructor", "toString", "__proto__", "__class__"}


_add(
    "inherited-uri-crashes",
    "A Uri that every object has crashes it.",
    "missing.integration",
    crashes(lambda request: request.text in _INHERITED),
)
_add(
    "inherited-uri-found",
    "A Uri that every object has is found, and empty.",
    "missing.integration",
    answers(lambda request: request.text in _INHERITED, ok({})),
)
_add(
    "inherited-domain-crashes",
    "A domain name that every object has crashes it.",
    "missing.domain",
    crashes(lambda request: request.domain in _INHERITED),
)


def one_of_all(change: Key) -> Build:
    """A server that keeps one integration for all Uris of the same key: the last one that was put."""

    def read(self: Writes, request: Request, answer: Response) -> Answer:
        alike = [
            documents[-1].get("ObjectTypeName")
            for (domain, uri), documents in self.alive.items()
            if domain == request.domain and change(uri) == change(request.text)
        ]
        lost = answer.status == 200 and alike and alike[-1]
        return edited(answer, ObjectTypeName=alike[-1]) if lost else answer

    return reads(read)


# --- Keys that lose parts of an ARN -------------------------------------------------------------------------

_ARNS: dict[str, Key] = {
    "account": lambda uri: re.sub(r"^(arn:[^:]*:[^:]*:[^:]*:)[^:]*:", r"\1:", uri),
    "region": lambda uri: re.sub(r"^(arn:[^:]*:[^:]*:)[^:]*:", r"\1:", uri),
    "partition": lambda uri: re.sub(r"^arn:[^:]*:", "arn::", uri),
}
for _part, _key in _ARNS.items():
    THEME.add_stateful(
        f"arn-without-{_part}",
        f"ARNs that differ only in their {_part} are the same.",
        "missing.uri.arn state.put-get.Uri state.update.isolated",
        near(equal(_key), same),
    )

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
    THEME.add_stateful(
        f"uri-{_name}",
        f"Uris are compared by a key that loses characters: {_name}.",
        f"{_clause} state.put-get.Uri state.update.isolated response.echo.Uri",
        near(equal(_key), same) if _name != "astral" else one_of_all(_key),
    )

# --- The path is not what counts ----------------------------------------------------------------------------


def named_in_body(member: str) -> Callable[[Request], Request | None]:
    """The domain is the one that a member of the body names, if there is one."""

    def change(request: Request) -> Request | None:
        document = request.document
        name = document.get(member) if isinstance(document, dict) else None
        return request.with_domain(name) if isinstance(name, str) and name else None

    return change


_add(
    "domain-from-body",
    "DomainName of the body beats the path.",
    "request.domain-in-path",
    asks(named_in_body("DomainName")),
)


@THEME.mutant("domain-from-query", "request.domain-in-path", stateless(asks))
def _named_in_query(request: Request) -> Request | None:
    """DomainName of the query beats the path."""
    names = parse_qs(request.query).get("DomainName")
    return request.with_domain(names[0]) if names else None


_add(
    "path-not-decoded",
    "The domain's name is taken as it is encoded.",
    "request.valid",
    rejects(lambda request: "%" in request.path and valid(request)),
)
for _name, _limit in (("packet", 65_536), ("read", 262_144)):
    _add(
        f"first-{_name}-only",
        f"Of a body, only the first {_limit} bytes are read.",
        "request.valid",
        answers(
            bind(_limit, lambda limit, request: len(request.body) > limit and valid(request)),
            error(403, "InvalidSignatureException"),
        ),
    )

# --- Stale once more ----------------------------------------------------------------------------------------


@THEME.mutant("deleted-comes-back", "state.deleted", reads)
def _back_at_the_second_reading(self: Writes, request: Request, answer: Response) -> Answer:
    """A deleted integration is there again at the second reading."""
    place = key(request)
    if answer.status != 404 or place not in self.deleted:
        return answer
    missed = self.notes.setdefault(place, False)
    self.notes[place] = True
    return self.answers[place][-1] if missed and place in self.answers else answer


# --- Bodies ------------------------------------------------------------------------------------------------


@THEME.mutant("json-in-a-string", "request.body.type", stateless(asks))
def _once_more(request: Request) -> Request | None:
    """JSON in a JSON string is read as well."""
    if not isinstance(request.document, str):
        return None
    inner = load(request.document.encode())
    return request.with_document(inner) if isinstance(inner, dict) else None


@THEME.mutant("form-with-its-type", "request.uri-in-body", stateless(asks))
def _form(request: Request) -> Request | None:
    """A form is read where its type says so."""
    uris = parse_qs(request.body.decode("utf-8", "replace")).get("Uri")
    if not uris or "form" not in (request.header("content-type") or ""):
        return None
    return request.with_uri(uris[0]).with_header("Content-Type", "application/json")


_add(
    "amz-json-unknown",
    "Under application/x-amz-json-1.1 there is no operation.",
    "request.content-type",
    answers(
        lambda request: "x-amz-json" in (request.header("content-type") or ""),
        error(404, "UnknownOperationException"),
    ),
)
_add(
    "many-members-crash",
    "More than twenty members crash it.",
    "request.json.robust",
    crashes(lambda request: isinstance(request.document, dict) and len(request.document) > 20),
)
_add(
    "inherited-member-crashes",
    "A member __proto__ crashes it.",
    "request.json.robust",
    crashes(lambda request: isinstance(request.document, dict) and "__proto__" in request.document),
)

# --- Signatures ---------------------------------------------------------------------------------------------


_add(
    "host-unsigned",
    "A signature need not cover Host.",
    "sigv4.unsigned-host",
    serves_claims(lambda request, claim: "host" not in claim.signed and fits(request)),
)


@THEME.mutant("any-algorithm", "sigv4.not-sigv4", stateless(serves))
def _otherwise_signed(request: Request) -> bool:
    """Any algorithm's name is taken for AWS4-HMAC-SHA256."""
    value = request.header("authorization") or ""
    fixed = re.sub(r"^AWS4-\S+", ALGORITHM, value)
    return fixed != value and fits(request.with_header("Authorization", fixed))


_add(
    "service-by-its-beginning",
    "The service of a scope need only begin rightly.",
    "sigv4.wrong-service",
    serves_claims(lambda request, claim: claim.service.startswith("profile") and fits(request)),
)


@THEME.mutant("no-date", "sigv4.missing-date", stateless(serves))
def _fits_the_present(request: Request) -> bool:
    """Without a date the present is taken."""
    if request.header("x-amz-date") or request.header("date"):
        return False
    dates = (f"{now(-seconds):%Y%m%dT%H%M%SZ}" for seconds in range(3))
    return any(fits(request.with_header("X-Amz-Date", date)) for date in dates)


for _name, _kibibytes in (("large", 1), ("huge", 64)):
    _add(
        f"{_name}-body-unverified",
        f"Of a body over {_kibibytes} KiB nothing is verified.",
        "sigv4.tampered-body",
        serves_claims(bind(_kibibytes << 10, lambda limit, request, claim: len(request.body) > limit)),
    )
