"""Violations accepted for one target: clause, reason, owner or link, expiry date."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from getintegration_contract.errors import WaiverError


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


def read(path: Path, *, what: str = "waivers", subject: str = "clause") -> list[Waiver]:
    """The waivers of a TOML file, each a ``[[waiver]]`` table.

    Args:
        what: What messages call the file.
        subject: The key of what is accepted.

    Raises:
        WaiverError: The file cannot be read or an entry lacks what it needs.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise WaiverError(f"{what}: cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WaiverError(f"{what}: {path} is not TOML: {error}") from None
    for fault in jsonschema_rs.validator_for(_schema(subject)).iter_errors(plain(document)):
        place = ".".join(map(str, fault.instance_path))
        message = "needs owner or link" if "anyOf" in fault.message else fault.message
        raise WaiverError(f"{what}: {path}: {place + ': ' if place else ''}{message}")
    waivers: list[Waiver] = []
    for entry in document.get("waiver", []):
        if any(entry[subject] == waiver.clause for waiver in waivers):
            raise WaiverError(f"{what}: {path}: {entry[subject]} is waived twice")
        try:
            expires = _date(entry["expires"])
        except ValueError:
            raise WaiverError(
                f"{what}: {path}: {entry[subject]}: expires must be a date like 2027-01-31"
            ) from None
        waivers.append(
            Waiver(entry[subject], entry["reason"], expires, entry.get("owner"), entry.get("link"))
        )
    return waivers


def plain(value: Any) -> Any:
    """A TOML document in JSON's types, dates as text, as a schema's validator knows them."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def write(
    path: Path, clauses: Iterable[str], today: datetime.date, days: int = 30, kept: Iterable[Waiver] = ()
) -> None:
    """Write a file that waives the clauses, for somebody to fill in reason and owner.

    Args:
        kept: Waivers that are written as they are; a clause among them that has expired is not renewed.
    """
    kept, expires = tuple(kept), today + datetime.timedelta(days=days)
    known = {waiver.clause for waiver in kept}
    fresh = (
        Waiver(clause, "say why this is accepted", expires, "say who answers for it")
        for clause in clauses
        if clause not in known
    )
    blocks = [
        "[[waiver]]\n"
        + "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in (
                ("clause", waiver.clause),
                ("reason", waiver.reason),
                ("owner", waiver.owner),
                ("link", waiver.link),
            )
            if value
        )
        + f"expires = {waiver.expires.isoformat()}\n"
        for waiver in (*kept, *fresh)
    ]
    path.write_text("\n".join(blocks) or "# nothing was violated\n", encoding="utf-8")


def _schema(subject: str) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "waiver": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": [subject, "reason", "expires"],
                    "properties": {
                        **dict.fromkeys((subject, "reason", "owner", "link"), text),
                        "expires": {},
                    },
                    "anyOf": [{"required": ["owner"]}, {"required": ["link"]}],
                },
            }
        },
    }


def _date(value: object) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(str(value))
