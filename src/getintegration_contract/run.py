"""One run against one target, as its controlling process sees it: state, ledger, verdict, reports.

It knows nothing of pytest: ``plugin`` translates.
"""

import datetime
import fnmatch
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from getintegration_contract import command
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.ledger import INDETERMINATE, NOT_CLAIMED, UPHELD, Ledger
from getintegration_contract.operations import get_integration
from getintegration_contract.redact import Redactor
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state import preflight
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import PREFIX, UNKNOWN_DOMAIN, UNKNOWN_URI, State
from getintegration_contract.target import waivers as waiver_files
from getintegration_contract.target.emulator import LocalEmulator
from getintegration_contract.target.target import OFFERS, WRITING, Target
from getintegration_contract.target.waivers import Waiver

#: Fuzzed requests of a shard, which is one test, at least and at most; and shards that are enough to share.
#: Hypothesis remembers more the longer a test is, so shards stay small.
SHARD, LARGEST_SHARD, PLENTY = 50, 500, 16


@dataclass(frozen=True)
class Settings:
    """The settings of a run.

    Attributes:
        max_examples: Requests that are generated anew, all shards together.
        require_exercised: Patterns of clauses that must have been exercised.
        command: The command line of the run.
        repeat: The command that repeats a test when its id follows.
        root: Path from the working directory to where test ids begin, with a slash at its end.
    """

    seed: int = 0
    max_examples: int = 0
    strict: bool = False
    workers: int = 1
    require_exercised: tuple[str, ...] = ()
    redact_accounts: bool = False
    command: str = "pytest tests/contract"
    repeat: str = "pytest"
    root: str = ""

    @property
    def shards(self) -> int:
        """How many tests share the fuzzed requests; it does not depend on the number of workers."""
        examples = self.max_examples
        return max(1, min(PLENTY, math.ceil(examples / SHARD)), math.ceil(examples / LARGEST_SHARD))


