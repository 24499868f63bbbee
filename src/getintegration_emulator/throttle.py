"""How many requests an identity and an account may make: a token bucket for each.

AWS's quotas hold per account and region (service documentation), so the account's bucket is kept
for each region; an identity's own bucket is one for all regions.
"""

import time
from collections.abc import Callable

from .errors import ApiError
from .identities import Identity


class Throttle:
    """The budgets of all identities and accounts.

    ``rate`` (requests a second) and ``burst`` (requests at once; by default the rate, at least 1) are each
    account's, in each region; no rate means unlimited. ``clock`` gives seconds that never go back.
    """

    def __init__(
        self,
        rate: float | None = None,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget = rate, burst
        self._clock = clock
        # How many requests each has made that its rate has not made up for yet, and when that was so.
        self._counts: dict[tuple[str, ...], tuple[float, float]] = {}

    def admit(self, identity: Identity, region: str) -> None:
        """Count one request, or raise :class:`ApiError` (429) and count nothing."""
        now, counts = self._clock(), {}
        budgets = {
            (identity.access_key,): (identity.rate, identity.burst),
            (identity.account, region): self._budget,
        }
        for key, (rate, burst) in budgets.items():
            if rate is not None:
                count, since = self._counts.get(key, (0.0, now))
                count = max(0.0, count - (now - since) * rate) + 1
                if count > max(1.0, rate if burst is None else burst):
                    raise ApiError(429, "ThrottlingException", "Rate exceeded.")
                counts[key] = count, now
        self._counts |= counts
