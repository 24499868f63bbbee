"""A clause: one checkable statement of the contract; and the clauses that follow from a schema's keywords."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jsonschema_rs

from getintegration_contract.errors import UsageError
from getintegration_contract.text import shown

#: The provenance of what a recording of AWS upheld.
RECORDED = "recorded"

#: Provenances that can fail a target; statements of any other provenance are only reported.
GATING_PROVENANCES = frozenset({"doc", "model", "protocol", "target", RECORDED})

#: How binding a clause is; its sentence says the same.
LEVELS = ("MUST", "SHOULD")

#: Steps of a location that stand for all keys, values or items of a container, as sentences have them.
KEYS, VALUES, ITEMS = "keys", "values", "items"
_STEPS = {KEYS: "every key of {}", VALUES: "every value of {}", ITEMS: "every item of {}"}

#: Keywords that clauses follow from: the types of JSON that each says something about (none: all), its rule.
KEYWORDS: dict[str, tuple[tuple[type, ...], str]] = {
    "type": ((), "be of JSON type {}"),
    "enum": ((), "be one of {}"),
    "minLength": ((str,), "be at least {} code points long"),
    "maxLength": ((str,), "be at most {} code points long"),
    "pattern": ((str,), "match {}"),
    "minItems": ((list,), "have at least {} entries"),
    "maxItems": ((list,), "have at most {} entries"),
    "minProperties": ((dict,), "have at least {} entries"),
    "maxProperties": ((dict,), "have at most {} entries"),
    "minimum": ((int, float), "be at least {}"),
    "maximum": ((int, float), "be at most {}"),
}
#: Keywords that lead to further schemas, or state nothing.
_STRUCTURE = frozenset(
    {"required", "properties", "propertyNames", "additionalProperties", "items", "description", "title"}
    | {"default", "deprecated", "examples"}
)
_GROUPS = {"request": "Request members", "response": "Response members", "error": "Errors"}
_BODIES = {
    "request": "the body of a request",
    "response": "the body of a 200 response",
    "error": "the body of an error",
}
#: A path segment is always there and always a string, so neither can be broken.
_NEVER_BROKEN = "request.DomainName.type"
#: What follows on a body that cannot be deserialised, in either of the protocol's words.
_UNREADABLE = "400 BadRequestException or SerializationException"


@dataclass(frozen=True, slots=True)
class Clause:
    """One checkable statement of the contract."""

    id: str
    text: str
    provenance: str
    source: str
    group: str
    #: What a target has to claim for the clause to apply, e.g. ``signatures``; None applies to all.
    capability: str | None = None
    level: str = "MUST"

    def is_claimed(self, capabilities: Container[str]) -> bool:
        """Whether the clause applies to a target with these capabilities."""
        return self.capability is None or self.capability in capabilities

    def gates(self, strict: bool = False) -> bool:
        """Whether a violation fails a target."""
        return self.provenance in GATING_PROVENANCES and (self.level == "MUST" or strict)


class Facts(NamedTuple):
    """Provenance and source, inherited down the description."""

    provenance: str
    source: str

    def of(self, node: Mapping[str, Any]) -> Facts:
        """Those of a node below."""
        return Facts(node.get("x-provenance", self.provenance), node.get("x-source", self.source))

    def for_keyword(self, schema: Mapping[str, Any], keyword: str) -> Facts:
        """Those of one keyword of the schema that has these."""
        return Facts(**schema.get("x-facts", {}).get(keyword, self._asdict()))


@dataclass(frozen=True, slots=True)
class SchemaClause:
    """A clause that follows from one keyword of a schema, with what is needed to check a value."""

    clause: Clause
    location: tuple[str, ...]
    keyword: str
    value: Any
    types: tuple[type, ...]
    _is_valid: Callable[[Any], bool]

    def holds(self, value: Any) -> bool:
        """Whether one observed value keeps the clause."""
        try:
            return self._is_valid(value)
        except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and the validator cannot
            return self._is_valid(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def actual(self, value: Any) -> str:
        """What came, for a finding; for an absent member, also a similar name that is there."""
        if self.keyword != "required":
            return "null" if value is None else shown(value)
        found = "null" if self.value in value else "absent"
        near = [name for name in value if name.replace("_", "").lower() == self.value.lower()]
        return found + (f" (there is `{near[0]}`)" if near and near[0] != self.value else "")

    @property
    def expected(self) -> str:
        """What was due, for a finding."""
        if self.keyword == "required":
            return f"{self.value} present and not null"
        return f"{'.'.join(self.location) or 'body'}: {self.keyword} {' or '.join(_choices(self.value))}"


def derive(
    document: Mapping[str, Any], side: str, location: tuple[str, ...], schema: dict[str, Any], facts: Facts
) -> Iterator[SchemaClause]:
    """The clauses of a schema and of all schemas below it, in the order of the description."""
    while "$ref" in schema:
        node: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        schema = node
    facts = facts.of(schema)
    for keyword in schema:
        if keyword not in KEYWORDS and keyword not in _STRUCTURE and not keyword.startswith("x-"):
            place = ".".join((side, *location))
            raise UsageError(f"{place}: no clause can be made from the keyword {keyword}")
    for keyword in filter(schema.__contains__, KEYWORDS):
        name = ".".join((side, *(location or ("body",)), keyword))
        if name != _NEVER_BROKEN:
            text = _sentence(side, location, keyword, schema[keyword])
            clause = Clause(name, text, *facts.for_keyword(schema, keyword), _GROUPS[side])
            validator = jsonschema_rs.validator_for({keyword: schema[keyword]})
            types = KEYWORDS[keyword][0]
            yield SchemaClause(clause, location, keyword, schema[keyword], types, validator.is_valid)
    for member in schema.get("required", ()):
        text = f"{member} MUST be present."
        if side == "request":
            text = f"A request without {member} MUST be rejected with {_UNREADABLE}."
        name = ".".join((side, *location, member, "required"))
        clause = Clause(name, text, *facts.for_keyword(schema, "required"), _GROUPS[side])
        yield SchemaClause(clause, location, "required", member, (dict,), partial(_has, member))
    steps = ((KEYS, "propertyNames"), (VALUES, "additionalProperties"), (ITEMS, "items"))
    below = [*schema.get("properties", {}).items(), *((step, schema.get(keyword)) for step, keyword in steps)]
    for step, child in below:
        if isinstance(child, dict):
            yield from derive(document, side, (*location, step), child, facts)


def _sentence(side: str, location: tuple[str, ...], keyword: str, value: Any) -> str:
    place = location[0] if location else _BODIES[side]
    for step in location[1:]:
        place = _STEPS.get(step, f"{step} of {{}}").format(place)
    rule = KEYWORDS[keyword][1].format((", " if keyword == "enum" else " or ").join(_choices(value)))
    if value == 1:
        rule = rule.replace("points", "point")
    if side == "request":
        rejection = _UNREADABLE if keyword == "type" else "400 BadRequestException"
        rule += f"; otherwise {rejection} follows"
    return f"{place[0].upper()}{place[1:]} MUST {rule}."


def _has(member: str, parent: dict[str, Any]) -> bool:
    return parent.get(member) is not None


def _choices(value: Any) -> Iterator[str]:
    """The value of a keyword, or each that it gives to choose from but null."""
    choices = value if isinstance(value, list) else [value]
    return (str(choice) for choice in choices if choice is not None)


def observe(clauses: Iterable[SchemaClause], document: Any) -> Iterator[tuple[SchemaClause, str | None]]:
    """Each clause with each value that could violate it: what came, or None where that keeps the clause."""
    location, values = None, list[Any]()
    for derived in clauses:
        if derived.location is not location:  # it is shared by clauses that follow one another
            location, values = derived.location, _select(document, derived.location)
        for value in values:
            if not derived.types or type(value) in derived.types:
                yield derived, None if derived.holds(value) else derived.actual(value)


def _select(document: Any, location: tuple[str, ...]) -> list[Any]:
    """The values at a location; a null member is an absent one, which only ``required`` can forbid."""
    values = [document]
    for step in location:
        below: list[Any] = []
        for value in values:
            if step == ITEMS:
                below += value if isinstance(value, list) else ()
            elif isinstance(value, dict) and step in (KEYS, VALUES):
                below += value.keys() if step == KEYS else value.values()
            elif isinstance(value, dict) and value.get(step) is not None:
                below.append(value[step])
        values = below
    return values
