"""Outcomes of clauses: by what was observed, whatever the order in which workers send it."""

import copy
import itertools
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from getintegration_contract.contract import Contract
from getintegration_contract.judging import ledger as outcomes
from getintegration_contract.judging.checker import ContractViolation
from getintegration_contract.judging.judge import Check, Expectation
from getintegration_contract.judging.ledger import STRAY_FAULTS, Entry, Finding, Ledger
from getintegration_contract.target.target import CAPABILITIES

from .exchanges import answered, checking
from .support import CONTRACT

Document = dict[str, Any]


def gathered(*entries: Entry, contract: Contract = CONTRACT, **options: Any) -> Ledger:
    """A ledger of these entries, as they come from workers."""
    ledger = Ledger(contract, **{"capabilities": CAPABILITIES, **options})
    for entry in entries:
        ledger.add(json.loads(json.dumps(entry.to_dict())))
    return ledger


def outcome(ledger: Ledger, name: str) -> outcomes.Outcome:
    """How a clause came out."""
    return next(each for each in ledger.outcomes() if each.clause.id == name)


# --- Outcomes -----------------------------------------------------------------------------------------------


def observed(name: str, *answers: Document, **options: Any) -> outcomes.Outcome:
    """How a clause came out after some answers with these members, each in a test of its own."""
    entries = []
    for number, members in enumerate(answers):
        checker, entry = checking(f"tests/contract/test_x.py::test[{number}]")
        checker.expect(answered(**members), Expectation("response.status"))
        entries.append(entry)
    return outcome(gathered(*entries, **options), name)


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
    name: str, answers: list[Document], due: tuple[str, int, int]
) -> None:
    found = observed(name, *answers)
    assert (found.outcome, found.checks, found.violations) == due
    assert name.split(".")[1] in found.reason or found.outcome != NOT_EXERCISED
    assert found.tests == (("tests/contract/test_x.py::test",) if found.checks else ())


def test_a_waived_clause_is_waived_only_where_it_is_violated() -> None:
    for members, due in (({"Tags": []}, outcomes.WAIVED), ({"Tags": {}}, UPHELD), ({}, NOT_EXERCISED)):
        assert observed(TAGS, members, waived=[TAGS]).outcome == due


@pytest.mark.parametrize("violated", [False, True], ids=["not checked", "found broken"])
def test_what_is_not_claimed_can_neither_be_upheld_nor_violated(violated: bool) -> None:
    name = "sigv4.wrong-secret"
    findings = {name: Finding(name, "403", "200", None, 0)} if violated else {}
    entry = Entry("t", findings=findings, checks=Counter(findings.keys()))
    ledger = gathered(entry, capabilities=set(CAPABILITIES) - {"signatures"})
    found = outcome(ledger, name)
    assert (found.outcome, "signatures" in found.reason) == (outcomes.NOT_CLAIMED, True)
    assert ledger.violations() == []


def test_what_the_environment_kept_from_being_checked_is_indeterminate() -> None:
    kept = Entry("a", indeterminate={"missing.domain": "gone", "missing.integration": "gone"})
    ledger = gathered(kept, Entry("b", checks=Counter({"missing.domain": 3})))
    for name, due in (
        ("missing.integration", (outcomes.INDETERMINATE, "gone")),
        ("missing.domain", (UPHELD, "")),
    ):
        found = outcome(ledger, name)
        assert (found.outcome, found.reason) == due


@pytest.mark.parametrize("strict", [False, True])
def test_should_clauses_gate_only_when_strict(document: Document, strict: bool) -> None:
    name = "response.tidy"
    document["x-clauses"][0]["clauses"][name] = {"text": "A response SHOULD be tidy.", "level": "SHOULD"}
    entry = Entry("t", findings={name: Finding(name, "", "", None, 0)})
    ledger = gathered(entry, contract=Contract(document), strict=strict)
    assert bool(ledger.violations()) is strict
    assert not ledger.gates("response.request-id"), "what is only observed never gates"


def test_a_should_that_gates_fails_a_test_only_at_its_end() -> None:
    checker, _ = checking()
    checker.gates = gathered(strict=True).gates
    assert checker.ok(answered(RoleArn=None)), "what a test checks next is still decided"
    assert not checker.ok(answered(RoleArn=1))
    with pytest.raises(ContractViolation, match=r"response\.null-members"):
        checker.raise_if_violated()


# --- Merging ------------------------------------------------------------------------------------------------


def _merged(order: Iterable[Finding]) -> dict[str, Any]:
    entries = [Entry(each.places[0], findings={each.clause: copy.deepcopy(each)}) for each in order]
    return vars(gathered(*entries).findings["missing.domain"])


def test_one_finding_a_clause_whatever_the_order_with_the_smallest_exchange_first() -> None:
    findings = [
        Finding("missing.domain", f"due {test}", f"came {test}", {"from": test}, size, number, [test])
        for number, (test, size) in enumerate((("t1", 300), ("t2", 100), ("t3", 200), ("t4", 100)), start=1)
    ]
    merged, *others = map(_merged, itertools.permutations(findings))
    assert all(other == merged for other in others)
    places = ["t2", "t1", "t3", "t4"]  # the place to repeat comes first
    assert merged == vars(Finding("missing.domain", "due t2", "came t2", {"from": "t2"}, 100, 10, places))
    many = [Finding("missing.domain", "", "", None, 5, 1, [f"t{number:02}"]) for number in range(40)]
    forward, backward = _merged(many), _merged(reversed(many))
    assert forward == backward
    assert (forward["count"], len(forward["places"]) < 40) == (40, True)


def test_reasons_do_not_depend_on_the_order_of_workers() -> None:
    entries = [Entry(test, not_exercised={"missing.domain": f"because of {test}"}) for test in "abc"]
    for order in itertools.permutations(entries):
        assert outcome(gathered(*order), "missing.domain").reason == "because of a"


def test_a_test_keeps_the_smallest_of_its_own_exchanges() -> None:
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


@pytest.mark.parametrize(("slow", "due"), [(0, UPHELD), (2, VIOLATED)])
def test_latency_is_held_against_the_limit_of_the_target(slow: int, due: str) -> None:
    entries = []
    for test, seconds, count in (("valid", 0.01, 99 - slow), ("missing", 0.3, slow), ("throttling", 9.0, 50)):
        entries.append(Entry(f"tests/contract/test_{test}.py::test_it", test, test == "throttling"))
        for _ in range(count):
            entries[-1].observe(replace(answered(), seconds=seconds))
    ledger = gathered(*entries)
    ledger.judge_latency(0.1)
    found = outcome(ledger, "latency.limit")
    assert (found.outcome, found.gating) == (due, True)
    assert not slow or "slowest phase: missing" in ledger.findings["latency.limit"].actual


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
    count: int, limit: float | None, violated: set[str]
) -> None:
    failed, entry = answered(), Entry("tests/contract/test_valid.py::test_it", "valid")
    for _ in range(100):
        entry.observe(failed)
    for _ in range(count):
        entry.record(Check(STRAY_FAULTS, False), failed.to_dict(), failed.size)
    ledger = gathered(entry)
    ledger.judge_faults(limit)
    assert {each.clause.id for each in ledger.outcomes() if each.outcome == VIOLATED} == violated
    for clause in violated:
        assert ledger.gates(clause) == (clause == "faults.limit")
        assert ledger.findings[clause].places == [entry.test]
        assert ledger.findings[clause].actual.startswith(f"{count} of 100 requests")
