"""Records a run: exchanges arrive with the report of their test, and the controlling process writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.recording import Recorder, Recording, RecordingError
from getintegration_contract.recording.about import Suite
from getintegration_contract.run import Run

#: What must be the same for a recording to be continued.
_SAME = ("suite_version", "region", "seed", "depth", "max_examples", "emulator")


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
        self.complete: list[str] = []
        self._run = run
        self._is_asked_for = is_asked_for
        self._finished = False
        self._broken_off: set[str] = set()
        self._session: pytest.Session | None = None
        suite = _suite(run)
        interrupted = recordings.interrupted(path)
        if is_asked_for and interrupted and not resume:
            raise RecordingError(
                f"{path} was interrupted: give --resume to continue it, or remove {path}.partial"
            )
        earlier = None
        if resume and (interrupted or path.exists()):
            earlier = recordings.read(path)
            check_same(suite, earlier)
            self._restore(earlier)
            run.say(f"continues {path}: {len(self.complete)} tests are complete")
            suite = suite.continuing(earlier.suite)
        self._recorder: Recorder | None = Recorder(path, run.redactor, suite, earlier=earlier)

    def _restore(self, earlier: Recording) -> None:
        """Add the complete tests to the ledger, as if they had just ended."""
        try:
            for test, entry in earlier.tests.items():
                self._run.ledger.add(entry)
                self.complete.append(test)
        except (LookupError, TypeError, AttributeError, ValueError):
            raise RecordingError(f"{earlier.path} cannot be continued: its tests are malformed") from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write what a test sent, and that it ended, unless the environment or the suite broke it off."""
        lines = report.__dict__.pop("exchanges", ())
        if report.failed and not getattr(report, "violation", False):
            self._broken_off.add(report.nodeid)
        entry = getattr(report, "contract", None)
        if self._recorder is None or entry is None:
            return
        try:
            self._recorder.add(lines, None if report.nodeid in self._broken_off else entry)
        except RecordingError as error:
            self._give_up(error)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.complete:
            session.exitstatus = pytest.ExitCode.OK  # nothing was left to do
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        self._finished = ended and not session.shouldstop
        self._session = session

    def pytest_unconfigure(self) -> None:
        if self._recorder is None:
            return
        try:
            # What one worker sent another's server may have echoed, long before this process knew.
            redactor = self._run.redactor if self._run.settings.workers > 1 else None
            self._recorder.finish(complete=self._finished, redactor=redactor)
        except RecordingError as error:
            self._give_up(error)
            if self._session is not None and self._session.exitstatus == pytest.ExitCode.OK:
                self._session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        else:
            more = "" if self._finished else "; continue it with --resume"
            if self._is_asked_for:
                self._run.say(f"recorded in {self._recorder.path}{more}")

    def _give_up(self, error: RecordingError) -> None:
        self._run.say(f"nothing more is recorded: {error}")
        self._run.internal_errors.append(str(error))
        self._recorder = None


def check_same(now: Suite, earlier: Recording) -> None:
    """Make sure that a run would go on as the recording began.

    Raises:
        RecordingError: It would not.
    """
    for name in _SAME if now.emulator else (*_SAME, "endpoint"):
        recorded, wanted = getattr(earlier.suite, name), getattr(now, name)
        if recorded != wanted:
            difference = f"its {name.replace('_', ' ')} is {recorded}, that of this run {wanted}"
            raise RecordingError(f"{earlier.path} cannot be continued: {difference}")


def _suite(run: Run) -> Suite:
    assert run.state is not None
    target, settings, state = run.target, run.settings, run.state.to_dict()
    more = {"max_examples": settings.max_examples, "emulator": run.is_emulator}
    return Suite.begun(target.endpoint, target.region, settings.seed, settings.depth, state, **more)
