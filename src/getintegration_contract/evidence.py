"""Evidence kept beside the contract: clauses, observed or inferred, that a recording of AWS upheld.

:func:`promote` writes the dated evidence, :func:`raised` lets it count when the contract is loaded.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from getintegration_contract.clause import RECORDED, Clause
from getintegration_contract.errors import UsageError
from getintegration_contract.fileio import naming, replacing
from getintegration_contract.schema import is_valid

#: Provenances that a recording of AWS can raise.
RAISED_FROM = ("observed", "inferred")
FILE_NAME = "evidence.yaml"

_HEAD = (
    "# Evidence from recordings of AWS, written by `getintegration-contract compare --promote`.\n"
    "# Each clause here was observed or inferred, and was upheld by AWS.\n"
)
_FIELDS = {
    **{name: {"type": "string"} for name in ("date", "region", "suite_version")},
    "count": {"type": "string", "pattern": "^[0-9]{1,18}$"},
}
#: The evidence of a clause, its scalars read as text.
_ENTRY = {"type": "object", "properties": _FIELDS, "required": [*_FIELDS], "additionalProperties": False}


def promote(path: Path, clauses: Mapping[str, int], **recorded: str) -> None:
    """Write dated evidence for clauses, each upheld so often, beside what the file holds already.

    Args:
        recorded: The ``date``, ``region`` and ``suite_version`` of the recording.

    Raises:
        UsageError: The file cannot be read or written.
    """
    known = read(path) if path.exists() else {}
    known |= {clause: {**recorded, "count": count} for clause, count in clauses.items()}
    text = _HEAD + yaml.safe_dump({name: known[name] for name in sorted(known)}, sort_keys=False)
    with replacing(path) as file:
        file.write(text.encode())


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The evidence by clause.

    Raises:
        UsageError: The file is not what :func:`promote` writes.
    """
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


def raised(clauses: Mapping[str, Clause], path: Path) -> dict[str, Clause]:
    """The clauses, those with evidence raised from observed or inferred to recorded.

    Called by :meth:`Contract.load`; without an evidence file all clauses stay as they are.

    Raises:
        UsageError: The evidence file is not what :func:`promote` writes.
    """
    raised = dict(clauses)
    for name, found in (read(path) if path.exists() else {}).items():
        if name in raised and raised[name].provenance in RAISED_FROM:
            source = "recording of AWS in {region}, {date}, upheld {count} times, suite {suite_version}"
            raised[name] = replace(raised[name], provenance=RECORDED, source=source.format(**found))
    return raised
