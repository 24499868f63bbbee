"""What a recording says of the clauses, by the suite's own judge.

A clause that AWS itself breaks is contradicted by evidence: then the contract is wrong, not an emulator that
keeps it. A clause that is only observed or inferred, and that AWS upheld, can be promoted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from getintegration_contract.clause import RECORDED
from getintegration_contract.contract import PATH, Contract
from getintegration_contract.evidence import RAISED_FROM
from getintegration_contract.exchange import Request
from getintegration_contract.judging import oracle
from getintegration_contract.judging.judge import Expectation, Judge
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import SIGNED
from getintegration_contract.sending.faults import transient_fault


@dataclass
class Verdicts:
    """What a recording says of each clause.

    Attributes:
        upheld, violated: How often, by clause.
        contradictions: For each violated clause, what was due and what came.
        broken: Clauses that an exchange breaks, by its position.
    """

    upheld: Counter[str] = field(default_factory=Counter)
    violated: Counter[str] = field(default_factory=Counter)
    contradictions: dict[str, tuple[str, str]] = field(default_factory=dict)
    broken: dict[int, frozenset[str]] = field(default_factory=dict)

    def promotable(self, contract: Contract) -> dict[str, int]:
        """The clauses that need evidence, were upheld and never violated, each with how often."""
        return {
            clause.id: self.upheld[clause.id]
            for clause in contract.clauses.values()
            if clause.provenance in (*RAISED_FROM, RECORDED)
            and self.upheld[clause.id]
            and not self.violated[clause.id]
        }

    def broken_by(self, position: int, recorded: Recorded) -> frozenset[str]:
        """The clauses that an exchange breaks: judged anew, or what tests judged, where only they can."""
        return self.broken.get(position, frozenset()) if is_ordinary(recorded) else frozenset(self.violated)

    def count(self, clause: str, times: int, wrong: int, expected: str, actual: str) -> None:
        """Count checks of a clause, and keep the first contradiction."""
        self.upheld[clause] += times - wrong
        if wrong:
            self.violated[clause] += wrong
            self.contradictions.setdefault(clause, (expected, actual))


def is_operation(request: Request) -> bool:
    """Whether method and path are those of the operation."""
    start, end = PATH.split("{DomainName}")
    path = request.target.partition("?")[0]
    return request.method == "POST" and path.startswith(start) and path.endswith(end)


def is_ordinary(recorded: Recorded) -> bool:
    """Whether the description alone says what is due: the operation, asked by a caller who signs well."""
    signed = recorded.signing == {"kind": SIGNED} and recorded.exchange.identity == "caller"
    return signed and is_operation(recorded.exchange.request)


def expectation(contract: Contract, recorded: Recorded, suite: Suite) -> Expectation | None:
    """What is due for an exchange by the description alone, None if that cannot say."""
    if not is_ordinary(recorded):
        return None
    state = suite.states[-1]
    return oracle.expectation(contract, recorded.exchange.request, (state["domain"], state["uri"]))


def clauses_of(contract: Contract, recorded: Recorded, suite: Suite) -> tuple[str, ...]:
    """The clauses that a request was sent for: its test's, or the one that the description names."""
    if recorded.clauses:
        return recorded.clauses
    due = expectation(contract, recorded, suite)
    return (due.clause,) if due is not None else ()


def judge_recording(recording: Recording, contract: Contract) -> Verdicts:
    """What a recording says of the clauses.

    Exchanges that the description alone can judge are judged anew, by the contract of today. For clauses that
    only tests can judge, such as those on signatures, the verdicts count that the run noted.
    """
    judge, verdicts = Judge(contract), Verdicts()
    for position, recorded in enumerate(recording):
        due = expectation(contract, recorded, recording.suite)
        if due is None:
            continue
        exchange = recorded.exchange
        checks = judge.judge(replace(exchange, response=replace(exchange.response)), due)
        if broken := frozenset(check.clause for check in checks if not check.ok):
            verdicts.broken[position] = broken
        if transient_fault(recorded.exchange.response) is None:
            for check in checks:
                verdicts.count(check.clause, 1, not check.ok, check.expected, check.actual)
    anew = set(verdicts.upheld) | set(verdicts.violated)
    for test in recording.tests.values():
        findings = {finding["clause"]: finding for finding in test["findings"]}
        for clause, count in test["checks"].items():
            if clause not in anew and clause in contract.clauses:
                found = findings.get(clause, {"count": 0, "expected": "", "actual": ""})
                verdicts.count(clause, count, found["count"], found["expected"], found["actual"])
    return verdicts
