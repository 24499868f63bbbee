"""Judges a recording of AWS by the contract: what it says about the clauses.

A clause that AWS itself breaks is contradicted by evidence: then the contract is wrong, not an emulator that
keeps it. A clause that is only observed or inferred, and that AWS upheld, can be promoted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from getintegration_contract.contract import PATH, Contract
from getintegration_contract.evidence import RAISED_FROM, RECORDED
from getintegration_contract.exchange import Request
from getintegration_contract.judging import oracle
from getintegration_contract.judging.judge import Expectation, Judge
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.recording.resign import SIGNED
from getintegration_contract.sending.faults import transient_fault

#: Days after which a recording is called stale.
MAX_AGE = 90


@dataclass
class Evidence:
    """What a recording says of each clause.

    Attributes:
        upheld, violated: How often, by clause.
        contradictions: For each violated clause, what was due and what came.
    """

    upheld: Counter[str] = field(default_factory=Counter)
    violated: Counter[str] = field(default_factory=Counter)
    contradictions: dict[str, tuple[str, str]] = field(default_factory=dict)

    def promotable(self, contract: Contract) -> dict[str, int]:
        """The clauses that need evidence, were upheld and never violated, each with how often."""
        return {
            clause.id: self.upheld[clause.id]
            for clause in contract.clauses.values()
            if clause.provenance in (*RAISED_FROM, RECORDED)
            and self.upheld[clause.id]
            and not self.violated[clause.id]
        }


def is_operation(request: Request) -> bool:
    """Whether method and path are those of the operation."""
    start, end = PATH.split("{DomainName}")
    path = request.target.partition("?")[0]
    return request.method == "POST" and path.startswith(start) and path.endswith(end)


def is_ordinary(recorded: Recorded) -> bool:
    """Whether the description alone says what is due: the operation, asked by a caller who signs well."""
    plain = not set(recorded.signing) - {"kind"}
    signed = recorded.signing.get("kind") == SIGNED and recorded.exchange.identity == "caller"
    return plain and signed and is_operation(recorded.exchange.request)


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


def judged(recording: Recording, contract: Contract) -> Evidence:
    """What a recording says of the clauses, by the suite's own judge.

    Exchanges that the description alone can judge are judged anew, by the contract of today. For clauses that
    only tests can judge, such as those on signatures, the verdicts count that the run noted.
    """
    judge = Judge(contract)
    evidence = Evidence()
    for recorded in recording:
        due = expectation(contract, recorded, recording.suite)
        if due is None or transient_fault(recorded.exchange.response) is not None:
            continue
        for check in judge.judge(recorded.exchange, due):
            if check.ok:
                evidence.upheld[check.clause] += 1
            else:
                evidence.violated[check.clause] += 1
                evidence.contradictions.setdefault(check.clause, (check.expected, check.actual))
    anew = set(evidence.upheld) | set(evidence.violated)
    for entry in recording.tests.values():
        broken = {finding["clause"]: finding for finding in entry["findings"]}
        for clause, count in entry["checks"].items():
            if clause in anew or clause not in contract.clauses:
                continue
            finding = broken.get(clause)
            wrong = finding["count"] if finding else 0
            evidence.upheld[clause] += count - wrong
            if finding:
                evidence.violated[clause] += wrong
                evidence.contradictions.setdefault(clause, (finding["expected"], finding["actual"]))
    return evidence
