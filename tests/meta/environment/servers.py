"""The servers of the table, each a script before an emulator: what they do wrong, the environment does."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..mutants.kit import is_get
from ..mutants.messages import CREATE_DOMAIN, Answer, Forward, Raw, Request, Response, error, ok
from ..support import Tap, emulator, stock

#: A secret that no output may show.
SECRET = "MARKED-secret-key-0123456789"


class Server(Tap):
    """A server of the table.

    Attributes:
        tmp: A folder of the row.
    """

    def __init__(self, name: str, url: str, tmp: Path) -> None:
        self.tmp, script = tmp, SCRIPTS[name]
        super().__init__(url, partial(script, self) if callable(script) else lambda *_: script)

    @property
    def reads(self) -> int:
        """How many requests were GetIntegration, the one under way included."""
        return sum(map(is_get, self.received))


Script = Callable[[Server, Request, Forward], Answer | None]


def _expiring(after: int) -> Script:
    expired = error(403, "ExpiredTokenException", "The security token included in the request is expired")
    return lambda server, request, forward: forward(request) if server.reads <= after else expired


def _forgetting(part: str) -> Script:
    """Loses domains of the run after some requests, as a restart does."""

    def script(server: Server, request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        lost = server.reads > 5 and part in request.target and request.domain
        found = answer.status == 200 and request.method != "DELETE"
        return _MISSING if lost and found else answer

    return script


def _dying(server: Server, request: Request, forward: Forward) -> Answer:
    if len(server.received) > 60:
        server.close()
        raise ConnectionError
    return forward(request)


def _endless(server: Server, request: Request, forward: Forward) -> Answer:
    page = {"Items": [], "NextToken": str(time.monotonic_ns())}
    return forward(request) if request.domain else ok(page)


def _paging(server: Server, request: Request, forward: Forward) -> Answer:
    if request.method != "GET" or request.path not in ("/domains", "/domains/Paged/integrations"):
        return forward(request)
    if "next-token" not in request.query:
        return ok({"Items": [], "NextToken": "more"})
    assert request.path == "/domains" or "include-hidden=true" in request.query
    return ok({"Items": [{"DomainName": "Paged", "Uri": "s3://paged"}]})


def _few(most: int) -> Script:
    """Serves some connections, each in a thread of its own; further ones wait until one of them ends."""
    served: list[threading.Thread] = []

    def script(server: Server, request: Request, forward: Forward) -> Answer:
        here = threading.current_thread()
        while here not in served:
            served[:] = [thread for thread in served if thread.is_alive()]
            if len(served) < most:
                served.append(here)
            else:
                time.sleep(0.02)
        return forward(request)

    return script


def _slow(from_read: int) -> Script:
    """Answers late from some request on, and lets a signal come then."""

    def script(server: Server, request: Request, forward: Forward) -> Answer:
        if server.reads >= from_read:
            (server.tmp / "asked").touch()
            time.sleep(0.02)
        return forward(request)

    return script


_AHEAD = ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")
_MISSING, _DENIED = error(404, "ResourceNotFoundException"), error(403, "AccessDeniedException")
_SKEWED = error(403, "InvalidSignatureException", "Signature expired")
#: What each does, or its one answer to everything.
SCRIPTS: dict[str, Script | Answer | None] = {
    "secretive": Response(200, body=SECRET.encode()),
    "expiring": _expiring(5),
    "expiring-late": _expiring(4),
    "skewed": _SKEWED.with_header(*_AHEAD),
    "skewed-unreadably": _SKEWED.with_header("Date", "soon"),
    "ahead": lambda _, request, forward: forward(request).with_header(*_AHEAD),
    "refusing-proxy": Response(407, reason="Proxy Authentication Required"),
    "silent": lambda *_: time.sleep(1),
    "dropping": None,
    "unended": Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n{}", "keep"),
    "dying": _dying,
    "smtp": Raw(b"220 mail.example ESMTP\r\n"),
    "unavailable": Response(503),
    "starting": lambda server, request, forward: (
        Response(503) if len(server.received) <= 4 else forward(request)
    ),
    "restarting": _forgetting(""),
    "forgetting": _forgetting("-A"),
    "read-only": lambda _, request, forward: (
        _DENIED if request.operation == CREATE_DOMAIN else forward(request)
    ),
    "unwritable": lambda _, request, forward: _MISSING if is_get(request) else _DENIED,
    "methodless": Response(405),
    "crashing": Response(500),
    "forbidding": Response(403, body=b'{"message": "Forbidden"}'),
    "website": Response(404, (("Content-Type", "text/html"),), b"<html>"),
    "throttling": error(429, "ThrottlingException"),
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
    """The address of a server of the table; ``shared`` is that of an emulator."""
    with contextlib.ExitStack() as stack:
        if name in OWN_STATE:
            shared = stack.enter_context(contextlib.closing(emulator())).url
        if name == "paging":
            stock(shared, "Paged", "s3://paged")
        if name == "late":
            yield stack.enter_context(_late(shared))
        elif name == "emulator":
            yield shared
        else:
            yield stack.enter_context(Server(name, shared, tmp)).url


@contextlib.contextmanager
def _late(shared: str) -> Iterator[str]:
    """An address at which a server begins to listen some seconds later."""
    first = Tap(shared)
    first.close()
    servers: list[Tap] = []
    timer = threading.Timer(3.0, lambda: servers.append(Tap(shared, port=int(first.url.rpartition(":")[2]))))
    timer.start()
    yield first.url
    timer.join()
    servers[0].close()
