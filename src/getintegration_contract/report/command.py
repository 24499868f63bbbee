"""``getintegration-contract report`` and ``clauses``: pages from report.json files, the contract to read."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from getintegration_contract import command, paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import UsageError
from getintegration_contract.redact import Redactor
from getintegration_contract.report import files


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    parser = command.Parser(
        prog="getintegration-contract report", description="Pages from several report.json files."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser("compare", help="several reports side by side")
    compare.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    compare.add_argument("-o", "--output", type=Path, default=Path("compare.html"), metavar="FILE.html")
    trend = commands.add_parser("trend", help="past reports of a folder, drawn over time")
    trend.add_argument("folder", type=Path, metavar="DIR")
    trend.add_argument("-o", "--output", type=Path, default=Path("trend.html"), metavar="FILE.html")
    return parser.run(arguments, _write_page)


def _write_page(options: argparse.Namespace, _: Redactor) -> int:
    from getintegration_contract.report import html

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


def list_clauses(arguments: Sequence[str] | None = None) -> int:
    """Print the clauses of the contract."""
    parser = command.Parser(
        prog="getintegration-contract clauses", description="Print the clauses of the contract."
    )
    parser.add_argument("form", nargs="?", default="text", choices=("text", "markdown", "json"))
    return parser.run(arguments, _print_clauses)


def _print_clauses(options: argparse.Namespace, _: Redactor) -> int:
    from getintegration_contract.report.requirements import clauses

    print(clauses(Contract.load(paths.description()), options.form), end="")
    return command.OK
