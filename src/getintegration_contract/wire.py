"""Requests on one connection, byte by byte: what an HTTP library would hide, mend or not send.

Every wait ends with the time limit of the client whose budget, signatures and observer are used.
"""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from getintegration_contract.client import Client
from getintegration_contract.exchange import Exchange, Fault, Request, Response
from getintegration_contract.faults import CLOSED, SHORT, UNDECODABLE, fault_name, transient_fault
from getintegration_contract.identity import Identity

#: Seconds that a server may take to answer ``Expect: 100-continue`` before the body is sent nevertheless.
EXPECT_PATIENCE = 3.0
#: Seconds within which bytes after a whole answer, or the end of the connection, would come.
LINGER = 0.2

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: (.*))?")
_CHUNK_SIZE = re.compile(rb"0*([0-9a-fA-F]{1,15})[ \t]*(;.*)?")
_MOST_HEAD = 1 << 20


class _FaultError(Exception):
    """There is no whole answer; the text says why, as the client's words do."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a conversation.

    Attributes:
        chunks: How the body goes out chunked, one entry each; None sends it with its length.
        expect: Whether the body waits for ``100 Continue``.
        last: Whether what follows the answer is read too, until the connection ends or nothing more comes.
    """

    request: Request
    identity: Identity | None
    chunks: Sequence[bytes] | None = None
    expect: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came.

    Attributes:
        version: Minor version of HTTP/1 that it names.
        framed: The body as framed, its content coding still on.
        surplus: Bytes that followed the answer; known for the last request of a conversation only.
        reused: Whether the connection had carried an answer before.
        waited: Whether the server waited for a body that waited for ``100 Continue``.
    """

    exchange: Exchange
    version: int = 1
    framed: bytes = b""
    surplus: bytes = b""
    reused: bool = False
    waited: bool = False


def converse(client: Client, *asks: Ask) -> list[Reply]:
    """Send requests one after another on one connection, from the start again after a transient fault.

    A server may end a connection after any answer; then the next request goes out on a new one. After a fault
    that persists, the rest is not sent.
    """
    replies: list[Reply] = []

    def act(faults: tuple[Fault, ...]) -> list[Exchange]:
        replies.clear()
        with _Wire(client) as wire:
            for ask in asks:
                replies.append(wire.ask(ask, faults))
                if transient_fault(replies[-1].exchange.response):
                    break
        return [reply.exchange for reply in replies]

    exchanges = client.repeat(act)
    return [replace(reply, exchange=exchange) for reply, exchange in zip(replies, exchanges, strict=True)]


class _Wire:
    """One connection at a time to a client's endpoint."""

    def __init__(self, client: Client) -> None:
        self._client = client
        address = urlsplit(client.endpoint)
        self._secure = address.scheme == "https"
        self._address = (address.hostname or "", address.port or (443 if self._secure else 80))
        default = address.port in (None, 443 if self._secure else 80)
        self._host = address.netloc.rpartition(":")[0] if address.port and default else address.netloc
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._deadline = 0.0

    def __enter__(self) -> _Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def ask(self, ask: Ask, faults: tuple[Fault, ...]) -> Reply:
        """Send one request and read its answer; an answer that is not whole comes back as status 0."""
        request = self._client.sign(ask.request, ask.identity)
        self._client.admit()
        started, clock = time.time(), time.perf_counter()
        self._deadline = clock + self._client.timeout
        reused = self._socket is not None
        try:
            try:
                reply = self._attempt(request, ask)
            except _ClosedError:
                if not reused:
                    raise
                self.close()
                reused = False
                reply = self._attempt(request, ask)
        except (_FaultError, OSError) as error:
            self.close()
            reply = Reply(_nothing(self._client.endpoint, request, _reason(error)))
        exchange = replace(
            reply.exchange,
            identity=ask.identity.name if ask.identity else None,
            started=started,
            seconds=time.perf_counter() - clock,
            faults=faults,
        )
        self._client.note(exchange)
        return replace(reply, exchange=exchange, reused=reused)

    def _attempt(self, request: Request, ask: Ask) -> Reply:
        head, body = _serialise(request, self._host, ask)
        waited = False
        if ask.expect:
            self._send(head)
            answered = self._wait(min(EXPECT_PATIENCE, self._client.timeout / 2))
            waited = not answered
            if answered:
                version, status, reason, headers = self._head()
                if status >= 200:
                    return self._rest(request, ask, version, status, reason, headers)
            self._send(body)
        else:
            self._send(head + body)
        while True:
            version, status, reason, headers = self._head()
            if status >= 200:
                return replace(self._rest(request, ask, version, status, reason, headers), waited=waited)

    def _rest(
        self,
        request: Request,
        ask: Ask,
        version: int,
        status: int,
        reason: str,
        headers: tuple[tuple[str, str], ...],
    ) -> Reply:
        """The body of an answer, and what becomes of the connection."""
        response = Response(status, reason, headers, b"")
        framed, ends = self._body(request.method, response)
        connection = (response.header("connection") or "").lower()
        ends = ends or "close" in connection or (version == 0 and "keep-alive" not in connection)
        surplus = self._surplus() if ask.last else b""
        if ends or ask.last:
            self.close()
        response = replace(response, body=_decoded(framed, response.header("content-encoding")))
        return Reply(Exchange(self._client.endpoint, request, response), version, framed, surplus)

    def _body(self, method: str, response: Response) -> tuple[bytes, bool]:
        """The body as framed, and whether its end is that of the connection."""
        if method == "HEAD" or response.status in (204, 304):
            return b"", False
        codings = (response.header("transfer-encoding") or "").lower()
        if "chunked" in codings:
            return self._chunks(), False
        length = response.header("content-length")
        if length is not None:
            if not (length.isascii() and length.isdigit()):
                raise _FaultError(f"the Content-Length is {length!r}")
            return self._exactly(int(length), SHORT), False
        return self._to_the_end(), True

    def _chunks(self) -> bytes:
        parts = []
        while True:
            match = _CHUNK_SIZE.fullmatch(self._line())
            if match is None:
                raise _FaultError("the size of a chunk is no number")
            size = int(match[1], 16)
            if not size:
                break
            parts.append(self._exactly(size, CLOSED))
            if self._exactly(2, CLOSED) != b"\r\n":
                raise _FaultError("a chunk is longer than its size says")
        while self._line():
            pass  # trailers
        return b"".join(parts)

    def _head(self) -> tuple[int, int, str, tuple[tuple[str, str], ...]]:
        self._begin()
        line = self._line()
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise _FaultError(f"no status line: {line[:40]!r}")
        headers = []
        while line := self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            if colon:
                headers.append((name, value.strip()))
        return int(match[1]), int(match[2]), (match[3] or b"").decode("latin-1"), tuple(headers)

    def _begin(self) -> None:
        """Have the first bytes of an answer."""
        with suppress(ConnectionError):
            if self._buffer or self._receive():
                return
        raise _ClosedError(CLOSED)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > _MOST_HEAD or not self._receive():
                raise _FaultError(CLOSED)
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def _exactly(self, size: int, cut: str) -> bytes:
        while len(self._buffer) < size:
            if not self._receive():
                raise _FaultError(cut)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _to_the_end(self) -> bytes:
        while self._receive():
            pass
        data, self._buffer = self._buffer, b""
        return data

    def _surplus(self) -> bytes:
        """What else comes soon after an answer."""
        self._deadline = min(self._deadline, time.perf_counter() + LINGER)
        with suppress(OSError):  # nothing more, or the end in another way
            while self._receive():
                pass
        return self._buffer

    def _receive(self) -> int:
        """Receive some bytes; 0 at the end of the connection."""
        assert self._socket is not None
        self._socket.settimeout(self._remaining())
        data = self._socket.recv(1 << 16)
        self._buffer += data
        return len(data)

    def _wait(self, seconds: float) -> bool:
        """Whether anything arrives within some seconds."""
        whole, self._deadline = self._deadline, min(self._deadline, time.perf_counter() + seconds)
        try:
            self._begin()
        except TimeoutError:
            return False
        finally:
            self._deadline = whole
        return True

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            self._connect()
        assert self._socket is not None
        self._socket.settimeout(self._remaining())
        with suppress(ConnectionError):  # an early answer may be there to read
            self._socket.sendall(data)

    def _connect(self) -> None:
        plain = socket.create_connection(self._address, self._remaining())
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._secure:
            self._socket = plain
            return
        context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
        if isinstance(self._client.verify, str):
            context.load_verify_locations(self._client.verify)
        elif not self._client.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._socket = context.wrap_socket(plain, server_hostname=self._address[0])

    def _remaining(self) -> float:
        remaining = self._deadline - time.perf_counter()
        if remaining <= 0:
            raise TimeoutError
        return remaining


