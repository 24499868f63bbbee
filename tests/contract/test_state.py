"""What is written is what is read: members, updates, deletions, and nothing of anything else."""

from __future__ import annotations

import time
import unicodedata
import zlib
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.state import (
    MEMBERS,
    State,
    create_domain,
    delete_domain,
    delete_integration,
    put_integration,
)
from getintegration_contract.target import Target

clauses = pytest.mark.clauses

URI = "s3://Contract-Bucket/Scratch"
LEAST = {"ObjectTypeName": "Contract_Type"}
#: Seconds that clocks and answers may differ by.
CLOCK = 300

#: Members as large as their constraints allow, one at a time.
LARGEST: dict[str, Any] = {
    "ObjectTypeName": "T" + "x" * 254,
    "ObjectTypeNames": {"ShopifyUpdateDraftOrders": "_" + "y" * 254},
    "Tags": {f"{number:02d}" + "k" * 126: "v" * 255 + "é" for number in range(50)},
    "RoleArn": "arn:aws:iam::123456789012:role/" + "r" * 481,
    "EventTriggerNames": ["E" * 64],
    "Scope": "PROFILE",
}


@pytest.fixture
def write(client: Client, caller: Identity, target: Target) -> Callable[[Request], Exchange]:
    """Sends a request that writes; a scenario whose writes are refused says nothing about reading."""

    def write(request: Request) -> Exchange:
        exchange = client.send(request, caller)
        if exchange.response.status != 200:
            pytest.skip(f"{request.method} {request.target} was answered {exchange.response.status}")
        time.sleep(target.settling_time)
        return exchange

    return write


@pytest.fixture
def new_domain(
    client: Client, caller: Identity, state: State, write: Callable[[Request], Exchange], request: Any
) -> Iterator[Callable[[], str]]:
    """Makes domains of the test's own, named after it, and removes them whatever happens."""
    made: list[str] = []

    def new_domain() -> str:
        test = zlib.crc32(f"{request.node.nodeid} {len(made)}".encode())
        name = f"{state.domain.removesuffix('-A')}-T{test:08x}"
        made.append(name)
        if client.send(create_domain(name), caller).response.status != 200:
            client.send(delete_domain(name), caller)  # an interrupted run left it behind
            write(create_domain(name))
        return name

    yield new_domain
    for name in made:
        client.send(delete_domain(name), caller)


@pytest.fixture
def scratch(new_domain: Callable[[], str]) -> str:
    """A domain of the test's own."""
    return new_domain()


def member(check: Checker, exchange: Exchange, name: str) -> Any:
    """A member of an answer, None if it is absent."""
    document = check.judge.document(exchange)
    return document.get(name) if isinstance(document, dict) else None


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "FlowDefinition"])
def test_member_is_read_as_it_was_put(ask, state: State, check: Checker, name: str):
    clause = f"state.put-get.{name}"
    if name not in state.members:
        check.not_exercised(f"the target does not take {name}", clause)
        return
    exchange = ask()
    got = member(check, exchange, name)
    check.that(clause, got == state.members[name], str(state.members[name]), str(got), exchange)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=clauses(f"state.put-get.{name}")) for name in LARGEST]
)
def test_largest_member_is_read_whole(ask, write, scratch: str, check: Checker, name: str):
    write(put_integration(scratch, URI, {**LEAST, name: LARGEST[name]}))
    exchange = ask(scratch, URI)
    if check.ok(exchange, domain=scratch, uri=URI):
        got = member(check, exchange, name)
        check.that(f"state.put-get.{name}", got == LARGEST[name], str(LARGEST[name]), str(got), exchange)


