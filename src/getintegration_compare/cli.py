"""How two endpoints differ: each a recording, an address, or the shipped emulator.

Exit status: 0 no open difference, 1 an open difference or a waiver that has expired or matches nothing,
2 interrupted, 3 internal error, 4 wrong use, 6 indeterminate: an endpoint could not be reached, or nothing
could be compared.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import TextIO

from getintegration_compare import report as reports
from getintegration_compare import waivers
from getintegration_compare.comparison import Comparison, Settings, confirm
from getintegration_compare.live import Live, members_of
from getintegration_compare.options import EMULATOR, NO_EVIDENCE, WRONG_USE, check, is_live, parse
from getintegration_compare.pairing import Key
from getintegration_compare.replay import replay, sample
from getintegration_compare.verdicts import judge_recording
from getintegration_compare.waivers import Acceptance
from getintegration_contract import evidence
from getintegration_contract import recording as recordings
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.redact import Redactor
from getintegration_contract.target import target as targets
from getintegration_contract.target.emulator import LocalEmulator

ALIKE, DIFFERENT, INTERRUPTED, INTERNAL, INDETERMINATE = 0, 1, 2, 3, 6

_PROGRAM = "getintegration-contract compare"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Side = Recording | Live


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
        finally:  # what is buffered would fail again when Python ends
            output.write(None, sys.stdout)
            output.write(None, sys.stderr)
        output.say(f"{program}: {message}")
        return status


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end a comparison as Ctrl-C does: what it made is removed, and not in two goes."""

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


