"""Signature Version 4, for callers whose request a mutant changed, and for mutants that verify it badly."""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from getintegration_emulator.identities import DEFAULT_IDENTITIES, Identity

from .messages import Request, Response, without

ALGORITHM = "AWS4-HMAC-SHA256"
#: Region, service and terminator of a credential scope.
SCOPE = ("us-east-1", "profile", "aws4_request")

IDENTITIES = dict(DEFAULT_IDENTITIES)
CALLER = IDENTITIES["caller"]
_BY_KEY = {identity.access_key: identity for identity in IDENTITIES.values()}
_SIGNATURE_HEADERS = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "date")

#: Types of the answers that mean: we do not know who you are; how AWS's older family spells each.
OLDER_TYPES = {
    "MissingAuthenticationTokenException": "MissingAuthenticationToken",
    "IncompleteSignatureException": "IncompleteSignature",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
}
AUTHENTICATION_TYPES = {*OLDER_TYPES, *OLDER_TYPES.values(), "ExpiredTokenException"}


@dataclass(frozen=True)
class Claim:
    """An Authorization header, taken apart."""

    access_key: str
    date: str
    region: str
    service: str
    terminator: str
    signed: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> tuple[str, str, str, str]:
        """The credential scope."""
        return self.date, self.region, self.service, self.terminator

    @property
    def identity(self) -> Identity | None:
        """Whose access key it is."""
        return _BY_KEY.get(self.access_key)


def claim_of(request: Request) -> Claim | None:
    """The claim of a request; None if it makes none, or none that is whole."""
    found = re.fullmatch(
        rf"{ALGORITHM} +Credential=([^/, ]+)/([^/]*)/([^/]*)/([^/]*)/([^/, ]*), *"
        r"SignedHeaders=([^, ]+), *Signature=([0-9A-Za-z]+)",
        request.header("authorization") or "",
    )
    if not found:
        return None
    key, date, region, service, terminator, signed, given = found.groups()
    return Claim(key, date, region, service, terminator, tuple(signed.split(";")), given)


def known(request: Request) -> Identity | None:
    """Whose access key a whole claim of a request names."""
    claim = claim_of(request)
    return claim.identity if claim else None


def key_of(request: Request) -> str:
    """The access key that a request names, even in a claim that is not whole."""
    found = re.search(r"Credential=([^/,\s]+)", request.header("authorization") or "")
    return found[1] if found else ""


def is_by(request: Request, name: str) -> bool:
    """Whether the named identity's access key is the one that a request names."""
    return key_of(request) == IDENTITIES[name].access_key


def unauthenticated(answer: Response) -> bool:
    """Whether an answer says that the caller is not known."""
    return answer.status in (400, 401, 403) and answer.error_type in AUTHENTICATION_TYPES


def refused(answer: Response) -> bool:
    """Whether an answer speaks of the caller, not of what was asked for."""
    return (
        unauthenticated(answer)
        or answer.status in (401, 403, 429)
        or answer.error_type == "ThrottlingException"
    )


def resigned(request: Request, identity: Identity | None = None) -> Request:
    """The request, signed now by an identity: by default the one that it names, or else the caller."""
    identity = identity or _BY_KEY.get(key_of(request), CALLER)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = (*without(request.headers, *_SIGNATURE_HEADERS), ("X-Amz-Date", now))
    signed = ["host", "x-amz-date"]
    if identity.session_token:
        headers = (*headers, ("X-Amz-Security-Token", identity.session_token))
        signed.append("x-amz-security-token")
    unsigned = replace(request, headers=headers)
    claim = Claim(identity.access_key, now[:8], *SCOPE, tuple(signed), "")
    authorization = (
        f"{ALGORITHM} Credential={identity.access_key}/{'/'.join(claim.scope)},"
        f" SignedHeaders={';'.join(signed)}, Signature={signature(unsigned, claim, identity.secret_key)}"
    )
    return replace(unsigned, headers=(*headers, ("Authorization", authorization)))


def signature(
    request: Request, claim: Claim, secret: str = "", *, path: str | None = None, body_hash: str | None = None
) -> str:
    """The signature that fits a request under a claim.

    Args:
        secret: By default that of the claim's access key.
        path: The canonical one, if it is not made of the request's.
        body_hash: The same of the body's hash.
    """
    values = {name: [] for name in claim.signed}  # type: dict[str, list[str]]
    for name, value in request.headers:
        if name.lower() in values:
            values[name.lower()].append(" ".join(value.split()))
    canonical = "\n".join(
        [
            request.method,
            _canonical_path(request.path) if path is None else path,
            "&".join(sorted(request.query.split("&"))) if request.query else "",
            *(f"{name}:{','.join(values[name])}" for name in claim.signed),
            "",
            ";".join(claim.signed),
            body_hash or hashlib.sha256(request.body).hexdigest(),
        ]
    )
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    text = f"{ALGORITHM}\n{request.header('x-amz-date') or ''}\n{'/'.join(claim.scope)}\n{digest}"
    key = _signing_key(secret or _BY_KEY[claim.access_key].secret_key, *claim.scope)
    return hmac.digest(key, text.encode(), "sha256").hex()


def fits(request: Request, *, body_hash: str | None = None) -> bool:
    """Whether the signature of a request is right; its date, scope and token are not looked at."""
    claim = claim_of(request)
    if claim is None or claim.identity is None:
        return False
    return claim.signature == signature(request, claim, body_hash=body_hash)


@lru_cache(maxsize=256)
def _signing_key(secret: str, *scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_path(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and path.endswith("/") else ""
    return quote(("/" + "/".join(kept) + slash).encode("latin-1"), safe="/~")
