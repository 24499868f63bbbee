"""Signals that end a run: the first one interrupts it, and none interrupts its cleaning up."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import pytest


class Interrupts:
    """SIGTERM and SIGHUP do what Ctrl-C does.

    Attributes:
        came: Whether there was one.
    """

    def __init__(self) -> None:
        self.came = False
        self._is_ending = False

    def install(self) -> None:
        """Handle them, but for those that are ignored on purpose, as by nohup."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first, self.came = not self.came, True
        if first and not self._is_ending:
            raise KeyboardInterrupt

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # A signal may come between two lines, and pytest breaks on a frame that has no line.
        if self.came and isinstance(excinfo.value, KeyboardInterrupt):
            excinfo.traceback = excinfo.traceback[-1:]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._is_ending = True
