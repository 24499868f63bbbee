"""Request rules of the other operations: what the service model asks, and how a broken rule is answered.

Those of GetIntegration are the contract's, which the suite asks of the emulator.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

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
    assert list(reply.json) == ["Message"]


def changed(document: Any, path: str, value: Any) -> Any:
    """A deep copy with one value at a dotted path replaced, or taken away if None."""
    copy = json.loads(json.dumps(document))
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    inner = copy
    for key in parents:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return copy


SCHEDULE = "TriggerConfig.TriggerProperties.Scheduled"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("FlowName", None, BAD),
        ("FlowName", "f" * 257, BAD),
        ("KmsArn", "arn:aws:s3:::b", BAD),
        ("Tasks", {}, UNREADABLE),
        ("Tasks", ["no task"], UNREADABLE),
        ("Tasks.0.TaskType", "Dance", BAD),
        ("Tasks.0.SourceFields.0", 5, UNREADABLE),
        ("Tasks.0.TaskProperties", {"NO_SUCH_KEY": "x"}, BAD),
        ("SourceFlowConfig.SourceConnectorProperties.S3.BucketName", "b" * 2, BAD),
        (f"{SCHEDULE}.ScheduleOffset", 36001, BAD),
        (f"{SCHEDULE}.ScheduleOffset", 0.5, UNREADABLE),
        (f"{SCHEDULE}.ScheduleOffset", 2**63, BAD),
        (f"{SCHEDULE}.ScheduleStartTime", "2026-01-01", UNREADABLE),
        (f"{SCHEDULE}.ScheduleStartTime", True, UNREADABLE),
    ],
)
def test_nested_rules_of_a_flow_definition(
    wire: Any, flow: dict[str, Any], path: str, value: Any, expected: tuple[int, str]
) -> None:
    wire.create_domain()
    assert wire.put(FlowDefinition=flow).status == 200
    reply = wire.put(FlowDefinition=changed(flow, path, value))
    assert reply.error == expected
    if expected == BAD:
        assert path.split(".")[-1] in reply.json["Message"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
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
        ({"Scope": "GALAXY"}, BAD),
        ({"Uri": None}, BAD),
    ],
)
def test_members_of_put_integration(
    wire: Any, members: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    wire.create_domain()
    assert wire.put(**members).error == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [(1098, (200, None)), (5.0, (200, None)), (0, BAD), (2**31, BAD), (1.5, UNREADABLE), (True, UNREADABLE)],
)
def test_default_expiration_days(wire: Any, days: Any, expected: tuple[int, str | None]) -> None:
    assert wire.call("POST", "/domains/shop", {"DefaultExpirationDays": days}).error == expected


@pytest.mark.parametrize("value", ["0", "101", "x", "1.5", "", "%ff"])
def test_max_results(wire: Any, value: str) -> None:
    assert wire.call("GET", "/domains?max-results=100").status == 200
    assert wire.call("GET", f"/domains?max-results={value}").status == 400


@pytest.mark.parametrize("token", ["", "x", "YWZ0ZXI6MA==", "YWZ0ZXI6LTE=", "\u00e9", "a" * 1025])
def test_made_up_page_token(wire: Any, token: str) -> None:
    assert wire.call("GET", "/domains?next-token=" + quote(token, safe="")).error == BAD


def test_all_broken_rules_are_named_at_once(wire: Any) -> None:
    reply = wire.call("POST", "/domains/a.b/integrations", {"Uri": ""})
    assert reply.error == BAD
    assert all(name in reply.json["Message"] for name in ("DomainName", "Uri"))
