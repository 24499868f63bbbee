"""The emulator as a process: its socket, its signals, its end."""

import asyncio
import ipaddress
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from .connection import Connection
from .errors import StartError
from .service import Service

GRACE = 3
"""How many seconds requests that are under way may take to end after the stop was asked for."""
TICK = 0.05
"""After how many seconds it is looked again whether to stop, and which connections have had their time."""


def bind(host: str, port: int) -> socket.socket:
    """Listen on ``host`` and ``port``; port 0 takes a free one. Raises :class:`StartError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=2048, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        reason, _, _ = str(getattr(error, "strerror", None) or error).partition(" (while")
        raise StartError(f"Cannot listen on {host} port {port}: {reason}.") from error


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
    connections, stops = set[Connection](), list[object]()

    def await_stdin() -> None:
        with suppress(OSError, ValueError, AttributeError):  # there may be no standard input
            while os.read(sys.stdin.fileno(), 65536):
                pass
        stops.append("the end of standard input")

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: stops.append(number))
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(service, connections, access_log=access_log), sock=listener
    )
    print(json.dumps({"event": "listening", "url": url_of(listener)}), flush=True)
    if exit_with_stdin:
        threading.Thread(target=await_stdin, daemon=True).start()
    while not stops:
        await asyncio.sleep(TICK)
        for connection in [*connections]:
            connection.expire()
    server.close()
    for connection in connections:
        connection.close()
    end = time.monotonic() + GRACE
    while connections and len(stops) == 1 and time.monotonic() < end:
        await asyncio.sleep(TICK)
