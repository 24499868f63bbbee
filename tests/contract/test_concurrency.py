"""Many ask at once: each gets its own answer, none is refused for it, and a reading never meets half a write.

Every thread has a client of its own, a sibling of the worker's: connections of its own, the same rate budget. A
client itself is for one thread. What is judged is judged after the threads have ended.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity, get_integration, transient_fault
from getintegration_contract.exchange import Exchange
from getintegration_contract.state import State
from getintegration_contract.target import WRITING, Target
from getintegration_contract.workspace import Workspace

clauses = pytest.mark.clauses

#: Threads, and requests of each, by depth; at a limited rate few requests meet, however many there are.
CROWDS = {"gate": (8, 10), "nightly": (16, 100)}
SLOW_CROWD = (4, 3)
#: Share of simultaneous requests beyond which faults are no accident, if it is so every time.
ACCIDENTS = 0.1
ROUNDS = 3
#: Updates while others read.
UPDATES = {"gate": 8, "nightly": 60}
READERS = 3

Place = tuple[str, str]
Send = Callable[[Client, Place], Exchange]


@pytest.fixture
def crowd(target: Target, pytestconfig: pytest.Config) -> tuple[int, int]:
    """Threads, and requests of each."""
    return SLOW_CROWD if target.rate else CROWDS[pytestconfig.option.depth]


@pytest.fixture
def at_once(client: Client, caller: Identity, target: Target) -> Callable[[list[list[Place]]], list[list[Exchange]]]:
    """Asks for lists of places, a thread for each list, and returns the answers in their order."""

    def at_once(lists: list[list[Place]]) -> list[list[Exchange]]:
        deadline = time.monotonic() + 3 * target.timeout
        start = threading.Barrier(len(lists))

        def ask(places: list[Place]) -> list[Exchange]:
            sibling = client.sibling()
            start.wait(target.timeout)
            try:
                answers = []
                for domain, uri in places:
                    if time.monotonic() < deadline:
                        answers.append(sibling.send(get_integration(domain, uri), caller))
                return answers
            finally:
                sibling.close()

        with ThreadPoolExecutor(len(lists)) as pool:
            return list(pool.map(ask, lists))

    return at_once


@pytest.fixture
def places(request: pytest.FixtureRequest, state: State, target: Target) -> list[Place]:
    """What is asked for: everything that exists, some made for it where the target lets that, and unknown ones."""
    places = [(state.domain, state.uri), (state.domain, f"{state.uri}x"), ("GetIntegrationContract-Unknown", state.uri)]
    if state.other_domain is not None and state.other_uri is not None:
        places += [(state.other_domain, state.other_uri), (state.other_domain, state.uri)]
    if WRITING in target.claims:
        workspace: Workspace = request.getfixturevalue("workspace")
        scratch = request.getfixturevalue("scratch")
        for number in range(4):
            uri = f"s3://Contract-Bucket/{number}"
            members = {name: value for name, value in state.members.items() if name == "ObjectTypeName"}
            workspace.put(scratch, uri, {name: f"{value}_{number}" for name, value in members.items()})
            places.append((scratch, uri))
        workspace.settle()
    return places


def _orders(places: Sequence[Place], crowd: tuple[int, int], seed: int) -> list[list[Place]]:
    """What each thread asks for; at any moment the threads ask for different things."""
    threads, each = crowd
    chance = random.Random(seed)
    orders = []
    for thread in range(threads):
        cycle = itertools.islice(itertools.cycle(places), thread, thread + each)
        orders.append([place if chance.random() < 0.7 else chance.choice(places) for place in cycle])
    return orders


def _most_under_way(exchanges: Sequence[Exchange]) -> int:
    """How many requests were under way at once, at most."""
    moments = [(exchange.started, 1) for exchange in exchanges]
    moments += [(exchange.started + exchange.seconds, -1) for exchange in exchanges]
    return max(itertools.accumulate(change for _, change in sorted(moments)), default=0)


def _faults(exchange: Exchange) -> int:
    """Faults that a client sees of a server that is asked too much at once; its 429 are none."""
    lasting = transient_fault(exchange.response) not in (None, "429")
    return sum(fault.kind != "429" for fault in exchange.faults) + lasting


@clauses("concurrency.own-answer", "concurrency.no-fault", "response.request-id.unique")
def test_each_gets_its_own(
    at_once, ask, places: list[Place], crowd: tuple[int, int], check: Checker, worker: Any
):
    alone = {place: ask(*place) for place in places}
    if any(_faults(exchange) for exchange in alone.values()):
        pytest.skip("one request after another meets faults already")
    orders = _orders(places, crowd, worker.seed)
    shares = []
    for _ in range(ROUNDS):
        rounds = at_once(orders)
        exchanges = [exchange for answers in rounds for exchange in answers]
        shares.append(sum(_faults(exchange) > 0 for exchange in exchanges) / len(exchanges))
        if shares[-1] <= ACCIDENTS:
            break
    if _most_under_way(exchanges) < 2:
        pytest.skip("at this rate no two requests were under way at once")
    worst = max(exchanges, key=_faults)
    check.that(
        "concurrency.no-fault",
        min(shares) <= ACCIDENTS,
        "no 5xx and no dropped connection that one request after another does not meet",
        f"faults of {shares[-1]:.0%} of the simultaneous requests, {len(shares)} times in a row",
        worst,
    )
    for order, answers in zip(orders, rounds, strict=True):
        for place, exchange in zip(order, answers, strict=False):
            _own(check, place, exchange, alone[place])
    _unique(check, exchanges)


def _own(check: Checker, place: Place, exchange: Exchange, alone: Exchange) -> None:
    """The answer MUST be the one that comes when nobody else asks."""
    domain, uri = place
    if transient_fault(exchange.response):
        _lasting(check, place, exchange)
        return
    check.valid(exchange, "concurrency.own-answer", domain=domain, uri=uri)
    due, got = _what(check, alone), _what(check, exchange)
    check.that("concurrency.own-answer", due == got, f"as when it is alone: {due}", got, exchange)


def _what(check: Checker, exchange: Exchange) -> str:
    """What an answer says: its status, and where it holds an integration, that."""
    status = exchange.response.status
    return f"{status} {check.members(exchange)}" if status == 200 else str(status)


def _lasting(check: Checker, place: Place, exchange: Exchange) -> None:
    """A fault that repeats did not mend; throttling is none."""
    if transient_fault(exchange.response) != "429":
        check.valid(exchange, "concurrency.no-fault", domain=place[0], uri=place[1])


def _unique(check: Checker, exchanges: Sequence[Exchange]) -> None:
    seen: set[str] = set()
    for exchange in exchanges:
        if name := exchange.response.header("x-amzn-requestid"):
            check.that("response.request-id.unique", name not in seen, "another id", f"{name} again", exchange)
            seen.add(name)


def _version(state: State, number: int) -> dict[str, Any]:
    """All members that can tell one version from another, each telling the same one."""
    members: dict[str, Any] = {
        "ObjectTypeName": f"Version_{number}",
        "Tags": {"version": str(number), "first": str(number)},
        "ObjectTypeNames": {"Event": f"Version_{number}"},
        "EventTriggerNames": [f"Version_{number}"],
        "RoleArn": f"arn:aws:iam::123456789012:role/version_{number}",
    }
    return {name: value for name, value in members.items() if name in state.members}


@clauses("concurrency.no-mixture")
def test_reading_during_writes(
    client: Client,
    caller: Identity,
    target: Target,
    workspace: Workspace,
    scratch: str,
    state: State,
    check: Checker,
    pytestconfig: pytest.Config,
):
    uri = "s3://Contract-Bucket/Written"
    updates = UPDATES[pytestconfig.option.depth]
    versions = [_version(state, number) for number in range(updates + 1)]
    workspace.put(scratch, uri, versions[0])
    workspace.settle()
    done = threading.Event()

    def read(_: int) -> list[Exchange]:
        sibling = client.sibling()
        try:
            exchanges = []
            while not done.is_set() and len(exchanges) < 20 * updates:
                exchanges.append(sibling.send(get_integration(scratch, uri), caller))
            return exchanges
        finally:
            sibling.close()

    with ThreadPoolExecutor(READERS) as pool:
        readings = [pool.submit(read, number) for number in range(READERS)]
        try:
            for version in versions[1:]:
                workspace.put(scratch, uri, version)
        finally:
            done.set()
    exchanges = [exchange for reading in readings for exchange in reading.result()]
    if len(exchanges) < 2:
        pytest.skip("no reading took place during a write")
    for exchange in exchanges:
        _whole(check, exchange, versions, scratch, uri)


def _whole(check: Checker, exchange: Exchange, versions: list[dict[str, Any]], domain: str, uri: str) -> None:
    """A reading MUST be one of the versions, all of it."""
    if transient_fault(exchange.response):
        _lasting(check, (domain, uri), exchange)
        return
    if not check.ok(exchange, "concurrency.no-mixture", domain=domain, uri=uri):
        return
    document = check.judge.document(exchange)
    read = {name: document.get(name) for name in versions[0]} if isinstance(document, dict) else {}
    check.that("concurrency.no-mixture", read in versions, "one version of all members", str(read), exchange)
