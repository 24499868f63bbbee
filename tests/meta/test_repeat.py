"""The commands that repeat a finding, run as they are printed; and a gate on what is new alone."""

import shutil
import subprocess
from typing import Any

import pytest

from .conftest import RunSuite
from .mutants.kit import always, chain, on_answer
from .mutants.messages import Handler
from .support import ACCESS_KEY, SECRET_KEY, Process, call, environment, suite


def _labelled(name: str, value: str) -> Handler:
    """Sends a header as it should not."""
    return on_answer(lambda _, answer: answer.with_header(name, value), always)


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
    server = tap(holding.url, _labelled("Content-Type", "text/json"))
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    existing = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    given = (suite("valid"), "--endpoint-url", server.url, *existing)
    result = run_suite(*given, env=environment(**keys), status=1)
    also = result.findings["response.content-type"]["also"]
    (line,) = (line for line in also if line.startswith(f"{tool} "))
    assert shown in call("bash", "-c", line, env=environment(**keys), status=0).stdout


def test_only_what_the_baseline_has_not_fails_a_run(endpoint: Process, tap: Any, run_suite: RunSuite) -> None:
    known = _labelled("Content-Type", "text/json")
    more = chain(known, _labelled("X-Amzn-ErrorType", "ThrottlingException"))
    options = (suite("access"), suite("missing"), "-k", "unknown", "--endpoint-url")
    before = run_suite(*options, tap(endpoint.url, known).url)
    assert (before.status, set(before.findings)) == (1, {"error.content-type"}), before.output
    gate = ("--baseline", before.directory / "report.json", "--fail-on", "new")
    again = run_suite(*options, tap(endpoint.url, known).url, *gate)
    assert (again.status, "1 still violated" in again.stdout) == (0, True), again.output
    worse = run_suite(*options, tap(endpoint.url, more).url, *gate, status=1)
    assert worse.report["baseline"]["new"]
    assert worse.report["baseline"]["still"] == ["error.content-type"]
