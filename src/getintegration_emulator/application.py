"""The emulator as an ASGI application: reading bodies, writing responses, the access log."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from .errors import CLOSE, ApiError, bad_message
from .request import Request, join_headers
from .service import Answer, Service, error_answer
from .sigv4 import claimed_access_key

MAX_BODY = 10 * 1024 * 1024
"""How many bytes a request body may have: API Gateway's payload quota."""
MAX_HEAD = 64 * 1024
"""How many bytes the target and the header fields of a request may have together."""
MAX_DRAIN = 10 * MAX_BODY
"""How many bytes of a body that is too large are read, so that the client gets to the answer."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


_GZIP = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
"""An Accept-Encoding that allows gzip (RFC 9110, 12.5.3)."""
_ID_PREFIX = str(uuid.uuid4())[:24]
_serials = itertools.count(1)


def new_request_id() -> str:
    """A UUID that no other response has: random for each process, then counted."""
    return f"{_ID_PREFIX}{next(_serials):012x}"


def response_headers(answer: Answer, request_id: str) -> list[tuple[bytes, bytes]]:
    """The headers of a response; the server adds ``Date``."""
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(answer.body)),
        (b"x-amzn-requestid", request_id.encode("ascii")),
        *answer.headers,
    ]


class Application:
    """ASGI 3. ``access_log`` writes one JSON line to standard error for each response."""

    def __init__(self, service: Service, *, access_log: bool = False) -> None:
        self._service = service
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP is left alone."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        headers = join_headers(scope["headers"])
        target = (scope["method"], scope["raw_path"], scope["query_string"], headers)
        try:
            _check_head(scope, headers)
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                body = message.get("body", b"")
            else:
                body = await _read_on(message, receive)
        except ApiError as error:
            request = Request(*target, b"")
            answer = error_answer(error)
        else:
            if body is None:
                return
            request = Request(*target, body)
            answer = self._service.answer(request)
        request_id = new_request_id()
        if _GZIP.search(headers.get(b"accept-encoding", b"")):  # no SDK asks for it by itself
            encoding = (b"content-encoding", b"gzip")
            answer = answer._replace(body=gzip.compress(answer.body), headers=(*answer.headers, encoding))
        sent = response_headers(answer, request_id)
        if b"upgrade" in headers and CLOSE not in sent:
            # The server stops parsing after an offer to upgrade: this connection has to end.
            sent.append(CLOSE)
        await send({"type": "http.response.start", "status": answer.status, "headers": sent})
        await send({"type": "http.response.body", "body": answer.body})
        if self._access_log:
            _log(request, answer, request_id, time.perf_counter() - started)


async def _read_on(message: Message, receive: Receive) -> bytes | None:
    """Read a body that comes in parts, ``message`` the first of them.

    Returns None if the client goes away. Raises :class:`ApiError` (413) for a body that is too
    large, after reading what is reasonable of it.
    """
    body = bytearray()
    received = 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        received += len(part)
        if received <= MAX_BODY:
            body += part
        if not message.get("more_body") or received > MAX_DRAIN:
            if received > MAX_BODY:
                raise _too_large()
            return bytes(body)
        message = await receive()
    return None


# Two Host fields were joined with a comma, which is no part of any real host's name.
_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+;=%-]*)(:[0-9]*)?", re.ASCII)


def _check_head(scope: Scope, headers: dict[bytes, bytes]) -> None:
    """Refuse what RFC 9110 and 9112 let nobody serve, and what this server does not do."""
    size = len(scope["raw_path"]) + len(scope["query_string"])
    if size + sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD:
        raise head_too_large()
    host = headers.get(b"host", b"," if scope["http_version"] == "1.1" else b"")
    if not _HOST.fullmatch(host):
        raise bad_message("A request must have one Host header, with the name of a host.")
    coding = headers.get(b"transfer-encoding", b"chunked")
    if coding.lower() != b"chunked":
        raise bad_message("The only transfer coding here is chunked.", 501, "NotImplementedException")
    declared = headers.get(b"content-length", b"0")
    length = int(declared) if declared.isdigit() else 0
    if b"expect" in headers and length > MAX_BODY:
        raise _too_large()
    if b"upgrade" in headers and (length > 0 or b"transfer-encoding" in headers):
        # The parser takes what follows for the other protocol, so the body cannot be read.
        raise bad_message("A request with a body must not offer to upgrade the protocol; use plain HTTP/1.1.")


def _too_large() -> ApiError:
    text = f"The request body is larger than {MAX_BODY} bytes."
    return bad_message(text, 413, "RequestEntityTooLargeException")


def head_too_large() -> ApiError:
    """The refusal of a head that is longer than :data:`MAX_HEAD`."""
    text = f"The head of the request is larger than {MAX_HEAD} bytes."
    return bad_message(text, 431, "RequestHeaderSectionTooLargeException")


def _log(request: Request, answer: Answer, request_id: str, seconds: float) -> None:
    record = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "request_id": request_id,
        "method": request.method,
        "path": request.path.decode("latin-1"),
        "operation": answer.operation,
        "access_key_id": claimed_access_key(request),
        "status": answer.status,
        "error_type": answer.error_type,
        "duration_ms": round(seconds * 1000, 3),
    }
    with suppress(OSError):
        sys.stderr.write(json.dumps(record) + "\n")
        sys.stderr.flush()
