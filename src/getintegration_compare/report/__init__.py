"""Reports of a comparison: terminal, JSON, Markdown, HTML with both answers side by side, JUnit."""

import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from getintegration_compare.comparison import Comparison, Group, Tally
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_compare.report.view import View
from getintegration_contract.report import engine, files, html
from getintegration_contract.text import visible

SCHEMA_VERSION = 1

#: What is said of a recording.
_ABOUT = (
    *("where", "endpoint", "region", "date", "seed", "depth", "suite_version", "model_version"),
    *("complete", "replay_of", "is_aws"),
)


def terminal(report: dict[str, Any]) -> str:
    """The comparison for a terminal."""
    return engine.text("compare.txt", visible, **_shown(report)).rstrip()


def page(report: dict[str, Any]) -> str:
    """The comparison as one page that needs nothing else, with the templates of report.html."""
    return html.render("differences.html", script="filter.js", **_shown(report))


def write(report: dict[str, Any], directory: Path) -> None:
    """Write compare.json, compare.md, compare.html and compare-junit.xml."""
    junit = engine.engine(__name__).get_template("compare-junit.xml")
    files.write(directory / "compare.json", files.to_json(report))
    files.write(directory / "compare.md", engine.markdown("compare.md", **_shown(report)))
    files.write(directory / "compare.html", page(report))
    files.write(directory / "compare-junit.xml", junit.render(report=report))


def _shown(report: dict[str, Any]) -> dict[str, Any]:
    return {"package": __name__, "report": report, "view": View(report)}


def document(comparison: Comparison, exit_status: int) -> dict[str, Any]:
    """The comparison as compare.json holds it, and every report shows it."""
    settings, verdicts, pairs = comparison.settings, comparison.verdicts, comparison.pairs
    suites = {"reference": comparison.reference, "candidate": comparison.candidate}
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_version": version("getintegration-contract"),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "exit_status": exit_status,
        "mode": "drift" if len({suite.where for suite in suites.values()}) == 1 else "comparison",
        **{side: {name: getattr(suite, name) for name in _ABOUT} for side, suite in suites.items()},
        "divergence": {
            **_tally(pairs),
            "share": _share(pairs.different, pairs.compared),
            "open_share": _share(pairs.unaccepted, pairs.compared),
        },
        "coverage": {
            "requests": comparison.total,
            "compared": pairs.compared,
            "share": _share(pairs.compared, comparison.total),
            "not_compared": dict(comparison.not_compared.most_common()),
            "only_candidate": dict(comparison.only_candidate.most_common()),
            "transient": dict(zip(suites, comparison.transient, strict=True)),
        },
        "normalisations": [
            {"name": name, "says": says, "applied": name in settings.steps}
            for name, says in NORMALISATIONS.items()
        ],
        "differences": [_group(group) for group in comparison.groups],
        "clauses": [{"id": name, **_tally(tally)} for name, tally in sorted(comparison.clauses.items())],
        "contradicted": [
            {
                "clause": found.clause,
                "text": settings.contract.clauses[found.clause].text,
                **{name: getattr(found, name) for name in ("expected", "actual", "count")},
            }
            for found in verdicts.contradicted
        ],
        "promotable": verdicts.promotable(),
        "stale": [
            f"the recording of {suite.where} is stale: {age} days old, and {settings.max_age} are allowed"
            for suite in suites.values()
            if (age := suite.age(settings.today)) > settings.max_age
        ],
        "complaints": comparison.complaints,
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {**vars(tally), "kinds": dict(tally.kinds.most_common())}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def _group(group: Group) -> dict[str, Any]:
    waiver, difference = group.accepted, group.difference
    accepted = None
    if waiver is not None:
        named = {name: getattr(waiver, name) for name in ("reason", "owner", "link")}
        accepted = {"difference": waiver.clause, **named, "expires": waiver.expires.isoformat()}
    return {
        "pattern": difference.pattern,
        **difference._asdict(),
        "count": group.count,
        "clauses": dict(group.clauses.most_common()),
        "open": group.is_open,
        "accepted": accepted,
        "contradicted": group.contradicted,
        "confirmed": group.confirmed,
        "examples": [
            {"test": key.test, "reference": one, "candidate": other}
            for key, (one, other) in group.examples.items()
        ],
    }
