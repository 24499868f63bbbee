"""The document of a run: by its schema, causes before consequences, what changed, what repeats a finding."""

import json
from dataclasses import replace
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter
from typing import Any

import pytest

from getintegration_contract.report import files
from getintegration_contract.report.causes import Causes
from getintegration_contract.report.engine import PACKAGE
from getintegration_contract.schema import schema, schema_fault

from .documents import CONTRACT, Report, exchange, failing, healthy, made

CREATED = exchange(201)


def _follows(report: Report) -> dict[str, str | None]:
    return {finding["clause"]: finding["follows"] for finding in report["findings"]}


# --- Causes -------------------------------------------------------------------------------------------------


def test_every_clause_can_be_mended_and_nothing_goes_round_in_a_circle() -> None:
    causes = Causes(CONTRACT)
    assert [clause for clause in CONTRACT.clauses if not causes.mend(clause)] == []
    order = TopologicalSorter({clause: causes.basis(clause) for clause in CONTRACT.clauses})
    assert set(order.static_order()) == set(CONTRACT.clauses)
    assert "sample" in causes.mend("response.timestamps.unit")


@pytest.mark.parametrize("key", ["x-presupposes", "x-mend"])
def test_every_pattern_of_the_description_is_of_use(key: str) -> None:
    patterns = CONTRACT.document[key]
    applied = (next((p for p in patterns if fnmatchcase(clause, p)), None) for clause in CONTRACT.clauses)
    assert set(patterns) - set(applied) == set()
    if key == "x-presupposes":
        named = {p for rests_on in patterns.values() for p in rests_on if "{name}" not in p}
        assert [p for p in named if not filter_names(CONTRACT.clauses, p)] == []


@pytest.mark.parametrize(
    ("clause", "basis"),
    [
        ("response.content-type", "response.status"),
        ("response.body.type", "response.body.json"),
        ("response.Tags.keys.pattern", "response.Tags.type"),
        ("response.Tags.keys.pattern", "response.status"),
        ("state.put-get.Tags", "response.Tags.values.type"),
        ("sigv4.wrong-secret.type", "sigv4.wrong-secret"),
        ("error.Message.type", "error.body.json"),
        ("missing.uri.case", "missing.integration"),
    ],
)
def test_what_a_clause_rests_on(clause: str, basis: str) -> None:
    assert basis in Causes(CONTRACT).basis(clause)


def test_201_for_200_is_one_finding() -> None:
    broken = ("sdk.boto3", "state.deleted", "request.valid", "transport.close", "response.status")
    report = made(*((clause, CREATED) for clause in broken), capabilities=("signatures", "writing"))
    assert report["findings"][0]["clause"] == "response.status"
    assert set(_follows(report).values()) == {None, "response.status"}
    assert sorted(_follows(report)) == sorted(broken)
    assert report["counts"]["violated"] == 5, "what follows is violated all the same"


def test_another_kind_of_answer_has_another_cause() -> None:
    report = made(("response.status", exchange(400)), ("state.read-only", exchange(200)))
    assert _follows(report) == {"response.status": None, "state.read-only": None}


def test_what_is_only_reported_and_what_is_waived_explain_nothing_that_fails() -> None:
    shown = exchange(200)
    report = made(("response.request-id", shown), ("response.request-id.unique", shown), ("sdk.boto3", shown))
    follows = _follows(report)
    assert (follows["sdk.boto3"], follows["response.request-id.unique"]) == (None, "response.request-id")
    waived = made(("response.status", CREATED), ("sdk.boto3", CREATED), waived=("response.status",))
    assert _follows(waived) == {"response.status": None, "sdk.boto3": None}


def test_signatures_that_nobody_verifies_are_one_finding_with_a_hint() -> None:
    broken = ("sigv4.missing-authorization", "sigv4.wrong-secret", "sigv4.expired-date")
    found = [(clause, exchange(200)) for clause in broken]
    first = made(*found)["findings"][0]
    assert "--not-claimed signatures" in first["hint"]
    assert list(_follows(made(*found)).values()) == [None, first["clause"], first["clause"]]
    verified = made(*found, upheld=("sigv4.tampered-body", "sigv4.clock-window"))
    assert [finding["hint"] for finding in verified["findings"]] == ["", "", ""]


def test_a_crash_on_bad_input_is_one_finding_and_hides_no_other_fault() -> None:
    crashes = ("request.json", "request.json.robust", "request.Uri.type", "request.DomainName.pattern")
    found = [(clause, exchange(500)) for clause in (*crashes, "transport.keep-alive", "request.valid")]
    report = made(*found, ("request.Uri.maxLength", exchange(200)))
    alone = ["request.Uri.maxLength", "request.Uri.type", "request.valid"]
    assert sorted(clause for clause, cause in _follows(report).items() if cause is None) == alone
    hints = {finding["clause"]: finding["hint"] for finding in report["findings"]}
    assert [clause for clause, hint in hints.items() if hint] == ["request.Uri.type"]
    waived = made(*found, waived=("request.Uri.type",))
    assert "request.Uri.type" not in _follows(waived).values(), "what is waived hides nothing"


