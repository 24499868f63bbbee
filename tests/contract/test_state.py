"""What was written is what is read: every member as it was put, every change seen, and nothing else changed.

Only GetIntegration is judged. A write that the target refuses skips what depends on it.
"""

from __future__ import annotations

import string
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.exchange import Exchange
from getintegration_contract.state import State
from getintegration_contract.workspace import Workspace

from .stories import without_moves

clauses = pytest.mark.clauses

URI = "s3://Contract-Bucket/Caf\u00e9/a%20b"
#: Seconds between two updates where times are fine enough to tell them apart.
QUICK = 0.02
#: The same where they are not.
COARSE = 1.1
#: Seconds that the target's clock may be off.
CLOCK = 300

_LETTERS = string.ascii_letters
_TAG_KEY = (_LETTERS + "+-=._:/0123456789,;<").ljust(128, "x")

#: Values at the edges of their constraints, by member.
VALUES: dict[str, list[Any]] = {
    "ObjectTypeName": [("_" + _LETTERS + string.digits + "-_").ljust(255, "Z"), "_"],
    "ObjectTypeNames": [
        {"k" * 255: "V" * 255, "k": "_", "K": "_2", "\u00e9 \U0001f600": "v"},
        {f"Event {n}": f"Type_{n}" for n in range(40)},
    ],
    "Tags": [
        {_LETTERS[n] * 127 + "x": "\u00e9\U0001f600"[n % 2] * 256 for n in range(50)},
        {_TAG_KEY: "", "team": "lower", "Team": "upper", "AWS:x": " spaces around "},
        {},
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
    "it's \"quoted\" `so` <b>&amp;</b> 100%25%zz ${x} {{7*7}} '; DROP TABLE integrations; --",
    "rtl \u202e zwj \U0001f469\u200d\U0001f4bb line \u2028 null",
]


def same(check: Checker, clause: str, put: dict[str, Any], exchange: Exchange) -> None:
    """Every member that was put MUST be read as it was."""
    read = check.members(exchange)
    for name, value in put.items():
        got = read.get(name, type(value)())
        check.that(clause, got == value, f"{name} as it was put: {value!r}", repr(got), exchange)


def unchanged(check: Checker, before: Exchange, read: Callable[[], Exchange], *, same_domain: bool) -> None:
    """A write to something else MUST NOT be seen here; what no two readings agree on is not its doing."""
    after = read()
    old, new = check.members(before), check.members(after)
    clause = "state.update.isolated"
    if old != new and check.members(read()) != new:
        clause = "state.read-only"
    elif same_domain:
        old, new = without_moves(old, new)
    check.that(clause, old == new, f"as before: {old}", str(new), after)


@pytest.fixture
def basic(state: State) -> dict[str, Any]:
    """The least that the target takes with a Uri."""
    return {"ObjectTypeName": state.members["ObjectTypeName"]} if "ObjectTypeName" in state.members else {}


@pytest.fixture
def tagged(basic: dict[str, Any], state: State) -> dict[str, Any]:
    """The least, with tags where the target takes them."""
    return {**basic, "Tags": {"team": "first"}} if "Tags" in state.members else basic


@clauses(*(f"state.put-get.{name}" for name in VALUES))
def test_existing_integration(ask, state: State, check: Checker):
    exchange = ask()
    if not check.ok(exchange, domain=state.domain, uri=state.uri):
        return
    for name in VALUES:
        if name in state.members:
            same(check, f"state.put-get.{name}", {name: state.members[name]}, exchange)
        else:
            check.not_exercised(f"the target does not take {name}", f"state.put-get.{name}")


@pytest.mark.parametrize("member", MEMBERS)
def test_values_at_the_edge(
    workspace: Workspace, scratch: str, basic: dict[str, Any], state: State, check: Checker, member: str
):
    if member not in state.members:
        pytest.skip(f"the target does not take {member}")
    refusal = ""
    put = []
    for number, value in enumerate(VALUES[member]):
        try:
            workspace.put(scratch, f"{URI}/{number}", {**basic, member: value})
        except pytest.skip.Exception as refused:
            refusal = str(refused.msg)
        else:
            put.append((f"{URI}/{number}", value))
    for uri, value in put:
        exchange = workspace.read(scratch, uri)
        if check.ok(exchange, f"state.put-get.{member}", domain=scratch, uri=uri):
            same(check, f"state.put-get.{member}", {member: value}, exchange)
    if not put:
        pytest.skip(refusal)


@clauses(*(f"state.put-get.{name}" for name in VALUES))
def test_all_at_their_maximum(
    workspace: Workspace, scratch: str, basic: dict[str, Any], state: State, check: Checker
):
    uri = "s3://".ljust(255, "\u00e9")
    largest = {name: values[0] for name, values in VALUES.items() if name in state.members}
    workspace.put(scratch, uri, {**basic, **largest})
    exchange = workspace.read(scratch, uri)
    if check.ok(exchange, domain=scratch, uri=uri):
        for name, value in largest.items():
            same(check, f"state.put-get.{name}", {name: value}, exchange)


@clauses("state.put-get.Tags", "state.put-get.EventTriggerNames")
def test_members_that_were_not_put(workspace: Workspace, scratch: str, basic: dict[str, Any], check: Checker):
    workspace.put(scratch, URI, basic)
    exchange = workspace.read(scratch, URI)
    if check.ok(exchange, domain=scratch, uri=URI):
        same(check, "state.put-get.Tags", {"Tags": {}}, exchange)
        same(check, "state.put-get.EventTriggerNames", {"EventTriggerNames": []}, exchange)


@clauses("state.put-get.Uri")
def test_odd_uris_side_by_side(workspace: Workspace, scratch: str, basic: dict[str, Any], check: Checker):
    refusal = ""
    put = {}
    for number, uri in enumerate(ODD_URIS):
        members = dict.fromkeys(basic, f"Type_{number}")
        try:
            workspace.put(scratch, uri, members)
        except pytest.skip.Exception as refused:
            refusal = str(refused.msg)
        else:
            put[uri] = members
    for uri, members in put.items():
        exchange = workspace.read(scratch, uri)
        if check.ok(exchange, "state.put-get.Uri", domain=scratch, uri=uri):
            same(check, "state.put-get.Uri", members, exchange)
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
    basic: dict[str, Any],
    tagged: dict[str, Any],
    check: Checker,
):
    stories = [
        tagged,
        {
            name: f"{value}2" if name == "ObjectTypeName" else {"owner": "second"}
            for name, value in tagged.items()
        },
        {name: f"{value}3" for name, value in basic.items()},  # fewer members
    ]
    previous: dict[str, Any] = {}
    moments = []
    for number, members in enumerate(stories):
        if number:
            members = workspace.update(scratch, URI, members)
        else:
            workspace.put(scratch, URI, members)
        exchange = workspace.read(scratch, URI)
        if number and check.members(exchange).get("LastUpdatedAt") == previous.get("LastUpdatedAt"):
            time.sleep(COARSE)  # a clock that tells fractions may be coarse nevertheless
            members = workspace.update(scratch, URI, members)
            exchange = workspace.read(scratch, URI)
        if not check.ok(exchange, "state.update.visible", domain=scratch, uri=URI):
            return
        read = check.members(exchange)
        created, updated = read.get("CreatedAt"), read.get("LastUpdatedAt")
        if not number:
            check.that("state.time", _is_present(exchange, updated), "the present", str(updated), exchange)
        else:
            same(check, "state.update.visible", members, exchange)
            stable = created == previous.get("CreatedAt")
            check.that(
                "state.CreatedAt.stable",
                stable,
                f"{previous.get('CreatedAt')}, as before",
                str(created),
                exchange,
            )
            present = _is_present(exchange, updated)
            check.that("state.LastUpdatedAt.moves", present, "the present", str(updated), exchange)
        moments.append((updated, exchange))
        previous = read
        # Whole seconds stay the same in a quick update.
        pause = QUICK if _is_fine(updated) else COARSE
        if number < len(stories) - 1:
            time.sleep(pause)
    _moves(check, moments)


