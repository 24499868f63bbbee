"""The description is valid OpenAPI, says what AWS's model says, and says where each statement comes from."""

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


@pytest.fixture
def model() -> Document:
    """AWS's service model, in the botocore that is installed, to be changed at will."""
    return dict(Loader().load_service_model("customer-profiles", "service-2", "2020-08-15"))


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


def _new(model: Document) -> None:
    model["shapes"]["GetIntegrationRequest"]["members"]["View"] = {"shape": "Scope"}
    model["shapes"]["GetIntegrationRequest"]["required"].append("View")
    model["operations"]["GetIntegration"]["errors"].append({"shape": "ConflictException"})
    fault = {"type": "structure", "members": {}, "error": {"httpStatusCode": 409}}
    model["shapes"]["ConflictException"] = fault
    _response(model)["members"]["Owner"] = {"shape": "name"}


def _response(model: Document) -> Document:
    return dict(model["shapes"]["GetIntegrationResponse"])


def _shape(name: str, **traits: Any) -> Callable[[Document], object]:
    return lambda model: model["shapes"][name].update(traits)


#: How the model may move on, and what is told: the description's, then the model's.
MOVES: list[tuple[Callable[[Document], object], str, str, str]] = [
    (_new, "request.View, required", "nothing", "True"),
    (_new, "request.View, place", "nothing", "body"),
    (_new, "error.ConflictException, status", "nothing", "409"),
    (
        lambda m: _response(m)["members"].update(Owner={"shape": "name"}),
        "response.Owner, most",
        "nothing",
        "64",
    ),
    (lambda m: _response(m)["members"].pop("WorkflowId"), "response.WorkflowId, type", "string", "nothing"),
    (lambda m: _response(m)["required"].append("Tags"), "response.Tags, required", "False", "True"),
    (_shape("timestamp", timestampFormat="a"), "response.CreatedAt, timestampFormat", "nothing", "a"),
    (_shape("name", max=128), "request.DomainName, most", "64", "128"),
    (_shape("name", min=2), "response.EventTriggerNames.items, fewest", "1", "2"),
    (_shape("TagMap", max=200), "response.Tags, most", "50", "200"),
    (_shape("TagValue", type="long"), "response.Tags.values, type", "string", "number"),
    (_shape("Scope", enum=["PROFILE"]), "response.Scope, choices", "['DOMAIN', 'PROFILE']", "['PROFILE']"),
    (
        lambda m: m["operations"]["GetIntegration"]["http"].update(method="GET"),
        *("operation, method", "POST", "GET"),
    ),
    (lambda m: m["metadata"].update(signingName="a"), "operation, signing name", "profile", "a"),
]


@pytest.mark.parametrize(("change", "place", "described", "modelled"), MOVES, ids=[move[1] for move in MOVES])
def test_a_model_that_moved_on_is_told_readably(
    document: Document, model: Document, change: Any, place: str, described: str, modelled: str
) -> None:
    change(model)
    sentence = f"{place}: the description says {described}, AWS's model says {modelled}"
    assert sentence in _departures(document, model)


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
