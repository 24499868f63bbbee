"""Requests on one connection, with h11: what an HTTP library would hide, mend or not send.

Every wait ends with the time limit of the client whose budget, signatures and observer are used.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPSConnection
from types import TracebackType
from urllib.parse import urlsplit

import h11
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from getintegration_contract.exchange import Exchange, Fault, Request, Response, Signature, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import (
    CLOSED,
    NOT_HTTP,
    SHORT,
    UNDECODABLE,
    fault_name,
    transient_fault,
)

#: Seconds that a server may take to answer ``Expect: 100-continue`` before the body is sent nevertheless.
EXPECT_PATIENCE = 3.0
#: Seconds within which bytes after a whole answer, or the end of the connection, would come.
LINGER = 0.2

_MOST_HEAD = 1 << 20
_PIECE = 1 << 16


class _FaultError(Exception):
    """There is no whole answer; the text says why, as the client's words do."""


class _ClosedError(_FaultError):
    """The connection ended before the first byte of an answer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a conversation.

    Attributes:
        signing: How it is signed, where that is not as it must be.
        chunks: How the body goes out chunked, one entry each; None sends it with its length.
        expect: Whether the body waits for ``100 Continue``.
        last: Whether what follows the answer is read too, until the connection ends or nothing more comes.
    """

    request: Request
    identity: Identity | None
    signing: Signing | None = None
    chunks: Sequence[bytes] | None = None
    expect: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came.

    Attributes:
        version: The version of HTTP that it names, such as ``1.1``.
        framed: The body as framed, its content coding still on.
        surplus: Bytes that followed the answer; known for the last request of a conversation only.
        reused: Whether the connection had carried an answer before.
        waited: Whether the server waited for a body that waited for ``100 Continue``.
    """

    exchange: Exchange
    version: str = "1.1"
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
        self._address = urlsplit(client.endpoint)
        self._socket: socket.socket | None = None
        self._http = h11.Connection(h11.CLIENT)
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
        self._socket = None

    def ask(self, ask: Ask, faults: tuple[Fault, ...]) -> Reply:
        """Send one request and read its answer; an answer that is not whole comes back as status 0."""
        request = self._client.sign(ask.request, ask.identity, ask.signing)
        self._client.admit(request)
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
        except (_FaultError, h11.RemoteProtocolError, OSError) as error:
            self.close()
            response = Response(0, _reason(error), (), b"")
            reply = Reply(Exchange(self._client.endpoint, request, response))
        exchange = replace(
            reply.exchange,
            identity=ask.identity.name if ask.identity else None,
            started=started,
            seconds=time.perf_counter() - clock,
            faults=faults,
            signature=Signature(ask.identity, ask.signing or Signing()) if ask.identity else None,
        )
        self._client.note(exchange)
        return replace(reply, exchange=exchange, reused=reused)

    def _attempt(self, request: Request, ask: Ask) -> Reply:
        if self._socket is None:
            self._connect()
        begin = h11.Request(method=request.method, target=request.target, headers=self._headers(request, ask))
        pieces = (request.body,) if ask.chunks is None else ask.chunks
        body = (*(h11.Data(data=piece) for piece in pieces), h11.EndOfMessage())
        head, waited = None, False
        if ask.expect:
            self._send(begin)
            try:
                head = self._head(min(EXPECT_PATIENCE, self._client.timeout / 2))
            except TimeoutError:
                waited = True
            if not isinstance(head, h11.Response):
                self._send(*body)
        else:
            self._send(begin, *body)
        while not isinstance(head, h11.Response):
            head = self._head()
        return replace(self._rest(request, ask, head), waited=waited)

    def _headers(self, request: Request, ask: Ask) -> list[tuple[str, str]]:
        """The headers of a request, with those of its connection."""
        headers = [(name, value) for name, value in request.headers if name.lower() != "host"]
        headers.append(("Host", self._host()))
        if not request.header("accept-encoding"):
            headers.append(("Accept-Encoding", "identity"))
        if ask.chunks is not None:
            headers.append(("Transfer-Encoding", "chunked"))
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(request.body))))
        if ask.expect:
            headers.append(("Expect", "100-continue"))
        return headers

    def _host(self) -> str:
        """The Host header, as it is signed: without the scheme's own port."""
        default = 443 if self._address.scheme == "https" else 80
        return self._address.netloc.removesuffix(f":{default}")

    def _head(self, patience: float = float("inf")) -> h11.InformationalResponse | h11.Response:
        """The next head of an answer, interim or final.

        Raises:
            TimeoutError: There is none within some seconds.
        """
        deadline = min(self._deadline, time.perf_counter() + patience)
        while (event := self._http.next_event()) is h11.NEED_DATA:
            data = b""
            with suppress(ConnectionError):
                data = self._receive(deadline)
            if not data:
                raise _FaultError(CLOSED) if self._http.trailing_data[0] else _ClosedError(CLOSED)
            self._http.receive_data(data)
        assert isinstance(event, h11.InformationalResponse | h11.Response)
        return event

    def _rest(self, request: Request, ask: Ask, head: h11.Response) -> Reply:
        """The answer whose head this is, and what becomes of the connection."""
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers.raw_items())
        response = Response(head.status_code, head.reason.decode("latin-1"), headers, b"")
        framed = self._body(SHORT if response.header("content-length") else CLOSED)
        surplus = self._surplus() if ask.last else b""
        if ask.last or (self._http.our_state, self._http.their_state) != (h11.DONE, h11.DONE):
            self.close()
        else:
            self._http.start_next_cycle()
        response = replace(response, body=_decoded(framed, response.header("content-encoding")))
        exchange = Exchange(self._client.endpoint, request, response)
        return Reply(exchange, head.http_version.decode(), framed, surplus)

    def _body(self, cut: str) -> bytes:
        """The body as framed; ``cut`` is what to call one that the connection's end cuts off."""
        pieces = []
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                if not self._http.trailing_data[1]:
                    raise
                raise _FaultError(cut) from None
            if isinstance(event, h11.Data):
                pieces.append(event.data)
            elif event is h11.NEED_DATA:
                self._http.receive_data(self._receive(self._deadline))
            else:
                return b"".join(pieces)

    def _surplus(self) -> bytes:
        """What else comes soon after an answer."""
        surplus = self._http.trailing_data[0]
        deadline = min(self._deadline, time.perf_counter() + LINGER)
        with suppress(OSError):  # nothing more, or the end in another way
            while data := self._receive(deadline):
                surplus += data
        return surplus

    def _receive(self, deadline: float) -> bytes:
        """Some bytes; none at the end of the connection."""
        assert self._socket is not None
        self._socket.settimeout(_until(deadline))
        return self._socket.recv(_PIECE)

    def _send(self, *events: h11.Event) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        assert self._socket is not None
        self._socket.settimeout(_until(self._deadline))
        with suppress(ConnectionError):  # an early answer may be there to read
            self._socket.sendall(data)

    def _connect(self) -> None:
        host, port, patience = self._address.hostname or "", self._address.port, _until(self._deadline)
        connection = HTTPConnection(host, port, patience)
        if self._address.scheme == "https":
            context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
            if isinstance(self._client.verify, str):
                context.load_verify_locations(self._client.verify)
            elif not self._client.verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = HTTPSConnection(host, port, timeout=patience, context=context)
        connection.connect()
        self._socket = connection.sock
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)


def _until(deadline: float) -> float:
    """Seconds until a moment.

    Raises:
        TimeoutError: It has passed.
    """
    remaining = deadline - time.perf_counter()
    if remaining <= 0:
        raise TimeoutError
    return remaining


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


def _reason(error: Exception) -> str:
    if isinstance(error, h11.RemoteProtocolError):
        return f"{NOT_HTTP}: {error}"
    return str(error) if isinstance(error, _FaultError) else fault_name(error)
