"""HTTP: routing on the raw path, methods, bodies of every kind, and the form of every response."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from getintegration_emulator.connection import LINGER, MAX_BODY, MAX_HEAD
from getintegration_emulator.request import Request
from getintegration_emulator.service import Service
from getintegration_emulator.state import OPERATIONS

from ..mutants.wire import Wire, dial

PATH = "/domains/shop/integrations"
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
    assert wire.send(method, target, b"").error == (403, "MissingAuthenticationTokenException")
    reply = wire.call(method, target, BODY)
    assert reply.error == (status, error)
    assert list(reply.json) == ["Message" if error == "ResourceNotFoundException" else "message"]
    assert ("allow" in reply.headers) == (status == 405)


def test_health_needs_no_signature(wire: Any) -> None:
    reply = wire.send("GET", "/_emulator/health")
    assert (reply.status, reply.json["status"]) == (200, "ok")
    assert reply.json["version"]
    assert UUID.fullmatch(reply.headers["x-amzn-requestid"])
    assert wire.send("POST", "/_emulator/health").error == (405, "MethodNotAllowedException")


def test_an_offer_to_upgrade_is_declined(wire: Any, exchange: Exchange) -> None:
    """With a body it is refused: the HTTP parser takes what follows for the other protocol."""
    offer = {"Connection": "Upgrade", "Upgrade": "h2c"}
    received = exchange(head("GET", PATH, {**signed(wire, b"", method="GET"), **offer}))
    assert received.startswith(b"HTTP/1.1 404 ")
    received = exchange(
        head("POST", PATH, {**signed(wire), **offer, "Content-Length": str(len(BODY))}) + BODY
    )
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"x-amzn-errortype: BadRequestException" in received


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /domains/\xc3\xa9/integrations HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_http_gets_a_json_400(exchange: Exchange, data: bytes) -> None:
    received = exchange(data)
    start, _, body = received.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 400 ")
    assert b"x-amzn-errortype: BadRequestException" in start
    assert b"x-amzn-requestid" in start
    assert list(json.loads(body)) == ["message"]


def refusal(received: bytes, status: int, error: str) -> bool:
    """Whether all that came is one refusal, in JSON, that ends the connection."""
    start, _, body = received.partition(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 %d " % status), received[:200]
    assert f"\r\nx-amzn-errortype: {error}\r\n".encode() in start
    assert b"\r\nconnection: close" in start
    return list(json.loads(body)) == ["message"]


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


def test_a_head_without_end_is_refused(exchange: Exchange) -> None:
    assert refusal(exchange(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2_000_000), *TOO_LONG)


def test_the_sizes_of_several_heads_do_not_add_up(emulator: Any) -> None:
    whole = head("GET", "/_emulator/health", {"Host": "a", "X-Long": "x" * (MAX_HEAD // 2)})
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
        time.sleep(LINGER)
        connection.sendall(b"is answered with a reset")
        time.sleep(0.1)
        with pytest.raises(ConnectionError):
            connection.sendall(b"x")


def test_the_size_of_a_body_is_not_that_of_a_head(wire: Any, exchange: Exchange) -> None:
    """A large body and the next head in one piece, and a trailer, which is no header field either."""
    large = b" " * 2 * MAX_HEAD
    first = head("POST", "/_emulator/health", {"Host": "a", "Content-Length": str(len(large))}) + large
    chunked = {**signed(wire), "Transfer-Encoding": "chunked", "Connection": "close"}
    chunks = b"%x\r\n%s\r\n0\r\nHost: another\r\nX-Amz-Date: none\r\n\r\n" % (len(BODY), BODY)
    received = exchange(first + head("POST", PATH, chunked) + chunks)
    assert received.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1 404 " in received
    assert b"ResourceNotFoundException" in received


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", [], 400),
        ("1.0", [], 200),
        ("1.1", ["a"], 200),
        ("1.1", [""], 200),
        ("1.1", ["127.0.0.1:80"], 200),
        ("1.1", ["[::1]:80"], 200),
        ("1.1", ["a", "a"], 400),
        ("1.0", ["a", "b"], 400),
        ("1.1", ["a b"], 400),
        ("1.1", ["a/b"], 400),
        ("1.1", ["user@a"], 400),
        ("1.1", ["a:port"], 400),
    ],
)
def test_host(exchange: Exchange, version: str, hosts: list[str], status: int) -> None:
    """RFC 9112, 3.2."""
    lines = [f"GET /_emulator/health HTTP/{version}", "Connection: close", *(f"Host: {h}" for h in hosts)]
    received = exchange("\r\n".join([*lines, "", ""]).encode())
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert status == 200 or refusal(received, 400, "BadRequestException")


@pytest.mark.parametrize(
    ("coding", "start"),
    [
        ("gzip, chunked", b"HTTP/1.1 501 "),
        ("unknown, chunked", b"HTTP/1.1 501 "),
        ("Chunked", b"HTTP/1.1 403 "),
    ],
)
def test_transfer_coding(exchange: Exchange, coding: str, start: bytes) -> None:
    """RFC 9112, 6.1."""
    data = head("POST", PATH, {"Host": "a", "Transfer-Encoding": coding, "Connection": "close"})
    assert exchange(data + b"0\r\n\r\n").startswith(start)


_IMPATIENT = """
import sys
from getintegration_emulator import __main__, connection
connection.HEAD_SECONDS = 0.3
sys.exit(__main__.main(["--port", "0", "--exit-with-stdin"]))
"""


def test_time_for_a_head() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _IMPATIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        url = json.loads(process.stdout.readline())["url"]
        health = head("HEAD", "/_emulator/health", {"Host": "a"})
        with dial(url) as connection:
            for parts in ((health,), (health, health[:20])):
                connection.sendall(b"".join(parts))
                assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
                assert len(parts) == 2 or not time.sleep(0.5), "between requests it may take longer"
            assert refusal(connection.recv(65536), 408, "RequestTimeoutException")
            assert connection.recv(65536) == b""
        with dial(url) as silent:
            assert refusal(silent.recv(65536), 408, "RequestTimeoutException")
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.000, br", False)],
)
def test_compression(wire: Any, accepted: str, compressed: bool) -> None:
    reply = wire.send("GET", "/_emulator/health", headers={"Accept-Encoding": accepted})
    assert (reply.headers.get("content-encoding") == "gzip") == compressed


def test_body_over_the_limit(wire: Any) -> None:
    inside = wire.call("POST", PATH, b" " * MAX_BODY)
    assert inside.error == (400, "SerializationException")
    outside = wire.send("POST", PATH, b" " * (MAX_BODY + 1))
    assert outside.error == (413, "RequestEntityTooLargeException")
    assert list(outside.json) == ["message"]
    assert outside.headers["connection"] == "close"


def test_announced_body_over_the_limit_is_refused_before_it_is_sent(exchange: Exchange) -> None:
    headers = {"Host": "a", "Content-Length": str(MAX_BODY + 1), "Expect": "100-continue"}
    assert exchange(head("POST", PATH, headers)).startswith(b"HTTP/1.1 413 ")


def test_client_that_leaves_in_the_middle_harms_nobody(wire: Any, emulator: Any) -> None:
    for _ in range(5):
        with dial(emulator.url) as connection:
            connection.sendall(head("POST", PATH, {**signed(wire), "Content-Length": "500"}) + b"{")
    assert wire.send("GET", "/_emulator/health").status == 200
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
