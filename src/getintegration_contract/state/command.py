"""``getintegration-contract sweep``: removes the domains that crashed runs left behind, now."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.operations import list_domains
from getintegration_contract.redact import Redactor
from getintegration_contract.sending.client import Client
from getintegration_contract.state import leftovers, preflight
from getintegration_contract.target.target import Target, resolve

_SWEPT, _INTERRUPTED, _WRONG_USE, _INDETERMINATE = 0, 2, 4, 6


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_WRONG_USE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = _Parser(prog="getintegration-contract sweep", description=__doc__, allow_abbrev=False)
    for name in ("--endpoint-url", "--target", "--region", "--profile"):
        parser.add_argument(name, help="as of run")
    parser.add_argument("--allow-writes", action="store_const", const=True, help="sweep on AWS too")
    parser.add_argument("--older-than", type=float, default=0.0, metavar="HOURS", help="leave younger ones")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 if nothing is left, else 6, and 4 for wrong use."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        target = resolve({name.replace("_", "-"): value for name, value in vars(options).items()}, os.environ)
        if target is None:
            raise UsageError("there is nothing to sweep: give --endpoint-url or --target")
        if target.is_aws and not target.allow_writes:
            raise UsageError("sweeping on AWS needs --allow-writes")
        return _INDETERMINATE if _sweep(target, options.older_than * 3600) else _SWEPT
    except (UsageError, EnvironmentFault) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return _WRONG_USE if isinstance(error, UsageError) else _INDETERMINATE
    except KeyboardInterrupt:
        return _INTERRUPTED


def _sweep(target: Target, least: float) -> int:
    """Remove what is older; how many stay."""
    redactor = Redactor(target.secrets)
    owners = [target.caller, *filter(None, [target.identities.get("other-account")])]
    client = Client(target.endpoint, target.region, timeout=target.request_timeout)
    try:
        listed = client.send(list_domains(), target.caller)
        preflight.check(client, listed)
        if listed.response.status != 200:
            raise EnvironmentFault(f"{target.endpoint} lists no domains: {preflight.said(listed)}")
        found = [each for each in leftovers.find(client, owners) if not least or (each.age or 0.0) >= least]
        stay = leftovers.remove(client, found, lambda line: print(redactor.text(line)))
        if not found:
            print(f"{target.endpoint} holds no domains of runs")
    except EnvironmentFault as error:
        raise EnvironmentFault(redactor.text(str(error))) from None
    finally:
        client.close()
    return stay
