"""A reverse proxy that hands every request to a handler, which decides what is asked and what is answered.

Each connection of a client has a thread and a kept-alive connection to the base of its own. Path, headers
(the Host header too, so that signatures still fit) and body go to the base as they came.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace

import h11

from .messages import Answer, Handler, Raw, Request, Response, error, without
from .wire import ClosedError, Wire, dial, serialise

#: Seconds after which a stalled answer is given up.
STALL = 30.0
_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding", "expect", "content-length")
#: Stands on an answer that a habit has changed, until it leaves.
_MARK = "x-habit"
_RESET = struct.pack("ii", 1, 0)


class Base:
    """One kept-alive connection to the server behind the proxy."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._wire: Wire | None = None

    def ask(self, request: Request) -> Response:
        """Send a request as it is and read the answer; an idle connection that had ended is renewed."""
        data = _to_base(request)
        if self._wire is not None:
            with suppress(OSError):
                return self._exchange(self._wire, data, request.method)
            self.close()
        self._wire = Wire(dial(self._url))
        return self._exchange(self._wire, data, request.method)

    def close(self) -> None:
        """Close the connection."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _exchange(self, wire: Wire, data: bytes, method: str) -> Response:
        with suppress(BrokenPipeError, ConnectionResetError):  # an early answer may be there to read
            wire.send(data)
        answer = wire.response(method)
        if answer.closes or answer.framing == "close":
            self.close()
        return answer


def _to_base(request: Request) -> bytes:
    headers = without(request.headers, *_HOP_BY_HOP)
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        headers = (*headers, ("Content-Length", str(len(request.body))))
    lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + request.body


class Proxy:
    """The proxy, listening once it is made.

    Args:
        base: Address of the server behind it.
        handler: Called with each request, and with a function that asks the base.
        continues: Whether ``Expect: 100-continue`` is answered.
        habit: Changes what the base answers, and what the handler answers on its own.
        port: Where it listens; 0 for any free port.
        tls: Its certificate, where it speaks TLS.

    Attributes:
        changed: Answers that are not the base's own; where there is a habit, those that show both it and what
            the handler did, and connections that end without an answer, once the habit has shown.
        faults: Answers that the handler failed to make.
    """

    def __init__(
        self,
        base: str,
        handler: Handler,
        *,
        continues: bool = True,
        habit: Handler | None = None,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.changed = self.faults = 0
        self._base = base
        self._handler = handler
        self._habit = habit
        self._habit_shown = False
        self._continues = continues
        self._connections = itertools.count(1)
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._tls = tls
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the accept under way would take one more
        self._listener.close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._tls:
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        wire, base = Wire(connection), Base(self._base)
        index = next(self._connections)
        try:
            for number in itertools.count(1):
                request = wire.request(index, number, continues=self._continues)
                if not self._send(wire, request, self._answer(request, base)):
                    break
        except h11.RemoteProtocolError as fault:
            with suppress(OSError):
                wire.send(serialise(error(400, "BadRequestException", str(fault))))
        except OSError:
            pass  # the client or the base has gone
        finally:
            self._open.discard(connection)
            base.close()
            wire.close()

    def _answer(self, request: Request, base: Base) -> Answer:
        first: list[Response] = []

        def forward(asked: Request) -> Response:
            answer = self._habitual(asked, base.ask(asked))
            if asked is request and not first:
                first.append(answer)
            return answer

        try:
            answer = self._handler(request, forward)
        except OSError:
            raise
        except Exception:
            self.faults += 1
            traceback.print_exc(file=sys.stderr)
            raise ClosedError("the handler failed") from None
        changed = not first or answer is not first[0]
        if self._habit is None:
            self.changed += changed
            return answer
        if isinstance(answer, Raw):
            self.changed += _MARK.encode() in answer.data or self._habit_shown
            return answer
        if answer.header(_MARK) is None:
            answer = self._habitual(request, answer)
        shown = answer.header(_MARK) is not None
        self.changed += changed and shown
        self._habit_shown |= shown
        return answer.with_header(_MARK, None)

    def _habitual(self, request: Request, answer: Response) -> Response:
        """The answer as the habit changes it, then with a mark."""
        if self._habit is None:
            return answer
        other = self._habit(request, lambda _: answer)
        assert isinstance(other, Response), "only the outermost handler can answer with bytes"
        return answer if other is answer else other.with_header(_MARK, "yes")

    def _send(self, wire: Wire, request: Request, answer: Answer) -> bool:
        """Send an answer; whether the connection stays open."""
        if isinstance(answer, Response):
            if request.version == "HTTP/1.0" and answer.framing == "chunked":
                answer = replace(answer, framing="close")
            wire.send(serialise(answer, head=request.method == "HEAD"))
            closes = answer.closes or answer.framing == "close" or request.closes
            return not closes and request.version != "HTTP/1.0"
        wire.send(answer.data)
        for piece in answer.pieces:
            time.sleep(answer.pause)
            wire.send(piece)
        if answer.then == "stall":
            wire.socket.settimeout(STALL)
            with suppress(OSError):
                while wire.socket.recv(1 << 16):
                    pass
        elif answer.then == "reset":
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        return answer.then == "keep"
