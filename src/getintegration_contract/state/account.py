"""What an account holds on an endpoint, as one of its identities sees it: listed, and removed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial

from getintegration_contract.errors import EnvironmentFault, StateError
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.operations import delete_domain, list_domains, list_integrations
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import CLOSED, LATE, SHORT, is_missing, is_unauthenticated
from getintegration_contract.text import shorten, visible

#: Pages that are asked for at most, in case a list never ends.
MOST_PAGES = 200


@dataclass(frozen=True)
class Account:
    """An account on an endpoint.

    Attributes:
        insists: Whether an endpoint that does not answer, or refuses the identity, is an error.
    """

    client: Client
    identity: Identity
    insists: bool = False

    def send(self, request: Request) -> Exchange:
        """Send a request.

        Raises:
            StateError: The endpoint does not answer, or refuses the identity, and the account insists.
        """
        exchange = self.client.send(request, self.identity)
        response = exchange.response
        if not self.insists:
            return exchange
        if response.status == 0:
            does = "begins an answer and does not end it" if response.head else "does not answer"
            if response.reason not in (LATE, CLOSED, SHORT):
                does = "gives no answer that can be read"
            raise StateError(f"{exchange.endpoint} {does}: {response.reason}")
        if response.status == 407:
            raise StateError(f"the proxy before {exchange.endpoint} refuses this run: {said(exchange)}")
        if is_unauthenticated(response):
            raise StateError(
                f"{exchange.endpoint} refuses the credentials of the caller: {said(exchange)}"
                f"; signed with the access key ****{self.identity.frozen().access_key[-4:]}"
                f" ({self.identity.source}) for region {self.client.region}{_clocks(exchange)}"
            )
        return exchange

    def domains(self) -> Iterator[str]:
        """The names of the domains."""
        return self._listed(list_domains, "DomainName")

    def integrations(self, domain: str) -> Iterator[str]:
        """The Uris of a domain's integrations, hidden ones as well."""
        return self._listed(partial(list_integrations, domain), "Uri")

    def _listed(self, page: Callable[[str | None], Request], member: str) -> Iterator[str]:
        """A member of all items, page by page: a page may be empty and yet not the last one."""
        token, seen = None, set[str | None]()
        while token not in seen and len(seen) < MOST_PAGES:
            seen.add(token)
            response = self.send(page(token)).response
            if response.status != 200:
                return
            items = response.members.get("Items")
            for item in items if isinstance(items, list) else []:
                if isinstance(item, dict) and isinstance(value := item.get(member), str):
                    yield value
            token = response.members.get("NextToken")
            if not isinstance(token, str) or not token:
                return

    def remove(self, domain: str) -> str:
        """Remove a domain with its integrations; the reason if it stays."""
        try:
            exchange = self.send(delete_domain(domain))
        except (OSError, EnvironmentFault) as error:
            return str(error)
        if exchange.response.status // 100 == 2 or is_missing(exchange.response):
            return ""
        return f"DeleteDomain answered {said(exchange)}"


def writers(client: Client, identities: Mapping[str, Identity]) -> list[Account]:
    """The accounts that a run writes in: the caller's, and the other one if there is any."""
    return [Account(client, identities[name]) for name in ("caller", "other-account") if name in identities]


def said(exchange: Exchange) -> str:
    """Status and type of an answer, and the server's own words."""
    response = exchange.response
    messages = (response.members[name] for name in ("message", "Message") if name in response.members)
    message = next(messages, "")
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
    ahead = round(theirs - exchange.started)
    far = f"{abs(ahead):,} s {'ahead of' if ahead > 0 else 'behind'}"
    equal = abs(ahead) < 2  # a Date has whole seconds
    return f", by its Date header its clock is {'equal to' if equal else far} this one"
