"""HTTP: routing on the raw path, methods, bodies of every kind, and the form of every response."""

import asyncio
import json
import math
import re
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from getintegration_emulator import connection as http
from getintegration_emulator.connection import MAX_BODY, MAX_HEAD
from getintegration_emulator.request import Request
from getintegration_emulator.service import Service
from getintegration_emulator.state import OPERATIONS

from ..mutants.wire import Wire, dial

PATH, HEALTH = "/domains/shop/integrations", "/_emulator/health"
BODY = b'{"Uri": "arn:flow"}'
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Exchange = Callable[[bytes], bytes]


@pytest.fixture
def exchange(emulator: Any) -> Exchange:
    """Sends raw bytes on a connection of their own and returns all that comes until it closes."""

    def exchange(data: bytes) -> bytes:
        with dial(emulator.url) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    return exchange


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def signed(wire: Any, body: bytes = BODY, target: str = PATH, method: str = "POST") -> dict[str, str]:
    headers: dict[str, str] = wire.signed_headers(method, target, body)
    return headers


@pytest.mark.parametrize(
    ("method", "target", "status", "error"),
    [
        ("POST", "//domains/shop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains%2Fshop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains/x/../shop/integrations", 404, "UnknownOperationException"),
        ("POST", "/%64omains/shop/integrations", 404, "ResourceNotFoundException"),
        ("PUT", "/domains/shop", 405, "MethodNotAllowedException"),
        ("GET", PATH + "/delete", 405, "MethodNotAllowedException"),
    ],
)
def test_routing_comes_after_authentication(
    wire: Any, method: str, target: str, status: int, error: str
) -> None:
    unsigned = wire.send(method, target, b"")
    assert unsigned.error == (403, "MissingAuthenticationTokenException")
    assert list(unsigned.document) == ["message"]
    reply = wire.call(method, target, BODY)
    assert reply.error == (status, error)
    assert list(reply.document) == ["Message" if error == "ResourceNotFoundException" else "message"]
    assert (reply.header("allow") is not None) == (status == 405)


def test_health_needs_no_signature(wire: Any) -> None:
    reply = wire.send("GET", HEALTH)
    assert (reply.status, reply.document["status"]) == (200, "ok")
    assert reply.document["version"]
    assert reply.header("connection") is None
    assert UUID.fullmatch(reply.header("x-amzn-requestid"))
    assert wire.send("POST", HEALTH).error == (405, "MethodNotAllowedException")


def test_an_offer_to_upgrade_is_declined(wire: Any, exchange: Exchange) -> None:
    """With a body it is refused: the HTTP parser takes what follows for the other protocol."""
    offer = {"Connection": "Upgrade", "Upgrade": "h2c"}
    received = exchange(head("GET", PATH, {**signed(wire, b"", method="GET"), **offer}))
    assert received.startswith(b"HTTP/1.1 404 ")
    with_body = {**signed(wire), **offer, "Content-Length": str(len(BODY))}
    assert refusal(exchange(head("POST", PATH, with_body) + BODY), 400, "BadRequestException")


def refusal(received: bytes, status: int, error: str) -> bool:
    """Whether all that came is one refusal, in JSON, that ends the connection."""
    start, _, body = received.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 %d " % status), received[:200]
    assert f"\r\nx-amzn-errortype: {error}\r\n".encode() in start
    assert b"\r\nx-amzn-requestid: " in start
    assert b"\r\nconnection: close" in start
    return list(json.loads(body)) == ["message"]


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /domains/\xc3\xa9/integrations HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_json_400(exchange: Exchange, data: bytes) -> None:
    assert refusal(exchange(data), 400, "BadRequestException")


