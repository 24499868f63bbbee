"""Who sent a request, verified: AWS Signature Version 4 in the Authorization header.

The error types were observed on AWS services of this kind, all with status 403. Signatures in the query
string (presigned requests) are not supported: a request without an Authorization header is unsigned.
"""

import hashlib
import hmac
import posixpath
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_plus, unquote_to_bytes

from .errors import ApiError, incomplete, invalid, unrecognized
from .identities import Identity
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


Caller = tuple[Identity, str]
"""An identity and the region it spoke to: together they select the state."""


class Claim(NamedTuple):
    """What a request says of its signature, checked.

    ``seconds`` is the request's date in epoch seconds, ``signed`` the names of the signed headers, ``prefix``
    the string to sign up to the hash at its end, ``key`` the key that signs it.
    """

    caller: Caller
    seconds: float
    signed: list[str]
    prefix: str
    key: bytes


class Directory:
    """All identities; the caller is the one of that name, or else the first.

    ``region`` is the only one accepted; None accepts any.
    """

    def __init__(self, identities: Mapping[str, Identity], region: str | None) -> None:
        self._by_key = {identity.access_key: identity for identity in identities.values()}
        self._caller = identities.get("caller") or next(iter(identities.values()))
        self._region = region
        # All but the signature is the same for the requests of one caller in one second.
        self._claim = lru_cache(maxsize=512)(self._read_claim)

    def believe(self, request: Request) -> Caller:
        """Who sent a request, according to its Authorization header alone.

        Without a known access key it is the caller; without a region, the accepted one or else
        :data:`DEFAULT_REGION`.
        """
        key, region = claimed_credential(request)
        return self._by_key.get(key, self._caller), region or self._region or DEFAULT_REGION

    def authenticate(self, request: Request) -> Caller:
        """Verify a request's signature; return who sent it.

        Raises :class:`ApiError` (403). Checked in this order: the header and its components, the
        access key, the session token, the form of the date, the scope, which headers are signed,
        the distance of the date from now, the signature.
        """
        headers = request.headers
        authorization = headers.get(b"authorization")
        if authorization is None:
            message = "The request has no Authorization header."
            raise ApiError(403, "MissingAuthenticationTokenException", message, "message")
        before, name, rest = authorization.partition(b"Signature=")
        signature, _, after = rest.partition(b",")
        claim = self._claim(
            before + (name + b"any," if signature else b"") + after,
            headers.get(b"x-amz-security-token"),
            headers.get(b"x-amz-date"),
            headers.get(b"date"),
        )
        if abs(int(time.time()) - claim.seconds) > CLOCK_WINDOW:
            raise invalid(f"The date of the request is more than {CLOCK_WINDOW // 60} minutes from now.")
        if signature.strip() in _signatures(request, claim):
            return claim.caller
        raise invalid("The signature calculated from the request is not the one it carries.")

    def _read_claim(
        self, unsigned: bytes, token: bytes | None, amz_date: bytes | None, http_date: bytes | None
    ) -> Claim:
        """Check everything but the clock and the signature.

        ``unsigned`` is the Authorization header with any signature, the others are headers.
        """
        credential, signed = _components(unsigned.decode("latin-1"))
        access_key, date, region, service, terminator = credential
        identity = self._by_key.get(access_key)
        if identity is None:
            raise unrecognized()
        _check_session_token(token, identity)
        moment = _read_date(amz_date, http_date)
        accepted, ordered = self._region or region, sorted({name.lower() for name in signed})
        for right, message in (
            (date == f"{moment:%Y%m%d}", "The date of the credential scope is not that of the request."),
            (region == accepted, f"The credential is not scoped to the region {accepted}."),
            (service == SERVICE, f"The credential is not scoped to the service {SERVICE}."),
            (terminator == TERMINATOR, f"The credential scope does not end with {TERMINATOR}."),
            (signed == ordered, "The signed headers must be lower-case, sorted and unique."),
        ):
            if not right:
                raise invalid(message)
        needed = {"host", "date" if amz_date is None else "x-amz-date"}
        if token is not None:
            needed.add("x-amz-security-token")
        if missing := needed.difference(signed):
            raise invalid(f"The header {min(missing)} must be signed.")
        prefix = f"{ALGORITHM}\n{moment:%Y%m%dT%H%M%SZ}\n{'/'.join(credential[1:])}\n"
        key = f"AWS4{identity.secret_key}".encode()
        for part in credential[1:]:
            key = hmac.digest(key, part.encode(), "sha256")
        return Claim((identity, region), moment.timestamp(), signed, prefix, key)


