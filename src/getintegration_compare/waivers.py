"""Accepted differences: waivers whose ``clause`` is a pattern of differences."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Iterable, Sequence

from getintegration_compare.differences import Difference
from getintegration_contract.target.waivers import Waiver
from getintegration_contract.text import visible


class Acceptance:
    """The waivers of a comparison.

    A pattern (with ``*`` and ``?``) is held against the kind (``header``), the kind with its place
    (``header:etag``) or its two sides (``status:404 -> 400``), and every clause (``response.Tags.*``).
    """

    def __init__(self, waivers: Sequence[Waiver], today: datetime.date) -> None:
        self._waivers = [(waiver, _compiled(waiver.clause)) for waiver in waivers]
        self._today = today
        self._used: set[str] = set()

    def accepts(self, difference: Difference) -> Waiver | None:
        """The waiver that accepts a difference."""
        names = _names(difference) if self._waivers else ()
        for waiver, pattern in self._waivers:
            if any(name == waiver.clause or pattern.fullmatch(name) for name in names):
                self._used.add(waiver.clause)
                if not waiver.expired(self._today):
                    return waiver
        return None

    def complaints(self, found: Iterable[Difference]) -> list[str]:
        """What is wrong with the waivers: expired ones, and ones that match nothing of what was found."""
        complaints = []
        names = sorted(set().union(*map(_names, found)))
        for waiver, _ in self._waivers:
            if waiver.expired(self._today):
                complaints.append(f"the waiver of {waiver.clause} expired on {waiver.expires.isoformat()}")
            elif waiver.clause not in self._used:
                close = difflib.get_close_matches(waiver.clause, names, n=1, cutoff=0.5)
                nearest = f"; the nearest is {close[0]}" if close else ""
                complaints.append(f"the waiver of {waiver.clause} matches no difference{nearest}")
        return complaints


def _names(difference: Difference) -> set[str]:
    return {difference.kind, difference.pattern, visible(difference.pattern), *difference.clauses}


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in which ``*`` and ``?`` alone mean something: places have brackets of their own."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
