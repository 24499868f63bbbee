"""Domains that crashed runs left behind, and ``getintegration-contract sweep``, which removes them."""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from getintegration_contract import command
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.operations import get_domain, list_domains
from getintegration_contract.redact import Redactor
from getintegration_contract.state.account import Account, said, server_time, writers
from getintegration_contract.state.state import PREFIX
from getintegration_contract.target.target import resolve
from getintegration_contract.text import duration

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


def build_parser() -> command.Parser:
    """The options of the command."""
    about = "Remove the domains that crashed runs left behind, now."
    parser = command.Parser(prog="getintegration-contract sweep", description=about, allow_abbrev=False)
    for name in ("--endpoint-url", "--target", "--region", "--profile"):
        parser.add_argument(name, help="as of run")
    parser.add_argument("--allow-writes", action="store_const", const=True, help="sweep on AWS too")
    parser.add_argument("--older-than", type=float, default=0.0, metavar="HOURS", help="leave younger ones")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 if nothing is left, else 6, and 4 for wrong use."""
    return build_parser().run(arguments, _sweep)


def _sweep(options: argparse.Namespace, redactor: Redactor) -> int:
    target = resolve({name.replace("_", "-"): value for name, value in vars(options).items()}, os.environ)
    if not target.endpoint:
        raise UsageError("there is nothing to sweep: give --endpoint-url or --target")
    if target.is_aws and not target.allow_writes:
        raise UsageError("sweeping on AWS needs --allow-writes")
    redactor.add(*target.secrets)

    def say(line: str) -> None:
        print(redactor.text(line))

    with closing(target.client()) as client:
        listed = Account(client, target.caller, insists=True).send(list_domains())
        if listed.response.status != 200:
            raise EnvironmentFault(f"{target.endpoint} lists no domains: {said(listed)}")
        owners = writers(client, target.identities)
        least = options.older_than * 3600
        found = [each for each in find(owners) if not least or (each.age or 0.0) >= least]
        if not found:
            say(f"{target.endpoint} holds no domains of runs")
        return command.INDETERMINATE if remove(found, say) else command.OK
