"""junit.xml with clause ids is valid by the xUnit2 schema, with and without workers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from getintegration_contract.errors import UsageError
from getintegration_contract.judging.ledger import Finding
from getintegration_contract.report import junit

from .documents import Report, exchange

#: What Jenkins' junit-10.xsd allows: children, required and optional attributes of an element.
_RULES = {
    "testsuites": ("testsuite", "", "name time tests failures errors"),
    "testsuite": (
        "testsuite properties testcase system-out system-err",
        "name tests failures errors",
        "group time skipped timestamp hostname id package file log url version",
    ),
    "properties": ("property", "", ""),
    "property": ("", "name value", ""),
    "testcase": ("skipped error failure system-out system-err", "name", "time classname group"),
    **dict.fromkeys(("failure", "error", "skipped"), ("", "", "type message")),
    **dict.fromkeys(("system-out", "system-err"), ("", "", "")),
}

_TESTS = """
import pytest

def test_good(): pass
def test_bad():
    said = "sdk.boto3: expected an answer; got ValueError \\x1b[31m"
    pytest.fail(said + "\\n\\nPOST /domains/d/integrations\\nrepeat: pytest x", pytrace=False)
def test_left_out(): pytest.skip("not claimed")
@pytest.fixture
def broken(): raise OSError("no endpoint")
def test_error(broken): pass
"""

_CONFTEST = """
import json
from pathlib import Path
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        from getintegration_contract.report import junit
        report = json.loads(Path("document.json").read_text())
        junit.attach(Path(session.config.option.xmlpath), report, str)
"""


def _broken_rules(node: ElementTree.Element) -> list[str]:
    if node.tag not in _RULES:
        return [f"no element {node.tag}"]
    children, required, optional = (set(names.split()) for names in _RULES[node.tag])
    names = set(node.attrib)
    broken = [f"{node.tag} lacks {name}" for name in sorted(required - names)]
    broken += [f"{node.tag} has {name}" for name in sorted(names - required - optional)]
    broken += [f"{child.tag} in {node.tag}" for child in node if child.tag not in children]
    return broken + [fault for child in node for fault in _broken_rules(child)]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_what_pytest_writes_stays_valid(tmp_path: Path, failing: Report, workers: list[str]) -> None:
    (tmp_path / "document.json").write_text(json.dumps(failing), encoding="utf-8")
    (tmp_path / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(_TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    path = tmp_path / "out" / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:schemathesis", "-p", "no:cacheprovider"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, f"--junit-xml={path}", *workers],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    root = ElementTree.parse(path).getroot()
    assert _broken_rules(root) == []
    assert len(root.findall(".//testcase")) == 4
    (failure,) = root.findall(".//failure")
    assert failure.attrib["type"] == "response.timestamps.unit"
    assert (failure.attrib["message"] or "").startswith(
        "follows response.timestamps.unit: sdk.boto3: expected"
    )
    assert "POST /domains/d/integrations\nrepeat: pytest x" in (failure.text or "")
    found = {node.attrib["name"]: node.attrib["value"] for node in root.iter("property")}
    assert found["clause:missing.uri.trailing-slash"] == "violated"
    assert found["clause:response.request-id"] == "reported"
    assert found["clause:transport.encoding"].startswith("not exercised: ")
    assert (
        "missing.uri.trailing-slash" in found["test:tests/contract/test_missing.py::test_near_miss"].split()
    )
    assert found["verdict"] == "fail"


def test_a_failure_holds_what_was_due_what_came_and_the_exchange() -> None:
    shown = Finding("missing.domain", "404", "200", exchange(200).to_dict(), 1)
    other = Finding("sdk.boto3", "an answer", "an error", None, 0)
    assert junit.failure([shown, other]).split("\n\n") == [
        "missing.domain: expected 404; got 200",
        "POST /domains/gic-domain/integrations\nHost: 127.0.0.1:4566\nContent-Type: application/json\n"
        'Authorization: REDACTED\n{"Uri": "s3://bucket"}',
        '200\nContent-Type: application/json\n{"Message": "none"}',
        "sdk.boto3: expected an answer; got an error",
    ]


@pytest.mark.parametrize("around", ["{}", "<testsuites>{}</testsuites>"])
def test_properties_are_valid_stand_once_and_are_replaced(
    tmp_path: Path, document: Report, around: str
) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(around.format('<testsuite name="a" tests="0" failures="0" errors="0"/>'))
    junit.attach(path, document, str)
    once = path.read_bytes()
    junit.attach(path, document, str)
    assert path.read_bytes() == once
    root = ElementTree.fromstring(once)
    assert _broken_rules(root) == []
    names = [node.attrib["name"] for node in root.iter("property")]
    assert len(names) == len(set(names))
    assert {f"clause:{clause['id']}" for clause in document["clauses"]} <= set(names)


@pytest.mark.parametrize("content", [None, "no xml", "<html/>"])
def test_a_file_that_is_no_junit_xml_gives_one_sentence(
    tmp_path: Path, healthy: Report, content: str | None
) -> None:
    path = tmp_path / "junit.xml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"junit\.xml"):
        junit.attach(path, healthy, str)
