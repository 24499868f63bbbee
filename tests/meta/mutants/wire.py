"""Messages on a socket: h11 reads them; what is written goes as it is, since many mutants break HTTP."""

import socket
from collections.abc import Callable
from http.client import responses as reasons
from typing import Any
from urllib.parse import urlsplit

import h11

from .messages import Headers, Request, Response, without

#: Bytes of a head beyond which a peer is not believed to be speaking HTTP.
_MAX_HEAD = 1 << 20
#: Seconds that a server may keep silent.
_PATIENCE = 30.0


class ClosedError(ConnectionError):
    """The other side ended the connection between two messages, or within one."""


def dial(url: str) -> socket.socket:
    """A connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname or "", address.port or 80), _PATIENCE)


class Wire:
    """One side of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._left = b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def request(self, connection: int, number: int, *, continues: bool) -> Request:
        """The next request; ``Expect: 100-continue`` is answered if ``continues``."""
        http = h11.Connection(h11.SERVER, _MAX_HEAD)

        def begun(head: Any) -> None:
            if continues and http.they_are_waiting_for_100_continue:
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n")

        head, headers, body = self._message(http, begun)
        chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
        version = f"HTTP/{head.http_version.decode()}"
        method, target = head.method.decode(), head.target.decode()
        return Request(method, target, headers, body, version, chunked, connection, number)

    def response(self, method: str) -> Response:
        """The next response to a request of that method."""
        http = h11.Connection(h11.CLIENT, _MAX_HEAD)
        http.send(h11.Request(method=method, target="/", headers=[("Host", "")]))
        http.send(h11.EndOfMessage())
        head, headers, body = self._message(http, lambda head: None)
        names = {name.lower() for name, _ in headers}
        framing = "length"
        if method != "HEAD" and head.status_code not in (204, 304) and "content-length" not in names:
            framing = "chunked" if "transfer-encoding" in names else "close"
        version = f"HTTP/{head.http_version.decode()}"
        return Response(head.status_code, headers, body, head.reason.decode("latin-1"), framing, version)

    def _message(self, http: h11.Connection, begun: Callable[[Any], None]) -> tuple[Any, Headers, bytes]:
        """The next message: its head, its headers as they were written, its body."""
        if self._left:
            http.receive_data(self._left)
        head: Any = None
        parts: list[bytes] = []
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                parts.append(event.data)
            elif isinstance(event, h11.Request | h11.Response):
                head = event
                begun(head)
            elif event is h11.NEED_DATA:
                data = self.socket.recv(1 << 18)
                if not data and not isinstance(head, h11.Response):
                    raise ClosedError("the other side closed")
                http.receive_data(data)
        self._left = http.trailing_data[0]
        headers = ((k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers.raw_items())
        return head, tuple(headers), b"".join(parts)


def serialise(response: Response, *, head: bool = False) -> bytes:
    """A response as it goes over the wire; without its body where ``head``."""
    body = response.body
    headers = without(response.headers, "content-length", "transfer-encoding")
    if response.framing == "chunked" and response.version == "HTTP/1.1":
        headers = (*headers, ("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif response.framing == "close":
        headers = (*without(headers, "connection"), ("Connection", "close"))
    elif response.status != 204:
        headers = (*headers, ("Content-Length", str(len(body))))
    reason = reasons.get(response.status, "Unknown") if response.reason is None else response.reason
    lines = [f"{response.version} {response.status} {reason}", *(f"{k}: {v}" for k, v in headers), "", ""]
    top = "\r\n".join(lines).encode("latin-1")
    return top if head or response.status in (204, 304) else top + body
