"""Why a target cannot be tested, in one sentence, and how long it is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from email.utils import parsedate_to_datetime

from getintegration_contract.errors import EndpointDown, StateError
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import LATE, is_unauthenticated
from getintegration_contract.text import shorten, visible

#: Answers of a gateway before a server that is still starting.
_STARTING = (502, 503)
#: Connections that a run keeps open at least: its own, those of official clients, that of another reader.
_CONNECTIONS = 4
#: Seconds between two looks at an endpoint that is still starting.
_PAUSE = 0.25


def wait(ask: Callable[[], Exchange], endpoint: str, seconds: float, say: Callable[[str], None]) -> None:
    """Wait while nothing listens, or a gateway says that what is behind it is not there yet."""
    end = time.monotonic() + seconds
    is_waiting = False
    while time.monotonic() < end:
        try:
            if ask().response.status not in (0, *_STARTING):
                return
        except EndpointDown:
            pass
        if not is_waiting:
            say(f"waits up to {seconds:g} s for {endpoint}")
            is_waiting = True
        time.sleep(min(_PAUSE, max(0.0, end - time.monotonic())))


def check(client: Client, exchange: Exchange, caller: Identity) -> None:
    """Refuse a target that does not answer, or does not know the caller.

    Raises:
        StateError: Why.
    """
    response = exchange.response
    if response.status == 0:
        raise StateError(f"{client.endpoint} does not answer: {response.reason}")
    if response.status == 407:
        raise StateError(f"the proxy before {client.endpoint} refuses this run: {said(exchange)}")
    if is_unauthenticated(response):
        raise StateError(
            f"{client.endpoint} refuses the credentials of the caller: {said(exchange)}"
            f"; signed with the access key ****{caller.frozen().access_key[-4:]} ({caller.source})"
            f" for region {client.region}{_clocks(exchange)}"
        )


def check_connections(client: Client, request: Request, caller: Identity) -> None:
    """Refuse a target that lets a connection wait for the end of few others, which a run keeps open.

    Raises:
        StateError: It does.
    """
    with ExitStack() as opened:
        for served in range(1, _CONNECTIONS):
            another = opened.enter_context(closing(client.sibling()))
            if another.send(request, caller).response.reason != LATE:
                continue
            opened.close()
            client.close()
            answered = another.send(request, caller).response.status
            another.close()
            if answered:
                raise StateError(
                    f"{client.endpoint} answers on {served} of the {_CONNECTIONS} connections that a run"
                    " keeps open: serve each in a thread of its own, or close it after each answer"
                )


def check_implemented(client: Client, exchange: Exchange, *, strict: bool) -> None:
    """Refuse a target that does not answer a valid request as the operation could.

    Args:
        strict: Whether only the operation's own answers show that it is there.

    Raises:
        StateError: Why.
    """
    status, error_type = exchange.response.status, exchange.response.error_type
    if status in (401, 403):
        raise StateError(f"{client.endpoint} denies the caller access: {said(exchange)}")
    if status in _STARTING:
        raise StateError(
            f"{client.endpoint} is unavailable: it answered {said(exchange)}; --wait SECONDS waits for it"
        )
    known = status == 200 or error_type in ("ResourceNotFoundException", "AccessDeniedException")
    # Without a type, 400 and 500 are how mock servers answer for a service that they do not have.
    absent = status in (404, 405, 501) or (status in (400, 500) and error_type is None)
    if not known and (strict or absent):
        raise StateError(
            f"{client.endpoint} does not implement GetIntegration: it answered {said(exchange)}, and neither"
            " 200 nor ResourceNotFoundException, which X-Amzn-ErrorType has to name;"
            " for a server without PutIntegration give --domain-name and --integration-uri of one that exists"
        )


def said(exchange: Exchange) -> str:
    """Status and type of an answer, and the server's own words."""
    response = exchange.response
    message = next(
        (response.members[name] for name in ("message", "Message") if name in response.members), ""
    )
    words = f" ({shorten(visible(message), 300)})" if isinstance(message, str) and message else ""
    return f"{response.status} {response.error_type or visible(response.reason)}".strip() + words


def server_time(exchange: Exchange) -> float | None:
    """The server's clock, by its Date header."""
    try:
        return parsedate_to_datetime(exchange.response.header("date") or "").timestamp()
    except (ValueError, OverflowError):
        return None


def _clocks(exchange: Exchange) -> str:
    theirs = server_time(exchange)
    if theirs is None:
        return ""
    difference = round(theirs - exchange.started)
    words = (
        f"{abs(difference):,} s {'ahead of' if difference > 0 else 'behind'}" if difference else "equal to"
    )
    return f", by its Date header its clock is {words} this one"
