"""Violations accepted for one target: clause, reason, owner or link, expiry date."""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getintegration_contract.errors import UsageError
from getintegration_contract.schema import table_fault
from getintegration_contract.target.file import SCHEMA, read_toml

_SCHEMA = SCHEMA["definitions"]["waiver"]
#: Placeholders that somebody has to replace.
_PLACEHOLDERS = ("say why this is accepted", "say who answers for it")


@dataclass(frozen=True)
class Waiver:
    """One accepted violation, until the day ``expires`` is over."""

    clause: str
    reason: str
    expires: datetime.date
    owner: str | None = None
    link: str | None = None

    def expired(self, today: datetime.date) -> bool:
        """Whether the waiver no longer counts."""
        return today > self.expires


def read(path: Path, *, what: str = "--waivers", subject: str = "clause") -> list[Waiver]:
    """The waivers of a TOML file, each a ``[[waiver]]`` table.

    Args:
        what: What messages call the file.
        subject: The key of what is accepted.

    Raises:
        UsageError: The file cannot be read or an entry lacks what it needs.
    """
    document = read_toml(path, what)
    entries = document.pop("waiver", [])
    if document or not isinstance(entries, list):
        other = next(iter(document), "waiver = ")
        raise UsageError(f"{what}: {path}: {other} is not allowed: the file takes only [[waiver]] tables")
    waivers: dict[str, Waiver] = {}
    for number, entry in enumerate(entries, 1):
        try:
            waiver = _waiver(entry, subject)
            if waiver.clause in waivers:
                raise ValueError(f"{waiver.clause} is waived twice")
        except ValueError as error:
            raise UsageError(f"{what}: {path}: [[waiver]] {number}: {error}") from None
        waivers[waiver.clause] = waiver
    return list(waivers.values())


def _waiver(entry: Any, subject: str) -> Waiver:
    """One entry of a file.

    Raises:
        ValueError: It is not what a waiver has to be.
    """
    if isinstance(entry, dict) and isinstance(entry.get("expires"), datetime.date):
        entry["expires"] = str(entry["expires"])[:10]  # TOML has dates, and JSON Schema has not
    properties = {subject: _SCHEMA["properties"]["reason"]} | _SCHEMA["properties"]
    required = [subject, *_SCHEMA["required"]]
    if fault := table_fault(entry, {**_SCHEMA, "properties": properties, "required": required}):
        raise ValueError(fault)
    for name, value in entry.items():
        if value in _PLACEHOLDERS:
            raise ValueError(f"{name} is not filled in: {value}")
    clause, expires = entry.pop(subject), entry.pop("expires")
    try:
        return Waiver(clause, expires=datetime.date.fromisoformat(expires), **entry)
    except ValueError:
        raise ValueError("expires must be a date like 2027-01-31") from None


def write(
    path: Path,
    clauses: Iterable[str],
    today: datetime.date,
    kept: Iterable[Waiver] = (),
    subject: str = "clause",
) -> None:
    """Write a file that waives clauses, with placeholders for reason and owner.

    Args:
        kept: Waivers to write as they are; an expired one is not renewed.
        subject: The key of what is accepted.
    """
    kept, expires = tuple(kept), today + datetime.timedelta(days=30)
    known = {waiver.clause for waiver in kept}
    new = (clause for clause in clauses if clause not in known)
    fresh = (Waiver(clause, _PLACEHOLDERS[0], expires, _PLACEHOLDERS[1]) for clause in new)
    blocks = []
    for waiver in (*kept, *fresh):
        texts = {subject: waiver.clause, "reason": waiver.reason, "owner": waiver.owner, "link": waiver.link}
        lines = [f"{name} = {json.dumps(text, ensure_ascii=False)}\n" for name, text in texts.items() if text]
        blocks.append(f"[[waiver]]\n{''.join(lines)}expires = {waiver.expires.isoformat()}\n")
    path.write_text("\n".join(blocks) or "# nothing was violated\n", encoding="utf-8")
