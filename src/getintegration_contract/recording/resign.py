"""How a request was signed, without secrets, so that it can be signed again for somebody else.

One that was altered after signing, or signed by nobody whom the target knows, cannot be: it is ``special``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from getintegration_contract.exchange import SERVICE, Exchange, Request, Signing
from getintegration_contract.identity import Identity

#: How a request was signed: not at all, so that it can be signed again elsewhere, or otherwise.
NONE, SIGNED, SPECIAL = "none", "signed", "special"

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
    described: dict[str, Any] = {"kind": SIGNED}
    if signing.region not in (None, region):
        described["region"] = signing.region
    if signing.service != SERVICE:
        described["service"] = signing.service
    if signing.terminator != "aws4_request":
        described["terminator"] = signing.terminator
    if signing.scope_date is not None:
        scope = datetime.strptime(signing.scope_date, "%Y%m%d").date()
        described["days"] = (scope - (datetime.now(UTC) + signing.skew).date()).days
    if signing.skew:
        described["skew"] = signing.skew.total_seconds()
    return described


def bare(request: Request, described: Mapping[str, Any]) -> Request:
    """The request without what signing added to it, and without what only fits the old connection."""
    names = _CONNECTION if described.get("kind") == NONE else (*_ADDED, *_CONNECTION)
    gone: dict[str, str | None] = dict.fromkeys(names)
    return request.with_headers(**gone)


def signing(described: Mapping[str, Any]) -> Signing | None:
    """The signing that a description gives; None for one that cannot be made again.

    Raises:
        ValueError: The description is wrong.
    """
    if described.get("kind") != SIGNED:
        return None
    try:
        skew = timedelta(seconds=float(described.get("skew", 0)))
        day = None
        if "days" in described:
            day = (datetime.now(UTC) + skew + timedelta(days=int(described["days"]))).strftime("%Y%m%d")
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    plain = Signing(skew=skew, scope_date=day)
    for name in ("region", "service", "terminator"):
        if name in described:
            if not isinstance(described[name], str):
                raise ValueError(f"{name} is no string")
            plain = replace(plain, **{name: described[name]})
    return plain
