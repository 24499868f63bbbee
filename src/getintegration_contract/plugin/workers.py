"""How many processes run the tests: the number that ``-n`` gives, unless another is quicker."""

from __future__ import annotations

import argparse
import os

import pytest

from getintegration_contract.run import Run

#: Seconds that an endpoint takes to answer from which on waiting costs more than starting workers does.
SLOW = 0.03
#: Workers where nobody gives a number: they wait for answers most of the time.
_SEVERAL = 6


def hold_back(option: argparse.Namespace) -> int | None:
    """The number that ``-n`` gives; at gate depth xdist waits until the endpoint's latency is known.

    A ``--dist`` other than ``load``, which is what ``-n`` stands for, is left to xdist.
    """
    asked: int | None = getattr(option, "numprocesses", None)
    if asked and option.dist == "load" and option.depth == "gate":
        option.dist, option.tx = "no", []
    return asked


def number(config: pytest.Config, run: Run, asked: int | None) -> int:
    """How many workers to start now; 0 where this process runs the tests, or xdist starts workers itself."""
    option = config.option
    if not config.pluginmanager.hasplugin("xdist") or option.dist != "no" or option.usepdb:
        return 0
    slow = run.latency >= SLOW and not run.is_emulator  # if that is late, the machine is busy
    if asked is None:
        chosen = option.keyword or option.markexpr or any("::" in argument for argument in config.args)
        return _SEVERAL if slow and run.target.rate is None and not (chosen or _is_busy()) else 0
    if asked > 1 and not slow:
        run.say(f"-n {asked} is left aside: at gate depth one process is quicker, since answers come at once")
    return asked if slow else 0


def _is_busy() -> bool:
    """Whether answers may be late for want of processors, which more workers would make worse."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1)


def start(session: pytest.Session, count: int) -> None:
    """Start workers, as xdist does where ``-n`` says so."""
    from xdist.dsession import DSession

    config = session.config
    config.option.dist, config.option.tx = "worksteal", ["popen"] * count
    distributed = DSession(config)
    config.pluginmanager.register(distributed, "dsession")
    if reporter := config.pluginmanager.get_plugin("terminalreporter"):
        reporter.showfspath = False
    distributed.pytest_sessionstart(session)
