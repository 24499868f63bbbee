"""Why a target cannot be tested, in one sentence, and how long it is waited for."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing

from getintegration_contract.errors import EndpointDown, StateError
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import LATE
from getintegration_contract.state.account import said

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
            return  # it does not answer this request at all, which tests judge


def check_implemented(exchange: Exchange, *, strict: bool) -> None:
    """Refuse a target that does not answer a valid request as the operation could.

    Args:
        strict: Whether only the operation's own answers show that it is there.

    Raises:
        StateError: Why.
    """
    status, error_type = exchange.response.status, exchange.response.error_type
    if status in (401, 403):
        raise StateError(f"{exchange.endpoint} denies the caller access: {said(exchange)}")
    if status in _STARTING:
        raise StateError(
            f"{exchange.endpoint} is unavailable: it answered {said(exchange)}; --wait SECONDS waits for it"
        )
    known = status == 200 or error_type in ("ResourceNotFoundException", "AccessDeniedException")
    # Without a type, 400 and 500 are how mock servers answer for a service that they do not have.
    absent = status in (404, 405, 501) or (status in (400, 500) and error_type is None)
    if not known and (strict or absent):
        raise StateError(
            f"{exchange.endpoint} does not implement GetIntegration: it answered {said(exchange)}, and"
            " neither 200 nor ResourceNotFoundException, which X-Amzn-ErrorType has to name;"
            " for a server without PutIntegration give --domain-name and --integration-uri of one that exists"
        )
