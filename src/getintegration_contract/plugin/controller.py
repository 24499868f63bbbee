"""The controlling process of a run, as pytest sees it."""

import logging
import os
import pickle
import sys
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import command
from getintegration_contract.command import Interrupts
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.plugin import options
from getintegration_contract.plugin.progress import Progress
from getintegration_contract.plugin.recording import RunRecorder
from getintegration_contract.plugin.worker import Assignment, Worker
from getintegration_contract.report.document import own_command
from getintegration_contract.run import Run

#: Seconds that an endpoint takes to answer from which on waiting costs more than starting workers does.
SLOW = 0.03
#: Workers where nobody gives a number: they wait for answers most of the time.
_SEVERAL = 6

TestStatus = tuple[str, str, str | tuple[str, Mapping[str, bool]]]


class Controller:
    """Prepares the target, has it tested here or by workers, gathers what they find, gives the verdict.

    Raises:
        UsageError: An option, or a file that it names, is wrong.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.run = options.make_run(config, self.say)
        config.add_cleanup(self.run.finish)
        self.progress = Progress(config, self.run)
        config.pluginmanager.register(self.progress, "contract-progress")
        self.recorder: RunRecorder | None = None
        if config.option.record or config.option.report_dir:
            self.recorder = RunRecorder(config, self.run)
            config.pluginmanager.register(self.recorder, "contract-recorder")
        self.interrupts = Interrupts()
        # xdist starts no workers before the target is ready; without any to start it distributes nothing.
        self._dist = config.option.dist if getattr(config.option, "tx", None) else "no"
        config.option.dist = "no"
        self._collected = True
        self.document: dict[str, Any] = {}

    def say(self, line: str) -> None:
        """Print a line for the user, outside tests."""
        self.progress.erase()
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.ensure_newline()
            reporter.write_line(f"contract: {line}")
        else:
            print(f"contract: {line}", file=sys.stderr)

    def pytest_report_header(self) -> list[str]:
        return [f"contract: {line}" for line in self.run.announce()]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        """Prepare the run; True if nothing is to be collected here."""
        self.interrupts.install()
        # botocore would log canonical requests, session token included, where somebody asks pytest for logs.
        logging.getLogger("botocore").setLevel(logging.INFO)
        try:
            self.run.prepare()
        except EnvironmentFault as error:
            self.run.say(str(error))
            return True
        if self.recorder is not None:
            self.recorder.begin()
        if start_workers(session, self.run, self._dist):
            return True
        Worker(self.config, self._assignment(), self.run.contract, self.run.redactor)
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        given = self._assignment()
        bare = replace(given.target, identities={})  # it finds credentials for itself
        node.workerinput["contract"] = pickle.dumps(given._replace(target=bare))

    def _assignment(self) -> Assignment:
        run, complete = self.run, self.recorder.complete if self.recorder else None
        assert run.state is not None
        return Assignment(run.target, run.state, run.settings, run.budget, run.waived, complete)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._collected = False
            self.run.internal_errors.append(report.nodeid or report.longreprtext.partition("\n")[0])

    @pytest.hookimpl(tryfirst=True)  # before what writes junit.xml
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "contract", None)
        if entry is not None:
            self.run.ledger.add(entry)
            self.run.redactor.add_signatures(*report.signatures)
            del report.signatures
            self.run.is_partial |= report.is_partial
        if getattr(report, "endpoint_down", None):
            self.run.ledger.aborted = report.endpoint_down
        elif getattr(report, "violation", False):
            report.longrepr = f"{report.longrepr}\nrepeat: {own_command(self.run, [report.nodeid])}"
        elif report.failed:
            self.run.internal_errors.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        warning = warning_message.message
        if isinstance(warning, Warning):
            warning.args = (self.run.redactor.text(str(warning)),)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Generator[None, TestStatus, TestStatus]:
        status = yield
        if getattr(report, "endpoint_down", None):
            status = "indeterminate", "I", ("INDETERMINATE", {"yellow": True})
        elif getattr(report, "violation", False):
            status = "violated", "V", ("VIOLATED", {"red": True})
        # With -q the verdict is all that is wanted, and a bar stands in place of letters.
        is_silent = self.config.option.verbose < 0 or self.progress.terminal is not None
        return (status[0], "", "") if is_silent else status

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # A signal may come between two lines, and pytest breaks on a frame that has no line.
        if self.interrupts.came and isinstance(excinfo.value, KeyboardInterrupt):
            excinfo.traceback = excinfo.traceback[-1:]

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        self.interrupts.is_ending = True
        faults: list[Exception] = []
        try:
            yield
        except OSError as error:  # of junit.xml, which pytest writes
            faults.append(error)
        self.run.finish()
        self.run.is_partial |= bool(self.progress.left)
        if self.interrupts.came:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        finished = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if finished or self.run.ledger.aborted or not self._collected:
            session.exitstatus = self.run.exit_status()
        faults += self._write_reports(int(session.exitstatus))
        for fault in faults:
            self.run.say(f"not everything could be written: {fault}")
        if faults and session.exitstatus == command.OK:
            session.exitstatus = command.INTERNAL

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from getintegration_contract.report import terminal

        text = terminal.render(
            self.document,
            colour=bool(terminalreporter.hasmarkup),  # NO_COLOR and FORCE_COLOR are settled in it
            width=terminalreporter._tw.fullwidth,
            quiet=self.config.option.verbose < 0 or self.run.state is None,
            verbose=self.config.option.verbose > 0,
            cut=terminalreporter.isatty,
        )
        terminalreporter.ensure_newline()
        terminalreporter.write_line(text)
        if self.config.option.verbose < 0:
            self.config.option.verbose = -2  # so that pytest adds no line of its own

    def _write_reports(self, status: int) -> list[Exception]:
        """Write all that was asked for; why that did not work, where it did not."""
        from getintegration_contract.report import document as documents
        from getintegration_contract.report import html, junit, markdown

        option, run = self.config.option, self.run
        document = self.document = documents.make(run, status)
        faults: list[Exception] = []
        try:
            if option.write_waivers and not run.ledger.aborted:
                run.write_waivers(Path(option.write_waivers))
            if option.report_dir:
                html.write(document, Path(option.report_dir))
            if option.xmlpath and Path(option.xmlpath).exists():
                junit.attach(Path(option.xmlpath), document, run.redactor.text)
        except (UsageError, OSError) as error:
            faults.append(error)
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(markdown.summary(document))
            except OSError as error:
                run.say(f"cannot write GITHUB_STEP_SUMMARY: {error.strerror}")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print("\n".join(markdown.annotations(document)))
        return faults


def start_workers(session: pytest.Session, run: Run, dist: str) -> bool:
    """Start workers, as xdist does; False where this process is to run the tests.

    Args:
        dist: The value of ``--dist``.
    """
    config, option = session.config, session.config.option
    if (count := number_of_workers(config, run, dist)) == 0:
        return False
    if count is not None:
        run.say(f"{count} workers, since an answer takes {1000 * run.latency:.0f} ms")
        dist, option.tx = "worksteal", ["popen"] * count
    from xdist.dsession import DSession

    option.dist = dist
    if run.target.depth == "nightly" and option.maxschedchunk is None:
        option.maxschedchunk = 1  # some tests take a hundred times as long as others
    run.settings = replace(run.settings, workers=len(option.tx))
    distributed = DSession(config)
    config.pluginmanager.register(distributed, "dsession")
    if reporter := config.pluginmanager.get_plugin("terminalreporter"):
        reporter.showfspath = False
    distributed.pytest_sessionstart(session)
    return True


def number_of_workers(config: pytest.Config, run: Run, dist: str) -> int | None:
    """How many workers are quickest, 0 where it is this process alone; None where the user has chosen.

    The user has not where there is no number, nor at the gate by ``-n``, which means load.
    """
    option = config.option
    if not (dist == "no" or (dist == "load" and option.numprocesses and run.target.depth == "gate")):
        return None
    if not config.pluginmanager.hasplugin("xdist") or option.usepdb:
        return 0
    asked: int | None = option.numprocesses
    slow = run.latency >= SLOW and not run.is_emulator  # if that is late, the machine is busy
    if asked is None:
        chosen = option.keyword or option.markexpr or any("::" in argument for argument in config.args)
        # More workers would make a machine worse that answers late for want of processors.
        is_busy = hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1)
        return _SEVERAL if slow and run.target.rate is None and not (chosen or is_busy) else 0
    if asked > 1 and not slow:
        run.say(f"-n {asked} is left aside: at gate depth one process is quicker, since answers come at once")
    return asked if slow else 0