def _is_fine(moment: object) -> bool:
    """Whether a time tells more than tenths of a second."""
    return isinstance(moment, float) and round(moment, 1) != moment


def _moves(check: Checker, moments: list[tuple[Any, Exchange]]) -> None:
    """LastUpdatedAt MUST grow with updates."""
    for (before, _), (after, exchange) in pairwise(moments):
        if not isinstance(before, int | float) or not isinstance(after, int | float):
            continue
        expected = f"later than {before}"
        check.that("state.LastUpdatedAt.moves", after > before, expected, str(after), exchange)


@clauses("state.update.isolated")
def test_neighbours_stay_as_they_are(
    workspace: Workspace, scratch: str, basic: dict[str, Any], tagged: dict[str, Any], check: Checker
):
    other = f"{scratch}0"
    workspace.create(other)
    neighbours = [
        (scratch, URI.lower()),
        (scratch, URI + "/"),
        (scratch, URI[:-1]),
        (scratch, URI.replace("%20", " ")),
        (other, URI),
    ]
    for domain, uri in ((scratch, URI), *neighbours):
        workspace.put(domain, uri, basic)
    before = [workspace.read(domain, uri) for domain, uri in neighbours]
    for (domain, uri), exchange in zip(neighbours, before, strict=True):
        check.ok(exchange, "state.put-get.Uri", domain=domain, uri=uri)
    time.sleep(0.01)  # a time that moves shows it
    for act in ("update", "delete"):
        if act == "update":
            workspace.put(scratch, URI, {**tagged, **{name: f"{value}2" for name, value in basic.items()}})
        else:
            workspace.delete(scratch, URI)
        for (domain, uri), earlier in zip(neighbours, before, strict=True):
            read = partial(workspace.read, domain, uri)
            unchanged(check, earlier, read, same_domain=domain == scratch)


