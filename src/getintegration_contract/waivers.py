"""Violations accepted for one target: clause, reason, owner or link, expiry date."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "waiver": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["clause", "reason", "expires"],
                "properties": {
                    "clause": {"type": "string", "minLength": 1},
                    "reason": {"type": "string", "minLength": 1},
                    "owner": {"type": "string", "minLength": 1},
                    "link": {"type": "string", "minLength": 1},
                    "expires": {},
                },
                "anyOf": [{"required": ["owner"]}, {"required": ["link"]}],
            },
        }
    },
}


class WaiverError(ValueError):
    """A waivers file that cannot be used; the message is one sentence."""


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


def read(path: Path) -> list[Waiver]:
    """The waivers of a TOML file, each a ``[[waiver]]`` table.

    Raises:
        WaiverError: The file cannot be read or an entry lacks what it needs.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WaiverError(f"waivers: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WaiverError(f"waivers: {path} is not TOML: {error}") from None
    entries = document.get("waiver", [])
    plain = dict(document)  # with dates as text, which the schema's validator knows
    if isinstance(entries, list):
        plain["waiver"] = [
            {**entry, "expires": str(entry["expires"])}
            if isinstance(entry, dict) and "expires" in entry
            else entry
            for entry in entries
        ]
    for fault in jsonschema_rs.validator_for(_SCHEMA).iter_errors(plain):
        place = ".".join(map(str, fault.instance_path))
        message = "needs owner or link" if "anyOf" in fault.message else fault.message
        raise WaiverError(f"waivers: {path}: {place + ': ' if place else ''}{message}")
    waivers = [Waiver(**{**entry, "expires": _date(path, entry)}) for entry in entries]
    seen: set[str] = set()
    for waiver in waivers:
        if waiver.clause in seen:
            raise WaiverError(f"waivers: {path}: {waiver.clause} is waived twice")
        seen.add(waiver.clause)
    return waivers


def write(path: Path, clauses: Iterable[str], today: datetime.date, days: int = 30) -> None:
    """Write a file that waives the clauses, for somebody to fill in reason and owner."""
    expires = today + datetime.timedelta(days=days)
    blocks = [
        f'[[waiver]]\nclause = "{clause}"\nreason = "say why this is accepted"\n'
        f'owner = "say who answers for it"\nexpires = {expires.isoformat()}\n'
        for clause in clauses
    ]
    path.write_text("\n".join(blocks) or "# nothing was violated\n", encoding="utf-8")


def _date(path: Path, entry: dict[str, Any]) -> datetime.date:
    value = entry["expires"]
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise WaiverError(
            f"waivers: {path}: {entry['clause']}: expires must be a date like 2027-01-31"
        ) from None
