"""Recording while the suite runs: crashes, going on from there, one budget for all workers."""

import os
import re
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.errors import UsageError

from ..conftest import RunSuite
from ..support import start_suite, suite, wait_for
from .conftest import about, load

FILES = (suite("missing"), suite("access"))
#: What a run that records is given, but for the path.
RECORD = (*FILES, "--record")


def test_a_killed_run_loses_the_test_under_way_alone_and_is_continued(
    run_suite: RunSuite, tmp_path: Path, emulator_har: Path
) -> None:
    path, partial = tmp_path / "a.har", tmp_path / "a.har.partial"
    process = start_suite(*RECORD, path, "--rate", "40")
    wait_for(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= 25, 60)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not path.exists()
    killed = recordings.read(path)
    assert (killed.suite.complete, len(killed.exchanges) > 10, len(killed.tests) > 2) == (False, True, True)
    lines = partial.read_bytes().count(b"\n") - 1  # behind the head
    assert len(killed.exchanges) + len(killed.tests) == lines
    assert "--resume" in run_suite(*RECORD, path, status=4).output

    resumed = run_suite(*RECORD, path, "--resume", status=0)
    assert f"{len(killed.tests)} tests are complete" in resumed.output
    whole = recordings.read(path)
    assert whole.suite.complete
    tests = [recorded.test for recorded in recordings.read(emulator_har).exchanges]
    expected = [test for test in tests if re.search("test_(missing|access).py::", test)]
    assert Counter(recorded.test for recorded in whole.exchanges) == Counter(expected)
    # What was complete before was not sent again: its exchanges are the ones of the killed run.
    before = {each.exchange.started for each in killed.exchanges if each.test in killed.tests}
    assert before <= {each.exchange.started for each in whole.exchanges}
    assert not partial.exists()


def test_a_run_that_spent_its_limit_goes_on_with_the_whole_verdict(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    path = tmp_path / "a.har"
    stopped = run_suite(*RECORD, path, "--max-requests", "25", status=6)
    assert "limit of 25 requests" in stopped.output
    assert not load(path)["_suite"]["complete"]
    assert len(load(path)["entries"]) <= 25

    resumed = run_suite(*RECORD, path, "--resume", status=0)
    assert resumed.outcomes["missing.domain"] == "upheld"
    assert resumed.outcomes["access.unauthorized"] == "upheld"
    entries = len(load(path)["entries"])

    again = run_suite(*RECORD, path, "--resume", status=0)  # nothing was left to do
    assert again.report["run"]["requests"] == entries
    assert len(load(path)["entries"]) == entries


def test_a_disk_that_is_full_ends_the_recording_and_not_the_run(run_suite: RunSuite, tmp_path: Path) -> None:
    small_disk = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    )
    path = tmp_path / "a.har"
    result = run_suite(*RECORD, path, plugin=small_disk, report=False, status=3)
    assert f"nothing more is recorded: cannot write {path}: File too large" in result.output
    assert result.output.count("nothing more is recorded") == 1
    assert "Traceback" not in result.output


def test_another_run_does_not_continue_a_recording() -> None:
    then = about()
    for other in ({"seed": 7}, {"endpoint": "http://other"}, {"depth": "nightly"}):
        with pytest.raises(UsageError, match="cannot be continued: its"):
            replace(then, **other).continuing(then)
    moved = replace(then, emulator=True, endpoint="http://other")  # its port is another every time
    assert moved.continuing(replace(then, emulator=True)) == moved
