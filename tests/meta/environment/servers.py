"""The servers of the table, each a script before an emulator: what they do wrong, the environment does."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from getintegration_contract.operations import create_domain, put_integration
from getintegration_contract.sending.client import Client

from ..commands import CALLER
from ..support import Process, Received, Reply, Scripted, answered, emulator, forwarding, refused
from .faults import SECRET

Answer = Reply | bytes | None
Make = Callable[[str, Path], Callable[[Received], Answer]]

_AHEAD = ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")


def _constant(answer: Answer) -> Make:
    return lambda url, tmp: lambda request: answer


def _after(number: int, answer: Answer, at_first: Answer | str = "forward") -> Make:
    """Answers so many GetIntegration requests by the emulator, and all after them alike; or the reverse."""

    def make(url: str, tmp: Path) -> Callable[[Received], Answer]:
        forward, counted = forwarding(url), [0]

        def script(request: Received) -> Answer:
            counted[0] += request.is_get_integration or at_first != "forward"
            early = counted[0] <= number
            if at_first == "forward":
                return forward(request) if early else answer
            return at_first if early else forward(request)

        return script

    return make


def _forgetting(whole: bool) -> Make:
    """Loses the domains of the run after some requests, as a restart does."""

    def make(url: str, tmp: Path) -> Callable[[Received], Answer]:
        forward, counted = forwarding(url), [0]

        def script(request: Received) -> Answer:
            counted[0] += request.is_get_integration
            gone = counted[0] > 5 and (whole or "-A" in request.target)
            if gone and request.target.startswith("/domains/") and request.method != "DELETE":
                if forward(request).status == 200:
                    return refused(404, "ResourceNotFoundException")
            return forward(request)

        return script

    return make


def _changed(*headers: tuple[str, str]) -> Make:
    def make(url: str, tmp: Path) -> Callable[[Received], Answer]:
        forward = forwarding(url)
        return lambda request: forward(request).with_headers(*headers)

    return make


def _refusing(method: str, answer: Reply) -> Make:
    def make(url: str, tmp: Path) -> Callable[[Received], Answer]:
        forward = forwarding(url)
        return lambda request: (
            answer if request.method == method and request.target.count("/") == 2 else forward(request)
        )

    return make


def _endless(url: str, tmp: Path) -> Callable[[Received], Answer]:
    forward = forwarding(url)

    def script(request: Received) -> Answer:
        if request.target.startswith("/domains") and request.target.count("/") == 1:
            return answered({"Items": [], "NextToken": str(time.monotonic_ns())})
        return forward(request)

    return script


def _paging(url: str, tmp: Path) -> Callable[[Received], Answer]:
    forward = forwarding(url)
    client = Client(url, "us-east-1")
    for request in (create_domain("Paged"), put_integration("Paged", "s3://paged", {"ObjectTypeName": "T"})):
        client.send(request, CALLER)
    client.close()

    def script(request: Received) -> Answer:
        path, _, query = request.target.partition("?")
        if request.method == "GET" and path in ("/domains", "/domains/Paged/integrations"):
            if "next-token" not in query:
                return answered({"Items": [], "NextToken": "more"})
            assert path == "/domains" or "include-hidden=true" in query
            return answered({"Items": [{"DomainName": "Paged", "Uri": "s3://paged"}]})
        return forward(request)

    return script


def _unwritable(url: str, tmp: Path) -> Callable[[Received], Answer]:
    missing, denied = refused(404, "ResourceNotFoundException"), refused(403, "AccessDeniedException")
    return lambda request: missing if request.is_get_integration else denied


def _silent(url: str, tmp: Path) -> Callable[[Received], Answer]:
    return lambda request: time.sleep(1)


def _slow(url: str, tmp: Path) -> Callable[[Received], Answer]:
    forward = forwarding(url)

    def script(request: Received) -> Answer:
        if request.is_get_integration:
            (tmp / "asked").touch()
            time.sleep(0.02)
        return forward(request)

    return script


_EXPIRED = refused(403, "ExpiredTokenException", "The security token included in the request is expired")
_SKEWED = refused(403, "InvalidSignatureException", "Signature expired")
SCRIPTS: dict[str, Make] = {
    "secretive": _constant(Reply(200, SECRET.encode())),
    "expiring": _after(5, _EXPIRED),
    "expiring-late": _after(4, _EXPIRED),
    "skewed": _constant(_SKEWED.with_headers(_AHEAD)),
    "skewed-unreadably": _constant(_SKEWED.with_headers(("Date", "soon"))),
    "ahead": _changed(_AHEAD),
    "refusing-proxy": _constant(Reply(407, reason="Proxy Authentication Required")),
    "silent": _silent,
    "dropping": _constant(None),
    "smtp": _constant(b"220 mail.example ESMTP\r\n"),
    "unavailable": _constant(Reply(503)),
    "starting": _after(4, None, Reply(503)),
    "restarting": _forgetting(whole=True),
    "forgetting": _forgetting(whole=False),
    "read-only": _refusing("POST", refused(403, "AccessDeniedException")),
    "unwritable": _unwritable,
    "methodless": _constant(Reply(405)),
    "crashing": _constant(Reply(500)),
    "forbidding": _constant(Reply(403, b'{"message": "Forbidden"}')),
    "website": _constant(Reply(404, b"<html>", (("Content-Type", "text/html"),))),
    "throttling": _constant(refused(429, "ThrottlingException")),
    "paging": _paging,
    "endless": _endless,
    "slow": _slow,
}
#: Those whose state must be nobody else's.
OWN_STATE = ("paging", "restarting", "forgetting")


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
        script: Any = SCRIPTS[name](shared, tmp)
        server = stack.enter_context(Scripted(script))
        yield server.url


@contextlib.contextmanager
def _late(shared: str) -> Iterator[str]:
    """An address at which a server begins to listen some seconds later."""
    first = Scripted(forwarding(shared))
    first.close()
    port = int(first.url.rpartition(":")[2])
    servers: list[Scripted] = []
    timer = threading.Timer(3.0, lambda: servers.append(Scripted(forwarding(shared), port)))
    timer.start()
    yield first.url
    timer.join()
    for server in servers:
        server.close()
