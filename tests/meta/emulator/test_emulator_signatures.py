"""Signatures: everything that botocore and requests-aws4auth sign is accepted, nothing else is."""

from __future__ import annotations

import datetime
import json
import random
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import requests
from requests_aws4auth import AWS4Auth

from getintegration_emulator.identities import DEFAULT_IDENTITIES

from ..mutants.messages import Request
from ..mutants.signing import Claim, signature

CALLER = DEFAULT_IDENTITIES["caller"]
TEMPORARY = DEFAULT_IDENTITIES["temporary"]
PATH = "/domains/shop/integrations"
BODY = b'{"Uri": "arn:flow"}'
SEGMENTS = [
    *("domains", "shop", "integrations", "delete", "", ".", "..", "%2F", "%2e%2E", "%25", "a%20b"),
    *("a+b", "~x", "a=b&c", "x;y", "(*)!", "a:b@c", "%C3%A9", "%c3%a9", "%F0%9F%98%80", "%ff"),
    *("%E2%80%A8", "%00", "%7E", "a'b", "$,", "%", "%zz", "x" * 70),
]
QUERIES = [
    *("", "", "", "max-results=5", "b=2&a=1&a=0", "x", "x=&y", "q=a%20b", "q=a+b", "q=%2B~%7E"),
    *("k=%C3%A9", "next-token=YQ%3D%3D"),
]
HEADERS = [
    {},
    {"Content-Type": "application/json"},
    {"Content-Type": "application/json; charset=utf-8", "X-Amz-Target": "a  b   c"},
    {"X-Amz-Meta-Empty": "", "X-Amz-Meta-Tab": "a\tb", "X-Amz-Meta-Latin": "caf\u00e9"},
    {"User-Agent": "odd  agent/1.0", "X-Amz-Meta-List": "b, a,c"},
    {"Accept": "*/*", "Amz-Sdk-Request": "attempt=1; max=3"},
]
AUTHENTICATION = {
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
}


def random_request(source: random.Random) -> tuple[str, str, bytes, dict[str, str]]:
    """A request that is odd in as many ways as a signer can express."""
    path = "/" + "/".join(source.choice(SEGMENTS) for _ in range(source.randint(0, 5)))
    if source.random() < 0.3:
        path += quote("".join(source.choice(string.printable) for _ in range(8)), safe="")
    query = source.choice(QUERIES)
    bodies = [
        b"",
        BODY,
        b"{",
        bytes(source.randrange(256) for _ in range(40)),
        "\u00e9\U0001f600".encode(),
    ]
    method = source.choice(["POST", "POST", "GET", "PUT", "DELETE"])
    target = path + ("?" + query if query else "")
    return method, target, source.choice(bodies), dict(source.choice(HEADERS))


@pytest.mark.parametrize("seed", range(4))
def test_everything_botocore_signs_is_accepted(wire: Any, seed: int) -> None:
    source = random.Random(seed)
    for _ in range(100):
        method, target, body, headers = random_request(source)
        identity = source.choice([CALLER, TEMPORARY])
        reply = wire.call(method, target, body, headers, identity=identity)
        assert reply.error[1] not in AUTHENTICATION, (method, target, body, headers, reply)


@pytest.mark.parametrize("seed", range(4))
def test_everything_requests_aws4auth_signs_is_accepted(wire: Any, seed: int) -> None:
    source = random.Random(1000 + seed)
    session = requests.Session()
    session.trust_env = False
    for _ in range(60):
        method, target, body, headers = random_request(source)
        headers.pop("X-Amz-Meta-Latin", None)  # requests sends it, but as other bytes than signed
        # It signs "/x" for "/x;y", since urlparse cuts the parameters off the last segment.
        target = target.replace(";", "%3B")
        who = source.choice([CALLER, TEMPORARY])
        auth = AWS4Auth(
            who.access_key, who.secret_key, wire.region, "profile", session_token=who.session_token
        )
        response = session.request(
            method, wire.url + target, data=body, headers=headers, auth=auth, timeout=10
        )
        error = response.headers.get("x-amzn-errortype")
        assert error not in AUTHENTICATION, (method, target, body, headers, response.text)


