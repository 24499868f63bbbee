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

_CREDENTIAL = re.compile(r"Credential=([A-Za-z0-9_]{16,128})/(?:\d{8}/([A-Za-z0-9-]{1,64})/)?")
_BASIC_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")


class Caller(NamedTuple):
    """An identity and the region it spoke to: together they select the state."""

    identity: Identity
    region: str


class Claim(NamedTuple):
    """What a request says of its signature: who made it, when, for what, over which headers.

    ``timestamp`` is the request's date as it was signed, ``seconds`` the same in epoch seconds,
    ``scope`` the credential without its access key, ``signed`` the names of the signed headers.
    """

    caller: Caller
    timestamp: str
    seconds: float
    scope: str
    signed: tuple[str, ...]


class Verifier:
    """Verifies requests against a directory; ``region`` is the only one accepted, None any."""

    def __init__(self, directory: Directory, region: str | None) -> None:
        self._directory = directory
        self._region = region
        # All but the signature is the same for the requests of one caller in one second.
        self._claim = lru_cache(maxsize=512)(self._read_claim)

    def authenticate(self, request: Request, now: float) -> Caller:
        """Verify a request's signature and say who sent it; ``now`` is in epoch seconds.

        Raises :class:`ApiError` (403). Checked in this order: the header and its components, the
        access key, the session token, the form of the date, the scope, which headers are signed,
        the distance of the date from now, the signature.
        """
        headers = request.headers
        authorization = headers.get(b"authorization")
        if authorization is None:
            raise authentication(
                "MissingAuthenticationTokenException", "The request has no Authorization header."
            )
        before, _, rest = authorization.partition(b"Signature=")
        signature, _, after = rest.partition(b",")
        claim = self._claim(
            before + after,
            bool(signature),
            headers.get(b"x-amz-security-token"),
            headers.get(b"x-amz-date"),
            headers.get(b"date"),
        )
        if abs(int(now) - claim.seconds) > CLOCK_WINDOW:
            raise _invalid(f"The date of the signature, {claim.timestamp}, is too far from now.")
        secret = claim.caller.identity.secret_key
        sent = signature.strip()
        for fitting in _signatures(request, claim, secret):
            if hmac.compare_digest(sent, fitting):
                return claim.caller
        raise _invalid("The signature calculated from the request is not the one it carries.")

    def _read_claim(
        self,
        unsigned: bytes,
        has_signature: bool,
        token: bytes | None,
        amz_date: bytes | None,
        http_date: bytes | None,
    ) -> Claim:
        """Check everything but the clock and the signature.

        ``unsigned`` is the Authorization header without its Signature component, the others are
        the headers of those names.
        """
        credential, signed = _components(unsigned.decode("latin-1"))
        if not has_signature:
            raise _incomplete("The authorization has no Signature.")
        access_key, date, region, service, terminator = credential
        identity = self._directory.find(access_key)
        if identity is None:
            raise _unrecognized()
        _check_session_token(token, identity)
        timestamp, seconds = _read_date(amz_date, http_date)
        if date != timestamp[:8]:
            raise _invalid("The date of the credential scope is not that of the request.")
        if self._region is not None and region != self._region:
            raise _invalid(f"The credential is not scoped to the region {self._region}.")
        if service != SERVICE:
            raise _invalid(f"The credential is not scoped to the service {SERVICE}.")
        if terminator != TERMINATOR:
            raise _invalid(f"The credential scope does not end with {TERMINATOR}.")
        if list(signed) != sorted({name.lower() for name in signed}):
            raise _invalid("The signed headers are not lower-case, sorted and different.")
        needed = ["host", "date" if amz_date is None else "x-amz-date"]
        if token is not None:
            needed.append("x-amz-security-token")
        for name in needed:
            if name not in signed:
                raise _invalid(f"The header {name} must be signed.")
        scope = "/".join((date, region, service, terminator))
        return Claim(Caller(identity, region), timestamp, seconds, scope, signed)


