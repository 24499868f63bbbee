"""Pages without network: report.html, the comparison of targets, the trend of a folder.

Everything is escaped by the template engine. Beyond that each page carries a content security policy that
names its own style and scripts by hash, so that nothing else could run even if something slipped through.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from getintegration_contract.judging.ledger import VIOLATED
from getintegration_contract.report import files, history, view
from getintegration_contract.report.engine import PACKAGE, engine
from getintegration_contract.report.trend import Panel, panels

_PROVENANCES = ("doc", "model", "protocol", "observed", "inferred", "recorded", "target")


def page(report: dict[str, Any], earlier: list[dict[str, Any]] | None = None) -> str:
    """report.html; earlier runs against the same target are drawn as a trend."""
    same = [past for past in earlier or () if history.target(past) == history.target(report)]
    same = [past for past in same if past["started"] < report["started"]]
    counts = view.tally(report["clauses"])
    return render(
        "report.html",
        script="filter.js",
        report=report,
        embedded=_inert(files.to_json(report)),
        groups=view.groups(report),
        counts=counts,
        missing=view.not_claimed(report),
        violations=view.findings(report, "violated"),
        reported=view.findings(report, "reported"),
        waived=view.findings(report, "waived"),
        same=view.printed_before(report["findings"]),
        facets={
            "outcome": [name for name in view.OUTCOMES if counts[name]],
            "level": _in_use(report, "level", ("MUST", "SHOULD")),
            "provenance": _in_use(report, "provenance", _PROVENANCES),
        },
        panels=_panels([*same, report]) if same else [],
        rows=_rows([*same, report]),
    )


def compare(reports: list[dict[str, Any]]) -> str:
    """Several reports side by side, clause by clause."""
    rows: dict[str, dict[str, Any]] = {}
    for number, report in enumerate(reports):
        actual = {finding["clause"]: finding["actual"] for finding in report["findings"]}
        for clause in report["clauses"]:
            row = rows.setdefault(clause["id"], {"clause": clause, "cells": [None] * len(reports)})
            row["cells"][number] = {
                "outcome": view.outcome(clause),
                "reason": clause["reason"],
                "actual": actual.get(clause["id"], ""),
            }
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows.values():
        row["same"] = len({cell and cell["outcome"] for cell in row["cells"]}) == 1
        groups.setdefault(row["clause"]["group"], []).append(row)
    worst = sorted(groups.items(), key=lambda item: -sum(map(_broken, item[1])))
    return render(
        "compare.html",
        script="filter.js",
        reports=reports,
        tallies=[view.tally(report["clauses"]) for report in reports],
        groups=dict(worst),
        differing=sum(not row["same"] for row in rows.values()),
        total=len(rows),
        versions=sorted({report["suite_version"] for report in reports}),
    )


def _broken(row: dict[str, Any]) -> bool:
    return any(cell and cell["outcome"] == VIOLATED for cell in row["cells"])


def trend(reports: list[dict[str, Any]]) -> str:
    """Runs over time as an HTML fragment of inline SVG; empty for fewer than two runs."""
    if len(reports) < 2:
        return ""
    ordered = sorted(reports, key=lambda report: str(report["started"]))
    template = engine().get_template("trend.html")
    return template.render(panels=_panels(ordered), rows=_rows(ordered))


def trend_page(reports: list[dict[str, Any]], faults: list[str]) -> str:
    """A page with the trend of every target that the reports are about."""
    targets: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        targets.setdefault(history.target(report), []).append(report)
    drawn = {name: (runs, Markup(trend(runs))) for name, runs in targets.items()}
    return render("trend_page.html", targets=drawn, faults=faults)


def _rows(reports: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Runs in their order, each with the clauses that broke and were mended since the one before."""
    rows = []
    for before, report in zip([None, *reports], reports, strict=False):
        since = history.changes(before, report["clauses"]) if before else {"new": (), "mended": ()}
        told = (("broke", since["new"]), ("mended", since["mended"]))
        rows.append((report, "; ".join(f"{word} {', '.join(names)}" for word, names in told if names)))
    return rows


def _panels(reports: list[dict[str, Any]]) -> list[Panel]:
    tallies = [view.tally(report["clauses"]) for report in reports]
    return panels(
        [report["started"][:10] for report in reports],
        {
            "violated": [float(tally[VIOLATED]) for tally in tallies],
            "upheld": [float(tally["upheld"]) for tally in tallies],
            "requests": [float(report["run"]["requests"]) for report in reports],
            "seconds": [float(report["seconds"]) for report in reports],
        },
    )


def _in_use(report: dict[str, Any], key: str, order: tuple[str, ...]) -> list[str]:
    found = {clause[key] for clause in report["clauses"]}
    return [value for value in order if value in found]


def render(name: str, *, script: str | None = None, package: str = PACKAGE, **values: Any) -> str:
    """A page with the style and theme of all pages; its policy lets nothing else act.

    Args:
        script: Runs at the end of the page.
        package: Has the template; what that extends or imports may be of this package.
    """
    style = f"{_asset('palette.css')}\n{_asset('style.css')}"
    scripts = {"early": _asset("theme.js"), "late": _asset(script) if script else ""}
    allowed = " ".join(f"'{_hash(text)}'" for text in scripts.values())
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src {allowed};"
        " base-uri 'none'; form-action 'none'"
    )
    # Style and scripts are files of this package, not data.
    own = {name: Markup(text) for name, text in scripts.items()}
    template = engine(package).get_template(name)
    return template.render(policy=policy, style=Markup(style), **own, **values) + "\n"


def _inert(text: str) -> Markup:
    """JSON for a script element: ASCII, and nothing in it that HTML knows."""
    escaped = re.sub("[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], text)
    return Markup(escaped.replace("<", "\\u003c"))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _asset(name: str) -> str:
    return resources.files(PACKAGE).joinpath("templates", name).read_text(encoding="utf-8").strip()
