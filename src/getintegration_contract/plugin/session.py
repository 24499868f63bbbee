"""What a run does beside testing: it records, resumes, keeps its budget, and tells how far it is.

The plugin starts a :class:`Session` in the controlling process and a :class:`Member` in every process
that runs tests; both are plugins of pytest and do the rest by its hooks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.errors import RecordingError
from getintegration_contract.exchange import Exchange
from getintegration_contract.recording import CREATOR, Recorder, model_version, resign
from getintegration_contract.recording.about import Suite
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.target.capabilities import THROTTLING, WRITING
from getintegration_contract.target.target import Target
from getintegration_contract.text import duration

if TYPE_CHECKING:
    from getintegration_contract.run import Run, Settings

#: Seconds between two lines on how far a slow run is.
_EVERY = 10.0
#: About how many requests a test sends, by depth and module, where that is more than one or so.
_ALWAYS = {"test_state": 13.0, "test_isolation": 16.0, "test_throttling": 5.0}
_WEIGHTS = {
    "gate": {"test_concurrency": 65.0, "test_stateful": 63.0, **_ALWAYS},
    "nightly": {"test_concurrency": 1020.0, "test_stateful": 820.0, **_ALWAYS},
}
#: About what share of all requests writes.
_WRITING = 0.15
#: What must be the same for a recording to go on.
_SAME = ("suite_version", "region", "seed", "depth", "max_examples", "emulator")


def add_options(add: Callable[..., None]) -> None:
    """The options of recording and of the budget."""
    add("--rate", type=float, metavar="N", help="requests a second, all workers together (AWS: 5)")
    add("--max-requests", type=int, metavar="N", help="requests of the run at most, all workers together")
    add("--record", metavar="FILE.har", help="keep every exchange, redacted, as HAR 1.2")
    add("--resume", action="store_true", help="go on with a recording that was interrupted")


class Session:
    """The controlling process' part: begins the recording and ends it, and tells how far the run is.

    Raises:
        pytest.UsageError: The recording cannot be begun, or cannot be resumed.
    """

    def __init__(self, config: pytest.Config, run: Run, say: Callable[[str], None]) -> None:
        self._run = run
        self._say = say
        self._recorder: Recorder | None = None
        self._complete: list[str] = []
        self._finished = False
        self._session: pytest.Session | None = None
        self._asked = bool(config.option.record)
        self._total = self._done = 0.0
        self._quiet = config.option.verbose < 0
        self._clock = self._told = time.monotonic()
        option = config.option
        if option.record or option.report_dir:
            kept = option.record or Path(option.report_dir, "exchanges.har")
            path = (config.invocation_params.dir / kept).resolve()
            try:
                if not option.record:
                    recordings.discard(path)  # nobody asked for the earlier run's to be kept
                self._recorder = self._begin(path, option.resume)
            except RecordingError as error:
                name = "--record" if option.record else "--report-dir"
                raise pytest.UsageError(f"{name}: {error}") from None
        config.pluginmanager.register(self, "contract-session")

    def to_worker(self) -> dict[str, Any]:
        """What a member needs, in types that xdist carries."""
        budget = self._run.budget
        return {
            "budget": budget and [str(budget.path), budget.rate, budget.limit, budget.write_rate],
            "record": str(self._recorder.path) if self._recorder else None,
            "session": self._recorder.session if self._recorder else None,
            "complete": self._complete,
        }

    def _begin(self, path: Path, resume: bool) -> Recorder:
        suite = self._suite()
        interrupted = recordings.interrupted(path)
        if interrupted and not resume:
            raise RecordingError(
                f"{path} was interrupted: give --resume to go on with it, or remove {path}.parts"
            )
        resume = resume and (interrupted or path.exists())
        if resume:
            with recordings.read(path) as earlier:
                self._check(suite, earlier.suite, path)
                self._restore(earlier.tests, path)
            self._say(f"goes on with {path}: {len(self._complete)} tests are complete")
        return Recorder(path, self._run.redactor, suite, worker="controller", resume=resume)

    def _suite(self) -> Suite:
        run = self._run
        assert run.state is not None
        return Suite(
            version(CREATOR),
            model_version(),
            run.target.endpoint,
            run.target.region,
            datetime.now(UTC).isoformat(timespec="seconds"),
            run.settings.seed,
            run.settings.depth,
            (run.state.to_dict(),),
            max_examples=run.settings.max_examples,
            emulator=run.is_emulator,
        )

    @staticmethod
    def _check(now: Suite, then: Suite, path: Path) -> None:
        """Whether a run would go on as the recording began."""
        names = _SAME if now.emulator else (*_SAME, "endpoint")
        for name in names:
            made, wanted = getattr(then, name), getattr(now, name)
            if made != wanted:
                told = f"its {name.replace('_', ' ')} is {made}, that of this run {wanted}"
                raise RecordingError(f"{path} cannot be resumed: {told}")

    def _restore(self, tests: dict[str, dict[str, Any]], path: Path) -> None:
        """Take the complete tests into the ledger, as if they had just ended."""
        try:
            for test, entry in tests.items():
                self._run.ledger.add(entry)
                self._complete.append(test)
        except (LookupError, TypeError, AttributeError, ValueError):
            raise RecordingError(f"{path} cannot be resumed: its tests are told wrongly") from None

    # --- Hooks ----------------------------------------------------------------------------------------------

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._announce(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        if not self._total:
            self._announce(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "contract", None)
        if entry is None or self._run.target.rate is None:
            return
        self._done += _weight(report.nodeid, self._run.settings, self._run.target)
        now = time.monotonic()
        if now - self._told >= _EVERY and self._done < self._total:
            self._told = now
            left = (now - self._clock) / self._done * (self._total - self._done)
            self._say(f"about {self._done:.0f} of {self._total:.0f} requests, about {duration(left)} left")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        nothing_left = session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and bool(self._complete)
        if nothing_left:
            session.exitstatus = pytest.ExitCode.OK
        ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        self._finished = ended and not session.shouldstop
        self._session = session

    def pytest_unconfigure(self) -> None:
        """All workers have ended: their parts become one file."""
        if self._recorder is None:
            return
        self._recorder.close()
        try:
            recordings.merge(self._recorder.path, complete=self._finished)
        except RecordingError as error:
            self._say(str(error))
            if self._session is not None and self._session.exitstatus == pytest.ExitCode.OK:
                self._session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        else:
            more = "" if self._finished else "; go on with --resume"
            if self._asked:
                self._say(f"recorded in {self._recorder.path}{more}")

    def _announce(self, ids: Iterable[str]) -> None:
        """How many requests there will be, and how long they take where there is a rate."""
        target, settings = self._run.target, self._run.settings
        self._total = sum(_weight(identifier, settings, target) for identifier in ids)
        self._clock = self._told = time.monotonic()
        if self._quiet:
            return
        total, limit = self._total, target.max_requests
        told = f"about {total:.0f} requests"
        if limit is not None and limit < total:
            total = limit
            told += f", of which the limit lets {limit} through"
        if target.rate:
            seconds = total / target.rate
            pace = f"{target.rate:g} a second"
            if target.write_rate and WRITING in target.claims:
                seconds += _WRITING * total * (1 / target.write_rate - 1 / target.rate)
                pace += f", {target.write_rate:g} of those that write"
            self._say(f"{told}, at {pace}, so about {duration(seconds)}")
        else:
            self._say(f"{told}, as fast as they are answered")


class Member:
    """A testing process' part: records its exchanges, and keeps to the budget.

    Args:
        given: What the session gave.
        worker: The worker: its target, redactor, contract and the entry under way.
    """

    def __init__(self, config: pytest.Config, given: dict[str, Any], worker: Any) -> None:
        self._worker = worker
        self._complete = frozenset(given["complete"])
        self._clauses: tuple[str, ...] = ()
        self._bursts = self._broken = False
        self._budget: Budget | None = None
        if given["budget"]:
            path, *limits = given["budget"]
            self._budget = Budget(Path(path), *limits)
        self._recorder: Recorder | None = None
        if given["record"]:
            name = getattr(config, "workerinput", {}).get("workerid", "main")
            self._recorder = Recorder(
                Path(given["record"]), worker.redactor, None, worker=name, session=given["session"]
            )
            self._signer = Client(worker.target.endpoint, worker.target.region)
        config.pluginmanager.register(self, "contract-member")

    def acquire(self, limited: bool, writing: bool) -> None:
        """Wait for the budget; where a burst is what is tested, and so asked for, only the limit holds."""
        if self._budget is not None:
            budget = replace(self._budget, rate=None) if self._bursts else self._budget
            budget.acquire(limited, writing)

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange of the test under way, and record it."""
        if self._worker.entry is None:
            return
        self._worker.entry.observe(exchange)
        identity = self._worker.target.identities.get(exchange.identity)
        if identity is not None and identity.refreshable is not None:
            self._worker.redactor.add(*identity.secrets)
        if self._recorder is None:
            return
        self._recorder.write(
            exchange,
            test=self._worker.entry.test,
            clauses=self._clauses,
            signing=resign.describe(self._signer, identity, exchange),
        )

    # --- Hooks ----------------------------------------------------------------------------------------------

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what the recording has already."""
        left = [item for item in items if item.nodeid not in self._complete]
        if len(left) < len(items):
            config.hook.pytest_deselected(items=[item for item in items if item.nodeid in self._complete])
            items[:] = left

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._clauses = tuple(clause for mark in item.iter_markers("clauses") for clause in mark.args)
        known = self._worker.contract.clauses
        self._bursts = any(known[name].claim == THROTTLING for name in self._clauses if name in known)
        self._broken = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that a test ended, unless the environment or the suite itself broke it off."""
        if self._recorder is None:
            return
        violated = getattr(report, "violation", False)
        self._broken |= bool(getattr(report, "endpoint_down", None)) or (report.failed and not violated)
        entry = getattr(report, "contract", None)
        if entry is not None and not self._broken:
            self._recorder.done(entry)

    def pytest_unconfigure(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
            self._signer.close()


def _weight(identifier: str, settings: Settings, target: Target) -> float:
    """About how many requests a test sends."""
    module = identifier.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    if "::test_fuzz[" in identifier:
        return settings.max_examples / settings.shards
    if module in ("test_isolation", "test_state", "test_stateful") and WRITING not in target.claims:
        return 0.0
    if module == "test_concurrency" and target.rate:
        return 25.0
    return _WEIGHTS[settings.depth].get(module, 1.1)
