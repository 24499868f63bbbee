"""microburst injects faults between the suite and the shipped emulator; each is judged as what it is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import RunSuite
from ..support import suite
from .conftest import violated
from .servers import Microburst

pytestmark = pytest.mark.third_party

Expected = Callable[[str, str], set[str]]

THROTTLED = {"error": {"code": "ThrottlingException"}}
CRASH = {"error": {"code": "InternalServerException"}}
RESET = {"reset": True}

#: What becomes of every answer, and so persists.
PERSISTENT: dict[str, dict[str, Any]] = {
    "reset": RESET,
    "crash": CRASH,
    "broken-off": {"response": {"abort_frac": 0.5}},
    "shortened": {"response": {"truncate_frac": 0.5}},
    "corrupt": {"response": {"corrupt_bytes": 16}},
    "media-type": {"response": {"set_headers": {"Content-Type": "text/plain"}}},
    "no-type": {"response": {"strip_headers": ["X-Amzn-ErrorType"]}},
    "no-request-id": {"response": {"strip_headers": ["x-amzn-RequestId"]}},
}
#: What a caller meets who claims to be throttled.
CLAIMED: dict[str, dict[str, Any]] = {
    "throttling": THROTTLED,
    "throttling-400": {"error": {"code": "ThrottlingException", "status": 400}},
    "throttling-503": {"error": {"code": "SlowDown", "status": 503}},
}


@pytest.fixture
def proxy(microburst: Microburst) -> Iterator[Microburst]:
    """The proxy, which injects nothing before and after a test."""
    microburst.inject()
    yield microburst
    microburst.inject()


def _only(fault: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A fault of GetIntegration alone, so that state can be made."""
    return {"operation": "GetIntegration", **fault, **more}


def _at(proxy: Microburst) -> tuple[str, ...]:
    return "--endpoint-url", proxy.url, "--not-claimed", "signatures"


def test_what_the_proxy_itself_violates(run_suite: RunSuite, proxy: Microburst, expected: Expected) -> None:
    result = run_suite(*_at(proxy), timeout=200)
    assert violated(result) == expected("microburst", "nothing")
    assert result.status == 1
    assert proxy.fired == 0


def _reported(fault: dict[str, Any]) -> set[str]:
    """Passing faults are reported where they are not rare, but throttling is the pace of the suite."""
    return set() if fault is THROTTLED else {"transport.stray-faults"}


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(THROTTLED, "429", id="throttling"),
        pytest.param(CRASH, "500", id="crashes"),
        pytest.param(RESET, "the connection was closed without a whole answer", id="resets"),
    ],
)
@pytest.mark.parametrize("themes", ["valid missing", "state updates stateful transport sdk", "concurrency"])
def test_stray_faults_are_repeated(
    run_suite: RunSuite, proxy: Microburst, fault: dict[str, Any], kind: str, themes: str
) -> None:
    crowd = themes == "concurrency"
    # One request after another has to be answered first, or the suite skips the crowd.
    harmless = [_only({"latency": 1}, times=20)] if crowd else []
    proxy.inject(*harmless, _only(fault, sequence={"fail": 1, "pass": 30 if crowd else 8}))
    result = run_suite(*map(suite, themes.split()), *_at(proxy), timeout=200)
    assert (result.status, violated(result)) == (0, _reported(fault)), result.output
    assert proxy.fired > (20 if crowd else 10)
    if crowd:
        assert result.outcomes["concurrency.no-fault"] == "upheld"
    if themes == "valid missing":
        assert result.report["run"]["faults"] == {kind: proxy.fired}, "they are counted"


@pytest.mark.parametrize("case", PERSISTENT)
def test_persistent_faults_are_violations(
    run_suite: RunSuite, proxy: Microburst, expected: Expected, case: str
) -> None:
    proxy.inject(_only(PERSISTENT[case]))
    found, unknown = f"{suite('valid')}::test_existing", f"{suite('missing')}::test_unknown_uri"
    result = run_suite(found, unknown, f"{suite('malformed')}::test_uri_absent", *_at(proxy))
    assert violated(result) == expected("microburst", case)
    assert result.status == (0 if case == "no-request-id" else 1), result.output
    requests = result.report["run"]["requests"]
    # Before the tests it is asked on three more connections, and again after what may be a passing fault.
    assert requests > 0
    assert proxy.fired - requests in (3, 9)


def test_no_answer_in_time(run_suite: RunSuite, proxy: Microburst, expected: Expected) -> None:
    proxy.inject(_only({"latency": 3000}))
    result = run_suite(f"{suite('valid')}::test_existing", *_at(proxy), "--request-timeout", "1")
    assert violated(result) == expected("microburst", "slow")
    assert result.findings["transport.answers"]["actual"] == "no answer within the time limit"


@pytest.mark.parametrize("case", CLAIMED)
def test_throttling_that_is_claimed(
    run_suite: RunSuite, proxy: Microburst, expected: Expected, target_file: Callable[..., Path], case: str
) -> None:
    low_quota = {"headers": {"Authorization": "AKIAEXAMPLELOWQUOTA1"}}
    # A fault other than 429 is repeated at once, and only one that lasts is none of the environment.
    failing = 5 if case == "throttling-503" else 2
    proxy.inject(_only(CLAIMED[case] | low_quota, sequence={"fail": failing, "pass": 5}))
    target = target_file(f'endpoint-url = "{proxy.url}"', 'not-claimed = ["signatures"]')
    result = run_suite(suite("throttling"), "--target", target)
    assert violated(result) == expected("microburst", case)
    assert proxy.fired >= 2
    throttling = {outcome for clause, outcome in result.outcomes.items() if clause.startswith("throttling.")}
    assert throttling == {"upheld"} or case == "throttling-503"
