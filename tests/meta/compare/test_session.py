"""Recording while the suite runs: crashes, going on from there, one budget for all workers."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.errors import RecordingError
from getintegration_contract.plugin.session import Session

from ..support import Result, finish, start_suite, suite, wait_for
from .kit import about, load

FILES = (suite("missing"), suite("access"))


def lines(path: Path) -> list[bytes]:
    """The whole lines of all parts of a recording."""
    parts = path.with_name(path.name + ".parts").glob("*.jsonl")
    return [line for part in parts for line in part.read_bytes().splitlines(True) if line.endswith(b"\n")]


def record(path: Path, *options: str | Path) -> Result:
    """A run that records, to its end."""
    return finish(start_suite(*FILES, "--record", path, *options, lean=True))


def test_a_killed_run_loses_at_most_the_exchange_under_way_and_goes_on(
    tmp_path: Path, emulator_har: Path
) -> None:
    path = tmp_path / "a.har"
    process = start_suite(*FILES, "--record", path, "--rate", "40", lean=True)
    wait_for(lambda: len(lines(path)) >= 24, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = [json.loads(line) for line in lines(path)]
    written = [line for line in kept if "_done" not in line]
    assert not path.exists()
    with recordings.read(path) as recording:
        assert len(recording) == len(written)
        complete = set(recording.tests)
        assert not recording.suite.complete
    assert len(complete) >= 3

    refused = record(path)
    assert refused.status == 4
    assert "--resume" in refused.output

    resumed = record(path, "--resume")
    assert resumed.status == 0, resumed.output
    assert f"{len(complete)} tests are complete" in resumed.output
    log = load(path)["log"]
    assert log["_suite"]["complete"]
    counts: dict[str, int] = {}
    for entry in log["entries"]:
        counts[entry["_test"]] = counts.get(entry["_test"], 0) + 1
    expected: dict[str, int] = {}
    for entry in load(emulator_har)["log"]["entries"]:
        if entry["_test"].partition("::")[0].endswith(("test_missing.py", "test_access.py")):
            expected[entry["_test"]] = expected.get(entry["_test"], 0) + 1
    assert counts == expected
    # What was complete before was not sent again: its exchanges are the ones of the killed run.
    before = {line["startedDateTime"] for line in written if line["_test"] in complete}
    assert before <= {entry["startedDateTime"] for entry in log["entries"]}
    assert not path.with_name("a.har.parts").exists()


def test_a_run_that_spent_its_limit_goes_on_with_the_whole_verdict(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    stopped = record(path, "--max-requests", "25")
    assert stopped.status == 6, stopped.output
    assert "limit of 25 requests" in stopped.output
    assert not load(path)["log"]["_suite"]["complete"]
    assert len(load(path)["log"]["entries"]) <= 25

    report = tmp_path / "report"
    resumed = finish(start_suite(*FILES, "--record", path, "--resume", report=report, lean=True), report)
    assert resumed.status == 0, resumed.output
    assert resumed.outcomes["missing.domain"] == "upheld"
    assert resumed.outcomes["access.unauthorized"] == "upheld"
    entries = len(load(path)["log"]["entries"])

    again = finish(start_suite(*FILES, "--record", path, "--resume", report=report, lean=True), report)
    assert again.status == 0, again.output  # nothing was left to do
    assert again.report["run"]["requests"] == entries
    assert len(load(path)["log"]["entries"]) == entries


def test_another_run_does_not_go_on_with_a_recording() -> None:
    then = about()
    for now in (
        replace(then, seed=7),
        replace(then, endpoint="http://other"),
        replace(then, depth="nightly"),
    ):
        with pytest.raises(RecordingError, match="cannot be resumed: its"):
            Session._check(now, then, Path("a.har"))
    moved = replace(then, emulator=True, endpoint="http://other")
    Session._check(moved, replace(then, emulator=True), Path("a.har"))  # its port is another every time
