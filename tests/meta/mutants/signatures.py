"""Servers that accept signatures they must reject."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import quote, unquote

from .excuses import now, serves, serves_claims, verified_once
from .kit import Theme, always, remembers
from .messages import Answer, Forward, Handler, Request
from .signing import ALGORITHM, CALLER, IDENTITIES, claim_of, fits, key_of, known, resigned, signature

THEME = Theme("signature")

# --- Who is nobody ------------------------------------------------------------------------------------------


def _given(request: Request) -> str:
    return request.header("authorization") or ""


def _scheme(request: Request) -> str:
    return _given(request).partition(" ")[0]


THEME["sigv4.missing-authorization sigv4.wrong-secret sigv4.tampered-signature"] = {
    "none-needed: Nothing is verified at all: everybody is who they say, or the caller.": serves(always)
}
THEME["sigv4.missing-authorization"] = {
    f"authorization-may-be-{name}: A request {description}.": serves(
        lambda r, values=values: r.header("authorization") in values
    )
    for name, description, values in (
        ("missing", "without Authorization comes from the caller", (None, "")),
        ("absent", "without the header is served, one with an empty header is not", (None,)),
        ("empty", "with an empty Authorization comes from the caller", ("",)),
    )
}
THEME["sigv4.not-sigv4"] = {
    **{
        f"{name}-accepted: An Authorization of the scheme {scheme} is accepted.": serves(
            lambda r, scheme=scheme: _scheme(r) == scheme
        )
        for name, scheme in (("basic", "Basic"), ("bearer", "Bearer"), ("version-2", "AWS"))
    },
    "any-scheme-accepted: Any other scheme is accepted.": serves(lambda r: _scheme(r) not in ("", ALGORITHM)),
}
THEME["sigv4.incomplete"] = {
    **{
        f"without-{component}-accepted: It may be missing.": serves(
            lambda r, part=component: _scheme(r) == ALGORITHM and not re.search(rf"{part}=[^,\s]", _given(r))
        )
        for component in ("Credential", "SignedHeaders", "Signature")
    },
    "short-scope-accepted: A credential scope without its last part is accepted.": serves(
        lambda r: re.search(r"Credential=[^/]+/\d+/[^/]+/[^/]+,", _given(r)) is not None
    ),
}

THEME["sigv4.unknown-key"] = {
    "unknown-key-accepted: An unknown access key is the caller's.": serves(
        lambda r: claim_of(r) is not None and known(r) is None
    ),
    "key-in-any-case-accepted: Access keys are compared without case.": serves(
        lambda r: key_of(r) != CALLER.access_key and key_of(r).upper() == CALLER.access_key
    ),
}

# --- The signature and what it covers -----------------------------------------------------------------------

THEME["sigv4.wrong-secret sigv4.tampered-signature"] = {
    "not-compared: Any signature by a known key is accepted.": serves_claims(lambda r, c: True),
    "any-of-64-digits-accepted: Any signature of 64 hexadecimal digits is accepted.": serves_claims(
        lambda r, c: re.fullmatch("[0-9a-f]{64}", c.signature) is not None
    ),
}
THEME["sigv4.tampered-signature"] = {
    **{
        f"first-{digits}-digits-compared: Only they are compared.": serves_claims(
            lambda r, c, n=digits: c.signature[:n] == signature(r, c)[:n]
        )
        for digits in (8, 32, 63)
    },
    "beginning-compared: A signature has to begin with the right one; more may follow.": serves_claims(
        lambda r, c: c.signature.startswith(signature(r, c))
    ),
    "shorter-compared: The right signature has to begin with the one given.": serves_claims(
        lambda r, c: signature(r, c).startswith(c.signature)
    ),
}
THEME["sigv4.wrong-secret"] = {
    "secret-compared-by-its-beginning: A secret with something added to it is accepted.": serves_claims(
        lambda r, c: c.signature == signature(r, c, f"{c.identity.secret_key}x")
    ),
    "access-key-is-secret: The access key is accepted as the secret too.": serves_claims(
        lambda r, c: c.signature == signature(r, c, c.access_key)
    ),
    "secret-of-another: A signature made with the secret of another known key is accepted.": serves_claims(
        lambda r, c: any(
            c.signature == signature(r, c, identity.secret_key)
            for identity in IDENTITIES.values()
            if identity != c.identity
        )
    ),
}


def dated_now(request: Request) -> Iterable[Request]:
    """The request as it would be if it had been signed in one of the last seconds."""
    return (request.with_header("X-Amz-Date", f"{now(-age):%Y%m%dT%H%M%SZ}") for age in range(3))


def fits_any(variants: Callable[[Request], Iterable[Request]]) -> Handler:
    """Accepts a signature that would fit another form of the request."""
    return serves_claims(lambda request, claim: any(fits(variant) for variant in variants(request)))


def _remembering(part: Callable[[Request], str], variant: Callable[[Request, str], Request]) -> Handler:
    """Accepts a signature that fits the request with some part of an earlier one in place of its own."""

    def handler(seen: dict[str, None], request: Request, forward: Forward) -> Answer:
        seen[part(request)] = None
        return fits_any(lambda request: (variant(request, old) for old in tuple(seen)))(request, forward)

    return remembers(dict)(handler)


def _with_path(request: Request, path: str) -> Request:
    return replace(request, target=f"{path}?{request.query}" if request.query else path)


THEME["sigv4.tampered-path"] = {
    "path-not-covered: One for another path is accepted.": _remembering(lambda r: r.path, _with_path)
}


@THEME.mutant("path-covered-without-slash-at-the-end", "sigv4.tampered-path")
def _without_slash(request: Request, forward: Forward) -> Answer:
    """A slash at the end of the path is neither covered by the signature nor looked at."""
    answer = forward(request)
    other = _with_path(request, request.path.rstrip("/"))
    return forward(resigned(other)) if other != request and fits(other) else answer


THEME["sigv4.tampered-path"] = {
    f"path-encoded-{name}-accepted: One over the path {description} is accepted, too.": serves_claims(
        lambda r, c, path=canonical: "%" in r.path and c.signature == signature(r, c, path=path(r.path))
    )
    for name, description, canonical in (
        ("once", "as it is sent", str),
        ("after-decoding", "decoded and encoded once", lambda path: quote(unquote(path), safe="/~")),
    )
}
THEME["sigv4.tampered-body"] = {
    "body-not-covered: A signature for one body is accepted for another.": _remembering(
        lambda r: r.body.decode("latin-1"), lambda r, body: r.with_body(body.encode("latin-1"))
    ),
    "declared-hash-trusted: The hash of the body is taken from x-amz-content-sha256.": serves_claims(
        lambda r, c: fits(r, body_hash=r.header("x-amz-content-sha256") or "-")
    ),
}

THEME["sigv4.tampered-header"] = {
    f"{name}-not-covered: {header} is not verified, although it is signed.": fits_any(
        lambda r, due=(header, value): [r.with_header(due[0], due[1](r.body))]
    )
    for name, header, value in (
        ("declared-hash", "x-amz-content-sha256", lambda body: hashlib.sha256(body).hexdigest()),
        ("content-type", "Content-Type", lambda body: "application/json"),
    )
}
THEME["sigv4.tampered-method"] = {
    "method-not-covered: A signature for one method is accepted for another.": fits_any(
        lambda r: (replace(r, method=method) for method in ("GET", "HEAD", "PUT"))
    )
}
THEME["sigv4.tampered-query"] = {
    "query-not-covered: The query string is not verified.": fits_any(lambda r: [replace(r, target=r.path)]),
    "unknown-query-not-covered: Names in the query that no operation knows are not verified.": fits_any(
        lambda r: [replace(r, target=r.path)] if r.query == "a=b" else []
    ),
}
THEME["sigv4.replayed-host"] = {
    "host-not-covered: The Host header is not verified.": fits_any(
        lambda r: (
            r.with_header("Host", host)
            for host in ("profile.example.com", "profile.us-east-1.amazonaws.com", "localhost", "example.com")
        )
    )
}

THEME["sigv4.tampered-header sigv4.missing-date"] = {
    "date-not-covered: X-Amz-Date is not verified: the moment of arrival is.": fits_any(dated_now)
}

# --- Verified once ------------------------------------------------------------------------------------------

_TAMPERED = "sigv4.wrong-secret sigv4.tampered-signature sigv4.tampered-body"
THEME[_TAMPERED] = {
    "verified-once-for-a-connection: Only the first one is verified.": verified_once(lambda r: r.connection),
    "verified-once-for-a-key: Only the first signature by a key is verified.": verified_once(key_of),
}
