"""``getintegration-contract emulator``, also ``python -m getintegration_emulator``, and its options.

Exit status: 0 after an orderly end (SIGTERM, SIGINT, end of standard input), 1 when the address
cannot be listened on or botocore has no usable service model, 2 for a wrong option or identities
file.
"""

import argparse
import asyncio
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from getintegration_emulator import __version__

from .connection import MAX_BODY
from .errors import StartError
from .identities import DEFAULT_IDENTITIES, load_identities
from .server import bind, is_loopback, serve
from .service import HEALTH_PATH, Service
from .sigv4 import CLOCK_WINDOW, DEFAULT_REGION

_EPILOG = f"""\
Once it listens it prints one JSON line, {{"event": "listening", "url": "http://127.0.0.1:4566"}}.
GET {HEALTH_PATH.decode()} needs no signature. State is kept in memory, apart for each account
and region. A request body may have {MAX_BODY // 2**20} MiB. The date of a request may be
{CLOCK_WINDOW // 60} minutes off.

Without --identities it knows these:
"""


def _kind(name: str, read: Callable[[str], Any], fits: Callable[[Any], object]) -> Callable[[str], Any]:
    """The type of an option, for argparse, which names it where a value does not fit."""

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
        help="the only region that requests may be signed for (default: any; without"
        f" signatures, requests that name none belong to {DEFAULT_REGION})",
    )
    add(
        "--identities",
        type=Path,
        metavar="FILE.toml",
        help="know these identities instead: one table [identities.NAME] each, with access-key-id,"
        " secret-access-key and account, and if wanted session-token, expired-session-token,"
        " permitted, rate, burst; the one named caller, or else the first, is the caller",
    )
    add(
        "--no-signatures",
        action="store_true",
        help="do not verify signatures: a known access key in the Authorization header still"
        " says who calls, everyone else is the caller",
    )
    per_account = "requests a second of each account in each region (default: unlimited)"
    add("--rate", type=_rate, metavar="N", help=per_account)
    add("--burst", type=_burst, metavar="N", help="requests at once under --rate (default: the rate)")
    add("--access-log", action="store_true", help="write a JSON line to standard error for each response")
    add("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    add("--version", action="version", version=__version__)
    return parser


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
    if not is_loopback(listener):
        print(
            f"{parser.prog}: warning: {options.host} is not a loopback address, so other machines"
            " may reach this emulator, and its default keys are public.",
            file=sys.stderr,
            flush=True,
        )
    how = {"access_log": options.access_log, "exit_with_stdin": options.exit_with_stdin}
    asyncio.run(serve(service, listener, **how))
    return 0


if __name__ == "__main__":
    sys.exit(main())
