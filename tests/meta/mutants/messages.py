"""Requests and responses as they stand on the wire, and reading and writing them."""

from __future__ import annotations

import gzip
import json
import socket
import uuid
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from http.client import responses as reasons
from typing import Any, Self
from urllib.parse import quote, unquote_to_bytes

Headers = tuple[tuple[str, str], ...]

#: Stands for a JSON document that is not there.
MISSING: Any = object()

GET = "GetIntegration"
PUT = "PutIntegration"
DELETE = "DeleteIntegration"
CREATE_DOMAIN = "CreateDomain"
DELETE_DOMAIN = "DeleteDomain"
_OPERATIONS = {
    ("POST", 3): GET,
    ("PUT", 3): PUT,
    ("GET", 3): "ListIntegrations",
    ("POST", 4): DELETE,
    ("POST", 2): CREATE_DOMAIN,
    ("GET", 2): "GetDomain",
    ("DELETE", 2): DELETE_DOMAIN,
    ("GET", 1): "ListDomains",
}
_REST = ["integrations", "delete"]

#: Bytes of a head beyond which a peer is not believed to be speaking HTTP.
_MAX_HEAD = 1 << 20


class ClosedError(ConnectionError):
    """The other side ended the connection between two messages, or within one."""


class MalformedError(ValueError):
    """What came is no HTTP/1.1."""


def find(headers: Headers, name: str) -> str | None:
    """The first header of that name, in any case."""
    return next((value for key, value in headers if key.lower() == name), None)


def without(headers: Headers, *names: str) -> Headers:
    """The headers but those of these lower-case names."""
    return tuple(header for header in headers if header[0].lower() not in names)


def load(body: bytes) -> Any:
    """A JSON document as a careful server reads it, else ``MISSING``."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return MISSING


def _refuse(name: str) -> Any:
    raise ValueError(name)


class Message(ABC):
    """What requests and responses have in common: headers and a body."""

    headers: Headers
    body: bytes

    @property
    def content(self) -> bytes:
        """The body without its content coding."""
        return self.body

    @cached_property
    def document(self) -> Any:
        """The body as JSON, or ``MISSING``."""
        return load(self.content)

    def header(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return find(self.headers, name)

    def with_header(self, name: str, value: str | None) -> Self:
        """The message with a header set, or removed where None."""
        kept = without(self.headers, name.lower())
        headers = kept if value is None else (*kept, (name, value))
        return replace(self, headers=headers)

    @abstractmethod
    def with_body(self, body: bytes) -> Self:
        """The message with another body, in no coding."""

    def with_document(self, document: Any) -> Self:
        """The message with another JSON document as its body."""
        return self.with_body(json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@dataclass(frozen=True)
class Request(Message):
    """A request. ``target`` is as sent; ``body`` has lost its chunks.

    Attributes:
        connection: Which of the client's connections it came on.
        number: Which request of that connection it is, from 1.
    """

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    version: str = "HTTP/1.1"
    chunked: bool = False
    connection: int = 0
    number: int = 1

    @property
    def path(self) -> str:
        """The path, undecoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query string, undecoded."""
        return self.target.partition("?")[2]

    @cached_property
    def operation(self) -> str | None:
        """The operation that method and path name, None for any other."""
        segments = self.path.split("/")[1:]
        if segments[:1] != ["domains"] or segments[2:] != _REST[: len(segments[2:])]:
            return None
        return _OPERATIONS.get((self.method, len(segments)))

    @cached_property
    def domain(self) -> str:
        """The domain that the path names, decoded; empty where it names none."""
        segments = self.path.split("/")
        return unquote_to_bytes(segments[2]).decode("utf-8", "replace") if len(segments) > 2 else ""

    @cached_property
    def uri(self) -> Any:
        """The member Uri of the body, whatever it is; ``MISSING`` if there is none."""
        return self.document.get("Uri", MISSING) if isinstance(self.document, dict) else MISSING

    @property
    def text(self) -> str:
        """The member Uri if it is a string, else an empty one."""
        return self.uri if isinstance(self.uri, str) else ""

    @property
    def media_type(self) -> str:
        """The media type that it declares, in lower case and without parameters."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    def with_body(self, body: bytes) -> Request:
        """The request with another body, unchunked."""
        return replace(self, body=body, chunked=False)

    def with_uri(self, uri: Any) -> Request:
        """The request for another Uri; other members stay."""
        others = self.document if isinstance(self.document, dict) else {}
        return self.with_document({**others, "Uri": uri})

    def with_domain(self, domain: str) -> Request:
        """The request for another domain."""
        segments = self.path.split("/")
        segments[2] = quote(domain.encode("utf-8", "surrogatepass"), safe="")
        query = f"?{self.query}" if "?" in self.target else ""
        return replace(self, target="/".join(segments) + query)


