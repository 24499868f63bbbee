"""Domains that crashed runs left behind: which, how old, and how they are removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from getintegration_contract.identity import Identity
from getintegration_contract.operations import delete_domain, get_domain
from getintegration_contract.sending.client import Client
from getintegration_contract.state import listing
from getintegration_contract.state.preflight import said, server_time
from getintegration_contract.text import duration

#: All names of domains that a run makes begin so, in these or in small letters; nothing else is removed.
PREFIX = "GetIntegrationContract-"
#: Seconds after which a run removes what another left; one under way may be slow, and must not lose its own.
LEFTOVER_AGE = 6 * 3600


def is_own(name: str) -> bool:
    """Whether only a run makes domains of such a name."""
    return name.startswith((PREFIX, PREFIX.lower()))


@dataclass(frozen=True)
class Leftover:
    """A domain with the name of a run's; its age in seconds by the server's clock, if that is known."""

    name: str
    owner: Identity
    age: float | None


def find(client: Client, owners: Iterable[Identity]) -> Iterator[Leftover]:
    """The domains with names of runs, of this one or of others."""
    for owner in owners:
        names = list(listing.domains(partial(client.send, identity=owner)))
        for name in filter(is_own, names):
            exchange = client.send(get_domain(name), owner)
            updated = exchange.response.members.get("LastUpdatedAt")
            age = None
            if isinstance(updated, int | float):
                age = (server_time(exchange) or time.time()) - updated
            yield Leftover(name, owner, age)


def remove(client: Client, leftovers: Iterable[Leftover], say: Callable[[str], None]) -> int:
    """Remove domains; how many stay."""
    stay = 0
    for leftover in leftovers:
        exchange = client.send(delete_domain(leftover.name), leftover.owner)
        if exchange.response.status // 100 == 2:
            say(f"swept the domain {leftover.name}, {age(leftover)}, which a crashed run left behind")
        else:
            stay += 1
            say(f"the domain {leftover.name} stays: DeleteDomain answered {said(exchange)}")
    return stay


def age(leftover: Leftover) -> str:
    """How old it is, in words."""
    if leftover.age is None:
        return "of unknown age"
    return f"{duration(leftover.age) if leftover.age < 7200 else f'{leftover.age / 3600:,.0f} h'} old"
