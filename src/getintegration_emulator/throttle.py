"""Token buckets: how many requests an identity and an account may make.

AWS's quotas hold per account and region (service documentation), so the account's bucket is kept
for each region; an identity's own bucket is one for all regions.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .errors import ApiError
from .identities import Identity


class TokenBucket:
    """``rate`` tokens a second run into a bucket that holds ``burst``; it starts full.

    ``burst`` defaults to the rate, and is 1 at least. ``clock`` gives seconds that never go back.
    """

    def __init__(self, rate: float, burst: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = max(1.0, rate if burst is None else burst)
        self._clock = clock
        self._tokens = self._burst
        self._filled_at = clock()

    def ready(self) -> bool:
        """Whether a token is there; takes none."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._tokens >= 1.0

    def take(self) -> None:
        """Take one token. Ask :meth:`ready` first."""
        self._tokens -= 1.0


class Throttle:
    """The budgets of all identities and accounts.

    ``rate`` and ``burst`` are each account's, in each region; ``None`` means unlimited.
    """

    def __init__(
        self,
        rate: float | None = None,
        burst: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        #: By access key, and by account and region.
        self._buckets: dict[str | tuple[str, str], TokenBucket] = {}

    def admit(self, identity: Identity, region: str) -> None:
        """Count one request, or raise :class:`ApiError` (429) and count nothing."""
        buckets = []
        if identity.rate is not None:
            own = TokenBucket(identity.rate, identity.burst, self._clock)
            buckets.append(self._buckets.setdefault(identity.access_key, own))
        if self._rate is not None:
            shared = TokenBucket(self._rate, self._burst, self._clock)
            buckets.append(self._buckets.setdefault((identity.account, region), shared))
        if not all(bucket.ready() for bucket in buckets):
            raise ApiError(429, "ThrottlingException", "Rate exceeded.")
        for bucket in buckets:
            bucket.take()
