"""HTTP/1.1 with one client: httptools parses what comes, and each request is answered once it is whole."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import math
import re
import sys
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

from .errors import ApiError, bad_message
from .request import Request
from .service import Answer, Service, error_answer
from .sigv4 import claimed_credential

MAX_BODY = 10 * 1024 * 1024
"""How many bytes a request body may have: API Gateway's payload quota."""
MAX_HEAD = 64 * 1024
"""How many bytes the target and the header fields of a request may have together."""
HEAD_SECONDS = 10
"""How many seconds the head of a request may take."""
KEEP_ALIVE = 75
"""How many seconds an idle connection is kept, longer than clients usually pause."""
LINGER = 1
"""How many seconds a refused connection is still read."""

_GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
"""An Accept-Encoding that allows gzip (RFC 9110, 12.5.3)."""
# Two Host fields were joined with a comma, which is no part of any real host's name.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:[0-9]*)?", re.ASCII)
_ID_PREFIX = str(uuid.uuid4())[:24]
_serials = itertools.count(1)


_head_too_large = partial(
    bad_message,
    f"The head of the request is larger than {MAX_HEAD} bytes.",
    431,
    "RequestHeaderSectionTooLargeException",
)
_body_too_large = partial(
    bad_message, f"The request body is larger than {MAX_BODY} bytes.", 413, "RequestEntityTooLargeException"
)


