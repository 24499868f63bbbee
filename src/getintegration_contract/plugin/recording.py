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


def start(config: pytest.Config, run: Run) -> RunRecorder | None:
    """Begin the recording that the options ask for, or continue one; None if they ask for none.

    Raises:
        pytest.UsageError: It cannot be begun, or cannot be continued.
    """
    option = config.option
    if not (option.record or option.report_dir):
        return None
    path = config.invocation_params.dir / (option.record or Path(option.report_dir, "exchanges.har"))
    try:
        recorder = RunRecorder(path.resolve(), run, is_asked_for=bool(option.record), resume=option.resume)
    except RecordingError as error:
        name = "--record" if option.record else "--report-dir"
        raise pytest.UsageError(f"{name}: {error}") from None
    config.pluginmanager.register(recorder, "contract-recorder")
    return recorder


class RunRecorder:
    """Writes the recording of a run, as its tests end.

    Attributes:
        complete: The tests that an earlier recording has already.
    """

    def __init__(self, path: Path, run: Run, *, is_asked_for: bool, resume: bool) -> None:
        assert run.state is not None
        how = {name: getattr(run.settings, name) for name in ("seed", "depth", "max_examples")}
        suite = Suite.begun(run.target, run.state, emulator=run.is_emulator, **how)
        earlier = None
        interrupted = recordings.interrupted(path)
        if is_asked_for and interrupted and not resume:
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
        self._run = run
        self._is_asked_for = is_asked_for
        self._recorder: Recorder | None = Recorder(path, run.redactor, suite, earlier=earlier)

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
