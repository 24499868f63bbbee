"""Signature Version 4: whatever is not signed well is rejected."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from getintegration_contract.exchange import SERVICE, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import NOT_FOUND, UNAUTHENTICATED, Expectation
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

from .callables import Ask
from .signing import (
    ANY,
    INCOMPLETE,
    INVALID,
    MISSING,
    UNKNOWN,
    InTwoLines,
    after_signing,
    authorization,
    headers_after_signing,
    query_after_signing,
    signature,
)

clauses = pytest.mark.clauses
#: By clause, the types that are observed.
TYPES = {
    "missing-authorization": (*MISSING, *INCOMPLETE),
    "not-sigv4": (*INCOMPLETE, *MISSING),
    "incomplete": (*INCOMPLETE, *INVALID),
    "unknown-key": UNKNOWN,
    "tampered-signature": (*INVALID, *INCOMPLETE),
    "missing-date": (*INCOMPLETE, *INVALID, *MISSING),
    "wrong-service": (*INVALID, *INCOMPLETE),
    "wrong-terminator": (*INVALID, *INCOMPLETE),
    "wrong-scope-date": (*INVALID, *INCOMPLETE),
    "unsigned-host": (),
}


def otherwise(request: Request) -> bytes:
    """A body that asks for the same integration in other bytes: the signature alone is at fault."""
    return json.dumps(json.loads(request.body), indent=2, ensure_ascii=False).encode()


def body_after_signing(body: bytes | None = None, **headers: str | None) -> Signing:
    """Changes the body after signing, by default to one that asks for the same."""
    return after_signing(
        lambda request: replace(request, body=otherwise(request) if body is None else body).with_headers(
            **headers
        )
    )


def own_hash(request: Request) -> Request:
    """The hash in the header fits the new body, but the signature does not cover it."""
    body = otherwise(request)
    return replace(request, body=body).with_headers(x_amz_content_sha256=hashlib.sha256(body).hexdigest())


def escaped(request: Request) -> Request:
    """The first letter of the domain name percent-encoded: the same name in another path."""
    start, letter, rest = request.target[:9], request.target[9], request.target[10:]
    return replace(request, target=f"{start}%{ord(letter):02X}{rest}")


def without(component: str, replacement: str = "") -> Signing:
    """Leaves a component of Authorization out, or empties it."""
    return authorization(
        lambda value: re.sub(rf"{component}=[^,]*", replacement, value).replace(" ,", "").rstrip(", ")
    )


def _moment(**ago: int) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).strftime("%Y%m%dT%H%M%SZ")


def _row(clause: str, identifier: str, signing: Signing, **altered: Any) -> object:
    """A fault: what it violates, how the request is signed, and what of the caller's keys is another."""
    return pytest.param(clause, signing, altered, id=identifier, marks=clauses(f"sigv4.{clause}"))


