"""Reading an answer is bounded in memory and in time, and every request that leaves is counted."""

import gzip
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from itertools import repeat
from typing import Any

import pytest

from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.exchange import Exchange
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    delete_integration,
    get_domain,
    get_integration,
    list_domains,
    list_integrations,
    put_integration,
)
from getintegration_contract.sending.faults import LARGE_BODY, LARGE_HEAD, LATE, NOT_HTTP, UNDECODABLE
from getintegration_contract.sending.pipeline import PipelinedRequest, pipeline

from .mutants.messages import Raw, Response, ok
from .mutants.messages import Request as Received
from .mutants.wire import serialise
from .support import call

_MEGABYTE = 1 << 20
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED, _SIZED = _OK + b"Transfer-Encoding: chunked\r\n\r\n", _OK + b"Content-Length: 1000\r\n\r\n"
#: Megabytes that reading an answer may add to a process, codings undone.
_MOST = 60


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(b"", b"", id="no answer"),
        pytest.param(_SIZED, b"", id="half a body"),
        pytest.param(_SIZED, b"x", id="body drop by drop"),
        pytest.param(_CHUNKED, b"1\r\nx\r\n", id="chunks without end"),
        pytest.param(b"HTTP/1.1 200 ", b"O", id="status line drop by drop"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", id="header drop by drop"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", id="headers without end"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue without end"),
    ],
)
def test_waiting_is_bounded(against: Any, start: bytes, drop: bytes) -> None:
    client, _ = against(lambda _: Raw(start, "stall", repeat(drop) if drop else (), 0.02), timeout=0.2)
    started = time.monotonic()
    exchange = client.send(get_integration("a", "u"))
    assert time.monotonic() - started < 3
    assert (exchange.response.status, exchange.response.reason) == (0, LATE)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_an_answer_in_small_pieces_after_interim_ones_is_read_whole(against: Any, size: int) -> None:
    fine = ok({"Uri": "u"})
    interim = (b"100 Continue", b"102 Processing", b"103 Early Hints", b"103 Early Hints")
    heads = (b"HTTP/1.1 %s\r\nLink: </a>\r\n\r\n" % status for status in interim)
    whole = b"".join(heads) + serialise(fine)
    answer = Raw(b"", "keep", [whole[at : at + size] for at in range(0, len(whole), size)], 0.0005)
    exchange = against(lambda _: answer)[0].send(get_integration("a", "u"))
    assert (exchange.response.status, exchange.faults, exchange.response.body) == (200, (), fine.body)
    assert exchange.response.headers[:-1] == fine.headers


def _packed(body: bytes, *codings: str) -> bytes:
    for coding in codings:
        body = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    head = f"Content-Encoding: {', '.join(codings)}\r\nContent-Length: {len(body)}\r\n\r\n"
    return _OK + head.encode() + body


_ZEROS = bytes(300 * _MEGABYTE)
_STREAMS = gzip.compress(b"") * 10000
#: What is sent first, then again and again; and what it is called.
BOMBS: dict[str, tuple[Callable[[], bytes], bytes, str]] = {
    "gzip": (lambda: _packed(_ZEROS, "gzip"), b"", LARGE_BODY),
    "gzip in gzip": (lambda: _packed(_ZEROS, "gzip", "gzip"), b"", LARGE_BODY),
    "gzip in deflate": (lambda: _packed(_ZEROS, "gzip", "deflate"), b"", LARGE_BODY),
    "many codings": (lambda: _packed(b"{}", *["gzip"] * 9), b"", "the body has more than 4 content codings"),
    "many streams": (
        lambda: _OK + b"Content-Encoding: gzip\r\nContent-Length: 200000\r\n\r\n" + _STREAMS,
        b"",
        UNDECODABLE,
    ),
    "brotli": (
        lambda: _OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"",
        "the Content-Encoding br was not asked for",
    ),
    "chunks without end": (lambda: _CHUNKED, b"10000\r\n" + bytes(65536) + b"\r\n", LARGE_BODY),
    "a body without end": (lambda: _OK + b"\r\n", bytes(65536), LARGE_BODY),
    "headers without end": (lambda: _OK, b"X-A: b\r\n" * 8192, LARGE_HEAD),
    "one header without end": (lambda: _OK + b"X-A: ", b"x" * 65536, LARGE_HEAD),
    "hints without end": (lambda: b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000, LARGE_HEAD),
    "trailers without end": (lambda: _CHUNKED + b"0\r\n", b"X-A: b\r\n" * 8192, NOT_HTTP),
    "one size without end": (lambda: _CHUNKED, b"0" * 65536, NOT_HTTP),
}
_READER = """
import resource, sys
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
client = Client(sys.argv[1], "us-east-1", timeout=5)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
exchange = client.send(get_integration("a", "u"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
print(exchange.response.reason)
"""


