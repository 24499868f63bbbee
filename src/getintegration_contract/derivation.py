"""The clauses that follow from the keywords of the description's schemas, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from getintegration_contract.clause import ITEMS, KEYS, KEYWORDS, VALUES, Clause, SchemaClause
from getintegration_contract.errors import ContractError

#: Keywords that lead to further schemas, or state nothing.
_STRUCTURE = frozenset(
    {"required", "properties", "propertyNames", "additionalProperties", "items", "description", "title"}
    | {"default", "deprecated", "examples"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Provenance and source, inherited down the description."""

    provenance: str
    source: str

    @classmethod
    def of(cls, node: Mapping[str, Any], inherited: Facts) -> Facts:
        return cls(node.get("x-provenance", inherited.provenance), node.get("x-source", inherited.source))

    def for_keyword(self, schema: Mapping[str, Any], keyword: str) -> Facts:
        fact = schema.get("x-facts", {}).get(keyword)
        return Facts(fact["provenance"], fact["source"]) if fact else self


@dataclass(frozen=True)
class Derivation:
    """Derives clauses from the schemas of a description."""

    document: dict[str, Any]

    def _required(
        self, side: str, name: str, location: tuple[str, ...], facts: Facts
    ) -> Iterator[SchemaClause]:
        identifier = ".".join((side, *location, name, "required"))
        text = f"{name} MUST be present."
        if side == "request":
            text = f"A request without {name} MUST be rejected with {_UNREADABLE}."
        clause = Clause(identifier, text, facts.provenance, facts.source, _GROUPS[side])
        yield SchemaClause(clause, location, "required", name, lambda value: value is not None)

    def derive(
        self, side: str, location: tuple[str, ...], schema: dict[str, Any], facts: Facts
    ) -> Iterator[SchemaClause]:
        """The clauses of a schema and of all schemas below it, in the order of the description."""
        schema = self.resolve(schema)
        facts = Facts.of(schema, facts)
        for keyword in schema:
            if keyword not in KEYWORDS and keyword not in _STRUCTURE and not keyword.startswith("x-"):
                place = ".".join((side, *location))
                raise ContractError(f"{place}: no clause can be made from the keyword {keyword}")
        for keyword in KEYWORDS:
            if keyword in schema and not (keyword == "type" and (side, location) == _DOMAIN_NAME):
                value = schema[keyword]
                fact = facts.for_keyword(schema, keyword)
                clause = Clause(
                    ".".join((side, *(location or ("body",)), keyword)),
                    _sentence(side, location, keyword, value),
                    fact.provenance,
                    fact.source,
                    _GROUPS[side],
                )
                validator = jsonschema_rs.validator_for({keyword: value})
                yield SchemaClause(clause, location, keyword, value, validator.is_valid)
        for name in schema.get("required", ()):
            yield from self._required(side, name, location, facts.for_keyword(schema, "required"))
        for name, child in schema.get("properties", {}).items():
            yield from self.derive(side, (*location, name), child, facts)
        for step, keyword in ((KEYS, "propertyNames"), (VALUES, "additionalProperties"), (ITEMS, "items")):
            if isinstance(schema.get(keyword), dict):
                yield from self.derive(side, (*location, step), schema[keyword], facts)

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            node: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            schema = node
        return schema


#: What follows on a body that cannot be deserialised, in either of the protocol's words.
_UNREADABLE = "400 BadRequestException or SerializationException"

_GROUPS = {"request": "Request members", "response": "Response members", "error": "Errors"}

#: A path segment is always there and always a string, so neither can be broken.
_DOMAIN_NAME = ("request", ("DomainName",))

_PLACES = {
    KEYS: "every key of {}",
    VALUES: "every value of {}",
    ITEMS: "every item of {}",
}


_BODIES = {
    "request": "the body of a request",
    "response": "the body of a 200 response",
    "error": "the body of an error",
}


def _place(side: str, location: tuple[str, ...]) -> str:
    name = location[0] if location else _BODIES[side]
    for step in location[1:]:
        name = _PLACES.get(step, f"{step} of {{}}").format(name)
    return name


def _sentence(side: str, location: tuple[str, ...], keyword: str, value: Any) -> str:
    if keyword == "type":
        rule = "be of JSON type " + (value if isinstance(value, str) else " or ".join(value))
    elif keyword == "enum":
        rule = "be one of " + ", ".join(str(choice) for choice in value if choice is not None)
    elif keyword in ("minLength", "maxLength"):
        bound = "at least" if keyword == "minLength" else "at most"
        rule = f"be {bound} {value} code point{'' if value == 1 else 's'} long"
    elif keyword == "pattern":
        rule = f"match {value}"
    elif keyword in ("minimum", "maximum"):
        rule = f"be at {'least' if keyword == 'minimum' else 'most'} {value}"
    else:
        rule = f"have at {'least' if keyword.startswith('min') else 'most'} {value} entries"
    place = _place(side, location)
    if side == "request":
        rejection = _UNREADABLE if keyword == "type" else "400 BadRequestException"
        rule += f"; otherwise {rejection} follows"
    return f"{place[0].upper()}{place[1:]} MUST {rule}."
