"""Who sent a request, and is it really them: AWS Signature Version 4 in the header.

The error types were observed on AWS services of this kind, all of them with status 403. Signatures
in the query string (presigned requests) are not supported: without an Authorization header a
request counts as unsigned.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from .canonical import canonical_requests
from .errors import ApiError, authentication
from .identities import Directory, Identity
from .request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "profile"
"""The signing name of Customer Profiles (service model)."""
TERMINATOR = "aws4_request"
CLOCK_WINDOW = 300
"""How many seconds a request's date may differ from the emulator's clock, either way."""
DEFAULT_REGION = "us-east-1"
"""The region of a request that names none; only possible when signatures are not enforced."""

_BASIC_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")
_COMPONENTS = {"Credential", "SignedHeaders", "Signature"}
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_CLAIM = re.compile(r"Credential=([A-Za-z0-9_]+)/(?:\d{8}/([A-Za-z0-9-]{1,64})/)?")
_KEY_SHAPE = re.compile(r"[A-Za-z0-9_]{16,128}")


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity and the region it spoke to: together they select the state."""

    identity: Identity
    region: str


@dataclass(frozen=True, slots=True)
class Authorization:
    """The components of an Authorization header."""

    access_key: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str


def claimed_caller(request: Request, directory: Directory, region: str | None) -> Caller:
    """Believe the Authorization header: the way of an emulator that enforces no signatures.

    An unknown or missing access key means the directory's caller; a missing region means
    ``region``, or else :data:`DEFAULT_REGION`.
    """
    value = request.headers.get(b"authorization", b"").decode("latin-1")
    claim = _CLAIM.search(value)
    if claim is None:
        return Caller(directory.caller, region or DEFAULT_REGION)
    identity = directory.find(claim[1]) or directory.caller
    return Caller(identity, claim[2] or region or DEFAULT_REGION)


def claimed_access_key(request: Request) -> str | None:
    """The access key id in the Authorization header, for logs; None if it looks like none."""
    value = request.headers.get(b"authorization", b"").decode("latin-1")
    claim = _CLAIM.search(value)
    return claim[1] if claim and _KEY_SHAPE.fullmatch(claim[1]) else None


def authenticate(
    request: Request, directory: Directory, *, now: float, region: str | None
) -> Caller:
    """Verify a request's signature and say who sent it.

    ``now`` is the time in epoch seconds; ``region`` the only one accepted, None accepts any.
    Raises :class:`ApiError` (403). Checked in this order: the header and its components, the
    access key, the session token, the date, the scope, which headers are signed, the signature.
    """
    value = request.headers.get(b"authorization")
    if value is None:
        raise authentication(
            "MissingAuthenticationTokenException", "The request has no Authorization header."
        )
    auth = parse_authorization(value.decode("latin-1"))
    identity = directory.find(auth.access_key)
    if identity is None:
        raise authentication(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    _check_session_token(request, identity)
    timestamp = _check_date(request, now)
    _check_scope(auth, timestamp, region)
    _check_signed_headers(request, auth)
    _check_signature(request, auth, timestamp, identity.secret_key)
    return Caller(identity, auth.region)


def parse_authorization(value: str) -> Authorization:
    """Take an Authorization header apart.

    Raises :class:`ApiError` (403 IncompleteSignatureException) unless it is SigV4 and complete.
    """
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"The authorization is not {ALGORITHM}.")
    components: dict[str, str] = {}
    for part in rest.split(","):
        name, separator, content = part.strip().partition("=")
        if not separator or name not in _COMPONENTS or name in components:
            raise _incomplete("The authorization has a part that is unknown or stands twice.")
        components[name] = content
    for name in sorted(_COMPONENTS):
        if not components.get(name):
            raise _incomplete(f"The authorization has no {name}.")
    scope = components["Credential"].rsplit("/", 4)
    if len(scope) != 5 or not scope[0]:
        raise _incomplete("The credential is not KEY/DATE/REGION/SERVICE/TERMINATOR.")
    access_key, date, region, service, terminator = scope
    signed = tuple(components["SignedHeaders"].split(";"))
    return Authorization(
        access_key, date, region, service, terminator, signed, components["Signature"]
    )


