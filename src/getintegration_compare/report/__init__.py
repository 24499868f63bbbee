"""Reports of a comparison: terminal, JSON, Markdown, HTML with both answers side by side, JUnit."""

from __future__ import annotations

import datetime
import json
from functools import cache
from importlib.metadata import version
from importlib.resources import files as resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from getintegration_compare.comparison import SCHEMA_VERSION, Comparison, Group, normalisations
from getintegration_contract.contract import Contract
from getintegration_contract.recording.about import Suite
from getintegration_contract.report import files
from getintegration_contract.report.markdown import cell, inline
from getintegration_contract.text import shorten, visible

_ROWS = 40


def document(comparison: Comparison, contract: Contract, exit_status: int) -> dict[str, Any]:
    """The comparison as compare.json holds it."""
    evidence = comparison.evidence
    return {
        "schema_version": SCHEMA_VERSION,
        "suite_version": version("getintegration-contract"),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "exit_status": exit_status,
        "mode": "drift" if comparison.is_drift else "comparison",
        "reference": _side(comparison.reference),
        "candidate": _side(comparison.candidate),
        "divergence": {
            "compared": comparison.compared,
            "different": comparison.different,
            "unaccepted": comparison.unaccepted,
            "share": round(comparison.divergence, 6),
        },
        "coverage": {
            "requests": comparison.total,
            "compared": comparison.compared,
            "share": round(comparison.coverage, 6),
            "not_compared": dict(comparison.not_compared.most_common()),
            "only_candidate": dict(comparison.only_candidate.most_common()),
            "transient": dict(zip(("reference", "candidate"), comparison.transient, strict=True)),
        },
        "normalisations": normalisations(comparison.without),
        "differences": [_group(group) for group in comparison.groups],
        "clauses": [
            {
                "id": name,
                "compared": entry.compared,
                "different": entry.different,
                "unaccepted": entry.unaccepted,
                "kinds": dict(entry.kinds.most_common()),
            }
            for name, entry in sorted(comparison.clauses.items())
        ],
        "contradicted": [
            {
                "clause": clause,
                "text": contract.clauses[clause].text if clause in contract.clauses else "",
                "expected": evidence.contradictions[clause][0],
                "actual": evidence.contradictions[clause][1],
                "count": count,
            }
            for clause, count in evidence.violated.most_common()
        ]
        if evidence
        else [],
        "promotable": evidence.promotable(contract) if evidence else {},
        "stale": comparison.stale,
        "complaints": comparison.complaints,
    }


def _side(suite: Suite) -> dict[str, Any]:
    return {
        "where": suite.where,
        "endpoint": suite.endpoint,
        "region": suite.region,
        "date": suite.date,
        "seed": suite.seed,
        "depth": suite.depth,
        "suite_version": suite.suite_version,
        "model_version": suite.model_version,
        "complete": suite.complete,
        "replay_of": suite.replay_of,
        "is_aws": suite.is_aws,
    }


def _group(group: Group) -> dict[str, Any]:
    waiver, difference = group.accepted, group.difference
    return {
        "kind": difference.kind,
        "where": difference.where,
        "reference": difference.reference,
        "candidate": difference.candidate,
        "count": group.count,
        "clauses": dict(group.clauses.most_common()),
        "accepted": None
        if waiver is None
        else {
            "difference": waiver.clause,
            "reason": waiver.reason,
            "owner": waiver.owner,
            "link": waiver.link,
            "expires": waiver.expires.isoformat(),
        },
        "contradicted": group.contradicted,
        "confirmed": group.confirmed,
        "examples": [
            {"test": shown.test, "reference": shown.reference, "candidate": shown.candidate}
            for shown in group.examples
        ],
    }


def write(report: dict[str, Any], directory: Path) -> list[Path]:
    """Write compare.json, compare.md, compare.html and compare-junit.xml.

    Raises:
        ReportError: The directory cannot be written.
    """
    return [
        files.write(directory / "compare.json", files.to_json(report)),
        files.write(directory / "compare.md", markdown(report)),
        files.write(directory / "compare.html", html(report)),
        files.write(directory / "compare-junit.xml", junit(report)),
    ]


def headline(report: dict[str, Any]) -> list[str]:
    """The two figures, a sentence each."""
    divergence, coverage = report["divergence"], report["coverage"]
    accepted = divergence["different"] - divergence["unaccepted"]
    beside = f", {accepted:,} of them only in accepted ways" if accepted else ""
    return [
        f"divergence {_share(divergence['share'])}: of {divergence['compared']:,} compared answers"
        f" {divergence['different']:,} differ{beside}",
        f"coverage {_share(coverage['share'])}: of {coverage['requests']:,} requests"
        f" {coverage['compared']:,} were compared",
    ]


def _share(share: float) -> str:
    """A share in per cent that says 0 or 100 only where that is exact."""
    text = f"{share * 100:.1f}"
    if text in ("0.0", "100.0") and share not in (0.0, 1.0):
        text = "less than 0.1" if share < 0.5 else "more than 99.9"
    return f"{text} %"


def remarks(report: dict[str, Any]) -> list[str]:
    """What a reader must know beside the figures."""
    left_out = [step["name"] for step in report["normalisations"] if not step["applied"]]
    lines = list(report["stale"]) + list(report["complaints"])
    lines += [f"normalisation left out: {name}" for name in left_out]
    for side in ("reference", "candidate"):
        if not report[side]["complete"]:
            lines.append(f"the recording of the {side} did not come to its end")
    lines += [
        f"{entry['clause']} is contradicted by evidence: due was {entry['expected']},"
        f" AWS answered {entry['actual']} ({entry['count']} times)"
        for entry in report["contradicted"]
    ]
    if report["promotable"]:
        names = ", ".join(report["promotable"])
        lines.append(f"confirmed by this recording of AWS, so --promote can raise: {names}")
    return lines


