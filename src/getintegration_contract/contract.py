"""The contract: the OpenAPI description, read once, and its clauses.

A clause is one checkable statement. Those that follow from a schema keyword are derived here, so that a
new constraint in the description is a new clause without code; the rest are written in the description
under ``x-clauses``. Beside it there may be evidence: clauses, observed or inferred, that a recording of AWS
upheld, which lets them gate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from getintegration_contract.clause import LEVELS, RECORDED, Clause, Facts, derive, observe
from getintegration_contract.errors import UsageError
from getintegration_contract.fileio import naming, replacing
from getintegration_contract.schema import is_valid

PATH = "/domains/{DomainName}/integrations"
#: The file of evidence beside the description, how it begins, and the provenances that it can raise.
EVIDENCE = "evidence.yaml"
_HEAD = (
    "# Evidence from recordings of AWS, written by `getintegration-contract compare --promote`.\n"
    "# Each clause here was observed or inferred, and was upheld by AWS.\n"
)
RAISED_FROM = ("observed", "inferred")
_FIELDS = {
    **{name: {"type": "string"} for name in ("date", "region", "suite_version")},
    "count": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}
#: The evidence of a clause, its scalars read as text.
_ENTRY = {"type": "object", "properties": _FIELDS, "required": [*_FIELDS], "additionalProperties": False}

_TARGET = re.compile(PATH.replace("{DomainName}", r"([^/?#]*)") + r"(\?[^#]*)?")


def domain_segment(target: str) -> str | None:
    """The segment of a request target that names the domain, as sent; None if the path is another."""
    match = _TARGET.fullmatch(target)
    return match[1] if match else None


class Contract:
    """The description of the operation and the clauses it consists of.

    Attributes:
        document: The parsed OpenAPI description.
        errors: The error types that the operation declares, each with its status.
        members: The response members that it knows.

    Raises:
        UsageError: A clause is written twice, or lacks a sentence, provenance or source.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.operation: dict[str, Any] = document["paths"][PATH]["post"]
        parameter, body = self.operation["parameters"][0], self.operation["requestBody"]
        responses, schemas = self.operation["responses"], document["components"]["schemas"]
        success = responses["200"]
        self.errors: dict[str, int] = {
            response["x-error-type"]: int(status)
            for status, response in responses.items()
            if "x-error-type" in response
        }
        self.members = frozenset(schemas["Integration"]["properties"])
        base = Facts("", "").of(self.operation)
        form = Facts("protocol", "Smithy restJson1 tests, RestJsonInvalidGreetingError")
        named = base.of(parameter)
        self.name_clauses = list(derive(document, "request", ("DomainName",), parameter["schema"], named))
        self.body_clauses = list(derive(document, "request", (), _schema(body), base.of(body)))
        self.response_clauses = list(derive(document, "response", (), _schema(success), base.of(success)))
        self.error_clauses = list(derive(document, "error", (), schemas["Error"], form))
        self.clauses: dict[str, Clause] = {}
        derived = [*self.name_clauses, *self.body_clauses, *self.response_clauses, *self.error_clauses]
        for clause in (*(each.clause for each in derived), *self._errors(base), *self._written()):
            self._add(clause)

    @classmethod
    def load(cls, path: Path) -> Contract:
        """Read the description from a YAML file, and the evidence beside it, which makes clauses gate.

        Raises:
            UsageError: The file cannot be read, or is not a description of the operation; or the evidence.
        """
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            contract = cls(yaml.load(path.read_text(encoding="utf-8"), loader))
        except LookupError as error:
            raise UsageError(f"{path} is not a description of GetIntegration: it lacks {error}") from error
        except (OSError, yaml.YAMLError, TypeError, AttributeError, ValueError, UsageError) as error:
            raise UsageError(f"{path} is not a description of GetIntegration: {error}") from error
        source = "recording of AWS in {region}, {date}, upheld {count} times, suite {suite_version}"
        for name, found in read_evidence(path.with_name(EVIDENCE)).items():
            known = contract.clauses.get(name)
            if known and known.provenance in RAISED_FROM:
                raised = replace(known, provenance=RECORDED, source=source.format(**found))
                contract.clauses[name] = raised
        return contract

    def violated_by(self, name: str | None, body: Any) -> list[str]:
        """The request clauses that a domain name and a parsed body break, most basic first.

        This is the oracle for generated cases: it says from the description alone whether a request is valid.
        """
        found = (*observe(self.name_clauses, {"DomainName": name}), *observe(self.body_clauses, body))
        return list(dict.fromkeys(derived.clause.id for derived, actual in found if actual is not None))

    def _add(self, clause: Clause) -> None:
        if clause.id in self.clauses:
            raise UsageError(f"clause {clause.id} is written twice")
        if not (clause.provenance and clause.source):
            raise UsageError(f"clause {clause.id} needs a provenance and a source")
        if clause.level not in LEVELS or re.findall("|".join(LEVELS), clause.text)[:1] != [clause.level]:
            raise UsageError(f"clause {clause.id} needs a sentence with its level, {clause.level}")
        self.clauses[clause.id] = clause

    def _errors(self, base: Facts) -> Iterator[Clause]:
        for name, status in self.errors.items():
            facts = base.of(self.operation["responses"][str(status)])
            text = f"{name} MUST be answered with status {status}."
            yield Clause(f"error.{name}.status", text, *facts, "Errors")
            if status < 500:  # a 5xx may come from anything between, and violates the clause of its request
                text = f"An error of status {status} MUST have the type that is declared for it, {name}."
                yield Clause(f"error.{name}.type", text, *facts, "Errors")

    def _written(self) -> Iterator[Clause]:
        for group in self.document["x-clauses"]:
            for identifier, written in group["clauses"].items():
                entry = {"text": written} if isinstance(written, str) else written
                fact = {"capability": None, "level": "MUST", **group, **entry}
                parts = ("text", "provenance", "source", "group", "capability", "level")
                yield Clause(identifier, *(fact[part] for part in parts))


def _schema(message: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = message["content"]["application/json"]["schema"]
    return schema


def promote(path: Path, clauses: Mapping[str, int], **recorded: str) -> None:
    """Write dated evidence for clauses, each upheld so often, beside what the file holds already.

    Args:
        recorded: The ``date``, ``region`` and ``suite_version`` of the recording.

    Raises:
        UsageError: The file cannot be read or written.
    """
    known = read_evidence(path)
    known |= {clause: {**recorded, "count": count} for clause, count in clauses.items()}
    text = _HEAD + yaml.safe_dump({name: known[name] for name in sorted(known)}, sort_keys=False)
    with replacing(path) as file:
        file.write(text.encode())


def read_evidence(path: Path) -> dict[str, dict[str, Any]]:
    """The evidence by clause; none where there is no file.

    Raises:
        UsageError: The file is not what :func:`promote` writes.
    """
    if not path.exists():
        return {}
    try:
        with naming("read", path):
            document = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise UsageError(f"{path} is not YAML") from None
    if not isinstance(document, dict):
        raise UsageError(f"{path} must be a mapping of clauses to evidence")
    for clause, entry in document.items():
        if not is_valid(entry, _ENTRY):
            raise UsageError(f"{path}: {clause} must have {', '.join(_FIELDS)} (a number)")
        entry["count"] = int(entry["count"])
    return document
