"""A connection to an endpoint, on h11: nothing is hidden, repaired or normalised.

Reading is bounded in time and in memory, whatever a server sends.
"""

import re
import socket
import time
import zlib
from collections.abc import Iterable
from contextlib import suppress
from http.client import responses as reasons
from importlib.metadata import version

import h11
from urllib3.util import wait_for_read

from getintegration_contract.exchange import Request, Response, Wire
from getintegration_contract.sending.faults import (
    CLOSED,
    LARGE_BODY,
    LARGE_HEAD,
    LATE,
    NOT_HTTP,
    SHORT,
    UNDECODABLE,
    FaultError,
    SilenceError,
)
from getintegration_contract.sending.route import Route

#: Seconds that a server may take to answer ``Expect: 100-continue`` before the body is sent nevertheless, and
#: at most half of what is left until the answer is due.
EXPECT_PATIENCE = 3.0
#: Bytes of the head of an answer, interim ones before it included; and of a body, on the wire and decoded.
_MOST_HEAD, _MOST_BODY = 256 << 10, 8 << 20
_PIECE = 64 << 10
#: Content codings, one around the other; and streams in one body, one after another.
_DEPTH, _STREAMS = 4, 64
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": zlib.MAX_WBITS}
#: The empty line after a head, also where lines end in LF alone.
_END = re.compile(rb"\n\r?\n")
_AGENT = f"getintegration-contract/{version('getintegration-contract')}"


