"""The geometry of a trend: numbers over runs -> points of small line charts."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 240, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 4, 8, 10, 18

#: Measures whose axis need not start at zero: what matters is how they change.
_FLOATING = frozenset({"upheld"})


@dataclass(frozen=True)
class Point:
    """One run in a chart."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One measure over all runs, ready to be drawn."""

    name: str
    points: list[Point]
    last: str
    low: str
    high: str
    first_day: str
    last_day: str
    width: int = WIDTH
    height: int = HEIGHT
    base: float = HEIGHT - _BOTTOM

    @property
    def line(self) -> str:
        """The points as an SVG polyline has them."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)

    @property
    def sentence(self) -> str:
        """The chart in words."""
        return (
            f"{self.name} over {len(self.points)} runs from {self.first_day} to {self.last_day}:"
            f" between {self.low} and {self.high}, last {self.last}"
        )


def panels(days: list[str], measures: dict[str, list[float]]) -> list[Panel]:
    """A panel a measure; ``days`` names the runs, oldest first."""
    return [_panel(days, name, values) for name, values in measures.items()]


def _panel(days: list[str], name: str, values: list[float]) -> Panel:
    low, high = min(values), max(values)
    floor = low if name in _FLOATING else 0.0
    span = (high - floor) or 1.0
    step = (WIDTH - _LEFT - _RIGHT) / max(len(values) - 1, 1)
    points = [
        Point(
            round(_LEFT + number * step, 1),
            round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - (value - floor) / span), 1),
            f"{day}: {_number(value)}",
        )
        for number, (day, value) in enumerate(zip(days, values, strict=True))
    ]
    return Panel(name, points, _number(values[-1]), _number(low), _number(high), days[0], days[-1])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
