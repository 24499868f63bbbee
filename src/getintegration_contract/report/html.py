"""Pages without network: report.html, the comparison of targets, the trend of a folder.

Everything is escaped by the template engine. Beyond that each page carries a content security policy that
names its own style and scripts by hash, so that nothing else could run even if something slipped through.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from markupsafe import Markup

from getintegration_contract.judging.ledger import VIOLATED
from getintegration_contract.report import files, history, view
from getintegration_contract.report.engine import PACKAGE, engine


def page(report: dict[str, Any], earlier: list[dict[str, Any]] | None = None) -> str:
    """report.html; earlier runs against the same target, the oldest first, are drawn as a trend."""
    same = [past for past in earlier or () if history.target(past) == history.target(report)]
    clauses = report["clauses"]
    counts = view.tally(clauses)
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
            **{key: list(dict.fromkeys(each[key] for each in clauses)) for key in ("level", "provenance")},
        },
        runs=[*(past for past in same if past["started"] < report["started"]), report],
    )


@dataclass(frozen=True)
class Row:
    """A clause, and how it came out in each report: outcome and why, or nothing if it is not in there."""

    clause: dict[str, Any]
    cells: list[tuple[str, str] | None]

    @property
    def same(self) -> bool:
        """Whether it came out alike in all reports."""
        return len({cell and cell[0] for cell in self.cells}) == 1


def compare(reports: list[dict[str, Any]]) -> str:
    """Several reports side by side, clause by clause."""
    rows: dict[str, Row] = {}
    for number, report in enumerate(reports):
        actual = {finding["clause"]: finding["actual"] for finding in report["findings"]}
        for clause in report["clauses"]:
            row = rows.setdefault(clause["id"], Row(clause, [None] * len(reports)))
            row.cells[number] = view.outcome(clause), actual.get(clause["id"], clause["reason"])
    groups: dict[str, list[Row]] = {}
    for row in rows.values():
        groups.setdefault(row.clause["group"], []).append(row)

    def broken(group: tuple[str, list[Row]]) -> int:
        return sum(any(cell and cell[0] == VIOLATED for cell in row.cells) for row in group[1])

    return render(
        "compare.html",
        script="filter.js",
        reports=reports,
        groups=dict(sorted(groups.items(), key=broken, reverse=True)),
        differing=sum(not row.same for row in rows.values()),
        total=len(rows),
        versions=sorted({report["suite_version"] for report in reports}),
    )


def trend_page(reports: list[dict[str, Any]], faults: list[str]) -> str:
    """A page with the trend of every target that the reports, the oldest first, are about."""
    targets: dict[str, list[dict[str, Any]]] = {}
    for report in reports:
        targets.setdefault(history.target(report), []).append(report)
    return render("trend_page.html", targets=targets, faults=faults)


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
