"""How many requests a run sends, and how far it is: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterable
from typing import Any

import pytest

from getintegration_contract.run import Run, Settings
from getintegration_contract.target.target import WRITING, Target
from getintegration_contract.text import duration

#: Seconds between two lines, and between two looks of the bar, which is as wide as this.
_LINES, _LOOKS, _WIDTH = 10.0, 0.1, 40
#: About how many requests a test sends, and what share of all requests writes.
_USUAL, _WRITING = 1.1, 0.15


@pytest.hookspec(firstresult=True)
def pytest_contract_requests(nodeid: str, settings: Settings, target: Target) -> float | None:
    """About how many requests a test sends; None for one or so."""


class Progress:
    """Shows in the controlling process how far the run is.

    Attributes:
        left: The tests that have not ended, and about how many requests each sends, once they are known.
        terminal: Where a bar stands in place of pytest's letters; None elsewhere.
    """

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config, self._run = config, run
        self.left: dict[str, float] | None = None
        self.terminal: Any = None
        self._total = self._done = 0.0
        self._begun = self._shown = time.monotonic()

    @pytest.hookimpl(trylast=True)  # after pytest has said how many tests there are
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._begin(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._begin(ids)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "contract") or self.left is None:
            return
        self._done += self.left.pop(report.nodeid, _USUAL)
        now = time.monotonic()
        if self._done >= self._total or now - self._shown < (_LOOKS if self.terminal else _LINES):
            return
        self._shown = now
        left = duration((now - self._begun) / self._done * (self._total - self._done))
        text = f"about {self._done:.0f} of {self._total:.0f} requests, about {left} left"
        if self.terminal:
            text = f"[{'#' * int(_WIDTH * self._done / self._total):<{_WIDTH}}] {text}"
            self.terminal.rewrite(text[: self.terminal._tw.fullwidth - 1], erase=True)
            self.terminal.flush()
        else:
            self._run.say(text)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.erase()
        self.terminal = None

    def erase(self) -> None:
        """Take the bar away, so that something else can be written."""
        if self.terminal:
            self.terminal.rewrite("", erase=True)
            self.terminal.rewrite("")

    def _begin(self, ids: Iterable[str]) -> None:
        if self.left is not None:
            return
        run, estimate = self._run, self._config.hook.pytest_contract_requests
        found = {id_: estimate(nodeid=id_, settings=run.settings, target=run.target) for id_ in ids}
        self.left = {id_: _USUAL if count is None else count for id_, count in found.items()}
        self._begun = self._shown = time.monotonic()
        option, terminal = self._config.option, self._config.pluginmanager.get_plugin("terminalreporter")
        if option.verbose < 0:
            return
        self._announce(sum(self.left.values()))
        # Where there is a terminal to draw on, and nobody else writes to it.
        is_free = option.verbose == 0 and option.capture != "no" and not option.usepdb
        if is_free and self._total and terminal is not None and terminal.isatty():
            self.terminal, terminal.showfspath = terminal, False

    def _announce(self, total: float) -> None:
        """Say how many requests there will be, and how long they take where there is a rate."""
        target = self._run.target
        self._total = total
        text = f"about {self._total:.0f} requests"
        if target.max_requests is not None and target.max_requests < self._total:
            self._total = float(target.max_requests)
            text += f", of which the limit lets {target.max_requests} through"
        if target.rate:
            seconds = self._total / target.rate
            pace = f"{target.rate:g} a second"
            if target.write_rate and WRITING in target.capabilities:
                seconds += _WRITING * self._total * (1 / target.write_rate - 1 / target.rate)
                pace += f", {target.write_rate:g} of those that write"
            self._run.say(f"{text}, at {pace}, so about {duration(seconds)}")
        else:
            self._run.say(f"{text}, as fast as they are answered")