class _ClosedError(_FaultError):
    """The connection ended before the first byte of an answer."""


def _serialise(request: Request, host: str, ask: Ask) -> tuple[bytes, bytes]:
    """Head and body of a request as they go out."""
    headers = [("Host", host), *((k, v) for k, v in request.headers if k.lower() != "host")]
    if not any(name.lower() == "accept-encoding" for name, _ in headers):
        headers.append(("Accept-Encoding", "identity"))
    body = request.body
    if ask.chunks is not None:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in ask.chunks if chunk) + b"0\r\n\r\n"
    elif body or request.method in ("POST", "PUT", "PATCH"):
        headers.append(("Content-Length", str(len(body))))
    if ask.expect:
        headers.append(("Expect", "100-continue"))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), body


def _decoded(body: bytes, coding: str | None) -> bytes:
    """A body without its content codings.

    Raises:
        _FaultError: It is not what they say.
    """
    try:
        for name in reversed((coding or "").lower().split(",")):
            match name.strip():
                case "gzip" | "x-gzip":
                    body = gzip.decompress(body)
                case "deflate":
                    body = zlib.decompress(body)
                case "" | "identity":
                    pass
                case other:
                    raise _FaultError(f"the Content-Encoding {other} was not asked for")
    except (OSError, EOFError, zlib.error):
        raise _FaultError(UNDECODABLE) from None
    return body


def _nothing(endpoint: str, request: Request, reason: str) -> Exchange:
    return Exchange(endpoint, request, Response(0, reason, (), b""))


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, _FaultError) else fault_name(error)