def test_no_generated_request_passes_with_another_requests_signature(wire: Any) -> None:
    source = random.Random(7)
    for _ in range(60):
        method, target, body, headers = random_request(source)
        signed = wire.signed_headers(method, target, body, headers)
        forged = wire.send(method, target, body + b" ", signed)
        assert forged.error == (403, "InvalidSignatureException"), (method, target, body, headers)


def test_a_path_that_leaves_dot_segments_in_its_signature_is_accepted(wire: Any) -> None:
    """Signers that do not normalise sign the path as sent; botocore signs the normalised one."""
    twin = wire.signed_headers("POST", "/domains/%2e%2e/integrations", BODY)
    assert wire.send("POST", "/domains/../integrations", BODY, twin).status == 403
    reply = wire.call("POST", "/domains/../integrations", BODY)
    assert reply.error == (400, "BadRequestException")


def test_date_header_instead_of_x_amz_date(wire: Any) -> None:
    reply = wire.call("POST", PATH, BODY, {"Date": "replaced by the signer"})
    assert reply.error == (404, "ResourceNotFoundException")


def test_components_in_another_order(wire: Any) -> None:
    headers = wire.signed_headers("POST", PATH, BODY)
    algorithm, _, components = headers["Authorization"].partition(" ")
    headers["Authorization"] = f"{algorithm} {', '.join(reversed(components.split(', ')))}"
    assert wire.send("POST", PATH, BODY, headers).error == (404, "ResourceNotFoundException")


def test_spaces_around_header_values_do_not_matter(wire: Any) -> None:
    signed = wire.signed_headers("POST", PATH, BODY)
    padded = {name: f"  {value} \t" for name, value in signed.items()}
    assert wire.send("POST", PATH, BODY, padded).error == (404, "ResourceNotFoundException")


def test_declared_body_hash_is_checked_even_if_signed(wire: Any) -> None:
    for declared in ("UNSIGNED-PAYLOAD", "0" * 64):
        reply = wire.call("POST", PATH, BODY, {"X-Amz-Content-SHA256": declared})
        assert reply.error == (403, "InvalidSignatureException")


Headers = dict[str, str]
Change = Callable[[Headers], Headers]


def authorization(old: str, new: str) -> Change:
    def change(headers: Headers) -> Headers:
        value = headers["Authorization"]
        assert old in value
        return {**headers, "Authorization": value.replace(old, new)}

    return change


def without(name: str) -> Change:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


def with_header(name: str, value: str) -> Change:
    return lambda headers: {**headers, name: value}


MISSING, INCOMPLETE, UNKNOWN, INVALID = (
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
)
#: Which type each kind of fault has, which the contract only observes.
TAMPERINGS: list[tuple[str, Change, str]] = [
    ("no authorization", without("Authorization"), MISSING),
    ("basic", with_header("Authorization", "Basic YTpi"), INCOMPLETE),
    ("empty", with_header("Authorization", ""), INCOMPLETE),
    ("no signed headers", authorization("SignedHeaders", "Other"), INCOMPLETE),
    ("short credential", authorization("/aws4_request", ""), INCOMPLETE),
    ("no date", without("X-Amz-Date"), INCOMPLETE),
    ("impossible date", with_header("X-Amz-Date", "20261340T000000Z"), INCOMPLETE),
    ("unknown key", authorization("CALLER001", "NOBODY001"), UNKNOWN),
    ("unasked token", with_header("X-Amz-Security-Token", "anything"), UNKNOWN),
    ("other service", authorization("/profile/", "/s3/"), INVALID),
    ("unordered headers", authorization("content-type;host", "host;content-type"), INVALID),
    ("signed header missing", without("Content-Type"), INVALID),
    ("host changed", with_header("Host", "profile.us-east-1.amazonaws.com"), INVALID),
]


