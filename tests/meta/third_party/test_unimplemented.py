"""moto and MiniStack do not have the operation; that is all there is to say of them."""

from collections.abc import Callable

import pytest

from ..conftest import RunSuite
from ..support import Tap
from .servers import Server

pytestmark = pytest.mark.third_party

GIVEN = ("--domain-name", "ExampleDomainName", "--integration-uri", "s3://bucket")
#: Requests, repeated ones among them, after which it has to be clear.
SOON = 30


@pytest.mark.parametrize("options", [(), GIVEN, ("--no-writes",)], ids=["alone", "state given", "no writes"])
def test_said_plainly_and_soon(
    run_suite: RunSuite, tap: Callable[[str], Tap], lacking: Server, options: tuple[str, ...]
) -> None:
    listener = tap(lacking.url)
    result = run_suite("--endpoint-url", listener.url, *options, lean=False, status=6)
    (said,) = result.report["notes"]
    assert said.startswith(f"{listener.url} does not implement GetIntegration: it answered ")
    assert said in result.output
    assert "violated" not in result.report["counts"]
    assert 0 < len(listener.received) <= SOON
