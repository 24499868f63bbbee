"""Schemathesis, which generates cases from the description, and checks answers as well.

It is used here and nowhere else, and loaded only where something is generated: that takes longer than to send
the corpus. ``iter_coverage_cases`` and ``FeedbackSources`` are outside its documented interface, so the
version is pinned.
"""

import functools
import json
import re
from collections import Counter
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
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
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.judging.checker import Checker

from .reproducible import leave_local_constants_out

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
    """The operation, as Schemathesis reads it."""
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


def request_of(case: Any) -> Request:
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


def coverage_cases(contract: Contract, run_seed: int) -> dict[str, Any]:
    """Cases about one property of one parameter each, by what they are about."""
    operation = _operation(contract, run_seed)
    config = operation.schema.config.generation
    found: dict[str, Any] = {}
    times = Counter[str]()
    for case in operation.schema.iter_coverage_cases(
        operation, generation_modes=MODES, generation_config=config
    ):
        data = case.meta.phase.data
        label = re.sub(r"[^\w]+", "-", f"{data.parameter or 'request'} {data.description}").strip("-")[:70]
        times[label] += 1
        found[label if times[label] == 1 else f"{label}-{times[label]}"] = case
    return found


def fuzzed_cases(contract: Contract, run_seed: int) -> st.SearchStrategy[Any]:
    """Any cases, as many valid as invalid ones."""
    operation = _operation(contract, run_seed)
    return st.one_of(*(operation.as_strategy(mode, feedback=FeedbackSources()) for mode in MODES))


def second_opinion(case: Any, clause: str, exchange: Exchange, check: Checker) -> bool:
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
