"""The servers of the table, each a script before an emulator: what they do wrong, the environment does."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..mutants.kit import is_get
from ..mutants.messages import Answer, Forward, Raw, Request, Response, error, ok
from ..support import Process, Tap, emulator, stock
from .faults import SECRET


@dataclass
class Asked:
    """A request, what an emulator answers it, and how many came before it.

    Attributes:
        number: Of the request among all, from 1.
        reads: How many of those were GetIntegration, this one included.
        tmp: A folder of the row.
    """

    request: Request
    forward: Forward
    number: int
    reads: int
    tmp: Path

    @property
    def emulated(self) -> Response:
        """What an emulator answers."""
        return self.forward(self.request)

    @property
    def depth(self) -> int:
        """The slashes of the path."""
        return self.request.target.partition("?")[0].count("/")


def _constant(answer: Answer | None) -> Callable[[Asked], Answer | None]:
    return lambda asked: answer


def _expiring(after: int) -> Callable[[Asked], Answer | None]:
    expired = error(403, "ExpiredTokenException", "The security token included in the request is expired")
    return lambda asked: asked.emulated if asked.reads <= after else expired


def _forgetting(part: str) -> Callable[[Asked], Answer | None]:
    """Loses domains of the run after some requests, as a restart does."""

    def script(asked: Asked) -> Answer | None:
        request, answer = asked.request, asked.emulated
        lost = asked.reads > 5 and part in request.target and asked.depth > 1 and request.method != "DELETE"
        return error(404, "ResourceNotFoundException") if lost and answer.status == 200 else answer

    return script


def _endless(asked: Asked) -> Answer | None:
    page = {"Items": [], "NextToken": str(time.monotonic_ns())}
    return ok(page) if asked.depth == 1 else asked.emulated


def _paging(asked: Asked) -> Answer | None:
    path, _, query = asked.request.target.partition("?")
    if asked.request.method != "GET" or path not in ("/domains", "/domains/Paged/integrations"):
        return asked.emulated
    if "next-token" not in query:
        return ok({"Items": [], "NextToken": "more"})
    assert path == "/domains" or "include-hidden=true" in query
    return ok({"Items": [{"DomainName": "Paged", "Uri": "s3://paged"}]})


def _read_only(asked: Asked) -> Answer | None:
    creates = asked.request.method == "POST" and asked.depth == 2
    return error(403, "AccessDeniedException") if creates else asked.emulated


def _unwritable(asked: Asked) -> Answer | None:
    missing, denied = error(404, "ResourceNotFoundException"), error(403, "AccessDeniedException")
    return missing if is_get(asked.request) else denied


def _silent(asked: Asked) -> Answer | None:
    time.sleep(1)
    return None


def _few(most: int) -> Callable[[Asked], Answer | None]:
    """Serves some connections, each in a thread of its own; further ones wait until one of them ends."""
    served: list[threading.Thread] = []

    def script(asked: Asked) -> Answer | None:
        here = threading.current_thread()
        while here not in served:
            served[:] = [thread for thread in served if thread.is_alive()]
            if len(served) < most:
                served.append(here)
            else:
                time.sleep(0.02)
        return asked.emulated

    return script


def _slow(from_read: int) -> Callable[[Asked], Answer | None]:
    """Answers late from some request on, and lets a signal come then."""

    def script(asked: Asked) -> Answer | None:
        if asked.reads >= from_read:
            (asked.tmp / "asked").touch()
            time.sleep(0.02)
        return asked.emulated

    return script


_AHEAD = ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")
_SKEWED = error(403, "InvalidSignatureException", "Signature expired")
SCRIPTS: dict[str, Callable[[Asked], Answer | None]] = {
    "secretive": _constant(Response(200, body=SECRET.encode())),
    "expiring": _expiring(5),
    "expiring-late": _expiring(4),
    "skewed": _constant(_SKEWED.with_header(*_AHEAD)),
    "skewed-unreadably": _constant(_SKEWED.with_header("Date", "soon")),
    "ahead": lambda asked: asked.emulated.with_header(*_AHEAD),
    "refusing-proxy": _constant(Response(407, reason="Proxy Authentication Required")),
    "silent": _silent,
    "dropping": _constant(None),
    "dying": lambda asked: asked.emulated,
    "smtp": _constant(Raw(b"220 mail.example ESMTP\r\n")),
    "unavailable": _constant(Response(503)),
    "starting": lambda asked: Response(503) if asked.number <= 4 else asked.emulated,
    "restarting": _forgetting(""),
    "forgetting": _forgetting("-A"),
    "read-only": _read_only,
    "unwritable": _unwritable,
    "methodless": _constant(Response(405)),
    "crashing": _constant(Response(500)),
    "forbidding": _constant(Response(403, body=b'{"message": "Forbidden"}')),
    "website": _constant(Response(404, (("Content-Type", "text/html"),), b"<html>")),
    "throttling": _constant(error(429, "ThrottlingException")),
    "paging": _paging,
    "endless": _endless,
    "one-at-a-time": _few(1),
    "three-at-a-time": _few(3),
    "slow": _slow(5),
    "slow-at-once": _slow(0),
}
#: Those whose state must be nobody else's.
OWN_STATE = ("paging", "restarting", "forgetting", "dying")


@contextlib.contextmanager
def serving(name: str, shared: str, tmp: Path) -> Iterator[str]:
    """The address of a server of the table."""
    if name == "emulator":
        yield shared
        return
    with contextlib.ExitStack() as stack:
        if name == "late":
            yield stack.enter_context(_late(shared))
            return
        if name in OWN_STATE:
            own: Process = emulator()
            stack.callback(own.close)
            shared = own.url
        if name == "paging":
            stock(shared, "Paged", "s3://paged")
        yield stack.enter_context(_scripted(name, shared, tmp)).url


def _scripted(name: str, url: str, tmp: Path) -> Tap:
    reads = [0]

    def script(request: Request, forward: Forward) -> Answer | None:
        reads[0] += is_get(request)
        if name == "dying" and len(server.received) > 60:
            server.close()
            raise ConnectionError
        return SCRIPTS[name](Asked(request, forward, len(server.received), reads[0], tmp))

    server = Tap(url, script)
    return server


@contextlib.contextmanager
def _late(shared: str) -> Iterator[str]:
    """An address at which a server begins to listen some seconds later."""
    first = Tap(shared)
    first.close()
    port = int(first.url.rpartition(":")[2])
    servers: list[Tap] = []
    timer = threading.Timer(3.0, lambda: servers.append(Tap(shared, port=port)))
    timer.start()
    yield first.url
    timer.join()
    for server in servers:
        server.close()
