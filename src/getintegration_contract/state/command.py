"""``getintegration-contract sweep``: removes the domains that crashed runs left behind, now."""

import argparse
import os
from collections.abc import Callable, Sequence
from contextlib import closing

from getintegration_contract import command
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.operations import list_domains
from getintegration_contract.redact import Redactor
from getintegration_contract.state import leftovers
from getintegration_contract.state.account import Account, said, writers
from getintegration_contract.target.target import Target, resolve


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = command.Parser(prog="getintegration-contract sweep", description=__doc__, allow_abbrev=False)
    for name in ("--endpoint-url", "--target", "--region", "--profile"):
        parser.add_argument(name, help="as of run")
    parser.add_argument("--allow-writes", action="store_const", const=True, help="sweep on AWS too")
    parser.add_argument("--older-than", type=float, default=0.0, metavar="HOURS", help="leave younger ones")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 if nothing is left, else 6, and 4 for wrong use."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    redactor = Redactor()

    def act() -> int:
        target = resolve({name.replace("_", "-"): value for name, value in vars(options).items()}, os.environ)
        if not target.endpoint:
            raise UsageError("there is nothing to sweep: give --endpoint-url or --target")
        if target.is_aws and not target.allow_writes:
            raise UsageError("sweeping on AWS needs --allow-writes")
        redactor.add(*target.secrets)
        stay = _sweep(target, options.older_than * 3600, lambda line: print(redactor.text(line)))
        return command.INDETERMINATE if stay else command.OK

    return command.run(parser.prog, act, redactor)


def _sweep(target: Target, least: float, say: Callable[[str], None]) -> int:
    """Remove what is older; how many stay."""
    with closing(target.client()) as client:
        listed = Account(client, target.caller, insists=True).send(list_domains())
        if listed.response.status != 200:
            raise EnvironmentFault(f"{target.endpoint} lists no domains: {said(listed)}")
        owners = writers(client, target.identities)
        found = [each for each in leftovers.find(owners) if not least or (each.age or 0.0) >= least]
        if not found:
            say(f"{target.endpoint} holds no domains of runs")
        return leftovers.remove(found, say)