def test_a_clause_that_nothing_was_seen_of_says_what_was_not_seen() -> None:
    reasons = {clause["id"]: clause["reason"] for clause in made()["clauses"]}
    assert reasons["error.message.type"] == "no error carried message in a form that could violate it"
    assert reasons["error.ThrottlingException.type"] == "no ThrottlingException was seen with its own status"


# --- The best exchange --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "worse",
    [exchange(domain="a"), exchange(domain="%C3%A9"), exchange(body=b"\xff"), exchange(body=b"x" * 500)],
)
def test_the_exchange_that_reads_best_is_kept(worse: Any) -> None:
    for pair in ((worse, exchange()), (exchange(), worse)):
        (finding,) = made(*(("missing.domain", shown) for shown in pair))["findings"]
        assert finding["exchange"]["request"]["target"] == "/domains/gic-domain/integrations"
        assert finding["exchange"]["response"]["body"] == '{"Message": "none"}'


# --- What repeats it, what changed --------------------------------------------------------------------------


def test_a_plain_request_is_repeated_with_other_tools_too() -> None:
    (finding,) = made(("missing.domain", exchange()))["findings"]
    curl, aws = finding["also"]
    assert "--aws-sigv4 aws:amz:us-east-1:profile" in curl
    assert "http://127.0.0.1:4566/domains/gic-domain/integrations" in curl
    assert aws.startswith("aws customer-profiles get-integration --domain-name=gic-domain --uri=s3://bucket ")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"Uri": "s3://a", "Uri": "s3://b"}', id="twice"),
        pytest.param(b'[["Uri", "s3://a"]]', id="pairs"),
        pytest.param(b'{"Uri": 1}', id="number"),
        pytest.param(b'{"Uri": ' + b"[" * 1_800, id="deep"),
    ],
)
def test_what_the_aws_cli_cannot_say_is_left_to_curl(body: bytes) -> None:
    shown = exchange()
    sent = replace(shown, request=replace(shown.request, body=body))
    (finding,) = made(("request.json.robust", sent))["findings"]
    assert [line.partition(" ")[0] for line in finding["also"]] == ["curl"]


@pytest.mark.parametrize("clause", ["sigv4.wrong-secret", "transport.chunked"])
def test_what_no_other_tool_says_is_left_to_the_suite(clause: str) -> None:
    (finding,) = made((clause, exchange()))["findings"]
    assert finding["also"] == []
    assert "test_it.py::test_0" in finding["repeat"]


def test_what_changed_since_the_baseline() -> None:
    before = made(("missing.domain", exchange()), ("request.json", exchange()), ("request.valid", exchange()))
    found = (("missing.domain", exchange()), ("error.type", exchange()))
    report = made(*found, baseline=before, upheld=("request.json",))
    assert report["baseline"] == {
        "started": before["started"],
        "target": "http://127.0.0.1:4566, us-east-1",
        "new": ["error.type"],
        "still": ["missing.domain"],
        "mended": ["request.json"],
        "undecided": ["request.valid"],
    }
    known = files.violated(before["clauses"])
    assert made(*found, baseline=before, known=known)["exit_status"] == 1
    assert made(found[0], baseline=before, known=known)["exit_status"] == 0
    assert made(found[0], baseline=before)["exit_status"] == 1


# --- The schema ---------------------------------------------------------------------------------------------


def test_every_document_keeps_the_schema(document: Report) -> None:
    assert schema_fault(json.loads(files.to_json(document)), PACKAGE) is None
    found = made(("missing.domain", exchange()), ("latency.limit", None), baseline=healthy())
    assert schema_fault(found, PACKAGE) is None


def test_every_object_of_the_schema_is_closed_and_every_member_required() -> None:
    def objects(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for child in node for found in objects(child)]
        if not isinstance(node, dict):
            return []
        own = [node] if node.get("type") == "object" else []
        return own + [found for child in node.values() for found in objects(child)]

    for node in objects(schema(PACKAGE)):
        assert "additionalProperties" in node
        assert sorted(node.get("required", ())) == sorted(node.get("properties", ()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 1),
        (("verdict",), "green"),
        (("started",), "yesterday"),
        (("extra",), 1),
        (("clauses", 0, "outcome"), "skipped"),
        (("run", "seed"), "0"),
        (("counts", "odd"), 1),
        (("findings", 0, "exchange", "request", "headers", 0), ["only a name"]),
    ],
)
def test_anything_else_is_refused(path: tuple[Any, ...], value: Any) -> None:
    node = report = failing()
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    assert schema_fault(report, PACKAGE)
