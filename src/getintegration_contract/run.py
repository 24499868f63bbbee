"""One run against one target, as its controlling process sees it: state, ledger, verdict, reports.

It knows nothing of pytest: ``plugin`` translates.
"""

from __future__ import annotations

import datetime
import fnmatch
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.ledger import INDETERMINATE, NOT_CLAIMED, UPHELD, Ledger
from getintegration_contract.operations import get_integration
from getintegration_contract.redact import Redactor
from getintegration_contract.report.history import violated
from getintegration_contract.sending.budget import Budget
from getintegration_contract.sending.client import Client
from getintegration_contract.state import preflight
from getintegration_contract.state.leftovers import PREFIX
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import State
from getintegration_contract.target import waivers as waiver_files
from getintegration_contract.target.capabilities import OFFERS, WRITING
from getintegration_contract.target.emulator import LocalEmulator, emulator_identities
from getintegration_contract.target.target import Target
from getintegration_contract.target.waivers import Waiver

#: Exit statuses, beside pytest's own 2 (interrupted) and 4 (wrong use); 5 is as pytest has it, too.
UPHELD_STATUS, VIOLATED_STATUS, INTERNAL_STATUS, INDETERMINATE_STATUS = 0, 1, 3, 6
NOTHING_RAN_STATUS = 5

#: Fuzzed requests of a shard, which is one test, at least and at most; and shards that are enough to share.
#: Hypothesis remembers more the longer a test is, so shards stay small.
SHARD, LARGEST_SHARD, PLENTY = 50, 500, 16


@dataclass(frozen=True)
class Settings:
    """The settings of a run.

    Attributes:
        max_examples: Fuzzed requests of the run, all shards together.
        require_exercised: Patterns of clauses that must have been exercised.
        command: The command line of the run.
        repeat: The command that repeats a test when its id follows.
        fail_on_new: Whether only violations that the baseline does not have fail the run.
        root: Path from the working directory to where test ids begin, with a slash at its end.
    """

    depth: str = "gate"
    seed: int = 0
    max_examples: int = 100
    strict: bool = False
    workers: int = 1
    require_exercised: tuple[str, ...] = ()
    redact_accounts: bool = False
    command: str = "pytest tests/contract"
    repeat: str = "pytest"
    root: str = ""
    fail_on_new: bool = False

    @property
    def shards(self) -> int:
        """How many tests share the fuzzed requests; it does not depend on the number of workers."""
        examples = self.max_examples
        return max(1, min(PLENTY, math.ceil(examples / SHARD)), math.ceil(examples / LARGEST_SHARD))


