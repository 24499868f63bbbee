"""Faults of a signature: what is changed after signing, and the types of the errors that name it."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace

from getintegration_contract.exchange import Exchange, Request, Signing

from .callables import Change

#: Types that AWS's services give, by fault.
MISSING = ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
INCOMPLETE = ("IncompleteSignatureException", "IncompleteSignature")
UNKNOWN = ("UnrecognizedClientException", "UnrecognizedClient", "InvalidClientTokenId")
INVALID = ("InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed")
ANY = (*MISSING, *INCOMPLETE, *UNKNOWN, *INVALID)

#: Sends a header in two lines, signed as one value.
InTwoLines = Callable[..., Exchange]


def after_signing(change: Callable[[Request], Request]) -> Signing:
    """Changes the request after signing."""
    return Signing(tamper=change)


def headers_after_signing(**headers: str | None) -> Signing:
    """Changes headers after signing."""
    return after_signing(lambda request: request.with_headers(**headers))


def authorization(change: Change) -> Signing:
    """Rewrites the Authorization header after signing."""
    return after_signing(
        lambda request: request.with_headers(Authorization=change(request.header("authorization") or ""))
    )


def scope_after_signing(part: int, other: str) -> Signing:
    """Names another date (1), region (2), service (3) or terminator (4) than those that were signed."""
    before = f"(Credential=(?:[^/,]*/){{{part}}})[^/,]*"
    return authorization(lambda value: re.sub(before, rf"\g<1>{other}", value))


def signature(change: Change) -> Signing:
    """Rewrites the signature alone."""
    return authorization(lambda value: "=".join((value.rsplit("=", 1)[0], change(value.rsplit("=", 1)[1]))))


def query_after_signing(query: str) -> Signing:
    """Adds a query after signing."""
    return after_signing(lambda request: replace(request, target=f"{request.target}?{query}"))


def otherwise(request: Request) -> bytes:
    """A body that asks for the same integration in other bytes: the signature alone is at fault."""
    return json.dumps(json.loads(request.body), indent=2, ensure_ascii=False).encode()


def body_after_signing(body: bytes | None = None, **headers: str | None) -> Signing:
    """Changes the body after signing, by default to one that asks for the same."""
    return after_signing(
        lambda request: replace(request, body=otherwise(request) if body is None else body).with_headers(
            **headers
        )
    )


def own_hash(request: Request) -> Request:
    """The hash in the header fits the new body, but the signature does not cover it."""
    body = otherwise(request)
    return replace(request, body=body).with_headers(x_amz_content_sha256=hashlib.sha256(body).hexdigest())


def escaped(request: Request) -> Request:
    """The first letter of the domain name percent-encoded: the same name in another path."""
    start, letter, rest = request.target[:9], request.target[9], request.target[10:]
    return replace(request, target=f"{start}%{ord(letter):02X}{rest}")
