"""Reading an answer is bounded in memory and in time, and every request that leaves is counted."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from getintegration_contract.errors import BudgetExhausted, EndpointDown
from getintegration_contract.exchange import Exchange
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import LARGE_BODY, LARGE_HEAD, LATE, UNDECODABLE
from getintegration_contract.sending.pipeline import PipelinedRequest, pipeline

from .support import Received, Scripted, answered

_MEGABYTE = 1 << 20
_OK = b"HTTP/1.1 200 OK\r\n"
#: Megabytes that reading an answer may add to a process, codings undone.
_MOST = 60


def _packed(body: bytes, *codings: str) -> bytes:
    for coding in codings:
        body = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    head = f"Content-Encoding: {', '.join(codings)}\r\nContent-Length: {len(body)}\r\n\r\n"
    return _OK + head.encode() + body


_ZEROS = bytes(300 * _MEGABYTE)
#: What is sent first, then again and again; and what it is called.
BOMBS: dict[str, tuple[Callable[[], bytes], bytes, str]] = {
    "gzip": (lambda: _packed(_ZEROS, "gzip"), b"", LARGE_BODY),
    "deflate": (lambda: _packed(_ZEROS, "deflate"), b"", LARGE_BODY),
    "gzip in gzip": (lambda: _packed(_ZEROS, "gzip", "gzip"), b"", LARGE_BODY),
    "gzip in deflate": (lambda: _packed(_ZEROS, "gzip", "deflate"), b"", LARGE_BODY),
    "many codings": (
        lambda: _packed(b"{}", *["gzip"] * 9),
        b"",
        "the body has more than 4 content codings",
    ),
    "many streams": (
        lambda: (
            _OK + b"Content-Encoding: gzip\r\nContent-Length: 200000\r\n\r\n" + gzip.compress(b"") * 10000
        ),
        b"",
        UNDECODABLE,
    ),
    "brotli": (
        lambda: _OK + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"",
        "the Content-Encoding br was not asked for",
    ),
    "chunks without end": (
        lambda: _OK + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + bytes(65536) + b"\r\n",
        LARGE_BODY,
    ),
    "a body without end": (lambda: _OK + b"\r\n", bytes(65536), LARGE_BODY),
    "headers without end": (lambda: _OK, b"X-A: b\r\n" * 8192, LARGE_HEAD),
    "one header without end": (lambda: _OK + b"X-A: ", b"x" * 65536, LARGE_HEAD),
    "hints without end": (lambda: b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000, LARGE_HEAD),
    "trailers without end": (
        lambda: _OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X-A: b\r\n" * 8192,
        "the answer is not HTTP",
    ),
    "one size without end": (
        lambda: _OK + b"Transfer-Encoding: chunked\r\n\r\n",
        b"0" * 65536,
        "the answer is not HTTP",
    ),
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


@pytest.fixture
def bombing() -> Iterator[Callable[[bytes, bytes], str]]:
    """Starts servers that answer so."""
    from .test_client import _Stalling

    made: list[_Stalling] = []

    def start(first: bytes, again: bytes) -> str:
        made.append(_Stalling(first, again, pause=0))
        return made[-1].__enter__()

    yield start
    for server in made:
        server.__exit__()


@pytest.mark.parametrize(("first", "again", "fault"), BOMBS.values(), ids=BOMBS.keys())
def test_memory_and_time_are_bounded(
    bombing: Any, first: Callable[[], bytes], again: bytes, fault: str
) -> None:
    url = bombing(first(), again)
    clock = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _READER, url], capture_output=True, text=True, check=True, timeout=60
    )
    grown, reason = done.stdout.splitlines()
    assert reason.startswith(fault)
    assert int(grown) / 1024 < _MOST, "megabytes"
    assert time.monotonic() - clock < 25


def test_a_bomb_that_trickles_ends_at_the_time_limit(bombing: Any) -> None:
    url = bombing(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")
    client = Client(url, "us-east-1", timeout=0.5)
    exchange = client.send(get_integration("a", "u"))
    client.close()
    assert exchange.response.reason in (LATE, LARGE_BODY)
    assert exchange.seconds < 1.5


# --- The budget ---------------------------------------------------------------------------------------------


def _dropping(server: Callable[[], Scripted]) -> Callable[[Received], Any]:
    """Ends each connection without an answer to its second request."""
    seen: set[int] = set()

    def script(request: Received) -> Any:
        if request.connection in seen:
            return None
        seen.add(request.connection)
        return answered({"Uri": "u"})

    return script


@pytest.mark.parametrize("limit", [4, 100])
def test_every_request_that_leaves_is_counted(serve: Any, limit: int) -> None:
    admitted: list[bool] = []
    noted: list[Exchange] = []

    def acquire(limited: bool, writing: bool) -> None:
        if len(admitted) >= limit:
            raise BudgetExhausted("spent")
        admitted.append(limited)

    server = serve(_dropping(lambda: server))
    client = Client(server.url, "us-east-1", acquire=acquire, observe=noted.append)
    asked = PipelinedRequest(get_integration("a", "u"), None)
    try:
        pipeline(client, *[asked] * 6)
    except BudgetExhausted:
        assert limit == 4
    client.close()
    assert len(server.received) == client.sent == len(admitted) == len(noted)
    assert len(admitted) == min(limit, 11), "six answers, and five that were dropped"


# --- Certificates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", __file__)
    monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    with pytest.raises(EndpointDown, match=r"CA bundle not found: .*none\.pem"):
        Client("https://127.0.0.1:1", "us-east-1")


def test_certificates_in_a_folder_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert Client("https://127.0.0.1:1", "us-east-1").verify == str(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", certifi.where())
    assert Client("https://127.0.0.1:1", "us-east-1").verify == os.environ["AWS_CA_BUNDLE"]


def test_an_unreachable_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:hidden-word@127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(EndpointDown, match=r"through the proxy http://127\.0\.0\.1:1 ") as raised:
        Client("http://service.example", "us-east-1").send(get_integration("a", "u"))
    assert "hidden-word" not in str(raised.value)
