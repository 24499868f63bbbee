"""Accepted differences: waivers in TOML, each a pattern, a reason, an owner or link, and an expiry date."""

from __future__ import annotations

import datetime
import fnmatch
from dataclasses import dataclass
from pathlib import Path

from getintegration_compare.differences import Difference
from getintegration_contract.target import waivers
from getintegration_contract.target.waivers import Waiver


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
    return waivers.read(path, what="--accept", subject="difference")
