"""What a lawful server keeps from being checked is not exercised, and the report says why."""

import gzip
import shutil
from dataclasses import replace
from typing import Any

from .conftest import RunSuite
from .mutants.kit import always, on_answer
from .mutants.messages import Request, Response
from .support import Process, emulator, suite


def _compressed(request: Request, answer: Response) -> Response:
    return replace(answer, body=gzip.compress(answer.body)).with_header("Content-Encoding", "gzip")


def test_what_an_sdk_does_not_read_is_not_exercised_and_told(
    run_suite: RunSuite, closing: Any, tap: Any, target_file: Any
) -> None:
    behind: Process = closing(emulator())
    path = target_file(f'endpoint-url = "{tap(behind.url, on_answer(_compressed, always)).url}"')
    files = (suite("sdk"), suite("throttling"), suite("access"))
    result = run_suite(*files, "--target", path, "--depth", "nightly", status=0)
    if shutil.which("aws"):
        assert "the AWS CLI does not read" in str(result.clause("sdk.aws-cli"))
    told = "the server compresses unasked, which the contract allows and botocore does not read"
    assert told in result.report["notes"]
    for name in ("sdk.boto3", "throttling.sdk-retry"):
        assert result.clause(name)["outcome"] == "not exercised"
        assert told in str(result.clause(name))
    assert result.outcomes["sdk.boto3.typed-errors"] != "violated"
    for name in ("throttling.occurs", "throttling.recovers", "access.unauthorized"):
        assert result.outcomes[name] == "upheld"


def test_a_member_that_never_comes_is_not_exercised(
    run_suite: RunSuite, closing: Any, tap: Any, target_file: Any
) -> None:
    def without_scope(answer: Response) -> Response:
        document = answer.document
        return answer.with_document({name: document[name] for name in document if name != "Scope"})

    behind: Process = closing(emulator())
    server = tap(behind.url, on_answer(lambda request, answer: without_scope(answer), always))
    result = run_suite(
        suite("state"), suite("updates"), "--target", target_file(f'endpoint-url = "{server.url}"')
    )
    assert result.outcomes["state.put-get.Scope"] == "not exercised"
    assert result.outcomes["state.put-get.Tags"] == "upheld"
