"""Differences planted in a recording: every one is found, and none is reported that is not there."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from getintegration_compare.differences import KINDS

from .kit import Edit, Edited, Entry, change, compared, document, set_document, set_header


def set_status(status: int) -> Edit:
    """An edit of the status of an answer."""
    return lambda entry: entry["response"].update(status=status)


def body(text: str) -> Edit:
    """An edit of the body of an answer."""
    return lambda entry: entry["response"]["content"].update(text=text)


def type_into_body(entry: Entry) -> None:
    """The error type moves from the header into the body."""
    headers = entry["response"]["headers"]
    (error_type,) = (h["value"] for h in headers if h["name"].lower() == "x-amzn-errortype")
    set_header("x-amzn-errortype", None)(entry)
    change(lambda value: value.update({"__type": error_type}))(entry)


def rename(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    """A change of a member's name."""
    return lambda value: value.update({new: value.pop(old)})


#: What is planted, by the status of the answer it goes into: kind, place, edit.
PLANTED: dict[int, list[tuple[str, str, Edit]]] = {
    404: [
        ("status", "", set_status(400)),
        ("error type", "", set_header("x-amzn-errortype", "NotFoundException")),
        ("envelope", "place of the type", type_into_body),
        ("envelope", "name of the message", change(rename("Message", "message"))),
        ("header", "x-amzn-requestid", set_header("x-amzn-requestid", None)),
        ("member extra", "fault", change(lambda value: value.update(fault="client"))),
        ("type", "Message", change(lambda value: value.update(Message=None))),
        ("timing", "", lambda entry: entry.update(time=3500)),
        ("status", "", lambda entry: entry["response"].update(status=0, headers=[], content={})),
    ],
    200: [
        ("header", "content-type", set_header("Content-Type", "text/plain")),
        ("header", "etag", set_header("ETag", "mock")),
        ("member missing", "Tags", change(lambda value: value.pop("Tags"))),
        ("member missing", "Tags.team", change(lambda value: value["Tags"].pop("team"))),
        ("member extra", "Secret", change(lambda value: value.update(Secret=1))),
        ("value", "ObjectTypeName", change(lambda value: value.update(ObjectTypeName="Other"))),
        ("value", "DomainName", change(lambda value: value.update(DomainName="getintegrationcontract-0-a"))),
        ("type", "IsUnstructured", change(lambda value: value.update(IsUnstructured="false"))),
        ("type", "WorkflowId", change(lambda value: value.update(WorkflowId=None))),
        ("value", "LastUpdatedAt", change(lambda value: value.update(LastUpdatedAt=4e9))),
        ("value", "CreatedAt", change(lambda value: value.update(CreatedAt=value["CreatedAt"] * 1000))),
        ("type", "LastUpdatedAt", change(lambda value: value.update(LastUpdatedAt="2026-11-01T00:00:00Z"))),
        (
            "member extra",
            "EventTriggerNames[1]",
            change(lambda value: value["EventTriggerNames"].append("b")),
        ),
        (
            "value",
            "RoleArn",
            change(lambda value: value.update(RoleArn="arn:aws:iam::123456789012:role/Other")),
        ),
        ("type", "body", body('{"DomainName": ')),
    ],
    403: [
        ("status", "", set_status(200)),
        ("error type", "", set_header("x-amzn-errortype", "OtherException")),
    ],
}
PLANTED_COUNT = sum(map(len, PLANTED.values()))


def noise(entry: Entry) -> None:
    """Changes that lawfully happen from run to run."""
    response = entry["response"]
    response["headers"] = [
        {"name": header["name"].title(), "value": header["value"]} for header in reversed(response["headers"])
    ]
    set_header("Date", "Sun, 01 Nov 2026 10:00:00 GMT")(entry)
    set_header("Content-Length", "1")(entry)
    try:
        value = document(entry)
    except ValueError:
        return
    if response["status"] >= 400:
        value["Message" if "Message" in value else "message"] = "another text"
    if isinstance(value.get("RoleArn"), str):
        value["RoleArn"] = value["RoleArn"].replace("123456789012", "999988887777")
    set_document(entry, dict(reversed(value.items())), indent=3)


def test_every_planted_difference_is_found_and_no_other(
    tmp_path: Path, emulator_har: Path, again_har: Path
) -> None:
    edited = Edited.of(again_har)
    expected: Counter[tuple[str, str, str]] = Counter()
    taken: set[int] = set()
    for status, plants in PLANTED.items():
        entries = edited.answered(status)
        for kind, where, edit in plants:
            entry = next(entry for entry in entries if "parser" not in entry["_test"])
            edit(entry)
            taken.add(id(entry))
            expected[kind, where, entry["_test"]] += 1
    for entry in edited.entries:
        if id(entry) not in taken:
            noise(entry)
    status, report = compared(tmp_path, emulator_har, edited.write(tmp_path / "edited.har"))
    shown = Counter(
        (group["kind"], group["where"], example["test"])
        for group in report["differences"]
        for example in group["examples"]
    )
    assert shown == expected
    assert status == 1
    assert report["divergence"]["different"] == PLANTED_COUNT
    assert sum(group["count"] for group in report["differences"]) == PLANTED_COUNT
    assert (report["coverage"]["share"], report["mode"]) == (1.0, "drift")
    assert report["divergence"]["compared"] == len(edited.entries)


def test_kinds_are_the_promised_ones() -> None:
    assert {kind for plants in PLANTED.values() for kind, _, _ in plants} == set(KINDS)
