"""Latency in buckets: what a share of requests stayed below, in little memory."""

from __future__ import annotations

import math
from collections import Counter


def bucket(seconds: float) -> int:
    """A logarithmic bucket of microseconds, twenty to a power of ten, so about 12 % wide."""
    return round(20 * math.log10(max(seconds, 1e-6) * 1e6))


def percentile(buckets: Counter[int], share: float) -> float:
    """Seconds that a share of the requests stayed below, to about a tenth; 0 without requests."""
    rank = share * sum(buckets.values())
    for number in sorted(buckets):
        rank -= buckets[number]
        if rank <= 0:
            return float(10 ** (number / 20) / 1e6)
    return 0.0
