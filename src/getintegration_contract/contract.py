"""The contract: the OpenAPI description, read once, and its clauses.

A clause is one checkable statement. Those that follow from a schema keyword are derived here, so that a
new constraint in the description is a new clause without code; the rest are written in the description
under ``x-clauses``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from getintegration_contract.errors import ContractError
from getintegration_contract.evidence import FILE_NAME, RECORDED, raised
from getintegration_contract.text import shown

#: Provenances that can fail a target; statements of any other provenance are only reported.
GATING_PROVENANCES = frozenset({"doc", "model", "protocol", "target", RECORDED})

#: How binding a clause is; its sentence says the same.
LEVELS = ("MUST", "SHOULD")

PATH = "/domains/{DomainName}/integrations"

#: Steps of a location that stand for all keys, values or items of a container.
KEYS, VALUES, ITEMS = "keys", "values", "items"

#: Keywords that clauses follow from, each with the types of JSON that it says something about.
_KEYWORDS: dict[str, tuple[type, ...]] = {
    "type": (object,),
    "enum": (object,),
    "minLength": (str,),
    "maxLength": (str,),
    "pattern": (str,),
    "minItems": (list,),
    "maxItems": (list,),
    "minProperties": (dict,),
    "maxProperties": (dict,),
    "minimum": (int, float),
    "maximum": (int, float),
}
#: Keywords that lead to further schemas, or state nothing.
_STRUCTURE = frozenset(
    {"required", "properties", "propertyNames", "additionalProperties", "items", "description", "title"}
    | {"default", "deprecated", "examples"}
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One checkable statement of the contract."""

    id: str
    text: str
    provenance: str
    source: str
    group: str
    #: What a target has to claim for the clause to apply, e.g. ``signatures``; None applies to all.
    claim: str | None = None
    level: str = "MUST"

    def is_claimed(self, claims: Container[str]) -> bool:
        """Whether the clause applies to a target with these claims."""
        return self.claim is None or self.claim in claims

    def gates(self, strict: bool = False) -> bool:
        """Whether a violation fails a target."""
        return self.provenance in GATING_PROVENANCES and (self.level == "MUST" or strict)


