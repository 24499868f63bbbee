"""What a recording says of the clauses, by the suite's own judge and ledger.

A clause that AWS itself breaks is contradicted by evidence: then the contract is wrong, not an emulator that
keeps it. A clause that is only observed or inferred, and that AWS upheld, can be promoted.
"""

from collections.abc import Set
from dataclasses import replace

from getintegration_contract.clause import RECORDED
from getintegration_contract.contract import PATH, RAISED_FROM, Contract
from getintegration_contract.exchange import Request
from getintegration_contract.judging import oracle
from getintegration_contract.judging.judge import Expectation, Judge
from getintegration_contract.judging.ledger import Entry, Finding, Ledger
from getintegration_contract.recording import Recording, Suite
from getintegration_contract.recording.har import SIGNED, Recorded
from getintegration_contract.sending.faults import transient_fault

_START, _END = PATH.split("{DomainName}")


class Verdicts:
    """What a recording of AWS says of each clause; nothing where there is none.

    Exchanges that the description alone can judge are judged anew, by the contract of today. For clauses that
    only tests can judge, such as those on signatures, the entries of the ledger count that the run noted.
    """

    def __init__(self, contract: Contract, recording: Recording | None) -> None:
        self._ledger = Ledger(contract, ())
        self._broken: dict[int, set[str]] = {}
        if recording is None:
            return
        judge, anew = Judge(contract), Entry("")
        for position, recorded in enumerate(recording.exchanges):
            if (due := expectation(contract, recorded, recording.suite)) is None:
                continue
            exchange = recorded.exchange  # what is read of its response is not kept
            checks = judge.judge(replace(exchange, response=replace(exchange.response)), due)
            self._broken[position] = {check.clause for check in checks if not check.ok}
            if transient_fault(exchange.response) is None:
                for check in checks:
                    anew.record(check, None, 0)
        self._ledger.add(anew.to_dict())
        noted = contract.clauses.keys() - anew.checks
        for test in recording.tests.values():
            checked = {clause: count for clause, count in test["checks"].items() if clause in noted}
            found = [finding for finding in test["findings"] if finding["clause"] in checked]
            self._ledger.add({**test, "checks": checked, "findings": found})

    @property
    def contradicted(self) -> list[Finding]:
        """What AWS breaks, the most frequent first."""
        return sorted(self._ledger.findings.values(), key=lambda finding: -finding.count)

    def promotable(self) -> dict[str, int]:
        """The clauses that need evidence, were upheld and never violated, each with how often."""
        upheld = self._ledger.checks.keys() - self._ledger.findings.keys()
        return {
            clause.id: self._ledger.checks[clause.id]
            for clause in self._ledger.contract.clauses.values()
            if clause.provenance in (*RAISED_FROM, RECORDED) and clause.id in upheld
        }

    def broken_by(self, position: int) -> Set[str]:
        """The clauses that an exchange breaks: judged anew, or what tests judged, where only they can."""
        return self._broken.get(position, self._ledger.findings.keys())


def is_operation(request: Request) -> bool:
    """Whether method and path are those of the operation."""
    path = request.target.partition("?")[0]
    return request.method == "POST" and path.startswith(_START) and path.endswith(_END)


def expectation(contract: Contract, recorded: Recorded, suite: Suite) -> Expectation | None:
    """What is due by the description alone; it knows only callers who sign well what they ask for."""
    exchange, state = recorded.exchange, suite.states[-1]
    is_usual = recorded.signing == {"kind": SIGNED} and exchange.identity == "caller"
    if not (is_usual and is_operation(exchange.request)):
        return None
    return oracle.expectation(contract, exchange.request, (state["domain"], state["uri"]))
