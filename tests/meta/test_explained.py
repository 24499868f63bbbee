"""What a run says beside its verdict: what was not exercised, how to repeat a finding, what is new."""

import shutil
import subprocess
from typing import Any

import pytest

from .conftest import RunSuite
from .mutants.kit import always, chain, drops, on_answer, on_document
from .mutants.messages import Handler
from .support import ACCESS_KEY, SECRET_KEY, Process, call, environment, suite


def test_what_an_sdk_does_not_read_is_not_exercised(
    run_suite: RunSuite, endpoint: Process, tap: Any, target_file: Any
) -> None:
    server = tap(endpoint.url, on_answer(lambda _, answer: answer.gzipped(), always))
    files = (suite("sdk"), suite("throttling"), suite("access"))
    target = target_file(f'endpoint-url = "{server.url}"')
    result = run_suite(*files, "--target", target, "--depth", "nightly", status=0)
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
    run_suite: RunSuite, endpoint: Process, tap: Any, target_file: Any
) -> None:
    server = tap(endpoint.url, on_document(drops("Scope"), always))
    target = target_file(f'endpoint-url = "{server.url}"')
    result = run_suite(suite("state"), suite("updates"), "--target", target)
    assert result.outcomes["state.put-get.Scope"] == "not exercised"
    assert result.outcomes["state.put-get.Tags"] == "upheld"


def _labelled(name: str, value: str) -> Handler:
    """Sends a header as it should not."""
    return on_answer(lambda _, answer: answer.with_header(name, value), always)


KNOWN = _labelled("Content-Type", "text/json")


@pytest.mark.parametrize(
    ("tool", "shown"), [("curl", "Content-Type: text/json"), ("aws", '"DomainName": "Mine"')]
)
def test_other_tools_ask_the_same_as_printed(
    holding: Process, tap: Any, run_suite: RunSuite, tool: str, shown: str
) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    if tool == "curl" and "--aws-sigv4" not in subprocess.check_output(["curl", "--help", "all"], text=True):
        pytest.skip("this curl cannot sign")
    env = environment(AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    existing = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    url = tap(holding.url, KNOWN).url
    result = run_suite(suite("valid"), "--endpoint-url", url, *existing, env=env, status=1)
    also = result.findings["response.content-type"]["also"]
    (line,) = (line for line in also if line.startswith(f"{tool} "))
    assert shown in call("bash", "-c", line, env=env, status=0).stdout


def test_only_what_the_baseline_has_not_fails_a_run(endpoint: Process, tap: Any, run_suite: RunSuite) -> None:
    more = chain(KNOWN, _labelled("X-Amzn-ErrorType", "ThrottlingException"))
    options = (suite("access"), suite("missing"), "-k", "unknown", "--endpoint-url")
    before = run_suite(*options, tap(endpoint.url, KNOWN).url)
    assert (before.status, set(before.findings)) == (1, {"error.content-type"}), before.output
    gate = ("--baseline", before.directory / "report.json", "--fail-on", "new")
    again = run_suite(*options, tap(endpoint.url, KNOWN).url, *gate)
    assert (again.status, "1 still violated" in again.stdout) == (0, True), again.output
    worse = run_suite(*options, tap(endpoint.url, more).url, *gate, status=1)
    assert worse.report["baseline"]["new"]
    assert worse.report["baseline"]["still"] == ["error.content-type"]
