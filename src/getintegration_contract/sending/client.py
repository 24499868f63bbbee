"""Sends requests byte for byte as they are meant, signed, within the rate budget, and keeps the exchange.

One client serves one worker: it holds a ``requests.Session`` with kept-alive connections.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import responses as reasons
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from requests_aws4auth import AWS4Auth, PassiveAWS4Auth
from requests_aws4auth.aws4signingkey import AWS4SigningKey
from urllib3.exceptions import HTTPError

from getintegration_contract.errors import EndpointDown, EnvironmentFault
from getintegration_contract.exchange import Exchange, Fault, Request, Response, Signature, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.operations import writes
from getintegration_contract.sending.control import Control
from getintegration_contract.sending.faults import UNREACHABLE, fault_name, transient_fault
from getintegration_contract.sending.session import TARGET, WireSession

#: Attempts at one request before a fault counts as persistent.
ATTEMPTS = 3
#: Attempts at a request that is answered 429, with the SDKs' exponential backoff in between.
THROTTLED_ATTEMPTS = 8
_MAX_BACKOFF = 20.0
#: Seconds that a client waits in vain for throttling to end, before 429 is repeated no more than others.
PATIENCE = 60.0

#: Bytes of a body that are read at once.
_PART = 1 << 20


class Client:
    """Sends signed requests to one endpoint.

    Args:
        endpoint: ``scheme://host[:port]``.
        region: Region of the credential scope.
        timeout: Seconds to wait for a connection and for each part of an answer.
        acquire: Called before every request, with whether a limit may refuse it, and whether it writes;
            returns when the rate budget allows it.
        observe: Called with every exchange that was completed, transient ones included.

    Attributes:
        faults: Transient faults that a repeat did not show again, by kind.
        control: A request known to be answered, asked again to tell a fault of the environment.
        verify: How certificates are verified: by the usual authorities, by a file of others, or not at all.
    """

    def __init__(
        self,
        endpoint: str,
        region: str,
        *,
        timeout: float = 10.0,
        acquire: Callable[[bool, bool], object] | None = None,
        observe: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.region = region
        self.timeout = timeout
        self.sent = 0
        self.faults: Counter[str] = Counter()
        self._waited = 0.0
        self._acquire = acquire
        self._observe = observe
        self._lock = threading.RLock()
        self._is_cleaning_up = False
        self.control: Control | None = None
        self._auth: dict[tuple[Any, ...], AWS4Auth] = {}
        self._session = WireSession(connections=32)
        # The environment is read once, not for every request.
        settings = self._session.merge_environment_settings(self.endpoint, {}, None, None, None)
        verify = settings["verify"]
        if verify is None or verify is True:
            verify = os.environ.get("AWS_CA_BUNDLE") or True
        self.verify: bool | str = verify
        if isinstance(self.verify, str) and not Path(self.verify).exists():
            raise EndpointDown(f"the certificates are not there that the environment names: {self.verify}")
        self._proxies = get_environ_proxies(self.endpoint)
        self._session.trust_env = False

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @property
    def proxied(self) -> bool:
        """Whether a proxy of the environment stands before the endpoint."""
        return select_proxy(self.endpoint, self._proxies) is not None

    def sibling(self) -> Client:
        """A client for another thread: connections of its own, the same budget, observer and faults."""
        shared: dict[str, Any] = {"acquire": self._admit, "observe": self.note}
        sibling = Client(self.endpoint, self.region, timeout=self.timeout, **shared)
        sibling.faults, sibling._lock, sibling.control = self.faults, self._lock, self.control
        return sibling

    def admit(self, request: Request | None = None) -> None:
        """Return when the budget allows one more request; None is a reading one that is sent by other means.

        Raises:
            BudgetExhausted: The run has sent as many requests as it may.
        """
        self._admit(not self._is_cleaning_up, request is not None and writes(request))

    def _admit(self, limited: bool, writing: bool) -> None:
        with self._lock:
            self.sent += 1
        if self._acquire is not None:
            self._acquire(limited, writing)

    @contextmanager
    def cleaning_up(self) -> Iterator[None]:
        """No limit refuses a request in this block, so that nothing has to stay behind."""
        self._is_cleaning_up = True
        try:
            yield
        finally:
            self._is_cleaning_up = False

    def note(self, exchange: Exchange) -> None:
        """Tell the observer of an exchange, one thread at a time."""
        if self._observe is not None:
            with self._lock:
                self._observe(exchange)

    def sign(self, request: Request, identity: Identity | None, signing: Signing | None = None) -> Request:
        """The request as it goes over the wire: dated and signed, then tampered with if so asked."""
        signing = signing or Signing()
        if identity is not None:
            prepared = self._prepare(request)
            if signing.skew:
                moment = datetime.now(UTC) + signing.skew
                prepared.headers["x-amz-date"] = moment.strftime("%Y%m%dT%H%M%SZ")
            self._auth_for(identity, signing)(prepared)
            request = replace(request, headers=tuple(prepared.headers.items()))
        return signing.tamper(request) if signing.tamper else request

    def send(
        self,
        request: Request,
        identity: Identity | None = None,
        signing: Signing | None = None,
        *,
        throttled: bool = False,
    ) -> Exchange:
        """Sign and send a request; a transient fault is repeated and noted.

        A fault that persists comes back as the answer: a 5xx as it is, a connection without an answer as
        status 0. With ``throttled``, 429 is an answer like any other, and other faults are repeated at once.

        Raises:
            EndpointDown: Nothing listens at the endpoint.
            BudgetExhausted: The run has sent as many requests as it may.
            Throttled: The caller is throttled for good.
        """

        def act(faults: tuple[Fault, ...]) -> list[Exchange]:
            return [self._exchange(self.sign(request, identity, signing), identity, signing, faults)]

        return self.repeat(act, throttled=throttled)[0]

    def repeat(
        self, act: Callable[[tuple[Fault, ...]], list[Exchange]], *, throttled: bool = False
    ) -> list[Exchange]:
        """Do what takes one or more exchanges, from its start again while it ends in a transient fault.

        Args:
            act: Given the faults so far; ends with the first exchange that has another.
            throttled: As for :meth:`send`.
        """
        faults: list[Fault] = []
        waited = 0.0
        while True:
            try:
                *before, exchange = act(tuple(faults))
            except EnvironmentFault:
                self._count(faults)
                raise
            kind = transient_fault(exchange.response)
            if throttled and kind == "429":
                kind = None
            # Throttling and other faults are counted apart: neither makes the other a lasting one.
            attempt = 1 + sum((fault.kind == "429") == (kind == "429") for fault in faults)
            patient = kind == "429" and self._waited < PATIENCE
            if kind is None or attempt >= (THROTTLED_ATTEMPTS if patient else ATTEMPTS):
                break
            faults.append(Fault(kind, attempt))
            # A pause would end the throttling that is looked for.
            pause = 0.0 if throttled else _backoff(attempt, kind)
            waited += pause if kind == "429" else 0.0
            time.sleep(pause)
        if self.control is not None:
            self.control.check_credentials(exchange, self.sent)
        if kind == "429":
            self._waited += waited  # in vain
            if self.control is not None:
                self.control.check_throttling()
        if kind is not None:
            if exchange.response.status == 0:
                self._check_alive(exchange.request, faults)
            # A fault that every attempt showed is no transient one.
            persisted = all(fault.kind == kind for fault in faults)
            exchange = replace(exchange, faults=() if persisted else tuple(faults))
        self._count(exchange.faults)
        return [*(replace(earlier, faults=()) for earlier in before), exchange]

    def _count(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self.faults.update(fault.kind for fault in faults)

    def _send_once(self, request: Request, identity: Identity) -> Exchange:
        return self._exchange(self.sign(request, identity), identity, None, ())

    def use_control(self, request: Request, caller: Identity) -> None:
        """Take a request known to be answered as the one to ask when something looks wrong."""
        self.control = Control(request, caller, self._send_once)

    def check_environment(self) -> None:
        """Look for what is no fault of the target, where a request is known to be answered.

        Raises:
            EnvironmentFault: There is something.
        """
        if self.control is not None:
            self.control.check(self.sent)

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        """A prepared request that nothing has normalised."""
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = self.endpoint + request.target
        prepared.headers = CaseInsensitiveDict(request.headers)
        prepared.body = request.body or None
        prepared.hooks = {"response": []}
        return prepared

    def _auth_for(self, identity: Identity, signing: Signing) -> AWS4Auth:
        region = signing.region or self.region
        key = (identity, region, replace(signing, skew=timedelta(), tamper=None))
        if key not in self._auth:
            self._auth[key] = self._make_auth(identity, region, signing)
        return self._auth[key]

    @staticmethod
    def _make_auth(identity: Identity, region: str, signing: Signing) -> AWS4Auth:
        more: dict[str, Any] = {}
        if signing.signed_headers is not None:
            more["include_hdrs"] = signing.signed_headers
        altered = signing.terminator != "aws4_request" or signing.scope_date is not None
        if identity.refreshable is not None:
            if altered:
                raise ValueError("only static credentials can be signed with another scope")
            return AWS4Auth(
                refreshable_credentials=identity.refreshable, region=region, service=signing.service, **more
            )
        if identity.session_token:
            more["session_token"] = identity.session_token
        if not altered:
            return AWS4Auth(identity.access_key, identity.secret_key, region, signing.service, **more)
        day = signing.scope_date or datetime.now(UTC).strftime("%Y%m%d")
        signing_key = AWS4SigningKey(identity.secret_key, region, signing.service, day)
        derived = f"AWS4{identity.secret_key}".encode()
        for part in (day, region, signing.service, signing.terminator):
            derived = AWS4SigningKey.sign_sha256(derived, part)
        signing_key.key = derived
        signing_key.scope = f"{day}/{region}/{signing.service}/{signing.terminator}"
        return PassiveAWS4Auth(identity.access_key, signing_key, **more)

    def _exchange(
        self,
        request: Request,
        identity: Identity | None,
        signing: Signing | None,
        faults: tuple[Fault, ...],
    ) -> Exchange:
        self.admit(request)
        prepared = self._prepare(request)
        prepared.headers[TARGET] = request.target
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            prepared.headers.setdefault("Content-Length", str(len(request.body)))
        started = time.time()
        clock = time.perf_counter()
        try:
            answer = self._session.send(
                prepared,
                allow_redirects=False,
                timeout=self.timeout,
                verify=self.verify,
                proxies=self._proxies,
                stream=True,
            )
            with answer:
                response = Response(
                    answer.status_code,
                    answer.reason or reasons.get(answer.status_code, ""),
                    tuple(answer.raw.headers.iteritems()),
                    _body(answer, clock + self.timeout),
                )
        except (requests.RequestException, HTTPError, TimeoutError) as error:
            response = Response(0, fault_name(error), (), b"")
        seconds = time.perf_counter() - clock
        name = identity.name if identity else None
        signature = Signature(identity, signing or Signing()) if identity else None
        exchange = Exchange(self.endpoint, request, response, name, started, seconds, faults, signature)
        self.note(exchange)
        return exchange

    def _check_alive(self, request: Request, faults: list[Fault]) -> None:
        """Tell a request that the server cannot answer from a server that is gone."""
        if self.proxied:  # and perhaps reached through the proxy alone
            return
        address = urlsplit(self.endpoint)
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            socket.create_connection((address.hostname or "", port), timeout=3).close()
        except OSError as error:
            told = f"nothing listens at {self.endpoint}: {error}"
            if faults and faults[0].kind != UNREACHABLE:
                sent = f"{request.method} {request.target[:80]} with a body of {len(request.body)} bytes"
                told += f"; it took {sent}, and was gone"
            raise EndpointDown(told) from None


def _backoff(attempt: int, kind: str) -> float:
    """Seconds to wait: short for a stray fault, the SDKs' exponential backoff for throttling."""
    if kind != "429":
        return 0.02 * attempt
    return min(_MAX_BACKOFF, random.random() * 2.0 ** (attempt - 1))


def _body(answer: requests.Response, deadline: float) -> bytes:
    """The whole body, decoded.

    Raises:
        TimeoutError: It is not complete by the deadline, though it may still be coming drop by drop.
    """
    parts = []
    while part := answer.raw.read1(_PART, decode_content=True):
        parts.append(part)
        if time.perf_counter() > deadline:
            raise TimeoutError
    return b"".join(parts)
