"""Pages without network: report.html, the comparison of targets, the trend of a folder.

Everything is escaped by the template engine. Beyond that each page carries a content security policy that
names its own style and scripts by hash, so that nothing else could run even if something slipped through.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from getintegration_contract.judging.ledger import VIOLATED
from getintegration_contract.report import files, markdown, view
from getintegration_contract.report.engine import render
from getintegration_contract.report.files import Report
from getintegration_contract.report.view import View


def write(report: Report, directory: Path) -> list[Path]:
    """Write report.html with report.json and summary.md, each at once or not at all; the files written.

    A folder ``history`` in the directory asks for a trend: the report.json that is there already moves
    into it, named after its start, and report.html draws the runs against the same target.

    Raises:
        UsageError: The directory cannot be written.
    """
    earlier = files.keep(directory)
    texts = {
        "report.json": files.to_json(report),
        "summary.md": markdown.summary(report),
        "report.html": page(report, earlier),
    }
    return [files.write(directory / name, text) for name, text in texts.items()]


def page(report: Report, earlier: Sequence[Report] = ()) -> str:
    """report.html; earlier runs against the same target, the oldest first, are drawn as a trend."""
    same = [past for past in earlier if files.target(past) == files.target(report)]
    return render(
        "report.html",
        view=View(report),
        report=report,
        embedded=Markup(json.dumps(report, indent=1).replace("<", "\\u003c")),  # to HTML mere text
        same=view.printed_before(report["findings"]),
        runs=_runs([*(past for past in same if past["started"] < report["started"]), report]),
    )


def compare(reports: list[Report]) -> str:
    """Several reports side by side, clause by clause: how it came out in each, and why, or nothing."""
    rows: dict[str, dict[str, Any]] = {}
    for number, report in enumerate(reports):
        actual = {finding["clause"]: finding["actual"] for finding in report["findings"]}
        for clause in report["clauses"]:
            row = rows.setdefault(clause["id"], {**clause, "cells": [("", "")] * len(reports)})
            row["cells"][number] = view.outcome(clause), actual.get(clause["id"], clause["reason"])
    for row in rows.values():
        outcomes = {outcome for outcome, _ in row["cells"]}
        row |= {"same": len(outcomes) == 1, "broken": VIOLATED in outcomes}
    groups = view.by(rows.values(), "group").items()
    return render(
        "compare.html",
        views=list(map(View, reports)),
        groups=sorted(groups, key=lambda group: -sum(row["broken"] for row in group[1])),
        differing=sum(not row["same"] for row in rows.values()),
        total=len(rows),
        versions=sorted({report["suite_version"] for report in reports}),
    )


def trend_page(reports: list[Report], faults: list[str]) -> str:
    """A page with the trend of every target that the reports, the oldest first, are about."""
    targets: dict[str, list[Report]] = {}
    for report in reports:
        targets.setdefault(files.target(report), []).append(report)
    drawn = {target: _runs(runs) for target, runs in targets.items()}
    return render("trend_page.html", targets=drawn, faults=faults)


def _runs(reports: list[Report]) -> list[tuple[View, dict[str, Any]]]:
    """Runs in their order, each with what changed since the one before."""
    pairs = zip([reports[0], *reports], reports, strict=False)
    return [(View(report), files.changes(before, report["clauses"])) for before, report in pairs]
