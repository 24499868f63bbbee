"""Differences planted in a recording: every one is found, and none is reported that is not there."""

import json
from pathlib import Path
from typing import Any

from getintegration_compare.differences import KINDS

from ..support import edited
from .conftest import Compare, load, save

#: What comes to stand in an entry, or in the headers, by lower-case name, or members of its answer.
Edits = dict[str, Any]

ROLE = "arn:aws:iam::123456789012:role/Other"
RENAMED = {"members.Message": ..., "members.message": "no"}
ELSEWHERE = {"headers.x-amzn-errortype": ..., "members.code": "ResourceNotFoundException"}
#: What is planted, by the status of the answer it goes into: the pattern shown, with clause and edits.
#: Where no clause is given, it is that of the test, or what the description says is due.
PLANTED: dict[int, dict[str, tuple[str | None, Edits]]] = {
    404: {
        "status:404 -> 400": (None, {"entry.response.status": 400}),
        "status:404 -> no answer": (None, {"entry.response.status": 0}),
        "error type:ResourceNotFoundException -> Other": (None, {"headers.x-amzn-errortype": "Other"}),
        "timing:prompt, below 1 s -> slow, 1 to 5 s": (None, {"entry.time": 3500}),
        "envelope:place of the type": ("error.type", ELSEWHERE),
        "envelope:name of the message": ("error.Message.type", RENAMED),
        "header:x-amzn-requestid": ("response.request-id", {"headers.x-amzn-requestid": ...}),
        "member extra:fault": (None, {"members.fault": "client"}),
        "type:Message": (None, {"members.Message": None}),
    },
    200: {
        "header:content-type": ("response.content-type", {"headers.content-type": "text/plain"}),
        "header:etag": (None, {"headers.etag": "mock"}),
        "member missing:Tags": ("response.Tags.type", {"members.Tags": ...}),
        "member missing:Tags.team": ("response.Tags.type", {"members.Tags.team": ...}),
        "member missing:CreatedAt": ("response.CreatedAt.required", {"members.CreatedAt": ...}),
        "member extra:Secret": ("response.unknown-members", {"members.Secret": 1}),
        "member extra:EventTriggerNames[1]": (
            "response.EventTriggerNames.type",
            {"members.EventTriggerNames": lambda names: [*names, "b"]},
        ),
        "value:ObjectTypeName": ("state.put-get.ObjectTypeName", {"members.ObjectTypeName": "Other"}),
        "value:Scope": ("state.put-get.Scope", {"members.Scope": "PROFILE"}),
        "value:RoleArn": ("state.put-get.RoleArn", {"members.RoleArn": ROLE}),
        "value:Uri": ("response.echo.Uri", {"members.Uri": str.lower}),
        "value:DomainName": ("response.echo.DomainName", {"members.DomainName": str.lower}),
        "value:LastUpdatedAt": ("response.timestamps.order", {"members.LastUpdatedAt": 4e9}),
        "value:CreatedAt": ("response.timestamps.order", {"members.CreatedAt": 1e12}),
        "type:LastUpdatedAt": ("response.LastUpdatedAt.type", {"members.LastUpdatedAt": "1"}),
        "type:IsUnstructured": ("response.IsUnstructured.type", {"members.IsUnstructured": "1"}),
        "type:WorkflowId": ("response.WorkflowId.type", {"members.WorkflowId": None}),
        "type:body": ("response.body.json", {"entry.response.content.text": "{"}),
    },
    403: {
        "status:403 -> 200": (None, {"entry.response.status": 200}),
        "error type:IncompleteSignatureException -> Other": (None, {"headers.x-amzn-errortype": "Other"}),
    },
}


def change(entry: dict[str, Any], edits: Edits) -> None:
    """Change an entry, whose answer has a JSON body."""
    response = entry["response"]
    headers = {header["name"].lower(): header["value"] for header in response["headers"]}
    members = json.loads(before := response["content"]["text"])
    edited({"entry": entry, "headers": headers, "members": members}, edits)
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
        for entry, (pattern, (clause, edits)) in zip(readable, plants.items(), strict=False):
            change(entry, edits)
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
