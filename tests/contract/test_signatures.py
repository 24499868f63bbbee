"""Signature Version 4: whatever is not signed well is rejected."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from getintegration_contract.exchange import Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import NOT_FOUND, UNAUTHENTICATED
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

from .callables import Ask
from .signing import (
    ANY,
    INCOMPLETE,
    INVALID,
    MISSING,
    UNKNOWN,
    after_signing,
    authorization,
    body_after_signing,
    escaped,
    headers_after_signing,
    own_hash,
    query_after_signing,
    scope_after_signing,
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
    _row("wrong-terminator", "terminator after signing", scope_after_signing(4, "aws4_response")),
    _row("wrong-service", "service after signing", scope_after_signing(3, "s3")),
    _row("wrong-region", "region after signing", scope_after_signing(2, "nowhere-1")),
    _row("wrong-scope-date", "date after signing", scope_after_signing(1, "20200101")),
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
