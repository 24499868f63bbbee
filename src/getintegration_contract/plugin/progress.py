"""How many requests a run sends, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from getintegration_contract.run import Run, Settings
from getintegration_contract.target.capabilities import WRITING
from getintegration_contract.target.target import Target
from getintegration_contract.text import duration

#: Seconds between two lines on how far a slow run is.
_EVERY = 10.0
#: About how many requests a test sends, by depth and module, where that is more than one or so.
_ALWAYS = {"test_state": 13.0, "test_isolation": 16.0, "test_throttling": 5.0}
_WEIGHTS = {
    "gate": {"test_concurrency": 65.0, "test_stateful": 63.0, **_ALWAYS},
    "nightly": {"test_concurrency": 1020.0, "test_stateful": 820.0, **_ALWAYS},
}
#: About what share of all requests writes.
_WRITING = 0.15


class Progress:
    """Tells in the controlling process how far the run is."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._run = run
        self._total = self._done = 0.0
        self._quiet = config.option.verbose < 0
        self._clock = self._told = time.monotonic()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.items:
            self._announce(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        if not self._total:
            self._announce(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        entry = getattr(report, "contract", None)
        if entry is None or self._run.target.rate is None:
            return
        self._done += _weight(report.nodeid, self._run.settings, self._run.target)
        now = time.monotonic()
        if now - self._told >= _EVERY and self._done < self._total:
            self._told = now
            left = duration((now - self._clock) / self._done * (self._total - self._done))
            self._run.say(f"about {self._done:.0f} of {self._total:.0f} requests, about {left} left")

    def _announce(self, ids: Iterable[str]) -> None:
        """How many requests there will be, and how long they take where there is a rate."""
        target, settings = self._run.target, self._run.settings
        self._total = sum(_weight(identifier, settings, target) for identifier in ids)
        self._clock = self._told = time.monotonic()
        if self._quiet:
            return
        total, limit = self._total, target.max_requests
        told = f"about {total:.0f} requests"
        if limit is not None and limit < total:
            total = limit
            told += f", of which the limit lets {limit} through"
        if target.rate:
            seconds = total / target.rate
            pace = f"{target.rate:g} a second"
            if target.write_rate and WRITING in target.capabilities:
                seconds += _WRITING * total * (1 / target.write_rate - 1 / target.rate)
                pace += f", {target.write_rate:g} of those that write"
            self._run.say(f"{told}, at {pace}, so about {duration(seconds)}")
        else:
            self._run.say(f"{told}, as fast as they are answered")


def _weight(identifier: str, settings: Settings, target: Target) -> float:
    """About how many requests a test sends."""
    module = identifier.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    if "::test_fuzz[" in identifier:
        return settings.max_examples / settings.shards
    if module in ("test_isolation", "test_state", "test_stateful") and WRITING not in target.capabilities:
        return 0.0
    if module == "test_concurrency" and target.rate:
        return 25.0
    return _WEIGHTS[settings.depth].get(module, 1.1)
