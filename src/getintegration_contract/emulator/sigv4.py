"""Who sent a request, and is it really them: AWS Signature Version 4 in the header.

The error types were observed on AWS services of this kind, all of them with status 403. Signatures
in the query string (presigned requests) are not supported: without an Authorization header a
request counts as unsigned.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

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
_CREDENTIAL = re.compile(r"Credential=([A-Za-z0-9_]+)/(?:\d{8}/([A-Za-z0-9-]{1,64})/)?")
_KEY_SHAPE = re.compile(r"[A-Za-z0-9_]{16,128}")


class Caller(NamedTuple):
    """An identity and the region it spoke to: together they select the state."""

    identity: Identity
    region: str


class Claim(NamedTuple):
    """An Authorization header without its signature: the parts of the credential, the headers.

    ``in_order``: whether the names of the signed headers are lower-case, sorted and different.
    """

    access_key: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    in_order: bool


def claimed_caller(request: Request, directory: Directory, region: str | None) -> Caller:
    """Believe the Authorization header: the way of an emulator that enforces no signatures.

    An unknown or missing access key means the directory's caller; a missing region means
    ``region``, or else :data:`DEFAULT_REGION`.
    """
    value = request.headers.get(b"authorization", b"").decode("latin-1")
    claim = _CREDENTIAL.search(value)
    if claim is None:
        return Caller(directory.caller, region or DEFAULT_REGION)
    identity = directory.find(claim[1]) or directory.caller
    return Caller(identity, claim[2] or region or DEFAULT_REGION)


def claimed_access_key(request: Request) -> str | None:
    """The access key id in the Authorization header, for logs; None if it looks like none."""
    value = request.headers.get(b"authorization", b"").decode("latin-1")
    claim = _CREDENTIAL.search(value)
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
    claim, signature = parse_authorization(value.decode("latin-1"))
    identity = directory.find(claim.access_key)
    if identity is None:
        raise authentication(
            "UnrecognizedClientException", "The security token included in the request is invalid."
        )
    _check_session_token(request, identity)
    timestamp = _check_date(request, now)
    _check_scope(claim, timestamp, region)
    _check_signed_headers(request, claim)
    sent = signature.encode("latin-1")
    fitting = _signatures(request, claim, timestamp, identity.secret_key)
    if not any(hmac.compare_digest(sent, one) for one in fitting):
        raise _invalid("The signature calculated from the request is not the one it carries.")
    return Caller(identity, claim.region)


def parse_authorization(value: str) -> tuple[Claim, str]:
    """Take an Authorization header apart, into what it claims and the signature for it.

    Raises :class:`ApiError` (403 IncompleteSignatureException) unless it is SigV4 and complete.
    """
    # Without its signature the header is the same for all requests of one caller and day.
    before, _, rest = value.partition("Signature=")
    signature, _, after = rest.partition(",")
    claim = _parse_claim(before + after)
    if not signature:
        raise _incomplete("The authorization has no Signature.")
    return claim, signature.strip()


@lru_cache(maxsize=256)
def _parse_claim(value: str) -> Claim:
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"The authorization is not {ALGORITHM}.")
    components = {"Credential": "", "SignedHeaders": ""}
    for part in filter(None, (part.strip() for part in rest.split(","))):
        name, _, content = part.partition("=")
        if components.get(name) != "":
            raise _incomplete("The authorization has a part that is unknown or stands twice.")
        components[name] = content
    for name, content in components.items():
        if not content:
            raise _incomplete(f"The authorization has no {name}.")
    scope = components["Credential"].rsplit("/", 4)
    if len(scope) != 5 or not all(scope):
        raise _incomplete("The credential is not KEY/DATE/REGION/SERVICE/TERMINATOR.")
    signed = tuple(components["SignedHeaders"].split(";"))
    in_order = list(signed) == sorted({name.lower() for name in signed})
    access_key, date, region, service, terminator = scope
    return Claim(access_key, date, region, service, terminator, signed, in_order)


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


def _check_scope(claim: Claim, timestamp: str, region: str | None) -> None:
    if claim.date != timestamp[:8]:
        raise _invalid("The date of the credential scope is not that of the request.")
    if region is not None and claim.region != region:
        raise _invalid(f"The credential is not scoped to the region {region}.")
    if claim.service != SERVICE:
        raise _invalid(f"The credential is not scoped to the service {SERVICE}.")
    if claim.terminator != TERMINATOR:
        raise _invalid(f"The credential scope does not end with {TERMINATOR}.")


def _check_signed_headers(request: Request, claim: Claim) -> None:
    signed = claim.signed_headers
    if not claim.in_order:
        raise _invalid("The signed headers are not lower-case, sorted and different.")
    date = "x-amz-date" if b"x-amz-date" in request.headers else "date"
    if "host" not in signed or date not in signed:
        raise _invalid("The headers host and x-amz-date must be signed.")
    if b"x-amz-security-token" in request.headers and "x-amz-security-token" not in signed:
        raise _invalid("The header x-amz-security-token must be signed.")


def _signatures(request: Request, claim: Claim, timestamp: str, secret: str) -> Iterator[bytes]:
    """The signatures that fit the request: one for each of its canonical forms."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    declared = request.headers.get(b"x-amz-content-sha256")
    if declared is not None and declared != body_hash.encode():
        raise _invalid("X-Amz-Content-SHA256 is not the hash of the body.")
    try:
        forms = canonical_requests(request, claim.signed_headers, body_hash)
    except KeyError as error:
        raise _invalid("A signed header is not in the request.") from error
    prefix = f"{ALGORITHM}\n{timestamp}\n{claim.date}/{claim.region}/{SERVICE}/{TERMINATOR}\n"
    for form in forms:
        signer = _signer(secret, claim.date, claim.region).copy()
        signer.update((prefix + hashlib.sha256(form.encode()).hexdigest()).encode())
        yield signer.hexdigest().encode()


@lru_cache(maxsize=256)
def _signer(secret: str, date: str, region: str) -> hmac.HMAC:
    """An HMAC with the derived signing key, to be copied."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def _incomplete(message: str) -> ApiError:
    return authentication("IncompleteSignatureException", message)


def _invalid(message: str) -> ApiError:
    return authentication("InvalidSignatureException", message)