@dataclass(frozen=True)
class Response(Message):
    """A response. ``body`` has lost its chunks but not its content coding.

    Attributes:
        framing: How the end of the body is shown: ``length``, ``chunked`` or ``close``.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    reason: str | None = None
    framing: str = "length"
    version: str = "HTTP/1.1"

    @cached_property
    def content(self) -> bytes:
        """The body without its content coding."""
        if (self.header("content-encoding") or "").lower() != "gzip":
            return self.body
        try:
            return gzip.decompress(self.body)
        except (OSError, EOFError, zlib.error):
            return self.body

    @cached_property
    def error_type(self) -> str | None:
        """The bare error type, wherever it stands."""
        found = self.header("x-amzn-errortype")
        if not found and isinstance(self.document, dict):
            found = self.document.get("__type") or self.document.get("code")
        return found.partition(":")[0].rpartition("#")[2].strip() if isinstance(found, str) else None

    def with_status(self, status: int) -> Response:
        """The response with another status."""
        return replace(self, status=status, reason=None)

    def with_body(self, body: bytes) -> Response:
        """The response with another body, in no content coding."""
        return replace(self, headers=without(self.headers, "content-encoding"), body=body)

    def with_type(self, error_type: str | None) -> Response:
        """The error with another type, in the header; with none anywhere where None."""
        answer = self.with_header("X-Amzn-ErrorType", error_type)
        if isinstance(self.document, dict) and self.document.keys() & {"__type", "code"}:
            rest = {key: value for key, value in self.document.items() if key not in ("__type", "code")}
            answer = answer.with_document(rest)
        return answer


@dataclass(frozen=True)
class Raw:
    """Bytes in place of a response, and what becomes of the connection.

    Attributes:
        then: ``keep``, ``close``, ``reset``, or ``stall``: keep it open and say nothing more.
        pause: Seconds between the two halves of the bytes.
    """

    data: bytes
    then: str = "close"
    pause: float = 0.0


Answer = Response | Raw
Forward = Callable[[Request], Response]
Handler = Callable[[Request, Forward], Answer]


def error(status: int, error_type: str, message: str = "The proxy says no.") -> Response:
    """An error in the form of the protocol."""
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", str(uuid.uuid4())),
        ("X-Amzn-ErrorType", error_type),
    )
    return Response(status, headers, json.dumps({"Message": message}).encode())


def ok(document: Any) -> Response:
    """A 200 with a JSON document."""
    headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", str(uuid.uuid4())))
    return Response(200, headers, json.dumps(document).encode())


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


class Wire:
    """A socket that is read by heads and lengths."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def until(self, marker: bytes) -> bytes:
        """What comes before the next marker, which is consumed."""
        start = 0
        while (end := self._buffer.find(marker, start)) < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise MalformedError("no end in sight")
            start = max(0, len(self._buffer) - len(marker))
            self._fill()
        found, self._buffer = self._buffer[:end], self._buffer[end + len(marker) :]
        return found

    def exactly(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        while len(self._buffer) < size:
            self._fill()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        try:
            while True:
                self._fill()
        except ClosedError:
            found, self._buffer = self._buffer, b""
            return found

    def chunks(self) -> bytes:
        """A chunked body."""
        parts = []
        while size := _number(self.until(b"\r\n").partition(b";")[0], 16):
            parts.append(self.exactly(size))
            if self.exactly(2) != b"\r\n":
                raise MalformedError("a chunk does not end where it said")
        while self.until(b"\r\n"):
            pass  # trailers
        return b"".join(parts)

    def head(self) -> tuple[str, Headers]:
        """A first line and the headers below it."""
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise MalformedError(f"no header: {line[:80]}")
            headers.append((name, value.strip()))
        return first, tuple(headers)

    def _fill(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise ClosedError("the other side closed")
        self._buffer += data


def _number(text: bytes, base: int) -> int:
    try:
        return int(text.strip(), base)
    except ValueError:
        raise MalformedError("no number where one must be") from None


def read_response(wire: Wire, method: str) -> Response:
    """The next response to a request of that method."""
    while True:
        first, headers = wire.head()
        version, _, rest = first.partition(" ")
        code, _, reason = rest.partition(" ")
        status = int(code)
        if status >= 200:
            break
    framing, body = "length", b""
    length = find(headers, "content-length")
    if method != "HEAD" and status not in (204, 304):
        if "chunked" in (find(headers, "transfer-encoding") or "").lower():
            framing, body = "chunked", wire.chunks()
        elif length is not None:
            body = wire.exactly(int(length))
        else:
            framing, body = "close", wire.rest()
    return Response(status, headers, body, reason, framing, version)


def read_body(wire: Wire, headers: Headers) -> tuple[bytes, bool]:
    """The body of a request, and whether it came chunked."""
    if "chunked" in (find(headers, "transfer-encoding") or "").lower():
        return wire.chunks(), True
    length = find(headers, "content-length")
    return (wire.exactly(_number(length.encode(), 10)) if length else b""), False
