"""How two endpoints differ: each a recording, an address, or the shipped emulator.

Exit status: 0 no open difference, 1 an open difference or a waiver that has expired or matches nothing,
2 interrupted, 3 internal error, 4 wrong use, 6 indeterminate: an endpoint could not be reached, or nothing
could be compared.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from getintegration_compare import report as reports
from getintegration_compare.comparison import Comparison, Settings
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_compare.options import EMULATOR, NO_EVIDENCE, build_parser, check, is_live, limits
from getintegration_compare.replay import Live, Side, replay, sample
from getintegration_compare.verdicts import Verdicts
from getintegration_contract import command, evidence, paths
from getintegration_contract import recording as recordings
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.recording import Recording
from getintegration_contract.recording.about import Suite
from getintegration_contract.redact import Redactor
from getintegration_contract.target import target as targets
from getintegration_contract.target import waivers
from getintegration_contract.target.emulator import LocalEmulator

_PROGRAM = "getintegration-contract compare"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    options = build_parser(_PROGRAM, __doc__ or "").parse_args(arguments)
    redactor = Redactor(accounts=options.redact_accounts)

    def act() -> int:
        with ExitStack() as stack:
            return _Command(options, stack, redactor).run()

    return command.run(_PROGRAM, act, redactor)


class _Command:
    """One invocation. What it opens or makes is closed and removed with ``stack``."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack, redactor: Redactor) -> None:
        check(options)
        self._options, self._stack, self._redactor = options, stack, redactor
        self._description: Path = options.contract or paths.description()
        accepted = options.accept and waivers.read(options.accept, what="--accept", subject="difference")
        self._settings = Settings(
            Contract.load(self._description),
            NORMALISATIONS.keys() - options.no_normalise,
            max_age=options.max_age,
            waivers=accepted or (),
        )

    def run(self) -> int:
        """Compare, report, and say how it came out."""
        options, settings = self._options, self._settings
        reference, candidate = _read(options.reference), _read(options.candidate)
        if options.promote and reference is not None:
            self._check_evidence(reference.suite)
            if not options.candidate:
                verdicts = Verdicts(settings.contract, reference)
                print(self._redactor.text(self._promote(reference.suite, verdicts)))
                return command.OK
        repeat = _read(options.confirm)
        source = _read(options.requests) or reference or candidate
        sides = self._reach_both(reference, candidate)
        if source is None:
            assert isinstance(sides[0], Live)
            source = sample(sides[0])
        one, other, unsent = replay(source, sides, self._redactor, self._say, keep=options.record)
        result = Comparison(one, other, settings, unsent)
        if result.groups and not options.no_repeat:
            if repeat is not None:
                result.confirm(Comparison(one, repeat, settings))
            elif isinstance(sides[1], Live):
                tests = {key.test for group in result.groups for key in group.examples}
                one, other, unsent = replay(source, sides, self._redactor, self._say, only=tests)
                result.confirm(Comparison(one, other, settings, unsent))
        return self._report(result)

    def _say(self, line: str) -> None:
        """Print a line for who waits."""
        print(self._redactor.text(line), file=sys.stderr)

    def _check_evidence(self, suite: Suite) -> None:
        if not suite.is_aws:
            raise UsageError(NO_EVIDENCE)
        if (age := suite.age(self._settings.today)) > self._settings.max_age:
            raise UsageError(f"--promote: the recording is stale, {age} days old")

    def _reach_both(self, reference: Recording | None, candidate: Recording | None) -> tuple[Side, Side]:
        """Both sides; what was not read is reached, and given the integration of the other."""
        options = self._options
        one = reference or self._reach(options.reference, options.reference_target, candidate)
        return one, candidate or self._reach(options.candidate, options.target, one)

    def _reach(self, where: str, file: str | None, other: Side | None) -> Live:
        """A live endpoint. An AWS address has to be named on purpose; on this command line it was."""
        given = limits(self._options)
        if where == EMULATOR:
            target = self._stack.enter_context(LocalEmulator()).target()
            target = replace(target, **{key.replace("-", "_"): value for key, value in given.items()})
        else:
            named = targets.resolve({"endpoint-url": where, "target": file, **given}, os.environ)
            assert named is not None, "an address makes a target"
            target = named
        self._redactor.add(*target.secrets)
        return Live.open(target, self._stack, self._say, emulator=where == EMULATOR, like=other)

    def _report(self, result: Comparison) -> int:
        options = self._options
        status = command.FAILED if result.pairs.unaccepted or result.complaints else command.OK
        if not result.pairs.compared:
            status = command.INDETERMINATE
        report = self._redactor.value(reports.document(result, status))
        lines = [reports.terminal(report)]
        if options.report_dir:
            reports.write(report, options.report_dir)
        if options.write_accept:
            patterns = dict.fromkeys(group.difference.pattern for group in result.groups if group.is_open)
            today, kept = self._settings.today, self._settings.waivers
            waivers.write(options.write_accept, patterns, today, kept=kept, subject="difference")
            fill_in = "fill in reason and owner of each"
            lines.append(f"waivers written to {options.write_accept}: {len(patterns)} new; {fill_in}")
        if options.promote:
            lines.append(self._promote(result.reference, result.verdicts))
        print(self._redactor.text("\n".join(lines)))
        if status == command.INDETERMINATE:
            raise EnvironmentFault("nothing could be compared")
        return status

    def _promote(self, suite: Suite, verdicts: Verdicts) -> str:
        """Write evidence; what was written, as a line."""
        path = self._description.with_name(evidence.FILE_NAME)
        clauses = verdicts.promotable()
        evidence.promote(path, clauses, suite)
        return f"{len(clauses)} clauses promoted in {path}: {', '.join(clauses) or 'none'}"


def _read(where: str | Path | None) -> Recording | None:
    """The recording that is named, if one is."""
    return recordings.read(Path(where)) if where and not is_live(str(where)) else None
