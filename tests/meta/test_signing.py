"""The client signs as AWS's own signer does."""

import re
from datetime import timedelta
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from getintegration_contract.exchange import Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client

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


_text = st.text(st.characters(codec="utf-8"), max_size=12)
_odd = [".", "..", "...", "%2E", "%2e%2e", "a%2Fb", "a%5Cb", "%252e", "%00", "%FF", "caf%C3%A9", "caf%c3%a9"]
_odd += ["a%20b", "a+b", "a%2Bb", "a~b", "a*b", "a'b", "(a)", "a=b&c", "a:b@c", "a,b", "a!b$c", "", "%41%42"]
_odd += ["a;b", "a%zz"]
_words = _text.map(lambda text: quote(text, safe=""))
_segments = st.one_of(st.sampled_from(_odd), _words, _text.map(quote))
# requests-aws4auth leaves out what follows a semicolon in the last segment; no operation has one there.
_targets = st.lists(_segments, max_size=4).map(lambda segments: "/" + "/".join(segments))
_targets = _targets.filter(lambda target: ";" not in target.rpartition("/")[2])
# Queries as RFC 3986 encodes them; for others there is no rule that signers agree on.
_pairs = st.lists(st.tuples(_words, _words).map("=".join), max_size=4).map(
    lambda pairs: "?" + "&".join(pairs)
)
_queries = st.sampled_from(["", "?", "?a", "?a=", "?=b", "?b=2&a=1", "?a=1&a=0", "?b=&B=&a", "?a=%20&A=%2F"])
_values = st.sampled_from(["plain", " two  inner   spaces ", "a,b, c", 'quo"ted', "semi;colon", "tab\tbed"])
_signings = st.builds(
    Signing,
    region=st.sampled_from([None, "eu-central-1"]),
    service=st.sampled_from(["profile", "s3-like"]),
    skew=st.sampled_from([timedelta(), timedelta(hours=-25), timedelta(days=2)]),
)


@settings(
    max_examples=400,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    method=st.sampled_from(["POST", "GET", "PUT", "DELETE"]),
    target=_targets,
    query=st.one_of(_pairs, _queries),
    body=st.binary(max_size=40),
    value=_values,
    identity=st.sampled_from([CALLER, TEMPORARY]),
    signing=_signings,
)
def test_signatures_are_botocores(
    method: str, target: str, query: str, body: bytes, value: str, identity: Identity, signing: Signing
) -> None:
    client = Client("http://service.example:4566", "us-east-1")
    headers = (("Content-Type", "application/json"), ("X-Amz-Meta", value))
    request = Request(method, target + query, headers, body)
    wire = client.sign(request, identity, signing)
    written = re.sub(r",\s*", ", ", dict(wire.headers)["Authorization"])
    assert written == _botocore_authorization(wire, client.endpoint, identity, signing)
    assert (wire.target, wire.body, wire.method) == (request.target, body, method)
    assert dict(wire.headers).get("x-amz-security-token") == identity.session_token
    client.close()
