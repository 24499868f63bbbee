"""Runs over time: the geometry of small line charts, and what changed from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from getintegration_contract.report import history, view

WIDTH, HEIGHT = 240, 96
_LEFT, _RIGHT, _TOP, BASE = 4, 232, 10, 78


@dataclass(frozen=True)
class Panel:
    """One measure over all runs, ready to be drawn."""

    name: str
    #: x, y, and what is there in words, of each run.
    points: list[tuple[float, float, str]]
    last: str
    low: str
    high: str

    @property
    def line(self) -> str:
        """The points as an SVG polyline has them."""
        return " ".join(f"{x:g},{y:g}" for x, y, _ in self.points)


def panels(reports: list[dict[str, Any]]) -> list[Panel]:
    """A panel for each measure, of runs from old to new."""
    tallies = [view.tally(report["clauses"]) for report in reports]
    days = [report["started"][:10] for report in reports]
    upheld = [tally["upheld"] for tally in tallies]
    return [
        _panel("violated", days, [tally["violated"] for tally in tallies]),
        _panel("upheld", days, upheld, floor=min(upheld)),  # what matters is how it changes
        _panel("requests", days, [report["run"]["requests"] for report in reports]),
        _panel("seconds", days, [report["seconds"] for report in reports]),
    ]


def _panel(name: str, days: list[str], values: Sequence[float], floor: float = 0) -> Panel:
    span = (max(values) - floor) or 1
    step = (_RIGHT - _LEFT) / max(len(values) - 1, 1)
    points = [
        (
            round(_LEFT + number * step, 1),
            round(BASE - (BASE - _TOP) * (value - floor) / span, 1),
            f"{day}: {_number(value)}",
        )
        for number, (day, value) in enumerate(zip(days, values, strict=True))
    ]
    return Panel(name, points, _number(values[-1]), _number(min(values)), _number(max(values)))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def rows(reports: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Runs in their order, each with the clauses that broke and were mended since the one before."""
    found = []
    for before, report in zip([reports[0], *reports], reports, strict=False):
        since = history.changes(before, report["clauses"])
        changed = (("broke", since["new"]), ("mended", since["mended"]))
        found.append((report, "; ".join(f"{word} {', '.join(names)}" for word, names in changed if names)))
    return found