class Output:
    """Prints, redacted. Where nobody reads any more, or nothing fits, what was found still is what it is."""

    def __init__(self) -> None:
        self.redactor = Redactor()

    def say(self, line: str) -> None:
        """Print a line for who waits."""
        self.write(line, sys.stderr)

    def write(self, text: str | None, stream: TextIO | None) -> None:
        """Print a text, if there is one, and what is buffered; on a broken stream, nothing from now on."""
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
    """One invocation. What it opens or makes is closed and removed with ``stack``."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack, output: Output) -> None:
        self._options = options
        self._stack = stack
        self._output = output
        folder = stack.enter_context(TemporaryDirectory(prefix="getintegration-contract-"))
        #: Paths for recordings that nobody keeps.
        self._unkept = (Path(folder, f"{number}.har") for number in itertools.count())

    def run(self) -> int:
        """Compare, report, and say how it came out."""
        options = self._options
        check(options)
        contract = Contract.load(options.contract)
        settings = Settings(contract, tuple(options.no_normalise), max_age=options.max_age)
        if options.candidate is None:
            recording = self._read_reference(settings)
            promotable = judge_recording(recording, contract).promotable(contract)
            self._output.write(self._promote(recording.suite, promotable), sys.stdout)
            return ALIKE
        acceptance = Acceptance(waivers.read(options.accept) if options.accept else [], settings.today)
        repeat = recordings.read(options.confirm) if options.confirm else None
        source, sides = self._open(settings)
        reference, candidate, unsent = self._ask(source, sides, keep=options.record)
        result = Comparison(reference, candidate, settings, acceptance, unsent)
        if result.groups and not options.no_repeat:
            if repeat is not None:
                confirm(result, Comparison(reference, repeat, settings))
            elif isinstance(sides[1], Live):
                tests = {shown.key.test for group in result.groups for shown in group.examples}
                reference, candidate, unsent = self._ask(source, sides, only=tests)
                confirm(result, Comparison(reference, candidate, settings, unsent=unsent))
        return self._report(result, settings, acceptance)

    def _read_reference(self, settings: Settings) -> Recording:
        """The reference's recording; where evidence is asked for, one that is evidence."""
        recording = recordings.read(Path(self._options.reference))
        if self._options.promote:
            if not recording.suite.is_aws:
                raise UsageError(NO_EVIDENCE)
            if (age := recording.suite.age(settings.today)) > settings.max_age:
                raise UsageError(f"--promote: the recording is stale, {age} days old")
        return recording

    def _open(self, settings: Settings) -> tuple[Recording, tuple[Side, Side]]:
        """The recording whose requests are sent to what is live, and both sides; first all that is read."""
        options = self._options
        reference: Side | None = None if is_live(options.reference) else self._read_reference(settings)
        candidate: Side | None = None
        if not is_live(options.candidate):
            candidate = recordings.read(Path(options.candidate))
        source = reference or candidate
        if options.requests:
            source = recordings.read(options.requests)
        reference = reference or self._reach(options.reference, options.reference_target, candidate)
        candidate = candidate or self._reach(options.candidate, options.target, reference)
        if source is None:
            assert isinstance(reference, Live)
            source = sample(next(self._unkept), reference)
        assert isinstance(source, Recording)
        return source, (reference, candidate)

    def _reach(self, where: str, file: str | None, other: Side | None) -> Live:
        """A live endpoint with the integration that the other side has.

        An AWS address has to be named on purpose; on this command line it was.
        """
        if where == EMULATOR:
            target = self._stack.enter_context(LocalEmulator()).target()
        else:
            resolved = targets.resolve({"endpoint-url": where, "target": file}, os.environ)
            assert resolved is not None, "an address makes a target"
            target = resolved
        limits = {"rate": self._options.rate, "max_requests": self._options.max_requests}
        target = replace(target, **{name: value for name, value in limits.items() if value is not None})
        self._output.redactor.add(*target.secrets)
        members = other.members() if isinstance(other, Live) else members_of(other) if other else None
        emulator = where == EMULATOR
        return Live.open(target, self._stack, self._output.say, emulator=emulator, members=members)

    def _ask(
        self,
        source: Recording,
        sides: Sequence[Side],
        *,
        only: Collection[str] | None = None,
        keep: Path | None = None,
    ) -> tuple[Recording, Recording, dict[Key, str]]:
        """What both sides answer to the requests of a recording, and why some were not sent to both.

        Args:
            only: Tests whose requests are sent; None for all.
            keep: Where the recording of a live candidate goes, if it is kept.
        """
        lives = [side for side in sides if isinstance(side, Live)]
        files = [next(self._unkept) for _ in lives]
        replayed: list[Recording] = []
        unsent: dict[Key, str] = {}
        if lives:
            files[-1] = keep or files[-1]
            accounts = self._options.redact_accounts
            replayed, unsent = replay(source, lives, files, self._output.say, only=only, accounts=accounts)
        answers = iter(replayed)
        one, other = (next(answers) if isinstance(side, Live) else side for side in sides)
        return one, other, unsent

    def _report(self, result: Comparison, settings: Settings, acceptance: Acceptance) -> int:
        options = self._options
        status = DIFFERENT if result.unaccepted or result.complaints else ALIKE
        if not result.compared:
            status = INDETERMINATE
        report = self._output.redactor.value(reports.document(result, status))
        lines = [reports.terminal(report, 110 if sys.stdout and sys.stdout.isatty() else None)]
        if options.report_dir:
            reports.write(report, options.report_dir)
        if options.write_accept:
            found = (group.difference for group in result.groups if group.is_open)
            lines.append(waivers.write(options.write_accept, found, acceptance))
        if options.promote and result.verdicts is not None:
            lines.append(self._promote(result.reference, result.verdicts.promotable(settings.contract)))
        self._output.write("\n".join(lines), sys.stdout)
        if status == INDETERMINATE:
            raise EnvironmentFault("nothing could be compared")
        return status

    def _promote(self, suite: Suite, clauses: dict[str, int]) -> str:
        """Write evidence; what was written, as a line."""
        path = self._options.contract.with_name(evidence.FILE_NAME)
        evidence.promote(path, clauses, suite)
        return f"{len(clauses)} clauses promoted in {path}: {', '.join(clauses) or 'none'}"
