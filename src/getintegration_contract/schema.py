"""The JSON Schemas (2020-12) of the files that the suite reads again: ``schema.json`` beside their code."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs

from getintegration_contract.text import shorten


@cache
def schema(package: str) -> dict[str, Any]:
    """The published schema of a package."""
    text = (resources.files(package) / "schema.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


@cache
def _validator(package: str, part: str | None) -> Any:
    published = schema(package)
    if part:
        published = {"$schema": published["$schema"], "$defs": published["$defs"], "$ref": f"#/$defs/{part}"}
    return jsonschema_rs.validator_for(published)


def schema_fault(document: Any, package: str, part: str | None = None, *root: str) -> str | None:
    """Where a document first breaks the schema of a package or a part of it, and how; None if it keeps it."""
    for fault in _validator(package, part).iter_errors(document):
        place = ".".join([*root, *map(str, fault.instance_path)]) or "the document"
        return f"{place}: {shorten(fault.message, 200)}"
    return None
