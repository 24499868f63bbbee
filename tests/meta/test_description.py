"""The description is valid OpenAPI, says what AWS's model says, and says where each statement comes from.

Smithy's tests, which clauses cite, are in docs/restjson1.md.
"""

import fnmatch
import re
from typing import Any

import jsonschema_rs
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader
from openapi_spec_validator import OpenAPIV31SpecValidator

from getintegration_contract.contract import PATH, Contract
from getintegration_contract.errors import UsageError

from .model import Difference, differences
from .support import CONTRACT, ROOT, Result, edited

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
    document["paths"][PATH]["post"]["parameters"][0]["in"] = "footer"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()), "what is invalid is noticed"


def test_description_says_what_the_model_says(document: Document, model: Document) -> None:
    assert "\n".join(_departures(document, model)) == "", "AWS's model has moved on"


def test_every_ruling_is_written_down_and_needed(document: Document, model: Document) -> None:
    assert {_ruling(found) for found in differences(document, model)} == set(RULINGS)
    for schema, member in RULINGS.values():
        assert document["components"]["schemas"][schema]["properties"][member].get("x-ruling"), member


_REQUEST, _RESPONSE = "shapes.GetIntegrationRequest", "shapes.GetIntegrationResponse"
#: Places of the model, and what stands there when it has moved on.
_NEW: Document = {
    f"{_REQUEST}.members.View": {"shape": "Scope"},
    f"{_REQUEST}.required": ["DomainName", "Uri", "View"],
    "operations.GetIntegration.errors": [{"shape": "Conflict"}],
    "shapes.Conflict": {"type": "structure", "members": {}, "error": {"httpStatusCode": 409}},
}
#: What moves, where that is told, and the description's and the model's word.
MOVES: list[tuple[Document, str, str, str]] = [
    (_NEW, "request.View, place", "nothing", "body"),
    (_NEW, "request.View, required", "nothing", "True"),
    (_NEW, "error.Conflict, status", "nothing", "409"),
    ({f"{_RESPONSE}.members.Owner": {"shape": "name"}}, "response.Owner, most", "nothing", "64"),
    ({f"{_RESPONSE}.members": {}}, "response.WorkflowId, type", "string", "nothing"),
    ({f"{_RESPONSE}.required": ["Tags"]}, "response.Tags, required", "False", "True"),
    ({"shapes.timestamp.timestampFormat": "a"}, "response.CreatedAt, timestampFormat", "nothing", "a"),
    ({"shapes.name.max": 128}, "request.DomainName, most", "64", "128"),
    ({"shapes.name.min": 2}, "response.EventTriggerNames.items, fewest", "1", "2"),
    ({"shapes.TagMap.max": 200}, "response.Tags, most", "50", "200"),
    ({"shapes.TagValue.type": "long"}, "response.Tags.values, type", "string", "number"),
    ({"shapes.Scope.enum": ["PROFILE"]}, "response.Scope, choices", "['DOMAIN', 'PROFILE']", "['PROFILE']"),
    ({"operations.GetIntegration.http.method": "GET"}, "operation, method", "POST", "GET"),
    ({"metadata.signingName": "a"}, "operation, signing name", "profile", "a"),
]


@pytest.mark.parametrize(
    ("changes", "place", "described", "modelled"), MOVES, ids=[move[1] for move in MOVES]
)
def test_a_model_that_moved_on_is_told_readably(
    document: Document, model: Document, changes: Document, place: str, described: str, modelled: str
) -> None:
    sentence = f"{place}: the description says {described}, AWS's model says {modelled}"
    assert sentence in _departures(document, edited(model, changes))


def test_examples_keep_the_schemas(document: Document) -> None:
    operation = document["paths"][PATH]["post"]
    body = operation["requestBody"]["content"]["application/json"]
    answer = operation["responses"]["200"]["content"]["application/json"]
    integration = document["components"]["schemas"]["Integration"]
    for schema, examples in ((body["schema"], body["examples"]), (integration, answer["examples"])):
        for example in examples.values():
            jsonschema_rs.validate(schema, example["value"])


def test_every_clause_and_scheme_has_provenance_and_source(document: Document) -> None:
    for clause in Contract(document).clauses.values():
        assert clause.provenance in PROVENANCES, clause.id
        assert clause.source.strip(), clause.id
        assert clause.text.endswith("."), clause.id
    for name, scheme in document["components"]["securitySchemes"].items():
        assert scheme["x-provenance"] in PROVENANCES, name
        assert scheme["x-source"], name


def test_a_statement_without_provenance_is_refused(document: Document) -> None:
    del document["paths"][PATH]["post"]["x-provenance"]
    with pytest.raises(UsageError, match="needs a provenance and a source"):
        Contract(document)


def test_a_gateway_or_rumour_cannot_fail_a_target(document: Document) -> None:
    gating = {
        clause.provenance for clause in Contract(document).clauses.values() if clause.gates(strict=True)
    }
    assert gating == {"doc", "model", "protocol", "target"}


# --- The sources that clauses cite --------------------------------------------------------------------------

TABLE = (ROOT / "docs" / "restjson1.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\w+) \| `([\w.-]+)` \| `(\w+\.py)::(\w+)` \|$", TABLE, re.MULTILINE)
SMITHY = "Smithy restJson1 tests, "


def test_each_row_names_a_scenario_that_checks_the_clause(default_run: Result) -> None:
    checked = {
        (clause["id"], test.rpartition("/")[2])
        for clause in default_run.report["clauses"]
        for test in clause["tests"]
    }
    named = {(clause, f"{file}::{scenario}") for _, clause, file, scenario in ROWS}
    assert sorted(named - checked) == []


def test_each_of_smithys_tests_stands_in_one_row_or_is_named_once_with_a_reason() -> None:
    rows = re.findall(
        r"^\| ([\w/-]+) \| ([^|]+) \| [^|]{10,} \|$", TABLE.partition("not apply")[2], re.MULTILINE
    )
    assert (len(ROWS) > 35, len(rows) > 40) == (True, True)
    assert len({row[0] for row in ROWS}) == len(ROWS)
    for file, tests in rows:
        names = tests.strip().split(", ")
        assert len({*names} - {row[0] for row in ROWS}) == len(names), file
        assert [name for name in names if not re.fullmatch(r"[A-Z]\w{8,}", name)] == [], file


def test_every_test_that_a_clause_cites_stands_in_the_table() -> None:
    sources = {clause.source for clause in CONTRACT.clauses.values() if SMITHY in clause.source}
    cited = {test for source in sources for test in re.findall(r"\b(?:RestJson|AcceptHeader)\w+", source)}
    assert len(cited) > 8
    assert sorted(cited - {row[0] for row in ROWS}) == []


def test_no_source_is_vague() -> None:
    vague = re.compile(r"^(restJson1\b|Signature Version 4$|AWS SDKs$|HTTP/1.1)")
    assert [clause.id for clause in CONTRACT.clauses.values() if vague.match(clause.source)] == []


def test_addresses_are_those_of_the_endpoint_rules() -> None:
    loader = Loader()
    rules = loader.load_service_model("customer-profiles", "endpoint-rule-set-1")
    provider = EndpointProvider(rules, loader.load_data("partitions"))
    described = set()
    for server in CONTRACT.document["servers"]:
        region = server["variables"]["region"]["default"]
        url = server["url"].format(region=region)
        kind = (region, "-fips." in url, ".api." in url)
        assert provider.resolve_endpoint(Region=kind[0], UseFIPS=kind[1], UseDualStack=kind[2]).url == url
        described.add(kind)
    assert len(described) == len(CONTRACT.document["servers"])