@clauses("state.put-get.Tags")
def test_tag_keys_of_every_allowed_character(ask, write, scratch: str, check: Checker):
    # `+-=` in the pattern is a range, so digits and ,-./:;< are allowed too.
    tags = {"".join(map(chr, range(0x2B, 0x3E))): "range", "abcXYZ+-=._:/": "written", "Aws:a": ""}
    write(put_integration(scratch, URI, {**LEAST, "Tags": tags}))
    exchange = ask(scratch, URI)
    if check.ok(exchange, domain=scratch, uri=URI):
        got = member(check, exchange, "Tags")
        check.that("state.put-get.Tags", got == tags, str(tags), str(got), exchange)


@clauses("response.status", "response.Uri.required")
def test_only_what_is_required(ask, write, scratch: str, check: Checker):
    write(put_integration(scratch, URI, LEAST))
    check.ok(ask(scratch, URI), domain=scratch, uri=URI)


@clauses("state.put-get.Uri")
@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("u", id="one character"),
        pytest.param("u" * 255, id="255 characters"),
        pytest.param("中" * 255, id="255 characters, 765 bytes"),
        pytest.param("😀" * 255, id="255 emoji"),
        pytest.param("s3://a b/%20/%zz/+?x=1&y=2#z", id="space, percent signs, query"),
        pytest.param('"quoted" \\back\\ \'single\' <b>&amp;', id="quotes and markup"),
        pytest.param(" around ", id="spaces around"),
        pytest.param("//a//b//", id="slashes"),
        pytest.param("line\nbreak\ttab", id="line break and tab"),
    ],
)
def test_uri_is_found_again(ask, write, scratch: str, check: Checker, uri: str):
    write(put_integration(scratch, uri, LEAST))
    check.ok(ask(scratch, uri), "state.put-get.Uri", domain=scratch, uri=uri)


@clauses("missing.uri.normalization", "state.put-get.Uri")
def test_near_misses_live_side_by_side(ask, write, scratch: str, check: Checker):
    composed = "s3://Bucket/Café/a%20b"
    uris = [
        composed,
        unicodedata.normalize("NFD", composed),
        composed.lower(),
        composed + "/",
        composed[:-1],
        composed.replace("%20", " "),
    ]
    names = [f"Type_{number}" for number in range(len(uris))]
    for uri, name in zip(uris, names, strict=True):
        write(put_integration(scratch, uri, {"ObjectTypeName": name}))
    for uri, name in zip(uris, names, strict=True):
        exchange = ask(scratch, uri)
        if check.ok(exchange, "state.put-get.Uri", domain=scratch, uri=uri):
            got = member(check, exchange, "ObjectTypeName")
            check.that("state.update.isolated", got == name, name, str(got), exchange)


@clauses("state.time")
def test_time_of_a_new_integration(ask, write, scratch: str, check: Checker):
    write(put_integration(scratch, URI, LEAST))
    exchange = ask(scratch, URI)
    updated = member(check, exchange, "LastUpdatedAt")
    if not isinstance(updated, int | float):
        check.not_exercised("LastUpdatedAt is not a number")
        return
    clocks = [exchange.started]
    if date := exchange.response.header("date"):
        clocks.append(parsedate_to_datetime(date).timestamp())  # the server's clock may lawfully be off
    off = min(abs(updated - clock) for clock in clocks)
    check.that("state.time", off <= CLOCK, f"about {clocks[0]:.0f}", f"{updated}, {off:.0f} s off", exchange)


@clauses("state.CreatedAt.stable", "state.LastUpdatedAt.moves", "state.update.visible")
def test_update(ask, write, scratch: str, check: Checker):
    write(put_integration(scratch, URI, {"ObjectTypeName": "Before"}))
    first = ask(scratch, URI)
    time.sleep(0.05)
    # The first reading may be remembered; the second one must not be it.
    write(put_integration(scratch, URI, {"ObjectTypeName": "After"}))
    second = ask(scratch, URI)
    created, updated = (
        [member(check, exchange, name) for exchange in (first, second)] for name in ("CreatedAt", "LastUpdatedAt")
    )
    name = member(check, second, "ObjectTypeName")
    check.that("state.update.visible", name == "After", "After", str(name), second)
    if None in created or None in updated:
        return
    check.that("state.CreatedAt.stable", created[0] == created[1], str(created[0]), str(created[1]), second)
    if all(isinstance(value, int | float) for value in updated):
        whole_seconds = all(float(value).is_integer() for value in updated)
        moved = updated[1] >= updated[0] if whole_seconds else updated[1] > updated[0]
        check.that("state.LastUpdatedAt.moves", moved, f"later than {updated[0]}", str(updated[1]), second)


