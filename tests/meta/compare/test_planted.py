"""Differences planted in a recording: every one is found, and none is reported that is not there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from getintegration_compare.differences import KINDS

from .conftest import Compare, load, save

Entry, Headers, Members = dict[str, Any], dict[str, str], dict[str, Any]
#: Changes an entry: the entry itself, its answer's headers by lower-case name, its answer's JSON.
Edit = Callable[[Entry, Headers, Members], Any]

ROLE = "arn:aws:iam::123456789012:role/Other"
#: What is planted, by the status of the answer it goes into: the pattern that is shown, with clause and edit.
#: Where no clause is given, it is that of the test, or what the description says is due.
PLANTED: dict[int, dict[str, tuple[str | None, Edit]]] = {
    404: {
        "status:404 -> 400": (None, lambda e, h, m: e["response"].update(status=400)),
        "status:404 -> no answer": (None, lambda e, h, m: e["response"].update(status=0)),
        "error type:ResourceNotFoundException -> Other": (
            None,
            lambda e, h, m: h.update({"x-amzn-errortype": "Other"}),
        ),
        "timing:prompt, below 1 s -> slow, 1 to 5 s": (None, lambda e, h, m: e.update(time=3500)),
        "envelope:place of the type": (
            "error.type",
            lambda e, h, m: m.update(code=h.pop("x-amzn-errortype")),
        ),
        "envelope:name of the message": (
            "error.Message.type",
            lambda e, h, m: m.update(message=m.pop("Message")),
        ),
        "header:x-amzn-requestid": ("response.request-id", lambda e, h, m: h.pop("x-amzn-requestid")),
        "member extra:fault": (None, lambda e, h, m: m.update(fault="client")),
        "type:Message": (None, lambda e, h, m: m.update(Message=None)),
    },
    200: {
        "header:content-type": (
            "response.content-type",
            lambda e, h, m: h.update({"content-type": "text/plain"}),
        ),
        "header:etag": (None, lambda e, h, m: h.update(etag="mock")),
        "member missing:Tags": ("response.Tags.type", lambda e, h, m: m.pop("Tags")),
        "member missing:Tags.team": ("response.Tags.type", lambda e, h, m: m["Tags"].pop("team")),
        "member missing:CreatedAt": ("response.CreatedAt.required", lambda e, h, m: m.pop("CreatedAt")),
        "member extra:Secret": ("response.unknown-members", lambda e, h, m: m.update(Secret=1)),
        "member extra:EventTriggerNames[1]": (
            "response.EventTriggerNames.type",
            lambda e, h, m: m["EventTriggerNames"].append("b"),
        ),
        "value:ObjectTypeName": (
            "state.put-get.ObjectTypeName",
            lambda e, h, m: m.update(ObjectTypeName="Other"),
        ),
        "value:Scope": ("state.put-get.Scope", lambda e, h, m: m.update(Scope="PROFILE")),
        "value:RoleArn": ("state.put-get.RoleArn", lambda e, h, m: m.update(RoleArn=ROLE)),
        "value:Uri": ("response.echo.Uri", lambda e, h, m: m.update(Uri=m["Uri"].lower())),
        "value:DomainName": (
            "response.echo.DomainName",
            lambda e, h, m: m.update(DomainName=m["DomainName"].lower()),
        ),
        "value:LastUpdatedAt": ("response.timestamps.order", lambda e, h, m: m.update(LastUpdatedAt=4e9)),
        "value:CreatedAt": ("response.timestamps.order", lambda e, h, m: m.update(CreatedAt=1e12)),
        "type:LastUpdatedAt": ("response.LastUpdatedAt.type", lambda e, h, m: m.update(LastUpdatedAt="1")),
        "type:IsUnstructured": ("response.IsUnstructured.type", lambda e, h, m: m.update(IsUnstructured="1")),
        "type:WorkflowId": ("response.WorkflowId.type", lambda e, h, m: m.update(WorkflowId=None)),
        "type:body": ("response.body.json", lambda e, h, m: e["response"]["content"].update(text="{")),
    },
    403: {
        "status:403 -> 200": (None, lambda e, h, m: e["response"].update(status=200)),
        "error type:IncompleteSignatureException -> Other": (
            None,
            lambda e, h, m: h.update({"x-amzn-errortype": "Other"}),
        ),
    },
}


def change(entry: Entry, edit: Edit) -> None:
    """Change an entry, whose answer has a JSON body."""
    response = entry["response"]
    headers = {header["name"].lower(): header["value"] for header in response["headers"]}
    members = json.loads(before := response["content"]["text"])
    edit(entry, headers, members)
    response["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
    if members != json.loads(before):
        response["content"]["text"] = json.dumps(members)


def test_every_planted_difference_is_found_and_no_other(
    tmp_path: Path, emulator_har: Path, again_har: Path, compare: Compare
) -> None:
    assert {pattern.partition(":")[0] for plants in PLANTED.values() for pattern in plants} == set(KINDS)
    log = load(again_har)
    plain = [entry for entry in log["entries"] if "parser" not in entry["_test"]]
    expected = {}
    for status, plants in PLANTED.items():
        entries = [entry for entry in plain if entry["response"]["status"] == status]
        readable = [entry for entry in entries if entry["response"]["content"]["text"].startswith("{")]
        for entry, (pattern, (clause, edit)) in zip(readable, plants.items(), strict=False):
            change(entry, edit)
            expected[entry["_test"], pattern] = [clause] if clause else entry["_clauses"] or ["request.valid"]
    report = compare(emulator_har, save(log, tmp_path / "changed.har"), status=1).report
    assert {
        (example["test"], group["pattern"]): list(group["clauses"])
        for group in report["differences"]
        for example in group["examples"]
    } == expected
    assert len(expected) == sum(map(len, PLANTED.values()))
    assert sum(group["count"] for group in report["differences"]) == len(expected)
    assert report["divergence"]["different"] == report["divergence"]["unaccepted"] == len(expected)
    assert sum(clause["unaccepted"] for clause in report["clauses"]) == sum(map(len, expected.values()))
    assert report["divergence"]["compared"] == len(log["entries"])
    assert (report["coverage"]["share"], report["mode"]) == (1, "drift")