@dataclass
class Run:
    """Prepares a target, gathers the findings of tests, and gives the verdict.

    Attributes:
        target: What is tested; without an endpoint it is the emulator.
        settings: How it is tested.
        waivers: Accepted violations.
        print: Prints a sentence about what happens outside tests.
        emulator: The shipped emulator, which starts in the meantime, and ends with the run.
        preparation: Seconds that each answer took while the target was prepared.
        baseline: The report that this run is compared with.
        known: Clauses whose violation does not fail the run, since its baseline has them.
        notes: Those beside the ledger's.
        is_partial: Whether any test of the suite did not run, by choice or because one failed.
    """

    contract: Contract
    target: Target
    settings: Settings
    waivers: list[Waiver]
    print: Callable[[str], None]
    emulator: LocalEmulator | None = None
    baseline: dict[str, Any] | None = None
    known: Collection[str] = ()
    notes: list[str] = field(default_factory=list)
    state: State | None = None
    budget: Budget = field(default_factory=Budget)
    started: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    seconds: float = 0.0
    preparation: list[float] = field(default_factory=list)
    internal_errors: list[str] = field(default_factory=list)
    is_partial: bool = False
    _clock: float = field(default_factory=time.monotonic)
    #: Undoes what was done for the run, the last first.
    _undo: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        today = self.started.date()
        self.expired = [waiver for waiver in self.waivers if waiver.expired(today)]
        self.waived = frozenset(waiver.clause for waiver in self.waivers if waiver not in self.expired)
        strict, capabilities = self.settings.strict, self.target.capabilities
        self.ledger = Ledger(self.contract, capabilities, strict=strict, waived=self.waived)
        self._redactor = Redactor(accounts=self.settings.redact_accounts)
        self.is_emulator = self.emulator is not None
        if self.emulator is not None:
            self._undo.callback(self.emulator.close)

    @property
    def redactor(self) -> Redactor:
        """Keeps secrets out of what is written and said: one for the run."""
        self._redactor.add(*self.target.secrets)
        return self._redactor

    @property
    def latency(self) -> float:
        """The median of the seconds that answers took while the target was prepared."""
        return statistics.median(self.preparation or [math.inf])

    def prepare(self) -> None:
        """Reach the endpoint, and provide the state that scenarios need.

        Raises:
            EnvironmentFault: With one sentence that says what is wrong.
        """
        try:
            if self.emulator is not None:
                self.target = replace(self.target, endpoint=self.emulator.url)
            self.state = state = self._provide()
        except EnvironmentFault as error:
            self.ledger.aborted = self.redactor.text(str(error))
            raise
        if state.origin != "made" and WRITING in self.target.capabilities:
            kept = self.target.capabilities - {WRITING}
            self.target = replace(self.target, capabilities=kept, allow_writes=False)
            hindrance = self.redactor.text(f"writing was tried, and does not work: {state.hindrance}")
            self.ledger.capabilities = kept
            self.ledger.hindrances[WRITING] = hindrance
            self.ledger.notes[hindrance] = None
            self.say(f"{hindrance}; nothing is written, and what exists is read")

    def _provide(self) -> State:
        """What exists on the target, or is made there."""
        target = self.target
        self.budget = Budget.create(target.rate, target.max_requests, target.write_rate)
        self._undo.callback(self.budget.remove)
        client = target.client(acquire=self.budget.acquire, observe=self._observe)
        self._undo.callback(self._leave, client)
        provisioner = Provisioner(client, target.identities, self.say)
        self._undo.callback(self._clean_up, provisioner)
        state = provisioner.provide(target)
        # Not for what exists, whose first answers are left to be judged.
        preflight.check_connections(client, get_integration(UNKNOWN_DOMAIN, UNKNOWN_URI), target.caller)
        return state

    def _observe(self, exchange: Exchange) -> None:
        self._redactor.learn(exchange.request)
        if exchange.response.status:
            self.preparation.append(exchange.seconds)

    def _clean_up(self, provisioner: Provisioner) -> None:
        try:
            provisioner.remove()
        except Exception as error:  # the verdict must survive a clean-up that fails
            self.say(f"cleaning up failed: {error}")

    def _leave(self, client: Client) -> None:
        self.ledger.faults.update(fault for fault, _ in client.faults)
        self.ledger.judge_faults(self.target.fault_limit)
        if self.target.latency_limit is not None:
            self.ledger.judge_latency(self.target.latency_limit)
        client.close()

    def finish(self) -> None:
        """Remove what was made and stop the emulator; safe to call again."""
        self.seconds = self.seconds or time.monotonic() - self._clock
        self._undo.close()

    def say(self, line: str) -> None:
        """Print a sentence without secrets, whether it is the suite's or a server's."""
        self.print(self.redactor.text(line))

    def announce(self) -> list[str]:
        """What the run is about to do: its target, what it does not check, what it writes."""
        target = self.target
        where = "the shipped emulator" if self.is_emulator else target.endpoint
        where = f"{target.name} ({where})" if target.name else where
        how = f"{target.depth} depth, seed {self.settings.seed}"
        strict = ", strict" if self.settings.strict else ""
        lines = [f"target: {where}, region {target.region}, {how}{strict}"]
        wanted = Counter(clause.capability for clause in self.contract.clauses.values() if clause.capability)
        missing = [
            f"{name} ({count})" for name, count in wanted.most_common() if name not in target.capabilities
        ]
        if missing:
            lines.append(f"not claimed, so not checked: {', '.join(missing)}")
        writes = f"domains named {PREFIX}*, removed at the end" if target.allow_writes else "nothing"
        lines.append(f"writes: {writes}")
        if target.allow_writes and target.settling_time:
            lines.append(f"waits {target.settling_time:g} s for writes to settle, before what it reads then")
        return lines

    def complaints(self) -> list[str]:
        """Reasons for status 1 other than a violated clause: waivers and coverage that do not hold.

        A run that was aborted, or left tests out, proves nothing about either.
        """
        lines = [
            f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}"
            for waiver in self.expired
        ]
        if self.ledger.aborted:
            return lines
        outcomes = {entry.clause.id: entry for entry in self.ledger.outcomes()}
        for waiver in () if self.is_partial else self.waivers:
            if waiver.clause in self.waived and outcomes[waiver.clause].outcome == UPHELD:
                lines.append(f"the waiver of {waiver.clause} no longer applies: the clause is upheld")
        for pattern in self.settings.require_exercised:
            for name in fnmatch.filter(outcomes, pattern):
                entry = outcomes[name]
                if entry.outcome == NOT_CLAIMED or not entry.checks:
                    capability = entry.clause.capability if entry.outcome == NOT_CLAIMED else None
                    offer = f"; it takes {OFFERS[capability]}" if capability else ""
                    message = f"{name} was {entry.outcome}: {entry.reason}{offer}"
                    lines.append(f"--require-exercised {pattern}: {message}")
        return lines

    def exit_status(self) -> int:
        """The exit status of the suite, as the README's table gives it."""
        if self.internal_errors:
            return command.INTERNAL
        if self.expired or any(entry.clause.id not in self.known for entry in self.ledger.violations()):
            return command.FAILED
        if self.ledger.aborted:
            return command.INDETERMINATE
        if self.complaints():
            return command.FAILED
        if any(entry.gating and entry.outcome == INDETERMINATE for entry in self.ledger.outcomes()):
            return command.INDETERMINATE
        return command.OK if self.ledger.checks else command.NOTHING_RAN

    def write_waivers(self, path: Path) -> None:
        """Write a waivers file: the waivers in use, and one for each other clause that is violated."""
        broken = [entry.clause.id for entry in self.ledger.violations()]
        waiver_files.write(path, broken, self.started.date(), kept=self.waivers)
        count = len(set(broken) - {waiver.clause for waiver in self.waivers})
        edit = ": fill in why each is accepted, and who answers for it, before it is used" if count else ""
        self.say(f"{count} waivers written to {path}{edit}")
