"""Reports of a comparison: terminal, JSON, Markdown, JUnit, HTML with both answers side by side."""

import datetime
import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from typing import Any

from getintegration_compare.comparison import Comparison
from getintegration_compare.normalise import NORMALISATIONS
from getintegration_contract.report import engine, files
from getintegration_contract.report.view import status_line
from getintegration_contract.text import visible

SCHEMA_VERSION = 1

_SIDES = ("reference", "candidate")
#: What is said of a recording.
_ABOUT = (
    *("where", "endpoint", "region", "date", "seed", "depth", "suite_version", "model_version"),
    *("complete", "replay_of", "is_aws"),
)

Report = dict[str, Any]


def document(comparison: Comparison, exit_status: int) -> Report:
    """The comparison as compare.json holds it, and every report shows it."""
    settings, pairs = comparison.settings, comparison.pairs
    suites = dict(zip(_SIDES, comparison.suites, strict=True))
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_version": version("getintegration-contract"),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "exit_status": exit_status,
        "mode": "drift" if len({suite.where for suite in suites.values()}) == 1 else "comparison",
        **{side: {name: getattr(suite, name) for name in _ABOUT} for side, suite in suites.items()},
        "divergence": {
            **pairs,
            "share": _share(pairs["different"], pairs["compared"]),
            "open_share": _share(pairs["unaccepted"], pairs["compared"]),
        },
        "coverage": {
            "requests": comparison.total,
            "compared": pairs["compared"],
            "share": _share(pairs["compared"], comparison.total),
            "not_compared": dict(comparison.not_compared.most_common()),
            "only_candidate": dict(comparison.only_candidate.most_common()),
            "transient": dict(zip(_SIDES, comparison.transient, strict=True)),
        },
        "normalisations": [
            {"name": name, "says": says, "applied": name in settings.steps}
            for name, says in NORMALISATIONS.items()
        ],
        "differences": comparison.groups,
        "clauses": [{"id": name, **tally} for name, tally in sorted(comparison.clauses.items())],
        "contradicted": [
            {
                "clause": found.clause,
                "text": settings.contract.clauses[found.clause].text,
                **{name: getattr(found, name) for name in ("expected", "actual", "count")},
            }
            for found in comparison.verdicts.contradicted
        ],
        "promotable": comparison.verdicts.promotable(),
        "stale": [
            f"the recording of {suite.where} is stale: {age} days old, more than {settings.max_age}"
            for suite in comparison.suites
            if (age := (settings.today - suite.day).days) > settings.max_age
        ],
        "complaints": comparison.complaints,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0


def terminal(report: Report) -> str:
    """The comparison for a terminal."""
    return engine.render("compare.txt", visible, **_shown(report)).rstrip()


def page(report: Report) -> str:
    """The comparison as one page that needs nothing else, with the templates of report.html."""
    return engine.render("differences.html", rows=rows, **_shown(report))


def write(report: Report, directory: Path) -> None:
    """Write compare.json, compare.md, compare.html and compare-junit.xml."""
    junit = engine.engine(__package__).get_template("compare-junit.xml")
    files.write(directory / "compare.json", files.to_json(report))
    files.write(directory / "compare.md", engine.render("compare.md", engine.inline, **_shown(report)))
    files.write(directory / "compare.html", page(report))
    files.write(directory / "compare-junit.xml", junit.render(report=report))


def _shown(report: Report) -> dict[str, Any]:
    """What the templates show."""
    return {"package": __package__, "report": report, "per_cent": per_cent}


def per_cent(share: float) -> str:
    """A share in per cent that says 0 or 100 only where that is exact."""
    text = f"{share * 100:.1f}"
    if text in ("0.0", "100.0") and share not in (0.0, 1.0):
        text = "less than 0.1" if share < 0.5 else "more than 99.9"
    return f"{text} %"


def rows(example: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Two answers line by line, headers and members of the same name beside each other."""
    one, other = (list(_lines(example[side]["response"])) for side in _SIDES)
    names = [[line.partition(": ")[0].lower() for line in side] for side in (one, other)]
    matched = SequenceMatcher(None, names[0], names[1], autojunk=False)
    for _, first, last, start, end in matched.get_opcodes():
        yield from zip_longest(one[first:last], other[start:end], fillvalue="")


def _lines(response: dict[str, Any]) -> Iterator[str]:
    """Status, headers by name, body; of JSON, members by name, without the commas between them."""
    yield status_line(response)
    yield from sorted((f"{name}: {value}" for name, value in response["headers"]), key=str.lower)
    yield ""
    try:
        body = json.dumps(json.loads(response["body"]), indent=2, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        yield from response["body"].splitlines()
    else:
        yield from (line.removesuffix(",") for line in body.splitlines())
