"""Many ask at once: each gets its own answer, none is refused for it, and no reading meets half a write.

Every thread has a client of its own, a sibling of the worker's: its own connections, the same rate budget. (A
client itself is for one thread.) Answers are judged after the threads have ended.
"""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.operations import get_integration, put_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import transient_fault
from getintegration_contract.state.state import UNKNOWN_DOMAIN, UNKNOWN_URI, State
from getintegration_contract.target.capabilities import OTHER_ACCOUNT, WRITING
from getintegration_contract.target.target import Target
from getintegration_contract.text import shown

pytestmark = pytest.mark.crowded
clauses = pytest.mark.clauses

#: Threads, and requests of each, by depth; at a limited rate few requests meet, however many there are.
CROWDS = {"gate": (8, 8), "nightly": (16, 100)}
SLOW_CROWD = (4, 3)
#: Share of simultaneous requests, beyond that of single ones, above which faults are no accident, if it is so
#: every time; and share of single ones above which nothing can be said.
ACCIDENTS = 0.1
ROUNDS = 3
#: Updates while others read, and readings of each reader meanwhile.
UPDATES = {"gate": 6, "nightly": 60}
READERS, READINGS = 3, 2
#: Writers at once.
WRITERS = 8


class Question(NamedTuple):
    """What is asked for, and by whom."""

    identity: Identity
    domain: str
    uri: str


Answers = list[list[Exchange]]


@pytest.fixture
def at_once(client: Client, target: Target) -> Callable[[list[list[Question]]], Answers]:
    """Asks lists of questions, a thread for each list, and returns the answers in their order."""

    def at_once(lists: list[list[Question]]) -> Answers:
        deadline = time.monotonic() + 3 * target.timeout
        start = threading.Barrier(len(lists))

        def ask(questions: list[Question]) -> list[Exchange]:
            sibling = client.sibling()
            start.wait(target.timeout)
            try:
                return [
                    sibling.send(get_integration(domain, uri), identity)
                    for identity, domain, uri in questions
                    if time.monotonic() < deadline
                ]
            finally:
                sibling.close()

        with ThreadPoolExecutor(len(lists)) as pool:
            return list(pool.map(ask, lists))

    return at_once


@pytest.fixture
def questions(
    request: pytest.FixtureRequest, caller: Identity, state: State, target: Target
) -> list[Question]:
    """For what exists, for what is made for it where the target lets that, and for what is unknown."""
    questions = [
        Question(caller, state.domain, state.uri),
        Question(caller, state.domain, UNKNOWN_URI),
        Question(caller, UNKNOWN_DOMAIN, state.uri),
    ]
    if state.other_domain is not None and state.other_uri is not None:
        questions.append(Question(caller, state.other_domain, state.other_uri))
        questions.append(Question(caller, state.other_domain, state.uri))
    if OTHER_ACCOUNT in target.claims:
        questions.append(Question(target.identities["other-account"], state.domain, state.uri))
    if WRITING in target.claims:
        workspace, scratch = map(request.getfixturevalue, ("workspace", "scratch"))
        for number in range(4):
            uri = f"s3://Contract-Bucket/{number}"
            workspace.put(scratch, uri, _version(state, number))
            questions.append(Question(caller, scratch, uri))
        workspace.settle()
    return questions


def _orders(questions: Sequence[Question], crowd: tuple[int, int], seed: int) -> list[list[Question]]:
    """What each thread asks; at any moment the threads ask different things."""
    threads, each = crowd
    chance = random.Random(seed)
    orders = []
    for thread in range(threads):
        in_turn = itertools.islice(itertools.cycle(questions), thread, thread + each)
        orders.append([one if chance.random() < 0.7 else chance.choice(questions) for one in in_turn])
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


def _share_of_faults(exchanges: Sequence[Exchange]) -> float:
    return sum(_faults(exchange) > 0 for exchange in exchanges) / len(exchanges)


@clauses("concurrency.own-answer", "concurrency.no-fault", "response.request-id.unique")
def test_each_gets_its_own(
    at_once,
    ask,
    questions: list[Question],
    target: Target,
    check: Checker,
    worker: Any,
    pytestconfig: pytest.Config,
):
    alone = {one: ask(one.domain, one.uri, identity=one.identity) for one in questions}
    again = {one: ask(one.domain, one.uri, identity=one.identity) for one in questions}
    steady = {one: _steady(check, alone[one], again[one]) for one in questions}
    for one in questions:
        _found(check, one, alone[one])
        _found(check, one, again[one])
    calm = _share_of_faults([*alone.values(), *again.values()])
    if calm > ACCIDENTS:
        pytest.skip("one request after another meets faults already")
    crowd = SLOW_CROWD if target.rate else CROWDS[pytestconfig.option.depth]
    orders = _orders(questions, crowd, worker.seed)
    shares = []
    for _ in range(ROUNDS):
        answers = at_once(orders)
        exchanges = list(itertools.chain.from_iterable(answers))
        shares.append(_share_of_faults(exchanges))
        if shares[-1] <= ACCIDENTS + calm:
            break
    if _most_under_way(exchanges) < 2:
        for order, given in zip(orders, answers, strict=True):
            for one, exchange in zip(order, given, strict=False):
                _found(check, one, exchange)
        pytest.skip("at this rate no two requests were under way at once")
    check.that(
        "concurrency.no-fault",
        min(shares) <= ACCIDENTS + calm,
        "no 5xx and no dropped connection, as for one request after another",
        f"faults of {shares[-1]:.0%} of the simultaneous requests, {len(shares)} times in a row",
        max(exchanges, key=_faults),
    )
    for order, given in zip(orders, answers, strict=True):
        for one, exchange in zip(order, given, strict=False):
            if not _is_lasting_fault(check, exchange, faulty=calm > 0):
                _own(check, one, exchange, alone[one], steady[one])
    _unique(check, exchanges)