def _check_session_token(request: Request, identity: Identity) -> None:
    sent = request.headers.get(b"x-amz-security-token")
    if sent is None and identity.session_token is None:
        return
    expired = identity.expired_session_token
    if sent and expired and hmac.compare_digest(sent, expired.encode()):
        raise authentication(
            "ExpiredTokenException", "The security token included in the request is expired."
        )
    wanted = identity.session_token
    if sent is None or wanted is None or not hmac.compare_digest(sent, wanted.encode()):
        raise authentication(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )


def _check_date(request: Request, now: float) -> str:
    """Return the request's date in the form of X-Amz-Date, once it is near enough to ``now``."""
    value = request.headers.get(b"x-amz-date")
    if value is not None:
        timestamp, seconds = _read_date(value)
    elif (value := request.headers.get(b"date")) is not None:
        timestamp, seconds = _read_http_date(value)
    else:
        raise _incomplete("The request has neither an X-Amz-Date nor a Date header.")
    if abs(int(now) - seconds) > CLOCK_WINDOW:
        raise _invalid(f"The date of the signature, {timestamp}, is too far from the present.")
    return timestamp


@lru_cache(maxsize=256)
def _read_date(value: bytes) -> tuple[str, float]:
    text = value.decode("latin-1")
    match = _BASIC_DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        year, month, day, hour, minute, second = map(int, match.groups())
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _incomplete("X-Amz-Date is not of the form 20260131T235959Z.") from error
    return text, moment.timestamp()


@lru_cache(maxsize=256)
def _read_http_date(value: bytes) -> tuple[str, float]:
    try:
        moment = parsedate_to_datetime(value.decode("latin-1")).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _incomplete("Date is not an HTTP date.") from error
    return moment.strftime("%Y%m%dT%H%M%SZ"), moment.timestamp()


def _check_scope(auth: Authorization, timestamp: str, region: str | None) -> None:
    if auth.date != timestamp[:8]:
        raise _invalid("The date of the credential scope is not that of the request.")
    if not _REGION.fullmatch(auth.region) or (region is not None and auth.region != region):
        raise _invalid(f"The credential is not scoped to a valid region: {region or 'any'}.")
    if auth.service != SERVICE:
        raise _invalid(f"The credential is not scoped to the service {SERVICE}.")
    if auth.terminator != TERMINATOR:
        raise _invalid(f"The credential scope does not end with {TERMINATOR}.")


def _check_signed_headers(request: Request, auth: Authorization) -> None:
    signed = auth.signed_headers
    if list(signed) != sorted({name.lower() for name in signed}):
        raise _invalid("The signed headers are not lower-case, sorted and different.")
    needed = ["host", "x-amz-date" if b"x-amz-date" in request.headers else "date"]
    if b"x-amz-security-token" in request.headers:
        needed.append("x-amz-security-token")
    for name in needed:
        if name not in signed:
            raise _invalid(f"The header {name} must be signed.")


def _check_signature(request: Request, auth: Authorization, timestamp: str, secret: str) -> None:
    body_hash = hashlib.sha256(request.body).hexdigest()
    declared = request.headers.get(b"x-amz-content-sha256")
    if declared is not None and declared != body_hash.encode():
        raise _invalid("X-Amz-Content-SHA256 is not the hash of the body.")
    try:
        candidates = canonical_requests(request, auth.signed_headers, body_hash)
    except KeyError as error:
        raise _invalid("A signed header is not in the request.") from error
    key = _signing_key(secret, auth.date, auth.region)
    prefix = f"{ALGORITHM}\n{timestamp}\n{auth.date}/{auth.region}/{SERVICE}/{TERMINATOR}\n"
    signature = auth.signature.encode("latin-1")
    for canonical in candidates:
        text = prefix + hashlib.sha256(canonical.encode()).hexdigest()
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if hmac.compare_digest(expected.encode(), signature):
            return
    raise _invalid("The request signature we calculated does not match the one you provided.")


@lru_cache(maxsize=256)
def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _incomplete(message: str) -> ApiError:
    return authentication("IncompleteSignatureException", message)


def _invalid(message: str) -> ApiError:
    return authentication("InvalidSignatureException", message)
