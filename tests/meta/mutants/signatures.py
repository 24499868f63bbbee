"""Servers that accept signatures they must reject."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from .excuses import now, serves, serves_claims
from .kit import Build, Theme, bind
from .messages import Answer, Forward, Handler, Request
from .signing import CALLER, Claim, claim_of, fits, key_of, resigned, signature, unauthenticated

THEME = Theme("signature")
_add = THEME.add

# --- Who is nobody ------------------------------------------------------------------------------------------


def _scheme(request: Request) -> str:
    return (request.header("authorization") or "").partition(" ")[0]


_add(
    "none-needed",
    "Nothing is verified at all: everybody is who they say, or the caller.",
    "sigv4.missing-authorization sigv4.wrong-secret sigv4.tampered-signature",
    serves(lambda request: True),
)
_add(
    "authorization-may-be-missing",
    "A request without Authorization comes from the caller.",
    "sigv4.missing-authorization",
    serves(lambda request: not request.header("authorization")),
)
_add(
    "authorization-may-be-absent",
    "A request without the header is served, one with an empty header is not.",
    "sigv4.missing-authorization",
    serves(lambda request: request.header("authorization") is None),
)
_add(
    "authorization-may-be-empty",
    "A request with an empty Authorization comes from the caller.",
    "sigv4.missing-authorization",
    serves(lambda request: request.header("authorization") == ""),
)
for _name, _scheme_name in (("basic", "Basic"), ("bearer", "Bearer"), ("version-2", "AWS")):
    _add(
        f"{_name}-accepted",
        f"An Authorization of the scheme {_scheme_name} is accepted.",
        "sigv4.not-sigv4",
        serves(bind(_scheme_name, lambda scheme, request: _scheme(request) == scheme)),
    )
_add(
    "any-scheme-accepted",
    "Any Authorization that is not SigV4 is accepted.",
    "sigv4.not-sigv4",
    serves(lambda request: bool(_scheme(request)) and _scheme(request) != "AWS4-HMAC-SHA256"),
)
for _component in ("Credential", "SignedHeaders", "Signature"):
    _add(
        f"without-{_component}-accepted",
        f"An Authorization that lacks {_component} is accepted.",
        "sigv4.incomplete",
        serves(
            bind(
                _component,
                lambda component, request: (
                    _scheme(request) == "AWS4-HMAC-SHA256"
                    and not re.search(rf"{component}=[^,\s]", request.header("authorization") or "")
                ),
            )
        ),
    )
_add(
    "short-scope-accepted",
    "A credential scope without its last part is accepted.",
    "sigv4.incomplete",
    serves(
        lambda request: (
            re.search(r"Credential=[^/]+/\d+/[^/]+/[^/]+,", request.header("authorization") or "") is not None
        )
    ),
)


def _is_unknown(request: Request) -> bool:
    claim = claim_of(request)
    return claim is not None and claim.identity is None


_add(
    "unknown-key-accepted", "An unknown access key is the caller's.", "sigv4.unknown-key", serves(_is_unknown)
)
_add(
    "key-in-any-case-accepted",
    "Access keys are compared without case.",
    "sigv4.unknown-key",
    serves(
        lambda request: key_of(request) != CALLER.access_key and key_of(request).upper() == CALLER.access_key
    ),
)

# --- The signature and what it covers -----------------------------------------------------------------------

_add(
    "not-compared",
    "Any signature by a known key is accepted.",
    "sigv4.wrong-secret sigv4.tampered-signature",
    serves_claims(lambda request, claim: True),
)
_add(
    "any-of-64-digits-accepted",
    "Any signature of 64 hexadecimal digits is accepted.",
    "sigv4.wrong-secret sigv4.tampered-signature",
    serves_claims(lambda request, claim: re.fullmatch("[0-9a-f]{64}", claim.signature) is not None),
)


def _right(request: Request, claim: Claim) -> str:
    assert claim.identity is not None
    return signature(request, claim, claim.identity.secret_key)


for _digits in (8, 32, 63):
    _add(
        f"first-{_digits}-digits-compared",
        f"Only the first {_digits} digits of a signature are compared.",
        "sigv4.tampered-signature",
        serves_claims(
            bind(
                _digits,
                lambda digits, request, claim: claim.signature[:digits] == _right(request, claim)[:digits],
            )
        ),
    )
_add(
    "beginning-compared",
    "A signature has to begin with the right one; more may follow.",
    "sigv4.tampered-signature",
    serves_claims(lambda request, claim: claim.signature.startswith(_right(request, claim))),
)
_add(
    "shorter-compared",
    "The right signature has to begin with the one given.",
    "sigv4.tampered-signature",
    serves_claims(lambda request, claim: _right(request, claim).startswith(claim.signature)),
)
_add(
    "secret-compared-by-its-beginning",
    "A secret with something added to it is accepted.",
    "sigv4.wrong-secret",
    serves_claims(
        lambda request, claim: (
            claim.signature
            == signature(request, claim, f"{claim.identity.secret_key}x" if claim.identity else "")
        )
    ),
)
_add(
    "access-key-is-secret",
    "The access key is accepted as the secret too.",
    "sigv4.wrong-secret",
    serves_claims(lambda request, claim: claim.signature == signature(request, claim, claim.access_key)),
)


def _fits_any(variants: Callable[[Request], Iterator[Request]]) -> Handler:
    """Accepts a signature that would fit another form of the request."""
    return serves_claims(lambda request, claim: any(fits(variant) for variant in variants(request)))


def _remembering(part: Callable[[Request], str], variant: Callable[[Request, str], Request]) -> Build:
    """Accepts a signature that fits the request with some part of an earlier one in place of its own."""

    def build() -> Handler:
        seen: dict[str, None] = {}
        accept = _fits_any(lambda request: (variant(request, old) for old in tuple(seen)))

        def handler(request: Request, forward: Forward) -> Answer:
            seen[part(request)] = None
            return accept(request, forward)

        return handler

    return build


def _with_path(request: Request, path: str) -> Request:
    return replace(request, target=f"{path}?{request.query}" if request.query else path)


THEME.add_stateful(
    "path-not-covered",
    "A signature for one path is accepted for another.",
    "sigv4.tampered-path",
    _remembering(lambda request: request.path, _with_path),
)


def _without_slash(request: Request, forward: Forward) -> Answer:
    """Takes a slash at the end of the path away before anything else is done."""
    answer = forward(request)
    other = _with_path(request, request.path.rstrip("/"))
    claim = claim_of(request)
    if other == request or claim is None or claim.identity is None:
        return answer
    return forward(resigned(other)) if fits(other) else answer


_add(
    "path-covered-without-slash-at-the-end",
    "A slash at the end of the path is neither covered by the signature nor looked at.",
    "sigv4.tampered-path",
    _without_slash,
)
THEME.add_stateful(
    "body-not-covered",
    "A signature for one body is accepted for another.",
    "sigv4.tampered-body",
    _remembering(
        lambda request: request.body.decode("latin-1"),
        lambda request, body: request.with_body(body.encode("latin-1")),
    ),
)
_add(
    "declared-hash-trusted",
    "The hash of the body is taken from x-amz-content-sha256.",
    "sigv4.tampered-body",
    serves_claims(
        lambda request, claim: fits(request, body_hash=request.header("x-amz-content-sha256") or "-")
    ),
)


def _hash(request: Request) -> str:
    return hashlib.sha256(request.body).hexdigest()


_add(
    "declared-hash-not-covered",
    "x-amz-content-sha256 is not verified, although it is signed.",
    "sigv4.tampered-header",
    _fits_any(lambda request: iter([request.with_header("x-amz-content-sha256", _hash(request))])),
)
_add(
    "content-type-not-covered",
    "Content-Type is not verified, although it is signed.",
    "sigv4.tampered-header",
    _fits_any(lambda request: iter([request.with_header("Content-Type", "application/json")])),
)
_add(
    "query-not-covered",
    "The query string is not verified.",
    "sigv4.tampered-query",
    _fits_any(lambda request: iter([replace(request, target=request.path)])),
)
_add(
    "unknown-query-not-covered",
    "Names in the query that no operation knows are not verified.",
    "sigv4.tampered-query",
    _fits_any(
        lambda request: iter([replace(request, target=request.path)] if request.query == "a=b" else [])
    ),
)
_add(
    "host-not-covered",
    "The Host header is not verified.",
    "sigv4.replayed-host",
    _fits_any(
        lambda request: (
            request.with_header("Host", host)
            for host in ("profile.example.com", "profile.us-east-1.amazonaws.com", "localhost", "example.com")
        )
    ),
)


_add(
    "date-not-covered",
    "X-Amz-Date is not verified: the moment of arrival is.",
    "sigv4.tampered-header sigv4.missing-date",
    _fits_any(
        lambda request: (
            request.with_header("X-Amz-Date", f"{now(-offset):%Y%m%dT%H%M%SZ}") for offset in range(3)
        )
    ),
)

# --- Verified once ------------------------------------------------------------------------------------------


def _once(key: Callable[[Request], object]) -> Build:
    """Once a signature was right, later ones with the same ``key`` are not verified."""

    def build() -> Handler:
        trusted: set[object] = set()

        def handler(request: Request, forward: Forward) -> Answer:
            answer = forward(request)
            if not unauthenticated(answer):
                trusted.add(key(request))
                return answer
            claim = claim_of(request)
            known = claim is not None and claim.identity is not None
            return forward(resigned(request)) if known and key(request) in trusted else answer

        return handler

    return build


_TAMPERED = "sigv4.wrong-secret sigv4.tampered-signature sigv4.tampered-body"
THEME.add_stateful(
    "verified-once-for-a-connection",
    "Only the first signature on a connection is verified.",
    _TAMPERED,
    _once(lambda request: request.connection),
)
THEME.add_stateful(
    "verified-once-for-a-key", "Only the first signature by a key is verified.", _TAMPERED, _once(key_of)
)
