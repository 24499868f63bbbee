"""Query authentication: whatever is not signed well in the query string is rejected."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from getintegration_contract.exchange import SERVICE, Request
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

clauses = pytest.mark.clauses

_ALGORITHM, _TERMINATOR = "AWS4-HMAC-SHA256", "aws4_request"
#: Seconds that a presigned request is good for.
_EXPIRES = 60


@clauses("sigv4.query-authentication")
@pytest.mark.parametrize(
    "fault", ["two digits", "last digit", "wrong secret", "unknown key", "expired", "another body"]
)
def test_wrong_signature_in_the_query(
    client: Client,
    target: Target,
    static_caller: Identity,
    state: State,
    check: Checker,
    fault: str,
) -> None:
    who: dict[str, dict[str, Any]] = {
        "wrong secret": {"secret_key": "x" * 40},
        "unknown key": {"access_key": "AKIAEXAMPLEUNKNOWN01"},
    }
    moment = datetime.now(UTC) - (timedelta(hours=1) if fault == "expired" else timedelta())
    identity = replace(static_caller, **who.get(fault, {}))
    request = presigned(get_integration(state.domain, state.uri), identity, target, moment)
    if fault in ("two digits", "last digit"):
        head, signature = request.target.rsplit("=", 1)
        altered = "00" if fault == "two digits" else signature[:-1] + ("1" if signature[-1] == "0" else "0")
        request = replace(request, target=f"{head}={altered}")
    elif fault == "another body":
        request = replace(request, body=request.body + b" ")
    check.unauthenticated(client.send(request), "sigv4.query-authentication")


def presigned(request: Request, identity: Identity, target: Target, moment: datetime) -> Request:
    """The request with Signature Version 4 in its query, made by hand."""
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    scope = (stamp[:8], target.region, SERVICE, _TERMINATOR)
    parameters = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": "/".join((identity.access_key, *scope)),
        "X-Amz-Date": stamp,
        "X-Amz-Expires": str(_EXPIRES),
        "X-Amz-SignedHeaders": "host",
    }
    if identity.session_token:
        parameters["X-Amz-Security-Token"] = identity.session_token
    query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
    address = urlsplit(target.endpoint)
    host = address.netloc.removesuffix(":443" if address.scheme == "https" else ":80")
    body_hash = hashlib.sha256(request.body).hexdigest()
    canonical = f"{request.method}\n{quote(request.target, safe='/-_.~')}\n{query}\n"
    canonical += f"host:{host}\n\nhost\n{body_hash}"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{identity.secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join((_ALGORITHM, stamp, "/".join(scope), digest))
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return replace(request, target=f"{request.target}?{query}&X-Amz-Signature={signature}")