REJECTED = [
    _row("missing-authorization", "header removed", headers_after_signing(Authorization=None)),
    _row("missing-authorization", "header empty", headers_after_signing(Authorization="")),
    _row("not-sigv4", "basic", headers_after_signing(Authorization="Basic QUtJRDpzZWNyZXQ=")),
    _row("not-sigv4", "bearer", headers_after_signing(Authorization="Bearer eyJhbGciOiJub25lIn0.e30.")),
    _row("not-sigv4", "version 2", headers_after_signing(Authorization="AWS AKIAEXAMPLE:c2lnbmF0dXJl")),
    _row(
        "not-sigv4",
        "SHA1",
        headers_after_signing(Authorization="AWS4-HMAC-SHA1 Credential=a, SignedHeaders=host, Signature=b"),
    ),
    _row("not-sigv4", "garbage", headers_after_signing(Authorization="garbage")),
    _row("incomplete", "missing-Credential", without("Credential")),
    _row("incomplete", "missing-SignedHeaders", without("SignedHeaders")),
    _row("incomplete", "missing-Signature", without("Signature")),
    _row("incomplete", "empty-Credential", without("Credential", "Credential=")),
    _row("incomplete", "empty-SignedHeaders", without("SignedHeaders", "SignedHeaders=")),
    _row("incomplete", "empty-Signature", without("Signature", "Signature=")),
    _row("incomplete", "scope too short", authorization(lambda value: value.replace("/aws4_request", ""))),
    _row("unknown-key", "of a user", Signing(), access_key="AKIAEXAMPLEUNKNOWN01", session_token=None),
    _row("unknown-key", "of a session", Signing(), access_key="ASIAEXAMPLEUNKNOWN01", session_token=None),
    _row("unknown-key", "x", Signing(), access_key="x", session_token=None),
    _row("tampered-signature", "last digit", signature(lambda s: s[:-1] + ("1" if s.endswith("0") else "0"))),
    _row("tampered-signature", "zeros", signature(lambda s: "0" * 64)),
    _row("tampered-signature", "cut", signature(lambda s: s[:32])),
    _row("tampered-signature", "extended", signature(lambda s: s + "00")),
    _row("tampered-signature", "not hexadecimal", signature(lambda s: "z" * 64)),
    _row("tampered-body", "white space", body_after_signing()),
    _row("tampered-body", "{}", body_after_signing(b"{}")),
    _row("tampered-body", "empty", body_after_signing(b"")),
    _row("tampered-body", "no JSON", body_after_signing(b"not JSON")),
    _row("tampered-body", "its own hash", after_signing(own_hash)),
    _row(  # as SDKs sign for services of this kind: the body's hash is not sent beside it
        "tampered-body",
        "without its hash",
        replace(
            body_after_signing(x_amz_content_sha256=None),
            signed_headers=("content-type", "host", "x-amz-date"),
        ),
    ),
    _row("tampered-path", "percent-encoded", after_signing(escaped)),
    _row("tampered-query", "a=b", query_after_signing("a=b")),
    _row("tampered-query", "X-Amz-Date", query_after_signing("X-Amz-Date=20200101T000000Z")),
    _row("tampered-header", "x-amz-content-sha256", headers_after_signing(x_amz_content_sha256="0" * 64)),
    _row(
        "tampered-header",
        "content-type",
        headers_after_signing(Content_Type="application/json; charset=utf-8"),
    ),
    _row(  # within the window, but not the moment that was signed
        "tampered-header",
        "x-amz-date",
        after_signing(lambda request: request.with_headers(x_amz_date=_moment(seconds=61))),
    ),
    _row(
        "unsigned-host",
        "not signed",
        Signing(signed_headers=("content-type", "x-amz-content-sha256", "x-amz-date")),
    ),
    _row("missing-date", "no date", headers_after_signing(x_amz_date=None)),
    _row("missing-date", "empty date", headers_after_signing(x_amz_date="")),
    _row("missing-date", "yesterday", headers_after_signing(x_amz_date="yesterday")),
    _row("missing-date", "ISO 8601", headers_after_signing(x_amz_date="2026-01-01T00:00:00Z")),
    _row(  # a server that takes the present for it finds all else in order
        "missing-date",
        "no date that is signed",
        replace(
            headers_after_signing(x_amz_date=None),
            signed_headers=("content-type", "host", "x-amz-content-sha256"),
        ),
    ),
    _row("wrong-service", "service s3", Signing(service="s3")),
    _row("wrong-service", "service execute-api", Signing(service="execute-api")),
    _row("wrong-service", "service profiles", Signing(service="profiles")),
    _row("wrong-terminator", "terminator", Signing(terminator="aws4_response")),
    _row("wrong-terminator", "terminator in capitals", Signing(terminator="AWS4_REQUEST")),
    _row("wrong-scope-date", "yesterday's scope", Signing(scope_days=-1)),
    _row("wrong-scope-date", "a later day's scope", Signing(scope_days=2)),
]


@pytest.mark.parametrize(("clause", "signing", "altered"), REJECTED)
def test_rejected(
    ask: Ask,
    static_caller: Identity,
    check: Checker,
    clause: str,
    signing: Signing,
    altered: dict[str, Any],
) -> None:
    exchange = ask(identity=replace(static_caller, **altered), signing=signing)
    check.unauthenticated(exchange, f"sigv4.{clause}", *TYPES.get(clause, INVALID))


@clauses("sigv4.missing-authorization")
def test_unsigned(ask: Ask, check: Checker) -> None:
    check.unauthenticated(ask(identity=None), "sigv4.missing-authorization", *MISSING)


