"""The operations and their request rules, from the service model that botocore ships.

The model is read straight from its file in botocore's data folder: botocore's own loader would do
the same, but importing it takes longer than everything else at start-up together.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore

from .errors import bad_request
from .patterns import compile_ecma
from .rules import (
    BooleanRule,
    IntegerRule,
    ListRule,
    MapRule,
    NumberRule,
    Range,
    Rule,
    StringRule,
    StructureRule,
)

SERVICE_MODEL = "customer-profiles/2020-08-15"
BOTOCORE_VERSION: str = botocore.__version__


class ModelError(Exception):
    """The installed botocore has no model that can be used; the text is one sentence."""


@dataclass(frozen=True)
class Operation:
    """One operation: where it lives, what it takes, and which members it answers with.

    ``segments`` are those of its path; one in braces is a label. ``labels``, ``query`` and
    ``body`` map the names on the wire to the members of the input. ``items`` are the members of
    each of the output's ``Items``, if it has those.
    """

    name: str
    method: str
    segments: tuple[str, ...]
    input: StructureRule
    labels: dict[str, str]
    query: dict[str, str]
    body: dict[str, str]
    output: tuple[str, ...]
    items: tuple[str, ...]

    @cached_property
    def takes_body(self) -> bool:
        """Whether any member travels in the body; if none does, the body is ignored."""
        return bool(self.body)

    def read(
        self, labels: Mapping[str, str], query: Mapping[str, str], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Check a request against the model and return the members of the input that it has.

        Raises :class:`ApiError` (400): SerializationException for a wrong type,
        BadRequestException for broken constraints.
        """
        members: dict[str, Any] = {self.labels[name]: value for name, value in labels.items()}
        for wire_name, name in self.query.items():
            if wire_name in query:
                members[name] = self.input.members[name].from_text(query[wire_name], name)
        for wire_name, name in self.body.items():
            if wire_name in body:
                members[name] = body[wire_name]
        problems: list[str] = []
        kept = self.input.check(members, "", problems)
        if problems:
            noun = "error" if len(problems) == 1 else "errors"
            found = f"{len(problems)} validation {noun} detected: "
            raise bad_request(found + "; ".join(problems[:10]))
        return kept

    def project(self, members: dict[str, Any]) -> dict[str, Any]:
        """Keep what the operation's output has; leave out what is absent."""
        answer = _keep(members, self.output)
        if self.items:
            answer["Items"] = [_keep(item, self.items) for item in answer["Items"]]
        return answer


def _keep(members: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: members[name] for name in names if members.get(name) is not None}


def load_operations(names: Iterable[str]) -> dict[str, Operation]:
    """Build the named operations. Raises :class:`ModelError`."""
    path = Path(botocore.__file__).parent / "data" / SERVICE_MODEL / "service-2.json.gz"
    try:
        model = json.loads(gzip.decompress(path.read_bytes()))
        shapes = _Shapes(model["shapes"])
        return {name: shapes.operation(name, model["operations"][name]) for name in names}
    except (OSError, KeyError, ValueError, re.error) as error:
        raise ModelError(
            f"botocore {BOTOCORE_VERSION} has no usable model {SERVICE_MODEL}: {error!r}."
        ) from error


class _Shapes:
    """The shapes of a service model, made into rules; each shape once."""

    def __init__(self, shapes: dict[str, Any]) -> None:
        self._shapes = shapes
        self._rules: dict[str, Rule] = {}

    def operation(self, name: str, definition: dict[str, Any]) -> Operation:
        shape = definition["input"]["shape"]
        rule = self.rule(shape)
        assert isinstance(rule, StructureRule)
        places: dict[str, dict[str, str]] = {"uri": {}, "querystring": {}, "body": {}}
        for member, reference in self._shapes[shape]["members"].items():
            place = places[reference.get("location", "body")]
            place[reference.get("locationName", member)] = member
        output = self._shapes[definition["output"]["shape"]]["members"]
        return Operation(
            name=name,
            method=definition["http"]["method"],
            segments=tuple(definition["http"]["requestUri"].lstrip("/").split("/")),
            input=rule,
            labels=places["uri"],
            query=places["querystring"],
            body=places["body"],
            output=tuple(output),
            items=self._item_members(output),
        )

    def _item_members(self, output: dict[str, Any]) -> tuple[str, ...]:
        if "Items" not in output:
            return ()
        item = self._shapes[output["Items"]["shape"]]["member"]["shape"]
        return tuple(self._shapes[item]["members"])

    def rule(self, name: str) -> Rule:
        if name not in self._rules:
            shape = self._shapes[name]
            if shape["type"] == "structure":
                # Entered before its members are made, since a structure may contain itself.
                structure = StructureRule(required=tuple(shape.get("required", ())))
                self._rules[name] = structure
                for member, reference in shape["members"].items():
                    structure.members[member] = self.rule(reference["shape"])
            else:
                self._rules[name] = self._other_rule(shape)
        return self._rules[name]

    def _other_rule(self, shape: dict[str, Any]) -> Rule:
        match shape["type"]:
            case "string":
                pattern, enum = shape.get("pattern"), shape.get("enum")
                return StringRule(
                    length=_range(shape, "length"),
                    pattern=compile_ecma(pattern) if pattern is not None else None,
                    source=pattern,
                    enum=frozenset(enum) if enum is not None else None,
                )
            case "integer":
                return IntegerRule(_range(shape, "value"), bits=32)
            case "long":
                return IntegerRule(_range(shape, "value"), bits=64)
            case "double" | "float" | "timestamp":
                return NumberRule(_range(shape, "value"))
            case "boolean":
                return BooleanRule()
            case "list":
                return ListRule(_range(shape, "size"), self.rule(shape["member"]["shape"]))
            case "map":
                key, value = shape["key"]["shape"], shape["value"]["shape"]
                return MapRule(_range(shape, "size"), self.rule(key), self.rule(value))
            case other:
                raise ValueError(f"the service model has a shape of unknown type {other!r}")


def _range(shape: dict[str, Any], noun: str) -> Range:
    defaults = Range(noun)
    return Range(noun, shape.get("min", defaults.least), shape.get("max", defaults.most))
