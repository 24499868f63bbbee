"""Below JSON: connections, framing, encodings, expectations and methods, judged from the bytes on the
wire.

A server may end a connection after any answer, reject what it does not want with a 4xx (411, 417, 431
and their like), and answer HEAD and OPTIONS as it pleases, but always whole, in time, and without a
5xx.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import (
    CLIENT_ERROR,
    INVALID,
    NO_CRASH,
    NOT_FOUND,
    OK,
    Allowed,
    Expectation,
)
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import SHORT, UNDECODABLE
from getintegration_contract.sending.pipeline import PipelinedRequest, pipeline
from getintegration_contract.state.state import UNKNOWN_URI, State
from getintegration_contract.text import shown

clauses = pytest.mark.clauses

Talk = Callable[..., list[Exchange]]

#: More than servers read before they refuse a request for its headers.
UNREAD = 100_000
#: A rejection, but not the answer that a misread request gets.
REJECTED = Allowed(CLIENT_ERROR.statuses - {404})


def lengthened(request: Request) -> Request:
    """The request with another body."""
    return replace(request, body=request.body + b" ")


#: As SDKs sign for services of this kind: the body's hash is not sent beside it.
WITHOUT_HASH = Signing(
    signed_headers=("content-type", "host", "x-amz-date"),
    tamper=lambda request: lengthened(request).with_headers(x_amz_content_sha256=None),
)


@pytest.fixture
def talk(client: Client) -> Talk:
    """Sends requests one after another on one connection."""
    if client.route.proxy:
        pytest.skip("a proxy stands before the endpoint and would be judged in its place")
    return lambda *asks: pipeline(client, *asks)


@pytest.fixture
def existing(state: State, caller: Identity) -> Callable[..., PipelinedRequest]:
    """Asks for the existing integration."""

    def existing(headers: dict[str, str] | None = None, **how: Any) -> PipelinedRequest:
        request = get_integration(state.domain, state.uri).with_headers(**(headers or {}))
        return PipelinedRequest(request, caller, **how)

    return existing


@pytest.fixture
def understood(state: State, check: Checker) -> Callable[..., None]:
    """The request MUST be read as it was meant, or be rejected."""

    def understood(reply: Exchange, clause: str) -> None:
        lawful = Expectation(clause, (OK, REJECTED), state.domain, state.uri, shape="none")
        check.expect(reply, lawful)
        if reply.response.status == 200 and _says_something(check, reply):
            got = check.members(reply).get("Uri")
            check.that(clause, got == state.uri, f"the integration {shown(state.uri)}", shown(got), reply)

    return understood


def _says_something(check: Checker, exchange: Exchange) -> bool:
    """Whether an answer is nothing at all, or can be read; what cannot is another clause's matter."""
    return not exchange.response.body or exchange.response.document is not None


@clauses("transport.keep-alive")
def test_one_connection(
    talk: Talk, existing: Callable[..., PipelinedRequest], caller: Identity, state: State, check: Checker
) -> None:
    other = []
    if state.other_domain and state.other_uri:
        other.append(PipelinedRequest(get_integration(state.other_domain, state.other_uri), caller))
    # Refused for their Uris, also where nobody signs.
    short, long = (PipelinedRequest(get_integration(state.domain, "u" * n), None) for n in (256, UNREAD))
    steps = [
        (existing(), OK),
        (PipelinedRequest(get_integration(state.domain, UNKNOWN_URI), caller), NOT_FOUND),
        (existing(), OK),
        (PipelinedRequest(get_integration(state.domain, ""), caller), INVALID),
        (existing(), OK),
        *((ask, OK) for ask in other),
        (short, CLIENT_ERROR),
        (existing(), OK),
        (long, CLIENT_ERROR),
        (existing(), OK),
    ]
    clause = "transport.keep-alive"
    alone = {OK: "response.status", NOT_FOUND: "missing.integration", INVALID: "request.Uri.minLength"}
    replies = talk(*(ask for ask, _ in steps))
    for (ask, due), exchange in zip(steps, replies, strict=False):
        shape = "service" if ask.identity else "none"
        reused = exchange.response.wire.reused
        broken = clause if reused else alone.get(due, "request.Uri.maxLength")
        check.expect(exchange, Expectation(broken, (due,), shape=shape))
        if due is OK and reused and _says_something(check, exchange):
            asked, got = json.loads(ask.request.body)["Uri"], check.members(exchange).get("Uri")
            check.that(clause, got == asked, f"the integration {shown(asked)}", shown(got), exchange)
    if not any(reply.response.wire.reused for reply in replies):
        check.not_exercised("the server ended every connection after one answer")


