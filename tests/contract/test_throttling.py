"""Above its quota a caller is told to slow down, in the declared way, and served again after a pause."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity, get_integration
from getintegration_contract.exchange import Exchange
from getintegration_contract.judge import NOT_FOUND, OK, THROTTLED, Expectation
from getintegration_contract.state import State
from getintegration_contract.target import Target

clauses = pytest.mark.clauses

#: Requests of one burst; a low quota is one that this exceeds.
BURST = 40
#: Seconds within which a throttled caller has to be served again.
RECOVERY = 10.0


@pytest.fixture
def throttled_caller(target: Target) -> Identity:
    """The identity whose quota a burst exceeds."""
    return target.identities.get("low-quota", target.caller)


@pytest.fixture
def burst(
    client: Client, state: State, target: Target, throttled_caller: Identity
) -> Callable[[], list[Exchange]]:
    """Sends requests, unrepeated, until one is throttled or the budget of the burst is spent."""
    budget = max(BURST, int(2 * (target.throttling_rate or 0)))

    def burst() -> list[Exchange]:
        exchanges: list[Exchange] = []
        for _ in range(budget):
            request = get_integration(state.domain, state.uri)
            exchanges.append(client.send(request, throttled_caller, throttled=True))
            if exchanges[-1].response.status != 200 and len(exchanges) > 1:
                break
        return exchanges

    return burst


@clauses("throttling.occurs", "throttling.nothing-else", "throttling.recovers")
def test_throttled_and_served_again(
    burst, client: Client, state: State, throttled_caller: Identity, check: Checker
):
    exchanges = burst()
    for exchange in exchanges:
        check.expect(exchange, Expectation("throttling.nothing-else", (OK, NOT_FOUND, THROTTLED)))
    last = exchanges[-1]
    occurred = check.judge.error_type(last) == "ThrottlingException" or last.response.status == 429
    actual = f"{len(exchanges)} requests, the last answered {last.response.status}"
    check.that("throttling.occurs", occurred, "429 ThrottlingException", actual, last)
    if not occurred:
        check.not_exercised("no request was throttled", "throttling.recovers", "throttling.sdk-retry")
        return
    started = time.monotonic()
    pause = 0.1
    while last.response.status not in (200, 404) and time.monotonic() - started < RECOVERY:
        time.sleep(pause)
        pause *= 1.6
        last = client.send(get_integration(state.domain, state.uri), throttled_caller, throttled=True)
    check.expect(last, Expectation("throttling.recovers", (OK, NOT_FOUND)))


@clauses("throttling.sdk-retry")
def test_sdk_gets_its_answer(burst, sdk, state: State, throttled_caller: Identity, check: Checker):
    import botocore.exceptions

    if burst()[-1].response.status == 200:
        pytest.skip("no request was throttled")
    answer = "an answer"
    try:
        sdk(throttled_caller).get_integration(DomainName=state.domain, Uri=state.uri)
    except botocore.exceptions.ClientError as error:
        answer = str(error.response["Error"]["Code"])
    except botocore.exceptions.BotoCoreError as error:
        answer = type(error).__name__
    served = answer in ("an answer", "ResourceNotFoundException")
    check.that("throttling.sdk-retry", served, "an answer, through retries", answer)
