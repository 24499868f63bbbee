"""What command lines share: whatever ends one is a sentence on standard error, and a documented status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from getintegration_contract import process
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.process import Interrupts
from getintegration_contract.redact import Redactor
from getintegration_contract.text import shorten

#: Exit statuses, as the README's table has them.
OK, FAILED, INTERRUPTED, INTERNAL, WRONG_USE, NOTHING_RAN, INDETERMINATE = range(7)


class Parser(argparse.ArgumentParser):
    """A parser to which wrong use is status 4 and a line, however long what was given is."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {shorten(message, 300)}\n")


def run(program: str, act: Callable[[], int], redactor: Redactor | None = None) -> int:
    """The status of a command: what ``act`` returns, or that of what ended it."""
    process.tolerate()
    try:
        with Interrupts():
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
