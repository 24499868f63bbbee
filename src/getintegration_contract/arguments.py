"""Values of command lines: text -> what it means."""

from __future__ import annotations

import math


def number(text: str) -> float:
    """A number as an option takes it.

    Raises:
        ValueError: It is none, or NaN, or infinite.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
