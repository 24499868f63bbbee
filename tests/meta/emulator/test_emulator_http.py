"""HTTP: routing on the raw path, methods, bodies of every kind, and the form of every response."""

import asyncio
import json
import math
import re
from typing import Any
from unittest.mock import Mock

import pytest

from getintegration_emulator import connection as http
from getintegration_emulator.connection import MAX_BODY, MAX_HEAD
from getintegration_emulator.request import Request
from getintegration_emulator.service import Service
from getintegration_emulator.state import OPERATIONS

from ..mutants.wire import dial

PATH, HEALTH = "/domains/shop/integrations", "/_emulator/health"
BODY = b'{"Uri": "arn:flow"}'
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def signed(wire: Any, body: bytes = BODY, method: str = "POST", **more: str) -> bytes:
    """The head of a signed request, with more headers, and its body."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return head(method, PATH, {**wire.signed_headers(method, PATH, body), **named}) + body


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
    allowed = {"/domains/shop": "DELETE, GET, POST", f"{PATH}/delete": "POST"}
    assert reply.header("allow") == (allowed[target] if status == 405 else None)


def test_health_needs_no_signature(wire: Any) -> None:
    reply = wire.send("GET", HEALTH)
    assert (reply.status, reply.document["status"]) == (200, "ok")
    assert reply.document["version"]
    assert reply.header("connection") is None
    assert UUID.fullmatch(reply.header("x-amzn-requestid"))
    assert wire.send("POST", HEALTH).error == (405, "MethodNotAllowedException")


REFUSED = {
    400: "BadRequestException",
    408: "RequestTimeoutException",
    413: "RequestEntityTooLargeException",
    431: "RequestHeaderSectionTooLargeException",
    501: "NotImplementedException",
}


def refusal(received: bytes) -> int:
    """The status of the last response, which has to be a refusal, in JSON, that ends the connection."""
    start, _, body = received.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
    status = int(start[:3])
    assert f"\r\nx-amzn-errortype: {REFUSED[status]}\r\n".encode() in start, received[:200]
    assert b"\r\ncontent-type: application/json\r\n" in start
    assert b"\r\nx-amzn-requestid: " in start
    assert b"\r\nconnection: close" in start
    assert list(json.loads(body)) == ["message"]
    return status


def get(*fields: bytes, target: bytes = b"", version: bytes = b"1.1") -> bytes:
    """Asks for the health on a connection that ends then."""
    lines = [b"GET /_emulator/health%s HTTP/%s" % (target, version), b"Connection: close", *fields]
    return b"\r\n".join([*lines, b"", b""])


def post(*fields: bytes, body: bytes = b"") -> bytes:
    """A request that nobody signed, with these header fields."""
    return b"\r\n".join([b"POST /domains HTTP/1.1", b"Host: a", *fields, b"", body])


ENDED = b"0\r\n\r\n"
#: What is sent, and the status of each response until the connection ends.
RAW: dict[str, tuple[bytes, str]] = {
    "nonsense": (b"nonsense\r\n\r\n", "400"),
    "another version": (b"GET / HTTP/9.9\r\n\r\n", "400"),
    "no ASCII": (b"POST /domains/\xc3\xa9/integrations HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    "two lengths": (post(b"Content-Length: 1", b"Transfer-Encoding: chunked", body=ENDED), "400"),
    "a negative length": (post(b"Content-Length: -1"), "400"),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    "no path": (b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    "after two good ones": (2 * head("GET", HEALTH, {"Host": "a"}) + b"nonsense\r\n\r\n", "200 200 400"),
    "a head just inside": (get(b"Host: a", b"X-Long: " + b"x" * (MAX_HEAD - 100)), "200"),
    "a head just outside": (get(b"Host: a", b"X-Long: " + b"x" * MAX_HEAD), "431"),
    "a head far outside": (get(b"Host: a", b"X-Long: " + b"x" * 20 * MAX_HEAD), "431"),
    "many fields": (get(b"Host: a", *[b"X-Many: 0123456789abcdefghijklmnopqrstuvwxyz"] * 2000), "431"),
    "a long target": (get(b"Host: a", b"X: x", target=b"?" + b"x" * (MAX_HEAD - 30)), "431"),
    "a body outside": (post(b"Content-Length: %d" % (MAX_BODY + 1), body=b" " * (MAX_BODY + 1)), "413"),
    "one announced": (post(b"Content-Length: %d" % (MAX_BODY + 1), b"Expect: 100-continue"), "413"),
    # RFC 9112, 3.2
    "no host in 1.0": (get(version=b"1.0"), "200"),
    "no host": (get(), "400"),
    "two hosts": (get(b"Host: a", b"Host: a"), "400"),
    "two hosts in 1.0": (get(b"Host: a", b"Host: b", version=b"1.0"), "400"),
    **{host: (get(b"Host: " + host.encode()), "200") for host in ("a", "", "127.0.0.1:80", "[::1]:80")},
    **{host: (get(b"Host: " + host.encode()), "400") for host in ("a b", "a/b", "user@a", "a:port")},
    # RFC 9112, 6.1
    "gzip": (post(b"Transfer-Encoding: gzip"), "400"),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=ENDED), "501"),
    "unknown, chunked": (post(b"Transfer-Encoding: unknown, chunked", body=ENDED), "501"),
    "Chunked": (post(b"Transfer-Encoding: Chunked", b"Connection: close", body=ENDED), "403"),
}


@pytest.mark.parametrize(("data", "statuses"), RAW.values(), ids=RAW.keys())
def test_what_is_answered_to_bytes(wire: Any, data: bytes, statuses: str) -> None:
    received = wire.exchange(data)
    assert re.findall(rb"HTTP/1.1 (\d+) ", received) == statuses.encode().split()
    if (last := int(statuses[-3:])) in REFUSED:
        assert refusal(received) == last


def test_an_offer_to_upgrade_is_declined(wire: Any) -> None:
    """With a body it is refused: the HTTP parser takes what follows for the other protocol."""
    offer = {"Connection": "Upgrade", "Upgrade": "h2c"}
    assert wire.exchange(signed(wire, b"", "GET", **offer)).startswith(b"HTTP/1.1 404 ")
    assert refusal(wire.exchange(signed(wire, Content_Length=str(len(BODY)), **offer))) == 400


def test_the_size_of_a_body_is_not_that_of_a_head(wire: Any) -> None:
    """A large body and the next head in one piece, and a trailer, which is no header field either."""
    large = b" " * 2 * MAX_HEAD
    first = head("POST", HEALTH, {"Host": "a", "Content-Length": str(len(large))}) + large
    chunked = signed(wire, Transfer_Encoding="chunked", Connection="close").removesuffix(BODY)
    chunks = b"%x\r\n%s\r\n0\r\nHost: another\r\nX-Amz-Date: none\r\n\r\n" % (len(BODY), BODY)
    received = wire.exchange(first + chunked + chunks)
    assert received.startswith(b"HTTP/1.1 405 ")
    assert b"HTTP/1.1 404 " in received
    assert b"ResourceNotFoundException" in received


class Client:
    """A connection without a socket, and a clock that stands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self.transport = Mock(spec=asyncio.Transport, is_closing=lambda: False)
        self.connection = http.Connection(Service(), set(), access_log=False)
        self.connection.connection_made(self.transport)

    def send(self, data: bytes, after: float = 0.0) -> bytes:
        """What is answered to it some seconds later, after a look at the clock."""
        self.now += after
        self.transport.write.reset_mock()
        self.connection.expire()
        self.connection.data_received(data)
        return b"".join(call.args[0] for call in self.transport.write.call_args_list)

    @property
    def is_closed(self) -> bool:
        return bool(self.transport.close.called)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    return Client(monkeypatch)


