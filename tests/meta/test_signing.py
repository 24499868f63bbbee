"""The client signs as AWS's own signer does."""

import re
from datetime import timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from getintegration_contract.exchange import Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client

from .odd_requests import ENCODED_QUERIES, odd_requests

CALLER = Identity("caller", "AKIAEXAMPLE", "secret/+=key")
TEMPORARY = Identity("temporary", "ASIAEXAMPLE", "secret/+=key", "token/+==\"quoted'&token")


def _botocore_authorization(wire: Request, endpoint: str, identity: Identity, signing: Signing) -> str:
    """What botocore's own signer writes for the same request, date and headers."""
    headers = {name.lower(): value for name, value in wire.headers}
    names = re.findall(r"SignedHeaders=([^,]+)", headers["authorization"])[0]
    signed = {name: headers[name] for name in names.split(";") if name in headers}
    request = AWSRequest(wire.method, endpoint + wire.target, signed, wire.body)
    request.context["timestamp"] = headers["x-amz-date"]
    credentials = Credentials(identity.access_key, identity.secret_key, identity.session_token)
    auth = SigV4Auth(credentials, signing.service, signing.region or "us-east-1")
    signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(request)}, SignedHeaders={names}, Signature={signature}"


@pytest.mark.parametrize("seed", range(4))
def test_signatures_are_botocores(seed: int) -> None:
    client = Client("http://service.example:4566", "us-east-1")
    for source, (method, target, body, headers) in odd_requests(seed, 150, ENCODED_QUERIES):
        # requests-aws4auth leaves out what follows a semicolon in the last segment.
        request = Request(method, target.replace(";", "%3B"), tuple(headers.items()), body)
        identity = source.choice([CALLER, TEMPORARY])
        signing = Signing(
            region=source.choice([None, "eu-central-1"]),
            service=source.choice(["profile", "s3-like"]),
            skew=source.choice([timedelta(), timedelta(hours=-25), timedelta(days=2)]),
        )
        wire = client.sign(request, identity, signing)
        written = re.sub(r",\s*", ", ", dict(wire.headers)["Authorization"])
        assert written == _botocore_authorization(wire, client.endpoint, identity, signing), request
        assert (wire.target, wire.body, wire.method) == (request.target, body, method)
        assert dict(wire.headers).get("x-amz-security-token") == identity.session_token
    client.close()
