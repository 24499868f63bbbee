"""The same seed sends the same requests, and comes to the same outcomes, however a run is made."""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.exchange import undated

from .conftest import RunSuite
from .support import IDENTITIES, Result, Tap, call, emulator, environment, recorded_run, sent, suite

#: How many requests these send is a matter of time: they ask until they are throttled, or served.
TIMED = ("test_throttling.py", "test_botocore_types_throttling")
#: These ask from several threads at once.
CONCURRENT = "test_concurrency.py"

Requests = dict[str, list[tuple[str, ...]]]


def _comparable(requests: Requests) -> Requests:
    return {
        test: sorted(each) if CONCURRENT in test else each
        for test, each in requests.items()
        if test and not _is_timed(test)
    }


def _is_timed(test: str) -> bool:
    return any(name in test for name in TIMED)


def _otherwise(folder: Path) -> dict[str, Any]:
    elsewhere, target = folder / "elsewhere", folder / "target.toml"
    elsewhere.mkdir()
    with closing(emulator()) as server, closing(Tap(server.url)) as tap:
        target.write_text(f'endpoint-url = "{tap.url}"\n{IDENTITIES}', encoding="utf-8")
        env = environment(CI="1", GITHUB_ACTIONS=None)
        made = recorded_run(folder, "--target", target, "-n", "4", cwd=elsewhere, env=env)
        wire = [[request.method, undated(request.target), request.body.hex()] for request in tap.received]
    (folder / "wire.json").write_text(json.dumps(wire), encoding="utf-8")
    assert not (elsewhere / ".hypothesis" / "examples").exists(), "examples of one run must not meet another"
    return made


@pytest.fixture(scope="module")
def other_run(shared: Callable[..., Any]) -> Result:
    """All of it again, made in every other way: by four workers, elsewhere, as CI, through a tap."""
    return Result.again(shared("otherwise", _otherwise))


def test_workers_directory_and_ci_change_no_request(default_run: Result, other_run: Result) -> None:
    one, other = _comparable(default_run.requests), _comparable(other_run.requests)
    assert len(one) > 300
    assert sorted(one) == sorted(other)
    assert [test for test in one if one[test] != other[test]] == []


def test_workers_change_no_outcome(default_run: Result, other_run: Result) -> None:
    assert other_run.status == default_run.status == 0, other_run.output
    for one, other in zip(default_run.report["clauses"], other_run.report["clauses"], strict=True):
        if one["id"] == "transport.close-announced":
            continue  # the tap between keeps its connections
        keys = {"outcome", "violations", "reason"}
        if not any(map(_is_timed, one["tests"] + other["tests"])):
            keys.add("checks")
        assert {key: one[key] for key in keys} == {key: other[key] for key in keys}, one["id"]
        tests, others = ([test for test in clause["tests"] if not _is_timed(test)] for clause in (one, other))
        assert tests == others, one["id"]


def test_what_is_recorded_is_what_goes_over_the_wire(other_run: Result) -> None:
    assert other_run.directory is not None
    arrived = Counter(map(tuple, json.loads((other_run.directory.parent / "wire.json").read_text("utf-8"))))
    recorded = Counter(each for requests in other_run.requests.values() for each in requests)
    assert recorded.total() > 300
    assert recorded - arrived == Counter()


def test_a_seed_generates_what_no_other_does(run_suite: RunSuite, tmp_path: Path) -> None:
    def fuzzed(*options: str) -> Requests:
        few = (suite("generated"), "--max-examples", "100", "-k", "test_fuzz", "--record", tmp_path / "a.har")
        run_suite(*few, *options, status=0)
        return sent(tmp_path / "a.har")

    one, again, other = fuzzed(), fuzzed("-n", "2"), fuzzed("--hypothesis-seed", "1")
    assert one == again
    assert sorted(one) == sorted(other)
    assert [test for test in one if one[test] == other[test]] == []
    first, second = one.values()
    assert first != second, "shards of one seed are alike"


def test_a_finding_is_repeated_by_its_command(run_suite: RunSuite, mislabelling: str, tmp_path: Path) -> None:
    options = (suite("generated"), "--max-examples", "100", "-k", "fuzz", "--endpoint-url", mislabelling)
    first, again = tmp_path / "first.har", tmp_path / "again.har"
    result = run_suite(*options, "--record", first, cwd=tmp_path, status=1)
    finding = result.findings["error.content-type"]
    place = finding["places"][0]
    assert len(finding["places"]) > 1, "one of several tests is repeated"
    assert "--report-dir" not in finding["repeat"], "repeating must not overwrite the report"

    command = shlex.split(finding["repeat"])
    assert command[0] == "pytest"
    call(sys.executable, "-m", *command, "--record", again, cwd=tmp_path, status=1)
    repeated = sent(again)
    assert set(repeated) == {place}
    assert repeated[place] == sent(first)[place]
