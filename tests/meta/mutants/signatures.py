"""Servers that accept signatures they must reject."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import quote, unquote

from .excuses import now, serves, serves_claims
from .kit import Build, Theme, always, bind, plain, remembers, stateless
from .messages import Answer, Forward, Handler, Request
from .signing import CALLER, IDENTITIES, Claim, claim_of, fits, key_of, resigned, signature, unauthenticated

THEME = Theme("signature")
_add = THEME.add

# --- Who is nobody ------------------------------------------------------------------------------------------


def _scheme(request: Request) -> str:
    return (request.header("authorization") or "").partition(" ")[0]


_add(
    "none-needed",
    "Nothing is verified at all: everybody is who they say, or the caller.",
    "sigv4.missing-authorization sigv4.wrong-secret sigv4.tampered-signature",
    serves(always),
)
for _name, _description, _values in (
    ("missing", "without Authorization comes from the caller", (None, "")),
    ("absent", "without the header is served, one with an empty header is not", (None,)),
    ("empty", "with an empty Authorization comes from the caller", ("",)),
):
    _add(
        f"authorization-may-be-{_name}",
        f"A request {_description}.",
        "sigv4.missing-authorization",
        serves(bind(_values, lambda values, request: request.header("authorization") in values)),
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


@THEME.mutant("unknown-key-accepted", "sigv4.unknown-key", stateless(serves))
def _is_unknown(request: Request) -> bool:
    """An unknown access key is the caller's."""
    claim = claim_of(request)
    return claim is not None and claim.identity is None


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


_add(
    "secret-of-another",
    "A signature made with the secret of another known key is accepted.",
    "sigv4.wrong-secret",
    serves_claims(
        lambda request, claim: any(
            claim.signature == signature(request, claim, identity.secret_key)
            for identity in IDENTITIES.values()
            if identity != claim.identity
        )
    ),
)


def _fits_any(variants: Callable[[Request], Iterable[Request]]) -> Handler:
    """Accepts a signature that would fit another form of the request."""
    return serves_claims(lambda request, claim: any(fits(variant) for variant in variants(request)))


def _remembering(part: Callable[[Request], str], variant: Callable[[Request, str], Request]) -> Build:
    """Accepts a signature that fits the request with some part of an earlier one in place of its own."""

    def handler(seen: dict[str, None], request: Request, forward: Forward) -> Answer:
        seen[part(request)] = None
        return _fits_any(lambda request: (variant(request, old) for old in tuple(seen)))(request, forward)

    return remembers(dict)(handler)


def _with_path(request: Request, path: str) -> Request:
    return replace(request, target=f"{path}?{request.query}" if request.query else path)


THEME.add_stateful(
    "path-not-covered",
    "A signature for one path is accepted for another.",
    "sigv4.tampered-path",
    _remembering(lambda request: request.path, _with_path),
)


@THEME.mutant("path-covered-without-slash-at-the-end", "sigv4.tampered-path", plain)
def _without_slash(request: Request, forward: Forward) -> Answer:
    """A slash at the end of the path is neither covered by the signature nor looked at."""
    answer = forward(request)
    other = _with_path(request, request.path.rstrip("/"))
    claim = claim_of(request)
    if other == request or claim is None or claim.identity is None:
        return answer
    return forward(resigned(other)) if fits(other) else answer


def _of_path(canonical: Callable[[str], str], request: Request, claim: Claim) -> bool:
    assert claim.identity is not None
    path = canonical(request.path)
    given = claim.signature == signature(request, claim, claim.identity.secret_key, path=path)
    return given and "%" in request.path


for _name, _description, _canonical in (
    ("once", "as it is sent", str),
    ("after-decoding", "decoded and encoded once", lambda path: quote(unquote(path), safe="/~")),
):
    _add(
        f"path-encoded-{_name}-accepted",
        f"A signature over the path {_description} is accepted beside the right one.",
        "sigv4.tampered-path",
        serves_claims(bind(_canonical, _of_path)),
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


for _name, _header, _value in (
    ("declared-hash", "x-amz-content-sha256", lambda body: hashlib.sha256(body).hexdigest()),
    ("content-type", "Content-Type", lambda body: "application/json"),
):
    _add(
        f"{_name}-not-covered",
        f"{_header} is not verified, although it is signed.",
        "sigv4.tampered-header",
        _fits_any(
            bind((_header, _value), lambda due, request: [request.with_header(due[0], due[1](request.body))])
        ),
    )
_add(
    "method-not-covered",
    "A signature for one method is accepted for another.",
    "sigv4.tampered-method",
    _fits_any(lambda request: (replace(request, method=method) for method in ("GET", "HEAD", "PUT"))),
)
_add(
    "query-not-covered",
    "The query string is not verified.",
    "sigv4.tampered-query",
    _fits_any(lambda request: [replace(request, target=request.path)]),
)
_add(
    "unknown-query-not-covered",
    "Names in the query that no operation knows are not verified.",
    "sigv4.tampered-query",
    _fits_any(lambda request: [replace(request, target=request.path)] if request.query == "a=b" else []),
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

    def handler(trusted: set[object], request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not unauthenticated(answer):
            trusted.add(key(request))
            return answer
        claim = claim_of(request)
        known = claim is not None and claim.identity is not None
        return forward(resigned(request)) if known and key(request) in trusted else answer

    return remembers(set)(handler)


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
