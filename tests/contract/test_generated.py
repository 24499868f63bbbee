"""Cases that Schemathesis generates from the description, judged by the same judge as the scenarios.

Schemathesis is used here and nowhere else. ``iter_coverage_cases`` and ``FeedbackSources`` are outside its
documented interface, so the version is pinned.
"""

import functools
import json
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from getintegration_contract.contract import PATH, Contract
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.judging import oracle
from getintegration_contract.judging.checker import Checker
from getintegration_contract.judging.judge import Expectation
from getintegration_contract.operations import get_integration, integrations_path
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State

from .reproducible import leave_local_constants_out

#: Requests made of one generated case.
VARIANTS = 3
#: Requests of one shard that may go into making a broken case smaller.
SHRINKING = 150
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

#: Schemathesis' checks that apply. The others are the judge's, with AWS's tolerances: undeclared 4xx of
#: gateways (status_code_conformance), JSON media types of all kinds (content_type_conformance), errors
#: without a type header (response_headers_conformance); or they would send PUT (unsupported_method).
CHECKS = (
    not_a_server_error,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

Operation = APIOperation[Any, Any, Any, Any]

leave_local_constants_out()


@functools.cache
def _operation(contract: Contract, run_seed: int) -> Operation:
    config = SchemathesisConfig.from_dict(
        {
            "seed": run_seed,
            "generation": {"allow-x00": False},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": ["200", "404"]},
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
            },
            # PUT is PutIntegration: a wrong method is test_malformed.py's matter.
            "phases": {"coverage": {"unexpected-methods": []}},
        }
    )
    # The client signs; as a header to generate, Authorization would only cost time.
    schema = schemathesis.openapi.from_dict({**contract.document, "security": []}, config=config)
    return schema[PATH]["POST"]


def _request(case: Any) -> Request:
    """A case as it goes over the wire, without the headers that only Schemathesis knows."""
    sent = case.as_transport_kwargs(base_url="http://target")
    target = sent["url"].removeprefix("http://target")
    if sent.get("params"):
        target += "?" + "&".join(f"{name}={value}" for name, value in sorted(sent["params"].items()))
    if "json" in sent:
        body = json.dumps(sent["json"]).encode()
    else:
        data = sent.get("data") or b""
        body = data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else b""
    media_type = case.headers.get("Content-Type", case.media_type) if case.headers else case.media_type
    headers = (("Content-Type", str(media_type)),) if media_type else ()
    return Request("POST", target, headers, body)


def _coverage_cases(operation: Operation) -> Iterator[Any]:
    yield from operation.schema.iter_coverage_cases(
        operation, generation_modes=MODES, generation_config=operation.schema.config.generation
    )


def _identifier(case: Any, seen: dict[str, int]) -> str:
    """An id from what the case is about, numbered where several are about the same."""
    data = case.meta.phase.data
    label = re.sub(r"[^\w]+", "-", f"{data.parameter or 'request'} {data.description}").strip("-")[:70]
    seen[label] = seen.get(label, 0) + 1
    return label if seen[label] == 1 else f"{label}-{seen[label]}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    worker: Any = metafunc.config.pluginmanager.get_plugin("contract-worker")
    if "case" in metafunc.fixturenames:
        contract = worker.contract if worker else None
        cases = list(_coverage_cases(_operation(contract, worker.settings.seed))) if contract else []
        seen: dict[str, int] = {}
        metafunc.parametrize("case", cases, ids=[_identifier(case, seen) for case in cases])
    if "shard" in metafunc.fixturenames:
        metafunc.parametrize("shard", range(worker.settings.shards if worker else 1))


@pytest.fixture(scope="session")
def operation(worker: Any) -> Operation:
    """The operation, as Schemathesis reads it."""
    return _operation(worker.contract, worker.settings.seed)


def _second_opinion(case: Any, clause: str, exchange: Exchange, check: Checker) -> bool:
    """Whether Schemathesis' own checks, too, find no fault in an exchange in which the judge found none."""
    answer = exchange.response
    try:
        json.loads(answer.body or b"null")
    except ValueError:  # a number of more digits than it reads, as the judge does
        return True
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.lower(), []).append(value)
    sent = requests.Request("POST", exchange.endpoint + exchange.request.target).prepare()
    response = schemathesis.Response(answer.status, headers, answer.body, sent, exchange.seconds, True)
    try:
        case.validate_response(response, checks=list(CHECKS))
    except FailureGroup as group:
        failed = "; ".join(" ".join(str(failure).split()) for failure in group.exceptions)
        return check.that(clause, False, "an answer that Schemathesis' checks let pass", failed, exchange)
    return True


def _judge(case: Any | None, expected: Expectation, exchange: Exchange, check: Checker) -> bool:
    """Judge an exchange; of a whole case in which that finds no fault, Schemathesis judges as well.

    Returns:
        Whether no MUST that gates is violated.
    """
    held = check.expect(exchange, expected)
    # The judge lets pass what Schemathesis would not: a rejection of members that nobody knows.
    tolerated = expected.clause == "request.valid" and exchange.response.status == 400
    if held and case is not None and not tolerated:
        return _second_opinion(case, expected.clause, exchange, check)
    return held


def test_coverage(case: Any, client: Client, caller: Identity, state: State, check: Checker) -> None:
    request = _request(case)
    expected = oracle.expectation(check.judge.contract, request, (state.domain, state.uri))
    exchange = client.send(request, caller)
    _judge(case, expected, exchange, check)


@pytest.fixture(scope="session")
def cases(operation: Operation) -> st.SearchStrategy[Any]:
    """Generated cases, as many valid as invalid ones; built once, since building is slow."""
    return st.one_of(*(operation.as_strategy(mode, feedback=FeedbackSources()) for mode in MODES))


def _variants(request: Request, state: State) -> tuple[Request, ...]:
    """A generated request as it is, its body alone and its name alone beside what exists.

    Generating a case costs several times as much as sending it; alone, one fault cannot hide another, and
    a valid body, with the existing Uri in it, reaches a 200.
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
        for number, sent in enumerate(_variants(_request(case), state)):
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

    with suppress(Flaky):  # shrinking ended early; what was found is told at the end of the test
        fuzz()
    if stop:
        raise stop[0]
