"""What was written anew is what is read: changes are seen, removals too, and reading changes nothing."""

import json
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
from .test_state import URI, VALUES, lacks

clauses = pytest.mark.clauses

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


def _is_present(exchange: Exchange, moment: object) -> bool:
    """Whether a time is the present, by this machine's clock or by the target's own."""
    clocks = [exchange.started]
    with suppress(ValueError):
        clocks.append(parsedate_to_datetime(exchange.response.header("date") or "").timestamp())
    return isinstance(moment, int | float) and any(abs(moment - clock) <= CLOCK for clock in clocks)


def _put_and_read(
    workspace: Workspace, check: Checker, domain: str, versions: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], Exchange]]:
    """Put one version over the other; what is due after each, and what is read."""
    for pause in (QUICK, COARSE):  # again, where clocks are so coarse that times stay the same
        uri = f"{URI}/{pause}"
        workspace.put(domain, uri, versions[0])
        readings = [(versions[0], workspace.read(domain, uri))]
        for members in versions[1:]:
            time.sleep(pause)
            due = workspace.update(domain, uri, members)
            readings.append((due, workspace.read(domain, uri)))
        moments = [check.members(exchange).get("LastUpdatedAt") for _, exchange in readings]
        if all(before != after for before, after in pairwise(moments)):
            break
    upheld = [check.ok(each, "state.update.visible", domain=domain, uri=uri) for _, each in readings]
    return readings if all(upheld) else []


@clauses("state.time", "state.CreatedAt.stable", "state.LastUpdatedAt.moves", "state.update.visible")
def test_updates(
    workspace: Workspace,
    scratch: str,
    minimal_members: dict[str, Any],
    tagged: dict[str, Any],
    check: Checker,
) -> None:
    second = {"ObjectTypeName": "Second", "Tags": {"owner": "second"}}
    fewer = {name: f"{value}3" for name, value in minimal_members.items()}
    versions = [tagged, {name: second[name] for name in tagged}, fewer, minimal_members]
    created = None
    moments = []
    for number, (due, exchange) in enumerate(_put_and_read(workspace, check, scratch, versions)):
        read = check.members(exchange)
        made, moved = read.get("CreatedAt"), read.get("LastUpdatedAt")
        moments.append((moved, exchange))
        if number == 0:
            created = made
            for moment in (made, moved):
                check.that("state.time", _is_present(exchange, moment), "the present", str(moment), exchange)
            continue
        check.same_members("state.update.visible", due, exchange)
        check.that("state.CreatedAt.stable", made == created, f"{created}, as before", str(made), exchange)
        present = _is_present(exchange, moved)
        check.that("state.LastUpdatedAt.moves", present, "the present", str(moved), exchange)
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


@clauses("state.update.visible", "state.LastUpdatedAt.moves", "state.CreatedAt.stable")
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
        workspace.put(scratch, f"{URI}/{name}", version)  # that changes nothing
        made = check.members(before[name]).get("CreatedAt")
        for after in (exchange, workspace.read(scratch, f"{URI}/{name}")):
            if check.ok(after, "state.update.visible", domain=scratch, uri=f"{URI}/{name}"):
                now = check.members(after).get("CreatedAt")
                check.that("state.CreatedAt.stable", now == made, f"{made}, as before", str(now), after)


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
