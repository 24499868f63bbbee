"""The JSON Schemas of the files that the suite reads: ``schema.json`` beside their code."""

import difflib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from getintegration_contract.text import shorten, visible


@cache
def schema(package: str) -> dict[str, Any]:
    """The published schema of a package of the suite."""
    path = Path(__file__).with_name(package.rpartition(".")[2]) / "schema.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
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


def is_valid(value: Any, part: dict[str, Any]) -> bool:
    """Whether a value keeps a schema; what JSON does not have, such as a date, keeps none.

    By draft 4, to which 1.0 is no integer.
    """
    try:
        return jsonschema_rs.Draft4Validator(part).is_valid(value)
    except ValueError:
        return False


def table_fault(value: Any, part: dict[str, Any], place: str = "") -> str | None:
    """What is wrong with a table that somebody wrote, in the words of its schema; None if nothing is.

    A value is shown, unless it is a table, which may be deep, or ``writeOnly``.
    """
    if is_valid(value, part):
        return None
    names = part.get("properties")
    if names is None:
        return f"{place} must be {part['description']}{_instead(value, part)}"
    if not isinstance(value, dict):
        return f"{place or 'it'} must be a table with {', '.join(names)}"
    root = f"{place}." if place else ""
    for name, each in value.items():
        if name not in names:
            kind, kinds = part.get("x-names", ("key", "keys"))
            meant = _near(name, names) or f"the {kinds} are {', '.join(names)}"
            return f"{root}{shorten(visible(name), 60)} is no {kind}: {meant}"
        if fault := table_fault(each, names[name], root + name):
            return fault
    missing = [name for name in part.get("required", ()) if name not in value]
    return f"{missing[0]} is missing" if missing else f"{place or 'it'} must have {part['description']}"


def _near(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names the user may have meant."""
    near = difflib.get_close_matches(name[:100], tuple(known), n=1)
    return f"did you mean {near[0]}?" if near else None


def _instead(value: Any, part: dict[str, Any]) -> str:
    """What there is instead; of a list, the first item that is wrong."""
    if part.get("writeOnly"):
        return ""
    if isinstance(value, list) and "items" in part:
        part = part["items"]
        value = next(each for each in value if not is_valid(each, part))
    if isinstance(value, dict | list):
        return ", not a table" if isinstance(value, dict) else ", not a list"
    shown = str(value).lower() if isinstance(value, bool) else shorten(visible(str(value)), 60)
    if not isinstance(value, str):
        return f", not {shown}"
    near = _near(value, part.get("enum", ()))
    return f", not the text {shown}" + (f"; {near}" if near else "")
