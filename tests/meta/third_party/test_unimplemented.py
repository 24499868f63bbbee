"""moto and MiniStack do not have the operation; that is all there is to say of them."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ..conftest import RunSuite
from ..support import Tap
from .conftest import Programs
from .servers import Server

pytestmark = pytest.mark.third_party

GIVEN = ("--domain-name", "ExampleDomainName", "--integration-uri", "s3://bucket")
#: Requests, repeated ones among them, after which it has to be clear.
SOON = 30


@pytest.fixture(scope="module", params=["moto", "ministack"])
def lacking(
    request: pytest.FixtureRequest, programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A mock of AWS that does not have the operation."""
    with closing(Server(request.param, programs(request.param), tmp_path_factory.mktemp("it"))) as server:
        yield server


@pytest.mark.parametrize("options", [(), GIVEN, ("--no-writes",)], ids=["alone", "state given", "no writes"])
def test_said_plainly_and_soon(
    run_suite: RunSuite, tap: Callable[[str], Tap], lacking: Server, options: tuple[str, ...]
) -> None:
    listener = tap(lacking.url)
    result = run_suite("--endpoint-url", listener.url, *options, status=6)
    (said,) = result.report["notes"]
    assert said.startswith(f"{listener.url} does not implement GetIntegration: it answered ")
    assert said in result.output
    assert "violated" not in result.report["counts"]
    assert 0 < len(listener.received) <= SOON
