"""Several requests on one connection."""

import time
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.connection import EXPECT_PATIENCE, Connection
from getintegration_contract.sending.faults import transient_fault

#: Seconds within which bytes after a whole answer would come; its announced end may take longer.
LINGER = 0.2


@dataclass(frozen=True, slots=True)
class PipelinedRequest:
    """One request on a connection.

    Attributes:
        signing: How it is signed, where that is not as it must be.
        chunk: Size of the chunks that the body goes out in; None sends it with its length.
        expect: Whether the body waits for ``100 Continue``.
        last: Whether what follows the answer is read too, until the connection ends or nothing more comes.
    """

    request: Request
    identity: Identity | None
    signing: Signing | None = None
    chunk: int | None = None
    expect: bool = False
    last: bool = False


def pipeline(client: Client, *requests: PipelinedRequest) -> list[Exchange]:
    """Send requests one after another on one connection, from the start again after a transient fault.

    A server may end a connection after any answer; then the next request goes out on a new one. After a fault
    that persists, the rest is not sent.
    """

    def act(faults: tuple[str, ...]) -> list[Exchange]:
        exchanges: list[Exchange] = []
        with closing(Connection(client.route)) as connection:
            for asked in requests:
                exchanges.append(_attempt(client, connection, asked, faults))
                if transient_fault(exchanges[-1].response):
                    break
        return exchanges

    return client.repeat(act)


def _attempt(
    client: Client, connection: Connection, asked: PipelinedRequest, faults: tuple[str, ...]
) -> Exchange:
    """Send a request; once more where the server ended the connection after the answer before."""
    talk = partial(connection.send, chunk=asked.chunk, expect=asked.expect)
    attempt = partial(client.attempt, asked.request, asked.identity, asked.signing, faults, talk)
    exchange: Exchange = attempt()
    if connection.is_stale:
        exchange = attempt()
    response = exchange.response
    if not asked.last or not response.status:
        return exchange
    patience = min(EXPECT_PATIENCE, client.timeout / 2) if response.says_close else LINGER
    surplus, ended = connection.surplus(time.perf_counter() + patience)
    connection.close()
    wire = replace(response.wire, surplus=surplus, ended=ended)
    return replace(exchange, response=replace(response, wire=wire))
