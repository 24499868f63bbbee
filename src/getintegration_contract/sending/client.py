"""Sends requests byte for byte, signed, within the rate budget, and returns the exchange.

One client serves one worker and keeps its connections alive. It repeats what may be a passing fault.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import h11

from getintegration_contract.errors import EndpointDown, EnvironmentFault
from getintegration_contract.exchange import Exchange, Request, Response, Signature, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.operations import writes
from getintegration_contract.sending.connection import Connection
from getintegration_contract.sending.control import Control
from getintegration_contract.sending.faults import (
    UNREACHABLE,
    ConnectError,
    FaultError,
    fault_name,
    transient_fault,
)
from getintegration_contract.sending.route import Route
from getintegration_contract.sending.signing import Signer
from getintegration_contract.text import shorten, visible

#: Attempts at one request before a fault counts as persistent.
ATTEMPTS = 3
#: Attempts at a request that is answered 429, with the SDKs' exponential backoff in between.
THROTTLED_ATTEMPTS = 8
_MAX_BACKOFF = 20.0
#: Seconds that a client waits in vain for throttling to end, before it repeats 429 no more than other faults.
PATIENCE = 60.0


class Client:
    """Sends signed requests to one endpoint.

    Args:
        endpoint: ``scheme://host[:port]``.
        region: Region of the credential scope.
        timeout: Seconds to wait for a connection and for each part of an answer.
        acquire: Called before every request with whether a limit may refuse it and whether it writes;
            returns when the budget allows it.
        observe: Called with every exchange that was completed, transient ones included.

    Attributes:
        faults: Transient faults that a repeat did not show again: kind, and the exchange that met it.
        control: A request known to be answered; asking it again tells a fault of the environment.
        route: How the endpoint is reached.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        *,
        timeout: float = 10.0,
        acquire: Callable[[bool, bool], object] | None = None,
        observe: Callable[[Exchange], object] | None = None,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        self.timeout = timeout
        self.sent = 0
        self.faults: list[tuple[str, Exchange]] = []
        self._waited = 0.0
        self._acquire = acquire
        self._observe = observe
        self._lock = threading.RLock()
        self._is_unlimited = False
        self.control: Control | None = None
        self.route = Route(self.endpoint)
        self._signer = Signer(self.endpoint, region)
        self._idle: list[Connection] = []

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()

    @property
    def verify(self) -> bool | str:
        """What makes other clients verify certificates as this one does: True, or a file or folder."""
        return self.route.bundle or True

    def sibling(self) -> Client:
        """A client for another thread: connections of its own, the same budget, observer and faults."""
        sibling = Client(
            self.endpoint, self.region, timeout=self.timeout, acquire=self._admit, observe=self.note
        )
        sibling.faults, sibling._lock, sibling.control = self.faults, self._lock, self.control
        return sibling

    def admit(self, request: Request | None = None) -> None:
        """Return when the budget allows one more request; None stands for a read that another client sends.

        Raises:
            BudgetExhausted: The run has sent as many requests as it may.
        """
        self._admit(not self._is_unlimited, request is not None and writes(request))

    def _admit(self, limited: bool, writing: bool) -> None:
        if self._acquire is not None:
            self._acquire(limited, writing)
        with self._lock:
            self.sent += 1

    @contextmanager
    def unlimited(self) -> Iterator[None]:
        """The limit on requests neither refuses nor counts those of this block: waiting, and cleaning up."""
        self._is_unlimited = True
        try:
            yield
        finally:
            self._is_unlimited = False

    def note(self, exchange: Exchange) -> None:
        """Show the observer an exchange, one thread at a time."""
        if self._observe is not None:
            with self._lock:
                self._observe(exchange)

    def sign(self, request: Request, identity: Identity | None, signing: Signing | None = None) -> Request:
        """The request as it goes over the wire: dated and signed, then tampered with if so asked."""
        return self._signer.sign(request, identity, signing)

    def send(
        self,
        request: Request,
        identity: Identity | None = None,
        signing: Signing | None = None,
        *,
        throttled: bool = False,
    ) -> Exchange:
        """Sign and send a request; a transient fault is repeated and noted.

        A fault that persists is returned as the answer: a 5xx as it is, a missing answer as status 0.
        With ``throttled``, 429 is an answer like any other, and other faults are repeated without a pause.

        Raises:
            EndpointDown: Nothing listens at the endpoint.
            BudgetExhausted: The run has sent as many requests as it may.
            Throttled: The caller is throttled for good.
        """

        def act(faults: tuple[str, ...]) -> list[Exchange]:
            return [self.attempt(request, identity, signing, faults=faults)]

        return self.repeat(act, throttled=throttled)[0]

    def repeat(
        self, act: Callable[[tuple[str, ...]], list[Exchange]], *, throttled: bool = False
    ) -> list[Exchange]:
        """Do something that takes one or more exchanges, and start again while it ends in a transient fault.

        Args:
            act: Takes the faults so far; its last exchange is the first with another fault, if any.
            throttled: As for :meth:`send`.
        """
        met: list[tuple[str, Exchange]] = []
        waited = 0.0
        while True:
            faults = tuple(fault for fault, _ in met)
            try:
                *before, exchange = act(faults)
            except EnvironmentFault:
                self.faults += met
                raise
            kind = transient_fault(exchange.response)
            if throttled and kind == "429":
                kind = None
            # Throttling and other faults are counted apart: neither makes the other a lasting one.
            attempt = 1 + sum((fault == "429") == (kind == "429") for fault in faults)
            patient = kind == "429" and self._waited < PATIENCE
            if kind is None or attempt >= (THROTTLED_ATTEMPTS if patient else ATTEMPTS):
                break
            met.append((kind, exchange))
            # A pause would end the throttling that is looked for.
            pause = 0.0 if throttled else _backoff(attempt, kind)
            waited += pause if kind == "429" else 0.0
            time.sleep(pause)
        if self.control is not None:
            self.control.check_credentials(exchange, self.sent)
        if kind is not None:
            self._check_target(kind, exchange, faults, waited)
            if all(fault == kind for fault in faults):  # no transient one
                met, exchange = [], replace(exchange, faults=())
        self.faults += met
        return [*(replace(earlier, faults=()) for earlier in before), exchange]

    def _check_target(self, kind: str, exchange: Exchange, faults: tuple[str, ...], waited: float) -> None:
        """Raise what is a lasting fault of the environment, and no answer to the request."""
        if kind == "429":
            self._waited += waited  # in vain
            if self.control is not None:
                self.control.check_throttling()
        elif exchange.response.status == 0:
            try:
                self.route.connect(3).close()
            except ConnectError as error:
                message = error.detail
                if faults[0] != UNREACHABLE:
                    sent = exchange.request
                    body = shorten(visible(sent.body.decode(errors="replace")), 60) or "nothing"
                    message += (
                        f"; it took {sent.method} {sent.target[:80]} with the body {body}, and was gone"
                    )
                raise EndpointDown(message) from None
            if kind == UNREACHABLE:
                raise EndpointDown(f"{self.endpoint} accepts connections only now and then")

    def use_control(self, request: Request, caller: Identity) -> None:
        """Name a request known to be answered, to be asked when something looks wrong."""
        self.control = Control(request, caller, self.attempt)

    def check_environment(self) -> None:
        """Raise a fault of the environment if there is one; needs a control request."""
        if self.control is not None:
            self.control.check(self.sent)

    def attempt(
        self,
        request: Request,
        identity: Identity | None,
        signing: Signing | None = None,
        talk: Callable[[Request, float], Response] | None = None,
        faults: tuple[str, ...] = (),
    ) -> Exchange:
        """Sign, admit, send and note one request, once.

        Args:
            talk: Sends the signed request and returns its answer, complete by the given moment; by default
                on a kept connection.
        """
        request = self.sign(request, identity, signing)
        self.admit(request)
        started, clock = time.time(), time.perf_counter()
        try:
            response = (talk or self._talk)(request, clock + self.timeout)
        except (FaultError, OSError) as error:
            response = Response(0, fault_name(error), (), b"", getattr(error, "head", b""))
        exchange = Exchange(
            self.endpoint,
            request,
            response,
            identity.name if identity else None,
            started,
            time.perf_counter() - clock,
            faults,
            Signature(identity, signing or Signing()) if identity else None,
        )
        self.note(exchange)
        return exchange

    def _talk(self, request: Request, deadline: float) -> Response:
        """Send a request on a kept connection, or on a new one, and read the answer."""
        connection = self._kept() or Connection(self.route, deadline - time.perf_counter())
        try:
            body = (h11.Data(data=request.body),) if request.body else ()
            connection.send((connection.begin(request), *body, h11.EndOfMessage()), deadline)
            response = connection.receive(deadline).response
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return response

    def _kept(self) -> Connection | None:
        """A kept connection that is still open."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            connection.close()
        return None


def _backoff(attempt: int, kind: str) -> float:
    """Seconds to wait: short for a stray fault, the SDKs' exponential backoff for throttling."""
    if kind != "429":
        return 0.02 * attempt
    return min(_MAX_BACKOFF, random.random() * 2.0 ** (attempt - 1))
