"""The emulator as a process: its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

from .connection import Connection
from .service import Service

GRACE = 3
"""How many seconds requests that are under way may take to end after the stop was asked for."""


class BindError(Exception):
    """The address cannot be listened on; the text is one sentence that says why."""


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


async def serve(
    service: Service, listener: socket.socket, *, access_log: bool, exit_with_stdin: bool
) -> None:
    """Serve until SIGTERM, SIGINT, or the end of standard input if ``exit_with_stdin``; one line says where.

    What is under way then is answered, unless the emulator is asked to stop again.
    """
    loop, stops, connections = asyncio.get_running_loop(), asyncio.Queue[None](), set[Connection]()

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(stops.put_nowait, None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    server = await loop.create_server(
        lambda: Connection(service, connections, access_log=access_log), sock=listener
    )
    print(json.dumps({"event": "listening", "url": url_of(listener)}), flush=True)
    if exit_with_stdin:
        threading.Thread(target=_await_stdin, args=(stop,), daemon=True).start()
    await stops.get()
    server.close()
    for connection in connections:
        connection.close()
    end = time.monotonic() + GRACE
    while connections and stops.empty() and time.monotonic() < end:
        await asyncio.sleep(0.02)


def _await_stdin(stop: Callable[[], None]) -> None:
    """Ask the server to stop once standard input has ended, or if there is none."""
    try:
        while sys.stdin is not None and os.read(sys.stdin.fileno(), 65536):
            pass
    except (OSError, ValueError):
        pass
    stop()
