"""Cases that Schemathesis generates from the description, judged by the same judge as the scenarios.

Schemathesis is used here and nowhere else. ``iter_coverage_cases`` and ``FeedbackSources`` are outside its
documented interface, so the version is pinned.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)

from getintegration_contract import oracle
from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, get_integration, integrations_path
from getintegration_contract.contract import PATH, Contract
from getintegration_contract.environment import EnvironmentFault
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.identity import Identity
from getintegration_contract.judge import Expectation
from getintegration_contract.run import shards
from getintegration_contract.state import State

from .reproducible import leave_local_constants_out

#: Requests made of one generated case.
VARIANTS = 3
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

leave_local_constants_out()


@functools.cache
def _operation(contract: Contract, run_seed: int) -> APIOperation:
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


def _coverage_cases(operation: APIOperation) -> Iterator[Any]:
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
    worker = metafunc.config.pluginmanager.get_plugin("contract-worker")
    if "case" in metafunc.fixturenames:
        contract = worker.contract if worker else None
        cases = list(_coverage_cases(_operation(contract, worker.seed))) if contract else []
        seen: dict[str, int] = {}
        metafunc.parametrize("case", cases, ids=[_identifier(case, seen) for case in cases])
    if "shard" in metafunc.fixturenames:
        examples = worker.max_examples if worker else 0
        metafunc.parametrize("shard", range(shards(examples)))


@pytest.fixture(scope="session")
def operation(worker: Any) -> APIOperation:
    """The operation, as Schemathesis reads it."""
    return _operation(worker.contract, worker.seed)


def _second_opinion(case: Any, exchange: Exchange, check: Checker) -> None:
    """What Schemathesis' own checks say of an exchange in which the judge found no fault."""
    answer = exchange.response
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers:
        headers.setdefault(name.lower(), []).append(value)
    sent = requests.Request("POST", exchange.endpoint + exchange.request.target).prepare()
    response = schemathesis.Response(answer.status, headers, answer.body, sent, exchange.seconds, True)
    failures: tuple[Failure, ...] = ()
    try:
        case.validate_response(response, checks=list(CHECKS))
    except FailureGroup as group:
        failures = tuple(failure for failure in group.exceptions if isinstance(failure, Failure))
    failed = {failure.code: failure for failure in failures}
    for function in CHECKS:
        name = function.__name__
        failure = failed.pop(name, None)
        check.that(f"schemathesis.{name}", failure is None, "no failure", str(failure), exchange)
    for failure in failed.values():  # a code that is not its check's name
        check.that(f"schemathesis.{CHECKS[-1].__name__}", False, "no failure", str(failure), exchange)


def _judge(case: Any | None, expected: Expectation, exchange: Exchange, check: Checker) -> None:
    """Judge an exchange; of the whole of a case in which that finds no fault, Schemathesis judges as well."""
    held = check.expect(exchange, expected)
    # The judge lets pass what Schemathesis would not: a rejection of members that nobody knows.
    tolerated = expected.clause == "request.valid" and exchange.response.status == 400
    if held and case is not None and not tolerated:
        _second_opinion(case, exchange, check)


def test_coverage(case: Any, client: Client, caller: Identity, state: State, check: Checker) -> None:
    request = _request(case)
    expected = oracle.expectation(check.judge.contract, request, (state.domain, state.uri))
    exchange = client.send(request, caller)
    _judge(case, expected, exchange, check)


@pytest.fixture(scope="session")
def cases(operation: APIOperation) -> st.SearchStrategy[Any]:
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
    examples = math.ceil(worker.max_examples / shards(worker.max_examples) / VARIANTS)

    @seed(worker.seed * 1_000_003 + shard)
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
        existing = (state.domain, state.uri)
        for number, sent in enumerate(_variants(_request(case), state)):
            if stop:
                return  # no more is sent: Hypothesis would look for a smaller case in vain
            expected = oracle.expectation(check.judge.contract, sent, existing)
            try:
                exchange = client.send(sent, caller)
            except EnvironmentFault as fault:
                stop.append(fault)
                return
            _judge(case if number == 0 else None, expected, exchange, check)
            check.raise_if_violated()

    fuzz()
    if stop:
        raise stop[0]