@clauses("state.LastUpdatedAt.moves", "state.read-only")
def test_reading_moves_no_time(ask, write, scratch: str, check: Checker):
    write(put_integration(scratch, URI, LEAST))
    first = ask(scratch, URI)
    time.sleep(1.1)  # a time of whole seconds would move by now
    second = ask(scratch, URI)
    for name in ("CreatedAt", "LastUpdatedAt"):
        before, after = member(check, first, name), member(check, second, name)
        check.that("state.read-only", before == after, f"{name} {before}", f"{name} {after}", second)


@clauses("state.update.isolated")
def test_writing_one_leaves_the_others(ask, write, new_domain, check: Checker):
    one, other = new_domain(), new_domain()
    for domain in (one, other):
        write(put_integration(domain, URI, {"ObjectTypeName": "Before", "Tags": {"domain": domain[-8:]}}))
    write(put_integration(one, URI + "/2", {"ObjectTypeName": "Second"}))
    write(put_integration(one, URI, {"ObjectTypeName": "After", "Tags": {"domain": "changed"}}))
    for domain, uri, expected in (
        (one, URI, ("After", {"domain": "changed"})),
        (one, URI + "/2", ("Second", None)),
        (other, URI, ("Before", {"domain": other[-8:]})),
    ):
        exchange = ask(domain, uri)
        if check.ok(exchange, domain=domain, uri=uri):
            got = (member(check, exchange, "ObjectTypeName"), member(check, exchange, "Tags") or None)
            check.that("state.update.isolated", got == expected, str(expected), str(got), exchange)


@clauses("state.deleted", "state.recreated")
def test_deletion_and_recreation(ask, write, scratch: str, check: Checker):
    write(put_integration(scratch, URI, {"ObjectTypeName": "First", "Tags": {"life": "first"}}))
    write(put_integration(scratch, URI + "/2", LEAST))
    first = ask(scratch, URI)
    check.ok(first, domain=scratch, uri=URI)
    write(delete_integration(scratch, URI))
    check.not_found(ask(scratch, URI), "state.deleted")
    check.ok(ask(scratch, URI + "/2"), "state.update.isolated", domain=scratch, uri=URI + "/2")
    write(put_integration(scratch, URI, {"ObjectTypeName": "Second"}))
    second = ask(scratch, URI)
    if check.ok(second, domain=scratch, uri=URI):
        name, tags = member(check, second, "ObjectTypeName"), member(check, second, "Tags") or None
        check.that("state.recreated", (name, tags) == ("Second", None), "Second", f"{name} {tags}", second)
        born, reborn = member(check, first, "CreatedAt"), member(check, second, "CreatedAt")
        if isinstance(born, int | float) and isinstance(reborn, int | float):
            check.that("state.recreated", reborn >= born, f"not before {born}", str(reborn), second)


@clauses("state.deleted-domain")
def test_deletion_of_a_domain(ask, write, new_domain, check: Checker):
    one, other = new_domain(), new_domain()
    for domain in (one, other):
        write(put_integration(domain, URI, LEAST))
    check.ok(ask(one, URI), domain=one, uri=URI)
    write(delete_domain(one))
    check.not_found(ask(one, URI), "state.deleted-domain")
    check.ok(ask(other, URI), "state.update.isolated", domain=other, uri=URI)
    write(create_domain(one))
    check.not_found(ask(one, URI), "state.deleted-domain")
