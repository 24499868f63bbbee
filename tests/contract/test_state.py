"""What was written is what is read: every member as it was put, every change seen, and nothing else changed.

Only GetIntegration is judged. A write that the target refuses skips what depends on it.
"""

from __future__ import annotations

import json
import string
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.state.workspace import Workspace

from .callables import Ask, Read

clauses = pytest.mark.clauses

URI = "s3://Contract-Bucket/Caf\u00e9/a%20b"
#: Seconds between two updates where times are fine enough to tell them apart.
QUICK = 0.02
#: The same where they are not.
COARSE = 1.1
#: Seconds that the target's clock may be off.
CLOCK = 300
#: Readings of what was written, in case not all of a target's replicas know it.
READINGS = 4

#: Other values than those that an integration is made with.
OTHERS: dict[str, Any] = {
    "ObjectTypeName": "Contract_Type-2",
    "ObjectTypeNames": {"SegmentIdentify": "Segment_Type-2", "ShopifyCreateOrders": "_Shopify-3"},
    "RoleArn": "arn:aws:iam::123456789012:role/GetIntegrationContract-2",
    "EventTriggerNames": ["Contract_Trigger-2"],
    "Scope": "PROFILE",
}

_LETTERS = string.ascii_letters
_TAG_KEY = (_LETTERS + "+-=._:/0123456789,;<").ljust(128, "x")

#: The event types that the reference page names.
EVENTS = (
    "SegmentIdentify",
    "ShopifyCreateCustomers",
    "ShopifyUpdateCustomers",
    "ShopifyCreateDraftOrders",
    "ShopifyUpdateDraftOrders",
    "ShopifyCreateOrders",
    "ShopifyUpdatedOrders",
)

#: Values at the edges of their constraints, by member.
VALUES: dict[str, list[Any]] = {
    "ObjectTypeName": [("_" + _LETTERS + string.digits + "-_").ljust(255, "Z"), "_"],
    "ObjectTypeNames": [
        {"k" * 255: "V" * 255, "k": "_", "K": "_2", "\u00e9 \U0001f600": "v"},
        {f"Event {n}": f"Type_{n}" for n in range(40)},
        {name: f"Type_{number // 2}" for number, name in enumerate(EVENTS)},
    ],
    "Tags": [
        {_LETTERS[n] * 127 + "x": "\u00e9\U0001f600"[n % 2] * 256 for n in range(50)},
        {_TAG_KEY: "", "team": "lower", "Team": "upper", "AWS:x": " spaces around "},
        {},
        dict(zip("abcdefgh", ("007", "1.0", "1e3", "true", "yes", "null", "a=b=c", "e\u0301"), strict=True)),
        {"markup": "a & b <c> \"d\" 'e' %41+\\"},
        {"lines": "one\r\ntwo"},
    ],
    "RoleArn": ["arn:aws:iam::123456789012:role/".ljust(512, "r")],
    "EventTriggerNames": [[("-" + _LETTERS + "_0").ljust(64, "9")], ["_"], []],
    "Scope": ["PROFILE", "DOMAIN"],
}
MEMBERS = [pytest.param(name, marks=clauses(f"state.put-get.{name}")) for name in VALUES]

