"""Records a run: exchanges arrive with the report of their test, and the controlling process writes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.recording import Recorder, RecordingError
from getintegration_contract.recording.about import Suite
from getintegration_contract.run import Run


class RunRecorder:
    """Writes the recording that the options ask for, as the tests of a run end.

    Attributes:
        complete: The tests that an earlier recording has already.

    Raises:
        pytest.UsageError: It cannot be begun, or cannot be continued.
    """

    def __init__(self, config: pytest.Config, run: Run) -> None:
        option = config.option
        self._run = run
        self._is_asked_for = bool(option.record)
        path = config.invocation_params.dir / (option.record or Path(option.report_dir, "exchanges.har"))
        try:
            self._recorder: Recorder | None = self._begin(path.resolve(), resume=option.resume)
        except RecordingError as error:
            raise pytest.UsageError(f"{'--record' if option.record else '--report-dir'}: {error}") from None

    def _begin(self, path: Path, *, resume: bool) -> Recorder:
        run = self._run
        assert run.state is not None
        how = {name: getattr(run.settings, name) for name in ("seed", "depth", "max_examples")}
        suite = Suite.begun(run.target, run.state, emulator=run.is_emulator, **how)
        earlier = None
        interrupted = recordings.interrupted(path)
        if self._is_asked_for and interrupted and not resume:
            raise RecordingError(
                f"{path} was interrupted: give --resume to continue it, or remove {path}.partial"
            )
        if resume and (interrupted or path.exists()):
            earlier = recordings.read(path)
            suite = suite.continuing(earlier.suite)
            for entry in earlier.tests.values():
                run.ledger.add(entry)
            run.say(f"continues {path}: {len(earlier.tests)} tests are complete")
        self.complete = list(earlier.tests) if earlier else []
        return Recorder(path, run.redactor, suite, earlier=earlier)

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
        if self._recorder is not None:
            with self._giving_up():
                self._recorder.finish(complete=complete)
                if self._is_asked_for:
                    more = "" if complete else "; continue it with --resume"
                    self._run.say(f"recorded in {self._recorder.path}{more}")

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """What cannot be written ends the recording, not the run."""
        try:
            yield
        except RecordingError as error:
            self._run.say(f"nothing more is recorded: {error}")
            self._run.internal_errors.append(str(error))
            self._recorder = None
