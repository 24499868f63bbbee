"""What a target lists, page by page: a page may be empty and yet not the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.operations import list_domains, list_integrations

Send = Callable[[Request], Exchange]

#: Pages that are asked for at most, in case a list never ends.
MOST_PAGES = 200


def domains(send: Send) -> Iterator[str]:
    """The names of the domains."""
    for page in _pages(lambda token: send(list_domains(token))):
        yield from _texts(page, "DomainName")


def integrations(send: Send, domain: str) -> Iterator[str]:
    """The Uris of a domain's integrations, hidden ones as well."""
    for page in _pages(lambda token: send(list_integrations(domain, token))):
        yield from _texts(page, "Uri")


def _pages(ask: Callable[[str | None], Exchange]) -> Iterator[Exchange]:
    token, seen = None, set[str | None]()
    while token not in seen and len(seen) < MOST_PAGES:
        seen.add(token)
        exchange = ask(token)
        if exchange.response.status != 200:
            return
        yield exchange
        following = exchange.response.members.get("NextToken")
        if not isinstance(following, str) or not following:
            return
        token = following


def _texts(page: Exchange, name: str) -> list[str]:
    items = page.response.members.get("Items")
    found = [item.get(name) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [value for value in found if isinstance(value, str)]
