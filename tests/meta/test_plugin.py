"""A run among signals, broken streams, full disks, and plugins and variables of others: never status 1."""

import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.state.state import PREFIX

from .conftest import RunSuite
from .mutants.kit import is_get
from .mutants.messages import Forward, Request, Response
from .support import ROOT, Process, call, command_line, domains, environment, finish, start_suite, suite

# --- Signals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "moment", "options"),
    [
        pytest.param(signal.SIGINT, "PUT", (), id="SIGINT while it makes state"),
        pytest.param(signal.SIGHUP, "reading", (), id="SIGHUP while it asks"),
        pytest.param(signal.SIGTERM, "reading", ("-n", "2"), id="SIGTERM while two workers ask"),
        pytest.param(signal.SIGINT, "DELETE", (), id="SIGINT while it cleans up"),
    ],
)
def test_a_signal_interrupts_and_one_more_disturbs_no_cleaning_up(
    tap: Any, endpoint: Process, tmp_path: Path, number: int, moment: str, options: tuple[str, ...]
) -> None:
    seen = Counter[str]()

    def script(request: Request, forward: Forward) -> Response:
        kind = "reading" if is_get(request) else request.method
        seen[kind] += 1
        if kind == "DELETE" or (kind == moment and seen[kind] == (10 if kind == "reading" else 1)):
            os.kill(process.pid, number)
        return forward(request)

    files = (suite("access"),) if moment == "DELETE" else (suite("missing"), suite("malformed"))
    given = ("--endpoint-url", tap(endpoint.url, script).url, *options)
    process = start_suite(*files, *given, report=tmp_path)
    result = finish(process, tmp_path, status=2)
    assert seen["DELETE"]
    assert "Traceback" not in result.output
    assert moment == "PUT" or result.report["exit_status"] == 2
    assert not {name for name in domains(endpoint.url) if name.startswith(PREFIX)}


# --- Streams ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("-n", "1"), ("-q",), ("--list-clauses",)], ids=str)
@pytest.mark.parametrize("place", ["full", "closed"])
def test_standard_output_that_cannot_be_written_is_no_violation(place: str, options: tuple[str, ...]) -> None:
    if place == "full":
        stream = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, stream = os.pipe()
        os.close(reading)
    arguments = command_line((suite("access"), *options), None)
    done = call(sys.executable, "-m", "pytest", *arguments, stdout=stream, status=0)
    os.close(stream)
    why = "standard output cannot be written: No space left on device"
    assert done.stderr.count(why) == (1 if place == "full" else 0)
    assert not re.search("Traceback|Exception ignored", done.stderr)


# --- Progress -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with a worker"])
def test_a_terminal_shows_a_bar_with_the_time_left_in_place_of_letters(options: tuple[str, ...]) -> None:
    control, terminal = pty.openpty()
    arguments = command_line((suite("missing"), "--max-requests", "60", *options), None)
    command = [sys.executable, "-m", "pytest", *arguments]
    process = subprocess.Popen(command, stdout=terminal, cwd=ROOT, env=environment(TERM="xterm"))
    os.close(terminal)
    read = b""
    with suppress(OSError):  # the other end is closed
        while piece := os.read(control, 65_536):
            read += piece
    os.close(control)
    output = read.decode()
    assert process.wait() == 6, output  # the limit is reached
    bar = r"\r\[#+ +\] about \d+ of 60 requests, about \d+ s left *"
    drawn = list(re.finditer(bar, output))
    assert drawn, output
    assert re.match(r"\r +\r", output[drawn[-1].end() :]), "it is taken away"
    assert "test_missing.py" not in output[: drawn[-1].end()]
    assert re.search(r"\d+ passed", output)


def test_without_a_terminal_there_are_lines_if_a_run_is_slow(run_suite: RunSuite) -> None:
    often = "from getintegration_contract.plugin import progress\nprogress._LINES = 0.0\n"
    result = run_suite(suite("missing"), plugin=often)
    assert re.search(r"contract: about \d+ of \d+ requests, about \d+ s left\n", result.stdout), result.output


def test_the_number_of_requests_is_estimated_well(default_run: Any) -> None:
    found = re.search(r"contract: about (\d+) requests, as fast as they are answered", default_run.stdout)
    assert found
    assert int(found[1]) == pytest.approx(default_run.report["run"]["requests"], rel=0.2)


# --- Others' plugins and variables --------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with a worker"])
@pytest.mark.parametrize("tells", [True, False])
def test_a_run_that_another_plugin_leaves_tests_out_of_is_partial(
    run_suite: RunSuite, options: tuple[str, ...], tells: bool
) -> None:
    split = (
        "def pytest_collection_modifyitems(config, items):\n"
        "    out = items[4:]\n"
        "    items[:] = items[:4]\n" + ("    config.hook.pytest_deselected(items=out)\n" if tells else "")
    )
    result = run_suite(*options, plugin=split, status=0)
    assert result.report["run"]["partial"] is True


@pytest.mark.parametrize("program", [["pytest", str(suite("access"))], ["getintegration_contract", "run"]])
def test_an_option_that_another_plugin_has_is_one_sentence(program: list[str], tmp_path: Path) -> None:
    (tmp_path / "profiling.py").write_text(
        "def pytest_addoption(parser):\n"
        "    parser.getgroup('Profiling').addoption('--profile', action='store_true', help='other')\n"
    )
    env = environment(PYTHONPATH=str(tmp_path))
    done = call(sys.executable, "-m", *program, "-p", "profiling", env=env, status=4)
    (line,) = filter(None, done.stderr.splitlines())
    assert line == (
        "ERROR: --profile is an option of the plugin profiling too: leave that out with -p no:profiling"
    )


def test_local_constants_stay_out_of_generated_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    from hypothesis.internal.conjecture import providers

    sys.path.insert(0, str(suite("generated").parent))
    try:
        import reproducible
    finally:
        sys.path.pop(0)
    monkeypatch.setattr(providers, "_get_local_constants", providers._get_local_constants)
    reproducible.leave_local_constants_out()
    assert not any(map(list, vars(providers.HypothesisProvider(None)._local_constants).values()))
    monkeypatch.delattr(providers, "_get_local_constants")
    with pytest.raises(RuntimeError, match="Hypothesis has no _get_local_constants"):
        reproducible.leave_local_constants_out()