def test_what_comes_before_a_broken_request_is_answered(exchange: Exchange) -> None:
    received = exchange(2 * head("GET", HEALTH, {"Host": "a"}) + b"nonsense\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"200", b"400"]


TOO_LONG = (431, "RequestHeaderSectionTooLargeException")
FIELD = b"X-Many: 0123456789abcdefghijklmnopqrstuvwxyz\r\n"


@pytest.mark.parametrize(
    ("target", "fields", "fits"),
    [
        pytest.param(b"", b"X-Long: " + b"x" * (MAX_HEAD - 100), True, id="just inside"),
        pytest.param(b"", b"X-Long: " + b"x" * MAX_HEAD, False, id="just outside"),
        pytest.param(b"", b"X-Long: " + b"x" * 20 * MAX_HEAD, False, id="far outside"),
        pytest.param(b"", FIELD * 2000 + b"X-Last: x", False, id="many fields"),
        pytest.param(b"?" + b"x" * (MAX_HEAD - 30), b"X: x", False, id="a long target"),
    ],
)
def test_size_of_a_head(exchange: Exchange, target: bytes, fields: bytes, fits: bool) -> None:
    start = b"GET /_emulator/health%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % target
    received = exchange(start + fields + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200 ") if fits else refusal(received, *TOO_LONG)


def test_the_sizes_of_several_heads_do_not_add_up(emulator: Any) -> None:
    whole = head("GET", HEALTH, {"Host": "a", "X-Long": "x" * (MAX_HEAD // 2)})
    with dial(emulator.url) as connection:
        wire = Wire(connection)
        for _ in range(4):
            wire.send(whole[:-4])
            time.sleep(0.02)
            wire.send(whole[-4:])
            assert wire.response("GET").status == 200


def test_a_refused_connection_ends_even_if_the_client_goes_on(emulator: Any) -> None:
    with dial(emulator.url) as connection:
        connection.sendall(b"no HTTP\r\n\r\n")
        assert refusal(b"".join(iter(lambda: connection.recv(65536), b"")), 400, "BadRequestException")
        for _ in range(3):
            connection.sendall(b"no HTTP\r\n\r\n")
            time.sleep(0.1)
        time.sleep(http.LINGER)
        connection.sendall(b"is answered with a reset")
        time.sleep(0.1)
        with pytest.raises(ConnectionError):
            connection.sendall(b"x")


def test_the_size_of_a_body_is_not_that_of_a_head(wire: Any, exchange: Exchange) -> None:
    """A large body and the next head in one piece, and a trailer, which is no header field either."""
    large = b" " * 2 * MAX_HEAD
    first = head("POST", HEALTH, {"Host": "a", "Content-Length": str(len(large))}) + large
    chunked = {**signed(wire), "Transfer-Encoding": "chunked", "Connection": "close"}
    chunks = b"%x\r\n%s\r\n0\r\nHost: another\r\nX-Amz-Date: none\r\n\r\n" % (len(BODY), BODY)
    received = exchange(first + head("POST", PATH, chunked) + chunks)
    assert received.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1 404 " in received
    assert b"ResourceNotFoundException" in received


def test_host(exchange: Exchange) -> None:
    """RFC 9112, 3.2."""
    right = [("1.0", []), *(("1.1", [host]) for host in ("a", "", "127.0.0.1:80", "[::1]:80"))]
    wrong = [("1.1", []), ("1.1", ["a", "a"]), ("1.0", ["a", "b"])]
    wrong += [("1.1", [host]) for host in ("a b", "a/b", "user@a", "a:port")]
    for version, hosts in right + wrong:
        lines = [f"GET {HEALTH} HTTP/{version}", "Connection: close", *(f"Host: {host}" for host in hosts)]
        received = exchange("\r\n".join([*lines, "", ""]).encode())
        if (version, hosts) in right:
            assert received.startswith(b"HTTP/1.1 200 "), lines
        else:
            assert refusal(received, 400, "BadRequestException"), lines


def test_transfer_coding(exchange: Exchange) -> None:
    """RFC 9112, 6.1."""
    for coding, status in (("gzip, chunked", b"501"), ("unknown, chunked", b"501"), ("Chunked", b"403")):
        data = head("POST", PATH, {"Host": "a", "Transfer-Encoding": coding, "Connection": "close"})
        assert exchange(data + b"0\r\n\r\n").startswith(b"HTTP/1.1 " + status), coding


class Client:
    """A connection without a socket."""

    def __init__(self) -> None:
        self.transport = Mock(spec=asyncio.Transport, is_closing=lambda: False)
        self.connection = http.Connection(Service(), set(), access_log=False)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes) -> bytes:
        """What is answered to it, after a look at the clock."""
        self.transport.write.reset_mock()
        self.connection.expire()
        self.connection.data_received(data)
        return b"".join(call.args[0] for call in self.transport.write.call_args_list)


@pytest.mark.parametrize(("size", "limit"), [(20, http.HEAD_SECONDS), (None, http.KEEP_ALIVE)])
def test_time_for_a_head_and_between_two(
    monkeypatch: pytest.MonkeyPatch, size: int | None, limit: float
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    client = Client()

    def after(seconds: float, data: bytes = b"") -> bytes:
        now[0] += seconds
        return client.send(data)

    health = head("HEAD", HEALTH, {"Host": "a"})
    received = after(http.HEAD_SECONDS, health)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n"), "the answer to HEAD has no body"
    after(http.KEEP_ALIVE, health[:size])
    assert after(limit) == b""
    assert not client.transport.close.called
    received = after(1)
    if size is not None:
        assert refusal(received, 408, "RequestTimeoutException")
        assert not client.transport.close.called
        after(http.LINGER + 1)
    assert client.transport.close.called


def test_a_body_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    client.send(head("POST", HEALTH, {"Host": "a", "Content-Length": "1"}))
    monkeypatch.setattr("time.monotonic", lambda: math.inf)
    assert client.send(b"") == b""
    assert not client.transport.close.called
    assert client.send(b"x").startswith(b"HTTP/1.1 405 ")


def test_who_reads_no_answers_is_not_read() -> None:
    client = Client()
    client.connection.pause_writing()
    client.transport.pause_reading.assert_called_once()
    client.connection.resume_writing()
    client.transport.resume_reading.assert_called_once()


def test_many_requests_in_one_piece_are_no_large_head() -> None:
    client, heads = Client(), head("GET", HEALTH, {"Host": "a"}) * 2000
    assert client.send(heads[:20]) == b""
    assert client.send(heads[20:-20]).count(b"HTTP/1.1 200 ") == 1999
    assert client.send(heads[-20:]).startswith(b"HTTP/1.1 200 ")


def test_a_head_without_end_is_refused() -> None:
    client = Client()
    assert client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD) == b""
    assert refusal(client.send(b"x" * (MAX_HEAD + 1)), *TOO_LONG)


def test_compression(wire: Any) -> None:
    accepted = {"gzip": True, "deflate, GZIP;q=0.5": True, "gzip;q=0": False, "gzip; q=0.000, br": False}
    for coding, compressed in accepted.items():
        reply = wire.send("GET", HEALTH, headers={"Accept-Encoding": coding})
        assert (reply.header("content-encoding") == "gzip") == compressed, coding
        assert reply.document["status"] == "ok"


def test_body_over_the_limit(wire: Any) -> None:
    inside = wire.call("POST", PATH, b" " * MAX_BODY)
    assert inside.error == (400, "SerializationException")
    outside = wire.send("POST", PATH, b" " * (MAX_BODY + 1))
    assert outside.error == (413, "RequestEntityTooLargeException")
    assert list(outside.document) == ["message"]
    assert outside.header("connection") == "close"


def test_a_body_is_waited_for_or_refused_before_it_is_sent(wire: Any, exchange: Exchange) -> None:
    headers = {**signed(wire), "Connection": "close", "Expect": "100-continue"}
    received = exchange(head("POST", PATH, {**headers, "Content-Length": str(len(BODY))}) + BODY)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")
    received = exchange(head("POST", PATH, {**headers, "Content-Length": str(MAX_BODY + 1)}))
    assert refusal(received, 413, "RequestEntityTooLargeException")


def test_client_that_leaves_in_the_middle_harms_nobody(wire: Any, emulator: Any) -> None:
    for _ in range(5):
        with dial(emulator.url) as connection:
            connection.sendall(head("POST", PATH, {**signed(wire), "Content-Length": "500"}) + b"{")
    assert wire.send("GET", HEALTH).status == 200
    assert "Traceback" not in emulator.stderr()


def test_a_fault_of_the_emulator_is_a_json_500(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(OPERATIONS, "ListDomains", broken)
    answer = Service(signatures=False).answer(Request("GET", b"/domains", b"", {}, b""))
    assert answer.status == 500
    assert ("x-amzn-errortype", "InternalServerException") in answer.headers
    assert list(json.loads(answer.body)) == ["Message"]
    assert "ZeroDivisionError" in capsys.readouterr().err