def _components(authorization: str) -> tuple[list[str], list[str]]:
    """The five parts of the Credential and the names in SignedHeaders."""
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise incomplete(f"The authorization is not {ALGORITHM}.")
    pairs = sorted(part.strip().partition("=")[::2] for part in rest.split(",") if part.strip())
    wanted = ["Credential", "Signature", "SignedHeaders"]
    if [name for name, _ in pairs] != wanted or not all(value for _, value in pairs):
        raise incomplete("The authorization must have one Credential, one SignedHeaders, one Signature.")
    credential = pairs[0][1].rsplit("/", 4)
    if len(credential) != 5 or not all(credential):
        raise incomplete("The credential is not KEY/DATE/REGION/SERVICE/TERMINATOR.")
    return credential, pairs[2][1].split(";")


def _check_session_token(sent: bytes | None, identity: Identity) -> None:
    right, expired = (
        token and token.encode() for token in (identity.session_token, identity.expired_session_token)
    )
    if sent and sent == expired:
        message = "The security token included in the request is expired."
        raise ApiError(403, "ExpiredTokenException", message, "message")
    if sent != right:
        raise unrecognized()


def _read_date(amz_date: bytes | None, http_date: bytes | None) -> datetime:
    """The request's date: X-Amz-Date comes first, then Date, an HTTP date (as in the specification)."""
    try:
        if amz_date is not None:
            if not re.fullmatch(rb"[0-9]{8}T[0-9]{6}Z", amz_date):
                raise ValueError("not in the basic format of ISO 8601")
            return datetime.fromisoformat(amz_date.decode())
        if http_date is not None:
            return parsedate_to_datetime(http_date.decode("latin-1")).astimezone(UTC)
        raise ValueError("absent")
    except (ValueError, OverflowError) as error:
        raise incomplete(f"The request date (X-Amz-Date or Date) is unusable: {error}.") from error


def _signatures(request: Request, claim: Claim) -> Iterator[bytes]:
    """The signatures that fit the request, one for each canonical form of it, the most usual one first.

    Source: "Create a signed AWS API request" in the IAM user guide. Where that leaves a choice and
    signers differ, every form that some signer uses is accepted. Each of them binds the whole request,
    so accepting them all does not let a changed request pass:

    - path: dot segments and double slashes removed, as the specification says and botocore and
      requests-aws4auth do, or left as they are; then every segment is encoded once more;
    - query: each name and value decoded and encoded again, as the specification says, with ``+`` for
      itself or for a space (requests-aws4auth), or taken as it is (botocore).
    """
    body_hash = hashlib.sha256(request.body).hexdigest()
    if request.headers.get(b"x-amz-content-sha256", body_hash.encode()) != body_hash.encode():
        raise invalid("X-Amz-Content-SHA256 is not the hash of the body.")
    try:
        headers = [f"{name}:{_header_text(request.headers[name.encode()])}\n" for name in claim.signed]
    except KeyError as error:
        raise invalid("A signed header is not in the request.") from error
    tail = f"{''.join(headers)}\n{';'.join(claim.signed)}\n{body_hash}"
    for path in _canonical_paths(request.path):
        for query in _canonical_queries(request.query) if request.query else ("",):
            form = f"{request.method}\n{path}\n{query}\n{tail}"
            text = claim.prefix + hashlib.sha256(form.encode()).hexdigest()
            yield hmac.digest(claim.key, text.encode(), "sha256").hex().encode()


def _header_text(value: bytes) -> str:
    """Trim a header value and make every run of spaces one space."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return " ".join(text.split())


@lru_cache(maxsize=1024)
def _canonical_paths(path: bytes) -> tuple[str, ...]:
    forms = (_remove_dot_segments(path), path)
    return tuple(dict.fromkeys(quote(form, safe="/~") for form in forms))


def _remove_dot_segments(path: bytes) -> bytes:
    """RFC 3986, 5.2.4, and every run of slashes made one."""
    normal = posixpath.normpath(b"/" + path.lstrip(b"/"))
    return normal + b"/" if path.endswith(b"/") and normal != b"/" else normal


def _canonical_queries(query: bytes) -> Iterable[str]:
    pairs = [pair.partition(b"=")[::2] for pair in query.split(b"&")]
    encodings: tuple[Callable[[bytes], str], ...] = (
        lambda part: quote(unquote_to_bytes(part), safe="-_.~"),
        lambda part: quote(unquote_plus(part.decode("latin-1")), safe="-_.~"),
        lambda part: part.decode("latin-1"),
    )
    encoded = (sorted((encode(name), encode(value)) for name, value in pairs) for encode in encodings)
    return dict.fromkeys("&".join(f"{name}={value}" for name, value in form) for form in encoded)


def claimed_credential(request: Request) -> tuple[str, str]:
    """The access key and the region in the Authorization header, each empty if it does not have one."""
    match = _CREDENTIAL.search(request.headers.get(b"authorization", b"").decode("latin-1"))
    return (match[1], match[2] or "") if match else ("", "")
