"""The state of a run: made, given, discovered, and removed however the run ends; nothing to test is told."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.errors import StateError
from getintegration_contract.operations import create_domain, delete_domain, put_integration
from getintegration_contract.sending.client import Client
from getintegration_contract.state.command import main as sweep
from getintegration_contract.state.leftovers import PREFIX
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import MEMBERS

from .commands import CALLER, LOOPBACK, domains, writes
from .conftest import RunSuite
from .support import (
    SUITE,
    Process,
    Received,
    Reply,
    Scripted,
    Tap,
    answered,
    emulator,
    environment,
    finish,
    forwarding,
    get_integration_alone,
    refused,
    start_suite,
    suite,
    wait_for,
)

Serve = Callable[[Any], Scripted]
Say = Callable[[str], object]
GIVEN = ("--domain-name", "Mine", "--integration-uri", "s3://mine")


@pytest.fixture
def provisioner(closing: Any) -> Callable[..., Provisioner]:
    """Makes provisioners for an address."""
    return lambda url, say=print: Provisioner(closing(Client(url, "us-east-1")), {"caller": CALLER}, say)


@pytest.fixture
def refusing(serve: Serve, endpoint: Process) -> Callable[[Callable[[Received], object]], str]:
    """An emulator that refuses some requests as invalid: its address."""
    forward = forwarding(endpoint.url)
    bad = refused(400, "BadRequestException")
    return lambda when: serve(lambda request: bad if when(request) else forward(request)).url


# --- Interrupted --------------------------------------------------------------------------------------------


def test_interrupted_at_a_terminal_the_emulator_lives_until_it_is_clean() -> None:
    # Ctrl-C reaches every process of the terminal's group.
    process = start_suite(suite("access"), suite("malformed"), suite("signatures"), lean=True)
    assert process.stdout is not None
    read = ""
    while "test_access" not in read:
        line = process.stdout.readline()
        assert line, "the run ended before it began"
        read += line
    os.killpg(process.pid, signal.SIGINT)
    result = finish(process)
    assert result.status == 2, result.output
    assert "could not be removed" not in result.output
    assert "cleaning up failed" not in result.output


def test_the_emulator_ends_with_a_run_that_was_killed() -> None:
    code = "import time\nfrom getintegration_contract.target.emulator import LocalEmulator\n"
    code += "print(LocalEmulator().url, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment())
    assert process.stdout is not None
    host, _, port = process.stdout.readline().decode().strip().rpartition("/")[2].partition(":")

    def listening() -> bool:
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=2):
            return True
        return False

    assert listening()
    process.kill()
    process.wait()
    wait_for(lambda: not listening())


# --- Leftovers ----------------------------------------------------------------------------------------------


def test_a_killed_run_leaves_domains_that_a_later_run_sweeps(
    closing: Any, provisioner: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = closing(emulator())
    listener = closing(Tap(server.url))
    process = start_suite(suite("missing"), "--endpoint-url", listener.url, report=tmp_path, lean=True)
    wait_for(lambda: any(request.is_get_integration for request in listener.received))
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
    monkeypatch.setattr("getintegration_contract.state.leftovers.LEFTOVER_AGE", -5)
    third = provisioner(server.url, said.append)
    assert third.made().domain == f"{PREFIX}0-A", "swept, and free again"
    for line, name in zip(said, sorted(left), strict=True):
        assert re.fullmatch(rf"swept the domain {name}, -?\d+ s old, which a crashed run left behind", line)
    third.remove()
    assert not domains(server.url)


def test_names_that_are_all_taken_are_no_pass_and_a_command_sweeps_them(
    run_suite: RunSuite, endpoint: Process, caller: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    names = {f"{PREFIX}{slot}-A" for slot in range(10)}
    for name in {"Own", *names}:
        assert caller(create_domain(name)).response.status == 200
    result = run_suite(suite("access"), "--endpoint-url", endpoint.url)
    assert result.status == 6, result.output
    assert "in use by other runs, or left by crashed ones: the command sweep removes them" in result.output
    assert domains(endpoint.url) == {"Own", *names}
    assert sweep(["--endpoint-url", endpoint.url, "--older-than", "1"]) == 0
    assert domains(endpoint.url) == {"Own", *names}
    assert sweep(["--endpoint-url", endpoint.url]) == 0
    assert domains(endpoint.url) == {"Own"}
    caller(delete_domain("Own"))
    assert capsys.readouterr().out.count("swept the domain") == len(names)


def test_a_sweep_that_cannot_be_is_one_sentence(capsys: pytest.CaptureFixture[str], serve: Serve) -> None:
    for script, said in (
        (Reply(501), "lists no domains: 501"),
        (refused(403, "ExpiredTokenException"), "refuses"),
    ):
        assert sweep(["--endpoint-url", serve(lambda _, answer=script: answer).url]) == 6
        assert said in capsys.readouterr().err
    assert sweep([]) == 4
    assert "give --endpoint-url or --target" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", [r"[^/]*[A-Z]", r"[0-9-]"], ids=["capitals", "a digit or a hyphen first"])
def test_a_server_that_refuses_lawful_names_violates_their_pattern(
    run_suite: RunSuite, refusing: Any, endpoint: Process, pattern: str
) -> None:
    url = refusing(lambda request: re.match(rf"/domains/{pattern}", request.target))
    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", url)
    assert (result.status, result.report["target"]["state"]) == (1, "made"), result.output
    assert "request.DomainName.pattern" in result.findings
    assert not domains(endpoint.url)


@pytest.mark.parametrize("member", MEMBERS)
def test_only_a_member_that_is_refused_is_left_out(provisioner: Any, refusing: Any, member: str) -> None:
    word = f'"{member}"'.encode()
    made_by = provisioner(refusing(lambda request: request.method == "PUT" and word in request.body))
    made = made_by.made()
    made_by.remove()
    expected = MEMBERS.keys() - {member} if member != "ObjectTypeName" else made.members.keys()
    assert made.members.keys() == expected


def test_the_servers_clock_says_how_old_a_leftover_is(
    serve: Serve, endpoint: Process, provisioner: Any
) -> None:
    forward, said = forwarding(endpoint.url), list[str]()
    tomorrow = ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")
    ahead = serve(lambda request: forward(request).with_headers(tomorrow))
    provisioner(ahead.url, said.append).made()
    provisioner(ahead.url, said.append)._sweep()
    assert len(said) == 2
    assert not domains(endpoint.url)


# --- State --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "options", "printed", "stays"),
    [
        ("made", (), f"writes: domains named {PREFIX}*", {"POST", "PUT", "DELETE"}),
        ("given", GIVEN, "writes: nothing", set()),
        ("discovered", ("--no-writes",), "writes: nothing", set()),
    ],
    ids=["made", "given", "discovered"],
)
def test_what_is_written_is_under_one_prefix_and_nothing_unless_it_may_be(
    run_suite: RunSuite,
    holding: Process,
    tap: Any,
    state: str,
    options: tuple[str, ...],
    printed: str,
    stays: set[str],
) -> None:
    listener = tap(holding.url)
    files = [suite("missing"), suite("access")]
    if state == "given":  # none of the scenarios writes then
        files = [path for path in SUITE.glob("test_*.py") if path.stem not in ("test_generated", "test_sdk")]
    result = run_suite(*files, "--endpoint-url", listener.url, *options)
    assert (result.status, result.report["target"]["state"]) == (0, state), result.output
    assert ("writing" in result.report["target"]["capabilities"]) == bool(stays)
    assert printed in result.stdout
    written = writes(listener.received)
    assert {request.method for request in written} == stays
    assert all(request.target.startswith(f"/domains/{PREFIX}") for request in written)
    asked = {request.domain for request in listener.received if request.is_get_integration}
    assert ("Mine" in asked) == (state != "made")
    assert domains(holding.url) == {"Mine"}


def test_writing_that_does_not_work_is_told_and_not_just_left_out(
    run_suite: RunSuite, holding: Process, serve: Serve
) -> None:
    forward, denied = forwarding(holding.url), refused(403, "AccessDeniedException")
    server = serve(lambda request: denied if request.method == "PUT" else forward(request))
    result = run_suite(suite("missing"), "--endpoint-url", server.url)
    answer = "PutIntegration answered 403 AccessDeniedException (scripted)"
    told = f"writing was tried, and does not work: {answer}"
    assert (result.status, result.report["target"]["state"]) == (0, "discovered"), result.output
    assert f"contract: {told}; nothing is written, and what exists is read" in result.output
    assert told in result.report["notes"]
    clause = result.clause("state.deleted")
    assert (clause["outcome"], clause["reason"]) == ("not claimed", told)
    assert domains(holding.url) == {"Mine"}


def test_neighbours_of_others_and_the_longest_uri_are_no_faults(
    run_suite: RunSuite, endpoint: Process, caller: Callable[[Any], Any]
) -> None:
    uri = "s3://".ljust(255, "u")
    shops = ("Shop-1", "Shop-10", "shop-1", "Shop_1")
    for name in shops:
        caller(create_domain(name))
        caller(put_integration(name, uri, {"ObjectTypeName": "T"}))
    given = ("--domain-name", "Shop-1", "--integration-uri", uri)
    tests = map(suite, ("missing", "transport", "concurrency"))
    result = run_suite(*tests, "--endpoint-url", endpoint.url, *given)
    for name in shops:
        caller(delete_domain(name))
    assert result.status == 0, result.output
    assert result.outcomes["missing.domain.near"] == "upheld", "of neighbours that do not exist"


def test_a_mock_of_get_integration_alone_is_testable(
    run_suite: RunSuite, holding: Process, serve: Serve
) -> None:
    mock = serve(get_integration_alone(holding.url))
    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", mock.url, *GIVEN)
    assert result.status == 0, result.output


# --- Preflight ----------------------------------------------------------------------------------------------


def test_what_could_not_be_tested_is_indeterminate_in_the_report(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), *LOOPBACK)
    assert (result.status, result.report["exit_status"], result.report["verdict"]) == (6, 6, "indeterminate")
    assert set(result.outcomes.values()) <= {"indeterminate", "not claimed"}


def test_a_domain_that_was_not_implemented_need_not_be_removed(serve: Serve, provisioner: Any) -> None:
    said, server = list[str](), serve(lambda request: Reply(501))
    with pytest.raises(StateError, match="does not implement GetIntegration: it answered 501"):
        provisioner(server.url, said.append).have(allow_writes=True)
    assert said == []
    assert "DELETE" not in {request.method for request in server.received}


def test_members_that_are_refused_only_together_are_told_so(run_suite: RunSuite, refusing: Any) -> None:
    together = (b"RoleArn", b"EventTriggerNames")
    url = refusing(lambda request: request.method == "PUT" and all(word in request.body for word in together))
    options = ("--endpoint-url", url, "-k", "existing_integration or at_the_edge")
    result = run_suite(suite("state"), suite("updates"), *options)
    assert result.status == 0, result.output
    assert result.outcomes["state.put-get.Tags"] == "upheld"
    assert result.outcomes["state.put-get.RoleArn"] == "upheld"
    told = "the target did not take EventTriggerNames with the other members"
    assert told in str(result.clause("state.put-get.EventTriggerNames"))


def test_the_second_integration_that_is_discovered_is_none_of_the_firsts(
    endpoint: Process, caller: Callable[[Any], Any], provisioner: Any
) -> None:
    wanted = {"Dev": ("s3://one", "s3://two"), "Prod": ("s3://two",), "Test": ("s3://three",)}
    try:
        for domain, uris in wanted.items():
            caller(create_domain(domain))
            for uri in uris:
                caller(put_integration(domain, uri, {"ObjectTypeName": "T"}))
        found = provisioner(endpoint.url).discovered()
    finally:
        for domain in wanted:
            caller(delete_domain(domain))
    assert (found.domain, found.uri) == ("Dev", "s3://one")
    assert (found.other_domain, found.other_uri) == ("Test", "s3://three"), "Dev has that of Prod, too"


def test_odd_lists_are_no_reason_to_stumble(serve: Serve, provisioner: Any) -> None:
    items = [{"DomainName": 1}, {"DomainName": None}, "x"]
    server = serve(lambda request: answered({"Items": items, "NextToken": 7}))
    with pytest.raises(StateError, match="show no integration"):
        provisioner(server.url).discovered()


# --- Cleaning up --------------------------------------------------------------------------------------------


def test_a_spent_limit_leaves_nothing_behind(run_suite: RunSuite, endpoint: Process) -> None:
    result = run_suite(suite("state"), "--endpoint-url", endpoint.url, "--max-requests", "40")
    assert result.status == 6, result.output
    assert "of which the limit lets 40 through" in result.stdout
    assert not domains(endpoint.url)


def test_what_a_killed_worker_made_is_removed_by_the_run(
    run_suite: RunSuite, endpoint: Process, tmp_path: Path
) -> None:
    scenario = tmp_path / "test_killed.py"
    scenario.write_text(
        "import os\n\n"
        "def test_killed(client, caller, state):\n"
        "    from getintegration_contract.operations import create_domain\n"
        "    made = client.send(create_domain(f'{state.domain}-killed'), caller)\n"
        "    assert made.response.status == 200\n"
        "    os._exit(9)\n"
    )
    result = run_suite(suite("access"), scenario, "--endpoint-url", endpoint.url, "-n", "1")
    assert "crashed while running" in result.output
    assert result.status == 3, result.output
    assert not domains(endpoint.url)


def test_a_domain_whose_creation_was_not_answered_is_removed(
    serve: Serve, endpoint: Process, provisioner: Any
) -> None:
    forward, lost = forwarding(endpoint.url), []

    def forgetful(request: Received) -> Reply | None:
        answer = forward(request)
        if request.method == "POST" and request.target.endswith("-A") and not lost:
            lost.append(request)
            return None
        return answer

    maker = provisioner(serve(forgetful).url)
    assert maker.made().domain == f"{PREFIX}0-A"
    assert lost
    maker.remove()
    assert not domains(endpoint.url)


def test_half_a_leftover_does_not_block_the_next_run(
    endpoint: Process, caller: Callable[[Any], Any], provisioner: Any
) -> None:
    left = f"{PREFIX}0-B"
    caller(create_domain(left))
    maker = provisioner(endpoint.url)
    assert maker.made().domain == f"{PREFIX}1-A"
    maker.remove()
    assert domains(endpoint.url) == {left}
    caller(delete_domain(left))
