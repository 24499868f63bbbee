"""Signature Version 4: what was changed after it was signed, or signed for something else, is rejected."""

import json
from dataclasses import replace

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from getintegration_contract.exchange import SERVICE, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import UNAUTHENTICATED, Expectation
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

from .callables import Ask
from .signing import INVALID, InTwoLines, after_signing, body_after_signing, escaped, otherwise

clauses = pytest.mark.clauses


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
