"""Domains and integrations of one test: written, read once settled, and removed again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    delete_integration,
    get_integration,
    list_integrations,
    put_integration,
)
from getintegration_contract.sending.client import Client
from getintegration_contract.state.account import Account


@dataclass
class Workspace:
    """Where a test writes. Only GetIntegration is judged: a refused write is no violation.

    Attributes:
        caller: Signs the requests, unless another identity is named.
        settling_time: Seconds until a write is seen by readers.
        refuse: Called with the reason when the target refuses a write; does not return.
        written: Called with every write.
    """

    client: Client
    caller: Identity
    settling_time: float
    refuse: Callable[[str], NoReturn]
    written: Callable[[Exchange], object]
    _settled: float = 0.0
    _made: dict[tuple[str, Identity], None] = field(default_factory=dict)

    def create(self, domain: str, identity: Identity | None = None) -> None:
        """Make a domain, empty even if a crashed run left one of that name."""
        self._made[domain, identity or self.caller] = None
        exchange = self._send(create_domain(domain), identity)
        if exchange.response.status == 400:
            self._send(delete_domain(domain), identity)
            exchange = self._send(create_domain(domain), identity)
        self._written("CreateDomain", exchange)

    def drop(self, domain: str, identity: Identity | None = None) -> None:
        """Remove a domain with its integrations."""
        self._written("DeleteDomain", self._send(delete_domain(domain), identity), gone=True)
        self._made.pop((domain, identity or self.caller), None)

    def put(
        self, domain: str, uri: str, members: dict[str, Any], identity: Identity | None = None
    ) -> Exchange:
        """Make an integration."""
        return self._written("PutIntegration", self._send(put_integration(domain, uri, members), identity))

    def update(
        self, domain: str, uri: str, members: dict[str, Any], identity: Identity | None = None
    ) -> dict[str, Any]:
        """Put an integration that exists; the members that are due from now on.

        No source says whether that replaces tags, adds to them or keeps them: due are the answer's, if any.
        """
        tags = self.put(domain, uri, members, identity).response.members.get("Tags")
        answered = {"Tags": tags} if "Tags" in members and isinstance(tags, dict) else {}
        return {name: value for name, value in members.items() if name != "Tags"} | answered

    def delete(self, domain: str, uri: str, identity: Identity | None = None) -> None:
        """Remove an integration."""
        self._written("DeleteIntegration", self._send(delete_integration(domain, uri), identity), gone=True)

    def list(self, domain: str, identity: Identity | None = None) -> None:
        """List the integrations of a domain, whatever comes of it."""
        self._send(list_integrations(domain), identity)

    def read(self, domain: str, uri: str, identity: Identity | None = None) -> Exchange:
        """GetIntegration, as soon as all writes are settled."""
        self.settle()
        return self._send(get_integration(domain, uri), identity)

    def settle(self) -> None:
        """Wait until all writes are seen by readers."""
        time.sleep(max(0.0, self._settled - time.monotonic()))

    def clear(self) -> None:
        """Remove all domains that were made; a later run sweeps what cannot be removed now."""
        with self.client.unlimited():
            for domain, identity in list(self._made):
                Account(self.client, identity).remove(domain)
                del self._made[domain, identity]

    def _send(self, request: Request, identity: Identity | None) -> Exchange:
        return self.client.send(request, identity or self.caller)

    def _written(self, operation: str, exchange: Exchange, *, gone: bool = False) -> Exchange:
        """Take note of a write; a repeated removal may find that the first one did its work."""
        status = exchange.response.status
        self._settled = time.monotonic() + self.settling_time
        self.written(exchange)
        if status // 100 != 2 and not (gone and status == 404 and exchange.faults):
            error_type = exchange.response.error_type
            self.refuse(f"{operation} answered {status} {error_type or exchange.response.reason}".strip())
        return exchange
