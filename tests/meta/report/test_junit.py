"""junit.xml with clause ids is valid by the xUnit2 schema, with and without workers."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from getintegration_contract.errors import UsageError
from getintegration_contract.judging.ledger import Finding
from getintegration_contract.report import junit

from ..support import Result
from .documents import Report, exchange
from .pages import junit_faults

_TESTS = """<testsuite name="a" tests="2" failures="2" errors="0"><testcase name="a"><failure message="b">
sdk.boto3: expected an answer; got ValueError\n\nPOST /d\nrepeat: pytest x</failure></testcase>
<testcase name="b"><failure message="assert False">of its own</failure></testcase></testsuite>"""


def test_what_pytest_writes_stays_valid(default_run: Result) -> None:
    assert default_run.directory is not None
    path = default_run.directory / "junit.xml"
    assert junit_faults(path) == []
    found = {node.attrib["name"]: node.attrib["value"] for node in ElementTree.parse(path).iter("property")}
    assert found["verdict"] == "pass"
    assert found["clause:request.valid"] == "upheld"
    assert found["clause:faults.limit"].startswith("not claimed: ")
    assert (
        "missing.uri.case"
        in found["test:tests/contract/test_missing.py::test_uri_near_an_existing_one"].split()
    )


@pytest.mark.parametrize("around", ["{}", "<testsuites>{}</testsuites>"])
def test_properties_and_causes_are_valid_stand_once_and_are_replaced(
    tmp_path: Path, document: Report, around: str
) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(around.format(_TESTS.replace(">\nsdk", ">sdk")))
    junit.attach(path, document, str)
    once = path.read_bytes()
    junit.attach(path, document, str)
    assert path.read_bytes() == once
    assert junit_faults(path) == []
    root = ElementTree.fromstring(once)
    found = [node.attrib["name"] for node in root.iter("property")]
    assert len(found) == len(set(found))
    assert {f"clause:{clause['id']}" for clause in document["clauses"]} <= set(found)
    named, other = root.iter("failure")
    assert other.attrib == {"message": "assert False"}
    assert "POST /d\nrepeat: pytest x" in (named.text or "")
    if document["findings"]:
        cause = "response.timestamps.unit"
        assert named.attrib["type"] == cause
        assert named.attrib["message"].startswith(f"follows {cause}: sdk.boto3: expected an answer; got Val")


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


@pytest.mark.parametrize("content", [None, "no xml", "<html/>"])
def test_a_file_that_is_no_junit_xml_gives_one_sentence(
    tmp_path: Path, healthy: Report, content: str | None
) -> None:
    path = tmp_path / "junit.xml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match=r"junit\.xml"):
        junit.attach(path, healthy, str)
