"""What a target promises of itself: a latency, and a share of faults that a repeat does not show."""

from __future__ import annotations

import pytest

from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging import ledger as outcomes
from getintegration_contract.judging.judge import Check
from getintegration_contract.judging.ledger import STRAY_FAULTS, Entry, Ledger
from getintegration_contract.target.capabilities import CAPABILITIES


@pytest.mark.parametrize(("slow", "outcome"), [(0, outcomes.UPHELD), (2, outcomes.VIOLATED)])
def test_latency_is_held_against_the_limit_of_the_target(contract: Contract, slow: int, outcome: str) -> None:
    ledger = Ledger(contract, CAPABILITIES)
    for test, seconds, count in (("valid", 0.01, 99 - slow), ("missing", 0.3, slow), ("throttling", 9.0, 50)):
        entry = Entry(f"tests/contract/test_{test}.py::test_it", test, test == "throttling")
        exchange = Exchange("", Request("POST", "/"), Response(200, "", (), b""), None, 0.0, seconds)
        for _ in range(count):
            entry.observe(exchange)
        ledger.add(entry.to_dict())
    ledger.judge_latency(0.1)
    (found,) = (entry for entry in ledger.outcomes() if entry.clause.id == "latency.limit")
    assert (found.outcome, found.gating) == (outcome, True)
    if slow:
        assert "slowest phase: missing" in ledger.findings["latency.limit"].actual


@pytest.mark.parametrize(
    ("fivexx", "limit", "violated"),
    [
        (1, None, set()),
        (2, None, {"transport.stray-faults"}),
        (2, 0.05, {"transport.stray-faults"}),
        (6, 0.05, {"transport.stray-faults", "faults.limit"}),
        (1, 0, set()),
    ],
)
def test_passing_5xx_are_held_against_the_usual_share_and_the_limit(
    contract: Contract, fivexx: int, limit: float | None, violated: set[str]
) -> None:
    ledger = Ledger(contract, CAPABILITIES)
    failed = Exchange("", Request("POST", "/"), Response(500, "", (), b""), None, 0.0, 0.1)
    entry = Entry("tests/contract/test_valid.py::test_it", "valid")
    for _ in range(100):
        entry.observe(failed)
    entry.faults.update({"500": fivexx, "429": 50, "no answer within the time limit": 50})
    entry.record(Check(STRAY_FAULTS, False), failed.to_dict(), failed.size)
    ledger.add(entry.to_dict())
    ledger.judge_faults(limit)
    found = {entry.clause.id: entry for entry in ledger.outcomes() if entry.outcome == outcomes.VIOLATED}
    assert set(found) == violated
    for clause, outcome in found.items():
        assert outcome.gating == (clause == "faults.limit")
        assert ledger.findings[clause].places == [entry.test]
        assert ledger.findings[clause].actual.startswith(f"{fivexx} of 100 requests")
