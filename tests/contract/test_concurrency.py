"""Many ask at once: each gets its own answer, none is refused for it, and no reading meets half a write."""

import time
from functools import partial
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.operations import put_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.faults import transient_fault
from getintegration_contract.state.state import UNKNOWN_DOMAIN, UNKNOWN_URI, State
from getintegration_contract.state.workspace import Workspace
from getintegration_contract.target.target import OTHER_ACCOUNT, WRITING, Target
from getintegration_contract.text import shown

from .crowds import (
    Crowd,
    Question,
    at_once,
    lasting_fault,
    read_during,
)

pytestmark = pytest.mark.crowded
clauses = pytest.mark.clauses

#: Threads, and requests of each, by depth; at a limited rate few requests meet, however many there are.
CROWDS = {"gate": (8, 8), "nightly": (16, 100)}
SLOW_CROWD = (4, 3)
#: Share of simultaneous requests, beyond that of single ones, above which faults are no accident; and share
#: of single ones above which nothing can be said.
ACCIDENTS = 0.1
#: Updates while others read.
UPDATES = {"gate": 6, "nightly": 60}
#: Writers at once.
WRITERS = 8


@pytest.fixture
def crowd(client: Client, target: Target, worker: Any) -> Crowd:
    """Asks many questions at once."""
    size = SLOW_CROWD if target.rate else CROWDS[target.depth]
    return Crowd(client, target, *size, worker.settings.seed)


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
    if OTHER_ACCOUNT in target.capabilities:
        questions.append(Question(target.identities["other-account"], state.domain, state.uri))
    if WRITING in target.capabilities:
        workspace, scratch = map(request.getfixturevalue, ("workspace", "scratch"))
        for number in range(4):
            uri = f"s3://Contract-Bucket/{number}"
            workspace.put(scratch, uri, _version(state, number))
            questions.append(Question(caller, scratch, uri))
        workspace.settle()
    return questions


def _version(state: State, number: int) -> dict[str, Any]:
    """All members that can differ between versions, each naming the same one."""
    members: dict[str, Any] = {
        "ObjectTypeName": f"Version_{number}",
        "Tags": {"version": str(number), "first": str(number)},
        "ObjectTypeNames": {"Event": f"Version_{number}"},
        "EventTriggerNames": [f"Version_{number}"],
        "RoleArn": f"arn:aws:iam::123456789012:role/version_{number}",
    }
    return {name: value for name, value in members.items() if name in state.members}


@clauses("concurrency.own-answer", "concurrency.no-fault", "response.request-id.unique")
def test_each_gets_its_own(crowd: Crowd, questions: list[Question], check: Checker) -> None:
    alone, calm = crowd.one_by_one(questions), crowd.faults_alone
    for asked, both in alone.items():
        _found(check, asked, *both)
    if calm > ACCIDENTS:
        pytest.skip("one request after another meets faults already")
    answers = crowd.at_once(questions, ACCIDENTS + calm)
    if crowd.most_under_way < 2:
        for asked, exchange in answers:
            _found(check, asked, exchange)
        pytest.skip("at this rate no two requests were under way at once")
    faults = f"5xx and dropped connections, in {crowd.rounds} attempts"
    check.at_most("concurrency.no-fault", ACCIDENTS + calm, crowd.faults_at_once, faults, crowd.worst)
    for asked, exchange in answers:
        if transient_fault(exchange.response):
            _lasts(check, exchange, faulty=calm > 0)
        else:
            _own(check, asked, exchange, *alone[asked])
    check.unique("response.request-id.unique", "x-amzn-RequestId", [exchange for _, exchange in answers])


def _own(check: Checker, asked: Question, exchange: Exchange, first: Exchange, second: Exchange) -> None:
    """An answer MUST be that to its question, as it was when nobody else asked."""
    if asked.identity.name == "other-account":  # 403 or 404, whichever it was before
        check.denied(exchange, "concurrency.own-answer")
        return
    check.same_answer("concurrency.own-answer", first, exchange, _steady(check, first, second))
    if first.response.status == exchange.response.status == 200:
        check.ok(exchange, "concurrency.own-answer", domain=asked.domain, uri=asked.uri)


def _found(check: Checker, asked: Question, *exchanges: Exchange) -> None:
    """Whatever is found MUST be what was asked for, also when nobody else asks."""
    for exchange in exchanges:
        if exchange.response.status == 200:
            check.ok(exchange, domain=asked.domain, uri=asked.uri)


def _steady(check: Checker, one: Exchange, other: Exchange) -> set[str]:
    """The members that two answers to one question agree on; the rest is another clause's matter."""
    first, second = check.members(one), check.members(other)
    return {name for name in check.judge.contract.members if first.get(name) == second.get(name)}


def _lasts(check: Checker, exchange: Exchange, *, faulty: bool) -> None:
    """Repeats MUST mend a fault, unless single faults are common, so that three in a row may happen."""
    if not faulty and (fault := lasting_fault(exchange)):
        check.that("concurrency.no-fault", False, "no 5xx and no dropped connection", fault, exchange)


@clauses("concurrency.no-mixture")
def test_reading_during_writes(
    client: Client,
    caller: Identity,
    target: Target,
    workspace: Workspace,
    scratch: str,
    state: State,
    check: Checker,
) -> None:
    asked = Question(caller, scratch, "s3://Contract-Bucket/Written")
    updates = 2 if target.rate else UPDATES[target.depth]
    put, *later = (_version(state, number) for number in range(updates + 1))
    workspace.put(scratch, asked.uri, put)
    first = workspace.read(scratch, asked.uri)
    # A member that is lost anyway is another clause's matter.
    kept = [name for name, value in put.items() if check.members(first).get(name) == value]
    _whole(check, first, [{name: put[name] for name in kept}], asked)
    writes = [partial(workspace.update, scratch, asked.uri, members) for members in later]
    taken, exchanges = read_during(client, asked, writes)
    kept = [name for name in kept if all(name in members for members in taken)]
    versions = [{name: members[name] for name in kept} for members in (put, *taken)]
    for exchange in exchanges:
        if transient_fault(exchange.response):
            _lasts(check, exchange, faulty=bool(client.faults))
        else:
            _whole(check, exchange, versions, asked)


def _whole(check: Checker, exchange: Exchange, versions: list[dict[str, Any]], asked: Question) -> None:
    """A reading MUST be one of the versions, all of it."""
    if check.ok(exchange, "concurrency.no-mixture", domain=asked.domain, uri=asked.uri):
        members = check.members(exchange)
        read = {name: members.get(name) for name in versions[0]}
        check.that("concurrency.no-mixture", read in versions, "one version, whole", shown(read), exchange)


@clauses("state.update.isolated")
def test_writes_at_once(
    client: Client,
    caller: Identity,
    target: Target,
    workspace: Workspace,
    scratch: str,
    state: State,
    check: Checker,
) -> None:
    uris = [f"s3://Contract-Bucket/{number}" for number in range(WRITERS)]
    puts = [put_integration(scratch, uri, _version(state, number)) for number, uri in enumerate(uris)]
    jobs = [partial(Client.send, request=put, identity=caller) for put in puts]
    written = zip(uris, at_once(client, jobs, target.request_timeout), strict=True)
    taken = [uri for uri, exchange in written if exchange.response.status // 100 == 2]
    time.sleep(target.settling_time)
    for uri in taken:
        check.ok(workspace.read(scratch, uri), "state.update.isolated", domain=scratch, uri=uri)
    if not taken:
        pytest.skip("the target takes no writes at once")