def _components(unsigned: str) -> tuple[list[str], tuple[str, ...]]:
    """The five parts of the Credential and the names in SignedHeaders."""
    algorithm, _, rest = unsigned.partition(" ")
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
    credential = components["Credential"].rsplit("/", 4)
    if len(credential) != 5 or not all(credential):
        raise _incomplete("The credential is not KEY/DATE/REGION/SERVICE/TERMINATOR.")
    return credential, tuple(components["SignedHeaders"].split(";"))


def _check_session_token(sent: bytes | None, identity: Identity) -> None:
    wanted, expired = identity.session_token, identity.expired_session_token
    if sent is None and wanted is None:
        return
    if sent and expired and hmac.compare_digest(sent, expired.encode()):
        raise authentication(
            "ExpiredTokenException", "The security token included in the request is expired."
        )
    if sent is None or wanted is None or not hmac.compare_digest(sent, wanted.encode()):
        raise _unrecognized()


def _read_date(amz_date: bytes | None, http_date: bytes | None) -> tuple[str, float]:
    """The request's date, in the form of X-Amz-Date and in epoch seconds.

    X-Amz-Date comes first, then Date, which may be an HTTP date (as in the specification).
    """
    try:
        if amz_date is not None:
            match = _BASIC_DATE.fullmatch(amz_date.decode("latin-1"))
            if match is None:
                raise ValueError("not in the basic format of ISO 8601")
            year, month, day, hour, minute, second = map(int, match.groups())
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        elif http_date is not None:
            moment = parsedate_to_datetime(http_date.decode("latin-1")).astimezone(UTC)
        else:
            raise ValueError("absent")
    except (ValueError, OverflowError) as error:
        raise _incomplete(f"The date, X-Amz-Date or Date, is not usable: {error}.") from error
    return moment.strftime("%Y%m%dT%H%M%SZ"), moment.timestamp()


def _signatures(request: Request, claim: Claim, secret: str) -> Iterator[bytes]:
    """The signatures that fit the request: one for each of its canonical forms."""
    body_hash = hashlib.sha256(request.body).hexdigest()
    declared = request.headers.get(b"x-amz-content-sha256")
    if declared is not None and declared != body_hash.encode():
        raise _invalid("X-Amz-Content-SHA256 is not the hash of the body.")
    try:
        forms = canonical_requests(request, claim.signed, body_hash)
    except KeyError as error:
        raise _invalid("A signed header is not in the request.") from error
    for form in forms:
        digest = hashlib.sha256(form.encode()).hexdigest()
        text = f"{ALGORITHM}\n{claim.timestamp}\n{claim.scope}\n{digest}"
        signer = _signer(secret, claim.scope).copy()
        signer.update(text.encode())
        yield signer.hexdigest().encode()


@lru_cache(maxsize=256)
def _signer(secret: str, scope: str) -> hmac.HMAC:
    """An HMAC with the signing key derived from the secret and the scope, to be copied."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def _incomplete(message: str) -> ApiError:
    return authentication("IncompleteSignatureException", message)


def _invalid(message: str) -> ApiError:
    return authentication("InvalidSignatureException", message)


def _unrecognized() -> ApiError:
    return authentication(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )


def claimed_caller(request: Request, directory: Directory, region: str | None) -> Caller:
    """Believe the Authorization header, where signatures are not enforced.

    An unknown or missing access key means the directory's caller; a missing region means
    ``region``, or else :data:`DEFAULT_REGION`.
    """
    claim = _claimed(request)
    key, claimed_region = claim.groups() if claim else ("", None)
    identity = directory.find(key) or directory.caller
    return Caller(identity, claimed_region or region or DEFAULT_REGION)


def claimed_access_key(request: Request) -> str | None:
    """The access key id in the Authorization header, for logs; None if it looks like none."""
    claim = _claimed(request)
    return claim[1] if claim else None


def _claimed(request: Request) -> re.Match[str] | None:
    value = request.headers.get(b"authorization")
    return None if value is None else _CREDENTIAL.search(value.decode("latin-1"))
