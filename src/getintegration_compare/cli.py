"""``getintegration-contract compare REFERENCE CANDIDATE``: how far two endpoints answer alike.

Exit status: 0 no difference that is not accepted, 1 a difference, 2 interrupted, 3 internal error, 4 wrong
use, 6 indeterminate: an endpoint could not be reached, or nothing could be compared.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, NoReturn, TextIO

import getintegration_compare as parity
from getintegration_compare import Comparison, acceptance, probes, replay
from getintegration_compare import report as parity_report
from getintegration_compare.acceptance import Acceptance
from getintegration_compare.evidence import MAX_AGE, judged
from getintegration_compare.normalise import NAMES, NORMALISATIONS
from getintegration_compare.replay import Answers, Live, ReplayError
from getintegration_contract import evidence as promotion
from getintegration_contract import paths
from getintegration_contract import recording as recordings
from getintegration_contract.contract import Contract
from getintegration_contract.errors import EnvironmentFault, UsageError
from getintegration_contract.recording import Recording, model_version
from getintegration_contract.recording.about import Suite
from getintegration_contract.redact import Redactor
from getintegration_contract.report.files import check_writable
from getintegration_contract.target import target as targets
from getintegration_contract.target.emulator import LocalEmulator
from getintegration_contract.target.hosts import is_aws
from getintegration_contract.target.target import Target

ALIKE, DIFFERENT, INTERRUPTED, INTERNAL, WRONG_USE, INDETERMINATE = 0, 1, 2, 3, 4, 6

#: The word for the shipped emulator, in place of an address.
EMULATOR = "emulator"
_NO_EVIDENCE = "--promote needs a recording of AWS as the reference"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    steps = "\n".join(f"  {step.name:<16} {step.says}" for step in NORMALISATIONS)
    parser = _Parser(
        prog="getintegration-contract compare",
        description=__doc__,
        epilog=(
            f"normalisations:\n{steps}\n\nTiming differs where two answers are of different classes (below"
            "\n1 s, 1 to 5 s, over 5 s) and one took twice as long as the other."
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("reference", help=f"recording (.har), address of an endpoint, or the word {EMULATOR}")
    add("candidate", nargs="?", help="the same; may be left out with --promote")
    add("--target", metavar="FILE.toml", help="identities and state of the candidate")
    add("--reference-target", metavar="FILE.toml", help="identities and state of the reference")
    add("--requests", type=Path, metavar="FILE.har", help="send these to two live endpoints, not a sample")
    add("--rate", type=float, metavar="N", help="requests a second to each live endpoint (AWS: 5)")
    add("--max-requests", type=int, metavar="N", help="requests to each live endpoint at most")
    add("--record", type=Path, metavar="FILE.har", help="keep what the live candidate answered")
    add("--confirm", type=Path, metavar="FILE.har", help="a repeat of the candidate's recording")
    add("--no-repeat", action="store_true", help="do not ask a live candidate again where it differs")
    add("--accept", type=Path, metavar="FILE.toml", help="differences that are accepted")
    add("--report-dir", type=Path, metavar="DIR", help="write compare.html, .json, .md and compare-junit.xml")
    add("--no-normalise", action="append", default=[], choices=NAMES, metavar="NAME", help="see below")
    add("--max-age", type=int, default=MAX_AGE, metavar="DAYS", help="older is stale (default %(default)s)")
    add("--promote", action="store_true", help="write evidence for clauses that a recording of AWS upheld")
    add("--redact-accounts", action="store_true", help="hide account ids in every output")
    add("--contract", type=Path, metavar="FILE.yaml", help="another description than the suite's own")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status, after one sentence on standard error if something is wrong."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        with ExitStack() as stack:
            return _Command(options, stack).run()
    except UsageError as error:
        return _fail(parser.prog, error, WRONG_USE)
    except (ReplayError, EnvironmentFault) as error:
        return _fail(parser.prog, error, INDETERMINATE)
    except KeyboardInterrupt:
        return _fail(parser.prog, "interrupted", INTERRUPTED)
    except Exception as error:
        return _fail(parser.prog, f"internal error: {type(error).__name__}: {error}", INTERNAL)


def _fail(program: str, error: object, status: int) -> int:
    _say(f"{program}: {error}")
    return status


def interrupt(signum: int, frame: FrameType | None) -> None:
    """SIGTERM ends a comparison as Ctrl-C does: what it made is removed."""
    raise KeyboardInterrupt


class _Command:
    """One invocation. Everything that it opens or makes is closed and removed with ``stack``."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self.options = options
        self.stack = stack
        self._folder = stack.enter_context(TemporaryDirectory(prefix="getintegration-contract-"))
        self._numbers = itertools.count(1)
        if options.max_age < 0:
            raise UsageError("--max-age must not be negative")
        if any(value is not None and not 0 < value < 1e18 for value in (options.rate, options.max_requests)):
            raise UsageError("--rate and --max-requests must be above 0")
        if options.promote and options.contract is None and paths.is_packaged():
            raise UsageError("--promote needs --contract FILE.yaml: the installed description stays as it is")
        for option, file, side in (
            ("--target", options.target, options.candidate),
            ("--reference-target", options.reference_target, options.reference),
        ):
            if file is not None and not _is_address(side):
                told = f"{option} tells of an endpoint that is named by its address"
                raise UsageError(f"{told}: name it so, or leave {option} out")

    def run(self) -> int:
        """Compare, report, and say how it came out."""
        options = self.options
        contract = Contract.load(_description(options.contract))
        if options.candidate is None:
            if not options.promote or _is_live(options.reference):
                raise UsageError("give a candidate, or a recording and --promote")
            recording = self._recorded_reference()
            promotable = judged(recording, contract).promotable(contract)
            _print(self._promote(recording.suite, promotable), sys.stdout)
            return ALIKE
        self._check_options()
        today = datetime.datetime.now(datetime.UTC).date()
        waivers = acceptance.read(options.accept) if options.accept else []
        repeat = self._read(options.confirm) if options.confirm else None
        source, sides = self._sides()
        reference, candidate = self._ask(source, sides, keep=options.record)
        settings: dict[str, Any] = {
            "without": tuple(options.no_normalise),
            "today": today,
            "max_age": options.max_age,
        }
        result = parity.compare(
            reference.recording,
            candidate.recording,
            contract,
            acceptance=Acceptance(waivers, today),
            reasons=_ranked(reference.sent, candidate.reasons),
            extra_reasons=_ranked(candidate.sent, reference.reasons),
            **settings,
        )
        unsent = [why for position, why in candidate.reasons.items() if position in reference.reasons]
        result.not_compared.update(unsent)
        result.total += len(unsent)
        if result.groups and not options.no_repeat:
            if repeat is not None:
                again = parity.compare(reference.recording, repeat, contract, **settings)
                parity.confirm(result, again)
            elif isinstance(sides[1], Live):
                tests = frozenset(shown.test for group in result.groups for shown in group.examples)
                one, other = self._ask(source, sides, tests)
                again = parity.compare(one.recording, other.recording, contract, **settings)
                parity.confirm(result, again)
        return self._tell(result, contract)

    def _check_options(self) -> None:
        """Say before anything is sent, not after it, that options do not fit or have nowhere to write."""
        options = self.options
        live = _is_live(options.reference), _is_live(options.candidate)
        if options.record and not live[1]:
            raise UsageError("--record needs a live candidate")
        if options.requests and live != (True, True):
            raise UsageError("--requests needs two live endpoints")
        if options.promote:
            if live[0] and not is_aws(options.reference):
                raise UsageError(_NO_EVIDENCE)
            check_writable(_description(options.contract).parent)
        if options.report_dir:
            check_writable(options.report_dir)
        if options.record:
            if options.record.is_dir():
                raise UsageError(f"--record: {options.record} is a folder: give a file")
            if recordings.interrupted(options.record):
                told = f"{options.record} has an interrupted recording beside it"
                raise UsageError(f"--record: {told}: remove {options.record}.partial")
            check_writable(options.record.parent)

    def _tell(self, result: Comparison, contract: Contract) -> int:
        status = DIFFERENT if result.unaccepted or result.complaints else ALIKE
        if not result.compared:
            status = INDETERMINATE
        report = parity_report.document(result, contract, status)
        if self.options.redact_accounts:
            report = Redactor(accounts=True).value(report)
        lines = [parity_report.terminal(report)]
        if self.options.report_dir:
            parity_report.write(report, self.options.report_dir)
        if self.options.promote and result.evidence is not None:
            lines.append(self._promote(result.reference, result.evidence.promotable(contract)))
        _print("\n".join(lines), sys.stdout)
        if status == INDETERMINATE:
            raise ReplayError("nothing could be compared")
        return status

    def _promote(self, suite: Suite, clauses: dict[str, int]) -> str:
        """Write evidence; what was written, as a line."""
        path = _description(self.options.contract).with_name(promotion.FILE_NAME)
        promotion.promote(path, clauses, suite)
        return f"{len(clauses)} clauses promoted in {path}: {', '.join(clauses) or 'none'}"

    def _sides(self) -> tuple[Recording, tuple[Recording | Live, Recording | Live]]:
        """The recording whose requests are sent to what is live, and both sides: read, or reached."""
        options = self.options
        reference = None if _is_live(options.reference) else self._recorded_reference()
        candidate = None if _is_live(options.candidate) else self._read(Path(options.candidate))
        if reference is not None and candidate is not None:
            return reference, (reference, candidate)
        if reference is not None:
            live = self._open(options.candidate, options.target, replay.members_of(reference))
            return reference, (reference, live)
        if candidate is not None:
            live = self._open(options.reference, options.reference_target, replay.members_of(candidate))
            return candidate, (live, candidate)
        requests = self._read(options.requests) if options.requests else None
        one = self._open(options.reference, options.reference_target)
        other = self._open(options.candidate, options.target, one.members())
        if requests is not None:
            return requests, (one, other)
        sample = probes.write(self._path(), one.state, _sample(one))
        return sample, (one, other)

    def _ask(
        self,
        source: Recording,
        sides: Sequence[Recording | Live],
        tests: frozenset[str] | None = None,
        keep: Path | None = None,
    ) -> list[Answers]:
        """What both sides answered to the requests of a recording.

        Args:
            tests: What is live is asked only what these tests asked; None for all.
            keep: Where the recording of the last live side goes, if it is kept.
        """
        only = None
        if tests is not None:
            only = frozenset(place for place, recorded in enumerate(source) if recorded.test in tests)
        lives = [side for side in sides if isinstance(side, Live)]
        paths = [self._path() for _ in lives]
        if keep is not None:
            paths[-1] = keep
        accounts = self.options.redact_accounts
        asked = replay.replay(source, lives, paths, _say, only=only, accounts=accounts) if lives else []
        found = iter(asked)
        return [
            next(found) if isinstance(side, Live) else Answers(side, range(len(side)), {}) for side in sides
        ]

    def _path(self) -> Path:
        """A path for a recording that nobody keeps."""
        return Path(self._folder, f"{next(self._numbers)}.har")

    def _recorded_reference(self) -> Recording:
        """The reference's recording; where evidence is asked for, one that is evidence."""
        recording = self._read(Path(self.options.reference))
        if self.options.promote:
            age = recording.suite.age(datetime.datetime.now(datetime.UTC).date())
            if not recording.suite.is_aws:
                raise UsageError(_NO_EVIDENCE)
            if age > self.options.max_age:
                raise UsageError(f"--promote: the recording is stale, {age} days old")
        return recording

    def _read(self, path: Path) -> Recording:
        if not path.exists() and re.fullmatch(r"[\w.-]+:\d+", str(path)):
            raise UsageError(f"{path} is no recording: write an address as http://{path}")
        return recordings.read(path)

    def _open(self, where: str, file: str | None, members: dict[str, Any] | None = None) -> Live:
        """A live endpoint. An AWS address has to be named on purpose; on this command line it was."""
        if where == EMULATOR:
            emulator = self.stack.enter_context(LocalEmulator())
            target: Target | None = emulator.target()
        else:
            target = targets.resolve({"endpoint-url": where, "target": file}, os.environ)
        assert target is not None
        limits = {"rate": self.options.rate, "max_requests": self.options.max_requests}
        target = replace(target, **{name: value for name, value in limits.items() if value is not None})
        live = Live.open(target, _say, emulator=where == EMULATOR, members=members)
        self.stack.callback(live.close)
        return live


def _ranked(sent: Iterable[int], reasons: Mapping[int, str]) -> dict[int, str]:
    """Reasons by position among what was sent, from reasons by position in the source."""
    return {rank: reasons[position] for rank, position in enumerate(sent) if position in reasons}


def _is_live(side: str | None) -> bool:
    return side == EMULATOR or _is_address(side)


def _is_address(side: str | None) -> bool:
    return side is not None and side.startswith(("http://", "https://"))


def _sample(live: Live) -> Suite:
    """What the sample of the contract is about."""
    return Suite(
        version(recordings.CREATOR),
        model_version(),
        live.target.endpoint,
        live.target.region,
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        0,
        "sample",
        (live.state.to_dict(),),
        emulator=live.emulator,
    )


def _description(given: Path | None) -> Path:
    return given or paths.description()


def _say(line: str) -> None:
    _print(line, sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    """Print at once. If nobody reads any more, what was found still is what it is."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        # What stays in the buffer would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
