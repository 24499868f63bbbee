"""``getintegration-contract COMMAND``: one command for all that the project does."""

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from getintegration_contract import command, paths
from getintegration_contract.errors import UsageError
from getintegration_contract.redact import Redactor

PROGRAM = "getintegration-contract"

#: Each command: its function, imported only for it, and what it does.
COMMANDS = {
    "run": ("getintegration_contract.plugin.command:main", "test an endpoint; takes pytest's options too"),
    "emulator": ("getintegration_emulator.__main__:main", "serve the shipped emulator"),
    "compare": ("getintegration_compare.cli:main", "compare two endpoints or recordings"),
    "report": (f"{__name__}:report", "make pages from several report.json files"),
    "sweep": ("getintegration_contract.state.sweep:main", "remove domains that crashed runs left behind"),
    "clauses": (f"{__name__}:clauses", "print the clauses of the contract"),
}


def usage() -> str:
    """What there is to type."""
    lines = [f"usage: {PROGRAM} COMMAND [OPTIONS]", "", "commands:"]
    lines += [f"  {name:<10}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join([*lines, "", f"{PROGRAM} COMMAND --help has the options of each."])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names; its exit status."""
    name, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return command.OK
    if name == "--version":
        print(PROGRAM, version(PROGRAM))
        return command.OK
    if name not in COMMANDS:
        likely = get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean {likely[0]}?" if likely else f"there are {', '.join(COMMANDS)}"
        print(f"{PROGRAM}: {name} is no command: {hint}", file=sys.stderr)
        return command.WRONG_USE
    module, _, function = COMMANDS[name][0].partition(":")
    try:
        status: int = getattr(import_module(module), function)(rest)
    except KeyboardInterrupt:  # while it is imported
        return command.INTERRUPTED
    return status


def report(arguments: Sequence[str]) -> int:
    """Make a page from report.json files; the exit status."""
    parser = command.Parser(prog=f"{PROGRAM} report", description="Pages from several report.json files.")
    pages = parser.add_subparsers(dest="command", required=True)
    compare = pages.add_parser("compare", help="several reports side by side")
    compare.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    trend = pages.add_parser("trend", help="past reports of a folder, drawn over time")
    trend.add_argument("folder", type=Path, metavar="DIR")
    for name, page in pages.choices.items():
        page.add_argument("-o", "--output", type=Path, default=Path(f"{name}.html"), metavar="FILE.html")
    return parser.run(arguments, _write_page)


def _write_page(options: argparse.Namespace, _: Redactor) -> int:
    from getintegration_contract.report import files, html

    if options.command == "trend":
        reports, faults = files.read_folder(options.folder)
        if not reports:
            raise UsageError(faults[0] if faults else f"{options.folder} holds no report.json")
        text = html.trend_page(reports, faults)
    else:
        if len(options.reports) < 2:
            raise UsageError("a comparison needs at least two reports")
        text = html.compare([files.read(path) for path in options.reports])
    print(files.write(options.output, text))
    return command.OK


def clauses(arguments: Sequence[str]) -> int:
    """Print the clauses of the contract; the exit status."""
    parser = command.Parser(prog=f"{PROGRAM} clauses", description="Print the clauses of the contract.")
    parser.add_argument("form", nargs="?", default="text", choices=("text", "markdown", "json"))
    return parser.run(arguments, _print_clauses)


def _print_clauses(options: argparse.Namespace, _: Redactor) -> int:
    from getintegration_contract.contract import Contract
    from getintegration_contract.report import markdown

    print(markdown.clauses(Contract.load(paths.description()), options.form), end="")
    return command.OK
