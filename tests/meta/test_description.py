"""The description is valid OpenAPI, says what AWS's model says, and says where each statement comes from."""

from __future__ import annotations

import copy
import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest
from botocore.loaders import Loader
from openapi_spec_validator import OpenAPIV31SpecValidator

from getintegration_contract.contract import PATH, Contract
from getintegration_contract.errors import ContractError

from .model import Difference, differences

PROVENANCES = {"doc", "model", "protocol", "observed", "inferred", "recorded", "target"}

#: All departures from AWS's model, each with the member whose x-ruling decides so.
RULINGS = {
    "response.EventTriggerNames, fewest": ("Integration", "EventTriggerNames"),
    "response.RoleArn, pattern": ("Integration", "RoleArn"),
    "response.Tags, fewest": ("Integration", "Tags"),
    "error.*.message, *": ("Error", "message"),
}

Document = dict[str, Any]


@pytest.fixture(scope="module")
def installed() -> Document:
    """What AWS's service model, in the botocore that is installed, says of the operation."""
    model = Loader().load_service_model("customer-profiles", "service-2", "2020-08-15")
    operation, shapes = model["operations"]["GetIntegration"], model["shapes"]
    names = _names(operation)
    while names != (grown := names | _names({name: shapes[name] for name in names})):
        names = grown
    return {
        "metadata": model["metadata"],
        "operations": {"GetIntegration": operation},
        "shapes": {name: shapes[name] for name in names},
    }


def _names(node: Any) -> set[str]:
    """The shapes that a part of a model refers to."""
    if isinstance(node, list):
        return set().union(*map(_names, node))
    if not isinstance(node, dict):
        return set()
    own = {node["shape"]} if isinstance(node.get("shape"), str) else set()
    return own.union(*map(_names, node.values()))


@pytest.fixture
def model(installed: Document) -> Document:
    """The same, to be changed at will."""
    return copy.deepcopy(installed)


def _ruling(difference: Difference) -> str | None:
    """The entry of RULINGS that covers a difference."""
    place = f"{difference.place}, {difference.statement}"
    return next((pattern for pattern in RULINGS if fnmatch.fnmatchcase(place, pattern)), None)


def _departures(document: Document, model: Document) -> list[str]:
    """Differences that no ruling covers."""
    return [str(found) for found in differences(document, model) if _ruling(found) is None]


def test_description_is_valid_openapi(document: Document) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_invalid_openapi_would_be_noticed(document: Document) -> None:
    document["paths"][PATH]["post"]["parameters"][0]["in"] = "footer"
    assert list(OpenAPIV31SpecValidator(document).iter_errors())


def test_description_says_what_the_model_says(document: Document, model: Document) -> None:
    assert "\n".join(_departures(document, model)) == "", "AWS's model has moved on"


def test_every_ruling_is_written_down_and_needed(document: Document, model: Document) -> None:
    assert {_ruling(found) for found in differences(document, model)} == set(RULINGS)
    for schema, member in RULINGS.values():
        assert document["components"]["schemas"][schema]["properties"][member].get("x-ruling"), member


def _shape(name: str, **traits: Any) -> Callable[[Document], None]:
    return lambda model: model["shapes"][name].update(traits)


def _new_member(model: Document) -> None:
    model["shapes"]["GetIntegrationResponse"]["members"]["Owner"] = {"shape": "name"}


def _new_request_member(model: Document) -> None:
    model["shapes"]["GetIntegrationRequest"]["members"]["View"] = {"shape": "Scope"}
    model["shapes"]["GetIntegrationRequest"]["required"].append("View")


def _member_gone(model: Document) -> None:
    del model["shapes"]["GetIntegrationResponse"]["members"]["WorkflowId"]


def _new_error(model: Document) -> None:
    model["operations"]["GetIntegration"]["errors"].append({"shape": "ConflictException"})
    model["shapes"]["ConflictException"] = {
        "type": "structure",
        "members": {},
        "error": {"httpStatusCode": 409},
    }


def _required(model: Document) -> None:
    model["shapes"]["GetIntegrationResponse"]["required"].append("Tags")