def state(group: dict[str, Any]) -> str:
    """How a group of differences stands, in a word or two."""
    words = ["accepted"] if group["accepted"] else []
    words += ["contract contradicted by evidence"] if group["contradicted"] else []
    if group["confirmed"] is not None:
        words.append("confirmed by a repeat" if group["confirmed"] else "not confirmed by a repeat")
    return ", ".join(words) or "open"


def terminal(report: dict[str, Any], width: int = 110) -> str:
    """The comparison for a terminal, no line wider than ``width``."""
    lines = [_title(report), *headline(report)]
    for name, reasons in (("not compared", "not_compared"), ("only in the candidate", "only_candidate")):
        lines += [f"  {name}: {count:,}, {why}" for why, count in report["coverage"][reasons].items()]
    lines += [f"note: {line}" for line in remarks(report)]
    for group in report["differences"][:_ROWS]:
        first, *more = group["clauses"] or ["no clause"]
        clauses = first + (f" and {len(more)} more clauses" if more else "")
        lines.append(
            f"{group['count']:>6} x {group['kind']}{': ' + group['where'] if group['where'] else ''}:"
            f" {group['reference']} -> {group['candidate']} ({state(group)}) [{clauses}]"
        )
    if len(report["differences"]) > _ROWS:
        lines.append(f"{len(report['differences']) - _ROWS} more kinds of differences are in the report")
    return "\n".join(shorten(visible(line), width) for line in lines)


def _title(report: dict[str, Any]) -> str:
    if report["mode"] == "drift":
        dates = report["reference"]["date"][:10], report["candidate"]["date"][:10]
        return f"drift of {report['reference']['where']} from {dates[0]} to {dates[1]}"
    return f"{report['candidate']['where']} compared with {report['reference']['where']}"


def markdown(report: dict[str, Any]) -> str:
    """The comparison as Markdown."""
    lines = [f"# {inline(_title(report))}", ""]
    lines += [f"- {inline(line)}" for line in headline(report)]
    lines += [f"- {inline(line)}" for line in remarks(report)]
    for name, reasons in (("Not compared", "not_compared"), ("Only in the candidate", "only_candidate")):
        if report["coverage"][reasons]:
            lines += ["", f"## {name}", "", "| requests | why |", "|---:|---|"]
            lines += [f"| {n:,} | {inline(why)} |" for why, n in report["coverage"][reasons].items()]
    lines += ["", "## Differences", ""]
    if not report["differences"]:
        lines.append("None.")
    else:
        lines.append("| times | kind | where | reference | candidate | clauses | |")
        lines.append("|---:|---|---|---|---|---|---|")
    for group in report["differences"]:
        clauses = ", ".join(list(group["clauses"])[:5]) + (", ..." if len(group["clauses"]) > 5 else "")
        values = [cell(shorten(group[side], 120)) for side in ("reference", "candidate")]
        where, clauses = inline(group["where"]), inline(clauses)
        row = (f"{group['count']:,}", group["kind"], where, *values, clauses, inline(state(group)))
        lines.append("| " + " | ".join(row) + " |")
    lines += ["", "## Normalisations", ""]
    lines += [
        f"- {step['name']}{'' if step['applied'] else ' (left out)'}: {inline(step['says'])}"
        for step in report["normalisations"]
    ]
    return "\n".join(lines) + "\n"


def junit(report: dict[str, Any]) -> str:
    """The comparison as JUnit XML: a test case for every clause that was compared."""
    clauses = report["clauses"]
    failed = [clause for clause in clauses if clause["unaccepted"]]
    attributes = {"name": "parity", "errors": "0", "skipped": "0", "time": "0"}
    counts = {"tests": str(len(clauses)), "failures": str(len(failed))}
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", attributes | counts)
    for clause in clauses:
        case = {"classname": "parity", "name": visible(clause["id"]), "time": "0"}
        element = ElementTree.SubElement(suite, "testcase", case)
        if clause["unaccepted"]:
            message = f"{clause['unaccepted']} of {clause['compared']} answers differ"
            failure = ElementTree.SubElement(element, "failure", {"message": message, "type": "difference"})
            told = [
                f"{group['kind']} {group['where']}: {group['reference']} -> {group['candidate']}"
                for group in report["differences"]
                if clause["id"] in group["clauses"] and not group["accepted"]
            ]
            failure.text = visible("\n".join(told[:20]), keep="\n")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def html(report: dict[str, Any]) -> str:
    """The comparison as one page that needs nothing else."""
    from getintegration_contract.report import html as pages  # loads the template engine

    values = {"title": _title(report), "headline": headline(report), "remarks": remarks(report)}
    template = _environment().get_template("page.html")
    return pages.render(template, _text("style.css"), {}, report=report, **values)


def pretty(body: str) -> str:
    """A body as it is read best: JSON indented, everything else as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


@cache
def _text(name: str) -> str:
    return resources(__name__).joinpath(name).read_text(encoding="utf-8").strip()


@cache
def _environment() -> Any:
    import jinja2

    from getintegration_contract.report import html as pages

    environment = pages.environment(jinja2.FunctionLoader(_text))
    environment.filters |= {"pretty": pretty, "state": state}
    return environment
