"""``getintegration-contract emulator``, also ``python -m getintegration_emulator``: options and process.

Exit status: 0 after an orderly end (SIGTERM, SIGINT, end of standard input), 1 when it cannot listen on
the address or botocore has no usable service model, 2 for a wrong option or identities file.
"""

import argparse
import asyncio
import ipaddress
import json
import math
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from getintegration_emulator import __version__

from .connection import MAX_BODY, Connection
from .errors import StartError
from .identities import DEFAULT_IDENTITIES, load_identities
from .service import HEALTH_PATH, Service
from .sigv4 import CLOCK_WINDOW, DEFAULT_REGION

GRACE = 3
"""Seconds that requests under way may take to end once a stop was asked for."""
TICK = 0.05
"""Seconds between two looks at whether to stop, and at which connections have had their time."""

_EPILOG = f"""\
Once it listens it prints one JSON line, {{"event": "listening", "url": "http://127.0.0.1:4566"}}.
GET {HEALTH_PATH.decode()} needs no signature. State is kept in memory, separately for each
account and region. A request body may be up to {MAX_BODY // 2**20} MiB long, the date of a request up
to {CLOCK_WINDOW // 60} minutes off.

Default identities:
"""


def _kind(name: str, read: Callable[[str], Any], fits: Callable[[Any], object]) -> Callable[[str], Any]:
    """The type of an option; argparse shows its name where a value does not fit."""

    def convert(text: str) -> Any:
        value = read(text)
        if not fits(value):
            raise ValueError(text)
        return value

    convert.__name__ = name
    return convert


_port = _kind("port number", int, lambda port: 0 <= port <= 65535)
_rate = _kind("number of requests a second", float, lambda rate: 0 < rate < math.inf)
_burst = _kind("number of requests, 1 or more", float, lambda burst: 1 <= burst < math.inf)
_region = _kind("name of a region", str, re.compile(r"[a-zA-Z0-9-]+").fullmatch)


def build_parser() -> argparse.ArgumentParser:
    """The options of the command, with their meanings and defaults."""
    known = "".join(
        f"  {name:<14} {identity.access_key}  {identity.secret_key}  account {identity.account}"
        + (f"  token {identity.session_token}\n" if identity.session_token else "\n")
        for name, identity in DEFAULT_IDENTITIES.items()
    )
    parser = argparse.ArgumentParser(
        prog="getintegration-contract emulator",
        description=(
            "Emulate GetIntegration of Amazon Connect Customer Profiles, and the operations"
            " that make and remove its state, on a local address."
        ),
        epilog=_EPILOG + known,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=4566, help="port, 0 for a free one (default: %(default)s)")
    add(
        "--region",
        type=_region,
        help="accept only requests signed for this region (default: any; without"
        f" signatures, requests that name none belong to {DEFAULT_REGION})",
    )
    add(
        "--identities",
        type=Path,
        metavar="FILE.toml",
        help="use these identities instead: one table [identities.NAME] each, with access-key-id,"
        " secret-access-key and account, and optionally session-token, expired-session-token,"
        " permitted, rate, burst; the caller is the one of that name, or else the first",
    )
    add(
        "--no-signatures",
        action="store_true",
        help="do not verify signatures: a known access key in the Authorization header still"
        " names the identity, and all other requests are the caller's",
    )
    per_account = "requests a second of each account in each region (default: unlimited)"
    add("--rate", type=_rate, metavar="N", help=per_account)
    add("--burst", type=_burst, metavar="N", help="requests at once under --rate (default: the rate)")
    add("--access-log", action="store_true", help="write a JSON line to standard error for each response")
    add("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    add("--version", action="version", version=__version__)
    return parser


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


async def serve(
    service: Service, listener: socket.socket, *, access_log: bool, exit_with_stdin: bool
) -> None:
    """Print one line with the URL; serve until SIGTERM, SIGINT or, if asked to, the end of standard input.

    Requests under way are still answered, unless a second signal comes.
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the emulator until it is stopped; return its exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.burst is not None and options.rate is None:
        parser.error("--burst needs --rate")
    try:
        service = Service(
            load_identities(options.identities) if options.identities else DEFAULT_IDENTITIES,
            signatures=not options.no_signatures,
            region=options.region,
            rate=options.rate,
            burst=options.burst,
        )
        listener = bind(options.host, options.port)
    except StartError as error:
        parser.exit(error.status, f"{parser.prog}: error: {error}\n")
    if not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        print(
            f"{parser.prog}: warning: {options.host} is not a loopback address: other machines"
            " can reach this emulator, and its default keys are public.",
            file=sys.stderr,
            flush=True,
        )
    asyncio.run(
        serve(service, listener, access_log=options.access_log, exit_with_stdin=options.exit_with_stdin)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
