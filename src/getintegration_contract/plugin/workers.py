"""How many processes run the tests: the number that ``-n`` gives, unless another is quicker."""

import argparse
import os
from dataclasses import replace

import pytest

from getintegration_contract.run import Run

#: Seconds that an endpoint takes to answer from which on waiting costs more than starting workers does.
SLOW = 0.03
#: Workers where nobody gives a number: they wait for answers most of the time.
_SEVERAL = 6


def start(session: pytest.Session, run: Run, dist: str) -> bool:
    """Start workers, as xdist does; False where this process is to run the tests.

    Args:
        dist: The value of ``--dist``.
    """
    config, option = session.config, session.config.option
    if may_choose(option, dist):
        if not (count := number(config, run)):
            return False
        run.say(f"{count} workers, since an answer takes {1000 * run.latency:.0f} ms")
        dist, option.tx = "worksteal", ["popen"] * count
    from xdist.dsession import DSession

    option.dist = dist
    if option.depth == "nightly" and option.maxschedchunk is None:
        option.maxschedchunk = 1  # some tests take a hundred times as long as others
    run.settings = replace(run.settings, workers=len(option.tx))
    distributed = DSession(config)
    config.pluginmanager.register(distributed, "dsession")
    if reporter := config.pluginmanager.get_plugin("terminalreporter"):
        reporter.showfspath = False
    distributed.pytest_sessionstart(session)
    return True


def may_choose(option: argparse.Namespace, dist: str) -> bool:
    """Whether the number is chosen here: where there is none, and at the gate by ``-n``, which means load."""
    return dist == "no" or (dist == "load" and bool(option.numprocesses) and option.depth == "gate")


def number(config: pytest.Config, run: Run) -> int:
    """How many workers are quickest; 0 where it is this process alone."""
    option = config.option
    if not config.pluginmanager.hasplugin("xdist") or option.usepdb:
        return 0
    asked: int | None = option.numprocesses
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
