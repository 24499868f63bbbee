"""Evidence kept beside the contract: clauses, observed or inferred, that a recording of AWS upheld.

:func:`promote` writes the dated evidence, :func:`raised` lets it count when the contract is loaded.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from getintegration_contract.clause import RECORDED, Clause
from getintegration_contract.errors import ContractError

if TYPE_CHECKING:
    from getintegration_contract.recording.about import Suite

#: Provenances that a recording of AWS can raise, and what they become.
RAISED_FROM = ("observed", "inferred")
FILE_NAME = "evidence.yaml"

_HEAD = (
    "# Evidence from recordings of AWS, written by `getintegration-contract compare --promote`.\n"
    "# Each clause here was observed or inferred, and was upheld by AWS.\n"
)
_FIELDS = {"date": str, "region": str, "suite_version": str, "count": int}


def promote(path: Path, clauses: Mapping[str, int], suite: Suite) -> list[str]:
    """Write dated evidence for clauses, beside what the file holds already; the ids that were written.

    Raises:
        ContractError: The file cannot be read or written.
    """
    known = read(path) if path.exists() else {}
    for clause, count in clauses.items():
        known[clause] = {
            "date": suite.moment.date().isoformat(),
            "region": suite.region,
            "suite_version": suite.suite_version,
            "count": count,
        }
    text = _HEAD + yaml.safe_dump({name: known[name] for name in sorted(known)}, sort_keys=False)
    try:
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise ContractError(f"cannot write {path}: {error.strerror or error}") from None
    return sorted(clauses)


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The evidence by clause.

    Raises:
        ContractError: The file is not what :func:`promote` writes.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise ContractError(f"cannot read {path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise ContractError(f"{path} is not YAML") from None
    if not isinstance(document, dict):
        raise ContractError(f"{path} must be a mapping of clauses to evidence")
    for clause, entry in document.items():
        if not isinstance(entry, dict) or set(entry) != set(_FIELDS):
            raise ContractError(f"{path}: {clause} must have {', '.join(_FIELDS)}")
        if isinstance(entry["date"], datetime.date):
            entry["date"] = entry["date"].isoformat()
        for name, kind in _FIELDS.items():
            if not isinstance(entry[name], kind):
                raise ContractError(f"{path}: {clause}: {name} is of a wrong kind")
    return document


def raised(clauses: Mapping[str, Clause], path: Path) -> dict[str, Clause]:
    """The clauses, those with evidence raised from observed or inferred to recorded.

    Called by :meth:`Contract.load`; without an evidence file all clauses stay as they are.

    Raises:
        ContractError: The evidence file is not what :func:`promote` writes.
    """
    if not path.exists():
        return dict(clauses)
    known = read(path)
    return {
        name: replace(clause, provenance=RECORDED, source=_source(known[name]))
        if name in known and clause.provenance in RAISED_FROM
        else clause
        for name, clause in clauses.items()
    }


def _source(entry: Mapping[str, Any]) -> str:
    return (
        f"recording of AWS in {entry['region']}, {entry['date']}, upheld {entry['count']} times,"
        f" suite {entry['suite_version']}"
    )