@pytest.mark.parametrize(("size", "limit"), [(20, http.HEAD_SECONDS), (None, http.KEEP_ALIVE)])
def test_time_for_a_head_and_between_two(client: Client, size: int | None, limit: float) -> None:
    health = head("HEAD", HEALTH, {"Host": "a"})
    received = client.send(health, after=http.HEAD_SECONDS)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"\r\n\r\n"), "the answer to HEAD has no body"
    client.send(health[:size], after=http.KEEP_ALIVE)
    assert client.send(b"", after=limit) == b""
    assert not client.is_closed
    received = client.send(b"", after=1)
    if size is not None:
        assert refusal(received) == 408
        assert client.send(health, after=http.LINGER) == b"", "it goes on to send"
        assert not client.is_closed
        client.send(health, after=1)
    assert client.is_closed


def test_a_body_may_take_its_time(client: Client) -> None:
    client.send(head("POST", HEALTH, {"Host": "a", "Content-Length": "1"}))
    assert client.send(b"", after=math.inf) == b""
    assert not client.is_closed
    assert client.send(b"x").startswith(b"HTTP/1.1 405 ")


def test_who_reads_no_answers_is_not_read(client: Client) -> None:
    client.connection.pause_writing()
    client.transport.pause_reading.assert_called_once()
    client.connection.resume_writing()
    client.transport.resume_reading.assert_called_once()


def test_what_follows_the_last_request_is_ignored(client: Client) -> None:
    client.transport.is_closing = lambda: client.is_closed
    last = b"GET /_emulator/health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    assert client.send(last * 2 + b"no HTTP\r\n\r\n").count(b"HTTP/1.1 ") == 1


def test_the_sizes_of_several_heads_do_not_add_up(client: Client) -> None:
    whole = head("GET", HEALTH, {"Host": "a", "X-Long": "x" * (MAX_HEAD // 2)})
    for _ in range(4):
        assert client.send(whole[:-4]) == b""
        assert client.send(whole[-4:]).startswith(b"HTTP/1.1 200 ")
    heads = head("GET", HEALTH, {"Host": "a"}) * 2000
    assert client.send(heads[:20]) == b""
    assert client.send(heads[20:-20]).count(b"HTTP/1.1 200 ") == 1999
    assert client.send(heads[-20:]).startswith(b"HTTP/1.1 200 ")


def test_a_head_without_end_is_refused(client: Client) -> None:
    assert client.send(b"GET / HTTP/1.1\r\nX: " + b"x" * MAX_HEAD) == b""
    assert refusal(client.send(b"x" * (MAX_HEAD + 1))) == 431


def test_compression(wire: Any) -> None:
    accepted = {"gzip": True, "deflate, GZIP;q=0.5": True, "gzip;q=0": False, "gzip; q=0.000, br": False}
    for coding, compressed in accepted.items():
        reply = wire.send("GET", HEALTH, headers={"Accept-Encoding": coding})
        assert (reply.header("content-encoding") == "gzip") == compressed, coding
        assert reply.document["status"] == "ok"


def test_a_body_within_the_limit_and_one_that_waits(wire: Any) -> None:
    assert wire.call("POST", PATH, b" " * MAX_BODY).error == (400, "SerializationException")
    waiting = {"Connection": "close", "Expect": "100-continue", "Content_Length": str(len(BODY))}
    received = wire.exchange(signed(wire, **waiting))
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 ")


def test_client_that_leaves_in_the_middle_harms_nobody(wire: Any, emulator: Any) -> None:
    for _ in range(5):
        with dial(emulator.url) as connection:
            connection.sendall(signed(wire, Content_Length="500"))
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