@pytest.mark.parametrize(("first", "again", "fault"), BOMBS.values(), ids=BOMBS.keys())
def test_memory_and_time_are_bounded(
    serve: Any, first: Callable[[], bytes], again: bytes, fault: str
) -> None:
    url = serve(lambda _: Raw(first(), "stall", repeat(again) if again else ())).url
    clock = time.monotonic()
    done = call(sys.executable, "-c", _READER, url, timeout=60, status=0)
    grown, reason = done.stdout.splitlines()
    assert reason.startswith(fault)
    assert int(grown) / 1024 < _MOST, "megabytes"
    assert time.monotonic() - clock < 25


# --- The budget ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [4, 100])
def test_every_request_that_leaves_is_counted(against: Any, limit: int) -> None:
    seen: set[int] = set()
    admitted: list[bool] = []
    noted: list[Exchange] = []

    def script(request: Received) -> Any:
        """Ends each connection without an answer to its second request."""
        dropped = request.connection in seen
        seen.add(request.connection)
        return None if dropped else ok({"Uri": "u"})

    def acquire(limited: bool, writing: bool) -> None:
        if len(admitted) >= limit:
            raise BudgetExhausted("spent")
        admitted.append(limited)

    client, server = against(script, acquire=acquire, observe=noted.append)
    with nullcontext() if limit == 100 else pytest.raises(BudgetExhausted):
        pipeline(client, *[PipelinedRequest(get_integration("a", "u"), None)] * 6)
    assert len(server.received) == client.sent == len(admitted) == len(noted)
    assert len(admitted) == min(limit, 11), "six answers, and five that were dropped"


def test_every_attempt_takes_part_of_the_budget(against: Any) -> None:
    def acquire(limited: bool, writing: bool) -> None:
        taken.append(limited)
        if len(taken) > 3:
            raise BudgetExhausted("spent")

    taken: list[bool] = []
    answers = [Response(503), ok({"Uri": "u"}), Response(503)]
    client, server = against(lambda _: answers.pop(0), acquire=acquire)
    client.send(get_integration("a", "u"))
    with pytest.raises(BudgetExhausted):
        client.send(get_integration("a", "u"))
    assert (len(taken), len(server.received)) == (4, 3), "repeats count, what is not sent does not"
    assert [fault for fault, _ in client.faults] == ["503", "503"], "what was seen before the end is not lost"


READS = [get_integration("a", "u"), list_domains("t"), list_integrations("a"), get_domain("a")]
WRITES = [create_domain("a"), delete_domain("a"), put_integration("a", "u"), delete_integration("a", "u")]


def test_the_budget_knows_what_writes(against: Any) -> None:
    seen: list[bool] = []
    client, _ = against(lambda _: ok({}), acquire=lambda limited, writing: seen.append(writing))
    for sender in (client, client.sibling()):
        for request in (*READS, *WRITES):
            sender.send(request)
    assert seen == ([False] * len(READS) + [True] * len(WRITES)) * 2
