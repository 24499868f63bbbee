"""How a request was signed, without secrets, so that it can be signed again for somebody else.

One that was altered after signing, or signed by nobody whom the target knows, cannot be: it is ``special``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity

#: How a request was signed: not at all, so that it can be signed again elsewhere, or otherwise.
NONE, SIGNED, SPECIAL = "none", "signed", "special"

#: What a signing may have otherwise than it must be, beside its moment.
_SCOPE = ("region", "service", "terminator", "scope_days")
#: What signing adds; a replay adds its own.
_ADDED = ("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
#: What only fits the connection that it was sent on.
_CONNECTION = ("host", "content-length", "transfer-encoding", "expect", "upgrade")


def describe(exchange: Exchange, known: Identity | None, region: str) -> dict[str, Any]:
    """How the request of an exchange was signed.

    Args:
        known: The identity whose name the exchange carries, with true credentials.
        region: The target's.
    """
    if exchange.signature is None:
        request = exchange.request
        by_hand = request.header("authorization") or "x-amz-signature=" in request.target.lower()
        return {"kind": SPECIAL if by_hand else NONE}
    identity, signing = exchange.signature
    altered = signing.tamper is not None or signing.signed_headers is not None
    if altered or known is None or identity.frozen() != known.frozen():
        return {"kind": SPECIAL}
    usual = Signing()
    scope = {name: getattr(signing, name) for name in _SCOPE}
    described = {name: value for name, value in scope.items() if value != getattr(usual, name)}
    if signing.region == region:
        del described["region"]
    if signing.skew:
        described["skew"] = signing.skew.total_seconds()
    return {"kind": SIGNED, **described}


def bare(request: Request, described: Mapping[str, Any]) -> Request:
    """The request without what signing added to it, and without what only fits the old connection."""
    names = _CONNECTION if described.get("kind") == NONE else (*_ADDED, *_CONNECTION)
    gone: dict[str, str | None] = dict.fromkeys(names)
    return request.with_headers(**gone)


def signing(described: Mapping[str, Any]) -> Signing:
    """The signing that the description of a signed request gives."""
    scope = {name: described[name] for name in _SCOPE if name in described}
    return Signing(skew=timedelta(seconds=described.get("skew", 0)), **scope)
