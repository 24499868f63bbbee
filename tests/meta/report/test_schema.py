"""report.json keeps its published schema, and the schema lets nothing else through."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from getintegration_contract.report import schema
from getintegration_contract.report.document import SCHEMA_VERSION


def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def test_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["properties"]["schema_version"] == {"const": SCHEMA_VERSION}


def test_every_report_keeps_it(document: dict[str, Any]) -> None:
    _validator().validate(json.loads(json.dumps(document)))


def test_every_object_is_closed() -> None:
    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for child in node for found in objects(child)]
        if not isinstance(node, dict):
            return []
        own = [node] if node.get("type") == "object" else []
        return own + [found for child in node.values() for found in objects(child)]

    assert all("additionalProperties" in node for node in objects(schema()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 2),
        (("verdict",), "green"),
        (("started",), "yesterday"),
        (("extra",), 1),
        (("clauses", 0, "outcome"), "skipped"),
        (("clauses", 0, "extra"), 1),
        (("run", "seed"), "0"),
        (("counts", "odd"), 1),
        (("findings", 0, "exchange", "request", "headers", 0), ["only a name"]),
    ],
)
def test_anything_else_is_refused(failing: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(failing)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert not _validator().is_valid(changed)


def test_every_member_is_required(failing: dict[str, Any]) -> None:
    for name in failing:
        assert not _validator().is_valid({key: value for key, value in failing.items() if key != name})
