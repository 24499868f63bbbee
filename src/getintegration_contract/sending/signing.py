"""Signs requests with requests-aws4auth, rightly or with one fault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from requests.structures import CaseInsensitiveDict
from requests_aws4auth import AWS4Auth, PassiveAWS4Auth
from requests_aws4auth.aws4signingkey import AWS4SigningKey

from getintegration_contract.exchange import Request, Signing
from getintegration_contract.identity import Identity


@dataclass
class _Signable:
    """As much of a prepared request as a signer looks at; nothing in it is normalised."""

    method: str
    url: str
    headers: CaseInsensitiveDict[str]
    body: bytes | None


class Signer:
    """Signs for one endpoint and region; keys are derived once."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        self._auth: dict[tuple[object, ...], AWS4Auth] = {}

    def sign(self, request: Request, identity: Identity | None, signing: Signing | None = None) -> Request:
        """The request as it goes over the wire: dated and signed, then tampered with if so asked."""
        signing = signing or Signing()
        if identity is not None:
            headers = CaseInsensitiveDict(request.headers)
            if signing.skew:
                headers["x-amz-date"] = (datetime.now(UTC) + signing.skew).strftime("%Y%m%dT%H%M%SZ")
            url = self._endpoint + request.target
            signable = _Signable(request.method, url, headers, request.body or None)
            self._auth_for(identity, signing)(signable)
            request = replace(request, headers=tuple(headers.items()))
        return signing.tamper(request) if signing.tamper else request

    def _auth_for(self, identity: Identity, signing: Signing) -> AWS4Auth:
        scope = (signing.region, signing.service, signing.terminator, signing.scope_days, signing.skew)
        key = (identity, *scope, signing.signed_headers)
        if key not in self._auth:
            self._auth[key] = _auth(identity, signing.region or self._region, signing)
        return self._auth[key]


def _auth(identity: Identity, region: str, signing: Signing) -> AWS4Auth:
    more: dict[str, Any] = {}
    if signing.signed_headers is not None:
        more["include_hdrs"] = signing.signed_headers
    altered = signing.terminator != "aws4_request" or signing.scope_days != 0
    if identity.refreshable is not None:
        if altered:
            raise ValueError("only static credentials can be signed with another scope")
        return AWS4Auth(
            refreshable_credentials=identity.refreshable, region=region, service=signing.service, **more
        )
    if identity.session_token:
        more["session_token"] = identity.session_token
    if not altered:
        return AWS4Auth(identity.access_key, identity.secret_key, region, signing.service, **more)
    date = datetime.now(UTC) + signing.skew + timedelta(days=signing.scope_days)
    day = date.strftime("%Y%m%d")
    signing_key = AWS4SigningKey(identity.secret_key, region, signing.service, day)
    derived = f"AWS4{identity.secret_key}".encode()
    for part in (day, region, signing.service, signing.terminator):
        derived = AWS4SigningKey.sign_sha256(derived, part)
    signing_key.key = derived
    signing_key.scope = f"{day}/{region}/{signing.service}/{signing.terminator}"
    return PassiveAWS4Auth(identity.access_key, signing_key, **more)
