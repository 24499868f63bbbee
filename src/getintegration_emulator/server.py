"""The emulator as a process: its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import os
import socket
import sys
import threading
from http import HTTPStatus
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .application import MAX_HEAD, Application, head_too_large, new_request_id, response_headers
from .errors import ApiError, bad_message
from .service import error_answer

KEEP_ALIVE = 75
"""How many seconds an idle connection is kept, longer than clients usually pause."""
HEAD_SECONDS = 10
"""How many seconds the head of a request may take."""
LINGER = 1
"""How many seconds a connection is read on that has been refused."""
GRACE = 3
"""How many seconds requests that are under way may take to end after the stop was asked for."""


class BindError(Exception):
    """The address cannot be listened on; the text is one sentence that says why."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 with a limit of time and size for the head of a request, and with refusals in JSON."""

    _in_head = True
    _head_size = 0
    _head_timer: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a head from now on; uvicorn narrows asyncio's signature so."""
        super().connection_made(transport)
        self._limit_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._head_complete()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a head is there."""
        super().on_message_begin()
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header field; fields of a trailer are none (RFC 9110, 6.5)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._head_complete()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on; refuse a head that is still not complete after too many bytes."""
        if self._refused:
            return
        in_head_before = self._in_head
        super().data_received(data)
        if self._in_head and not self._refused:
            self._limit_head()
            if in_head_before:  # else some of the data belongs to the request before
                self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._refuse(head_too_large())

    def _limit_head(self) -> None:
        if self._head_timer is None:
            late = bad_message("The head of the request took too long.", 408, "RequestTimeoutException")
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._refuse, late)

    def _head_complete(self) -> None:
        self._in_head = False
        self._head_size = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is no HTTP."""
        self._refuse(bad_message(msg))

    def _refuse(self, error: ApiError) -> None:
        """Answer and close; what the client is still sending is read a while, so that it gets the answer."""
        self._refused = True
        self._head_complete()
        answer = error_answer(error)
        headers = [*self.server_state.default_headers, *response_headers(answer, new_request_id())]
        lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        status = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n"
        self.transport.write(status.encode() + lines + b"\r\n" + answer.body)
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)


class Server(uvicorn.Server):
    """Announces its address once it listens, and treats SIGTERM and SIGINT as an orderly end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then print the one line that says so."""
        await super().startup(sockets=sockets)
        if sockets:
            print(json.dumps({"event": "listening", "url": url_of(sockets[0])}), flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop gracefully; at once when asked again. Never ends the process by the signal."""
        self.force_exit = self.should_exit
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Listen on ``host`` and ``port``; port 0 takes a free one. Raises :class:`BindError`."""
    place = f"{host} port {port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BindError(f"Cannot listen on {place}: {reason}.") from error
    return listener


def url_of(listener: socket.socket) -> str:
    """The URL by which a client on this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can reach a listening socket."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def serve(application: Application, listener: socket.socket, *, exit_with_stdin: bool) -> None:
    """Serve until a signal, or until standard input ends if ``exit_with_stdin``."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    app: Any = application
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config)
    if exit_with_stdin:
        threading.Thread(target=_await_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listener])


def _await_stdin(server: Server) -> None:
    """Ask the server to stop once standard input has ended, or if there is none."""
    try:
        while sys.stdin is not None and os.read(sys.stdin.fileno(), 65536):
            pass
    except (OSError, ValueError):
        pass
    server.should_exit = True
