"""Several requests on one connection, with what an HTTP library would hide of the answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import h11

from getintegration_contract.exchange import Exchange, Request, Response, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.connection import Answer, Connection
from getintegration_contract.sending.faults import ClosedError, transient_fault

#: Seconds that a server may take to answer ``Expect: 100-continue`` before the body is sent nevertheless.
EXPECT_PATIENCE = 3.0
#: Seconds within which bytes after a whole answer would come; its announced end may take longer.
LINGER = 0.2


@dataclass(frozen=True, slots=True)
class PipelinedRequest:
    """One request on a connection.

    Attributes:
        signing: How it is signed, where that is not as it must be.
        chunks: How the body goes out chunked, one entry each; None sends it with its length.
        expect: Whether the body waits for ``100 Continue``.
        last: Whether what follows the answer is read too, until the connection ends or nothing more comes.
    """

    request: Request
    identity: Identity | None
    signing: Signing | None = None
    chunks: Sequence[bytes] | None = None
    expect: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class PipelinedResponse:
    """An answer as it came.

    Attributes:
        version: The version of HTTP that it names, such as ``1.1``.
        framed: The body as framed, its content coding still on.
        surplus: Bytes after the answer; known only for the last request on a connection.
        ended: Whether the connection ended after the answer; known only for the last request.
        reused: Whether the connection had carried an answer before.
        waited: Whether the server waited for a body that waited for ``100 Continue``.
    """

    exchange: Exchange
    version: str = "1.1"
    framed: bytes = b""
    surplus: bytes = b""
    ended: bool = False
    reused: bool = False
    waited: bool = False


def pipeline(client: Client, *requests: PipelinedRequest) -> list[PipelinedResponse]:
    """Send requests one after another on one connection, from the start again after a transient fault.

    A server may end a connection after any answer; then the next request goes out on a new one. After a fault
    that persists, the rest is not sent.
    """
    responses: list[PipelinedResponse] = []

    def act(faults: tuple[str, ...]) -> list[Exchange]:
        responses.clear()
        with closing(_Line(client)) as line:
            for request in requests:
                responses.append(line.send(request, faults))
                if transient_fault(responses[-1].exchange.response):
                    break
        return [response.exchange for response in responses]

    exchanges = client.repeat(act)
    return [
        replace(response, exchange=exchange) for response, exchange in zip(responses, exchanges, strict=True)
    ]


class _Line:
    """One connection at a time to a client's endpoint."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._connection: Connection | None = None
        self._is_stale = False

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def send(self, asked: PipelinedRequest, faults: tuple[str, ...]) -> PipelinedResponse:
        """Send one request and read its answer; an answer that is not whole comes back as status 0.

        Where the server ended the connection after the answer before, the request is sent once more.
        """
        if self._connection is not None and not self._connection.is_open:
            self.close()
        self._is_stale = False
        response = self._attempt(asked, faults)
        return self._attempt(asked, faults) if self._is_stale else response

    def _attempt(self, asked: PipelinedRequest, faults: tuple[str, ...]) -> PipelinedResponse:
        answers: list[tuple[Answer, bool]] = []
        reused = self._connection is not None

        def talk(request: Request, deadline: float) -> Response:
            try:
                answers.append(self._talk(asked, request, deadline))
            except ClosedError:
                self._is_stale = reused
                raise
            return answers[0][0].response

        exchange = self._client.attempt(asked.request, asked.identity, _signing(asked), talk, faults)
        if not answers or self._connection is None:
            self.close()
            return PipelinedResponse(exchange, reused=reused)
        answer, waited = answers[0]
        surplus, ended = b"", False
        if asked.last:
            says_close = "close" in (exchange.response.header("connection") or "").lower()
            patience = self._patience if says_close else LINGER
            surplus, ended = self._connection.surplus(time.perf_counter() + patience)
            self.close()
        return PipelinedResponse(exchange, answer.version, answer.framed, surplus, ended, reused, waited)

    def _talk(self, asked: PipelinedRequest, request: Request, deadline: float) -> tuple[Answer, bool]:
        """The answer, and whether the server waited for a body that waited for ``100 Continue``."""
        if self._connection is None:
            self._connection = Connection(self._client.route, deadline - time.perf_counter())
        connection = self._connection
        expectation = [("Expect", "100-continue")] if asked.expect else []
        begin = connection.begin(request, *expectation, chunked=asked.chunks is not None)
        pieces = (request.body,) if asked.chunks is None else asked.chunks
        body = (*(h11.Data(data=piece) for piece in pieces), h11.EndOfMessage())
        if not asked.expect:
            connection.send((begin, *body), deadline)
            return connection.receive(deadline), False
        connection.send((begin,), deadline)
        head, waited = None, False
        try:
            head = connection.head(min(deadline, time.perf_counter() + self._patience))
        except TimeoutError:
            waited = True
        if isinstance(head, h11.Response):
            return connection.rest(head, deadline), waited
        connection.send(body, deadline)
        return connection.receive(deadline), waited

    @property
    def _patience(self) -> float:
        return min(EXPECT_PATIENCE, self._client.timeout / 2)


def _signing(asked: PipelinedRequest) -> Signing | None:
    """How a request is signed: chunks of another body than its own are put in place after signing."""
    body = asked.request.body if asked.chunks is None else b"".join(asked.chunks)
    if body == asked.request.body:
        return asked.signing
    signing = asked.signing or Signing()
    before = signing.tamper or (lambda request: request)
    return replace(signing, tamper=lambda request: replace(before(request), body=body))
