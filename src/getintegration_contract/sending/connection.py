"""One connection to an endpoint, on h11: nothing is hidden, repaired or normalised.

Reading is bounded in time and in memory, whatever a server sends.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import responses as reasons
from importlib.metadata import version

import h11
from urllib3.util import wait_for_read

from getintegration_contract.exchange import Request, Response
from getintegration_contract.sending.decoding import LIMIT, decoded
from getintegration_contract.sending.faults import (
    CLOSED,
    LARGE_BODY,
    LARGE_HEAD,
    LATE,
    NOT_HTTP,
    SHORT,
    ClosedError,
    FaultError,
)
from getintegration_contract.sending.route import Route

#: Bytes of the head of an answer, interim ones before it included.
_MOST_HEAD = 256 << 10
_PIECE = 64 << 10
#: The empty line after a head, also where lines end in LF alone.
_END = re.compile(rb"\n\r?\n")
_AGENT = f"getintegration-contract/{version('getintegration-contract')}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as received: its HTTP version, and its body before its content coding is undone."""

    response: Response
    version: str
    framed: bytes


class Connection:
    """One connection, for one user at a time.

    Attributes:
        used: Whether it has carried an answer.
    """

    def __init__(self, route: Route, seconds: float) -> None:
        self._route = route
        self._socket = route.connect(seconds)
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD + _PIECE)
        self._heads = bytearray()
        self.used = False

    def close(self) -> None:
        """End it; safe to call again."""
        self._socket.close()

    @property
    def is_open(self) -> bool:
        """Whether the next request can go out on it: the server has neither ended it nor sent more."""
        idle = self._http.our_state is h11.IDLE and not self._http.trailing_data[0]
        return idle and not wait_for_read(self._socket, timeout=0)

    def begin(self, request: Request, *more: tuple[str, str], chunked: bool = False) -> h11.Request:
        """The head of the next request, with the headers of its connection."""
        self._heads.clear()
        names = {name.lower() for name, _ in request.headers}
        added = [("Host", self._route.host), ("Accept-Encoding", "identity"), ("User-Agent", _AGENT)]
        if chunked:
            added.append(("Transfer-Encoding", "chunked"))
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            added.append(("Content-Length", str(len(request.body))))
        if self._route.forward:
            added += self._route.proxy_headers.items()
        headers = [*request.headers, *(pair for pair in added if pair[0].lower() not in names), *more]
        encoded = [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        return h11.Request(
            method=request.method, target=self._route.forward + request.target, headers=encoded
        )

    def send(self, events: Iterable[h11.Event], deadline: float) -> None:
        """Send parts of a request."""
        data = b"".join(self._http.send(event) or b"" for event in events)
        self._socket.settimeout(_until(deadline))
        with suppress(ConnectionError):  # an early answer may be there to read
            self._socket.sendall(data)

    def receive(self, deadline: float) -> Answer:
        """The next answer, interim ones passed over.

        Raises:
            FaultError: It is not whole, not HTTP, or too large.
            TimeoutError: It is not complete by the deadline, though it may still be coming drop by drop.
        """
        while not isinstance(head := self.head(deadline), h11.Response):
            pass
        return self.rest(head, deadline)

    def head(self, deadline: float) -> h11.InformationalResponse | h11.Response:
        """The next head of an answer, interim or final."""
        raw = bytearray(self._http.trailing_data[0])
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if len(self._heads) + len(raw) > _MOST_HEAD:
                    raise FaultError(LARGE_HEAD)
                data = b""
                with suppress(ConnectionError):
                    data = self._receive(deadline)
                if not data:
                    raise FaultError(CLOSED) if raw else ClosedError
                raw += data
                if not b"HTTP/".startswith(raw.lstrip(b"\r\n")[:5]):
                    raise FaultError(NOT_HTTP)
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            end = _END.search(raw, len(raw) - len(raw.lstrip(b"\r\n")))
            self._heads += raw[: end.end() if end else _MOST_HEAD]
            raise _not_http(error, self.heads) from None
        self._heads += raw.removesuffix(self._http.trailing_data[0])
        if len(self._heads) > _MOST_HEAD:
            raise FaultError(LARGE_HEAD)
        assert isinstance(event, h11.InformationalResponse | h11.Response)
        return event

    def rest(self, head: h11.Response, deadline: float) -> Answer:
        """The answer whose head this is."""
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()
        )
        named = {name.lower(): value for name, value in reversed(headers)}  # the first of a name counts
        try:
            framed = self._body(SHORT if named.get("content-length") else CLOSED, deadline)
        except TimeoutError as late:
            raise FaultError(LATE, self.heads) from late
        self.used = True
        if (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE):
            self._http.start_next_cycle()
        reason = head.reason.decode("latin-1") or reasons.get(head.status_code, "")
        body = decoded(framed, named.get("content-encoding"))
        response = Response(head.status_code, reason, headers, body, self.heads)
        return Answer(response, head.http_version.decode(), framed)

    @property
    def heads(self) -> bytes:
        """The heads of the current answer, byte for byte; empty behind a proxy, which may write its own."""
        return b"" if self._route.proxy else bytes(self._heads)

    def _body(self, cut: str, deadline: float) -> bytes:
        """The body as framed; ``cut`` names the fault of one that ends with the connection."""
        whole = bytearray()
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                ended = self._http.trailing_data[1]
                raise (FaultError(cut) if ended else _not_http(error, self.heads)) from None
            if isinstance(event, h11.Data):
                whole += event.data
                if len(whole) > LIMIT:
                    raise FaultError(LARGE_BODY)
            elif event is h11.NEED_DATA:
                self._http.receive_data(self._receive(deadline))
            else:
                return bytes(whole)

    def surplus(self, deadline: float) -> tuple[bytes, bool]:
        """What else comes by the deadline after an answer, and whether the connection ended."""
        surplus = self._http.trailing_data[0]
        try:
            while len(surplus) < _PIECE and (data := self._receive(deadline)):
                surplus += data
        except TimeoutError:
            return surplus, False
        except OSError:
            pass
        return surplus, True

    def _receive(self, deadline: float) -> bytes:
        """Some bytes; none at the end of the connection."""
        self._socket.settimeout(_until(deadline))
        return self._socket.recv(_PIECE)


def _not_http(error: h11.RemoteProtocolError, head: bytes) -> FaultError:
    """The answer breaks the grammar; the text says where, without quoting the server."""
    return FaultError(f"{NOT_HTTP}: {str(error).partition(':')[0]}", head)


def _until(deadline: float) -> float:
    """Seconds until a moment.

    Raises:
        TimeoutError: It has passed.
    """
    remaining = deadline - time.perf_counter()
    if remaining <= 0:
        raise TimeoutError
    return remaining
