"""What command lines share: whatever ends one is a sentence on standard error, and a documented status.

Signals do not break what cleans up, and a standard output that cannot be written breaks nothing.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.redact import Redactor
from getintegration_contract.text import shorten

#: Exit statuses, as the README's table has them.
OK, FAILED, INTERRUPTED, INTERNAL, WRONG_USE, NOTHING_RAN, INDETERMINATE = range(7)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Parser(argparse.ArgumentParser):
    """A parser to which wrong use is status 4 and a line, however long what was given is."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {shorten(message, 300)}\n")

    def run(self, arguments: Sequence[str] | None, act: Callable[[argparse.Namespace, Redactor], int]) -> int:
        """The status of a command: what ``act`` returns for its options, or that of what ended it."""
        options = self.parse_args(arguments)
        redactor = Redactor(accounts=getattr(options, "redact_accounts", False))
        tolerate()
        interrupts = Interrupts()
        interrupts.install()
        try:
            return act(options, redactor)
        except UsageError as error:
            message, status = str(error), WRONG_USE
        except EnvironmentFault as error:
            message, status = str(error), INDETERMINATE
        except KeyboardInterrupt:
            message, status = "interrupted", INTERRUPTED
        except OSError as error:
            message, status = f"the environment got in the way: {error}", INDETERMINATE
        except Exception as error:
            message, status = f"internal error: {type(error).__name__}: {error}", INTERNAL
        finally:
            interrupts.remove()
            sys.stdout.flush()  # what cannot be written is noticed here, not when Python ends
        print(f"{self.prog}: {redactor.text(message)}", file=sys.stderr)
        return status


class Interrupts:
    """SIGTERM and SIGHUP do what Ctrl-C does, and only the first signal interrupts: cleaning up goes on.

    Attributes:
        came: Whether there was one.
        is_ending: Whether cleaning up has begun, which none interrupts.
    """

    def __init__(self) -> None:
        self.came = self.is_ending = False
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        """Handle them, but for those that are ignored on purpose, as by nohup."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._handle)

    def remove(self) -> None:
        """Have signals handled as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        first, self.came = not self.came, True
        if first and not self.is_ending:
            raise KeyboardInterrupt


def tolerate() -> None:
    """Discard a standard stream once it cannot be written; standard error says why."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed before the run began
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (it stays open)
        stream = getattr(sys, name)
        if not getattr(stream, "is_tolerant", False):
            with suppress(AttributeError):  # what takes no attributes is no file
                stream.is_tolerant = True
                stream.write = partial(_attempt, stream, stream.write)
                stream.flush = partial(_attempt, stream, stream.flush)
                stream.reconfigure(errors="backslashreplace")


def _attempt(stream: Any, act: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return act(*arguments)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        # pytest's capturing brings the file back: that it fails is said once.
        is_said = stream is sys.stderr or getattr(stream, "has_failed", False)
        if not (is_said or isinstance(error, BrokenPipeError)):
            stream.has_failed = True
            with suppress(OSError):
                print(f"contract: standard output cannot be written: {error.strerror}", file=sys.stderr)
        return act(*arguments)
