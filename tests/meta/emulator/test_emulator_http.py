"""HTTP: routing on the raw path, methods, bodies of every kind, and the form of every response."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from getintegration_emulator import operations
from getintegration_emulator.application import MAX_BODY, Application
from getintegration_emulator.service import Service, Settings

PATH = "/domains/shop/integrations"
BODY = b'{"Uri": "arn:flow"}'
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Exchange = Callable[[bytes], bytes]


@pytest.fixture
def exchange(emulator: Any) -> Exchange:
    """Sends raw bytes on a connection of their own and returns all that comes until it closes."""
    host, port = urlsplit(emulator.url).netloc.split(":")

    def exchange(data: bytes) -> bytes:
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(data)
            received = b""
            while part := connection.recv(65536):
                received += part
            return received

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
        ("POST", "/", 404, "UnknownOperationException"),
        ("POST", "/integrations", 404, "UnknownOperationException"),
        ("POST", PATH + "/", 404, "UnknownOperationException"),
        ("POST", PATH + "/remove", 404, "UnknownOperationException"),
        ("POST", "//domains/shop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains/a/b/integrations", 404, "UnknownOperationException"),
        ("POST", "/Domains/shop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains%2Fshop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains/x/../shop/integrations", 404, "UnknownOperationException"),
        ("POST", "/domains/../integrations", 400, "BadRequestException"),
        ("POST", "/%64omains/shop/integrations", 404, "ResourceNotFoundException"),
        ("PATCH", PATH, 405, "MethodNotAllowedException"),
        ("DELETE", PATH, 405, "MethodNotAllowedException"),
        ("OPTIONS", PATH, 405, "MethodNotAllowedException"),
        ("TRACE", PATH, 405, "MethodNotAllowedException"),
        ("PUT", "/domains/shop", 405, "MethodNotAllowedException"),
        ("POST", "/domains", 405, "MethodNotAllowedException"),
        ("GET", PATH + "/delete", 405, "MethodNotAllowedException"),
    ],
)
def test_routing(wire: Any, method: str, target: str, status: int, error: str) -> None:
    reply = wire.call(method, target, BODY)
    assert reply.error == (status, error)
    member = "Message" if error in ("BadRequestException", "ResourceNotFoundException") else "message"
    assert list(reply.json) == [member]
    assert ("allow" in reply.headers) == (status == 405)


def test_routing_comes_after_authentication(wire: Any) -> None:
    for method, target in [("POST", "/nowhere"), ("PATCH", PATH), ("OPTIONS", "*"), ("HEAD", PATH)]:
        assert wire.send(method, target, b"").error == (403, "MissingAuthenticationTokenException")


def test_form_of_every_response(wire: Any) -> None:
    wire.create_domain()
    wire.put()
    replies = [
        wire.get(),
        wire.get(uri="other"),
        wire.send("POST", PATH, BODY),
        wire.call("PATCH", PATH),
        wire.call("POST", "/nowhere"),
        wire.send("GET", "/_emulator/health"),
    ]
    for reply in replies:
        assert reply.headers["content-type"] == "application/json"
        assert UUID.fullmatch(reply.headers["x-amzn-requestid"])
        assert isinstance(reply.json, dict)
        assert "date" in reply.headers
    assert len({reply.headers["x-amzn-requestid"] for reply in replies}) == len(replies)
    assert "x-amzn-errortype" not in replies[0].headers


def test_health_needs_no_signature(wire: Any) -> None:
    reply = wire.send("GET", "/_emulator/health")
    assert reply.status == 200
    assert reply.json["status"] == "ok"
    assert reply.json["version"]
    assert wire.send("POST", "/_emulator/health").error == (405, "MethodNotAllowedException")


def test_head_has_no_body(wire: Any) -> None:
    reply = wire.call("HEAD", PATH)
    assert reply.error == (405, "MethodNotAllowedException")
    assert reply.content == b""
    assert wire.send("HEAD", "/_emulator/health").status == 200
    assert wire.send("GET", "/_emulator/health").status == 200  # the connection is still in step


def test_expect_continue(wire: Any, exchange: Exchange) -> None:
    headers = {
        **signed(wire),
        "Content-Length": str(len(BODY)),
        "Expect": "100-continue",
        "Connection": "close",
    }
    received = exchange(head("POST", PATH, headers) + BODY)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")


def test_chunked_body(wire: Any, exchange: Exchange) -> None:
    headers = {**signed(wire), "Transfer-Encoding": "chunked", "Connection": "close"}
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, BODY[i : i + 1]) for i in range(len(BODY)))
    received = exchange(head("POST", PATH, headers) + chunks + b"0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"ResourceNotFoundException" in received


def test_keep_alive_and_close(wire: Any, exchange: Exchange) -> None:
    headers = {**signed(wire), "Content-Length": str(len(BODY))}
    request = head("POST", PATH, headers) + BODY
    last = head("POST", PATH, {**headers, "Connection": "close"}) + BODY
    received = exchange(request + request + last)
    assert received.count(b"HTTP/1.1 404 ") == 3
    assert received.count(b"connection: close") == 1


def test_offer_to_upgrade_is_declined(wire: Any, exchange: Exchange) -> None:
    offer = {"Connection": "Upgrade", "Upgrade": "h2c"}
    received = exchange(head("GET", PATH, {**signed(wire, b"", method="GET"), **offer}))
    assert received.startswith(b"HTTP/1.1 404 ")


def test_offer_to_upgrade_with_a_body_is_refused(wire: Any, exchange: Exchange) -> None:
    """The HTTP parser takes what follows for the other protocol, so the body cannot be read."""
    offer = {"Connection": "Upgrade", "Upgrade": "h2c", "Content-Length": str(len(BODY))}
    received = exchange(head("POST", PATH, {**signed(wire), **offer}) + BODY)
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
    host, port = urlsplit(emulator.url).netloc.split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head("POST", PATH, {**signed(wire), "Content-Length": "500"}) + b"{")
    assert wire.send("GET", "/_emulator/health").status == 200
    assert "Traceback" not in emulator.stderr()


def test_a_fault_of_the_emulator_is_a_json_500(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(operations.HANDLERS, "ListDomains", broken)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "raw_path": b"/domains", "query_string": b"", "headers": []}
    application = Application(Service(Settings(signatures=False)))
    with pytest.raises(StopIteration):
        application(scope, receive, send).send(None)
    start, body = sent
    assert start["status"] == 500
    assert (b"x-amzn-errortype", b"InternalServerException") in start["headers"]
    assert list(json.loads(body["body"])) == ["Message"]
    assert "ZeroDivisionError" in capsys.readouterr().err
