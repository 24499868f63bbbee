"""The contract: the OpenAPI description, read once, and its clauses.

A clause is one checkable statement. Those that follow from a schema keyword are derived here, so that a
new constraint in the description is a new clause without code; the rest are written in the description
under ``x-clauses``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from getintegration_contract.clause import LEVELS, Clause
from getintegration_contract.derivation import Derivation, Facts
from getintegration_contract.errors import ContractError
from getintegration_contract.evidence import FILE_NAME, raised

PATH = "/domains/{DomainName}/integrations"
_TARGET = re.compile(PATH.replace("{DomainName}", r"([^/?#]*)") + r"(\?[^#]*)?")


def domain_segment(target: str) -> str | None:
    """The segment of a request target that names the domain, as sent; None if the path is another."""
    match = _TARGET.fullmatch(target)
    return match[1] if match else None


class Contract:
    """The description of the operation and the clauses it consists of.

    Args:
        document: The parsed OpenAPI description.

    Raises:
        ContractError: A clause is written twice, or lacks a sentence, provenance or source.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        derivation = Derivation(document)
        self.operation: dict[str, Any] = document["paths"][PATH]["post"]
        parameter = self.operation["parameters"][0]
        body = self.operation["requestBody"]
        integration = derivation.resolve(
            self.operation["responses"]["200"]["content"]["application/json"]["schema"]
        )
        error = document["components"]["schemas"]["Error"]
        base = Facts.of(self.operation, Facts("", ""))
        self.request_clauses = [
            *derivation.derive("request", ("DomainName",), parameter["schema"], Facts.of(parameter, base)),
            *derivation.derive(
                "request", (), body["content"]["application/json"]["schema"], Facts.of(body, base)
            ),
        ]
        success = Facts.of(self.operation["responses"]["200"], base)
        self.response_clauses = list(derivation.derive("response", (), integration, success))
        form = Facts("protocol", "Smithy restJson1 tests, RestJsonInvalidGreetingError")
        self.error_clauses = list(derivation.derive("error", (), error, form))
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

    def _errors(self, base: Facts) -> Iterator[Clause]:
        for status, response in self.operation["responses"].items():
            if name := response.get("x-error-type"):
                fact = Facts.of(response, base)
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
                    fact.get("capability"),
                    fact.get("level", "MUST"),
                )
