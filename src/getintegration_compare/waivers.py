"""Accepted differences: waivers in TOML, each a pattern, a reason, an owner or link, and an expiry date."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from getintegration_compare.differences import Difference
from getintegration_contract.target import waivers
from getintegration_contract.target.waivers import Waiver
from getintegration_contract.text import visible


class Acceptance:
    """The waivers of a comparison; the waived ``clause`` of each is a pattern of differences.

    A pattern (with ``*`` and ``?``) is held against the kind (``header``), the kind with its place
    (``header:etag``) or its two sides (``status:404 -> 400``), and every clause (``response.Tags.*``).
    """

    def __init__(self, accepted: Iterable[Waiver], today: datetime.date) -> None:
        self.waivers = list(accepted)
        self.today = today
        self._used: set[str] = set()

    def accepts(self, difference: Difference) -> Waiver | None:
        """The waiver that accepts a difference."""
        if not self.waivers:
            return None
        names = _names(difference)
        for waiver in self.waivers:
            pattern = _compiled(waiver.clause)
            if any(name == waiver.clause or pattern.fullmatch(name) for name in names):
                self._used.add(waiver.clause)
                if not waiver.expired(self.today):
                    return waiver
        return None

    def complaints(self, found: Iterable[Difference]) -> list[str]:
        """What is wrong with the waivers: expired ones, and ones that match nothing of what was found."""
        complaints = []
        names = sorted(set().union(*map(_names, found)))
        for waiver in self.waivers:
            if waiver.expired(self.today):
                complaints.append(f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}")
            elif waiver.clause not in self._used:
                close = difflib.get_close_matches(waiver.clause, names, n=1, cutoff=0.5)
                nearest = f"; the nearest is {close[0]}" if close else ""
                complaints.append(f"the waiver of {waiver.clause} matches no difference{nearest}")
        return complaints


def _names(difference: Difference) -> set[str]:
    """What a waiver may call a difference."""
    return {difference.kind, difference.pattern, visible(difference.pattern), *difference.clauses}


@lru_cache(maxsize=1_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which ``*`` and ``?`` alone mean something: places have brackets of their own."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def write(path: Path, found: Iterable[Difference], acceptance: Acceptance) -> str:
    """Write a file that accepts differences, and those that were accepted before.

    Returns:
        What was written, as a line.
    """
    patterns = dict.fromkeys(difference.pattern for difference in found)
    waivers.write(path, patterns, acceptance.today, kept=acceptance.waivers, subject="difference")
    return f"waivers written to {path}: {len(patterns)} new; fill in reason and owner of each"


def read(path: Path) -> list[Waiver]:
    """The waivers of a TOML file, each a ``[[waiver]]`` table with a pattern as its ``difference``.

    Raises:
        WaiverError: The file cannot be read, or an entry lacks what it needs.
    """
    return waivers.read(path, what="--accept", subject="difference")