@clauses("transport.keep-alive")
def test_connection_after_a_chunked_body(
    talk: Talk, existing: Callable[..., PipelinedRequest], state: State, check: Checker
) -> None:
    _, *following = talk(existing(chunk=UNREAD), existing())
    for reply in following:
        if reply.response.wire.reused:
            check.ok(reply, "transport.keep-alive", domain=state.domain, uri=state.uri)


@clauses("transport.syntax", "transport.singleton-fields", "transport.date-form", "transport.date")
@pytest.mark.parametrize("uri", [None, UNKNOWN_URI], ids=["found", "not found"])
def test_head_of_an_answer(
    talk: Talk, caller: Identity, state: State, check: Checker, uri: str | None
) -> None:
    request = get_integration(state.domain, uri or state.uri)
    (response,) = talk(PipelinedRequest(request, caller))
    check.valid(response, "request.valid", domain=state.domain, uri=uri or state.uri)


@clauses("transport.allow", "transport.retry-after")
def test_head_of_a_refusal(talk: Talk, state: State, check: Checker) -> None:
    request = replace(get_integration(state.domain, state.uri), method="PATCH")
    (response,) = talk(PipelinedRequest(request, None))
    check.expect(response, Expectation("routing.method", (CLIENT_ERROR,), shape="none"))
    for clause, name in (("transport.allow", "Allow"), ("transport.retry-after", "Retry-After")):
        check.not_exercised(f"no answer called for {name}", clause)


@clauses("transport.close", "transport.close-announced", "transport.framing")
def test_connection_close(
    talk: Talk, existing: Callable[..., PipelinedRequest], caller: Identity, state: State, check: Checker
) -> None:
    unknown = get_integration(state.domain, UNKNOWN_URI).with_headers(Connection="close")
    lengths = []
    (unasked,) = talk(existing())
    asks = [
        (existing({"Connection": "close"}, last=True), (OK,)),
        # That it is not found is another clause's matter.
        (PipelinedRequest(unknown, caller, last=True), (OK, NOT_FOUND)),
        *([(existing(last=True), (OK,))] if unasked.response.says_close else []),
    ]
    for ask, due in asks:
        (exchange,) = talk(ask)
        wire = exchange.response.wire
        check.expect(exchange, Expectation("transport.close", due))
        length = exchange.response.header("content-length")
        if exchange.response.says_close:
            check.that("transport.close-announced", wire.ended, "its end", "an open connection", exchange)
        if exchange.response.reason == SHORT:
            lengths.append(length)
            check.that("transport.framing", False, "a body as long as its Content-Length", SHORT, exchange)
        elif length is not None:
            lengths.append(length)
            size = len(wire.framed) + len(wire.surplus)
            check.that(
                "transport.framing", int(length) == size, f"a body of {length} bytes", f"{size}", exchange
            )
    if not lengths:
        check.not_exercised("no answer had a Content-Length", "transport.framing")
    check.not_exercised("no answer said Connection: close", "transport.close-announced")


