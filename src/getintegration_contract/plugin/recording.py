"""Records a run: exchanges arrive with the report of their test, and the controlling process writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.errors import UsageError
from getintegration_contract.recording import Recorder, Recording, Suite
from getintegration_contract.run import Run


class RunRecorder:
    """Writes the recording that the options ask for, as the tests of a run end.

    Attributes:
        complete: The tests that an earlier recording has already.

    Raises:
        UsageError: It cannot be begun, or cannot be continued.
    """

    def __init__(self, config: pytest.Config, run: Run) -> None:
        option = config.option
        self._run = run
        self._recorder: Recorder | None = None
        self._is_asked_for = bool(option.record)
        given = config.invocation_params.dir / (option.record or Path(option.report_dir, "exchanges.har"))
        self._path = given.resolve()
        self._earlier: Recording | None = None
        interrupted = self._is_asked_for and recordings.interrupted(self._path)
        try:
            if interrupted and not option.resume:
                way = f"give --resume to continue it, or remove {self._path}.partial"
                raise UsageError(f"{self._path} was interrupted: {way}")
            if option.resume and (interrupted or self._path.exists()):
                self._earlier = recordings.read(self._path)
                self._suite()
        except UsageError as error:
            raise UsageError(f"--record: {error}") from None
        self.complete = list(self._earlier.tests) if self._earlier else []

    def _suite(self) -> Suite:
        """What the recording is about, all states that it was made with included."""
        run = self._run
        how = {"seed": run.settings.seed, "max_examples": run.settings.max_examples}
        suite = Suite.begun(run.target, run.state, emulator=run.is_emulator, depth=run.target.depth, **how)
        return suite.continuing(self._earlier.suite) if self._earlier else suite

    def begin(self) -> None:
        """Begin to write, with what an earlier recording has."""
        run, suite = self._run, self._suite()
        with self._giving_up():
            self._recorder = Recorder(self._path, run.redactor, suite, earlier=self._earlier)
        if self._earlier:
            for entry in self._earlier.tests.values():
                run.ledger.add(entry)
            run.say(f"continues {self._path}: {len(self.complete)} tests are complete")
            self._earlier = None  # it may be large

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write what a test sent, and that it ended, unless the environment or the suite broke it off."""
        lines = report.__dict__.pop("exchanges", ())
        if self._recorder is not None and hasattr(report, "contract"):
            with self._giving_up():
                self._recorder.add(lines, None if report.is_broken_off else report.contract)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.complete:
            session.exitstatus = pytest.ExitCode.OK  # nothing was left to do
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        complete = ended and not session.shouldstop
        alone = session.config.pluginmanager.has_plugin("contract-worker")
        if self._recorder is not None:
            with self._giving_up():
                self._recorder.finish(complete=complete, alone=alone)
                if self._is_asked_for:
                    more = "" if complete else "; continue it with --resume"
                    self._run.say(f"recorded in {self._path}{more}")

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What cannot be written ends the recording, not the run."""
        try:
            yield
        except UsageError as error:
            self._run.say(f"nothing more is recorded: {error}")
            self._run.internal_errors.append(str(error))
            self._recorder = None
