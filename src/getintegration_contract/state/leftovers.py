"""Domains that crashed runs left behind: which, how old, and how they are removed."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from getintegration_contract.operations import get_domain
from getintegration_contract.state.account import Account, server_time
from getintegration_contract.text import duration

#: All names of domains that a run makes begin so, in these or in small letters; nothing else is removed.
PREFIX = "GetIntegrationContract-"
#: Seconds after which a run removes what another left; one under way may be slow, and must not lose its own.
LEFTOVER_AGE = 6 * 3600


@dataclass(frozen=True)
class Leftover:
    """A domain with the name of a run's; its age in seconds by the server's clock, if that is known."""

    name: str
    owner: Account
    age: float | None

    def __str__(self) -> str:
        """Its name, and how old it is."""
        if self.age is None:
            return f"{self.name}, of unknown age"
        age = duration(self.age) if self.age < 7200 else f"{self.age / 3600:,.0f} h"
        return f"{self.name}, {age} old"


def find(owners: Iterable[Account]) -> Iterator[Leftover]:
    """The domains with names of runs, of this one or of others."""
    for owner in owners:
        for name in list(owner.domains()):
            if name.startswith((PREFIX, PREFIX.lower())):
                exchange = owner.send(get_domain(name))
                updated = exchange.response.members.get("LastUpdatedAt")
                now = server_time(exchange) or time.time()
                yield Leftover(name, owner, now - updated if isinstance(updated, int | float) else None)


def remove(leftovers: Iterable[Leftover], say: Callable[[str], None]) -> int:
    """Remove domains; how many stay."""
    stay = 0
    for leftover in leftovers:
        if reason := leftover.owner.remove(leftover.name):
            stay += 1
            say(f"the domain {leftover.name} stays: {reason}")
        else:
            say(f"swept the domain {leftover}, which a crashed run left behind")
    return stay
