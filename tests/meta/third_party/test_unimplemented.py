"""moto and MiniStack do not have the operation; that is all there is to say of them."""

from __future__ import annotations

import time

import pytest

from ..conftest import RunSuite
from .servers import Server

pytestmark = pytest.mark.third_party

GIVEN = ("--domain-name", "ExampleDomainName", "--integration-uri", "s3://bucket")
#: Seconds for what takes two or three on a machine that does nothing else.
SOON = 30


@pytest.mark.parametrize("options", [(), GIVEN, ("--no-writes",)], ids=["alone", "state given", "no writes"])
def test_said_plainly_and_soon(run_suite: RunSuite, lacking: Server, options: tuple[str, ...]) -> None:
    started = time.monotonic()
    result = run_suite("--endpoint-url", lacking.url, *options, lean=False)
    assert time.monotonic() - started < SOON
    assert result.status == 6, result.output
    (said,) = result.report["notes"]
    assert said.startswith(f"{lacking.url} does not implement GetIntegration: it answered ")
    assert said in result.output
    assert result.report["run"]["requests"] == 0
    assert "violated" not in result.report["counts"]
