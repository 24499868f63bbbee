"""What a recording says of the clauses, by the suite's own judge.

A clause that AWS itself breaks is contradicted by evidence: then the contract is wrong, not an emulator that
keeps it. A clause that is only observed or inferred, and that AWS upheld, can be promoted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from dataclasses import replace

from getintegration_contract.clause import RECORDED
from getintegration_contract.contract import PATH, Contract
from getintegration_contract.evidence import RAISED_FROM
from getintegration_contract.exchange import Request
from getintegration_contract.judging import oracle
from getintegration_contract.judging.judge import Expectation, Judge
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import SIGNED, Recorded
from getintegration_contract.sending.faults import transient_fault

_START, _END = PATH.split("{DomainName}")


class Verdicts:
    """What a recording of AWS says of each clause; nothing where there is none.

    Exchanges that the description alone can judge are judged anew, by the contract of today. For clauses that
    only tests can judge, such as those on signatures, the verdicts count that the run noted.

    Attributes:
        upheld, violated: How often, by clause.
        contradictions: For each violated clause, what was due and what came.
    """

    def __init__(self, contract: Contract, recording: Recording | None) -> None:
        self._contract = contract
        self.upheld: Counter[str] = Counter()
        self.violated: Counter[str] = Counter()
        self.contradictions: dict[str, tuple[str, str]] = {}
        self._broken: dict[int, set[str]] = {}
        if recording is not None:
            self._judge(recording)

    def promotable(self) -> dict[str, int]:
        """The clauses that need evidence, were upheld and never violated, each with how often."""
        return {
            clause.id: self.upheld[clause.id]
            for clause in self._contract.clauses.values()
            if clause.provenance in (*RAISED_FROM, RECORDED)
            and self.upheld[clause.id]
            and not self.violated[clause.id]
        }

    def broken_by(self, position: int) -> Set[str]:
        """The clauses that an exchange breaks: judged anew, or what tests judged, where only they can."""
        return self._broken.get(position, self.violated.keys())

    def _judge(self, recording: Recording) -> None:
        judge = Judge(self._contract)
        for position, recorded in enumerate(recording.exchanges):
            due = expectation(self._contract, recorded, recording.suite)
            if due is None:
                continue
            exchange = recorded.exchange  # what is read of its response is not kept
            checks = judge.judge(replace(exchange, response=replace(exchange.response)), due)
            self._broken[position] = {check.clause for check in checks if not check.ok}
            if transient_fault(exchange.response) is None:
                for check in checks:
                    self._count(check.clause, 1, not check.ok, check.expected, check.actual)
        anew = {*self.upheld, *self.violated}
        for test in recording.tests.values():
            findings = {finding["clause"]: finding for finding in test["findings"]}
            for clause, count in test["checks"].items():
                if clause not in anew and clause in self._contract.clauses:
                    found = findings.get(clause, {"count": 0, "expected": "", "actual": ""})
                    self._count(clause, count, found["count"], found["expected"], found["actual"])

    def _count(self, clause: str, times: int, wrong: int, expected: str, actual: str) -> None:
        self.upheld[clause] += times - wrong
        if wrong:
            self.violated[clause] += wrong
            self.contradictions.setdefault(clause, (expected, actual))


def is_operation(request: Request) -> bool:
    """Whether method and path are those of the operation."""
    path = request.target.partition("?")[0]
    return request.method == "POST" and path.startswith(_START) and path.endswith(_END)


def expectation(contract: Contract, recorded: Recorded, suite: Suite) -> Expectation | None:
    """What is due by the description alone; it knows only callers who sign well what they ask for."""
    request, state = recorded.exchange.request, suite.states[-1]
    if recorded.signing != {"kind": SIGNED} or recorded.exchange.identity != "caller":
        return None
    if not is_operation(request):
        return None
    return oracle.expectation(contract, request, (state["domain"], state["uri"]))
