"""Violations accepted for one target: clause, reason, owner or link, expiry date."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from getintegration_contract.errors import WaiverError
from getintegration_contract.target.file import TEXT, read_toml, unknown

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
        WaiverError: The file cannot be read or an entry lacks what it needs.
    """
    document = read_toml(path, what, WaiverError)
    entries = document.pop("waiver", [])
    if document or not isinstance(entries, list):
        other = next(iter(document), "waiver = ")
        raise WaiverError(f"{what}: {path}: {other} is not allowed: the file takes only [[waiver]] tables")
    waivers: dict[str, Waiver] = {}
    for number, entry in enumerate(entries, 1):
        try:
            waiver = _waiver(entry, subject)
            if waiver.clause in waivers:
                raise ValueError(f"{waiver.clause} is waived twice")
        except ValueError as error:
            raise WaiverError(f"{what}: {path}: [[waiver]] {number}: {error}") from None
        waivers[waiver.clause] = waiver
    return list(waivers.values())


def _waiver(entry: Any, subject: str) -> Waiver:
    """One entry of a file.

    Raises:
        ValueError: It is not what a waiver has to be.
    """
    if not isinstance(entry, dict):
        raise ValueError("it must be a table")
    texts = (subject, "reason", "owner", "link")
    for name, value in entry.items():
        if name not in (*texts, "expires"):
            raise ValueError(unknown(name, (*texts, "expires")))
        if name in texts and not TEXT.holds(value):
            raise ValueError(f"{name} must be {TEXT.due}")
        if value in _PLACEHOLDERS:
            raise ValueError(f"{name} is not filled in: {value}")
    for name in (subject, "reason", "expires"):
        if name not in entry:
            raise ValueError(f"{name} is missing")
    if not entry.keys() & {"owner", "link"}:
        raise ValueError("it needs owner or link")
    return Waiver(
        entry[subject], entry["reason"], _date(entry["expires"]), entry.get("owner"), entry.get("link")
    )


def write(
    path: Path,
    clauses: Iterable[str],
    today: datetime.date,
    days: int = 30,
    kept: Iterable[Waiver] = (),
    subject: str = "clause",
) -> None:
    """Write a file that waives clauses, with placeholders for reason and owner.

    Args:
        kept: Waivers to write as they are; an expired one is not renewed.
        subject: The key of what is accepted.
    """
    kept, expires = tuple(kept), today + datetime.timedelta(days=days)
    known = {waiver.clause for waiver in kept}
    fresh = (
        Waiver(clause, _PLACEHOLDERS[0], expires, _PLACEHOLDERS[1])
        for clause in clauses
        if clause not in known
    )
    blocks = [
        "[[waiver]]\n"
        + "".join(
            f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
            for name, value in (
                (subject, waiver.clause),
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


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    try:
        return value if isinstance(value, datetime.date) else datetime.date.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError("expires must be a date like 2027-01-31") from None
