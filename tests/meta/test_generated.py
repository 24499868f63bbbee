"""Generated cases: the corpus is up to date, Schemathesis' own checks count, broken cases shrink, no story
hides another."""

import json
from collections import Counter
from typing import Any

import pytest

from getintegration_contract import paths

from ..contract import generation
from .conftest import RunSuite
from .corpus import digest
from .exchanges import INTEGRATION, checking, exchange
from .mutants.kit import always, is_get, on_answer
from .mutants.messages import Forward, Request, Response, error
from .support import CONTRACT, Process, suite


def test_the_corpus_was_generated_from_this_description() -> None:
    corpus = json.loads(paths.corpus().read_text(encoding="utf-8"))
    assert corpus["description"] == digest(CONTRACT), "python -m tests.meta.corpus > openapi/corpus.json"
    assert len(corpus["cases"]) > 60


@pytest.mark.parametrize(
    ("status", "document", "passes"),
    [(200, INTEGRATION, True), (500, {}, False), (200, INTEGRATION | {"Uri": 1}, False), (400, {}, False)],
    ids=["found", "a crash", "against the schema", "a valid request rejected"],
)
def test_schemathesis_has_its_own_say(status: int, document: Any, passes: bool) -> None:
    cases = generation.coverage_cases(CONTRACT, 0).values()
    case = next(case for case in cases if case.meta.generation.mode.is_positive)
    checker, entry = checking()
    assert generation.second_opinion(case, "request.valid", exchange(status, document), checker) is passes
    assert set(entry.findings) == (set() if passes else {"request.valid"})


def test_a_broken_case_is_made_smaller(run_suite: RunSuite, tap: Any, endpoint: Process) -> None:
    def script(request: Request, forward: Forward) -> Response:
        wide = isinstance(request.uri, str) and any("\u0100" <= char < "\ud800" for char in request.uri)
        return error(500, "InternalServerException") if is_get(request) and wide else forward(request)

    options = ("--max-examples", "100", "--endpoint-url", tap(endpoint.url, script).url)
    result = run_suite(f"{suite('generated')}::test_fuzz", *options)
    assert result.status == 1, result.output
    (finding,) = result.report["findings"]
    assert finding["clause"] == "request.valid"
    assert len(json.loads(finding["exchange"]["request"]["body"])["Uri"]) == 1


def test_no_broken_story_hides_another(run_suite: RunSuite, tap: Any, endpoint: Process) -> None:
    puts: Counter[tuple[str, str]] = Counter()
    dropped: set[str] = set()

    def script(request: Request, answer: Response) -> Response:
        if request.method == "PUT":
            puts[request.domain, request.uri] += 1
        elif request.method == "DELETE":
            dropped.add(request.domain)
        elif is_get(request) and answer.status == 404 and request.domain in dropped:
            return error(400, "BadRequestException")
        elif is_get(request) and answer.status == 200 and puts[request.domain, request.uri] > 1:
            return answer.edited(CreatedAt=answer.document["LastUpdatedAt"])
        return answer

    # With this seed the stories of a gate run come upon both.
    options = ("--endpoint-url", tap(endpoint.url, on_answer(script, always)).url, "--hypothesis-seed", "1")
    result = run_suite(suite("stateful"), *options)
    found = {finding["clause"]: finding["expected"] for finding in result.report["findings"]}
    assert found.keys() >= {"state.CreatedAt.stable", "state.deleted-domain"}
    assert ". get " in found["state.CreatedAt.stable"], "told as a story"
