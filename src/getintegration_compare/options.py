"""The options of the command, and which of them go together."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from getintegration_compare.comparison import MAX_AGE
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_contract import command, paths
from getintegration_contract import recording as recordings
from getintegration_contract.errors import UsageError
from getintegration_contract.report import files
from getintegration_contract.target import file as target_file
from getintegration_contract.target.hosts import is_aws

#: The word for the shipped emulator, in place of an address.
EMULATOR = "emulator"
NO_EVIDENCE = "--promote needs a recording of AWS as the reference"


def build_parser(prog: str, description: str) -> command.Parser:
    steps = "\n".join(f"  {name:<16} {text}" for name, text in NORMALISATIONS.items())
    parser = command.Parser(
        prog=prog,
        description=description,
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
    add("--write-accept", type=Path, metavar="FILE.toml", help="write such a file for what is open now")
    add("--report-dir", type=Path, metavar="DIR", help="write compare.html, .json, .md and compare-junit.xml")
    add(
        "--no-normalise",
        action="append",
        default=[],
        choices=(*NORMALISATIONS,),
        metavar="NAME",
        help="see below",
    )
    add("--max-age", type=int, default=MAX_AGE, metavar="DAYS", help="older is stale (default %(default)s)")
    add("--promote", action="store_true", help="write evidence for clauses that a recording of AWS upheld")
    add("--redact-accounts", action="store_true", help="hide account ids in every output")
    add("--contract", type=Path, metavar="FILE.yaml", help="another description than the suite's own")
    return parser


def limits(options: argparse.Namespace) -> dict[str, Any]:
    """How fast and how much a live endpoint is asked, by keys of a target file, where options say so."""
    given = {"rate": options.rate, "max-requests": options.max_requests}
    return {key: value for key, value in given.items() if value is not None}


def check(options: argparse.Namespace) -> None:
    """Say before anything is sent, not after it, that options do not fit or have nowhere to write.

    Raises:
        UsageError: They do not.
    """
    one, other = options.reference, options.candidate
    live = is_live(one), is_live(other)
    unread = "{0} describes an address: give one, or leave {0} out".format
    for is_wrong, message in (
        (options.target and not _is_address(other), unread("--target")),
        (options.reference_target and not _is_address(one), unread("--reference-target")),
        (
            not other and (not options.promote or is_live(one)),
            "give a candidate, or a recording and --promote",
        ),
        (options.record and not live[1], "--record needs a live candidate"),
        (options.requests and not all(live), "--requests needs two live endpoints"),
        (options.promote and live[0] and not is_aws(one), NO_EVIDENCE),
        (
            options.promote and options.contract is None and paths.is_packaged(),
            "--promote needs --contract FILE.yaml: the installed description stays as it is",
        ),
        (not 0 <= options.max_age <= 10**6, "--max-age must be a whole number from 0 to 1,000,000"),
    ):
        if is_wrong:
            raise UsageError(message)
    target_file.check(limits(options))
    for side in (one, other):
        if side and re.fullmatch(r"[\w.-]+:\d+", side) and not Path(side).exists():
            raise UsageError(f"{side} is no recording: write an address as http://{side}")
    for option, path in (("--record", options.record), ("--write-accept", options.write_accept)):
        if path:
            files.check_file(option, path)
    for folder in (options.report_dir, options.promote and options.contract and options.contract.parent):
        if folder:
            files.check_writable(folder)
    if options.record and recordings.interrupted(options.record):
        raise UsageError(f"--record: remove the interrupted recording {options.record}.partial")


def is_live(side: str | None) -> bool:
    """Whether a side is an endpoint, not a recording."""
    return side == EMULATOR or _is_address(side)


def _is_address(side: str | None) -> bool:
    return side is not None and side.startswith(("http://", "https://"))