@clauses("sigv4.not-sigv4")
@pytest.mark.parametrize("algorithm", ["AWS4-HMAC-SHA512", "AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256"])
def test_another_algorithm_by_name(ask: Ask, check: Checker, algorithm: str) -> None:
    # All else is as it must be for AWS4-HMAC-SHA256.
    exchange = ask(signing=authorization(lambda value: value.replace("AWS4-HMAC-SHA256", algorithm, 1)))
    check.unauthenticated(exchange, "sigv4.not-sigv4", *ANY)


@clauses("sigv4.unknown-key")
def test_access_key_in_another_case(ask: Ask, static_caller: Identity, check: Checker) -> None:
    stranger = replace(static_caller, access_key=static_caller.access_key.swapcase())
    check.unauthenticated(ask(identity=stranger), "sigv4.unknown-key", *UNKNOWN)


@clauses("sigv4.wrong-secret")
@pytest.mark.parametrize("secret", ["another", "longer", "the access key"])
def test_wrong_secret(ask: Ask, static_caller: Identity, check: Checker, secret: str) -> None:
    wrong = {
        "another": "x" * 40,
        "longer": static_caller.secret_key + "x",
        "the access key": static_caller.access_key,
    }
    exchange = ask(identity=replace(static_caller, secret_key=wrong[secret]))
    check.unauthenticated(exchange, "sigv4.wrong-secret", *INVALID)


@clauses("sigv4.wrong-secret")
def test_secret_of_another_identity(
    ask: Ask, target: Target, static_caller: Identity, check: Checker
) -> None:
    secrets = {identity.frozen().secret_key for identity in target.identities.values()} - {
        static_caller.secret_key
    }
    if not secrets:
        pytest.skip("the target file names no identity with another secret")
    for secret in sorted(secrets):
        exchange = ask(identity=replace(static_caller, secret_key=secret))
        check.unauthenticated(exchange, "sigv4.wrong-secret", *INVALID)


@clauses("sigv4.wrong-secret")
def test_wrong_secret_beside_a_right_token(ask: Ask, temporary: Identity, check: Checker) -> None:
    exchange = ask(identity=replace(temporary, secret_key="x" * 40))
    check.unauthenticated(exchange, "sigv4.wrong-secret", *INVALID)


@clauses("sigv4.tampered-body")
@pytest.mark.parametrize("kilobytes", [2, 100])
def test_tampered_large_body(ask: Ask, state: State, check: Checker, kilobytes: int) -> None:
    body = json.dumps({"Uri": state.uri}).encode()
    signing = body_after_signing(body + b"\n" * 1024 * kilobytes)
    exchange = ask(body=body + b" " * 1024 * kilobytes, signing=signing)
    if exchange.response.status == 413:
        pytest.skip("the size of a request is limited before its signature is looked at")
    check.unauthenticated(exchange, "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-body")
def test_body_exchanged_under_a_signature_that_was_good(ask: Ask, client: Client, check: Checker) -> None:
    sent: list[Request] = []

    def keep(request: Request) -> Request:
        sent.append(request)
        return request

    check.ok(ask(signing=Signing(tamper=keep)))
    exchange = client.send(replace(sent[-1], body=otherwise(sent[-1])))
    check.unauthenticated(exchange, "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-path")
def test_tampered_path(ask: Ask, check: Checker) -> None:
    another = after_signing(lambda request: replace(request, target="/domains/Another/integrations"))
    exchange = ask(signing=another)
    if exchange.response.status == 404:
        check.not_exercised("the tampered path was looked at before the signature")
    else:
        check.unauthenticated(exchange, "sigv4.tampered-path", *INVALID)


@clauses("sigv4.tampered-path")
def test_slash_added_after_signing(ask: Ask, check: Checker) -> None:
    exchange = ask(signing=after_signing(lambda request: replace(request, target=request.target + "/")))
    if exchange.response.status in (404, 405):
        check.not_exercised("the tampered path was looked at before the signature")
    else:  # no operation has this path: a gateway may answer, in a form of its own
        check.expect(exchange, Expectation("sigv4.tampered-path", (UNAUTHENTICATED,), shape="none"))