class Connection:
    """A connection to an endpoint, for one thread: opened when a request needs it, and kept while it lasts.

    Attributes:
        is_stale: Whether the last request met its end, after earlier answers: it may be sent once more.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._socket: socket.socket | None = None
        self._heads = bytearray()
        self._is_reused = self.is_stale = False

    def close(self) -> None:
        """End it; safe to call again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(
        self,
        request: Request,
        deadline: float,
        *,
        chunk: int | None = None,
        expect: bool = False,
    ) -> Response:
        """Send a request and read its answer; one that is not whole has status 0 and the fault as its reason.

        Args:
            deadline: When the answer must be complete, though it may still be coming drop by drop.
            chunk: Size of the chunks that the body goes out in; None sends it with its length.
            expect: Whether the body waits for ``100 Continue``.
        """
        if self._socket is not None and not self._is_open(self._socket):
            self.close()
        self._is_reused, self.is_stale = self._socket is not None, False
        self._heads.clear()
        try:
            return self._exchange(request, deadline, chunk, expect)
        except (FaultError, OSError) as error:
            self.close()
            self.is_stale = self._is_reused and isinstance(error, SilenceError)
            reason = LATE if isinstance(error, TimeoutError) else CLOSED
            fault = error if isinstance(error, FaultError) else FaultError(reason)
            return Response(0, fault.reason, (), b"", fault.head, Wire(reused=self._is_reused))

    def _exchange(self, request: Request, deadline: float, chunk: int | None, expect: bool) -> Response:
        if self._socket is None:
            self._socket = self._route.connect(_until(deadline))
            self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD + _PIECE)
        whole, size = request.body, chunk or max(len(request.body), 1)
        pieces = (h11.Data(data=whole[at : at + size]) for at in range(0, len(whole), size))
        body = [*pieces, h11.EndOfMessage()]
        begin = self._begin(request, expect=expect, chunked=chunk is not None)
        self._write([begin] if expect else [begin, *body], deadline)
        head, waited = None, False
        if expect:
            now = time.perf_counter()
            try:
                head = self._head(now + min(EXPECT_PATIENCE, (deadline - now) / 2))
            except TimeoutError:
                waited = True
            if not isinstance(head, h11.Response):
                self._write(body, deadline)
        while not isinstance(head, h11.Response):
            head = self._head(deadline)
        return self._rest(head, deadline, waited)

    def _is_open(self, opened: socket.socket) -> bool:
        """Whether the next request can go out on it: the server has neither ended it nor sent more."""
        idle = self._http.our_state is h11.IDLE and not self._http.trailing_data[0]
        return idle and not wait_for_read(opened, timeout=0)

    def _begin(self, request: Request, *, expect: bool, chunked: bool) -> h11.Request:
        """The head of a request, with the headers of its connection."""
        names = {name.lower() for name, _ in request.headers}
        added = [("Host", self._route.host), ("Accept-Encoding", "identity"), ("User-Agent", _AGENT)]
        if chunked:
            added.append(("Transfer-Encoding", "chunked"))
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            added.append(("Content-Length", str(len(request.body))))
        if self._route.forward:
            added += self._route.proxy_headers.items()
        headers = [*request.headers, *(pair for pair in added if pair[0].lower() not in names)]
        if expect:
            headers.append(("Expect", "100-continue"))
        encoded = [(name.encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]
        return h11.Request(
            method=request.method, target=self._route.forward + request.target, headers=encoded
        )

    def _write(self, events: Iterable[h11.Event], deadline: float) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        assert self._socket is not None
        self._socket.settimeout(_until(deadline))
        with suppress(ConnectionError):  # an early answer may be there to read
            self._socket.sendall(data)

    def _read(self, deadline: float) -> bytes:
        """Some bytes; none at the end of the connection."""
        assert self._socket is not None
        self._socket.settimeout(_until(deadline))
        return self._socket.recv(_PIECE)

    def _head(self, deadline: float) -> h11.InformationalResponse | h11.Response:
        """The next head of an answer, interim or final."""
        raw = bytearray(self._http.trailing_data[0])
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                if len(self._heads) + len(raw) > _MOST_HEAD:
                    raise FaultError(LARGE_HEAD)
                data = b""
                with suppress(ConnectionError):
                    data = self._read(deadline)
                if not data:
                    raise FaultError(CLOSED) if raw else SilenceError(CLOSED)
                raw += data
                if not b"HTTP/".startswith(raw.lstrip(b"\r\n")[:5]):
                    raise FaultError(NOT_HTTP)
                self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            end = _END.search(raw, len(raw) - len(raw.lstrip(b"\r\n")))
            self._heads += raw[: end.end() if end else _MOST_HEAD]
            raise self._not_http(error) from None
        self._heads += raw.removesuffix(self._http.trailing_data[0])
        if len(self._heads) > _MOST_HEAD:
            raise FaultError(LARGE_HEAD)
        assert isinstance(event, h11.InformationalResponse | h11.Response)
        return event

    def _rest(self, head: h11.Response, deadline: float, waited: bool) -> Response:
        """The answer whose head this is."""
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()
        )
        named = {name.lower(): value for name, value in reversed(headers)}  # the first of a name counts
        try:
            framed = self._body(SHORT if named.get("content-length") else CLOSED, deadline)
        except TimeoutError as late:
            raise FaultError(LATE, self._shown_heads) from late
        if (self._http.our_state, self._http.their_state) == (h11.DONE, h11.DONE):
            self._http.start_next_cycle()
        reason = head.reason.decode("latin-1") or reasons.get(head.status_code, "")
        body = _decoded(framed, named.get("content-encoding"))
        wire = Wire(head.http_version.decode(), framed, reused=self._is_reused, waited=waited)
        return Response(head.status_code, reason, headers, body, self._shown_heads, wire)

    @property
    def _shown_heads(self) -> bytes:
        """The heads of the answer, byte for byte; none behind a proxy, which may write its own."""
        return b"" if self._route.proxy else bytes(self._heads)

    def _body(self, cut: str, deadline: float) -> bytes:
        """The body as framed; ``cut`` names the fault of one that ends with the connection."""
        whole = bytearray()
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                ended = self._http.trailing_data[1]
                raise (FaultError(cut) if ended else self._not_http(error)) from None
            if isinstance(event, h11.Data):
                whole += event.data
                if len(whole) > _MOST_BODY:
                    raise FaultError(LARGE_BODY)
            elif event is h11.NEED_DATA:
                self._http.receive_data(self._read(deadline))
            else:
                return bytes(whole)

    def _not_http(self, error: h11.RemoteProtocolError) -> FaultError:
        """The answer breaks the grammar; the text says where, without quoting the server."""
        return FaultError(f"{NOT_HTTP}: {str(error).partition(':')[0]}", self._shown_heads)

    def surplus(self, deadline: float) -> tuple[bytes, bool]:
        """What else comes by the deadline after an answer, and whether the connection ended."""
        surplus = self._http.trailing_data[0]
        try:
            while len(surplus) < _PIECE and (data := self._read(deadline)):
                surplus += data
        except TimeoutError:
            return surplus, False
        except OSError:
            pass
        return surplus, True


def _until(deadline: float) -> float:
    """Seconds until a moment.

    Raises:
        TimeoutError: It has passed.
    """
    remaining = deadline - time.perf_counter()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def _decoded(body: bytes, codings: str | None) -> bytes:
    """A body without its content codings.

    Raises:
        FaultError: It does not decode, or is too large.
    """
    names = [name.strip() for name in (codings or "").lower().split(",")]
    names = [name for name in names if name not in ("", "identity")]
    if len(names) > _DEPTH:
        raise FaultError(f"the body has more than {_DEPTH} content codings")
    for name in reversed(names):
        if name not in _WINDOW:
            raise FaultError(f"the Content-Encoding {name[:20]} was not asked for")
        body = _inflated(body, _WINDOW[name])
    return body


def _inflated(body: bytes, window: int) -> bytes:
    """What a stream holds, or several, one after another."""
    whole = bytearray()
    try:
        for _ in range(_STREAMS):
            if not body:
                return bytes(whole)
            stream = zlib.decompressobj(window)
            whole += stream.decompress(body, _MOST_BODY + 1 - len(whole))
            if len(whole) > _MOST_BODY:
                raise FaultError(LARGE_BODY)
            if not stream.eof:
                break
            body = stream.unused_data.lstrip(b"\0")  # padding is lawful
    except zlib.error:
        pass
    raise FaultError(UNDECODABLE)
