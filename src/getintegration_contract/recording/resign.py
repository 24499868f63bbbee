"""How a request was signed, told without secrets, so that it can be signed again for somebody else.

A signature that fits what went over the wire is described by its scope and its date. One that does not,
because something was altered after signing, cannot be made again for another endpoint: it is ``special``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from getintegration_contract.exchange import SERVICE, Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client

NONE, SIGNED, SPECIAL = "none", "signed", "special"

_SCOPE = re.compile(r"Credential=[^/,\s]+/(\d{8})/([^/,\s]+)/([^/,\s]+)/([^/,\s]+)")
_DATE = "%Y%m%dT%H%M%SZ"
#: What signing adds; a replay adds its own.
_ADDED = ("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token")
#: What only fits the connection that it was sent on.
_CONNECTION = ("host", "content-length", "transfer-encoding", "expect", "upgrade")
#: Seconds by which a date may differ from the moment of sending without being meant.
_TOLERANCE = 30


def describe(client: Client, identity: Identity | None, exchange: Exchange) -> dict[str, Any]:
    """How the request of an exchange was signed.

    Args:
        client: Signs again, for the region of the target; nothing is sent.
        identity: Whose name the exchange carries, with true credentials.
        exchange: Byte for byte as it was sent.
    """
    request = exchange.request
    authorization = request.header("authorization")
    if authorization is None:
        return {"kind": NONE}
    scope, date = _SCOPE.search(authorization), request.header("x-amz-date")
    token = request.header("x-amz-security-token")
    if identity is None or scope is None or date is None or token != _token(identity):
        return {"kind": SPECIAL}
    day, region, service, terminator = scope.groups()
    try:
        moment = datetime.strptime(date, _DATE).replace(tzinfo=UTC)
        signing = Signing(
            region=region,
            service=service,
            terminator=terminator,
            scope_date=None if day == date[:8] else day,
        )
        again = client.sign(request.with_headers(authorization=None), identity, signing)
    except Exception:  # whatever cannot even be signed again is no ordinary signature
        return {"kind": SPECIAL}
    if _headers(again) != _headers(request):
        return {"kind": SPECIAL}
    told: dict[str, Any] = {"kind": SIGNED}
    if region != client.region:
        told["region"] = region
    if service != SERVICE:
        told["service"] = service
    if terminator != "aws4_request":
        told["terminator"] = terminator
    if signing.scope_date is not None:
        told["days"] = (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date() - moment.date()).days
    skew = moment.timestamp() - exchange.started
    if abs(skew) > _TOLERANCE:
        told["skew"] = round(skew, -1)  # dates have whole seconds, and sending takes its time
    return told


def bare(request: Request, told: Mapping[str, Any]) -> Request:
    """The request without what signing added to it, and without what only fits the old connection."""
    names = _CONNECTION if told.get("kind") == NONE else (*_ADDED, *_CONNECTION)
    gone: dict[str, str | None] = dict.fromkeys(names)
    return request.with_headers(**gone)


def signing(told: Mapping[str, Any]) -> Signing | None:
    """The signing that a description tells; None for one that cannot be made again.

    Raises:
        ValueError: The description is wrong.
    """
    if told.get("kind") != SIGNED:
        return None
    try:
        skew = timedelta(seconds=float(told.get("skew", 0)))
        day = None
        if "days" in told:
            day = (datetime.now(UTC) + skew + timedelta(days=int(told["days"]))).strftime("%Y%m%d")
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from None
    plain = Signing(skew=skew, scope_date=day)
    for name in ("region", "service", "terminator"):
        if name in told:
            if not isinstance(told[name], str):
                raise ValueError(f"{name} is no string")
            plain = replace(plain, **{name: told[name]})
    return plain


def _headers(request: Request) -> list[tuple[str, str]]:
    return sorted((name.lower(), value) for name, value in request.headers)


def _token(identity: Identity) -> str | None:
    if identity.refreshable is not None:
        token: str | None = identity.refreshable.get_frozen_credentials().token
        return token
    return identity.session_token
