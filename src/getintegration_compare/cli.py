"""Compare two endpoints, each a recording, an address, or the shipped emulator.

Exit status: 0 no open difference, 1 an open difference or a waiver that has expired or matches nothing,
2 interrupted, 3 internal error, 4 wrong use, 6 indeterminate: an endpoint could not be reached, or nothing
could be compared.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from getintegration_compare import report as reports
from getintegration_compare.comparison import MAX_AGE, Comparison, Settings
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_compare.replay import SAMPLE, Live, Side, replay
from getintegration_compare.verdicts import Verdicts
from getintegration_contract import command, paths
from getintegration_contract import recording as recordings
from getintegration_contract.contract import EVIDENCE, Contract, promote
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.fileio import check_file, check_folder
from getintegration_contract.recording import Recording, Suite
from getintegration_contract.redact import Redactor
from getintegration_contract.report.view import many
from getintegration_contract.target import file as target_file
from getintegration_contract.target import target as targets
from getintegration_contract.target import waivers
from getintegration_contract.target.emulator import LocalEmulator

#: The word for the shipped emulator, in place of an address.
_EMULATOR = "emulator"
_NO_EVIDENCE = "--promote needs a recording of AWS as the reference"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    return build_parser().run(arguments, lambda options, redactor: _Command(options, redactor).run())


class _Command:
    """One invocation. What it opens or creates is closed and removed with its stack."""

    def __init__(self, options: argparse.Namespace, redactor: Redactor) -> None:
        self._options, self._redactor = options, redactor

    def run(self) -> int:
        """Compare and report; the exit status."""
        _check(self._options)
        with ExitStack() as self._stack:
            return self._run()

    def _run(self) -> int:
        options = self._options
        accepted = options.accept and waivers.read(options.accept, what="--accept", subject="difference")
        contract, steps = Contract.load(options.contract), NORMALISATIONS.keys() - options.no_normalise
        settings = Settings(contract, steps, max_age=options.max_age, waivers=accepted or ())
        reference, candidate = _read(options.reference), _read(options.candidate)
        if options.promote and reference is not None:
            if not reference.suite.is_aws:
                raise UsageError(_NO_EVIDENCE)
            if (age := (settings.today - reference.suite.day).days) > settings.max_age:
                raise UsageError(f"--promote: the recording is stale, {age} days old")
            if not options.candidate:
                line = self._promote(reference.suite, Verdicts(contract, reference))
                print(self._redactor.text(line))
                return command.OK
        repeat, requests = _read(options.confirm), _read(options.requests)
        first = reference or self._reach(options.reference, options.reference_target, candidate)
        second = candidate or self._reach(options.candidate, options.target, first)
        source = requests or reference or candidate or recordings.read(SAMPLE)
        send = partial(replay, source, (first, second), self._redactor, self._say)
        one, other, unsent = send(keep=options.record)
        result = Comparison(one, other, settings, unsent)
        if result.groups and not options.no_repeat:
            if repeat is not None:
                result.confirm(Comparison(one, repeat, settings))
            elif isinstance(second, Live):
                tests = {example["test"] for group in result.groups for example in group["examples"]}
                one, other, unsent = send(only=tests)
                result.confirm(Comparison(one, other, settings, unsent))
        return self._report(result)

    def _say(self, line: str) -> None:
        """Print a line on progress."""
        print(self._redactor.text(line), file=sys.stderr)

    def _reach(self, where: str, file: str | None, other: Side | None) -> Live:
        """A live endpoint. AWS must be named on purpose, and on this command line it was."""
        given = self._options.limits
        if where == _EMULATOR:
            emulator = self._stack.enter_context(LocalEmulator())
            target = replace(targets.resolve(given, {}), endpoint=emulator.url)
        else:
            target = targets.resolve({"endpoint-url": where, "target": file, **given}, os.environ)
        self._redactor.add(*target.secrets)
        return Live.open(target, self._stack, self._say, emulator=where == _EMULATOR, like=other)

    def _report(self, result: Comparison) -> int:
        options = self._options
        status = command.FAILED if result.pairs["unaccepted"] or result.complaints else command.OK
        if not result.pairs["compared"]:
            status = command.INDETERMINATE
        report = self._redactor.value(reports.document(result, status))
        lines = [reports.terminal(report)]
        if options.report_dir:
            reports.write(report, options.report_dir)
        if options.write_accept:
            patterns = dict.fromkeys(group["pattern"] for group in result.groups if group["open"])
            today, kept = result.settings.today, result.settings.waivers
            waivers.write(options.write_accept, patterns, today, kept=kept, subject="difference")
            fill_in = "fill in reason and owner of each"
            lines.append(f"waivers written to {options.write_accept}: {len(patterns)} new; {fill_in}")
        if options.promote:
            lines.append(self._promote(result.suites[0], result.verdicts))
        print(self._redactor.text("\n".join(lines)))
        if status == command.INDETERMINATE:
            raise EnvironmentFault("nothing could be compared")
        return status

    def _promote(self, suite: Suite, verdicts: Verdicts) -> str:
        """Write evidence; a line on what was written."""
        path = self._options.contract.with_name(EVIDENCE)
        clauses = verdicts.promotable()
        date = suite.day.isoformat()
        promote(path, clauses, date=date, region=suite.region, suite_version=suite.suite_version)
        return f"{many(len(clauses), 'clause')} promoted in {path}: {', '.join(clauses) or 'none'}"


def _read(side: str | Path | None) -> Recording | None:
    """The recording at a path, if one is given."""
    return recordings.read(side) if isinstance(side, Path) else None


def _side(text: str) -> str | Path:
    """What names a live endpoint, or the path of a recording."""
    return text if text == _EMULATOR or text.startswith(("http://", "https://")) else Path(text)


def build_parser() -> command.Parser:
    steps = "\n".join(f"  {name:<16} {text}" for name, text in NORMALISATIONS.items())
    parser = command.Parser(
        prog="getintegration-contract compare",
        description=__doc__,
        epilog=(
            f"normalisations:\n{steps}\n\nTiming differs if two answers fall into different classes (below"
            "\n1 s, 1 to 5 s, over 5 s) and one took at least twice as long."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("reference", type=_side, help=f"recording (.har), address of an endpoint, or the word {_EMULATOR}")
    add("candidate", type=_side, nargs="?", help="the same; may be left out with --promote")
    add("--target", metavar="FILE.toml", help="identities and state of the candidate")
    add("--reference-target", metavar="FILE.toml", help="identities and state of the reference")
    add("--requests", type=Path, metavar="FILE.har", help="send these to two live endpoints")
    add("--rate", type=float, metavar="N", help="requests a second to each live endpoint (AWS: 5)")
    add("--max-requests", type=int, metavar="N", help="requests to each live endpoint at most")
    add("--record", type=Path, metavar="FILE.har", help="record the answers of the live candidate")
    add("--confirm", type=Path, metavar="FILE.har", help="repeat of the candidate's recording, to confirm")
    add("--no-repeat", action="store_true", help="do not repeat requests whose answers differ")
    add("--accept", type=Path, metavar="FILE.toml", help="accepted differences")
    add("--write-accept", type=Path, metavar="FILE.toml", help="write such a file for the open differences")
    add("--report-dir", type=Path, metavar="DIR", help="write compare.html, .json, .md and compare-junit.xml")
    names = tuple(NORMALISATIONS)
    add("--no-normalise", action="append", default=[], choices=names, metavar="NAME", help="turn one off")
    add("--max-age", type=int, default=MAX_AGE, metavar="DAYS", help="older is stale (default %(default)s)")
    add("--promote", action="store_true", help="write evidence for clauses that a recording of AWS upheld")
    add("--redact-accounts", action="store_true", help="hide account ids in every output")
    add("--contract", type=Path, metavar="FILE.yaml", help="description to use instead of the suite's own")
    return parser


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit, and files that cannot be written, before anything is sent."""
    one, other = options.reference, options.candidate
    live = [isinstance(side, str) for side in (one, other)]
    is_address = [isinstance(side, str) and side != _EMULATOR for side in (one, other)]
    for is_wrong, message in (
        (options.target and not is_address[1], "--target needs an address as the candidate"),
        (
            options.reference_target and not is_address[0],
            "--reference-target needs an address as the reference",
        ),
        (not other and (not options.promote or live[0]), "give a candidate, or a recording and --promote"),
        (options.record and not live[1], "--record needs a live candidate"),
        (options.requests and not all(live), "--requests needs two live endpoints"),
        (options.promote and live[0] and not targets.is_aws(one), _NO_EVIDENCE),
        (
            options.promote and options.contract is None and paths.is_packaged(),
            "--promote needs --contract FILE.yaml: the installed description stays as it is",
        ),
        (not 0 <= options.max_age <= 10**6, "--max-age must be a whole number from 0 to 1,000,000"),
    ):
        if is_wrong:
            raise UsageError(message)
    limits = {"rate": options.rate, "max-requests": options.max_requests}
    options.limits = {key: value for key, value in limits.items() if value is not None}
    target_file.check(options.limits)
    for side in (one, other):
        if re.fullmatch(r"[\w.-]+:\d+", str(side)) and not Path(side).exists():
            raise UsageError(f"{side} is no recording: write an address as http://{side}")
    for option, path in (("--record", options.record), ("--write-accept", options.write_accept)):
        if path:
            check_file(option, path)
    options.contract = options.contract or paths.description()
    for folder in (options.report_dir, options.promote and options.contract.parent):
        if folder:
            check_folder(folder)
    if options.record and recordings.interrupted(options.record):
        raise UsageError(f"--record: remove the interrupted recording {options.record}.partial")
