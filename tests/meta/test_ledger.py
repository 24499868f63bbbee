"""Outcomes of clauses: by what was observed, whatever the order in which workers send it."""

import copy
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging import ledger as outcomes
from getintegration_contract.judging.checker import Checker, ContractViolation
from getintegration_contract.judging.judge import Check, Expectation, Judge
from getintegration_contract.judging.ledger import STRAY_FAULTS, Entry, Finding, Ledger
from getintegration_contract.redact import Redactor
from getintegration_contract.target.capabilities import CAPABILITIES

from .support import answered, checking

Document = dict[str, Any]


# --- Outcomes -----------------------------------------------------------------------------------------------


@pytest.fixture
def outcome(contract: Contract) -> Callable[..., outcomes.Outcome]:
    """The outcome of a clause after some exchanges, each in a test of its own."""

    def outcome(name: str, *exchanges: Exchange, **options: Any) -> outcomes.Outcome:
        ledger = Ledger(contract, CAPABILITIES, **options)
        for number, exchange in enumerate(exchanges):
            entry = Entry(f"tests/contract/test_x.py::test[{number}]")
            checker = Checker(Judge(contract), entry, Redactor(), ledger.gates)
            checker.expect(exchange, Expectation("response.status"))
            ledger.add(json.loads(json.dumps(entry.to_dict())))
        return next(each for each in ledger.outcomes() if each.clause.id == name)

    return outcome


TAGS, KEYS, VALUES = "response.Tags.type", "response.Tags.keys.pattern", "response.Tags.values.type"
NOT_EXERCISED, UPHELD, VIOLATED = outcomes.NOT_EXERCISED, outcomes.UPHELD, outcomes.VIOLATED
#: Clause, members of some answers, and what comes of it: outcome, checks, violations.
OBSERVED: dict[str, tuple[str, list[Document], tuple[str, int, int]]] = {
    "an absent member": (TAGS, [{}], (NOT_EXERCISED, 0, 0)),
    "a null member": (TAGS, [{"Tags": None}], (NOT_EXERCISED, 0, 0)),
    "keys of an absent member": (KEYS, [{}], (NOT_EXERCISED, 0, 0)),
    "keys of an empty map": (KEYS, [{"Tags": {}}], (NOT_EXERCISED, 0, 0)),
    "values of an empty map": (VALUES, [{"Tags": {}}], (NOT_EXERCISED, 0, 0)),
    "an empty map": (TAGS, [{"Tags": {}}], (UPHELD, 1, 0)),
    "a member in two of three": (TAGS, [{}, {"Tags": {"a": "b"}}, {"Tags": {"a": "b"}}], (UPHELD, 2, 0)),
    "keys in two of three": (KEYS, [{}, {"Tags": {"a": "b"}}, {"Tags": {"a": "b"}}], (UPHELD, 2, 0)),
    "one violation among many": (TAGS, [*[{"Tags": {}}] * 9, {"Tags": []}], (VIOLATED, 10, 1)),
    "the length of another type": ("response.RoleArn.maxLength", [{"RoleArn": 1}], (NOT_EXERCISED, 0, 0)),
    "another type": ("response.RoleArn.type", [{"RoleArn": 1}], (VIOLATED, 1, 1)),
    "a required member that is null": (
        "response.CreatedAt.required",
        [{"CreatedAt": None}],
        (VIOLATED, 1, 1),
    ),
    "the type of a null member": ("response.CreatedAt.type", [{"CreatedAt": None}], (NOT_EXERCISED, 0, 0)),
}


@pytest.mark.parametrize(("name", "answers", "due"), OBSERVED.values(), ids=OBSERVED)
def test_a_clause_is_upheld_or_violated_by_what_was_observed(
    outcome: Any, name: str, answers: list[Document], due: tuple[str, int, int]
) -> None:
    found = outcome(name, *(answered(**members) for members in answers))
    assert (found.outcome, found.checks, found.violations) == due
    assert name.split(".")[1] in found.reason or found.outcome != NOT_EXERCISED
    assert found.tests == (("tests/contract/test_x.py::test",) if found.checks else ())


def test_a_waived_clause_is_waived_only_where_it_is_violated(outcome: Any) -> None:
    for members, due in (({"Tags": []}, outcomes.WAIVED), ({"Tags": {}}, UPHELD), ({}, NOT_EXERCISED)):
        assert outcome(TAGS, answered(**members), waived=[TAGS]).outcome == due


def _entry(test: str, **more: Any) -> dict[str, Any]:
    return Entry(test, **more).to_dict()


@pytest.mark.parametrize("violated", [False, True], ids=["not checked", "found broken"])
def test_what_is_not_claimed_can_neither_be_upheld_nor_violated(contract: Contract, violated: bool) -> None:
    name = "sigv4.wrong-secret"
    findings = {name: Finding(name, "403", "200", None, 0)} if violated else {}
    ledger = Ledger(contract, set(CAPABILITIES) - {"signatures"})
    ledger.add(_entry("t", findings=findings, checks=dict.fromkeys(findings, 1)))
    found = next(each for each in ledger.outcomes() if each.clause.id == name)
    assert found.outcome == outcomes.NOT_CLAIMED
    assert "signatures" in found.reason
    assert ledger.violations() == []