class Run:
    """Prepares a target, gathers the findings of tests, and gives the verdict.

    Args:
        contract: The contract.
        target: What is tested; without an endpoint it is the emulator.
        settings: How it is tested.
        waivers: Accepted violations.
        say: Prints a sentence about what happens outside tests.
        emulator: The shipped emulator, which starts in the meantime, and ends with the run.
    """

    def __init__(
        self,
        contract: Contract,
        target: Target,
        settings: Settings,
        waivers: list[Waiver],
        say: Callable[[str], None],
        emulator: LocalEmulator | None = None,
    ) -> None:
        self.contract = contract
        self.settings = settings
        self.waivers = waivers
        self._print = say
        self._emulator = emulator
        self._target = target
        self.state: State | None = None
        self._provisioner: Provisioner | None = None
        self._client: Client | None = None
        self.budget = Budget()
        self.started = datetime.datetime.now(datetime.UTC)
        self._clock = time.monotonic()
        self.seconds = 0.0
        #: Seconds that each answer took while the target was prepared, and the median.
        self.preparation: list[float] = []
        self.latency = math.inf
        self.internal_errors: list[str] = []
        #: The report that this run is compared with, and notes beside those of the ledger.
        self.baseline: dict[str, Any] | None = None
        self.notes: list[str] = []
        #: Whether any test of the suite did not run, by choice or because one failed.
        self.is_partial = False
        today = self.started.date()
        self.expired = [waiver for waiver in waivers if waiver.expired(today)]
        self.waived = frozenset(waiver.clause for waiver in waivers if not waiver.expired(today))
        self.ledger = Ledger(contract, target.capabilities, strict=settings.strict, waived=self.waived)
        self._redactor = Redactor(accounts=settings.redact_accounts)

    @property
    def target(self) -> Target:
        """The target; waits for the emulator if that is it."""
        if not self._target.endpoint:
            assert self._emulator is not None
            self._target = replace(
                self._target, endpoint=self._emulator.url, identities=emulator_identities()
            )
        return self._target

    @property
    def is_emulator(self) -> bool:
        """Whether the run started the shipped emulator."""
        return self._emulator is not None

    @property
    def redactor(self) -> Redactor:
        """Keeps secrets out of what is written and said: one for the run."""
        self._redactor.add(*self.target.secrets)
        return self._redactor

    def prepare(self) -> None:
        """Reach the endpoint, and provide the state that scenarios need.

        Raises:
            EnvironmentFault: With one sentence that says what is wrong.
        """
        target = self.target
        self.budget = Budget.create(target.rate, target.max_requests, target.write_rate)
        try:
            self._client = Client(
                target.endpoint,
                target.region,
                timeout=target.request_timeout,
                acquire=self.budget.acquire,
                observe=self._observe,
            )
            self._provisioner = Provisioner(self._client, target.identities, self.say)
            state = self.state = self._provisioner.provide(target)
            known = get_integration(state.domain, state.uri)
            preflight.check_connections(self._client, known, target.caller)
        except EnvironmentFault as error:
            self.ledger.aborted = self.redactor.text(str(error))
            raise EnvironmentFault(self.ledger.aborted) from None
        if self.state.origin != "made" and WRITING in target.capabilities:
            self._target = replace(target, capabilities=target.capabilities - {WRITING}, allow_writes=False)
            hindrance = self.redactor.text(f"writing was tried, and does not work: {self.state.hindrance}")
            self.ledger.capabilities -= {WRITING}
            self.ledger.hindrances[WRITING] = hindrance
            self.ledger.notes[hindrance] = None
            self.say(f"{hindrance}; nothing is written, and what exists is read")

    def _observe(self, exchange: Exchange) -> None:
        self._redactor.add_signatures(exchange.request.header("authorization") or "")
        if exchange.response.status:
            self.preparation.append(exchange.seconds)
            self.latency = statistics.median(self.preparation)

    def say(self, line: str) -> None:
        """Print a sentence without secrets, whether it is the suite's or a server's."""
        self._print(self.redactor.text(line))

    def announce(self) -> list[str]:
        """What the run is about to do: its target, what it does not check, what it writes."""
        target = self.target
        where = "the shipped emulator" if self.is_emulator else target.endpoint
        where = f"{target.name} ({where})" if target.name else where
        capabilities = [clause.capability for clause in self.contract.clauses.values() if clause.capability]
        missing = Counter(capability for capability in capabilities if capability not in target.capabilities)
        how = f"{self.settings.depth} depth, seed {self.settings.seed}"
        strict = ", strict" if self.settings.strict else ""
        lines = [f"target: {where}, region {target.region}, {how}{strict}"]
        if missing:
            listed = ", ".join(f"{capability} ({count})" for capability, count in missing.most_common())
            lines.append(f"not claimed, so not checked: {listed}")
        if target.allow_writes:
            lines.append(f"writes: domains named {PREFIX}*, removed at the end")
        else:
            lines.append("writes: nothing")
        if target.allow_writes and target.settling_time:
            lines.append(f"waits {target.settling_time:g} s for writes to settle, before what it reads then")
        return lines

    def finish(self) -> None:
        """Remove what was made and stop the emulator; safe to call again."""
        if self.seconds == 0.0:
            self.seconds = time.monotonic() - self._clock
        if self._provisioner is not None:
            try:
                self._provisioner.remove()
            except Exception as error:  # the verdict must survive a clean-up that fails
                self.say(f"cleaning up failed: {error}")
            self._provisioner = None
        if self._client is not None:
            self.ledger.faults.update(fault for fault, _ in self._client.faults)
            self.ledger.judge_faults(self._target.fault_limit)
            if self._target.latency_limit is not None:
                self.ledger.judge_latency(self._target.latency_limit)
            self._client.close()
            self._client = None
        self.budget.remove()
        if self._emulator is not None:
            self._emulator.close()

    def complaints(self) -> list[str]:
        """Reasons for status 1 other than a violated clause: waivers and coverage that do not hold.

        A run that was aborted, or left tests out, proves nothing about either.
        """
        outcomes = {entry.clause.id: entry for entry in self.ledger.outcomes()}
        lines = [
            f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}"
            for waiver in self.expired
        ]
        for waiver in self.waivers:
            if waiver.clause in self.waived:
                if outcomes[waiver.clause].outcome == UPHELD and not (self.ledger.aborted or self.is_partial):
                    lines.append(f"the waiver of {waiver.clause} no longer applies: the clause is upheld")
        for pattern in () if self.ledger.aborted else self.settings.require_exercised:
            matching = [entry for name, entry in outcomes.items() if fnmatch.fnmatchcase(name, pattern)]
            for entry in matching:
                if entry.outcome == NOT_CLAIMED or not entry.checks:
                    capability = entry.clause.capability if entry.outcome == NOT_CLAIMED else None
                    offer = f"; it takes {OFFERS[capability]}" if capability else ""
                    message = f"{entry.clause.id} was {entry.outcome}: {entry.reason}{offer}"
                    lines.append(f"--require-exercised {pattern}: {message}")
        return lines

    def exit_status(self) -> int:
        """The exit status of the suite, as the README's table gives it."""
        if self.internal_errors:
            return INTERNAL_STATUS
        known = violated(self.baseline) if self.settings.fail_on_new and self.baseline else ()
        new = [entry for entry in self.ledger.violations() if entry.clause.id not in known]
        if new or self.expired:
            return VIOLATED_STATUS
        outcomes = self.ledger.outcomes()
        unsettled = any(entry.gating and entry.outcome == INDETERMINATE for entry in outcomes)
        if self.ledger.aborted:
            return INDETERMINATE_STATUS
        if self.complaints():
            return VIOLATED_STATUS
        if unsettled:
            return INDETERMINATE_STATUS
        return UPHELD_STATUS if self.ledger.checks else NOTHING_RAN_STATUS

    def write_waivers(self, path: Path) -> int:
        """Write a waivers file: the waivers in use, and one for each other clause that is violated.

        Returns:
            The number of new ones.
        """
        violated = [entry.clause.id for entry in self.ledger.violations()]
        waiver_files.write(path, violated, self.started.date(), kept=self.waivers)
        return len(set(violated) - {waiver.clause for waiver in self.waivers})
