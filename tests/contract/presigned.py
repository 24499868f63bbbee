"""Query authentication: Signature Version 4 in the query string, signed by hand."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from getintegration_contract.exchange import SERVICE, Request
from getintegration_contract.identity import Identity
from getintegration_contract.target.target import Target

_ALGORITHM, _TERMINATOR = "AWS4-HMAC-SHA256", "aws4_request"
#: Seconds that a presigned request is good for.
_EXPIRES = 60


@dataclass(frozen=True)
class Presigner:
    """Presigns requests for one target in an identity's name."""

    target: Target
    identity: Identity

    def presign(self, request: Request, *, age: timedelta = timedelta()) -> Request:
        """The request with its authentication in the query, signed some time ago."""
        stamp = (datetime.now(UTC) - age).strftime("%Y%m%dT%H%M%SZ")
        scope = (stamp[:8], self.target.region, SERVICE, _TERMINATOR)
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": "/".join((self.identity.access_key, *scope)),
            "X-Amz-Date": stamp,
            "X-Amz-Expires": str(_EXPIRES),
            "X-Amz-SignedHeaders": "host",
        }
        if self.identity.session_token:
            parameters["X-Amz-Security-Token"] = self.identity.session_token
        query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        body_hash = hashlib.sha256(request.body).hexdigest()
        canonical = f"{request.method}\n{quote(request.target, safe='/-_.~')}\n{query}\n"
        canonical += f"host:{self._host()}\n\nhost\n{body_hash}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{self.identity.secret_key}".encode()
        for part in scope:
            key = hmac.digest(key, part.encode(), "sha256")
        text = "\n".join((_ALGORITHM, stamp, "/".join(scope), digest))
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        return replace(request, target=f"{request.target}?{query}&X-Amz-Signature={signature}")

    def _host(self) -> str:
        address = urlsplit(self.target.endpoint)
        return address.netloc.removesuffix(":443" if address.scheme == "https" else ":80")
