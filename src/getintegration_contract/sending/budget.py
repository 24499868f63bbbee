"""One budget of requests for all workers of a run: a rate that is never exceeded, and a limit.

The budget is a small file. A sender locks it, waits for its turn, notes that of the next one and unlocks;
meanwhile the others wait for the lock. A turn comes an interval after the last departure, by a clock that all
processes share, so that a late wake-up never lets a second hold more requests than the rate. Requests that
write wait for a turn of a second, slower budget first.

pyrate-limiter's bucket for several processes is for one thread in each, and notes when a request was meant to
leave, not when it left; the suite has threads, and promises never to exceed a quota.
"""

import fcntl
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from getintegration_contract.errors import BudgetExhausted

#: Share of every second that stays unused: a departure may reach the wire a little late, the next one not.
MARGIN = 0.05

#: Requests that the limit counts, and the turn of the next one.
_STATE = struct.Struct("=Qd")


@dataclass(frozen=True)
class Budget:
    """A share in the budget: a path and numbers, so that it can travel to workers.

    Attributes:
        path: The file that all workers share; none where there is no limit.
        rate: Requests a second; None for no limit.
        limit: Requests of all workers together; None for no limit.
        write_rate: Requests a second that write; None for no limit of their own.
    """

    path: str = ""
    rate: float | None = None
    limit: int | None = None
    write_rate: float | None = None

    @classmethod
    def create(cls, rate: float | None, limit: int | None, write_rate: float | None = None) -> Self:
        """A fresh budget, in a temporary file if anything is limited."""
        if rate is None and limit is None:
            return cls()
        handle, name = tempfile.mkstemp(prefix="getintegration-contract-", suffix=".budget")
        os.close(handle)
        return cls(name, rate, limit, write_rate)

    def acquire(self, limited: bool = True, writing: bool = False) -> float:
        """Return when one more request may be sent.

        Args:
            limited: Whether the limit counts; it does not for waiting and cleaning up.
            writing: Whether it is a request that writes.

        Returns:
            The moment of departure, by the monotonic clock that all processes share.

        Raises:
            BudgetExhausted: The limit on requests is reached.
        """
        if not self.path:
            return time.monotonic()
        if writing and self.write_rate is not None:
            Budget(f"{self.path}.writes", self.write_rate).acquire()
        with _locked(self.path) as handle:
            counted, turn = _STATE.unpack(os.pread(handle, _STATE.size, 0) or bytes(_STATE.size))
            if limited and self.limit is not None and counted >= self.limit:
                raise BudgetExhausted(f"the limit of {self.limit} requests is reached")
            while (now := time.monotonic()) < turn:
                time.sleep(turn - now)
            turn = now + (1 + MARGIN) / self.rate if self.rate else now
            os.pwrite(handle, _STATE.pack(counted + limited, turn), 0)
            return now

    def remove(self) -> None:
        """Delete its files; safe to call again."""
        if self.path:
            for path in (self.path, f"{self.path}.writes"):
                Path(path).unlink(missing_ok=True)


@contextmanager
def _locked(path: str) -> Iterator[int]:
    """The file, opened for this call alone, so that threads of one process exclude each other too.

    The library filelock takes 0.9 ms for each turn instead of 0.07, and polls where this sleeps.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)
