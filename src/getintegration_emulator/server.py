"""The emulator as a process: its socket, its signals, its end."""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import socket
import sys
import threading
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .application import Application, new_request_id, response_headers
from .errors import ApiError
from .service import error_answer

KEEP_ALIVE = 75
"""How many seconds an idle connection is kept, longer than clients usually pause."""
GRACE = 3
"""How many seconds requests that are under way may take to end after the stop was asked for."""


class BindError(Exception):
    """The address cannot be listened on; the text is one sentence that says why."""


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that refuses unreadable requests in JSON and with an error type."""

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is no HTTP: 400, and the connection closes."""
        error = ApiError(
            400,
            "BadRequestException",
            msg,
            member="message",
            headers=((b"connection", b"close"),),
        )
        answer = error_answer(error)
        headers = [
            *self.server_state.default_headers,
            *response_headers(answer, new_request_id()),
        ]
        lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + lines + b"\r\n" + answer.body)
        self.transport.close()


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
