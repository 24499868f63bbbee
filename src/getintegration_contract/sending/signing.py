"""Signs requests with requests-aws4auth, rightly or with one fault."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from requests.structures import CaseInsensitiveDict
from requests_aws4auth import AWS4Auth, PassiveAWS4Auth
from requests_aws4auth.aws4signingkey import AWS4SigningKey

from getintegration_contract.exchange import Request, Signing
from getintegration_contract.identity import Identity

_USUAL = Signing()


class Signer:
    """Signs for one endpoint and region; keys are derived once."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        self._auth: dict[tuple[Identity, Signing], AWS4Auth] = {}

    def sign(self, request: Request, identity: Identity | None, signing: Signing | None = None) -> Request:
        """The request as it goes over the wire: dated and signed, then tampered with if so asked."""
        signing = signing or _USUAL
        if identity is not None:
            key = identity.frozen(), replace(signing, tamper=None) if signing.tamper else signing
            auth = self._auth.get(key)
            if auth is None:
                auth = self._auth[key] = _auth(*key, signing.region or self._region)
            headers = CaseInsensitiveDict(request.headers)
            if signing.skew:
                headers["x-amz-date"] = (datetime.now(UTC) + signing.skew).strftime("%Y%m%dT%H%M%SZ")
            url = self._endpoint + request.target
            # As much of a prepared request as a signer looks at; nothing in it is normalised.
            auth(SimpleNamespace(method=request.method, url=url, headers=headers, body=request.body or None))
            request = replace(request, headers=tuple(headers.items()))
        return signing.tamper(request) if signing.tamper else request


def _auth(identity: Identity, signing: Signing, region: str) -> AWS4Auth:
    """What signs so; where the scope is altered, with a key of that scope."""
    secret, service = identity.secret_key, signing.service
    more: dict[str, Any] = {}
    if signing.signed_headers is not None:
        more["include_hdrs"] = signing.signed_headers
    if identity.session_token:
        more["session_token"] = identity.session_token
    if signing.terminator == _USUAL.terminator and not signing.scope_days:
        return AWS4Auth(identity.access_key, secret, region, service, **more)
    day = (datetime.now(UTC) + signing.skew + timedelta(days=signing.scope_days)).strftime("%Y%m%d")
    key = AWS4SigningKey(secret, region, service, day)
    *_, service_key = key.generate_key(secret, region, service, day, intermediates=True)
    key.key = key.sign_sha256(service_key, signing.terminator)
    key.scope = f"{day}/{region}/{service}/{signing.terminator}"
    return PassiveAWS4Auth(identity.access_key, key, **more)