def _milliseconds(model: Document) -> None:
    model["shapes"]["timestamp"]["timestampFormat"] = "iso8601"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_new_member, "response.Owner, type: the description says nothing, AWS's model says string"),
        (_new_member, "response.Owner, most: the description says nothing, AWS's model says 64"),
        (_new_request_member, "request.View, required: the description says nothing, AWS's model says True"),
        (_new_request_member, "request.View, place: the description says nothing, AWS's model says body"),
        (_member_gone, "response.WorkflowId, type: the description says string, AWS's model says nothing"),
        (_new_error, "error.ConflictException, status: the description says nothing, AWS's model says 409"),
        (_required, "response.Tags, required: the description says False, AWS's model says True"),
        (
            _milliseconds,
            "response.CreatedAt, timestampFormat: the description says nothing, AWS's model says iso8601",
        ),
        (_shape("name", max=128), "request.DomainName, most: the description says 64, AWS's model says 128"),
        (
            _shape("name", min=2),
            "response.EventTriggerNames.items, fewest: the description says 1, AWS's model says 2",
        ),
        (_shape("TagMap", max=200), "response.Tags, most: the description says 50, AWS's model says 200"),
        (_shape("TagKey", pattern=".+"), "response.Tags.keys, pattern: the description says"),
        (
            _shape("TagValue", type="long"),
            "response.Tags.values, type: the description says string, AWS's model says number",
        ),
        (
            _shape("Scope", enum=["PROFILE"]),
            "response.Scope, choices: the description says ['DOMAIN', 'PROFILE']",
        ),
        (
            _shape("ThrottlingException", error={"httpStatusCode": 400}),
            "error.ThrottlingException, status: the description says 429, AWS's model says 400",
        ),
        (
            lambda model: model["operations"]["GetIntegration"]["http"].update(method="GET"),
            "operation, method: the description says POST, AWS's model says GET",
        ),
        (
            lambda model: model["operations"]["GetIntegration"]["http"].update(requestUri="/v2"),
            "operation, path: the description says /domains/{DomainName}/integrations, AWS's model says /v2",
        ),
        (
            lambda model: model["metadata"].update(signingName="profiles"),
            "operation, signing name: the description says profile, AWS's model says profiles",
        ),
    ],
)
def test_a_model_that_moved_on_is_told_readably(
    document: Document, model: Document, change: Callable[[Document], object], sentence: str
) -> None:
    change(model)
    told = _departures(document, model)
    assert any(line.startswith(sentence) for line in told), told


@pytest.mark.parametrize("constraint", ["maxLength", "minLength", "pattern"])
def test_a_constraint_dropped_from_the_description_is_told(
    document: Document, model: Document, constraint: str
) -> None:
    del document["components"]["schemas"]["name"][constraint]
    assert any(line.startswith("request.DomainName") for line in _departures(document, model))


def test_examples_keep_the_schemas(document: Document) -> None:
    operation = document["paths"][PATH]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    answer = operation["responses"]["200"]["content"]["application/json"]
    integration = document["components"]["schemas"]["Integration"]
    for schema, examples in ((body["schema"], body["examples"]), (integration, answer["examples"])):
        for example in examples.values():
            jsonschema_rs.validate(schema, example["value"])


def _statements(
    document: Document, node: Any, place: str, inherited: tuple[str, str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Every node that states something, with the provenance and source that it has or inherits."""
    if not isinstance(node, dict):
        return
    if "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    facts = node.get("x-provenance", inherited[0]), node.get("x-source", inherited[1])
    if {"type", "schema", "content", "required", "maxLength", "x-error-type"} & node.keys():
        yield place, facts
    for fact in node.get("x-facts", {}).values():
        yield f"{place}/x-facts", (fact.get("provenance", ""), fact.get("source", ""))
    for key, child in node.items():
        if key not in ("x-facts", "examples", "required", "enum"):
            for part in child if isinstance(child, list) else [child]:
                yield from _statements(document, part, f"{place}/{key}", facts)


def test_every_statement_has_provenance_and_source(document: Document) -> None:
    roots = {"operation": document["paths"][PATH]["post"], **document["components"]["securitySchemes"]}
    statements = [
        found for name, root in roots.items() for found in _statements(document, root, name, ("", ""))
    ]
    assert len(statements) > 70
    assert [
        place for place, (provenance, source) in statements if provenance not in PROVENANCES or not source
    ] == []


def test_every_clause_has_provenance_source_and_a_level(document: Document) -> None:
    for clause in Contract(document).clauses.values():
        assert clause.provenance in PROVENANCES, clause.id
        assert clause.source.strip(), clause.id
        assert clause.text.endswith("."), clause.id


def test_a_statement_without_provenance_is_refused(document: Document) -> None:
    del document["paths"][PATH]["post"]["x-provenance"]
    with pytest.raises(ContractError, match="needs a provenance and a source"):
        Contract(document)


def test_a_gateway_or_rumour_cannot_fail_a_target(document: Document) -> None:
    gating = {
        clause.provenance for clause in Contract(document).clauses.values() if clause.gates(strict=True)
    }
    assert gating == {"doc", "model", "protocol", "target"}