@clauses("transport.chunked")
@pytest.mark.parametrize("size", [UNREAD, 10, 1], ids=["one chunk", "chunks of ten", "chunks of one"])
def test_chunked_body(
    talk: Talk, existing: Callable[..., PipelinedRequest], understood: Callable[..., None], size: int
) -> None:
    (reply,) = talk(existing(chunk=size))
    understood(reply, "transport.chunked")


@clauses("sigv4.tampered-body")
@pytest.mark.parametrize(
    "signing", [Signing(tamper=lengthened), WITHOUT_HASH], ids=["with its hash", "without its hash"]
)
def test_tampered_chunked_body(
    talk: Talk, existing: Callable[..., PipelinedRequest], check: Checker, signing: Signing
) -> None:
    (reply,) = talk(existing(signing=signing, chunk=UNREAD))
    check.expect(reply, Expectation("sigv4.tampered-body", (REJECTED,), shape="none"))


@clauses("transport.expect-continue")
def test_expect_continue(
    talk: Talk, existing: Callable[..., PipelinedRequest], understood: Callable[..., None], check: Checker
) -> None:
    (reply,) = talk(existing(expect=True))
    wire = reply.response.wire
    understood(reply, "transport.expect-continue")
    # A server that speaks HTTP/1.0 does not know the expectation; any other may not wait for the body.
    check.that(
        "transport.expect-continue",
        wire.version == "1.0" or not wire.waited,
        "100 Continue or an answer, before the body is sent",
        "nothing, until the body was sent",
        reply,
    )


@clauses("transport.large-headers")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Large": "x" * 6_000}, id="6,000 characters"),
        pytest.param({"X-Large": "x" * 40_000}, id="40,000 characters"),
        pytest.param({f"X-Header-{n}": "x" * 40 for n in range(90)}, id="90 headers"),
    ],
)
def test_large_headers(
    talk: Talk,
    existing: Callable[..., PipelinedRequest],
    understood: Callable[..., None],
    headers: dict[str, str],
) -> None:
    (reply,) = talk(existing(headers))
    understood(reply, "transport.large-headers")


@clauses("transport.head")
def test_head(talk: Talk, existing: Callable[..., PipelinedRequest], check: Checker) -> None:
    ask = existing({"Connection": "close"}, last=True)
    request = replace(ask.request, method="HEAD", body=b"")
    (reply,) = talk(PipelinedRequest(request, ask.identity, last=True))
    check.expect(reply, Expectation("transport.head", (NO_CRASH,), shape="none"))
    surplus = reply.response.wire.surplus
    check.that("transport.head", not surplus, "no body", shown(surplus[:80].decode("latin-1")), reply)


@clauses("transport.options")
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_options(talk: Talk, existing: Callable[..., PipelinedRequest], check: Checker, signed: bool) -> None:
    ask = existing({"Origin": "https://example.com", "Access-Control-Request-Method": "POST"})
    request = replace(ask.request, method="OPTIONS", body=b"")
    (reply,) = talk(PipelinedRequest(request, ask.identity if signed else None))
    check.expect(reply, Expectation("transport.options", (NO_CRASH,), shape="none"))


@clauses("transport.encoding")
@pytest.mark.parametrize("accepted", ["gzip", "deflate", "gzip;q=0.5, deflate, identity;q=0.1"])
def test_encoding(
    talk: Talk, existing: Callable[..., PipelinedRequest], state: State, check: Checker, accepted: str
) -> None:
    replies = talk(existing(), existing({"Accept-Encoding": accepted}))
    plain, packed = replies[0], replies[-1]
    check.ok(packed, domain=state.domain, uri=state.uri)
    if packed.response.reason == UNDECODABLE:
        check.that("transport.encoding", False, f"a body in {accepted}", UNDECODABLE, packed)
        return
    if not packed.response.header("content-encoding"):
        pytest.skip("the server did not compress its answer")
    got, due = check.members(packed), check.members(plain)
    check.that("transport.encoding", got == due, f"what it is uncompressed: {due}", str(got), packed)
