"""Many at once: everyone gets their own answer, and nothing breaks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity, get_integration
from getintegration_contract.exchange import Exchange
from getintegration_contract.judge import OK, Expectation
from getintegration_contract.state import State, put_integration

clauses = pytest.mark.clauses

THREADS = 8
REQUESTS = 64


@dataclass(frozen=True)
class Wanted:
    """One of the simultaneous requests, and whether it names what exists."""

    domain: str
    uri: str
    exists: bool


@pytest.fixture
def wanted(state: State) -> list[Wanted]:
    """What exists and what does not, in turns, so that a mixed-up answer shows."""
    kinds = [Wanted(state.domain, state.uri, True)]
    if state.other_domain and state.other_uri:
        kinds.append(Wanted(state.other_domain, state.other_uri, True))
    kinds.append(Wanted(state.domain, "s3://unknown", False))
    kinds.append(Wanted("GetIntegrationContract-Unknown", state.uri, False))
    return [kinds[number % len(kinds)] for number in range(REQUESTS)]


@clauses("concurrency.own-answer", "concurrency.no-fault", "response.request-id.unique")
def test_simultaneous_reading(client: Client, caller: Identity, wanted: list[Wanted], check: Checker):
    # A session of requests may be shared by threads here: nothing of it changes between requests.
    def send(one: Wanted) -> Exchange:
        return client.send(get_integration(one.domain, one.uri), caller)

    with ThreadPoolExecutor(THREADS) as pool:
        exchanges = list(pool.map(send, wanted))
    for one, exchange in zip(wanted, exchanges, strict=True):
        faults = [fault.kind for fault in exchange.faults if fault.kind != "429"]
        status = exchange.response.status
        whole = 0 < status < 500
        check.that("concurrency.no-fault", whole, "an answer below 500", f"{status} {faults}", exchange)
        if not whole:
            continue
        clause = "concurrency.own-answer"
        if not one.exists:
            check.not_found(exchange, clause)
            continue
        document = check.judge.document(exchange)
        got = (document.get("DomainName"), document.get("Uri")) if isinstance(document, dict) else status
        check.that(clause, got == (one.domain, one.uri), f"{one.domain} {one.uri}", str(got), exchange)
    ids = [exchange.response.header("x-amzn-requestid") for exchange in exchanges]
    given = [value for value in ids if value]
    check.that("response.request-id.unique", len(given) == len(set(given)), "all different", f"{given}")


@clauses("concurrency.no-mixture")
def test_reading_during_writing(client: Client, caller: Identity, state: State, check: Checker):
    domain, uri = state.other_domain, "s3://Contract-Bucket/Concurrent"
    if domain is None:
        pytest.skip("there is no second domain to write to")

    def members(number: int) -> dict[str, object]:
        return {"ObjectTypeName": f"Type_{number}", "Tags": {"number": str(number)}}

    def write(number: int) -> int:
        return client.send(put_integration(domain, uri, members(number)), caller).response.status

    if write(0) != 200:
        pytest.skip("PutIntegration was refused")
    with ThreadPoolExecutor(THREADS) as pool:
        writing = [pool.submit(write, number) for number in range(1, 9)]
        reading = [pool.submit(client.send, get_integration(domain, uri), caller) for _ in range(24)]
        exchanges = [future.result() for future in reading]
        for future in writing:
            future.result()
    whole = [(f"Type_{number}", {"number": str(number)}) for number in range(9)]
    for exchange in exchanges:
        if not check.expect(exchange, Expectation("concurrency.no-mixture", (OK,), domain, uri)):
            continue
        document = check.judge.document(exchange)
        got = (document.get("ObjectTypeName"), document.get("Tags")) if isinstance(document, dict) else None
        check.that("concurrency.no-mixture", got in whole, "one of the versions, whole", str(got), exchange)


@clauses("concurrency.own-answer")
def test_simultaneous_identities(
    client: Client, caller: Identity, other_account: Identity, state: State, check: Checker
):
    identities = [caller, other_account] * 12

    def send(identity: Identity) -> Exchange:
        return client.send(get_integration(state.domain, state.uri), identity)

    with ThreadPoolExecutor(THREADS) as pool:
        exchanges = list(pool.map(send, identities))
    for identity, exchange in zip(identities, exchanges, strict=True):
        if identity is caller:
            check.ok(exchange, "concurrency.own-answer", domain=state.domain, uri=state.uri)
        else:
            check.denied(exchange, "concurrency.own-answer")