#: Uris that careless storing, comparing or escaping loses, or takes for one another.
ODD_URIS = [
    "\U0001f600" * 255,
    "\u4e2d" * 255,
    "u",
    "s3://Bucket/Caf\u00e9",
    "s3://Bucket/Cafe\u0301",
    "s3://bucket/caf\u00e9",
    "s3://Bucket/Caf\u00e9/",
    " s3://Bucket/Caf\u00e9 ",
    "s3://Bucket/a b",
    "s3://Bucket/a  b",
    "s3://Bucket/./a b",
    "s3://Bucket/c/../a b",
    "s3://Bucket/".ljust(254, "u") + "1",
    "s3://Bucket/".ljust(254, "u") + "2",
    "s3://Bucket/a%20b",
    "s3://Bucket/\U0001f600",
    "s3://Bucket/\U0001f601",
    "arn:aws:flow:us-east-1:123456789012:Flow",
    "arn:aws:flow:us-east-1:210987654321:Flow",
    "arn:aws:flow:us-west-2:123456789012:Flow",
    "arn:aws-cn:flow:us-east-1:123456789012:Flow",
    "s3://Bucket/a+b",
    "//a//b/../\\c\\?query=1&b#fragment",
    "tab\tnewline\nreturn\r",
    "line\r\nline\nline",
    "007",
    "7",
    "1e3",
    "true",
    "it's \"quoted\" `so` <b>&amp;</b> 100%25%zz ${x} {{7*7}} '; DROP TABLE integrations; --",
    "rtl \u202e zwj \U0001f469\u200d\U0001f4bb line \u2028 null",
]


@clauses(*(f"state.put-get.{name}" for name in VALUES))
def test_existing_integration(ask: Ask, state: State, check: Checker) -> None:
    exchange = ask()
    if not check.ok(exchange, domain=state.domain, uri=state.uri):
        return
    for name in VALUES:
        if name in state.members:
            check.same_members(f"state.put-get.{name}", {name: state.members[name]}, exchange)
        else:
            check.not_exercised(state.untaken(name), f"state.put-get.{name}")


@pytest.mark.parametrize("member", MEMBERS)
def test_values_at_the_edge(
    workspace: Workspace,
    scratch: str,
    minimal_members: dict[str, Any],
    state: State,
    check: Checker,
    member: str,
) -> None:
    if member not in state.members:
        pytest.skip(state.untaken(member))
    refusal = ""
    put = []
    for number, value in enumerate(VALUES[member]):
        try:
            workspace.put(scratch, f"{URI}/{number}", {**minimal_members, member: value})
        except pytest.skip.Exception as refused:
            refusal = str(refused.msg)
        else:
            put.append((f"{URI}/{number}", value))
    for uri, value in put:
        exchange = workspace.read(scratch, uri)
        if check.ok(exchange, f"state.put-get.{member}", domain=scratch, uri=uri):
            check.same_members(f"state.put-get.{member}", {member: value}, exchange)
    if not put:
        pytest.skip(refusal)


@clauses(*(f"state.put-get.{name}" for name in VALUES))
def test_all_at_their_maximum(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], state: State, check: Checker
) -> None:
    uri = "s3://".ljust(255, "\u00e9")
    largest = {name: values[0] for name, values in VALUES.items() if name in state.members}
    workspace.put(scratch, uri, {**minimal_members, **largest})
    exchange = workspace.read(scratch, uri)
    if check.ok(exchange, domain=scratch, uri=uri):
        for name, value in largest.items():
            check.same_members(f"state.put-get.{name}", {name: value}, exchange)


def lacks(check: Checker, exchange: Exchange, others: dict[str, Any], clause: str = "") -> None:
    """Members that were not put MUST NOT be another integration's; tags and triggers MUST NOT be there."""
    read = check.members(exchange)
    for name, nothing in (("Tags", {}), ("EventTriggerNames", [])):
        check.same_members(clause or f"state.put-get.{name}", {name: nothing}, exchange)
    scope = read.get("Scope", "PROFILE")
    check.that(clause or "state.put-get.Scope", scope == "PROFILE", "PROFILE, or none", str(scope), exchange)
    for name in ("RoleArn", "ObjectTypeNames"):
        if name in others:
            got, other = read.get(name), others[name]
            if isinstance(got, dict):  # as a map it may hold more than that
                kept = not any(got.get(event) == value for event, value in other.items())
            else:
                kept = got != other
            actual = f"{got}, which was put elsewhere"
            check.that(clause or f"state.put-get.{name}", kept, f"no {name}, or its own", actual, exchange)


