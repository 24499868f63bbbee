"""What is written to one integration, domain or account is not seen in another, however near they are.

Only GetIntegration is judged. A write that the target refuses skips what depends on it.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.state.state import State
from getintegration_contract.state.workspace import Workspace

from .callables import Ask
from .narrator import without_moves

clauses = pytest.mark.clauses

URI = "s3://Contract-Bucket/Caf\u00e9/a%20b"


def unchanged(check: Checker, before: Exchange, read: Callable[[], Exchange], *, same_domain: bool) -> None:
    """A write to something else MUST NOT be seen here; what no two readings agree on is not its doing."""
    after, clause = read(), "state.update.isolated"
    old, new = check.members(before), check.members(after)
    if old != new and check.members(read()) != new:
        clause = "state.read-only"
    elif same_domain:
        old, new = without_moves(old, new)
    compared = {name for members in (old, new) for name, value in members.items() if value is not None}
    check.same_answer(clause, before, after, compared)


@clauses("state.update.isolated")
def test_neighbours_stay_as_they_are(
    workspace: Workspace,
    scratch: str,
    minimal_members: dict[str, Any],
    state: State,
    check: Checker,
) -> None:
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
        workspace.put(domain, uri, minimal_members)
    before = [workspace.read(domain, uri) for domain, uri in neighbours]
    for (domain, uri), exchange in zip(neighbours, before, strict=True):
        check.ok(exchange, "state.put-get.Uri", domain=domain, uri=uri)
    time.sleep(0.01)  # a time that moves shows it
    for act in ("update", "delete"):
        if act == "update":
            changed = {name: f"{value}2" for name, value in minimal_members.items()}
            workspace.put(scratch, URI, {**state.members, **changed})
        else:
            workspace.delete(scratch, URI)
        for (domain, uri), earlier in zip(neighbours, before, strict=True):
            read = partial(workspace.read, domain, uri)
            unchanged(check, earlier, read, same_domain=domain == scratch)


@clauses("state.deleted-domain", "state.update.isolated")
def test_deleted_domain(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    other = f"{scratch}_2"
    survivors = (scratch, f"{other}3", f"{scratch}-2")
    for domain in (other, *survivors[1:]):
        workspace.create(domain)
    for domain in (other, *survivors):
        workspace.put(domain, URI, minimal_members)
        check.ok(workspace.read(domain, URI), domain=domain, uri=URI)
    workspace.drop(other)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")
    for domain in survivors:
        check.ok(workspace.read(domain, URI), "state.update.isolated", domain=domain, uri=URI)
    workspace.create(other)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")
    workspace.put(other, f"{URI}2", minimal_members)
    check.not_found(workspace.read(other, URI), "state.deleted-domain")


@clauses("missing.other-domain")
def test_domain_and_uri_are_not_one_key(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    # Who joins them finds the same for another domain and the rest of the Uri.
    for mark in ("_", "-", ""):
        workspace.create(f"{scratch}{mark}a")
        workspace.put(scratch, f"a{mark}b", minimal_members)
        check.not_found(workspace.read(f"{scratch}{mark}a", "b"), "missing.other-domain")


@clauses("missing.domain.near")
def test_domain_with_a_long_name(
    workspace: Workspace, scratch_name: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    start = scratch_name.ljust(63, "x")
    workspace.create(f"{start}1")
    workspace.put(f"{start}1", URI, minimal_members)
    check.ok(workspace.read(f"{start}1", URI), domain=f"{start}1", uri=URI)
    check.not_found(workspace.read(f"{start}2", URI), "missing.domain.near")


@clauses("missing.uri.wildcard", "state.update.isolated")
def test_uri_that_reads_as_a_pattern(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    patterns = {"s3://a.c*": ("s3://a.ccc", "s3://a.cde", "s3://abc"), "s3://50%_": ("s3://50 cents",)}
    for pattern, matching in patterns.items():
        workspace.put(scratch, pattern, minimal_members)
        check.ok(workspace.read(scratch, pattern), domain=scratch, uri=pattern)
        for uri in matching:
            check.not_found(workspace.read(scratch, uri), "missing.uri.wildcard")
            workspace.put(scratch, uri, minimal_members)
        workspace.delete(scratch, pattern)
        for uri in matching:
            check.ok(workspace.read(scratch, uri), "state.update.isolated", domain=scratch, uri=uri)


@clauses("missing.integration")
def test_long_uri_with_another_end(
    workspace: Workspace, scratch: str, minimal_members: dict[str, Any], check: Checker
) -> None:
    start = "s3://".ljust(254, "u")
    workspace.put(scratch, f"{start}1", minimal_members)
    check.ok(workspace.read(scratch, f"{start}1"), domain=scratch, uri=f"{start}1")
    check.not_found(workspace.read(scratch, f"{start}2"), "missing.integration")


@clauses("access.other-account", "state.update.isolated")
def test_same_names_in_another_account(
    ask: Ask,
    workspace: Workspace,
    scratch: str,
    other_account: Identity,
    tagged: dict[str, Any],
    check: Checker,
) -> None:
    workspace.put(scratch, URI, tagged)
    before = workspace.read(scratch, URI)
    check.ok(before, domain=scratch, uri=URI)
    workspace.create(scratch, other_account)
    check.denied(ask(scratch, URI, identity=other_account), "access.other-account")
    others = {"ObjectTypeName": "Of_Another_Account", "Tags": {"team": "other"}}
    workspace.put(scratch, URI, {name: others[name] for name in tagged}, other_account)
    read = partial(workspace.read, scratch, URI)
    unchanged(check, before, read, same_domain=False)
    workspace.delete(scratch, URI, other_account)
    unchanged(check, before, read, same_domain=False)
    workspace.drop(scratch, other_account)
    unchanged(check, before, read, same_domain=False)
