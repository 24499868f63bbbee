"""Sends requests byte for byte, signed, within the rate budget, and returns the exchange.

One client serves one thread, on a connection that is kept alive. It repeats what may be a passing fault, and
before a target is accused of what the environment did, it asks a request known to be answered.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Self

from getintegration_contract.errors import EndpointDown, EnvironmentFault, StateError
from getintegration_contract.exchange import Exchange, Request, Response, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.operations import writes
from getintegration_contract.sending.connection import Connection
from getintegration_contract.sending.faults import (
    CLOSED,
    UNREACHABLE,
    FaultError,
    is_missing,
    is_unauthenticated,
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
#: How a server fails that is being restarted; seconds that a client waits for it in all, but not in a crowd.
_RESTARTING, _RESTART = ("502", "503", "504", CLOSED), 3.0


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
        control: A request known to be answered, and the caller: asked when something looks wrong.
        faults: Transient faults that a repeat did not show again: kind, and the exchange that met it.
        route: How the endpoint is reached.
        sign: The request as it goes over the wire: dated and signed, then tampered with if so asked.
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
        self._waited = self._sat_out = 0.0
        self._acquire = acquire
        self._observe = observe
        self._lock = threading.RLock()
        self._is_unlimited = False
        self.control: tuple[Request, Identity] | None = None
        self.route = Route(self.endpoint)
        self.sign = Signer(self.endpoint, region).sign
        self._connection = Connection(self.route)

    def close(self) -> None:
        """Close the connection; the next request opens it anew."""
        self._connection.close()

    def sibling(self) -> Self:
        """A client for another thread: a connection of its own, the same budget, observer and faults."""
        sibling = copy(self)
        sibling._acquire = self._admit  # what it sends is counted here as well
        sibling.sent, sibling._waited, sibling._sat_out, sibling._is_unlimited = 0, 0.0, _RESTART, False
        sibling.sign = Signer(self.endpoint, self.region).sign
        sibling._connection = Connection(self.route)
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

    def attempt(
        self,
        request: Request,
        identity: Identity | None,
        signing: Signing | None = None,
        faults: tuple[str, ...] = (),
        talk: Callable[[Request, float], Response] | None = None,
    ) -> Exchange:
        """Sign, admit, send and note one request, once.

        Args:
            faults: What earlier attempts at it met.
            talk: Sends the signed request and returns its answer, complete by the given moment; by default
                on the kept connection.
        """
        request = self.sign(request, identity, signing)
        self.admit(request)
        started, clock = time.time(), time.perf_counter()
        response = (talk or self._connection.send)(request, clock + self.timeout)
        exchange = Exchange(
            self.endpoint,
            request,
            response,
            identity.name if identity else None,
            started,
            time.perf_counter() - clock,
            faults,
            (identity, signing or Signing()) if identity else None,
        )
        if self._observe is not None:
            with self._lock:  # one thread at a time
                self._observe(exchange)
        return exchange

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
            EnvironmentFault: The caller is no longer known, or is throttled for good.
        """
        return self.repeat(
            lambda faults: [self.attempt(request, identity, signing, faults)], throttled=throttled
        )[0]

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
                if kind not in _RESTARTING or not self._sits_out():
                    break
            met.append((kind, exchange))
            # A pause would end the throttling that is looked for.
            pause = 0.0 if throttled else _backoff(attempt, kind)
            waited += pause if kind == "429" else 0.0
            time.sleep(pause)
        if kind == "429":
            self._waited += waited  # in vain
        self._check(exchange, kind, faults)
        if kind is not None and all(fault == kind for fault in faults):  # no transient one
            met, exchange = [], replace(exchange, faults=())
        self.faults += met
        return [*(replace(earlier, faults=()) for earlier in before), exchange]

    def _sits_out(self) -> bool:
        """Whether the request known to be answered meets a fault too, and after a while is answered again."""
        began, is_away = time.monotonic(), False
        while self.control and self._sat_out + time.monotonic() - began < _RESTART:
            if transient_fault(self.attempt(*self.control).response) is None:
                self._sat_out += time.monotonic() - began if is_away else 0.0
                return is_away
            is_away = True
            time.sleep(0.1)
        self._sat_out = _RESTART
        return False

    def _check(self, exchange: Exchange, kind: str | None, faults: tuple[str, ...]) -> None:
        """Raise what is a lasting fault of the environment, and no answer to the request."""
        response = exchange.response
        if self.control is not None:
            if is_unauthenticated(response) and exchange.signature == (self.control[1], Signing()):
                self._check_credentials(self.attempt(*self.control))
            if kind == "429" and transient_fault(self.attempt(*self.control).response) == "429":
                raise EnvironmentFault(
                    f"{self.endpoint} throttles the caller and does not stop: lower --rate"
                )
        if response.status == 0:
            try:
                self.route.connect(3).close()
            except FaultError as error:
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

    def check_environment(self) -> None:
        """Look for a fault of the environment, after what looked like one of the target.

        Raises:
            EnvironmentFault: The caller is no longer known.
            StateError: The domain of the run is gone.
        """
        if self.control is None:
            return
        request, caller = self.control
        exchange = self.attempt(request, caller)
        self._check_credentials(exchange)
        path = request.target.removesuffix("/integrations")
        if is_missing(exchange.response) and is_missing(self.attempt(Request("GET", path), caller).response):
            raise StateError(
                f"{self.endpoint} lost the domain {path.rpartition('/')[2]} during the run:"
                " it was restarted, or somebody removed it"
            )

    def _check_credentials(self, exchange: Exchange) -> None:
        if is_unauthenticated(exchange.response):
            raise EnvironmentFault(f"the caller's credentials ran out after {self.sent:,} requests")


def _backoff(attempt: int, kind: str) -> float:
    """Seconds to wait: short for a stray fault, the SDKs' exponential backoff for throttling."""
    if kind != "429":
        return 0.02 * attempt
    return min(_MAX_BACKOFF, random.random() * 2.0 ** (attempt - 1))
