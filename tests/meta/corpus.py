"""Has Schemathesis generate the corpus anew: ``python -m tests.meta.corpus > openapi/corpus.json``."""

import hashlib
import json
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from getintegration_contract import paths
from getintegration_contract.contract import Contract
from getintegration_contract.exchange import Request

from ..contract import generation

#: Different cases of the phase "fuzzing"; of "coverage" there are as many as Schemathesis finds.
_FUZZED = 34


def digest(contract: Contract) -> str:
    """What tells one description of requests from another."""
    described = [contract.document["paths"], contract.document["components"]]
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def corpus(contract: Contract) -> dict[str, Any]:
    """The cases of both phases by id, and the digest of the description that they are generated from."""
    covering = {
        label: _kept("coverage", generation.request_of(case))
        for label, case in generation.coverage_cases(contract, 0).items()
    }
    fuzzed: dict[Request, dict[str, Any]] = {}

    @seed(0)
    @settings(
        max_examples=4 * _FUZZED,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=generation.fuzzed_cases(contract, 0))
    def gather(case: Any) -> None:
        request = generation.request_of(case)
        if len(fuzzed) < _FUZZED:
            fuzzed[request] = _kept("fuzzing", request)

    gather()
    numbered = {f"fuzzing-{number}": case for number, case in enumerate(fuzzed.values(), 1)}
    return {"description": digest(contract), "cases": {**covering, **numbered}}


def _kept(phase: str, request: Request) -> dict[str, str | None]:
    """A request as JSON; each byte of its body is a character."""
    media_type = dict(request.headers).get("Content-Type")
    body = request.body.decode("latin-1")
    return {"phase": phase, "target": request.target, "media-type": media_type, "body": body}


if __name__ == "__main__":
    print(json.dumps(corpus(Contract.load(paths.description())), indent=1))
