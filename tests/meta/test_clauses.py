"""Clauses have lasting ids, follow from the description, and are upheld only by what was observed."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from getintegration_contract.contract import Contract
from getintegration_contract.errors import UsageError
from getintegration_contract.exchange import Exchange
from getintegration_contract.judging import ledger as outcomes
from getintegration_contract.judging.judge import Expectation, Judge

from .exchanges import answered
from .support import CONTRACT, DESCRIPTION, Result

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


def test_order_of_the_description_changes_no_clause(document: Document) -> None:
    turned = Contract(_reversed(document))
    assert list(turned.clauses) != list(CONTRACT.clauses)
    assert turned.clauses == CONTRACT.clauses


def _repeated(node: yaml.Node) -> Iterator[str]:
    """Keys that stand twice in one mapping, of which a YAML reader takes the last without a word."""
    if isinstance(node, yaml.MappingNode):
        keys = Counter(key.value for key, _ in node.value)
        yield from (f"{key}, line {node.start_mark.line}" for key, count in keys.items() if count > 1)
    for each in node.value if isinstance(node, yaml.CollectionNode) else ():
        yield from _repeated(each[1] if isinstance(each, tuple) else each)


def test_no_id_is_written_twice() -> None:
    assert list(_repeated(yaml.compose(DESCRIPTION.read_text(encoding="utf-8"), yaml.CSafeLoader))) == []
    assert list(_repeated(yaml.compose("a: [{b: 1, b: 2}]"))) == ["b, line 0"]


def test_a_written_clause_cannot_take_the_id_of_another(document: Document) -> None:
    document["x-clauses"][0]["clauses"]["response.Uri.maxLength"] = "The Uri MUST be short."
    with pytest.raises(UsageError, match=r"response\.Uri\.maxLength is written twice"):
        Contract(document)


def test_ids_are_readable_in_a_pattern_and_on_a_command_line() -> None:
    assert [name for name in CONTRACT.clauses if not re.fullmatch(r"[\w.-]+", name, re.A)] == []


# --- A new constraint is a new clause -----------------------------------------------------------------------


def _checks(contract: Contract, exchange: Exchange) -> dict[str, bool]:
    """Each clause that was checked, and whether it held every time."""
    held: dict[str, bool] = {}
    for check in Judge(contract).judge(exchange, Expectation("response.status")):
        held[check.clause] = held.get(check.clause, True) and check.ok
    return held


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
    document: Document, member: str, constraint: str, value: object, broken: object
) -> None:
    document["components"]["schemas"]["Integration"]["properties"][member][constraint] = value
    changed, name = Contract(document), f"response.{member}.{constraint}"
    assert changed.clauses.keys() - CONTRACT.clauses.keys() == {name}
    assert not _checks(changed, answered(**{member: broken}))[name]


def test_new_member_is_known_and_its_constraints_are_clauses(document: Document) -> None:
    document["components"]["schemas"]["Integration"]["properties"]["Owner"] = {
        "type": ["object", "null"],
        "x-provenance": "model",
        "x-source": "botocore",
        "properties": {"Name": {"type": "string", "maxLength": 3}},
        "required": ["Name"],
    }
    changed = Contract(document)
    names = {"type", "Name.type", "Name.maxLength", "Name.required"}
    assert changed.clauses.keys() - CONTRACT.clauses.keys() == {f"response.Owner.{name}" for name in names}
    checks = _checks(changed, answered(Owner={"Name": "long"}))
    assert checks["response.unknown-members"]
    assert not checks["response.Owner.Name.maxLength"]
    assert not _checks(changed, answered(Owner={}))["response.Owner.Name.required"]


def test_new_request_constraint_is_known_to_the_oracle(document: Document) -> None:
    body = document["paths"]["/domains/{DomainName}/integrations"]["post"]["requestBody"]["content"]
    body["application/json"]["schema"]["properties"]["Uri"]["pattern"] = "^s3:"
    assert Contract(document).violated_by("name", {"Uri": "arn:x"}) == ["request.Uri.pattern"]


def test_a_keyword_that_gives_no_clause_is_refused(document: Document) -> None:
    document["components"]["schemas"]["Integration"]["properties"]["Uri"]["format"] = "uri"
    with pytest.raises(UsageError, match="no clause can be made from the keyword format"):
        Contract(document)


# --- A run --------------------------------------------------------------------------------------------------


def test_the_default_run_exercises_every_clause_but_the_listed_ones(default_run: Result) -> None:
    left = {name for name, outcome in default_run.outcomes.items() if outcome != outcomes.UPHELD}
    assert sorted(left - OPEN.keys()) == [], "not exercised, and not listed"
    assert sorted(OPEN.keys() - left) == [], "listed, but exercised, or no clause at all"
