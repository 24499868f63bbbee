"""Clause ids in junit.xml.

The xUnit2 schema (Jenkins' junit-10.xsd) allows ``properties`` in a test suite, not in a test case, so what
``item.user_properties`` would write is not valid. The clauses stand in the suite's properties instead: one
for the outcome of every clause, and one for every test with the clauses that it checked.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from getintegration_contract.errors import UsageError
from getintegration_contract.fileio import naming
from getintegration_contract.judging.ledger import Finding
from getintegration_contract.report import files, view
from getintegration_contract.text import shorten, visible

_BODY = 2_000


def properties(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and values: the run, then ``clause:ID`` with its outcome, then ``test:NODE`` with clause ids."""
    run, target = report["run"], report["target"]
    found = [
        ("endpoint", target["endpoint"]),
        ("region", target["region"]),
        ("capabilities", " ".join(target["capabilities"])),
        ("verdict", report["verdict"]),
        ("exit_status", str(report["exit_status"])),
        ("depth", run["depth"]),
        ("seed", str(run["seed"])),
        ("suite_version", report["suite_version"]),
    ]
    tests: dict[str, list[str]] = {}
    for clause in report["clauses"]:
        reason = f": {clause['reason']}" if clause["reason"] else ""
        found.append((f"clause:{clause['id']}", f"{view.outcome(clause)}{reason}"))
        for test in clause["tests"]:
            tests.setdefault(test, []).append(clause["id"])
    found += [(f"test:{test}", " ".join(ids)) for test, ids in sorted(tests.items())]
    return [(visible(name), visible(value)) for name, value in found]


def failure(findings: Iterable[Finding]) -> str:
    """What a test found, as the failure of its test case: what was due, what came, and the exchange."""
    parts = []
    for finding in findings:
        parts.append(f"{finding.clause}: expected {finding.expected}; got {finding.actual}")
        if finding.exchange is not None:
            sent, came = finding.exchange["request"], finding.exchange["response"]
            for first, message in (
                (f"{sent['method']} {sent['target']}", sent),
                (view.status_line(came), came),
            ):
                headers = (f"{name}: {value}" for name, value in message["headers"])
                parts.append("\n".join([first, *headers, shorten(message["body"], _BODY)]))
    return "\n\n".join(parts)


def attach(path: Path, report: dict[str, Any], redacted: Callable[[str], str]) -> None:
    """Add the properties to a junit.xml that pytest has written, and a type and message to its failures.

    Args:
        redacted: A text without the secrets of the whole run: a test knew those of its own process only.

    Raises:
        UsageError: The file cannot be read or written, or is no junit.xml.
    """
    try:
        with naming("read", path):
            root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is not XML: {error}") from None
    suite = root if root.tag == "testsuite" else root.find("testsuite")
    if suite is None:
        raise UsageError(f"{path} holds no test suite")
    for old in suite.findall("properties"):
        suite.remove(old)
    node = ElementTree.Element("properties")
    for name, value in properties(report):
        ElementTree.SubElement(node, "property", name=name, value=value)
    suite.insert(0, node)
    follows = {finding["clause"]: finding["follows"] for finding in report["findings"]}
    for failed in suite.iter("failure"):
        failed.text = redacted(failed.text or "")
        line = failed.text.partition("\n")[0]
        clause = line.partition(": expected ")[0]
        if clause in follows:
            cause = follows[clause]
            failed.set("type", cause or clause)
            failed.set("message", f"follows {cause}: {line}" if cause else line)
    text = ElementTree.tostring(root, encoding="unicode")
    files.write(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')
