"""Where pytest meets the package: options, fixtures, and the hooks that feed the ledger.

The suite proper is ``tests/contract``; nothing here acts on a run of other tests.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from getintegration_contract import session
from getintegration_contract import target as targets
from getintegration_contract.checker import Checker, ContractViolation
from getintegration_contract.client import BudgetExhausted, Client, EndpointDown, Identity
from getintegration_contract.contract import Contract
from getintegration_contract.judge import Judge
from getintegration_contract.ledger import Entry
from getintegration_contract.local import EmulatorError, emulator_identities
from getintegration_contract.redact import Redactor
from getintegration_contract.run import INDETERMINATE_STATUS, Indeterminate, Run, Settings
from getintegration_contract.state import State
from getintegration_contract.target import Target, TargetError
from getintegration_contract.waivers import WaiverError
from getintegration_contract.waivers import read as read_waivers

ROOT = Path(__file__).parent
SUITE = ROOT / "tests" / "contract"
DESCRIPTION = ROOT / "openapi" / "get-integration.yaml"

#: Fuzzed requests, all shards together.
MAX_EXAMPLES = {"gate": 100, "nightly": 5000}

#: Options of a run that the command to repeat one test does without.
_NOT_TO_REPEAT = ("--report-dir", "--write-waivers", "--record", "--resume", "--junitxml", "-n")

_ENTRY = pytest.StashKey[Entry]()
_CHECKER = pytest.StashKey[Checker]()
_RUN = pytest.StashKey[Run]()
_WORKER = pytest.StashKey["Worker"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    target = parser.getgroup("target", "what is tested")
    add = target.addoption
    add("--endpoint-url", metavar="URL", help="endpoint under test; default: the shipped emulator")
    add("--region", metavar="NAME", help="region to sign for (default us-east-1, or what AWS_REGION says)")
    add("--profile", metavar="NAME", help="AWS profile of the caller")
    add("--target", metavar="FILE.toml", help="all about a target in one file; options win over it")
    add("--domain-name", metavar="NAME", help="use this domain; nothing is written")
    add("--integration-uri", metavar="URI", help="use this integration of --domain-name")
    add(
        "--allow-writes",
        action="store_const",
        const=True,
        help="let the run make and remove its own domains on AWS too",
    )
    add(
        "--no-writes",
        action="store_const",
        const=False,
        dest="allow_writes",
        help="make nothing anywhere: use an integration that can be listed",
    )
    add(
        "--not-claimed",
        action="append",
        metavar="CAPABILITY",
        choices=targets.CLAIMS,
        help="a capability that the target does not claim: " + ", ".join(targets.CLAIMS),
    )
    session.add_options(add)
    add("--request-timeout", type=float, metavar="SECONDS", help="seconds to wait for an answer (default 10)")
    run = parser.getgroup("contract", "how it is tested")
    add = run.addoption
    add("--depth", choices=tuple(MAX_EXAMPLES), default="gate", help="gate (default) or nightly")
    add("--max-examples", type=int, metavar="N", help="fuzzed requests (gate 100, nightly 5000)")
    add("--waivers", metavar="FILE.toml", help="violations that are accepted")
    add("--write-waivers", metavar="FILE.toml", help="write waivers for what is violated now")
    add(
        "--require-exercised",
        action="append",
        default=[],
        metavar="GLOB",
        help="status 1 unless every matching clause was exercised, e.g. 'request.*'",
    )
    add("--report-dir", metavar="DIR", help="write report.html, report.json, junit.xml and summary.md")
    add("--redact-accounts", action="store_true", help="hide account ids in every output")
    add(
        "--list-clauses",
        nargs="?",
        const="text",
        choices=("text", "markdown", "json"),
        help="print the clauses and stop",
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if config.option.list_clauses:
        from getintegration_contract.report import clauses

        print(clauses(Contract.load(DESCRIPTION), config.option.list_clauses), end="")
        return 0
    return None


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clauses(*ids): the clauses that a scenario is tied to")
    if hasattr(config, "workerinput"):
        if "contract" in config.workerinput:
            config.pluginmanager.register(Worker(config, config.workerinput["contract"]), "contract-worker")
        return
    if config.option.collectonly or config.option.help or not _runs_suite(config):
        return
    if config.option.report_dir and not config.option.xmlpath:
        config.option.xmlpath = str(Path(config.option.report_dir) / "junit.xml")
    try:
        _check_writable(config.option.report_dir)
        _check_writable(config.option.write_waivers and Path(config.option.write_waivers).parent)
        run = _make_run(config)
    except (TargetError, WaiverError) as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_RUN] = run
    config.pluginmanager.register(Controller(config, run), "contract-controller")


def pytest_unconfigure(config: pytest.Config) -> None:
    if (run := config.stash.get(_RUN, None)) is not None:
        run.finish()


def _runs_suite(config: pytest.Config) -> bool:
    """Whether any argument names the suite, something in it, or a folder above it."""
    for argument in config.args:
        path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
        if path == SUITE or SUITE in path.parents or path in SUITE.parents:
            return True
    return False


def _check_writable(folder: str | Path | None) -> None:
    """Say before the run, not after it, that a report has nowhere to go."""
    if not folder:
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"cannot write to {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise TargetError(f"cannot write to {folder}: permission denied")


def _make_run(config: pytest.Config) -> Run:
    option = config.option
    target = _target(config)
    if option.max_examples is not None and option.max_examples < 1:
        raise TargetError("--max-examples must be at least 1")
    seed = str(0 if option.hypothesis_seed is None else option.hypothesis_seed)
    if not seed.isdigit():
        raise TargetError("--hypothesis-seed must be a whole number, 0 or more")
    here = config.invocation_params.dir
    settings = Settings(
        depth=option.depth,
        seed=int(seed),
        max_examples=option.max_examples or MAX_EXAMPLES[option.depth],
        strict=bool(config.getini("strict")),
        workers=int(getattr(option, "numprocesses", None) or 1),
        require_exercised=tuple(option.require_exercised),
        redact_accounts=option.redact_accounts,
        command=shlex.join(["pytest", *config.invocation_params.args]),
        repeat=shlex.join(["pytest", *_options_to_repeat(config)]),
        root="" if config.rootpath == here else f"{os.path.relpath(config.rootpath, here)}/",
    )
    waivers = read_waivers(target.waivers) if target.waivers else []
    return Run(Contract.load(DESCRIPTION), target, settings, waivers, lambda line: _say(config, line))


def _options_to_repeat(config: pytest.Config) -> Iterator[str]:
    """The options of the command line, but those that name tests, write files or spread the work."""
    arguments = iter(config.invocation_params.args)
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in _NOT_TO_REPEAT:
            if not value and name != "--resume":
                next(arguments, None)
        elif argument not in config.option.file_or_dir:
            yield argument


def _target(config: pytest.Config) -> Target:
    option = config.option
    given = {key: getattr(option, key.replace("-", "_"), None) for key in targets.TARGET_SCHEMA["properties"]}
    given |= {"target": option.target, "profile": option.profile}
    return targets.resolve(given, os.environ) or targets.shipped(given, os.environ)


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(f"contract: {line}")
    else:
        print(f"contract: {line}", file=sys.stderr)


class Controller:
    """The controlling process: prepares the target, gathers entries, gives the verdict."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.config = config
        self.run = run
        self.status = 0
        self.collected = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            self.run.prepare()
        except (Indeterminate, EmulatorError) as error:
            self._write_reports(INDETERMINATE_STATUS)
            pytest.exit(str(error), returncode=INDETERMINATE_STATUS)
        self.session = session.Session(self.config, self.run, lambda line: _say(self.config, line))
        if getattr(self.config.option, "dist", "no") == "no":
            worker = Worker(self.config, _to_worker(self.run, self.session))
            self.config.pluginmanager.register(worker, "contract-worker")

    def pytest_report_header(self) -> list[str]:
        return [f"contract: {line}" for line in self.run.announce()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["contract"] = _to_worker(self.run, self.session)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.collected = False
            self.run.internal_errors.append(report.nodeid or report.longreprtext.partition("\n")[0])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "contract", None)
        if entry is not None:
            self.run.ledger.add(entry)
        if getattr(report, "endpoint_down", None):
            self.run.aborted = report.endpoint_down
        elif report.failed and not getattr(report, "violation", False):
            self.run.internal_errors.append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: Any) -> None:
        warning = warning_message.message
        if isinstance(warning, Warning):
            warning.args = (self.run.redactor.text(str(warning)),)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        if getattr(report, "endpoint_down", None):
            return "indeterminate", "I", ("INDETERMINATE", {"yellow": True})
        if getattr(report, "violation", False):
            return "violated", "V", ("VIOLATED", {"red": True})
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.run.finish()
        finished = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if finished or self.run.aborted or not self.collected:
            session.exitstatus = self.run.exit_status()
        self.status = int(session.exitstatus)
        self._write_reports(self.status)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        from getintegration_contract.report import terminal

        text = terminal.render(
            self.run.report(self.status),
            colour=terminalreporter.isatty or bool(terminalreporter.hasmarkup),
            width=terminalreporter._tw.fullwidth,
            quiet=self.config.option.verbose < 0,
            verbose=self.config.option.verbose > 0,
        )
        terminalreporter.ensure_newline()
        terminalreporter.write_line(text)

    def _write_reports(self, status: int) -> None:
        from getintegration_contract import report as reports
        from getintegration_contract.report import junit, markdown

        option = self.config.option
        if option.write_waivers:
            self.run.write_waivers(Path(option.write_waivers))
        document = self.run.report(status)
        try:
            if option.report_dir:
                reports.write(document, Path(option.report_dir))
            if option.xmlpath and Path(option.xmlpath).exists():
                junit.attach(Path(option.xmlpath), document)
        except reports.ReportError as error:
            _say(self.config, str(error))
        if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(markdown.summary(document))
            except OSError as error:
                _say(self.config, f"cannot write GITHUB_STEP_SUMMARY: {error.strerror}")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print("\n".join(markdown.annotations(document)))


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl-C does: what it made is removed."""
    raise KeyboardInterrupt


def _to_worker(run: Run, started: session.Session) -> dict[str, Any]:
    """What a worker needs, in types that xdist carries; it finds credentials for itself."""
    assert run.state is not None
    return {
        "state": run.state.to_dict(),
        "session": started.to_worker(),
        "endpoint": run.target.endpoint,
        "emulator": run.is_emulator,
        "claims": sorted(run.target.claims),
        "waived": sorted(run.waived),
        "seed": run.settings.seed,
        "max_examples": run.settings.max_examples,
        "strict": run.settings.strict,
    }


class Worker:
    """A process that runs tests: one client, one judge, an entry for each test."""

    def __init__(self, config: pytest.Config, given: dict[str, Any]) -> None:
        self.config = config
        self.seed: int = given["seed"]
        self.max_examples: int = given["max_examples"]
        self.strict: bool = given["strict"]
        self.state = State(**given["state"])
        self.contract = Contract.load(DESCRIPTION)
        self.judge = Judge(self.contract)
        self.target = self._target(given)
        self.redactor = Redactor(self.target.secrets, accounts=config.option.redact_accounts)
        self.waived = frozenset(given["waived"])
        self.session = session.Member(config, given["session"], self)
        self.client = Client(
            self.target.endpoint,
            self.target.region,
            timeout=self.target.timeout,
            acquire=self.session.acquire,
            observe=self.session.observe,
        )
        self.entry: Entry | None = None
        config.stash[_WORKER] = self

    def _target(self, given: dict[str, Any]) -> Target:
        target = _target(self.config)
        if given["emulator"]:
            target = replace(target, endpoint=given["endpoint"], identities=emulator_identities())
        claims = frozenset(given["claims"])
        return replace(target, claims=claims, allow_writes=targets.WRITING in claims)

    def gates(self, clause: str) -> bool:
        known = self.contract.clauses[clause]
        claimed = known.claim is None or known.claim in self.target.claims
        return claimed and clause not in self.waived and known.gates(self.strict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.entry = item.stash[_ENTRY] = Entry(item.nodeid)
        ids = _clauses(item)
        if unknown := [clause for clause in ids if clause not in self.contract.clauses]:
            pytest.fail(f"names the clause {unknown[0]}, which does not exist", pytrace=False)
        wanted = {self.contract.clauses[clause].claim for clause in ids}
        if ids and None not in wanted and not wanted & self.target.claims:
            pytest.skip(f"the target does not claim {', '.join(sorted(filter(None, wanted)))}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        if (checker := item.stash.get(_CHECKER, None)) is not None:
            checker.raise_if_violated()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        entry = item.stash.get(_ENTRY, None)
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, pytest.skip.Exception) and entry is not None:
            for clause in _clauses(item):
                entry.not_exercised.setdefault(clause, self.redactor.text(str(error.msg)))
        violation = _violation(error)
        if violation is not None:
            report.violation = True  # type: ignore[attr-defined]
            report.longrepr = str(violation)
        elif report.failed:
            # A traceback, its locals and what was printed may hold secrets.
            report.longrepr = self.redactor.text(report.longreprtext)
        elif isinstance(report.longrepr, tuple):
            path, line, reason = report.longrepr
            report.longrepr = (path, line, self.redactor.text(reason))
        if reason := getattr(report, "wasxfail", None):
            report.wasxfail = self.redactor.text(reason)
        report.sections = [(name, self.redactor.text(text)) for name, text in report.sections]
        if isinstance(error, EndpointDown | BudgetExhausted):
            report.endpoint_down = str(error)  # type: ignore[attr-defined]
            report.longrepr = str(error)
            item.session.shouldstop = str(error)
            if entry is not None:
                entry.indeterminate.update(dict.fromkeys(_clauses(item), str(error)))
        if entry is not None and call.when == "teardown":
            report.contract = entry.to_dict()  # type: ignore[attr-defined]
            self.entry = None
        return report

    def pytest_unconfigure(self) -> None:
        self.client.close()


def _violation(error: BaseException | None) -> ContractViolation | None:
    """The violation in an exception, also where Hypothesis grouped several."""
    if isinstance(error, BaseExceptionGroup):
        found = [_violation(inner) for inner in error.exceptions]
        return found[0] if found and all(found) else None
    return error if isinstance(error, ContractViolation) else None


def _clauses(item: pytest.Item) -> tuple[str, ...]:
    return tuple(clause for mark in item.iter_markers("clauses") for clause in mark.args)


@pytest.fixture(scope="session")
def worker(pytestconfig: pytest.Config) -> Worker:
    """This process: its target, client, contract and seed."""
    return pytestconfig.stash[_WORKER]


@pytest.fixture(scope="session")
def target(worker: Worker) -> Target:
    """The target under test."""
    return worker.target


@pytest.fixture(scope="session")
def state(worker: Worker) -> State:
    """What exists on the target."""
    return worker.state


@pytest.fixture(scope="session")
def client(worker: Worker) -> Client:
    """Sends requests, kept-alive, one for the worker."""
    return worker.client


@pytest.fixture(scope="session")
def caller(target: Target) -> Identity:
    """The identity that may read the integration."""
    return target.caller


@pytest.fixture
def check(request: pytest.FixtureRequest, worker: Worker) -> Checker:
    """Judges the exchanges of a test; the test fails at its end if a gating clause was violated."""
    node = request.node
    checker = Checker(worker.judge, node.stash[_ENTRY], worker.redactor, worker.gates, _clauses(node))
    node.stash[_CHECKER] = checker
    return checker