@pytest.mark.parametrize(
    ("change", "expected"),
    [pytest.param(change, expected, id=name) for name, change, expected in TAMPERINGS],
)
def test_tampered_header(wire: Any, change: Change, expected: str) -> None:
    headers = wire.signed_headers("POST", PATH, BODY, {"Content-Type": "application/json"})
    assert wire.send("POST", PATH, BODY, headers).status == 404
    reply = wire.send("POST", PATH, BODY, change(headers))
    assert reply.error == (403, expected)
    assert list(reply.json) == ["message"]


@pytest.mark.parametrize(
    ("names", "status"),
    [
        ("host x-amz-date x-amz-security-token", 404),
        ("host x-amz-date", 403),
        ("host x-amz-security-token", 403),
        ("x-amz-date x-amz-security-token", 403),
        ("x-amz-date host x-amz-security-token", 403),
        ("host host x-amz-date x-amz-security-token", 403),
    ],
)
def test_right_signatures_over_too_few_or_unordered_headers(wire: Any, names: str, status: int) -> None:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": wire.host, "x-amz-date": now, "x-amz-security-token": str(TEMPORARY.session_token)}
    scope = [now[:8], wire.region, "profile", "aws4_request"]
    claim = Claim(TEMPORARY.access_key, *scope, tuple(names.split()), "")
    signed = signature(Request("POST", PATH, tuple(headers.items()), BODY), claim, TEMPORARY.secret_key)
    credential = f"Credential={'/'.join([TEMPORARY.access_key, *scope])}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names.replace(' ', ';')}, Signature={signed}"
    )
    reply = wire.send("POST", PATH, BODY, headers)
    assert reply.error == (status, INVALID if status == 403 else "ResourceNotFoundException")


def test_header_sent_as_utf_8(wire: Any) -> None:
    signed = wire.signed_headers("POST", PATH, BODY, {"X-Amz-Meta-A": "caf\u00e9"})
    for encoding in ("utf-8", "latin-1"):
        value = "caf\u00e9".encode(encoding).decode("latin-1")
        reply = wire.send("POST", PATH, BODY, {**signed, "X-Amz-Meta-A": value})
        assert reply.error == (404, "ResourceNotFoundException"), encoding


@pytest.mark.parametrize(
    ("seconds", "status"), [(-290, 404), (290, 404), (-310, 403), (310, 403), (-86400, 403)]
)
def test_clock_window(wire: Any, seconds: int, status: int) -> None:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    assert wire.call("POST", PATH, BODY, at=at).status == status


def test_session_tokens(wire: Any) -> None:
    headers = wire.signed_headers("POST", PATH, BODY, identity=TEMPORARY)
    assert wire.send("POST", PATH, BODY, headers).status == 404
    missing = without("X-Amz-Security-Token")(headers)
    assert wire.send("POST", PATH, BODY, missing).error == (403, UNKNOWN)
    wrong = wire.call("POST", PATH, BODY, identity=TEMPORARY, token="wrong")
    assert wrong.error == (403, UNKNOWN)
    expired = wire.call("POST", PATH, BODY, identity=TEMPORARY, token=TEMPORARY.expired_session_token)
    assert expired.error == (403, "ExpiredTokenException")
    unsigned = authorization(";x-amz-security-token", "")(headers)
    assert wire.send("POST", PATH, BODY, unsigned).error == (403, INVALID)


def test_presigned_request_is_refused_cleanly(wire: Any) -> None:
    target = PATH + "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA&X-Amz-Signature=00"
    assert wire.send("POST", target, BODY).error == (403, MISSING)


def test_repeated_authorization_is_incomplete(emulator: Any, wire: Any) -> None:
    value = wire.signed_headers("POST", PATH, BODY)["Authorization"]
    reply = wire.send("POST", PATH, BODY, {"Authorization": f"{value}, {value}"})
    assert reply.error == (403, INCOMPLETE)


def test_errors_repeat_no_secret(wire: Any) -> None:
    headers = wire.signed_headers("POST", PATH, BODY + b"x", identity=TEMPORARY)
    reply = wire.send("POST", PATH, BODY, headers)
    assert reply.status == 403
    assert str(TEMPORARY.session_token) not in json.dumps(reply.json)
    assert headers["Authorization"][-64:] not in json.dumps(reply.json)