@clauses(*(f"state.put-get.{name}" for name in VALUES if name != "ObjectTypeName"))
def test_members_that_were_not_put(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], state: State, check: Checker
) -> None:
    workspace.put(scratch, URI, minimal_members)
    workspace.put(scratch, f"{URI}/full", state.members)
    workspace.put(scratch, f"{URI}/later", minimal_members)
    workspace.read(scratch, f"{URI}/full")
    for uri in (URI, f"{URI}/later"):
        exchange = workspace.read(scratch, uri)
        if check.ok(exchange, domain=scratch, uri=uri):
            lacks(check, exchange, state.members)


@clauses("state.put-get.Uri")
def test_odd_uris_side_by_side(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    refusal = ""
    put = {}
    for number, uri in enumerate(ODD_URIS):
        members = dict.fromkeys(minimal_members, f"Type_{number}")
        try:
            workspace.put(scratch, uri, members)
        except pytest.skip.Exception as refused:
            refusal = str(refused.msg)
        else:
            put[uri] = members
    for uri, members in put.items():
        exchange = workspace.read(scratch, uri)
        if check.ok(exchange, "state.put-get.Uri", domain=scratch, uri=uri):
            check.same_members("state.put-get.Uri", members, exchange)
    if not put:
        pytest.skip(refusal)


def _is_present(exchange: Exchange, moment: object) -> bool:
    """Whether a time is the present, by this machine's clock or by the target's own."""
    clocks = [exchange.started]
    with suppress(ValueError):
        clocks.append(parsedate_to_datetime(exchange.response.header("date") or "").timestamp())
    return isinstance(moment, int | float) and any(abs(moment - clock) <= CLOCK for clock in clocks)


@clauses("state.time", "state.CreatedAt.stable", "state.LastUpdatedAt.moves", "state.update.visible")
def test_updates(
    workspace: Workspace,
    scratch: str,
    minimal_members: dict[str, Any],
    tagged: dict[str, Any],
    check: Checker,
) -> None:
    second = {"ObjectTypeName": "Second", "Tags": {"owner": "second"}}
    versions = [
        tagged,
        {name: second[name] for name in tagged},
        {name: f"{value}3" for name, value in minimal_members.items()},  # fewer members
    ]
    for pause in (QUICK, COARSE):  # again, where clocks are so coarse that times stay the same
        uri = f"{URI}/{pause}"
        workspace.put(scratch, uri, versions[0])
        told = [(versions[0], workspace.read(scratch, uri))]
        for members in versions[1:]:
            time.sleep(pause)
            due = workspace.update(scratch, uri, members)
            told.append((due, workspace.read(scratch, uri)))
        moments = [(check.members(exchange).get("LastUpdatedAt"), exchange) for _, exchange in told]
        if all(before != after for (before, _), (after, _) in pairwise(moments)):
            break
    if not all(check.ok(read, "state.update.visible", domain=scratch, uri=uri) for _, read in told):
        return
    first = told[0][1]
    created = check.members(first).get("CreatedAt")
    for moment in (created, moments[0][0]):
        check.that("state.time", _is_present(first, moment), "the present", str(moment), first)
    for members, exchange in told[1:]:
        read = check.members(exchange)
        check.same_members("state.update.visible", members, exchange)
        made, now = read.get("CreatedAt"), read.get("LastUpdatedAt")
        check.that("state.CreatedAt.stable", made == created, f"{created}, as before", str(made), exchange)
        check.that("state.LastUpdatedAt.moves", _is_present(exchange, now), "the present", str(now), exchange)
    _moves(check, moments)


def _moves(check: Checker, moments: list[tuple[Any, Exchange]]) -> None:
    """LastUpdatedAt MUST grow with updates."""
    for (before, _), (after, exchange) in pairwise(moments):
        if not isinstance(before, int | float) or not isinstance(after, int | float):
            continue
        check.that("state.LastUpdatedAt.moves", after > before, f"after {before}", str(after), exchange)


@pytest.fixture
def read_elsewhere(workspace: Workspace, client: Client, caller: Identity) -> Iterator[Read]:
    """Reads what has settled on a connection of its own, as another process would."""
    sibling = client.sibling()

    def read(domain: str, uri: str) -> Exchange:
        workspace.settle()
        return sibling.send(get_integration(domain, uri), caller)

    yield read
    sibling.close()


@clauses("state.update.visible", "state.LastUpdatedAt.moves")
def test_update_of_one_member(
    workspace: Workspace, read_elsewhere: Read, scratch: str, state: State, check: Checker
) -> None:
    first = {name: value for name, value in state.members.items() if name in VALUES}
    changes = {name: value for name, value in OTHERS.items() if name in first}
    if not changes:
        pytest.skip("the target takes no member that could be changed")
    for name in changes:
        workspace.put(scratch, f"{URI}/{name}", first)
    before = {name: read_elsewhere(scratch, f"{URI}/{name}") for name in changes}
    time.sleep(QUICK)
    for name, value in changes.items():
        moment = check.members(before[name]).get("LastUpdatedAt")
        for version in ({**first, name: value}, first):
            due = workspace.update(scratch, f"{URI}/{name}", version)
            for read in (read_elsewhere, *[workspace.read] * READINGS):
                exchange = read(scratch, f"{URI}/{name}")
                if check.ok(exchange, "state.update.visible", domain=scratch, uri=f"{URI}/{name}"):
                    check.same_members("state.update.visible", due, exchange)
            moved = check.members(exchange).get("LastUpdatedAt")
            if moved != moment:
                break
            time.sleep(COARSE)  # back again, in case the clock is coarse
        _moves(check, [(moment, before[name]), (moved, exchange)])


@clauses("state.read-only")
def test_reading_writes_nothing(
    ask: Ask, workspace: Workspace, scratch: str, tagged: dict[str, Any], state: State, check: Checker
) -> None:
    workspace.put(scratch, URI, tagged)
    before = workspace.read(scratch, URI)
    time.sleep(QUICK)
    changed = {name: value for name, value in OTHERS.items() if name in state.members}
    ask(scratch, body=json.dumps({"Uri": URI, "Tags": {"team": "read"}, **changed}).encode())
    for uri in ("s3://unknown", "", f"{URI}/"):
        ask(scratch, uri)
    after = workspace.read(scratch, URI)
    if check.ok(after, domain=scratch, uri=URI):
        check.same_answer("state.read-only", before, after)


@clauses("state.deleted", "state.recreated", "state.update.isolated")
def test_deleted_and_made_again(
    workspace: Workspace,
    scratch: str,
    minimal_members: dict[str, Any],
    tagged: dict[str, Any],
    state: State,
    check: Checker,
) -> None:
    for members in (minimal_members, {**state.members, **tagged}):
        workspace.put(scratch, URI, members)
    workspace.put(scratch, URI + "2", minimal_members)
    first = workspace.read(scratch, URI)
    check.ok(first, domain=scratch, uri=URI)
    workspace.delete(scratch, URI)
    for _ in range(2):
        check.not_found(workspace.read(scratch, URI), "state.deleted")
    check.ok(workspace.read(scratch, URI + "2"), "state.update.isolated", domain=scratch, uri=URI + "2")
    time.sleep(0.01)
    members = {name: f"{value}2" for name, value in minimal_members.items()}
    workspace.put(scratch, URI, members)
    again = workspace.read(scratch, URI)
    if check.ok(again, "state.recreated", domain=scratch, uri=URI):
        check.same_members("state.recreated", members, again)
        lacks(check, again, state.members, "state.recreated")
        old, new = check.members(first).get("CreatedAt"), check.members(again).get("CreatedAt")
        if isinstance(old, int | float) and isinstance(new, int | float):
            later = new > old if old % 1 != new % 1 else new >= old
            check.that("state.recreated", later, f"CreatedAt after {old}", str(new), again)
