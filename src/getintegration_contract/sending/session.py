"""``requests`` below its surface: a request target goes out unchanged, and a truncated head is an error.

``requests`` and ``urllib3`` would collapse ``.`` and ``..`` in a path, even percent-encoded, and repair the
encoding of others. So the target as meant travels beside the address, as a header that never leaves.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

#: The header that carries the request target as meant; it never reaches the wire.
TARGET = ":target"


class _Head:
    """Reads the lines of an answer's head within a time limit, and knows whether there was an end to them."""

    def __init__(self, file: Any, seconds: float | None) -> None:
        self.file = file
        self.whole = True
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds

    def readline(self, limit: int) -> bytes:
        """The next line, or its first bytes.

        Raises:
            TimeoutError: It did not come in time, though it may still be coming drop by drop.
        """
        line = b""
        # A peek receives once at most, where the file's own readline would go on until the end of the line.
        while len(line) < limit and not line.endswith(b"\n") and (ready := self.file.peek(1)):
            if time.monotonic() > self._deadline:
                raise TimeoutError
            line += self.file.read(min(ready.find(b"\n") + 1 or len(ready), limit - len(line)))
        self.whole = line.endswith(b"\n")
        return line

    def close(self) -> None:
        self.file.close()


class _WireResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self._seconds = sock.gettimeout()

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the final answer; ``http.client`` would skip 100 alone of the interim ones."""
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self.fp)

    def begin(self) -> None:
        """Read the head, interim answers before it included, within the time limit of the connection.

        ``http.client`` would wait that long for each part of it, and take one that was cut off for whole.
        """
        head = _Head(self.fp, self._seconds)
        self.fp = head  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:  # else it is closed
                self.fp = head.file
        if not head.whole:
            raise RemoteDisconnected("the head of the answer was cut off")


class _WireConnection(HTTPConnection):
    response_class = _WireResponse

    def request(  # type: ignore[override]
        self, method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        sent = dict(headers or {})
        target = sent.pop(TARGET, url)
        if url.startswith("http://"):  # what a proxy is asked for
            target = f"http://{urlsplit(url).netloc}{target}"
        super().request(method, target, body, sent, **more)


class _SecureWireConnection(_WireConnection, HTTPSConnection):
    pass


class _WirePool(HTTPConnectionPool):
    ConnectionCls = _WireConnection


class _SecureWirePool(HTTPSConnectionPool):
    ConnectionCls = _SecureWireConnection


_POOLS = {"http": _WirePool, "https": _SecureWirePool}


class _WireAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class WireSession(requests.Session):
    """A session over kept-alive connections that send the request target as it is meant."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.headers.clear()
        adapter = _WireAdapter(pool_maxsize=connections)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """A redirect is an answer like any other."""