def _found(check: Checker, asked: Question, exchange: Exchange) -> None:
    """Whatever is found MUST be what was asked for, also when nobody else asks."""
    if exchange.response.status == 200:
        check.ok(exchange, domain=asked.domain, uri=asked.uri)


def _own(check: Checker, asked: Question, exchange: Exchange, alone: Exchange, steady: set[str]) -> None:
    """The answer MUST be the one that comes when nobody else asks, in members that are the same each time."""
    due, got = _what(check, alone, steady), _what(check, exchange, steady)
    check.that("concurrency.own-answer", due == got, f"as when it is alone: {due}", got, exchange)
    if alone.response.status == exchange.response.status == 200:
        check.ok(exchange, "concurrency.own-answer", domain=asked.domain, uri=asked.uri)


def _what(check: Checker, exchange: Exchange, steady: set[str]) -> str:
    """What an answer says: its status, and where it holds an integration, that."""
    status = exchange.response.status
    if status != 200:
        return str(status)
    members = {name: value for name, value in check.members(exchange).items() if name in steady}
    return f"{status} {json.dumps(members, sort_keys=True, ensure_ascii=False)}"  # no order is promised


def _steady(check: Checker, one: Exchange, other: Exchange) -> set[str]:
    """The members that two answers to one question agree on; the rest is another clause's matter."""
    first, second = check.members(one), check.members(other)
    return {name for name in check.judge.contract.members if first.get(name) == second.get(name)}


def _is_lasting_fault(check: Checker, exchange: Exchange, *, faulty: bool) -> bool:
    """Whether repeats did not mend a fault.

    Throttling is no violation; nor is it one where single faults are common, which may be three in a row.
    """
    fault = transient_fault(exchange.response)
    if fault is not None and fault != "429" and not faulty:
        check.that("concurrency.no-fault", False, "no 5xx and no dropped connection", fault, exchange)
    return fault is not None


def _unique(check: Checker, exchanges: Sequence[Exchange]) -> None:
    """No two answers SHOULD have the same id."""
    seen: set[str] = set()
    for exchange in exchanges:
        if identifier := exchange.response.header("x-amzn-requestid"):
            fresh = identifier not in seen
            check.that("response.request-id.unique", fresh, "another id", f"{identifier} again", exchange)
            seen.add(identifier)


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
    workspace,
    scratch: str,
    state: State,
    check: Checker,
    pytestconfig: pytest.Config,
):
    uri = "s3://Contract-Bucket/Written"
    updates = 2 if target.rate else UPDATES[pytestconfig.option.depth]
    puts = [_version(state, number) for number in range(updates + 1)]
    workspace.put(scratch, uri, puts[0])
    taken = [puts[0]]
    asked = Question(caller, scratch, uri)
    first = workspace.read(scratch, uri)
    # A member that is lost anyway is another clause's matter.
    kept = [name for name, value in puts[0].items() if check.members(first).get(name) == value]
    _whole(check, first, [{name: puts[0][name] for name in kept}], asked)
    # Readers begin together with each update, so that readings fall into it.
    together = threading.Barrier(READERS + 1)

    def read(_: int) -> list[Exchange]:
        sibling = client.sibling()
        exchanges = []
        try:
            for _ in range(updates):
                together.wait()
                exchanges += [sibling.send(get_integration(scratch, uri), caller) for _ in range(READINGS)]
        except threading.BrokenBarrierError:
            pass  # an update was refused, which is said where it was asked for
        except BaseException:
            together.abort()  # not at a good end: others may still be about to leave the barrier
            raise
        finally:
            sibling.close()
        return exchanges

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, number) for number in range(READERS)]
        try:
            for put in puts[1:]:
                together.wait()
                taken.append(workspace.update(scratch, uri, put))
        except threading.BrokenBarrierError:
            pass  # a reader ended early, and says why
        except BaseException:
            together.abort()
            raise
    versions = [{name: put[name] for name in kept} for put in taken]
    for reader in readers:
        for exchange in reader.result():
            if not _is_lasting_fault(check, exchange, faulty=bool(client.faults)):
                _whole(check, exchange, versions, asked)


@clauses("state.update.isolated")
def test_writes_at_once(
    client: Client, caller: Identity, target: Target, workspace, scratch: str, state: State, check: Checker
):
    puts = {f"s3://Contract-Bucket/{number}": _version(state, number) for number in range(WRITERS)}
    start = threading.Barrier(WRITERS)

    def put(uri: str) -> Exchange:
        sibling = client.sibling()
        start.wait(target.timeout)
        try:
            return sibling.send(put_integration(scratch, uri, puts[uri]), caller)
        finally:
            sibling.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        taken = [uri for uri, exchange in zip(puts, pool.map(put, puts), strict=True) if _is_done(exchange)]
    time.sleep(target.settling_time)
    for uri in taken:
        check.ok(workspace.read(scratch, uri), "state.update.isolated", domain=scratch, uri=uri)
    if not taken:
        pytest.skip("the target takes no writes at once")


def _is_done(exchange: Exchange) -> bool:
    return exchange.response.status // 100 == 2


def _whole(check: Checker, exchange: Exchange, versions: list[dict[str, Any]], asked: Question) -> None:
    """A reading MUST be one of the versions, all of it."""
    if check.ok(exchange, "concurrency.no-mixture", domain=asked.domain, uri=asked.uri):
        members = check.members(exchange)
        read = {name: members.get(name) for name in versions[0]}
        check.that("concurrency.no-mixture", read in versions, "one version, whole", shown(read), exchange)
