"""The controlling process of a run, as pytest sees it."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.plugin import workers
from getintegration_contract.plugin.interrupts import Interrupts
from getintegration_contract.plugin.progress import Progress
from getintegration_contract.plugin.recording import RunRecorder
from getintegration_contract.plugin.worker import Worker
from getintegration_contract.report.repeat import own_command
from getintegration_contract.run import INDETERMINATE_STATUS, INTERNAL_STATUS, UPHELD_STATUS, Run

TestStatus = tuple[str, str, str | tuple[str, Mapping[str, bool]]]


class Controller:
    """The controlling process: prepares the target, gathers entries, gives the verdict."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config = config
        self._asked_workers = workers.hold_back(config.option)
        self.run = run
        self.status = 0
        self.collected = True
        self.document: dict[str, Any] = {}
        self._has_begun = False
        self.recorder: RunRecorder | None = None
        self.interrupts = Interrupts()
        config.pluginmanager.register(self.interrupts, "contract-interrupts")

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Generator[None]:
        self.interrupts.install()
        # botocore would log canonical requests, session token included, where somebody asks pytest for logs.
        logging.getLogger("botocore").setLevel(logging.INFO)
        try:
            _ = self.run.target  # waits for the emulator
        except EnvironmentFault as error:
            pytest.exit(str(error), returncode=INDETERMINATE_STATUS)
        try:
            if self.config.option.verbose >= 0:
                for line in self.run.announce():
                    self.run.say(line)
            self.run.prepare()
        except EnvironmentFault as error:
            self._end_untested(INDETERMINATE_STATUS)
            self.run.say(str(error))
            pytest.exit("nothing was tested", returncode=INDETERMINATE_STATUS)
        option = self.config.option
        if option.depth == "nightly" and getattr(option, "maxschedchunk", 0) is None:
            option.maxschedchunk = 1  # some tests take a hundred times as long as others
        count = workers.number(self.config, self.run, self._asked_workers)
        is_alone = not count and getattr(option, "dist", "no") == "no"
        if is_alone or count:
            self.run.settings = replace(self.run.settings, workers=count or 1)
        if count:
            self.run.say(f"{count} workers, since an answer takes {1000 * self.run.latency:.0f} ms")
        if option.record or option.report_dir:
            self.recorder = RunRecorder(self.config, self.run)
            self.config.pluginmanager.register(self.recorder, "contract-recorder")
        self.progress = Progress(self.config, self.run)
        self.config.pluginmanager.register(self.progress, "contract-progress")
        if is_alone:
            worker = Worker(self.config, self._to_worker(), self.run.contract, self.run.redactor)
            self.config.pluginmanager.register(worker, "contract-worker")
        yield
        self._has_begun = True
        if count:
            workers.start(session, count)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        ended = isinstance(excinfo.value, pytest.exit.Exception)  # by this plugin, which wrote the reports
        if not self._has_begun and not ended:  # else pytest calls pytest_sessionfinish
            self._end_untested(pytest.ExitCode.INTERRUPTED)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["contract"] = self._to_worker()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collected = False
            self.run.internal_errors.append(report.nodeid or report.longreprtext.partition("\n")[0])

    @pytest.hookimpl(tryfirst=True)  # before what writes junit.xml
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "contract", None)
        if entry is not None:
            self.run.ledger.add(entry)
            self.run.redactor.add_signatures(*(f"Signature={each}" for each in report.signatures))
            del report.signatures
            self.run.is_partial |= report.is_partial
        if getattr(report, "endpoint_down", None):
            self.run.ledger.aborted = report.endpoint_down
        elif report.failed and not getattr(report, "violation", False):
            self.run.internal_errors.append(report.nodeid)
        elif report.failed:
            report.longrepr = f"{report.longrepr}\nrepeat: {own_command(self.run, [report.nodeid])}"

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
        is_silent = self.config.option.verbose < 0 or self.progress.bar is not None
        return (status[0], "", "") if is_silent else status

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        written = True
        try:
            yield
        except OSError as error:  # of junit.xml, which pytest writes
            self.run.say(f"not everything could be written: {error}")
            written = False
        self.run.finish()
        self.run.is_partial |= bool(self.progress.left)
        if self.interrupts.came:
            session.exitstatus = pytest.ExitCode.INTERRUPTED
        finished = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if finished or self.run.ledger.aborted or not self.collected:
            session.exitstatus = self.run.exit_status()
        self.status = int(session.exitstatus)
        written &= self._write_reports(self.status)
        if not written and self.status == UPHELD_STATUS:
            self.status = session.exitstatus = INTERNAL_STATUS

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from getintegration_contract.report import terminal

        text = terminal.render(
            self.document,
            colour=bool(terminalreporter.hasmarkup),  # NO_COLOR and FORCE_COLOR are settled in it
            width=terminalreporter._tw.fullwidth,
            quiet=self.config.option.verbose < 0,
            verbose=self.config.option.verbose > 0,
            cut=terminalreporter.isatty,
        )
        terminalreporter.ensure_newline()
        terminalreporter.write_line(text)
        if self.config.option.verbose < 0:
            self.config.option.verbose = -2  # so that pytest adds no line of its own

    def pytest_unconfigure(self) -> None:
        self.run.finish()

    def _to_worker(self) -> dict[str, Any]:
        """What a worker needs, in types that xdist carries; it finds credentials for itself."""
        run = self.run
        assert run.state is not None
        return {
            "state": run.state.to_dict(),
            "endpoint": run.target.endpoint,
            "emulator": run.is_emulator,
            "capabilities": sorted(run.target.capabilities),
            "waived": sorted(run.waived),
            "settings": vars(run.settings),
            "budget": vars(run.budget),
            "records": self.recorder is not None,
            "complete": self.recorder.complete if self.recorder else [],
        }

    def _write_waivers(self, path: Path) -> None:
        count = self.run.write_waivers(path)
        edit = ": fill in why each is accepted, and who answers for it, before it is used" if count else ""
        self.run.say(f"{count} waivers written to {path}{edit}")

    def _end_untested(self, status: int) -> None:
        """The reports and the verdict line of a run that ends before its tests."""
        from getintegration_contract.report import terminal

        self.run.finish()
        self._write_reports(status)
        print(terminal.render(self.document, colour=False, width=200, quiet=True, verbose=False))

    def _write_reports(self, status: int) -> bool:
        """Write all that was asked for; whether that worked."""
        from getintegration_contract import report as reports
        from getintegration_contract.report import document as documents
        from getintegration_contract.report import junit, markdown

        option = self.config.option
        written = True
        document = self.document = documents.make(self.run, status)
        try:
            if option.write_waivers and not self.run.ledger.aborted:
                self._write_waivers(Path(option.write_waivers))
            if option.report_dir:
                reports.write(document, Path(option.report_dir))
            if option.xmlpath and Path(option.xmlpath).exists():
                junit.attach(Path(option.xmlpath), document, self.run.redactor.text)
        except (reports.ReportError, OSError) as error:
            self.run.say(f"not everything could be written: {error}")
            written = False
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(markdown.summary(document))
            except OSError as error:
                self.run.say(f"cannot write GITHUB_STEP_SUMMARY: {error.strerror}")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print("\n".join(markdown.annotations(document)))
        return written