@clauses("state.deleted", "state.recreated", "state.update.isolated")
def test_deleted_and_made_again(
    workspace: Workspace, scratch: str, basic: dict[str, Any], tagged: dict[str, Any], check: Checker
):
    workspace.put(scratch, URI, tagged)
    workspace.put(scratch, URI + "2", basic)
    first = workspace.read(scratch, URI)
    check.ok(first, domain=scratch, uri=URI)
    workspace.delete(scratch, URI)
    for _ in range(2):
        check.not_found(workspace.read(scratch, URI), "state.deleted")
    check.ok(workspace.read(scratch, URI + "2"), "state.update.isolated", domain=scratch, uri=URI + "2")
    time.sleep(0.01)
    members = {name: f"{value}2" for name, value in basic.items()}
    workspace.put(scratch, URI, members)
    again = workspace.read(scratch, URI)
    if check.ok(again, "state.recreated", domain=scratch, uri=URI):
        same(check, "state.recreated", {**members, "Tags": {}}, again)
        old, new = check.members(first).get("CreatedAt"), check.members(again).get("CreatedAt")
        if isinstance(old, int | float) and isinstance(new, int | float):
            later = new > old if old % 1 != new % 1 else new >= old
            check.that("state.recreated", later, f"CreatedAt after {old}", str(new), again)


@clauses("state.deleted-domain", "state.update.isolated")
def test_deleted_domain(workspace: Workspace, scratch: str, basic: dict[str, Any], check: Checker):
    other = f"{scratch}-2"
    workspace.create(other)
    for domain in (scratch, other):
        workspace.put(domain, URI, basic)
        check.ok(workspace.read(domain, URI), domain=domain, uri=URI)
    workspace.drop(other)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")
    check.ok(workspace.read(scratch, URI), "state.update.isolated", domain=scratch, uri=URI)
    workspace.create(other)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")
    workspace.put(other, f"{URI}2", basic)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")
