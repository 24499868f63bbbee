"""Request rules of the other operations: what the service model asks, and how a broken rule is answered.

Those of GetIntegration are the contract's, which the suite asks of the emulator.
"""

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest

from getintegration_emulator.model import load_operations

from ..support import edited
from .conftest import FLOW_DEFINITION

BAD = (400, "BadRequestException")
UNREADABLE = (400, "SerializationException")
UNKNOWN = (404, "ResourceNotFoundException")
PATH = "/domains/shop/integrations"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"Uri": "a", "Uri": "b"}', UNKNOWN),
        (b'{"Uri": "a", "DomainName": 7, "x": ' + b"[" * 500 + b"]" * 500 + b"}", UNKNOWN),
        (b'{"Uri": "a", "x": ' + b"1" * 5000 + b"}", UNKNOWN),
        (b'{"Uri": 1e999}', UNREADABLE),
        (b'{"Uri": "\\ud800"}', UNREADABLE),
        (b"", BAD),
        (b" ", UNREADABLE),
        (b'\xef\xbb\xbf{"Uri": "a"}', UNREADABLE),
        (b"[" * 100_000, UNREADABLE),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_how_it_reads_what_the_contract_leaves_open(
    wire: Any, body: bytes, expected: tuple[int, str]
) -> None:
    wire.create_domain()
    reply = wire.call("POST", PATH + "?x=%ff", body)
    assert reply.error == expected
    assert list(reply.document) == ["Message"]


def flow(path: str, value: Any) -> Any:
    """A flow definition with something else at a dotted path."""
    return edited(copy.deepcopy(FLOW_DEFINITION), {path: value})


SCHEDULE = "TriggerConfig.TriggerProperties.Scheduled"
NESTED = [
    ("FlowName", ..., BAD),
    ("FlowName", "f" * 257, BAD),
    ("KmsArn", "arn:aws:s3:::b", BAD),
    ("Tasks", {}, UNREADABLE),
    ("Tasks", ["no task"], UNREADABLE),
    ("Tasks.0.TaskType", "Dance", BAD),
    ("Tasks.0.SourceFields", [5], UNREADABLE),
    ("Tasks.0.TaskProperties", {"NO_SUCH_KEY": "x"}, BAD),
    ("SourceFlowConfig.SourceConnectorProperties.S3.BucketName", "b" * 2, BAD),
    (f"{SCHEDULE}.ScheduleOffset", 36001, BAD),
    (f"{SCHEDULE}.ScheduleOffset", 0.5, UNREADABLE),
    (f"{SCHEDULE}.ScheduleOffset", 2**63, BAD),
    (f"{SCHEDULE}.ScheduleStartTime", "2026-01-01", UNREADABLE),
    (f"{SCHEDULE}.ScheduleStartTime", True, UNREADABLE),
]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        *(({"FlowDefinition": flow(path, value)}, due) for path, value, due in NESTED),
        ({"Tags": {"Az09+,-./:;<=_": ""}}, (200, None)),  # from + to = is a range
        ({"ObjectTypeName": "name\n"}, BAD),
        ({"ObjectTypeNames": {"SegmentIdentify": "not valid"}}, BAD),
        ({"ObjectTypeNames": {"": "Valid"}}, BAD),
        ({"Tags": {}}, BAD),
        ({"Tags": {f"k{'a' * n}": "v" for n in range(51)}}, BAD),
        ({"Tags": {"a": None}}, UNREADABLE),
        ({"Tags": {"\ud800": "v"}}, UNREADABLE),
        ({"Tags": ["a"]}, UNREADABLE),
        ({"EventTriggerNames": [None]}, UNREADABLE),
        ({"EventTriggerNames": ["a", "b"]}, BAD),
        ({"Scope": "GALAXY"}, BAD),
        ({"Uri": None}, BAD),
    ],
)
def test_members_of_put_integration(wire: Any, members: Any, expected: tuple[int, str | None]) -> None:
    wire.create_domain()
    assert wire.put(**members).error == expected


def test_values_in_a_body_and_in_a_query(wire: Any) -> None:
    rows = [(1098, 200), (5.0, 200), (0, BAD), (2**31, BAD), (1.5, UNREADABLE), (True, UNREADABLE)]
    for number, (days, expected) in enumerate(rows):
        reply = wire.call("POST", f"/domains/d{number}", {"DefaultExpirationDays": days})
        assert expected in (reply.status, reply.error), days
    assert wire.call("GET", "/domains?max-results=100", b"{").status == 200, "its body has no members"
    for value in ("0", "101", "x", "1.5", "", "%ff"):
        assert wire.call("GET", f"/domains?max-results={value}").status == 400, value
    for value, status in (("true", 200), ("false", 200), ("1", 400)):
        assert wire.call("GET", f"/domains/d0/integrations?include-hidden={value}").status == status, value


def test_what_an_answer_keeps() -> None:
    (operation,) = load_operations(["GetDomain"])
    kept = operation.project({"CreatedAt": 1.5, "DefaultExpirationDays": 5.0, "Tags": None, "Unknown": 1})
    assert json.dumps(kept) == '{"CreatedAt": 1.5, "DefaultExpirationDays": 5}'


@pytest.mark.parametrize("token", ["", "x", "after-0", "after--1", "\u00e9", "a" * 1025])
def test_made_up_page_token(wire: Any, token: str) -> None:
    assert wire.call("GET", "/domains?next-token=" + quote(token, safe="")).error == BAD


def test_all_broken_rules_are_named_at_once(wire: Any) -> None:
    members = {"Uri": "", "FlowDefinition": flow(f"{SCHEDULE}.ScheduleOffset", -1)}
    reply = wire.call("PUT", "/domains/a.b/integrations", members)
    assert reply.error == BAD
    named = ("DomainName", "Uri", f"FlowDefinition.{SCHEDULE}.ScheduleOffset")
    assert all(f"{name}: " in reply.document["Message"] for name in named)
