"""How two endpoints differ: each a recording, an address, or the shipped emulator.

Exit status: 0 no open difference, 1 an open difference or a waiver that has expired or matches nothing,
2 interrupted, 3 internal error, 4 wrong use, 6 indeterminate: an endpoint could not be reached, or nothing
could be compared.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from getintegration_compare import report as reports
from getintegration_compare import waivers
from getintegration_compare.comparison import Comparison, Settings, compare, confirm
from getintegration_compare.live import Live
from getintegration_compare.options import WRONG_USE, check, parse
from getintegration_compare.pairing import Answers
from getintegration_compare.sides import Sides
from getintegration_compare.verdicts import judge_recording
from getintegration_compare.waivers import Acceptance
from getintegration_contract import evidence
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.recording.about import Suite
from getintegration_contract.redact import Redactor

ALIKE, DIFFERENT, INTERRUPTED, INTERNAL, INDETERMINATE = 0, 1, 2, 3, 6

_PROGRAM = "getintegration-contract compare"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None, program: str = _PROGRAM) -> int:
    """Run the command line; its exit status, after one sentence on standard error if something is wrong."""
    output = Output()
    with _interruptible():
        try:
            with ExitStack() as stack:
                options = parse(arguments, program, __doc__ or "")
                output.redactor = Redactor(accounts=options.redact_accounts)
                return _Command(options, stack, output).run()
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
            output.flush()
        output.say(f"{program}: {message}")
        return status


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end a comparison as Ctrl-C does: what it made is removed, and not in two goes."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        for each in handled:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    handled = {each: signal.getsignal(each) for each in _SIGNALS}
    handled = {each: handler for each, handler in handled.items() if handler is not signal.SIG_IGN}
    for each in handled:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in handled.items():
            signal.signal(each, handler)


class Output:
    """Prints, redacted. Where nobody reads any more, or nothing fits, what was found still is what it is."""

    def __init__(self) -> None:
        self.redactor = Redactor()

    def say(self, line: str) -> None:
        """Print a line for who waits."""
        self._print(line, sys.stderr)

    def result(self, text: str) -> None:
        """Print what came out."""
        self._print(text, sys.stdout)

    def flush(self) -> None:
        """Write what is buffered, or drop it: when Python ends, it would fail again."""
        self._print(None, sys.stdout)
        self._print(None, sys.stderr)

    def _print(self, text: str | None, stream: TextIO | None) -> None:
        if stream is None:  # closed before Python began
            return
        try:
            if text is not None:
                print(self.redactor.text(text), file=stream)
            stream.flush()
        except (OSError, ValueError) as error:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
            if stream is sys.stdout and not isinstance(error, BrokenPipeError):
                self.say(f"cannot print the result: {error}")


class _Command:
    """One invocation."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack, output: Output) -> None:
        self.options = options
        self.output = output
        self.sides = Sides(options, stack, output.say, output.redactor)

    def run(self) -> int:
        """Compare, report, and say how it came out."""
        options = self.options
        check(options)
        contract = Contract.load(options.contract)
        if options.candidate is None:
            recording = self.sides.read_reference()
            promotable = judge_recording(recording, contract).promotable(contract)
            self.output.result(self._promote(recording.suite, promotable))
            return ALIKE
        settings = Settings(contract, tuple(options.no_normalise), max_age=options.max_age)
        accepted = waivers.read(options.accept) if options.accept else []
        repeat = self.sides.read(options.confirm) if options.confirm else None
        source, sides = self.sides.open()
        reference, candidate = self.sides.ask(source, sides, None, options.record)
        acceptance = Acceptance(accepted, settings.today)
        result = compare(reference, candidate, settings, acceptance)
        if result.groups and not options.no_repeat:
            if repeat is not None:
                confirm(result, compare(reference, Answers.of(repeat), settings))
            elif isinstance(sides[1], Live):
                tests = {shown.key.test for group in result.groups for shown in group.examples}
                places = (place for place, recorded in enumerate(source) if recorded.test in tests)
                confirm(result, compare(*self.sides.ask(source, sides, frozenset(places)), settings))
        return self._report(result, settings, acceptance)

    def _report(self, result: Comparison, settings: Settings, acceptance: Acceptance) -> int:
        options = self.options
        status = DIFFERENT if result.unaccepted or result.complaints else ALIKE
        if not result.compared:
            status = INDETERMINATE
        report = self.output.redactor.value(reports.document(result, settings.contract, status))
        lines = [reports.terminal(report, 110 if sys.stdout and sys.stdout.isatty() else None)]
        if options.report_dir:
            reports.write(report, options.report_dir)
        if options.write_accept:
            found = (group.difference for group in result.groups if group.is_open)
            lines.append(waivers.write(options.write_accept, found, acceptance))
        if options.promote and result.verdicts is not None:
            lines.append(self._promote(result.reference, result.verdicts.promotable(settings.contract)))
        self.output.result("\n".join(lines))
        if status == INDETERMINATE:
            raise EnvironmentFault("nothing could be compared")
        return status

    def _promote(self, suite: Suite, clauses: dict[str, int]) -> str:
        """Write evidence; what was written, as a line."""
        path = self.options.contract.with_name(evidence.FILE_NAME)
        evidence.promote(path, clauses, suite)
        return f"{len(clauses)} clauses promoted in {path}: {', '.join(clauses) or 'none'}"
