"""What a run made on a target is removed however the run ends, and what a killed one left is found."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.operations import delete_domain
from getintegration_contract.state.state import PREFIX
from getintegration_contract.state.sweep import main as sweep

from .conftest import RunSuite, Serve
from .mutants.kit import always, is_get, on_answer
from .mutants.messages import Request, Response, error
from .mutants.wire import dial
from .support import Process, ask, domains, emulator, environment, finish, start_suite, stock, suite, wait_for


def test_interrupted_at_a_terminal_the_emulator_lives_until_it_is_clean() -> None:
    # Ctrl-C reaches every process of the terminal's group.
    process = start_suite(suite("access"), suite("malformed"), suite("signatures"))
    assert process.stdout is not None
    assert any("test_access" in line for line in process.stdout), "the run ended before it began"
    os.killpg(process.pid, signal.SIGINT)
    result = finish(process, status=2)
    assert "could not be removed" not in result.output
    assert "cleaning up failed" not in result.output


def test_the_emulator_ends_with_a_run_that_was_killed() -> None:
    code = "import time\nfrom getintegration_contract.target.emulator import LocalEmulator\n"
    code += "print(LocalEmulator().url, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    url = process.stdout.readline().decode().strip()

    def listening() -> bool:
        with suppress(OSError), dial(url):
            return True
        return False

    assert listening()
    process.kill()
    process.wait()
    wait_for(lambda: not listening())


def test_a_killed_run_leaves_domains_that_a_later_run_sweeps(
    closing: Any, tap: Any, provisioner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = closing(emulator())
    listener = tap(server.url)
    process = start_suite(suite("missing"), "--endpoint-url", listener.url, report=tmp_path)
    wait_for(lambda: any(is_get(request) for request in listener.received))
    process.kill()
    finish(process)
    left = {f"{PREFIX}0-A", f"{PREFIX}0-B"}
    assert domains(server.url) == left

    said = list[str]()
    second = provisioner(server.url, said.append)
    assert second.made().domain == f"{PREFIX}1-A", "a young domain may be another run's"
    second.remove()
    assert domains(server.url) == left
    (leftover,) = said
    age = rf"2 domains are of other runs, under way or crashed, such as {PREFIX}0-A, \d+ s old; "
    assert re.match(age, leftover)
    assert "a run removes those of 6 h, the command sweep all of them now" in leftover
    said.clear()

    # The Date header is of whole seconds, and may lag.
    monkeypatch.setattr("getintegration_contract.state.sweep.LEFTOVER_AGE", -5)
    third = provisioner(server.url, said.append)
    assert third.made().domain == f"{PREFIX}0-A", "swept, and free again"
    for line, name in zip(said, sorted(left), strict=True):
        assert re.fullmatch(rf"swept the domain {name}, -?\d+ s old, which a crashed run left behind", line)
    third.remove()
    assert not domains(server.url)


def test_names_that_are_all_taken_are_no_pass_and_a_command_sweeps_them(
    run_suite: RunSuite, endpoint: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {f"{PREFIX}{slot}-{'AB'[slot % 2]}" for slot in range(10)}  # half a leftover of each
    for name in {"Own", *names}:
        stock(endpoint.url, name)
    result = run_suite(suite("access"), "--endpoint-url", endpoint.url, status=6)
    assert "in use by other runs, or left by crashed ones: the command sweep removes them" in result.output
    assert domains(endpoint.url) == {"Own", *names}
    assert sweep(["--endpoint-url", endpoint.url, "--older-than", "1"]) == 0
    assert domains(endpoint.url) == {"Own", *names}
    assert sweep(["--endpoint-url", endpoint.url]) == 0
    assert domains(endpoint.url) == {"Own"}
    ask(endpoint.url, delete_domain("Own"))
    assert capsys.readouterr().out.count("swept the domain") == len(names)


def test_a_sweep_that_cannot_be_is_one_sentence(capsys: pytest.CaptureFixture[str], serve: Serve) -> None:
    for script, said in (
        (Response(501), "lists no domains: 501"),
        (error(403, "ExpiredTokenException"), "refuses"),
    ):
        assert sweep(["--endpoint-url", serve(lambda _, answer=script: answer).url]) == 6
        assert said in capsys.readouterr().err
    assert sweep([]) == 4
    assert "give --endpoint-url or --target" in capsys.readouterr().err


def test_the_servers_clock_says_how_old_a_leftover_is(tap: Any, endpoint: Process, provisioner: Any) -> None:
    said, tomorrow = list[str](), ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")
    ahead = tap(endpoint.url, on_answer(lambda _, answer: answer.with_header(*tomorrow), always))
    provisioner(ahead.url, said.append).made()
    provisioner(ahead.url, said.append)._sweep()
    assert len(said) == 2
    assert not domains(endpoint.url)


def test_a_spent_limit_leaves_nothing_behind(run_suite: RunSuite, endpoint: Process) -> None:
    result = run_suite(suite("state"), "--endpoint-url", endpoint.url, "--max-requests", "40", status=6)
    assert "of which the limit lets 40 through" in result.stdout
    assert not domains(endpoint.url)


def test_a_killed_worker_loses_the_test_under_way_alone_and_the_run_removes_what_it_made(
    run_suite: RunSuite, endpoint: Process, tmp_path: Path
) -> None:
    scenario, path = tmp_path / "test_killed.py", tmp_path / "a.har"
    scenario.write_text(
        "import os, signal\n\n"
        "def test_killed(client, caller, state):\n"
        "    from getintegration_contract.operations import create_domain\n"
        "    made = client.send(create_domain(f'{state.domain}-killed'), caller)\n"
        "    assert made.response.status == 200\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    options = ("--endpoint-url", endpoint.url, "--record", path, "-n", "1")
    result = run_suite(suite("missing"), suite("access"), scenario, *options, status=3)
    assert "crashed while running" in result.output
    assert not domains(endpoint.url)
    recording = recordings.read(path)
    tests = {recorded.test.rpartition("::")[2] for recorded in recording.exchanges}
    assert "test_killed" not in tests
    assert len(recording.tests) > 60
    assert len(tests) > 60


def test_a_domain_whose_creation_was_not_answered_is_removed(
    tap: Any, endpoint: Process, provisioner: Any
) -> None:
    lost = []

    def forgetful(request: Request, answer: Response) -> Response | None:
        if request.method == "POST" and request.target.endswith("-A") and not lost:
            lost.append(request)
            return None
        return answer

    maker = provisioner(tap(endpoint.url, on_answer(forgetful, always)).url)
    assert maker.made().domain == f"{PREFIX}0-A"
    assert lost
    maker.remove()
    assert not domains(endpoint.url)
