"""The document of a run: by its schema, causes before consequences, what changed, what repeats a finding."""

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

from ..support import CONTRACT, edited
from .documents import exchange, failing, made

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


_CRASHES = "request.DomainName.pattern request.json request.json.robust transport.keep-alive"
#: Status of the answers that show a cause and what follows from it.
CAUSES: dict[str, list[tuple[int, str, str]]] = {
    "201 for 200": [(201, "response.status", "request.valid sdk.boto3 state.deleted transport.close")],
    "a path encoded otherwise": [
        (
            403,
            "sigv4.canonical-path",
            "error.AccessDeniedException.type request.DomainName.pattern request.valid",
        )
    ],
    "readings differ": [(200, "state.read-only", "sdk.boto3 state.CreatedAt.stable")],
    "another kind of answer has another cause": [(400, "response.status", ""), (200, "state.read-only", "")],
    "what is only reported explains nothing that fails": [
        (200, "sdk.boto3", ""),
        (200, "response.request-id", "response.request-id.unique"),
    ],
    "nor does what is waived": [(201, "response.status", ""), (201, "sdk.boto3", "")],
    "a waived crash hides nothing": [
        (500, "request.json", "request.DomainName.pattern request.json.robust"),
        *((500, clause, "") for clause in ("request.Uri.type", "request.valid", "transport.keep-alive")),
    ],
    "nobody verifies": [(200, "sigv4.missing-authorization", "sigv4.expired-date sigv4.wrong-secret")],
    "most are verified": [(200, "sigv4.missing-authorization", ""), (200, "sigv4.wrong-secret", "")],
    "a crash hides no other fault": [
        (500, "request.Uri.type", _CRASHES),
        (200, "request.Uri.maxLength", ""),
        (500, "request.valid", ""),
    ],
}
OF_THE_RUN: dict[str, dict[str, Any]] = {
    "201 for 200": {"capabilities": ("signatures", "writing")},
    "readings differ": {"capabilities": ("writing",)},
    "nor does what is waived": {"waived": ("response.status",)},
    "a waived crash hides nothing": {"waived": ("request.Uri.type",)},
    "most are verified": {"upheld": ("sigv4.tampered-body", "sigv4.clock-window")},
}
HINTS = {
    "nobody verifies": "--not-claimed signatures",
    **dict.fromkeys(("a crash hides no other fault", "a waived crash hides nothing"), "one handler crashes"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_causes_and_what_follows(name: str) -> None:
    found = [
        (clause, exchange(status)) for status, *names in CAUSES[name] for clause in " ".join(names).split()
    ]
    report = made(*found, **OF_THE_RUN.get(name, {}))
    causes: dict[str, list[str]] = {}
    for finding in report["findings"]:  # a cause first
        causes.setdefault(finding["follows"] or finding["clause"], []).append(finding["clause"])
    expected = {cause: [cause, *following.split()] for _, cause, following in CAUSES[name]}
    assert {cause: [cause, *sorted(names[1:])] for cause, names in causes.items()} == expected
    assert report["counts"]["violated"] + report["counts"].get("waived", 0) == len(found)
    hints = {finding["clause"]: finding["hint"] for finding in report["findings"] if finding["hint"]}
    assert list(hints) == [CAUSES[name][0][1]] * (name in HINTS)
    assert HINTS.get(name, "") in "".join(hints.values())


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
    ("clause", "body", "tools"),
    [
        ("request.json.robust", b'{"Uri": "s3://a", "Uri": "s3://b"}', ["curl"]),
        ("request.json.robust", b'[["Uri", "s3://a"]]', ["curl"]),
        ("request.json.robust", b'{"Uri": 1}', ["curl"]),
        pytest.param("request.json.robust", b'{"Uri": ' + b"[" * 1_800, ["curl"], id="deep"),
        ("sigv4.wrong-secret", b'{"Uri": "s3://a"}', []),
        ("transport.chunked", b'{"Uri": "s3://a"}', []),
    ],
)
def test_what_another_tool_cannot_say_is_left_to_the_suite(
    clause: str, body: bytes, tools: list[str]
) -> None:
    shown = exchange()
    sent = replace(shown, request=replace(shown.request, body=body))
    (finding,) = made((clause, sent))["findings"]
    assert [line.partition(" ")[0] for line in finding["also"]] == tools
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
    assert schema_fault(report, PACKAGE) is None
    assert made(*found, baseline=before, known=known)["exit_status"] == 1
    assert made(found[0], baseline=before, known=known)["exit_status"] == 0
    assert made(found[0], baseline=before)["exit_status"] == 1


# --- The schema ---------------------------------------------------------------------------------------------


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
        ("schema_version", 1),
        ("verdict", "green"),
        ("started", "yesterday"),
        ("extra", 1),
        ("clauses.0.outcome", "skipped"),
        ("run.seed", "0"),
        ("counts.odd", 1),
        ("findings.0.exchange.request.headers.0", ["only a name"]),
    ],
)
def test_anything_else_is_refused(path: str, value: Any) -> None:
    assert schema_fault(edited(failing(), {path: value}), PACKAGE)
