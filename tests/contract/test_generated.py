"""Cases that Schemathesis generated from the description, judged by the same judge as the scenarios.

Those of the corpus, which lies beside the description, are the same in every run. Where ``--max-examples``
asks for more, Schemathesis generates anew.
"""

import json
import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from getintegration_contract import paths
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.judging import oracle
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import Expectation
from getintegration_contract.operations import get_integration, integrations_path
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State

#: Requests made of one fuzzed case: generating it costs several times as much as sending it.
VARIANTS = 3
#: Requests of one shard that may go into making a broken case smaller.
SHRINKING = 150
_IDLE = pytest.mark.skip(reason="nothing is generated anew: --max-examples is 0")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    worker: Any = metafunc.config.pluginmanager.get_plugin("contract-worker")
    idle = [pytest.param(None, marks=_IDLE)] if worker is None or not worker.settings.max_examples else []
    if "kept" in metafunc.fixturenames:
        corpus = json.loads(paths.corpus().read_text(encoding="utf-8"))["cases"]
        metafunc.parametrize("kept", corpus.values(), ids=corpus)
    elif "case" in metafunc.fixturenames:
        cases = {} if idle else _generation().coverage_cases(worker.contract, worker.settings.seed)
        metafunc.parametrize("case", idle or cases.values(), ids=None if idle else cases)
    elif "shard" in metafunc.fixturenames:
        metafunc.parametrize("shard", idle or range(worker.settings.shards))


def _generation() -> Any:
    """Schemathesis' part, which is slow to load."""
    from . import generation

    return generation


def _variants(request: Request, state: State) -> tuple[Request, ...]:
    """A fuzzed request as it is, its body alone and its name alone beside what exists.

    Alone, one fault cannot hide another, and a valid body, with the existing Uri in it, reaches a 200.
    """
    body = request.body
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if isinstance(document, dict) and isinstance(document.get("Uri"), str) and 0 < len(document["Uri"]) < 256:
        body = json.dumps({**document, "Uri": state.uri}).encode()
    return (
        request,
        replace(request, target=integrations_path(state.domain), body=body),
        replace(get_integration("x", state.uri), target=request.target),
    )


def _judge(case: Any | None, expected: Expectation, exchange: Exchange, check: Checker) -> bool:
    """Judge an exchange; of a whole case in which that finds no fault, Schemathesis judges as well.

    Returns:
        Whether no MUST that gates is violated.
    """
    held = check.expect(exchange, expected)
    # The judge lets pass what Schemathesis would not: a rejection of members that nobody knows.
    tolerated = expected.clause == "request.valid" and exchange.response.status == 400
    if held and case is not None and not tolerated:
        return bool(_generation().second_opinion(case, expected.clause, exchange, check))
    return held


def test_corpus(kept: dict[str, Any], client: Client, caller: Identity, state: State, check: Checker) -> None:
    headers = (("Content-Type", kept["media-type"]),) if kept["media-type"] else ()
    request = Request("POST", kept["target"], headers, kept["body"].encode("latin-1"))
    for sent in _variants(request, state) if kept["phase"] == "fuzzing" else (request,):
        expected = oracle.expectation(check.judge.contract, sent, (state.domain, state.uri))
        check.expect(client.send(sent, caller), expected)


def test_coverage(case: Any, client: Client, caller: Identity, state: State, check: Checker) -> None:
    request = _generation().request_of(case)
    expected = oracle.expectation(check.judge.contract, request, (state.domain, state.uri))
    exchange = client.send(request, caller)
    _judge(case, expected, exchange, check)


@pytest.fixture(scope="session")
def cases(worker: Any) -> st.SearchStrategy[Any]:
    """What Schemathesis generates; built once, since building is slow."""
    strategy: st.SearchStrategy[Any] = _generation().fuzzed_cases(worker.contract, worker.settings.seed)
    return strategy


def test_fuzz(
    shard: int,
    cases: st.SearchStrategy[Any],
    client: Client,
    caller: Identity,
    state: State,
    check: Checker,
    worker: Any,
) -> None:
    stop: list[EnvironmentFault] = []
    broken, shrinking = False, 0
    examples = math.ceil(worker.settings.max_examples / worker.settings.shards / VARIANTS)

    @seed(worker.settings.seed * 1_000_003 + shard)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def fuzz(case: Any) -> None:
        nonlocal broken, shrinking
        existing = (state.domain, state.uri)
        for number, sent in enumerate(_variants(_generation().request_of(case), state)):
            if stop or shrinking >= SHRINKING:
                return  # no more is sent: Hypothesis would look for a smaller case in vain
            shrinking += broken
            expected = oracle.expectation(check.judge.contract, sent, existing)
            try:
                exchange = client.send(sent, caller)
            except EnvironmentFault as fault:
                stop.append(fault)
                return
            if not _judge(case if number == 0 else None, expected, exchange, check):
                broken = True
                check.raise_if_violated()

    with suppress(Flaky):  # shrinking ended early; what was found is reported at the end of the test
        fuzz()
    if stop:
        raise stop[0]
