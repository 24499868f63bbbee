"""Above its quota a caller is throttled in the declared way, and served again after a pause."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import NOT_FOUND, OK, THROTTLED, Expectation
from getintegration_contract.operations import get_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target

from .clients import unreadable

pytestmark = pytest.mark.crowded
clauses = pytest.mark.clauses

#: Requests of one burst; a low quota is one that this exceeds.
BURST = 40
#: Requests of a burst at most, and how many at a time where one after another is too slow.
MOST, THREADS = 2_000, 8
#: Seconds of an answer, above which requests one after another are too few for any quota.
SLOW = 0.02
#: The SDK's pauses are random; with this seed they are the same in every run, and grow steadily from 60 ms.
PAUSES = 3407
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
    """Sends requests, several at a time, until one is throttled or the budget of the burst is spent.

    The last exchange is the one that ended it.
    """
    rate = target.throttling_rate or 0.0
    budget = min(MOST, max(BURST, int(2 * rate)))

    def burst() -> list[Exchange]:
        first = client.send(get_integration(state.domain, state.uri), throttled_caller, throttled=True)
        threads = THREADS if rate > BURST or first.seconds > SLOW else 1
        exchanges = [first]
        ended: list[Exchange] = []

        def ask(sender: Client) -> None:
            while not ended and len(exchanges) < budget:
                request = get_integration(state.domain, state.uri)
                exchange = sender.send(request, throttled_caller, throttled=True)
                exchanges.append(exchange)
                if exchange.response.status not in (200, 404) and len(exchanges) > 1:
                    ended.append(exchange)

        if threads == 1:
            ask(client)
        else:
            senders = [client.sibling() for _ in range(threads)]
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(ask, senders))
            for sender in senders:
                sender.close()
        last = ended[-1] if ended else exchanges[-1]
        return [*(exchange for exchange in exchanges if exchange is not last), last]

    return burst


def _achieved(exchanges: list[Exchange]) -> float:
    """Requests a second of a burst."""
    start = min(exchange.started for exchange in exchanges)
    end = max(exchange.started + exchange.seconds for exchange in exchanges)
    return len(exchanges) / max(end - start, 1e-6)


@clauses("throttling.occurs", "throttling.nothing-else", "throttling.recovers", "throttling.sdk-retry")
def test_throttled_and_served_again(
    burst: Callable[[], list[Exchange]],
    client: Client,
    sdk: Callable[..., Any],
    state: State,
    target: Target,
    throttled_caller: Identity,
    check: Checker,
) -> None:
    exchanges = burst()
    for exchange in exchanges:
        check.expect(exchange, Expectation("throttling.nothing-else", (OK, NOT_FOUND, THROTTLED)))
    last = exchanges[-1]
    occurred = last.response.error_type == "ThrottlingException" or last.response.status == 429
    rate = _achieved(exchanges)
    if not occurred and last.response.status in (200, 404) and rate <= (target.throttling_rate or 0.0):
        pytest.skip(f"{rate:.0f} requests a second were sent, which is not above the rate it throttles at")
    actual = f"{len(exchanges)} requests at {rate:.0f} a second, the last answered {last.response.status}"
    check.that("throttling.occurs", occurred, "429 ThrottlingException", actual, last)
    if not occurred:
        check.not_exercised("no request was throttled", "throttling.recovers", "throttling.sdk-retry")
        return
    # The SDK waits first, so that little is left to wait for.
    _through_throttling(sdk(throttled_caller), state, check, exchanges[0])
    started = time.monotonic()
    pause = 0.05
    while True:
        last = client.send(get_integration(state.domain, state.uri), throttled_caller, throttled=True)
        if last.response.status in (200, 404) or time.monotonic() - started > RECOVERY:
            break
        time.sleep(pause)
        pause *= 1.6
    check.expect(last, Expectation("throttling.recovers", (OK, NOT_FOUND)))


def _through_throttling(client: Any, state: State, check: Checker, earlier: Exchange) -> None:
    """An SDK's client in standard retry mode MUST get its answer, in the form of an earlier one."""
    answer, status = "an answer", 200
    before = random.getstate()
    random.seed(PAUSES)
    try:
        client.get_integration(DomainName=state.domain, Uri=state.uri)
    except EnvironmentFault:
        raise
    except Exception as error:  # a parser may stumble in any way
        response = getattr(error, "response", None) or {}  # None where there is no answer
        answer = response.get("Error", {}).get("Code") or type(error).__name__
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    finally:
        random.setstate(before)
    served = answer in ("an answer", "ResourceNotFoundException")
    if status == 408:  # which may pass, and this client does not ask again
        check.not_exercised("the SDK was answered 408", "throttling.sdk-retry")
    elif not unreadable(check, None if served else earlier, "botocore", "throttling.sdk-retry"):
        check.that("throttling.sdk-retry", served, "an answer, through retries", answer)