class Connection(asyncio.Protocol):
    """The connection of one client, among ``connections`` while it is open.

    A message that breaks HTTP or a limit is refused, in JSON, and ends the connection. ``access_log`` writes
    a JSON line to standard error for each response.
    """

    _transport: asyncio.Transport
    _begun: float | None = None  # when the head of the request under way was complete
    _last = False  # whether the connection ends with the request under way
    _refused = False

    def __init__(self, service: Service, connections: set[Connection], *, access_log: bool) -> None:
        self._service = service
        self._connections = connections
        self._access_log = access_log
        self._parser = HttpRequestParser(self)
        self.on_message_begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)

    def pause_writing(self) -> None:
        """Read on only when the client reads its answers."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Read on; refuse a head that is still not complete after too many bytes."""
        if self._refused:
            return
        head = self._headers
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            pass  # the request was answered, and was the last
        except HttpParserError as error:
            unknown = bad_message("Invalid HTTP request received.")
            # A method below may have raised another.
            self._refuse(error.__context__ if isinstance(error.__context__, ApiError) else unknown)
        if self._in_head and head is self._headers:  # else some of the data belongs to the request before
            self._unparsed += len(data)
            if self._unparsed > MAX_HEAD:
                self._refuse(_head_too_large())

    def close(self) -> None:
        """End the connection, once the request under way is answered."""
        self._last = True
        if self._begun is None:
            self._transport.close()

    def expire(self) -> None:
        """Refuse a head that takes too long; close a connection that is idle, or was refused."""
        if time.monotonic() > self._deadline:
            if not self._in_head or self._refused:
                self._transport.close()
            else:
                message = "The head of the request took too long."
                self._refuse(bad_message(message, 408, "RequestTimeoutException"))

    def on_message_begin(self) -> None:
        self._in_head = True
        self._unparsed = 0
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._request = Request("", b"", b"", self._headers, b"")
        self._deadline = time.monotonic() + HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field: repeated ones are joined, those of a trailer are none (RFC 9110, 5.3, 6.5)."""
        if self._in_head:
            name, value, headers = name.lower(), value.strip(), self._headers
            headers[name] = b",".join((headers[name], value)) if name in headers else value

    def on_headers_complete(self) -> None:
        """Refuse a head that no server may accept (RFC 9110, 9112), or that this one does not support."""
        self._in_head = False
        self._begun = time.perf_counter()
        self._deadline = math.inf
        url, headers = parse_url(self._url), self._headers
        if url.path is None:
            raise ValueError("a target without a path")
        self._request = Request(self._parser.get_method().decode(), url.path, url.query or b"", headers, b"")
        size = len(self._url) + sum(map(len, headers)) + sum(map(len, headers.values()))
        if size > MAX_HEAD:
            raise _head_too_large()
        host = headers.get(b"host", b"," if self._parser.get_http_version() == "1.1" else b"")
        if not _HOST.fullmatch(host):
            raise bad_message("A request must have exactly one Host header, which names a host.")
        coding = headers.get(b"transfer-encoding", b"").lower()
        if coding.endswith(b"chunked") and coding != b"chunked":  # the parser refuses other ends
            raise bad_message(
                "The only transfer coding supported is chunked.", 501, "NotImplementedException"
            )
        declared = headers.get(b"content-length", b"0")
        length = int(declared) if declared.isdigit() else 0
        if b"upgrade" in headers and (length or coding):
            # The parser takes what follows for the other protocol, so the body cannot be read.
            raise bad_message("A request with a body must not offer to upgrade the protocol.")
        if b"expect" in headers:
            if length > MAX_BODY:
                raise _body_too_large()
            if headers[b"expect"].lower() == b"100-continue":
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body += part
        if len(self._body) > MAX_BODY:
            raise _body_too_large()

    def on_message_complete(self) -> None:
        """Answer the request; those after the last one are ignored."""
        if self._transport.is_closing():
            return
        request = self._request = self._request._replace(body=bytes(self._body))
        # After an offer to upgrade the parser stops.
        persistent = self._parser.get_http_version() != "1.0" and self._parser.should_keep_alive()
        last = self._last or not persistent or b"upgrade" in self._headers
        self._write(self._service.answer(request), last=last)
        self._begun = None
        if last:
            self._transport.close()
        else:
            self._deadline = time.monotonic() + KEEP_ALIVE

    def _refuse(self, error: ApiError) -> None:
        """Answer and close, but read on for a while: a client that is still sending then gets the answer."""
        if self._transport.is_closing():
            return
        self._refused = True
        self._write(error_answer(error), last=True)
        self._begun = None
        self._transport.write_eof()
        self._deadline = time.monotonic() + LINGER

    def _write(self, answer: Answer, *, last: bool) -> None:
        body, headers = answer.body, [*answer.headers]
        if _GZIP.search(self._headers.get(b"accept-encoding", b"")):  # no SDK asks for it by itself
            body = gzip.compress(body)
            headers.append(("content-encoding", "gzip"))
        if last:
            headers.append(("connection", "close"))
        request_id = f"{_ID_PREFIX}{next(_serials):012x}"  # a UUID: random for each process, then counted
        head = (
            f"{_first_lines(answer.status, int(time.time()))}\r\n"
            f"content-length: {len(body)}\r\n"
            f"x-amzn-requestid: {request_id}\r\n"
        )
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
        sent = b"" if self._request.method == "HEAD" else body
        self._transport.write(f"{head}{fields}\r\n".encode() + sent)
        if self._access_log:
            self._log(answer, request_id)

    def _log(self, answer: Answer, request_id: str) -> None:
        now = time.perf_counter()
        record = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request_id,
            "method": self._request.method,
            "path": self._request.path.decode("latin-1"),
            "operation": answer.operation,
            "access_key_id": claimed_credential(self._request)[0] or None,
            "status": answer.status,
            "error_type": answer.error_type,
            "duration_ms": round((now - (self._begun or now)) * 1000, 3),
        }
        with suppress(OSError):
            sys.stderr.write(json.dumps(record) + "\n")
            sys.stderr.flush()


@lru_cache(maxsize=16)
def _first_lines(status: int, second: int) -> str:
    """The status, the Date (RFC 9110, 6.6.1) and the type of a response."""
    date = formatdate(second, usegmt=True)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ndate: {date}\r\ncontent-type: application/json"