def test_what_the_environment_kept_from_being_checked_is_indeterminate(contract: Contract) -> None:
    ledger = Ledger(contract, CAPABILITIES)
    ledger.add(_entry("a", indeterminate={"missing.domain": "gone", "missing.integration": "gone"}))
    ledger.add(_entry("b", checks={"missing.domain": 3}))
    found = {each.clause.id: (each.outcome, each.reason) for each in ledger.outcomes()}
    assert found["missing.integration"] == (outcomes.INDETERMINATE, "gone")
    assert found["missing.domain"] == (outcomes.UPHELD, "")


@pytest.mark.parametrize(("strict", "expected"), [(False, False), (True, True)])
def test_should_clauses_gate_only_when_strict(document: Document, strict: bool, expected: bool) -> None:
    document["x-clauses"][0]["clauses"]["response.tidy"] = {
        "text": "A response SHOULD be tidy.",
        "level": "SHOULD",
    }
    ledger = Ledger(Contract(document), CAPABILITIES, strict=strict)
    ledger.add(_entry("t", findings={"response.tidy": Finding("response.tidy", "", "", None, 0)}))
    assert bool(ledger.violations()) is expected
    assert not Ledger(Contract(document), CAPABILITIES, strict=True).gates("response.request-id")


def test_a_should_that_gates_fails_a_test_only_at_its_end(contract: Contract) -> None:
    checker = Checker(
        Judge(contract), Entry("t"), Redactor(), Ledger(contract, CAPABILITIES, strict=True).gates
    )
    assert checker.ok(answered(RoleArn=None)), "what a test checks next is still decided"
    assert not checker.ok(answered(RoleArn=1))
    with pytest.raises(ContractViolation, match=r"response\.null-members"):
        checker.raise_if_violated()


# --- Merging ------------------------------------------------------------------------------------------------


def _findings() -> list[Finding]:
    sizes = {"t1": 300, "t2": 100, "t3": 200, "t4": 100}
    return [
        Finding("missing.domain", f"due {test}", f"came {test}", {"from": test}, size, number, [test])
        for number, (test, size) in enumerate(sizes.items(), start=1)
    ]


def _merged(order: Iterable[Finding], contract: Contract) -> dict[str, Any]:
    ledger = Ledger(contract, CAPABILITIES)
    for finding in order:
        ledger.add(_entry(finding.places[0], findings={finding.clause: copy.deepcopy(finding)}))
    return vars(ledger.findings["missing.domain"])


def test_one_finding_a_clause_whatever_the_order_with_the_smallest_exchange_first(contract: Contract) -> None:
    merged, *others = (_merged(order, contract) for order in itertools.permutations(_findings()))
    assert all(other == merged for other in others)
    assert merged["exchange"] == {"from": "t2"}
    assert (merged["expected"], merged["actual"], merged["size"]) == ("due t2", "came t2", 100)
    assert merged["count"] == 10
    assert merged["places"] == ["t2", "t1", "t3", "t4"], "the place to repeat comes first"
    many = [Finding("missing.domain", "", "", None, 5, 1, [f"t{number:02}"]) for number in range(40)]
    forward, backward = _merged(many, contract), _merged(reversed(many), contract)
    assert forward == backward
    assert (forward["count"], len(forward["places"]) < 40) == (40, True)


def test_reasons_do_not_depend_on_the_order_of_workers(contract: Contract) -> None:
    entries = [_entry(test, not_exercised={"missing.domain": f"because of {test}"}) for test in "abc"]
    for order in itertools.permutations(entries):
        ledger = Ledger(contract, CAPABILITIES)
        for entry in order:
            ledger.add(entry)
        (reason,) = (each.reason for each in ledger.outcomes() if each.clause.id == "missing.domain")
        assert reason == "because of a"


def test_a_test_keeps_the_smallest_of_its_own_exchanges(contract: Contract) -> None:
    checker, entry = checking()
    for padding in (500, 10, 90):
        checker.expect(
            answered(Uri="another", Padding="x" * padding), Expectation("response.status", uri="s3://a")
        )
    finding = entry.findings["response.echo.Uri"]
    assert (finding.count, finding.places) == (3, ["t"])
    assert finding.exchange is not None
    assert '"Padding": "xxxxxxxxxx"' in finding.exchange["response"]["body"]
    with pytest.raises(ContractViolation, match=r"response\.echo\.Uri"):
        checker.raise_if_violated()


# --- What a target promises of itself -----------------------------------------------------------------------


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
    ("count", "limit", "violated"),
    [
        (1, None, set()),
        (2, None, {"transport.stray-faults"}),
        (2, 0.05, {"transport.stray-faults"}),
        (6, 0.05, {"transport.stray-faults", "faults.limit"}),
        (1, 0, set()),
    ],
)
def test_passing_faults_are_held_against_the_usual_share_and_the_limit(
    contract: Contract, count: int, limit: float | None, violated: set[str]
) -> None:
    ledger = Ledger(contract, CAPABILITIES)
    failed = Exchange("", Request("POST", "/"), Response(500, "", (), b""), None, 0.0, 0.1)
    entry = Entry("tests/contract/test_valid.py::test_it", "valid")
    for _ in range(100):
        entry.observe(failed)
    for _ in range(count):
        entry.record(Check(STRAY_FAULTS, False), failed.to_dict(), failed.size)
    ledger.add(entry.to_dict())
    ledger.judge_faults(limit)
    found = {entry.clause.id: entry for entry in ledger.outcomes() if entry.outcome == outcomes.VIOLATED}
    assert set(found) == violated
    for clause, outcome in found.items():
        assert outcome.gating == (clause == "faults.limit")
        assert ledger.findings[clause].places == [entry.test]
        assert ledger.findings[clause].actual.startswith(f"{count} of 100 requests")
