"""Accepted differences: waivers in TOML, each a pattern, a reason, an owner or link, and an expiry date."""

from __future__ import annotations

import datetime
import fnmatch
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from getintegration_contract.parity.differences import Difference
from getintegration_contract.waivers import Waiver, WaiverError

_TEXT = {"type": "string", "minLength": 1}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "waiver": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["difference", "reason", "expires"],
                "properties": {
                    **dict.fromkeys(("difference", "reason", "owner", "link"), _TEXT),
                    "expires": {},
                },
                "anyOf": [{"required": ["owner"]}, {"required": ["link"]}],
            },
        }
    },
}


@dataclass
class Acceptance:
    """The waivers of a comparison; the waived ``clause`` of each is a pattern of differences.

    A pattern (with ``*`` and ``?``) is held against the kind (``header``), the kind with its place
    (``header:server``) and every clause (``response.Tags.*``) of a difference.
    """

    waivers: list[Waiver]
    today: datetime.date

    def __post_init__(self) -> None:
        self._used: set[str] = set()

    def accepts(self, difference: Difference) -> Waiver | None:
        """The waiver that accepts a difference."""
        names = (difference.kind, f"{difference.kind}:{difference.where}", *difference.clauses)
        for waiver in self.waivers:
            if any(fnmatch.fnmatchcase(name, waiver.clause) for name in names):
                self._used.add(waiver.clause)
                if not waiver.expired(self.today):
                    return waiver
        return None

    def complaints(self) -> list[str]:
        """What is wrong with the waivers: expired ones, and ones that accept nothing any more."""
        expired = [
            f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}"
            for waiver in self.waivers
            if waiver.expired(self.today)
        ]
        unused = [
            f"the waiver of {waiver.clause} no longer applies: there is no such difference"
            for waiver in self.waivers
            if waiver.clause not in self._used and not waiver.expired(self.today)
        ]
        return expired + unused


def read(path: Path) -> list[Waiver]:
    """The waivers of a TOML file, each a ``[[waiver]]`` table with a pattern as its ``difference``.

    Raises:
        WaiverError: The file cannot be read, or an entry lacks what it needs.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WaiverError(f"--accept: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WaiverError(f"--accept: {path} is not TOML: {error}") from None
    for fault in jsonschema_rs.validator_for(_SCHEMA).iter_errors(_plain(document)):
        place = ".".join(map(str, fault.instance_path))
        message = "needs owner or link" if "anyOf" in fault.message else fault.message
        raise WaiverError(f"--accept: {path}: {place + ': ' if place else ''}{message}")
    return [
        Waiver(
            entry["difference"],
            entry["reason"],
            _date(path, entry),
            entry.get("owner"),
            entry.get("link"),
        )
        for entry in document.get("waiver", [])
    ]


def _plain(value: Any) -> Any:
    """A TOML document in JSON's types."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


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
            f"--accept: {path}: {entry['difference']}: expires must be a date like 2027-01-31"
        ) from None
