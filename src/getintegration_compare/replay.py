"""The requests of a recording, sent again to live endpoints: signed again, names mapped, order kept.

What cannot be sent again faithfully is not sent, and the reason is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from getintegration_compare.live import Live
from getintegration_compare.names import Names
from getintegration_compare.pairing import Answers, index
from getintegration_contract import recording as recordings
from getintegration_contract.errors import BudgetExhausted
from getintegration_contract.recording import Recorder, Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.recording.har import Recorded
from getintegration_contract.redact import Redactor
from getintegration_contract.text import duration

#: Seconds between two lines on how far a slow replay is.
_EVERY = 10.0


def replay(
    source: Recording,
    lives: Iterable[Live],
    paths: Iterable[Path],
    say: Callable[[str], None],
    *,
    only: frozenset[int] | None = None,
    accounts: bool = False,
) -> list[Answers]:
    """Send the requests of a recording to one or more endpoints, one after the other, each to all of them.

    Args:
        source: Its requests are sent.
        lives: The endpoints; they stay open.
        paths: Where the recordings are written, one for each endpoint.
        only: Positions in the source; None for all.
        accounts: Whether account ids are redacted as well.

    Returns:
        What each endpoint answered.

    Raises:
        EnvironmentFault: An endpoint went away.
    """
    names = Names(source.suite.states)
    asked = [_Asked(live, path, source.suite, accounts) for live, path in zip(lives, paths, strict=True)]
    chosen = _chosen(source, names, only)
    progress = _Progress(len(chosen), [each.live for each in asked], say)
    for position in chosen:
        recorded = source[position]
        refusals = [each.live.refusal(recorded, names) for each in asked]
        for each, refusal in zip(asked, refusals, strict=True):
            # What one cannot be asked, the others need not be.
            each.take(position, recorded, names, refusal or next(filter(None, refusals), None))
        progress.step()
    return [each.answers() for each in asked]


def _chosen(source: Recording, names: Names, only: frozenset[int] | None) -> list[int]:
    """The positions whose requests are sent: no races, no attempts that a later one made up for."""
    found = index(source, names)
    return [
        position
        for position, key in enumerate(found.keys)
        if key is not None and key.test not in found.races and (only is None or position in only)
    ]


class _Asked:
    """One endpoint while it is asked: where its answers go, and what it was not asked."""

    def __init__(self, live: Live, path: Path, source: Suite, accounts: bool) -> None:
        self.live = live
        self.recorder = Recorder(path, Redactor(live.target.secrets, accounts=accounts), live.suite(source))
        self._sent: list[int] = []
        self._unsent: dict[int, str] = {}

    def take(self, position: int, recorded: Recorded, names: Names, refusal: str | None) -> None:
        """Ask it the next request, unless something is against that."""
        if refusal is not None:
            self._unsent[position] = refusal
            return
        try:
            exchange = self.live.ask(recorded, names)
        except BudgetExhausted as error:
            self._unsent[position] = str(error)
            return
        self._sent.append(position)
        self.recorder.write(
            replace(exchange, faults=()),
            test=recorded.test,
            clauses=recorded.clauses,
            signing=recorded.signing,
        )

    def answers(self) -> Answers:
        """What it answered, as a recording of its own."""
        self.recorder.finish(complete=True)
        return Answers(recordings.read(self.recorder.path), self._sent, self._unsent)


class _Progress:
    """Says beforehand how many requests will be sent and how long it takes, and then how far it is."""

    def __init__(self, total: int, targets: list[Live], say: Callable[[str], None]) -> None:
        self._total, self._done = total, 0
        self._say = say
        self._begun = self._reported = time.monotonic()
        rates = [live.target.rate for live in targets if live.target.rate is not None]
        where = " and ".join(live.target.endpoint for live in targets)
        if rates:
            seconds = total / min(rates)
            say(f"{total} requests to {where} at {min(rates):g} a second: about {duration(seconds)}")
        else:
            say(f"{total} requests to {where}")

    def step(self) -> None:
        """One request more is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._reported >= _EVERY and self._done < self._total:
            self._reported = now
            left = (now - self._begun) / self._done * (self._total - self._done)
            self._say(f"{self._done} of {self._total} requests, about {duration(left)} left")
