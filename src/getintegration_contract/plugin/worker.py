"""A process that runs tests, as pytest sees it."""

import gc
from collections.abc import Generator
from dataclasses import replace
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import pytest

from getintegration_contract import paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.checker import Checker, ContractViolation
from getintegration_contract.judging.judge import Check, Judge
from getintegration_contract.judging.ledger import STRAY_FAULTS, Entry, Ledger
from getintegration_contract.operations import get_integration
from getintegration_contract.plugin.options import target_of
from getintegration_contract.recording import har
from getintegration_contract.redact import SHOWN, Redactor
from getintegration_contract.report import junit
from getintegration_contract.run import Settings
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.faults import UNREACHABLE
from getintegration_contract.state.state import State
from getintegration_contract.target.target import THROTTLING, Target

Kind = TypeVar("Kind", bound=BaseException)


class Assignment(NamedTuple):
    """What a process that runs tests has to know of the run.

    Attributes:
        target: The target; credentials that it lacks the process finds for itself.
        complete: The tests that the recording has already; None where nothing is recorded.
    """

    target: Target
    state: State
    settings: Settings
    budget: Budget
    waived: frozenset[str]
    complete: list[str] | None


class Worker:
    """A process that runs tests: one client, one judge, an entry for each test.

    Attributes:
        check: Judges the test under way.
    """

    def __init__(
        self, config: pytest.Config, given: Assignment, contract: Contract, redactor: Redactor | None = None
    ) -> None:
        self._given = given
        self.contract, self.settings, self.state = contract, given.settings, given.state
        self.target = given.target
        if not self.target.identities:
            self.target = replace(self.target, identities=target_of(config).identities)
        self.judge = Judge(contract)
        self.redactor = redactor or Redactor(self.target.secrets, accounts=config.option.redact_accounts)
        strict, claimed = self.settings.strict, self.target.capabilities
        # Tests fail as the run does.
        gates = Ledger(contract, claimed, strict=strict, waived=given.waived).gates
        self._is_partial = False
        self.client = self.target.client(acquire=self._acquire, observe=self._observe)
        self.client.control = get_integration(self.state.domain, self.state.uri), self.target.caller
        config.add_cleanup(self.client.close)
        self.check = Checker(self.judge, Entry(""), self.redactor, gates)
        self._begin(self.check.entry)
        config.pluginmanager.register(_fixtures(self))
        config.pluginmanager.register(self, "contract-worker")
        gc.disable()  # until all is imported and collected

    def _acquire(self, limited: bool, writing: bool) -> None:
        """Wait for the budget; where a burst is what is tested, and so asked for, only the limit holds."""
        capabilities = {self.contract.clauses[clause].capability for clause in self.check.clauses}
        budget = self._given.budget
        if THROTTLING in capabilities:
            budget = replace(budget, rate=None)
        budget.acquire(limited, writing)

    def _observe(self, exchange: Exchange) -> None:
        """Count an exchange of the test under way, and keep it for the recording."""
        self.check.entry.observe(exchange)
        if exchange.response.error_type == "ThrottlingException":
            self.check.throttled(exchange)
        self._beside["signatures"] += self.redactor.learn(exchange.request)
        identity = self.target.identities.get(exchange.identity or "")
        if identity is not None and identity.refreshable is not None:
            self.redactor.add(*identity.secrets)
        if self._given.complete is not None:
            signing = har.describe_signing(exchange, identity, self.target.region)
            recorded = har.Recorded(exchange, self.check.entry.test, self.check.clauses, signing)
            self._beside["exchanges"].append(recorded)

    def _begin(self, entry: Entry, clauses: tuple[str, ...] = ()) -> None:
        self.check.entry, self.check.clauses = entry, clauses
        #: What travels beside the entry: a test is broken off if the environment or the suite ended it.
        self._beside: dict[str, Any] = {"exchanges": [], "signatures": [], "is_broken_off": False}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None]:
        """Leave out the tests that the recording has already; note whether anybody leaves out any other."""
        whole = {item.path for item in items} >= set(paths.suite().glob("test_*.py"))
        chosen = any("::" in argument for argument in config.args)
        if self._given.complete:
            done = set(self._given.complete)
            config.hook.pytest_deselected(items=[item for item in items if item.nodeid in done])
            items[:] = [item for item in items if item.nodeid not in done]
        left = len(items)
        yield
        self._is_partial = chosen or not whole or len(items) < left
        gc.freeze()  # what stays need not be looked at in each collection of garbage
        gc.enable()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        phase, crowded = item.path.stem.removeprefix("test_"), item.get_closest_marker("crowded") is not None
        ids = tuple(clause for mark in item.iter_markers("clauses") for clause in mark.args)
        self._begin(Entry(item.nodeid, phase, crowded), ids)
        if unknown := [clause for clause in ids if clause not in self.contract.clauses]:
            pytest.fail(f"names the clause {unknown[0]}, which does not exist", pytrace=False)
        wanted = {self.contract.clauses[clause].capability for clause in ids}
        if ids and None not in wanted and not wanted & self.target.capabilities:
            pytest.skip(f"the target does not claim {', '.join(sorted(filter(None, wanted)))}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        try:
            self.check.raise_if_violated()
        except ContractViolation:
            try:
                self.client.check_environment()
            except EnvironmentFault:  # which accuses the target of nothing
                self.check.entry.findings.clear()
                raise
            raise
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, pytest.skip.Exception):
            self.check.not_exercised(self.redactor.text(str(error.msg)))
        violation = _only(error, ContractViolation)
        if violation is not None:
            vars(report).update(violation=True)
            report.longrepr = junit.failure(violation.findings)
        elif report.failed:
            self._beside["is_broken_off"] = True
            # A traceback, its locals and what was printed may hold secrets.
            report.longrepr = self.redactor.text(report.longreprtext)
        elif isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, self.redactor.text(reason))
        if expected := getattr(report, "wasxfail", None):
            report.wasxfail = self.redactor.text(expected)
        report.sections = [(name, self.redactor.text(text)) for name, text in report.sections]
        if (error := _only(error, EnvironmentFault)) is not None:
            reason = f"{self.redactor.text(str(error))} ({item.nodeid})"
            vars(report).update(endpoint_down=reason)
            report.longrepr, item.session.shouldstop = reason, "the environment got in the way"
            self.check.entry.indeterminate.update(dict.fromkeys(self.check.clauses, reason))
        if call.when == "teardown":
            vars(report).update(self._end())
        return report

    def _end(self) -> dict[str, Any]:
        """What the test under way found, as it travels with its last report."""
        entry, beside = self.check.entry, self._beside
        for fault, exchange in self.client.faults:
            entry.faults[fault] += 1
            if fault not in ("429", UNREACHABLE):
                shown = self.redactor.exchange(exchange.to_dict(), SHOWN)
                entry.record(Check(STRAY_FAULTS, False), shown, exchange.size)
        self.client.faults.clear()
        # All at once, when all signatures are known; one by one they take longer.
        beside["exchanges"] = [har.line(recorded, self.redactor) for recorded in beside["exchanges"]]
        self._begin(Entry(""))
        return {"contract": entry.to_dict(), "is_partial": self._is_partial, **beside}


def _fixtures(worker: Worker) -> ModuleType:
    """A plugin of the fixtures that every scenario may use, which belong to one worker.

    They depend on none, since pytest walks through what a fixture depends on for each test anew.
    """
    plugin = ModuleType("contract-fixtures")  # pytest takes fixtures that are no methods from modules alone
    for name, give, meaning in (
        ("worker", lambda: worker, "This process: its target, client, contract and seed."),
        ("target", lambda: worker.target, "The target under test."),
        ("state", lambda: worker.state, "What exists on the target."),
        ("client", lambda: worker.client, "Sends requests, kept-alive, one for the worker."),
        ("caller", lambda: worker.target.caller, "The identity that may read the integration."),
        ("check", lambda: worker.check, "Judges exchanges; what gates fails the test at its end."),
    ):
        give.__doc__ = meaning
        vars(plugin)[name] = pytest.fixture(give, scope="session", name=name)
    return plugin


def _only(error: BaseException | None, kind: type[Kind]) -> Kind | None:
    """An exception of that kind, also where Hypothesis grouped several, if all are."""
    if isinstance(error, BaseExceptionGroup):
        found = [_only(inner, kind) for inner in error.exceptions]
        return found[0] if found and all(found) else None
    return error if isinstance(error, kind) else None