@clauses("sigv4.tampered-path")
def test_path_signed_as_for_s3(
    client: Client, target: Target, static_caller: Identity, state: State, check: Checker
) -> None:
    # S3 alone wants a path signed as it is sent; all others want it encoded once more.
    request = escaped(get_integration(state.domain, state.uri))
    aws = AWSRequest(request.method, target.endpoint + request.target, dict(request.headers), request.body)
    keys = Credentials(static_caller.access_key, static_caller.secret_key, static_caller.session_token)
    S3SigV4Auth(keys, SERVICE, target.region).add_auth(aws)
    exchange = client.send(replace(request, headers=tuple(aws.headers.items())))
    check.unauthenticated(exchange, "sigv4.tampered-path", *INVALID)


@clauses("sigv4.tampered-path")
def test_replayed_for_the_existing_domain(ask: Ask, state: State, check: Checker) -> None:
    target = f"/domains/{state.domain}/integrations"
    exchange = ask("Another", signing=after_signing(lambda request: replace(request, target=target)))
    check.unauthenticated(exchange, "sigv4.tampered-path", *INVALID)


@clauses("sigv4.tampered-method")
def test_signed_for_another_method(
    client: Client, static_caller: Identity, state: State, check: Checker
) -> None:
    request = replace(get_integration(state.domain, state.uri), method="GET")
    post = after_signing(lambda signed: replace(signed, method="POST"))
    check.unauthenticated(client.send(request, static_caller, post), "sigv4.tampered-method", *INVALID)


@clauses("sigv4.tampered-header")
@pytest.mark.parametrize("signed", ["first", "second", "second,first"])
def test_header_with_a_line_that_was_not_signed(
    in_two_lines: InTwoLines, check: Checker, signed: str
) -> None:
    check.unauthenticated(in_two_lines(signed, "first", "second"), "sigv4.tampered-header", *INVALID)


@clauses("sigv4.replayed-host")
def test_signed_for_another_host(ask: Ask, target: Target, check: Checker) -> None:
    # Signed for the real service's name, sent here: what a replay against another stage looks like.
    host = target.endpoint.partition("://")[2]
    signing = Signing(tamper=lambda request: request.with_headers(Host=host))
    exchange = ask(headers={"Host": "profile.example.com"}, signing=signing)
    check.unauthenticated(exchange, "sigv4.replayed-host", *INVALID)


@clauses("sigv4.wrong-region")
@pytest.mark.parametrize("region", ["eu-central-1", "us-east-2", "nowhere"])
def test_wrong_region(ask: Ask, target: Target, check: Checker, region: str) -> None:
    if region == target.region:
        region = "us-west-2"
    exchange = ask(signing=Signing(region=region))
    # One address may lawfully serve all regions; then the integration does not exist in the other one.
    check.unauthenticated(exchange, "sigv4.wrong-region", *INVALID, lawful=(UNAUTHENTICATED, NOT_FOUND))


@clauses("sigv4.session-token")
def test_session_token(ask: Ask, temporary: Identity, state: State, check: Checker) -> None:
    check.ok(ask(identity=temporary), "sigv4.session-token", domain=state.domain, uri=state.uri)


@clauses("sigv4.missing-token")
def test_session_token_missing(ask: Ask, temporary: Identity, check: Checker) -> None:
    exchange = ask(identity=replace(temporary, session_token=None))
    check.unauthenticated(exchange, "sigv4.missing-token", *UNKNOWN, *INVALID)


@clauses("sigv4.bad-token")
@pytest.mark.parametrize("fault", ["another", "cut", "extended", "in the other case"])
def test_session_token_wrong(ask: Ask, temporary: Identity, check: Checker, fault: str) -> None:
    token = temporary.session_token or ""
    wrong = {
        "another": "x" * len(token),
        "cut": token[:-1],
        "extended": token + "x",
        "in the other case": token.swapcase(),
    }[fault]
    exchange = ask(identity=replace(temporary, session_token=wrong))
    check.unauthenticated(
        exchange, "sigv4.bad-token", *UNKNOWN, *INVALID, "ExpiredTokenException", "InvalidToken"
    )
