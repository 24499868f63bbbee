"""Who may call, and how often."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    access_key: str
    secret: str
    account: str = "111122223333"
    token: str | None = None
    allowed: bool = True
    quota: int | None = None  # requests a second of its own


IDENTITIES = {
    "caller": Identity("AKIAEXAMPLECALLER001", "caller-EXAMPLE-secret-key-0123456789abcd"),
    "unauthorized": Identity(
        "AKIAEXAMPLEDENIED001", "denied-EXAMPLE-secret-key-0123456789abcd", allowed=False
    ),
    "other-account": Identity(
        "AKIAEXAMPLEOTHER0001", "other-EXAMPLE-secret-key-0123456789abcde", "444455556666"
    ),
    "low-quota": Identity("AKIAEXAMPLELOWQUOTA1", "lowquota-EXAMPLE-secret-key-0123456789ab", quota=5),
    "temporary": Identity(
        "ASIAEXAMPLETEMP00001",
        "temporary-EXAMPLE-secret-key-012345678901",
        token="EXAMPLE-session-token",
    ),
}
BY_ACCESS_KEY = {identity.access_key: identity for identity in IDENTITIES.values()}


class Bucket:
    """A token bucket, full at first, that holds one second's worth."""

    def __init__(self, rate: float) -> None:
        self.rate, self.size = rate, max(1.0, rate)
        self.level, self.seen = self.size, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.level = min(self.size, self.level + (now - self.seen) * self.rate)
        self.seen = now
        granted = self.level >= 1
        self.level -= granted
        return granted
