"""One run of the suite against one mutant: forked off a process in which everything is imported already.

Start-up is most of what a run costs, and a fork has none. The proxy runs in a process of its own, as a
server would, so that it does not share an interpreter lock with the suite.
"""

import gc
import io
import json
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from .bases import ROOT, STOCK, BaseServer
from .kit import Mutant
from .proxy import Proxy

FORKS = multiprocessing.get_context("fork")

#: Seconds after which a run is ended.
LIMIT = 240.0

#: Pseudo exit statuses of a run that did not end by itself, or left no report.
TIMED_OUT, CRASHED = -1, -2

#: How pytest is told to run.
QUIETLY = ("-q", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_VARIABLES = ("PYTEST_ADDOPTS", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")


@dataclass
class Outcome:
    """What a run of the suite against a mutant gave.

    Attributes:
        paired: Whether it has a habit, too.
        violated: Gating clauses that were found violated, each with the first test that shows it.
        changed: Answers that were not the base's own; of a pair, those that show both fault and habit.
        faults: Answers that the mutant's own code failed to make.
        output: The end of what pytest said, of a run that gave no verdict.
    """

    name: str
    base: str
    expected: frozenset[str]
    paired: bool
    status: int
    seconds: float = 0.0
    requests: int = 0
    violated: dict[str, str] = field(default_factory=dict)
    changed: int = 0
    faults: int = 0
    output: str = ""

    @property
    def caught_by(self) -> list[str]:
        """The expected clauses that were found violated."""
        return [clause for clause in self.violated if clause in self.expected]

    @property
    def caught(self) -> bool:
        """Whether the run failed, and for a right reason."""
        return self.status == 1 and bool(self.caught_by)

    @property
    def right(self) -> bool:
        """Whether a mutant was caught, or a lawful variant passed; of a pair both must have shown."""
        due = self.caught if self.expected else self.status == 0
        return due and not self.faults and not (self.paired and not self.changed)


def run(mutant: Mutant, base: BaseServer, *, fast: bool, without: Sequence[str] = ()) -> Outcome:
    """Run the suite against a mutant.

    Args:
        mutant: What the proxy does.
        base: The server behind it, used by no other run meanwhile.
        fast: Whether the run ends as soon as the mutant is caught.
        without: Files of the suite, with ``*`` and ``?``, that are left out.
    """
    base.empty()
    if mutant.stocked:
        base.stock(*STOCK)
    started = time.monotonic()
    with TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        pipe, there = FORKS.Pipe()
        proxy = fork(lambda: _serve(mutant, base.url, there), folder)
        there.close()
        left_out = [f"--ignore-glob=*/{glob}" for glob in without]
        plugins = [_StopWhenCaught(mutant.expected)] if fast and mutant.expected else []
        options = ("tests/contract", "--report-dir", name, *left_out)
        status = judged(mutant, pipe.recv(), folder, *options, plugins=plugins)
        seconds = time.monotonic() - started
        pipe.send("over")
        changed, faults = pipe.recv()
        proxy.join()
        written, output = folder / "report.json", (folder / "output").read_text("utf-8", "replace")
        report = json.loads(written.read_text("utf-8")) if written.exists() else None
    if report is None and status in (0, 1):
        status = CRASHED
    outcome = Outcome(mutant.name, base.name, mutant.expected, mutant.habit is not None, status, seconds)
    outcome.changed, outcome.faults = changed, faults
    if report is not None:
        outcome.requests = report["run"]["requests"]
        gating = (found for found in report["findings"] if found["gating"])
        outcome.violated = {found["clause"]: (*found["places"], "")[0] for found in gating}
    if outcome.status not in (0, 1) or outcome.faults:
        outcome.output = output[-3000:]
    return outcome


def judged(mutant: Mutant, url: str, folder: Path, *options: str, plugins: Sequence[object] = ()) -> int:
    """Run tests of the suite against a server that is this mutant; returns as :func:`ended` does."""
    target = folder / "target.toml"
    target.write_text(target_file(mutant), encoding="utf-8")
    given = ["--endpoint-url", url, "--target", str(target), *mutant.options]
    return ended(fork(lambda: int(pytest.main([*options, *QUIETLY, *given], plugins)), folder))


def preload() -> bool:
    """Run the suite once against the shipped emulator, here, so that forked runs find all of it in memory.

    Returns:
        Whether the run passed, as it must.
    """
    os.chdir(ROOT)
    sys.dont_write_bytecode = False
    for variable in _VARIABLES:
        os.environ.pop(variable, None)
    output = io.StringIO()
    folder = TemporaryDirectory(prefix="mutant-")
    with folder, redirect_stdout(output), redirect_stderr(output):
        passed = pytest.main(["tests/contract", *QUIETLY, "--report-dir", folder.name]) == 0
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the suite has its own way to end
    if not passed:
        print(f"{output.getvalue()[-3000:]}\nthe suite does not pass against the shipped emulator")
    gc.collect()
    gc.freeze()
    return passed


def _serve(mutant: Mutant, base: str, there: Connection) -> int:
    """Be the proxy of a run, until it is over; says its address, and then what passed through."""
    proxy = Proxy(base, mutant.handler, continues=mutant.continues, habit=mutant.habit)
    there.send(proxy.url)
    with suppress(EOFError):  # where nobody is left who waits
        there.recv()
        there.send((proxy.changed, proxy.faults))
    return 0


class _StopWhenCaught:
    """Ends a run after the first test that finds an expected clause violated."""

    def __init__(self, expected: frozenset[str]) -> None:
        self._expected = expected
        self._session: Any = None

    def pytest_sessionstart(self, session: Any) -> None:
        self._session = session

    def pytest_runtest_logreport(self, report: Any) -> None:
        entry = getattr(report, "contract", None) or {"findings": ()}
        if any(found["clause"] in self._expected for found in entry["findings"]):
            self._session.shouldfail = "caught"


def fork(work: Callable[[], int], folder: Path) -> BaseProcess:
    """Do the work in a child, which ends with the number it returns; it prints to the file ``output``."""

    def child() -> None:
        file = os.open(folder / "output", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.exit(work())

    process = FORKS.Process(target=child)
    process.start()
    return process


def ended(process: BaseProcess) -> int:
    """What a child ended with; ``TIMED_OUT`` if it did not end in time, and was killed."""
    process.join(LIMIT)
    status = process.exitcode
    process.kill()
    process.join()
    return TIMED_OUT if status is None else status


def target_file(mutant: Mutant) -> str:
    """A target file with the documented identities and what the mutant needs."""
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in mutant.settings.items()]
    example = (ROOT / "targets" / "emulator.toml").read_text(encoding="utf-8")
    _, *identities = re.split(r"^(?=\[identities)", example, flags=re.M)
    unknown = tuple(f"[identities.{name}]" for name in mutant.without)
    return "".join([*lines, *(each for each in identities if not each.startswith(unknown))])
