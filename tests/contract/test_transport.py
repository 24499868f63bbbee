"""HTTP itself: connections, encodings and framing, judged from the bytes on the wire."""

from __future__ import annotations

import gzip
import http.client
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity, get_integration
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judge import CLIENT_ERROR, OK, Answer, Expectation, answer
from getintegration_contract.state import State
from getintegration_contract.target import Target

clauses = pytest.mark.clauses

Send = Callable[..., Exchange]


@pytest.fixture
def wire(client: Client, caller: Identity, target: Target) -> Iterator[Send]:
    """Sends signed requests over one plain connection, without anything that decodes or repairs."""
    address = urlsplit(target.endpoint)
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=target.timeout)

    def send(request: Request) -> Exchange:
        signed = client.sign(request, caller)
        try:
            connection.putrequest(signed.method, signed.target, skip_accept_encoding=True)
            for name, value in signed.headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(signed.body)))
            connection.endheaders(signed.body)
            got = connection.getresponse()
            response = Response(got.status, got.reason, tuple(got.getheaders()), got.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            response = Response(0, f"no whole answer: {type(error).__name__}", (), b"")
        exchange = Exchange(target.endpoint, signed, response, caller.name)
        client.note(exchange)
        return exchange

    yield send
    connection.close()


@clauses("transport.keep-alive")
def test_kept_alive(wire: Send, state: State, check: Checker):
    # Found and not found in turns: an answer that belongs to another request shows.
    for number in range(6):
        if number % 2:
            check.not_found(wire(get_integration(state.domain, "s3://unknown")), "transport.keep-alive")
        else:
            exchange = wire(get_integration(state.domain, state.uri))
            check.ok(exchange, "transport.keep-alive", domain=state.domain, uri=state.uri)


@clauses("transport.keep-alive")
@pytest.mark.parametrize("body", [b"{", b'{"Uri": "' + b"u" * 200_000 + b'"}'], ids=["unreadable", "large"])
def test_kept_alive_after_an_error(wire: Send, state: State, check: Checker, body: bytes):
    wire(get_integration(state.domain, body=body))
    exchange = wire(get_integration(state.domain, state.uri))
    if exchange.response.status == 0:  # the server may close after an error, and say so or not
        exchange = wire(get_integration(state.domain, state.uri))
    check.ok(exchange, "transport.keep-alive", domain=state.domain, uri=state.uri)


@clauses("transport.close")
def test_connection_close(wire: Send, state: State, check: Checker):
    request = get_integration(state.domain, state.uri).with_headers(Connection="close")
    check.ok(wire(request), "transport.close", domain=state.domain, uri=state.uri)


@clauses("transport.framing")
def test_content_length(wire: Send, state: State, check: Checker):
    for request in (get_integration(state.domain, state.uri), get_integration(state.domain, "s3://unknown")):
        exchange = wire(request)
        length = exchange.response.header("content-length")
        if exchange.response.status == 0:
            check.that("transport.framing", False, "a whole answer", exchange.response.reason, exchange)
        elif length is not None:
            actual = str(len(exchange.response.body))
            check.that("transport.framing", length == actual, f"Content-Length {actual}", length, exchange)
        else:
            check.that("transport.framing", True, "", "")


@clauses("transport.encoding")
@pytest.mark.parametrize("encoding", ["gzip", "gzip, deflate", "identity", "*"])
def test_accept_encoding(wire: Send, state: State, check: Checker, encoding: str):
    exchange = wire(get_integration(state.domain, state.uri).with_headers(Accept_Encoding=encoding))
    used = (exchange.response.header("content-encoding") or "identity").lower()
    decoders = {"gzip": gzip.decompress, "deflate": zlib.decompress, "identity": bytes}
    if used not in decoders:
        pytest.skip(f"the response is encoded as {used}, which this test cannot read")
    try:
        body = decoders[used](exchange.response.body)
    except (OSError, EOFError, zlib.error) as error:
        check.that("transport.encoding", False, f"a body in {used}", str(error), exchange)
        return
    decoded = replace(exchange, response=replace(exchange.response, body=body))
    check.ok(decoded, "transport.encoding", domain=state.domain, uri=state.uri)
    if encoding == "identity":
        check.that("transport.encoding", used == "identity", "no encoding", used, exchange)


@clauses("transport.chunked")
@pytest.mark.parametrize("parts", [1, 3, 20])
def test_chunked_request(client: Client, caller: Identity, state: State, check: Checker, parts: int):
    request = get_integration(state.domain, state.uri)
    size = -(-len(request.body) // parts)
    chunks = [request.body[start : start + size] for start in range(0, len(request.body), size)]
    exchange = client.send_chunked(request, caller, chunks)
    lawful = (OK, CLIENT_ERROR, answer(501))  # RFC 9112: 501 for a transfer coding that is not understood
    check.expect(exchange, Expectation("transport.chunked", lawful, state.domain, state.uri, shape="none"))


@clauses("transport.expect-continue")
def test_expect_continue(wire: Send, state: State, check: Checker):
    request = get_integration(state.domain, state.uri).with_headers(Expect="100-continue")
    lawful = (OK, answer(417))
    expected = Expectation("transport.expect-continue", lawful, state.domain, state.uri, shape="none")
    check.expect(wire(request), expected)


@clauses("transport.large-headers")
@pytest.mark.parametrize("size", [1_000, 4_000, 100_000])
def test_large_headers(wire: Send, state: State, check: Checker, size: int):
    request = get_integration(state.domain, state.uri).with_headers(X_Large="x" * size)
    exchange = wire(request)
    if exchange.response.status == 0 and size > 8_000:
        # A server that refuses such a request may close while it is still being sent.
        check.not_exercised("the connection was closed while large headers were being sent")
        return
    lawful = (OK, CLIENT_ERROR) if size > 8_000 else (OK,)
    check.expect(exchange, Expectation("transport.large-headers", lawful, shape="none"))


@clauses("transport.head", "transport.options")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_methods_that_any_path_may_have(wire: Send, state: State, check: Checker, method: str):
    clause = f"transport.{method.lower()}"
    request = Request(method, get_integration(state.domain, "x").target)
    lawful = Answer(frozenset(range(200, 500)))
    check.expect(wire(request), Expectation(clause, (lawful,), shape="none"))
    # Whatever was answered, the next request gets its own answer: a body after HEAD would be in its way.
    exchange = wire(get_integration(state.domain, state.uri))
    if exchange.response.status == 0:
        exchange = wire(get_integration(state.domain, state.uri))
    check.ok(exchange, clause, domain=state.domain, uri=state.uri)
