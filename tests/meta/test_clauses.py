"""Clauses have lasting ids, follow from the description, and are upheld only by what was observed."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from getintegration_contract.contract import Contract
from getintegration_contract.errors import ContractError
from getintegration_contract.exchange import Exchange, Request, Response
from getintegration_contract.judging import ledger as outcomes
from getintegration_contract.judging.checker import Checker, ContractViolation
from getintegration_contract.judging.judge import Check, Expectation, Judge
from getintegration_contract.judging.ledger import STRAY_FAULTS, Entry, Finding, Ledger
from getintegration_contract.redact import Redactor
from getintegration_contract.target.capabilities import CAPABILITIES

from .conftest import RunSuite
from .support import DESCRIPTION, Result, checking, suite

#: What the default run leaves open on the emulator, and why; what is exercised after all has to go.
OPEN = {
    "error.InternalServerException.status": "only a fault shows it",
    "sdk.aws-cli": "asked at nightly depth",
    "sdk.javascript": "asked at nightly depth",
    "latency.limit": "only a target file sets a limit",
    "faults.limit": "only a target file sets a limit",
    "transport.retry-after": "only a server that is too busy sends one",
}

Document = dict[str, Any]


# --- Ids ----------------------------------------------------------------------------------------------------


def _reversed(node: Any) -> Any:
    """The same document with all members, and all groups of clauses, in the opposite order."""
    if isinstance(node, dict):
        return {key: _reversed(node[key]) for key in reversed(node)}
    if isinstance(node, list):
        return [_reversed(each) for each in (reversed(node) if node and isinstance(node[0], dict) else node)]
    return node


def test_order_of_the_description_changes_no_clause(document: Document, contract: Contract) -> None:
    turned = Contract(_reversed(document))
    assert list(turned.clauses) != list(contract.clauses)
    assert turned.clauses == contract.clauses


def test_no_id_is_written_twice() -> None:
    # A YAML reader takes the last of two equal keys without a word.
    seen: list[str] = []

    def walk(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            seen.extend(f"{key}, line {node.start_mark.line}" for key in keys if keys.count(key) > 1)
            for _, value in node.value:
                walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                walk(value)

    walk(yaml.compose(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader))
    assert seen == []


def test_a_written_clause_cannot_take_the_id_of_another(document: Document) -> None:
    document["x-clauses"][0]["clauses"]["response.Uri.maxLength"] = "The Uri MUST be short."
    with pytest.raises(ContractError, match=r"response\.Uri\.maxLength is written twice"):
        Contract(document)


def test_ids_are_readable_in_a_pattern_and_on_a_command_line(contract: Contract) -> None:
    assert [name for name in contract.clauses if not re.fullmatch(r"[\w.-]+", name, re.A)] == []


# --- A new constraint is a new clause -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "constraint", "value", "broken"),
    [
        ("RoleArn", "minLength", 20, "arn:aws:iam::1:role"),
        ("WorkflowId", "pattern", "^[0-9a-f]+$", "xyz"),
        ("ObjectTypeName", "enum", ["A", None], "B"),
        ("EventTriggerNames", "minItems", 1, []),
        ("Tags", "minProperties", 1, {}),
        ("ObjectTypeNames", "maxProperties", 1, {"a": "b", "c": "d"}),
        ("LastUpdatedAt", "minimum", 1_500_000_000, 5),
        ("CreatedAt", "maximum", 2_000_000_000, 3_000_000_000),
    ],
)
def test_new_constraint_is_a_new_clause(
    document: Document, contract: Contract, member: str, constraint: str, value: object, broken: object
) -> None:
    document["components"]["schemas"]["Integration"]["properties"][member][constraint] = value
    changed, name = Contract(document), f"response.{member}.{constraint}"
    assert changed.clauses.keys() - contract.clauses.keys() == {name}
    assert not _checks(changed, _answer(**{member: broken}))[name]


def test_new_member_is_known_and_its_constraints_are_clauses(document: Document, contract: Contract) -> None:
    document["components"]["schemas"]["Integration"]["properties"]["Owner"] = {
        "type": ["object", "null"],
        "x-provenance": "model",
        "x-source": "botocore",
        "properties": {"Name": {"type": "string", "maxLength": 3}},
        "required": ["Name"],
    }
    changed = Contract(document)
    names = {"type", "Name.type", "Name.maxLength", "Name.required"}
    assert changed.clauses.keys() - contract.clauses.keys() == {f"response.Owner.{name}" for name in names}
    checks = _checks(changed, _answer(Owner={"Name": "long"}))
    assert checks["response.unknown-members"]
    assert not checks["response.Owner.Name.maxLength"]
    assert not _checks(changed, _answer(Owner={}))["response.Owner.Name.required"]


def test_new_request_constraint_is_known_to_the_oracle(document: Document) -> None:
    body = document["paths"]["/domains/{DomainName}/integrations"]["post"]["requestBody"]["content"]
    body["application/json"]["schema"]["properties"]["Uri"]["pattern"] = "^s3:"
    assert Contract(document).violated_by("name", {"Uri": "arn:x"}) == ["request.Uri.pattern"]


def test_a_keyword_that_gives_no_clause_is_refused(document: Document) -> None:
    document["components"]["schemas"]["Integration"]["properties"]["Uri"]["format"] = "uri"
    with pytest.raises(ContractError, match="no clause can be made from the keyword format"):
        Contract(document)


# --- Tests and clauses --------------------------------------------------------------------------------------


def test_a_scenario_that_names_an_unknown_clause_fails(run_suite: RunSuite, tmp_path: Path) -> None:
    scenario = tmp_path / "test_unknown.py"
    scenario.write_text(
        "import pytest\n\n@pytest.mark.clauses('response.no-such-clause')\ndef test_unknown():\n    pass\n"
    )
    result = run_suite(suite("access"), scenario)
    assert "names the clause response.no-such-clause, which does not exist" in result.stdout
    assert (result.status, len(result.report["errors"])) == (3, 1)


def test_the_default_run_exercises_every_clause_but_the_listed_ones(default_run: Result) -> None:
    left = {name for name, outcome in default_run.outcomes.items() if outcome != outcomes.UPHELD}
    assert sorted(left - OPEN.keys()) == [], "not exercised, and not listed"
    assert sorted(OPEN.keys() - left) == [], "listed, but exercised, or no clause at all"


# --- Outcomes -----------------------------------------------------------------------------------------------


def _answer(**members: object) -> Exchange:
    document = {"DomainName": "name", "Uri": "s3://a", "CreatedAt": 1, "LastUpdatedAt": 2, **members}
    headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", "1"))
    response = Response(200, "", headers, json.dumps(document).encode())
    return Exchange("http://t", Request("POST", "/domains/name/integrations"), response)


def _checks(contract: Contract, exchange: Exchange) -> dict[str, bool]:
    """Each clause that was checked, and whether it held every time."""
    held: dict[str, bool] = {}
    for check in Judge(contract).judge(exchange, Expectation("response.status", domain="name", uri="s3://a")):
        held[check.clause] = held.get(check.clause, True) and check.ok
    return held


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
    found = outcome(name, *(_answer(**members) for members in answers))
    assert (found.outcome, found.checks, found.violations) == due
    assert name.split(".")[1] in found.reason or found.outcome != NOT_EXERCISED
    assert found.tests == (("tests/contract/test_x.py::test",) if found.checks else ())


def test_a_waived_clause_is_waived_only_where_it_is_violated(outcome: Any) -> None:
    for members, due in (({"Tags": []}, outcomes.WAIVED), ({"Tags": {}}, UPHELD), ({}, NOT_EXERCISED)):
        assert outcome(TAGS, _answer(**members), waived=[TAGS]).outcome == due


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
    assert checker.ok(_answer(RoleArn=None)), "what a test checks next is still decided"
    assert not checker.ok(_answer(RoleArn=1))
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
            _answer(Uri="another", Padding="x" * padding), Expectation("response.status", uri="s3://a")
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
