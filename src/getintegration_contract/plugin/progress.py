"""How many requests a run sends, and how far it is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest

from getintegration_contract.run import Run, Settings
from getintegration_contract.target.capabilities import WRITING
from getintegration_contract.target.target import Target
from getintegration_contract.text import duration

#: Seconds between two lines, and between two looks of the bar.
_LINES, _LOOKS = 10.0, 0.1
#: About how many requests a test sends, and what share of all requests writes.
_USUAL, _WRITING = 1.1, 0.15


@pytest.hookspec(firstresult=True)
def pytest_contract_requests(nodeid: str, settings: Settings, target: Target) -> float | None:
    """About how many requests a test sends; None for one or so."""


class Progress:
    """Shows in the controlling process how far the run is."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self._config = config
        self._run = run
        #: The tests that have not ended, and about how many requests each sends; None before they are known.
        self.left: dict[str, float] | None = None
        self._total = self._done = 0.0
        self._begun = self._shown = time.monotonic()
        self._draws = False
        #: The progress bar of rich, once tests run; None where lines are written, or nothing is.
        self.bar: Any = None

    @pytest.hookimpl(trylast=True)  # after pytest has said how many tests there are
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._begin(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._begin(ids)

    @pytest.hookimpl(tryfirst=True)  # before pytest names the file
    def pytest_runtest_logstart(self) -> None:
        if self._draws and self.bar is None:
            self._show_bar()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "contract") or self.left is None:
            return
        self._done += self.left.pop(report.nodeid, _USUAL)
        if self._done >= self._total:
            return
        now = time.monotonic()
        if now - self._shown < (_LINES if self.bar is None else _LOOKS):
            return
        self._shown = now
        if self.bar is not None:
            self.bar.update(self.bar.task_ids[0], completed=self._done, refresh=True)
        else:
            left = duration((now - self._begun) / self._done * (self._total - self._done))
            self._run.say(f"about {self._done:.0f} of {self._total:.0f} requests, about {left} left")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._draws = False
        if self.bar is not None:
            self.bar.stop()
            self.bar = None

    def _begin(self, ids: Iterable[str]) -> None:
        if self.left is not None:
            return
        run, estimate = self._run, self._config.hook.pytest_contract_requests
        found = {id_: estimate(nodeid=id_, settings=run.settings, target=run.target) for id_ in ids}
        self.left = {id_: _USUAL if count is None else count for id_, count in found.items()}
        self._begun = self._shown = time.monotonic()
        if self._config.option.verbose < 0:
            return
        self._announce(sum(self.left.values()))
        self._draws = self._total > 0 and self._has_room()

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

    def _has_room(self) -> bool:
        """Whether there is a terminal to draw on, and nobody else who writes to it."""
        reporter, option = self._config.pluginmanager.get_plugin("terminalreporter"), self._config.option
        is_terminal = reporter is not None and reporter.isatty()
        return is_terminal and option.verbose == 0 and option.capture != "no" and not option.usepdb

    def _show_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.showfspath = False
        self.bar = Bar(
            BarColumn(),
            TextColumn("about {task.completed:.0f} of {task.total:.0f} requests,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(file=reporter._tw._file, no_color=not reporter.hasmarkup),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.bar.add_task("", total=self._total)
        self.bar.start()
