"""Signature Version 4: what is signed well is served, everything else is rejected."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import NOT_FOUND, OK, UNAUTHENTICATED, Allowed, Expectation
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.pipeline import PipelinedRequest, pipeline
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

from .callables import Ask, Change
from .presigned import Presigner

clauses = pytest.mark.clauses

#: Seconds that the target's clock may be off this machine's.
CLOCK = 45

MISSING = ("MissingAuthenticationTokenException", "MissingAuthenticationToken")
INCOMPLETE = ("IncompleteSignatureException", "IncompleteSignature")
UNKNOWN = ("UnrecognizedClientException", "UnrecognizedClient", "InvalidClientTokenId")
INVALID = ("InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed")
ANY = (*MISSING, *INCOMPLETE, *UNKNOWN, *INVALID)


def authorization(change: Change) -> Signing:
    """Rewrites the Authorization header after signing."""

    def tamper(request: Request) -> Request:
        value = dict(request.headers)["Authorization"]
        return request.with_headers(Authorization=change(value))

    return Signing(tamper=tamper)


def after_signing(**changes: Any) -> Signing:
    """Changes parts of the request after signing."""
    return Signing(tamper=lambda request: replace(request, **changes))


def headers_after_signing(**headers: str | None) -> Signing:
    """Changes headers after signing."""
    return Signing(tamper=lambda request: request.with_headers(**headers))


@clauses("sigv4.missing-authorization")
@pytest.mark.parametrize("kind", ["unsigned", "header removed", "header empty"])
def test_no_authorization(ask: Ask, check: Checker, kind: str) -> None:
    exchange = {
        "unsigned": lambda: ask(identity=None),
        "header removed": lambda: ask(signing=headers_after_signing(Authorization=None)),
        "header empty": lambda: ask(signing=headers_after_signing(Authorization="")),
    }[kind]()
    types = (*MISSING, *INCOMPLETE) if kind == "header empty" else MISSING
    check.unauthenticated(exchange, "sigv4.missing-authorization", *types)


@clauses("sigv4.not-sigv4")
@pytest.mark.parametrize(
    "value",
    [
        "Basic QUtJRDpzZWNyZXQ=",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "AWS AKIAEXAMPLE:c2lnbmF0dXJl",
        "AWS4-HMAC-SHA1 Credential=a, SignedHeaders=host, Signature=b",
        "garbage",
    ],
    ids=["basic", "bearer", "version 2", "SHA1", "garbage"],
)
def test_not_sigv4(ask: Ask, check: Checker, value: str) -> None:
    exchange = ask(signing=headers_after_signing(Authorization=value))
    check.unauthenticated(exchange, "sigv4.not-sigv4", *INCOMPLETE, *MISSING)


@clauses("sigv4.not-sigv4")
@pytest.mark.parametrize("algorithm", ["AWS4-HMAC-SHA512", "AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256"])
def test_another_algorithm_by_name(ask: Ask, check: Checker, algorithm: str) -> None:
    # All else is as it must be for AWS4-HMAC-SHA256.
    exchange = ask(signing=authorization(lambda value: value.replace("AWS4-HMAC-SHA256", algorithm, 1)))
    check.unauthenticated(exchange, "sigv4.not-sigv4", *ANY)


@clauses("sigv4.incomplete")
@pytest.mark.parametrize("component", ["Credential", "SignedHeaders", "Signature"])
@pytest.mark.parametrize("fault", ["missing", "empty"])
def test_incomplete(ask: Ask, check: Checker, component: str, fault: str) -> None:
    def change(value: str) -> str:
        replacement = f"{component}=" if fault == "empty" else ""
        return re.sub(rf"{component}=[^,]*", replacement, value).replace(" ,", "").rstrip(", ")

    exchange = ask(signing=authorization(change))
    check.unauthenticated(exchange, "sigv4.incomplete", *INCOMPLETE, *INVALID)


@clauses("sigv4.incomplete")
def test_scope_too_short(ask: Ask, check: Checker) -> None:
    exchange = ask(signing=authorization(lambda value: value.replace("/aws4_request", "")))
    check.unauthenticated(exchange, "sigv4.incomplete", *INCOMPLETE, *INVALID)


@clauses("sigv4.unknown-key")
@pytest.mark.parametrize("key", ["AKIAEXAMPLEUNKNOWN01", "ASIAEXAMPLEUNKNOWN01", "x"])
def test_unknown_access_key(ask: Ask, static_caller: Identity, check: Checker, key: str) -> None:
    stranger = replace(static_caller, access_key=key, session_token=None)
    check.unauthenticated(ask(identity=stranger), "sigv4.unknown-key", *UNKNOWN)


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
def test_wrong_secret_beside_a_right_token(ask: Ask, temporary: Identity, check: Checker) -> None:
    exchange = ask(identity=replace(temporary, secret_key="x" * 40))
    check.unauthenticated(exchange, "sigv4.wrong-secret", *INVALID)


@clauses("sigv4.tampered-signature")
@pytest.mark.parametrize("fault", ["last digit", "zeros", "cut", "extended", "not hexadecimal"])
def test_tampered_signature(ask: Ask, check: Checker, fault: str) -> None:
    def change(value: str) -> str:
        head, signature = value.rsplit("=", 1)
        altered = {
            "last digit": signature[:-1] + ("0" if signature[-1] != "0" else "1"),
            "zeros": "0" * 64,
            "cut": signature[:32],
            "extended": signature + "00",
            "not hexadecimal": "z" * 64,
        }[fault]
        return f"{head}={altered}"

    exchange = ask(signing=authorization(change))
    check.unauthenticated(exchange, "sigv4.tampered-signature", *INVALID, *INCOMPLETE)


@pytest.fixture
def existing_otherwise(state: State) -> bytes:
    """A body that asks for the existing integration in other bytes: the signature alone is at fault."""
    return json.dumps({"Uri": state.uri}, indent=2, ensure_ascii=False).encode()


@clauses("sigv4.tampered-body")
@pytest.mark.parametrize(
    "body", [None, b"{}", b"", b"not JSON"], ids=["white space", "{}", "empty", "no JSON"]
)
def test_tampered_body(ask: Ask, existing_otherwise: bytes, check: Checker, body: bytes | None) -> None:
    signing = after_signing(body=existing_otherwise if body is None else body)
    check.unauthenticated(ask(signing=signing), "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-body")
@pytest.mark.parametrize("kilobytes", [2, 100])
def test_tampered_large_body(ask: Ask, existing_otherwise: bytes, check: Checker, kilobytes: int) -> None:
    body = existing_otherwise + b" " * 1024 * kilobytes
    signing = after_signing(body=existing_otherwise + b"\n" * 1024 * kilobytes)
    exchange = ask(body=body, signing=signing)
    if exchange.response.status == 413:
        pytest.skip("the size of a request is limited before its signature is looked at")
    check.unauthenticated(exchange, "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-body")
def test_tampered_body_with_its_own_hash(ask: Ask, existing_otherwise: bytes, check: Checker) -> None:
    # The hash in the header fits the new body, but the signature does not cover it.
    digest = hashlib.sha256(existing_otherwise).hexdigest()
    signing = Signing(
        tamper=lambda request: replace(request, body=existing_otherwise).with_headers(
            x_amz_content_sha256=digest
        )
    )
    check.unauthenticated(ask(signing=signing), "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-body")
def test_tampered_body_without_its_hash(ask: Ask, existing_otherwise: bytes, check: Checker) -> None:
    # As SDKs sign for services of this kind: the body's hash is not sent beside it.
    signing = Signing(
        signed_headers=("content-type", "host", "x-amz-date"),
        tamper=lambda request: replace(request, body=existing_otherwise).with_headers(
            x_amz_content_sha256=None
        ),
    )
    check.unauthenticated(ask(signing=signing), "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-body")
def test_body_exchanged_under_a_signature_that_was_good(
    ask: Ask, client: Client, existing_otherwise: bytes, check: Checker
) -> None:
    sent: list[Request] = []

    def keep(request: Request) -> Request:
        sent.append(request)
        return request

    check.ok(ask(signing=Signing(tamper=keep)))
    exchange = client.send(replace(sent[-1], body=existing_otherwise))
    check.unauthenticated(exchange, "sigv4.tampered-body", *INVALID)


@clauses("sigv4.tampered-path")
def test_tampered_path(ask: Ask, check: Checker) -> None:
    exchange = ask(signing=after_signing(target="/domains/Another/integrations"))
    if exchange.response.status == 404:
        check.not_exercised("the tampered path was looked at before the signature")
    else:
        check.unauthenticated(exchange, "sigv4.tampered-path", *INVALID)


@clauses("sigv4.tampered-path")
def test_slash_added_after_signing(ask: Ask, state: State, check: Checker) -> None:
    exchange = ask(signing=after_signing(target=f"/domains/{state.domain}/integrations/"))
    if exchange.response.status in (404, 405):
        check.not_exercised("the tampered path was looked at before the signature")
    else:  # no operation has this path: a gateway may answer, in a form of its own
        check.expect(exchange, Expectation("sigv4.tampered-path", (UNAUTHENTICATED,), shape="none"))


@clauses("sigv4.tampered-path")
def test_replayed_for_the_existing_domain(ask: Ask, state: State, check: Checker) -> None:
    target = f"/domains/{state.domain}/integrations"
    exchange = ask("Another", signing=after_signing(target=target))
    check.unauthenticated(exchange, "sigv4.tampered-path", *INVALID)


@clauses("sigv4.tampered-query")
@pytest.mark.parametrize("query", ["a=b", "X-Amz-Date=20200101T000000Z"])
def test_tampered_query(ask: Ask, state: State, check: Checker, query: str) -> None:
    target = f"/domains/{state.domain}/integrations?{query}"
    check.unauthenticated(ask(signing=after_signing(target=target)), "sigv4.tampered-query", *INVALID)


@clauses("sigv4.tampered-header")
@pytest.mark.parametrize(
    "header",
    [{"x_amz_content_sha256": "0" * 64}, {"Content_Type": "application/json; charset=utf-8"}],
    ids=["x-amz-content-sha256", "content-type"],
)
def test_tampered_header(ask: Ask, check: Checker, header: dict[str, str]) -> None:
    check.unauthenticated(ask(signing=headers_after_signing(**header)), "sigv4.tampered-header", *INVALID)


@clauses("sigv4.tampered-header")
def test_tampered_date(ask: Ask, check: Checker) -> None:
    # Within the window, but not the moment that was signed.
    moment = (datetime.now(UTC) - timedelta(seconds=61)).strftime("%Y%m%dT%H%M%SZ")
    exchange = ask(signing=headers_after_signing(x_amz_date=moment))
    check.unauthenticated(exchange, "sigv4.tampered-header", *INVALID)


@clauses("sigv4.query-authentication")
@pytest.mark.parametrize(
    "fault", ["two digits", "last digit", "wrong secret", "unknown key", "expired", "another body"]
)
def test_wrong_signature_in_the_query(
    ask: Ask,
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
    presigner = Presigner(target, replace(static_caller, **who.get(fault, {})))
    age = timedelta(hours=1) if fault == "expired" else timedelta()
    request = presigner.presign(get_integration(state.domain, state.uri), age=age)
    if fault in ("two digits", "last digit"):
        head, signature = request.target.rsplit("=", 1)
        altered = "00" if fault == "two digits" else signature[:-1] + ("1" if signature[-1] == "0" else "0")
        request = replace(request, target=f"{head}={altered}")
    elif fault == "another body":
        request = replace(request, body=request.body + b" ")
    check.unauthenticated(client.send(request), "sigv4.query-authentication")


@pytest.fixture
def in_two_lines(client: Client, caller: Identity, state: State) -> Callable[..., Exchange]:
    """Signs one value of a header, and sends two lines of it."""
    if client.proxied:
        pytest.skip("a proxy stands before the endpoint and would be judged in its place")

    def send(signed: str, *lines: str) -> Exchange:
        def split(request: Request) -> Request:
            rest = request.with_headers(x_amz_meta=None)
            return replace(rest, headers=(*rest.headers, *(("X-Amz-Meta", line) for line in lines)))

        request = get_integration(state.domain, state.uri).with_headers(X_Amz_Meta=signed)
        (reply,) = pipeline(client, PipelinedRequest(request, caller, Signing(tamper=split)))
        return reply.exchange

    return send


@clauses("sigv4.canonical-headers")
def test_header_in_two_lines(in_two_lines: Callable[..., Exchange], state: State, check: Checker) -> None:
    exchange = in_two_lines("first,second", "first", "second")
    check.ok(exchange, "sigv4.canonical-headers", domain=state.domain, uri=state.uri)


@clauses("sigv4.tampered-header")
@pytest.mark.parametrize("signed", ["first", "second", "second,first"])
def test_header_with_a_line_that_was_not_signed(
    in_two_lines: Callable[..., Exchange], check: Checker, signed: str
) -> None:
    check.unauthenticated(in_two_lines(signed, "first", "second"), "sigv4.tampered-header", *INVALID)


@clauses("sigv4.unsigned-host")
def test_host_is_not_signed(ask: Ask, check: Checker) -> None:
    exchange = ask(signing=Signing(signed_headers=("content-type", "x-amz-content-sha256", "x-amz-date")))
    check.unauthenticated(exchange, "sigv4.unsigned-host")


@clauses("sigv4.replayed-host")
def test_signed_for_another_host(ask: Ask, target: Target, check: Checker) -> None:
    # Signed for the real service's name, sent here: what a replay against another stage looks like.
    host = target.endpoint.partition("://")[2]
    signing = Signing(tamper=lambda request: request.with_headers(Host=host))
    exchange = ask(headers={"Host": "profile.example.com"}, signing=signing)
    check.unauthenticated(exchange, "sigv4.replayed-host", *INVALID)


@pytest.fixture
def clocks_agree(ask: Ask, state: State, check: Checker) -> None:
    """The target's clock is near this machine's, so that minutes are minutes to both."""
    exchange = ask()
    differ = "the target's clock is not this machine's: set one of them right"
    try:
        theirs = parsedate_to_datetime(exchange.response.header("date") or "").timestamp()
    except ValueError:
        # Without a Date, what was made in this run shows at least a clock that is ahead.
        made = check.members(exchange).get("LastUpdatedAt") if state.origin == "made" else None
        if isinstance(made, int | float) and made > exchange.started + CLOCK:
            pytest.skip(f"by LastUpdatedAt, {differ}")
        return
    if abs(theirs - exchange.started) > CLOCK:
        pytest.skip(f"by its Date header, {differ}")


def _reject_date(check: Checker, exchange: Exchange, clause: str, minutes: int) -> None:
    """What five minutes alone reject is only reported."""
    if minutes > 15:
        check.unauthenticated(exchange, clause, *INVALID)
    else:
        check.unauthenticated(exchange, f"{clause}.5-minutes")


@clauses("sigv4.expired-date", "sigv4.expired-date.5-minutes")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [6, 16, 65, 24 * 60])
def test_expired_date(ask: Ask, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=-minutes)))
    _reject_date(check, exchange, "sigv4.expired-date", minutes)


@clauses("sigv4.future-date", "sigv4.future-date.5-minutes")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [6, 16, 65, 24 * 60])
def test_future_date(ask: Ask, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=minutes)))
    _reject_date(check, exchange, "sigv4.future-date", minutes)


@clauses("sigv4.clock-window")
@pytest.mark.usefixtures("clocks_agree")
@pytest.mark.parametrize("minutes", [-4, 4])
def test_date_within_the_window(ask: Ask, state: State, check: Checker, minutes: int) -> None:
    exchange = ask(signing=Signing(skew=timedelta(minutes=minutes)))
    check.ok(exchange, "sigv4.clock-window", domain=state.domain, uri=state.uri)


@clauses("sigv4.missing-date")
@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-01-01T00:00:00Z"])
def test_no_date(ask: Ask, check: Checker, value: str | None) -> None:
    exchange = ask(signing=headers_after_signing(x_amz_date=value))
    check.unauthenticated(exchange, "sigv4.missing-date", *INCOMPLETE, *INVALID, *MISSING)


@clauses("sigv4.missing-date")
def test_no_date_that_is_signed(ask: Ask, check: Checker) -> None:
    # A server that takes the present for it finds all else in order.
    signing = Signing(
        signed_headers=("content-type", "host", "x-amz-content-sha256"),
        tamper=lambda request: request.with_headers(x_amz_date=None),
    )
    check.unauthenticated(ask(signing=signing), "sigv4.missing-date", *INCOMPLETE, *INVALID, *MISSING)


def _day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d")


@pytest.mark.parametrize(
    ("signing", "clause"),
    [
        pytest.param(Signing(service="s3"), "wrong-service", id="service s3"),
        pytest.param(Signing(service="execute-api"), "wrong-service", id="service execute-api"),
        pytest.param(Signing(service="profiles"), "wrong-service", id="service profiles"),
        pytest.param(Signing(terminator="aws4_response"), "wrong-terminator", id="terminator"),
        pytest.param(Signing(terminator="AWS4_REQUEST"), "wrong-terminator", id="terminator in capitals"),
        pytest.param(Signing(scope_date=_day(-1)), "wrong-scope-date", id="yesterday's scope"),
        pytest.param(Signing(scope_date=_day(2)), "wrong-scope-date", id="a later day's scope"),
    ],
)
def test_wrong_scope(
    ask: Ask, static_caller: Identity, check: Checker, signing: Signing, clause: str
) -> None:
    check.unauthenticated(
        ask(identity=static_caller, signing=signing), f"sigv4.{clause}", *INVALID, *INCOMPLETE
    )


@clauses("sigv4.wrong-region")
@pytest.mark.parametrize("region", ["eu-central-1", "us-east-2", "nowhere"])
def test_wrong_region(ask: Ask, target: Target, check: Checker, region: str) -> None:
    if region == target.region:
        region = "us-west-2"
    exchange = ask(signing=Signing(region=region))
    # One address may lawfully serve all regions; then the integration does not exist in the other one.
    lawful = (Allowed(frozenset({400, 401, 403})), NOT_FOUND)
    if check.expect(exchange, Expectation("sigv4.wrong-region", lawful)):
        status, error_type = exchange.response.status, exchange.response.error_type
        observed = status == 403 and error_type in INVALID
        expected, actual = "403 InvalidSignatureException", f"{status} {error_type}"
        check.that("sigv4.wrong-region.type", observed, expected, actual, exchange)


@clauses("sigv4.session-token")
def test_session_token(ask: Ask, temporary: Identity, state: State, check: Checker) -> None:
    check.ok(ask(identity=temporary), "sigv4.session-token", domain=state.domain, uri=state.uri)


@clauses("sigv4.missing-token")
def test_session_token_missing(ask: Ask, temporary: Identity, check: Checker) -> None:
    exchange = ask(identity=replace(temporary, session_token=None))
    check.unauthenticated(exchange, "sigv4.missing-token", *UNKNOWN, *INVALID)


@clauses("sigv4.bad-token")
@pytest.mark.parametrize("fault", ["another", "cut", "extended"])
def test_session_token_wrong(ask: Ask, temporary: Identity, check: Checker, fault: str) -> None:
    token = temporary.session_token or ""
    wrong = {"another": "x" * len(token), "cut": token[:-1], "extended": token + "x"}[fault]
    exchange = ask(identity=replace(temporary, session_token=wrong))
    check.unauthenticated(
        exchange, "sigv4.bad-token", *UNKNOWN, *INVALID, "ExpiredTokenException", "InvalidToken"
    )


@clauses("sigv4.canonical-path")
@pytest.mark.parametrize(
    "segment",
    ["a%20b", "%41%42", "caf%C3%A9", "a%2Bb+c", "a~b-c_d", "a!b*c'd(e)", "%e2%82%ac", "a=b&c@d:e,f"],
)
def test_canonical_path(client: Client, caller: Identity, state: State, check: Checker, segment: str) -> None:
    # None of these names an existing domain: what counts is that the signature is not what fails.
    request = replace(get_integration("x", state.uri), target=f"/domains/{segment}/integrations")
    exchange = client.send(request, caller)
    error_type = exchange.response.error_type
    status = exchange.response.status
    rejected = status in (401, 403) or error_type in ANY
    ok = status == 200 or (400 <= status < 500 and not rejected)
    actual = f"{status} {error_type}"
    check.that("sigv4.canonical-path", ok, "an answer to the request itself", actual, exchange)


@clauses("sigv4.canonical-query")
@pytest.mark.parametrize("query", ["b=2&a=1", "a=%20%2F", "empty=", "a=1&a=0", "%C3%A9=1"])
def test_canonical_query(client: Client, caller: Identity, state: State, check: Checker, query: str) -> None:
    request = get_integration(state.domain, state.uri)
    exchange = client.send(replace(request, target=f"{request.target}?{query}"), caller)
    check.expect(
        exchange,
        Expectation(
            "sigv4.canonical-query", (OK, Allowed(frozenset({400}), frozenset({"BadRequestException"})))
        ),
    )


@clauses("sigv4.canonical-headers")
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Meta": "two  inner   spaces"},
        {"X-Amz-Meta": "comma, separated,values"},
        {"x-AMZ-mEta": "mixed case"},
        {"X-Amz-Zebra": "1", "X-Amz-Apple": "2"},
    ],
    ids=["inner spaces", "commas", "mixed case", "another order"],
)
def test_canonical_headers(ask: Ask, state: State, check: Checker, headers: dict[str, str]) -> None:
    exchange = ask(headers=headers)
    check.ok(exchange, "sigv4.canonical-headers", domain=state.domain, uri=state.uri)


@clauses("sigv4.unsigned-headers")
@pytest.mark.parametrize(
    "headers",
    [
        {"User_Agent": "contract/1.0"},
        {"X_Request_Id": "1"},
        {"X_Forwarded_For": "192.0.2.1"},
        {"Accept": "*/*"},
    ],
    ids=["User-Agent", "X-Request-Id", "X-Forwarded-For", "Accept"],
)
def test_unsigned_headers(ask: Ask, state: State, check: Checker, headers: dict[str, str]) -> None:
    exchange = ask(signing=headers_after_signing(**headers))
    check.ok(exchange, "sigv4.unsigned-headers", domain=state.domain, uri=state.uri)
