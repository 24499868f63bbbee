"""A server that compresses unasked is lawful, and official clients that cannot read it are no violation."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from .conftest import RunSuite
from .mutants.messages import Request, Response
from .support import Process, Script, Scripted, emulator, forwarding, suite


def compressing(url: str) -> Script:
    """A script that passes requests on, and answers with compressed bodies whatever was asked for."""
    forward = forwarding(url)

    def script(request: Request) -> Response:
        answer = forward(request)
        return replace(answer, body=gzip.compress(answer.body)).with_header("Content-Encoding", "gzip")

    return script


@pytest.fixture
def compressed(closing: Any, serve: Callable[[Script], Scripted]) -> str:
    """The address of such a server."""
    behind: Process = closing(emulator())
    return serve(compressing(behind.url)).url


def test_what_an_sdk_does_not_read_is_not_exercised_and_told(
    run_suite: RunSuite, compressed: str, target_file: Any
) -> None:
    path = target_file(f'endpoint-url = "{compressed}"')
    files = (suite("sdk"), suite("throttling"), suite("access"))
    result = run_suite(*files, "--target", path, "--depth", "nightly")
    assert result.status == 0, result.output
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