@dataclass(frozen=True, slots=True)
class SchemaClause:
    """A clause that follows from one keyword of a schema, with what is needed to check a value."""

    clause: Clause
    location: tuple[str, ...]
    keyword: str
    value: Any
    _is_valid: Callable[[Any], bool]

    def observations(self, document: Any) -> Iterator[Any]:
        """The values in ``document`` that could violate the clause; none if it carries no such value."""
        if self.keyword == "required":
            for parent in _select(document, self.location):
                if isinstance(parent, dict):
                    yield parent.get(self.value)
            return
        for value in _select(document, self.location):
            # A null member is an absent one, which only ``required`` can forbid.
            absent = value is None and self.location and self.location[-1] not in (KEYS, VALUES, ITEMS)
            if not absent and _applies(self.keyword, value):
                yield value

    def holds(self, value: Any) -> bool:
        """Whether one observed value keeps the clause."""
        try:
            return self._is_valid(value)
        except UnicodeEncodeError:  # a lone surrogate, which JSON can hold and the validator cannot
            return self._is_valid(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def actual(self, document: Any, value: Any) -> str:
        """What came, for a finding; of an absent member, which other name may be meant for it."""
        if self.keyword != "required" or not isinstance(document, dict):
            return "null" if value is None else shown(value)
        told = "null" if self.value in document else "absent"
        near = [name for name in document if name.replace("_", "").lower() == self.value.lower()]
        return told + (f" (there is `{near[0]}`)" if near and near[0] != self.value else "")

    @property
    def expected(self) -> str:
        """What was due, for a finding."""
        if self.keyword == "required":
            return f"{self.value} present and not null"
        choices = self.value if isinstance(self.value, list) else [self.value]
        value = " or ".join(str(choice) for choice in choices if choice is not None)
        return f"{'.'.join(self.location) or 'body'}: {self.keyword} {value}"


class Contract:
    """The description of the operation and the clauses it consists of.

    Args:
        document: The parsed OpenAPI description.

    Raises:
        ContractError: A clause is written twice, or lacks a sentence, provenance or source.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operation: dict[str, Any] = document["paths"][PATH]["post"]
        parameter = self.operation["parameters"][0]
        body = self.operation["requestBody"]
        integration = self._resolve(
            self.operation["responses"]["200"]["content"]["application/json"]["schema"]
        )
        error = document["components"]["schemas"]["Error"]
        base = _Facts.of(self.operation, _Facts("", ""))
        self.request_clauses = [
            *self._derive("request", ("DomainName",), parameter["schema"], _Facts.of(parameter, base)),
            *self._derive(
                "request", (), body["content"]["application/json"]["schema"], _Facts.of(body, base)
            ),
        ]
        success = _Facts.of(self.operation["responses"]["200"], base)
        self.response_clauses = list(self._derive("response", (), integration, success))
        form = _Facts("protocol", "Smithy restJson1 tests, RestJsonInvalidGreetingError")
        self.error_clauses = list(self._derive("error", (), error, form))
        self.clauses: dict[str, Clause] = {}
        for derived in (*self.request_clauses, *self.response_clauses, *self.error_clauses):
            self._add(derived.clause)
        for clause in (*self._errors(base), *self._written()):
            self._add(clause)

    @classmethod
    def load(cls, path: Path) -> Contract:
        """Read the description from a YAML file, and the evidence beside it, which makes clauses gate.

        Raises:
            ContractError: The file cannot be read, or is not a description of the operation; or the evidence.
        """
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            contract = cls(yaml.load(path.read_text(encoding="utf-8"), loader))
        except LookupError as error:
            raise ContractError(f"{path} is not a description of GetIntegration: it lacks {error}") from error
        except (OSError, yaml.YAMLError, TypeError, AttributeError, ValueError, ContractError) as error:
            raise ContractError(f"{path} is not a description of GetIntegration: {error}") from error
        contract.clauses = raised(contract.clauses, path.with_name(FILE_NAME))
        return contract

    @cached_property
    def errors(self) -> dict[str, int]:
        """The error types that the operation declares, each with its status."""
        return {
            response["x-error-type"]: int(status)
            for status, response in self.operation["responses"].items()
            if "x-error-type" in response
        }

    @cached_property
    def members(self) -> frozenset[str]:
        """The response members that the contract knows."""
        return frozenset(self.document["components"]["schemas"]["Integration"]["properties"])

    def violated_by(self, name: str | None, body: Any) -> list[str]:
        """The request clauses that a domain name and a parsed body break, most basic first.

        This is the oracle for generated cases: it says from the description alone whether a request is valid.
        """
        broken = []
        for derived in self.request_clauses:
            document = {"DomainName": name} if derived.location[:1] == ("DomainName",) else body
            if any(not derived.holds(value) for value in derived.observations(document)):
                broken.append(derived.clause.id)
        return broken

    def _add(self, clause: Clause) -> None:
        if clause.id in self.clauses:
            raise ContractError(f"clause {clause.id} is written twice")
        if not (clause.provenance and clause.source):
            raise ContractError(f"clause {clause.id} needs a provenance and a source")
        if clause.level not in LEVELS or re.findall("|".join(LEVELS), clause.text)[:1] != [clause.level]:
            raise ContractError(f"clause {clause.id} needs a sentence with its level, {clause.level}")
        self.clauses[clause.id] = clause

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            node: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                node = node[step]
            schema = node
        return schema

    def _required(
        self, side: str, name: str, location: tuple[str, ...], facts: _Facts
    ) -> Iterator[SchemaClause]:
        identifier = ".".join((side, *location, name, "required"))
        text = f"{name} MUST be present."
        if side == "request":
            text = f"A request without {name} MUST be rejected with {_UNREADABLE}."
        clause = Clause(identifier, text, facts.provenance, facts.source, _GROUPS[side])
        yield SchemaClause(clause, location, "required", name, lambda value: value is not None)

    def _derive(
        self, side: str, location: tuple[str, ...], schema: dict[str, Any], facts: _Facts
    ) -> Iterator[SchemaClause]:
        """The clauses of a schema and of all schemas below it, in the order of the description."""
        schema = self._resolve(schema)
        facts = _Facts.of(schema, facts)
        for keyword in schema:
            if keyword not in _KEYWORDS and keyword not in _STRUCTURE and not keyword.startswith("x-"):
                place = ".".join((side, *location))
                raise ContractError(f"{place}: no clause can be made from the keyword {keyword}")
        for keyword in _KEYWORDS:
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
            yield from self._derive(side, (*location, name), child, facts)
        for step, keyword in ((KEYS, "propertyNames"), (VALUES, "additionalProperties"), (ITEMS, "items")):
            if isinstance(schema.get(keyword), dict):
                yield from self._derive(side, (*location, step), schema[keyword], facts)

    def _errors(self, base: _Facts) -> Iterator[Clause]:
        for status, response in self.operation["responses"].items():
            if name := response.get("x-error-type"):
                fact = _Facts.of(response, base)
                text = f"{name} MUST be answered with status {status}."
                yield Clause(f"error.{name}.status", text, fact.provenance, fact.source, "Errors")
                if status.startswith("5"):
                    continue  # a 5xx may come from anything between, and violates the clause of its request
                text = f"An error of status {status} MUST have the type that is declared for it, {name}."
                yield Clause(f"error.{name}.type", text, fact.provenance, fact.source, "Errors")

    def _written(self) -> Iterator[Clause]:
        for group in self.document["x-clauses"]:
            for identifier, written in group["clauses"].items():
                entry: Mapping[str, Any] = {"text": written} if isinstance(written, str) else written
                fact = {**group, **entry}
                yield Clause(
                    identifier,
                    fact["text"],
                    fact["provenance"],
                    fact["source"],
                    group["group"],
                    fact.get("claim"),
                    fact.get("level", "MUST"),
                )


@dataclass(frozen=True, slots=True)
class _Facts:
    """Provenance and source, inherited down the description."""

    provenance: str
    source: str

    @classmethod
    def of(cls, node: Mapping[str, Any], inherited: _Facts) -> _Facts:
        return cls(node.get("x-provenance", inherited.provenance), node.get("x-source", inherited.source))

    def for_keyword(self, schema: Mapping[str, Any], keyword: str) -> _Facts:
        fact = schema.get("x-facts", {}).get(keyword)
        return _Facts(fact["provenance"], fact["source"]) if fact else self


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


def _applies(keyword: str, value: Any) -> bool:
    """Whether a keyword says anything about a value of this type."""
    numeric = _KEYWORDS[keyword] == (int, float)
    return isinstance(value, _KEYWORDS[keyword]) and not (numeric and isinstance(value, bool))


def _select(document: Any, location: tuple[str, ...]) -> Iterator[Any]:
    """The values at a location; absent members give nothing."""
    if not location:
        yield document
        return
    step, rest = location[0], location[1:]
    if step in (KEYS, VALUES):
        if isinstance(document, dict):
            for value in document.keys() if step == KEYS else document.values():
                yield from _select(value, rest)
    elif step == ITEMS:
        if isinstance(document, list):
            for value in document:
                yield from _select(value, rest)
    elif isinstance(document, dict) and step in document:
        yield from _select(document[step], rest)
