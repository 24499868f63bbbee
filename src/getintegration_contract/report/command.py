"""``getintegration-contract report`` and ``clauses``: pages from report.json files, the contract to read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from getintegration_contract import paths
from getintegration_contract.contract import Contract
from getintegration_contract.errors import ReportError, UsageError
from getintegration_contract.report import files
from getintegration_contract.report.requirements import clauses

_WRONG_USE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_WRONG_USE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 4 after one sentence on standard error."""
    parser = _Parser(
        prog="getintegration-contract report", description="Pages from several report.json files."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser("compare", help="several reports side by side")
    compare.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    compare.add_argument("-o", "--output", type=Path, default=Path("compare.html"), metavar="FILE.html")
    trend = commands.add_parser("trend", help="past reports of a folder, drawn over time")
    trend.add_argument("folder", type=Path, metavar="DIR")
    trend.add_argument("-o", "--output", type=Path, default=Path("trend.html"), metavar="FILE.html")
    options = parser.parse_args(arguments)
    try:
        text = _trend(options.folder) if options.command == "trend" else _compare(options.reports)
        print(files.write(options.output, text))
    except ReportError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return _WRONG_USE
    return 0


def _compare(paths: list[Path]) -> str:
    from getintegration_contract.report import html

    if len(paths) < 2:
        raise ReportError("a comparison needs at least two reports")
    return html.compare([files.read(path) for path in paths])


def _trend(folder: Path) -> str:
    from getintegration_contract.report import history, html

    reports, faults = history.read_folder(folder)
    if not reports:
        raise ReportError(faults[0] if faults else f"{folder} holds no report.json")
    return html.trend_page(reports, faults)


def list_clauses(arguments: Sequence[str] | None = None) -> int:
    """Print the clauses of the contract."""
    parser = _Parser(prog="getintegration-contract clauses", description="Print the clauses of the contract.")
    parser.add_argument("form", nargs="?", default="text", choices=("text", "markdown", "json"))
    options = parser.parse_args(arguments)
    try:
        print(clauses(Contract.load(paths.description()), options.form), end="")
    except UsageError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return _WRONG_USE
    return 0
