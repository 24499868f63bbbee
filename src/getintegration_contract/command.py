"""What command lines share: whatever ends one is a sentence on standard error, and a documented status."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from getintegration_contract import streams
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.redact import Redactor
from getintegration_contract.text import shorten

OK, FAILED, INTERRUPTED, INTERNAL, WRONG_USE, INDETERMINATE = 0, 1, 2, 3, 4, 6

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Parser(argparse.ArgumentParser):
    """A parser to which wrong use is status 4 and a line, however long what was given is."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {shorten(message, 300)}\n")


def run(program: str, act: Callable[[], int], redactor: Redactor | None = None) -> int:
    """The status of a command: what ``act`` returns, or that of what ended it."""
    streams.tolerate()
    try:
        with _interruptible():
            return act()
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
    finally:  # what cannot be written is noticed here, not when Python ends
        sys.stdout.flush()
    print(f"{program}: {(redactor or Redactor()).text(message)}", file=sys.stderr)
    return status


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does: what it made is removed, and not in two goes."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in _SIGNALS}
    handled = [each for each in _SIGNALS if before[each] is not signal.SIG_IGN]
    for each in handled:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each in handled:
            signal.signal(each, before[each])
