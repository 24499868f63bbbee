"""Requests and responses as they stand on the wire."""

from __future__ import annotations

import gzip
import json
import uuid
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
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
#: What changes or removes an integration that is there.
WRITES = (PUT, DELETE, DELETE_DOMAIN)
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


def without(headers: Headers, *names: str) -> Headers:
    """The headers but those of these lower-case names."""
    return tuple(header for header in headers if header[0].lower() not in names)


def load(body: bytes) -> Any:
    """A JSON document as a careful server reads it, else ``MISSING``."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=int)  # NaN and Infinity are no integers
    except (ValueError, RecursionError):
        return MISSING


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

    @property
    def members(self) -> dict[str, Any]:
        """The members of the body, if it is a JSON object."""
        return self.document if isinstance(self.document, dict) else {}

    def header(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def closes(self) -> bool:
        """Whether it says that the connection ends with it."""
        return (self.header("connection") or "").lower() == "close"

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

    def edited(self, **members: Any) -> Self:
        """The message with members of its JSON set; others stay."""
        return self.with_document({**self.members, **members})


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
        return self.members.get("Uri", MISSING)

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
        """The request for another Uri."""
        return self.edited(Uri=uri)

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
        inside = self.members.get("__type") or self.members.get("code")
        found = self.header("x-amzn-errortype") or inside
        return found.partition(":")[0].rpartition("#")[2].strip() if isinstance(found, str) else None

    @property
    def error(self) -> tuple[int, str | None]:
        """Status and error type."""
        return self.status, self.error_type

    def with_status(self, status: int) -> Response:
        """The response with another status."""
        return replace(self, status=status, reason=None)

    def with_body(self, body: bytes) -> Response:
        """The response with another body, in no content coding."""
        return replace(self, headers=without(self.headers, "content-encoding"), body=body)

    def gzipped(self) -> Response:
        """The response with its body compressed, unless it has none or a coding already."""
        if not self.body or self.header("content-encoding"):
            return self
        return self.with_body(gzip.compress(self.body, 1)).with_header("Content-Encoding", "gzip")

    def with_type(self, error_type: str | None) -> Response:
        """The error with another type, in the header; with none anywhere where None."""
        answer = self.with_header("X-Amzn-ErrorType", error_type)
        rest = {key: value for key, value in self.members.items() if key not in ("__type", "code")}
        return answer if rest == self.members else answer.with_document(rest)


@dataclass(frozen=True)
class Raw:
    """Bytes in place of a response, and what becomes of the connection.

    Attributes:
        then: ``keep``, ``close``, ``reset``, or ``stall``: keep it open and say nothing more.
        pieces: What follows the bytes, piece by piece.
        pause: Seconds before each of these pieces.
    """

    data: bytes
    then: str = "close"
    pieces: Iterable[bytes] = ()
    pause: float = 0.0


Answer = Response | Raw
Forward = Callable[[Request], Response]
Handler = Callable[[Request, Forward], Answer]


def ok(document: Any, status: int = 200) -> Response:
    """A JSON document."""
    headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", str(uuid.uuid4())))
    return Response(status, headers, json.dumps(document).encode())


def error(status: int, error_type: str, message: str = "The proxy says no.") -> Response:
    """An error in the form of the protocol."""
    return ok({"Message": message}, status).with_header("X-Amzn-ErrorType", error_type)
