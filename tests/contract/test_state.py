"""What was written is what is read: every member as it was put, and no other.

Only GetIntegration is judged. A write that the target refuses skips what depends on it.
"""

import string
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.judging.checker import Checker
from getintegration_contract.state.state import State
from getintegration_contract.state.workspace import Workspace

from .callables import Ask

clauses = pytest.mark.clauses

URI = "s3://Contract-Bucket/Caf\u00e9/a%20b"
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

#: Why the integration was made without an optional member; alone the target may well take it.
UNTAKEN = "the target did not take {} with the other members"

#: Values at the edges of their constraints, by member.
VALUES: dict[str, list[Any]] = {
    "ObjectTypeName": [("_" + _LETTERS + string.digits + "-_").ljust(255, "Z"), "_"],
    "ObjectTypeNames": [
        {"k" * 255: "V" * 255, "k": "_", "K": "_2", "\u00e9 \U0001f600": "v"},
        {f"Event {n}": f"Type_{n}" for n in range(40)},
        {name: f"Type_{number // 2}" for number, name in enumerate(EVENTS)},
        {"__proto__": "a", "constructor": "b", "42": "c", "e\u0301": "d", "\u4e2d" * 255: "e"},
    ],
    "Tags": [
        {_LETTERS[n] * 127 + "x": "\u00e9\U0001f600"[n % 2] * 256 for n in range(50)},
        {_TAG_KEY: "", "team": "lower", "Team": "upper", "AWS:x": " spaces around "},
        {},
        dict(zip("abcdefgh", ("007", "1.0", "1e3", "true", "yes", "null", "a=b=c", "e\u0301"), strict=True)),
        {"markup": "a & b <c> \"d\" 'e' %41+\\"},
        {"lines": "one\r\ntwo"},
        {"42": "digits", "line": "one\u2028two", "edges": "\u00a0wide\u3000"},
        {"nul": "one\0two"},
    ],
    "RoleArn": ["arn:aws:iam::123456789012:role/".ljust(512, "r"), "arn:aws:iam::000000000012:role/r"],
    "EventTriggerNames": [[("-" + _LETTERS + "_0").ljust(64, "9")], ["_"], []],
    "Scope": ["PROFILE", "DOMAIN"],
}
MEMBERS = [pytest.param(name, marks=clauses(f"state.put-get.{name}")) for name in VALUES]

#: Uris that careless storing, comparing or escaping loses, or takes for one another.
ODD_URIS = [
    "\U0001f600" * 255,
    "\U0001f600" * 254 + "\U0001f601",
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
    "s3://Bucket/\uf600",
    "arn:aws:flow:us-east-1:123456789012:Flow",
    "arn:aws:flow:us-east-1:210987654321:Flow",
    "arn:aws:flow:us-west-2:123456789012:Flow",
    "arn:aws-cn:flow:us-east-1:123456789012:Flow",
    "s3://Bucket/a+b",
    "//a//b/../\\c\\?query=1&b#fragment",
    "tab\tnewline\nreturn\r",
    "line\r\nline\nline",
    "line\nline\nline",
    "s3://Bucket/!(),@[]^|~",
    "s3://Bucket/so\u00adft",
    "\u00a0s3://Bucket/wide\u3000",
    "s3://Bucket/a&b",
    "s3://Bucket/a&amp;b",
    "s3://Bucket/%C3%A9",
    "s3://Bucket/%c3%a9",
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
            check.not_exercised(UNTAKEN.format(name), f"state.put-get.{name}")


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
        pytest.skip(UNTAKEN.format(member))
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
    if scope := read.get("Scope"):
        is_usual = scope == "PROFILE"
        check.that(clause or "state.put-get.Scope", is_usual, "PROFILE, or none", str(scope), exchange)
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
