"""Signatures: all that botocore and requests-aws4auth sign is accepted, and nothing that was forged.

What the contract says of signatures, the suite asks of the emulator; here is what it leaves open.
"""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
import requests
from requests_aws4auth import AWS4Auth

from getintegration_emulator.identities import DEFAULT_IDENTITIES

from ..mutants.messages import Request
from ..mutants.signing import Claim, signature
from ..odd_requests import odd_requests

CALLER = DEFAULT_IDENTITIES["caller"]
TEMPORARY = DEFAULT_IDENTITIES["temporary"]
PATH = "/domains/shop/integrations"
BODY = b'{"Uri": "arn:flow"}'
MISSING, INCOMPLETE, UNKNOWN, INVALID, EXPIRED = AUTHENTICATION = (
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
)
ACCEPTED = (404, "ResourceNotFoundException")

Headers = dict[str, str]


@pytest.mark.parametrize("seed", range(4))
def test_what_botocore_signs_is_accepted_and_forged_is_not(wire: Any, seed: int) -> None:
    for source, (method, target, body, headers) in odd_requests(seed, 100):
        who = source.choice([CALLER, TEMPORARY])
        signed = wire.signed_headers(method, target, body, headers, identity=who)
        reply = wire.send(method, target, body, signed)
        assert reply.error[1] not in AUTHENTICATION, (method, target, body, headers, reply)
        forged = wire.send(method, target, body + b" ", signed)
        assert forged.error == (403, INVALID), (method, target, body, headers)
        for secret in (signed["Authorization"][-64:], str(TEMPORARY.session_token)):
            assert secret.encode() not in forged.body


def test_everything_requests_aws4auth_signs_is_accepted(wire: Any) -> None:
    session = requests.Session()
    session.trust_env = False
    for source, (method, target, body, headers) in odd_requests(1000, 200):
        # It signs "/x" for "/x;y", since urlparse cuts the parameters off the last segment.
        url = wire.url + target.replace(";", "%3B")
        who = source.choice([CALLER, TEMPORARY])
        auth = AWS4Auth(
            who.access_key, who.secret_key, wire.region, "profile", session_token=who.session_token
        )
        answer = session.request(method, url, data=body, headers=headers, auth=auth, timeout=10)
        error = answer.headers.get("x-amzn-errortype")
        assert error not in AUTHENTICATION, (method, target, body, headers, answer.text)


def test_a_path_that_leaves_dot_segments_in_its_signature_is_accepted(wire: Any) -> None:
    """Signers that do not normalise sign the path as sent; botocore signs the normalised one."""
    twin = wire.signed_headers("POST", "/domains/%2e%2e/integrations", BODY)
    assert wire.send("POST", "/domains/../integrations", BODY, twin).status == 403
    assert wire.call("POST", "/domains/../integrations", BODY).error == (400, "BadRequestException")
    assert wire.call("POST", "//", BODY).error == (404, "UnknownOperationException")


def _authorization(change: Callable[[str], str]) -> Callable[[Headers], Headers]:
    return lambda headers: {**headers, "Authorization": change(headers["Authorization"])}


def _reversed(value: str) -> str:
    algorithm, _, components = value.partition(" ")
    return f"{algorithm} {', '.join(reversed(components.split(', ')))}"


#: Headers in an odd form, and what is answered.
ODD: dict[str, tuple[Callable[[Headers], Headers], tuple[int, str]]] = {
    "components in another order": (_authorization(_reversed), ACCEPTED),
    "spaces": (lambda headers: {name: f"  {value} \t" for name, value in headers.items()}, ACCEPTED),
    "repeated": (_authorization(lambda value: f"{value}, {value}"), (403, INCOMPLETE)),
    "unordered headers": (
        _authorization(lambda value: value.replace("content-type;host", "host;content-type")),
        (403, INVALID),
    ),
}


@pytest.mark.parametrize(("change", "expected"), ODD.values(), ids=ODD)
def test_a_header_in_an_odd_form(wire: Any, change: Any, expected: tuple[int, str]) -> None:
    headers = wire.signed_headers("POST", PATH, BODY, {"Content-Type": "application/json"})
    reply = wire.send("POST", PATH, BODY, change(headers))
    assert reply.error == expected
    assert expected == ACCEPTED or "message" in reply.document, "as a front end spells it"


def test_headers_that_signers_may_add(wire: Any) -> None:
    assert wire.call("POST", PATH, BODY, {"Date": "in the place of X-Amz-Date"}).error == ACCEPTED
    for value in ("UNSIGNED-PAYLOAD", "0" * 64):
        assert wire.call("POST", PATH, BODY, {"X-Amz-Content-SHA256": value}).error == (403, INVALID)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("host x-amz-date x-amz-security-token", ACCEPTED),
        ("host x-amz-date", (403, INVALID)),
        ("host x-amz-security-token", (403, INVALID)),
        ("x-amz-date x-amz-security-token", (403, INVALID)),
        ("x-amz-date host x-amz-security-token", (403, INVALID)),
        ("host host x-amz-date x-amz-security-token", (403, INVALID)),
        ("host x-amz-content-sha256 x-amz-date x-amz-security-token", (403, INVALID)),
    ],
)
def test_right_signatures_over_headers_that_are_wrong(
    wire: Any, names: str, expected: tuple[int, str]
) -> None:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": wire.host, "x-amz-date": now, "x-amz-security-token": str(TEMPORARY.session_token)}
    if "sha256" in names:
        headers["x-amz-content-sha256"] = "0" * 64  # which is signed, and not the body's
    scope = [now[:8], wire.region, "profile", "aws4_request"]
    claim = Claim(TEMPORARY.access_key, *scope, tuple(names.split()), "")
    signed = signature(Request("POST", PATH, tuple(headers.items()), BODY), claim, TEMPORARY.secret_key)
    credential = f"Credential={'/'.join([TEMPORARY.access_key, *scope])}"
    listed = f"SignedHeaders={names.replace(' ', ';')}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 {credential}, {listed}, Signature={signed}"
    assert wire.send("POST", PATH, BODY, headers).error == expected


def test_header_sent_as_utf_8(wire: Any) -> None:
    signed = wire.signed_headers("POST", PATH, BODY, {"X-Amz-Meta-A": "caf\u00e9"})
    for encoding in ("utf-8", "latin-1"):
        value = "caf\u00e9".encode(encoding).decode("latin-1")
        assert wire.send("POST", PATH, BODY, {**signed, "X-Amz-Meta-A": value}).error == ACCEPTED, encoding


@pytest.mark.parametrize(
    ("identity", "token", "expected"),
    [(TEMPORARY, TEMPORARY.expired_session_token, EXPIRED), (CALLER, "anything", UNKNOWN)],
)
def test_session_tokens(wire: Any, identity: Any, token: str | None, expected: str) -> None:
    reply = wire.call("POST", PATH, BODY, identity=identity, token=token)
    assert reply.error == (403, expected)
    assert str(token) not in reply.document["message"]
