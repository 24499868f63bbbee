"""The state of a run: made, given, discovered, and removed however the run ends; nothing to test is told."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
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

from .commands import (
    CALLER,
    LOOPBACK,
    domains,
    writes,
)
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


# --- Interrupted --------------------------------------------------------------------------------------------


def test_interrupted_while_making_state_leaves_nothing(
    serve: Serve, endpoint: Process, tmp_path: Path
) -> None:
    forward = forwarding(endpoint.url)

    def slow(request: Received) -> Reply:
        time.sleep(0.1)
        return forward(request)

    server = serve(slow)
    process = start_suite(suite("missing"), "--endpoint-url", server.url, report=tmp_path, lean=True)
    wait_for(lambda: any(request.method == "PUT" for request in server.received))
    os.kill(process.pid, signal.SIGINT)
    result = finish(process, tmp_path)
    assert result.status == 2, result.output
    assert not {name for name in domains(endpoint.url) if name.startswith(PREFIX)}


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
    code += "emulator = LocalEmulator()\n"
    code += "print(emulator.url, flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()

    def listening() -> bool:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    assert listening()
    process.kill()
    process.wait()
    wait_for(lambda: not listening())


# --- Leftovers ----------------------------------------------------------------------------------------------


def test_a_killed_run_leaves_domains_that_a_later_run_sweeps(
    closing: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = closing(emulator())
    listener = closing(Tap(server.url))
    process = start_suite(suite("missing"), "--endpoint-url", listener.url, report=tmp_path, lean=True)
    wait_for(lambda: any(request.is_get_integration for request in listener.received))
    process.kill()
    finish(process)
    left = {name for name in domains(server.url) if name.startswith(PREFIX)}
    assert left == {f"{PREFIX}0-A", f"{PREFIX}0-B"}

    client, told = Client(server.url, "us-east-1"), list[str]()
    own = create_domain("Own")
    assert client.send(own, CALLER).response.status == 200
    second = Provisioner(client, {"caller": CALLER}, told.append)
    assert second.made().domain == f"{PREFIX}1-A", "a young domain may be another run's"
    assert domains(server.url) >= left
    second.remove()
    (leftover,) = told
    assert re.match(
        rf"2 domains are of other runs, under way or crashed, such as {PREFIX}0-A, \d+ s old; ", leftover
    )
    assert "a run removes those of 6 h, the command sweep all of them now" in leftover
    told.clear()

    monkeypatch.setattr(
        "getintegration_contract.state.leftovers.LEFTOVER_AGE", -5
    )  # the Date header is of whole seconds, and may lag
    third = Provisioner(client, {"caller": CALLER}, told.append)
    assert third.made().domain == f"{PREFIX}0-A", "swept, and free again"
    for line, name in zip(told, sorted(left), strict=True):
        assert re.fullmatch(rf"swept the domain {name}, -?\d+ s old, which a crashed run left behind", line)
    third.remove()
    assert domains(server.url) == {"Own"}
    client.close()


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


CHOOSY_NAMES = {"capitals": r"[^/]*[A-Z]", "a digit or a hyphen first": r"[0-9-]"}


@pytest.mark.parametrize("refused_names", CHOOSY_NAMES.values(), ids=CHOOSY_NAMES.keys())
def test_a_server_that_refuses_lawful_names_violates_their_pattern(
    run_suite: RunSuite, serve: Serve, endpoint: Process, refused_names: str
) -> None:
    forward = forwarding(endpoint.url)

    def choosy(request: Received) -> Reply:
        if re.match(rf"/domains/{refused_names}", request.target):
            return refused(400, "BadRequestException")
        return forward(request)

    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", serve(choosy).url)
    assert result.status == 1, result.output
    assert result.report["target"]["state"] == "made"
    assert "request.DomainName.pattern" in result.findings
    assert not domains(endpoint.url)


@pytest.mark.parametrize("member", MEMBERS)
def test_only_a_member_that_is_refused_is_left_out(serve: Serve, endpoint: Process, member: str) -> None:
    forward = forwarding(endpoint.url)

    def script(request: Received) -> Reply:
        refuses = request.method == "PUT" and f'"{member}"'.encode() in request.body
        return refused(400, "BadRequestException") if refuses else forward(request)

    client = Client(serve(script).url, "us-east-1")
    provisioner = Provisioner(client, {"caller": CALLER}, print)
    made = provisioner.made()
    provisioner.remove()
    client.close()
    expected = MEMBERS.keys() - {member} if member != "ObjectTypeName" else made.members.keys()
    assert made.members.keys() == expected


def test_the_servers_clock_says_how_old_a_leftover_is(serve: Serve, endpoint: Process) -> None:
    forward = forwarding(endpoint.url)
    tomorrow = ("Date", "Tue, 01 Jan 2999 00:00:00 GMT")
    ahead = serve(lambda request: forward(request).with_headers(tomorrow))
    client, told = Client(ahead.url, "us-east-1"), list[str]()
    Provisioner(client, {"caller": CALLER}, told.append).made()
    Provisioner(client, {"caller": CALLER}, told.append)._sweep()
    assert len(told) == 2
    assert not domains(endpoint.url)
    client.close()


# --- State --------------------------------------------------------------------------------------------------


def test_state_is_made_under_one_prefix_and_removed(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    result = run_suite(suite("missing"), "--endpoint-url", listener.url)
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "made"
    written = writes(listener.received)
    assert {request.method for request in written} == {"POST", "PUT", "DELETE"}
    assert all(request.target.startswith(f"/domains/{PREFIX}") for request in written)
    assert f"writes: domains named {PREFIX}*" in result.stdout
    assert domains(holding.url) == {"Mine"}


def test_writing_that_does_not_work_is_told_and_not_just_left_out(
    run_suite: RunSuite, holding: Process, serve: Serve
) -> None:
    forward = forwarding(holding.url)
    server = serve(
        lambda request: refused(403, "AccessDeniedException") if request.method == "PUT" else forward(request)
    )
    result = run_suite(suite("missing"), "--endpoint-url", server.url)
    told = (
        "writing was tried, and does not work: PutIntegration answered 403 AccessDeniedException (scripted)"
    )
    assert (result.status, result.report["target"]["state"]) == (0, "discovered"), result.output
    assert f"contract: {told}; nothing is written, and what exists is read" in result.output
    assert told in result.report["notes"]
    clause = next(clause for clause in result.report["clauses"] if clause["id"] == "state.deleted")
    assert (clause["outcome"], clause["reason"]) == ("not claimed", told)
    assert domains(holding.url) == {"Mine"}


def test_neighbours_of_others_and_the_longest_uri_are_no_faults(
    run_suite: RunSuite, endpoint: Process
) -> None:
    client = Client(endpoint.url, "us-east-1")
    uri = "s3://".ljust(255, "u")
    shops = ("Shop-1", "Shop-10", "shop-1", "Shop_1")
    for name in shops:
        client.send(create_domain(name), CALLER)
        client.send(put_integration(name, uri, {"ObjectTypeName": "T"}), CALLER)
    given = ("--domain-name", "Shop-1", "--integration-uri", uri)
    tests = map(suite, ("missing", "transport", "concurrency"))
    result = run_suite(*tests, "--endpoint-url", endpoint.url, *given)
    for name in shops:
        client.send(delete_domain(name), CALLER)
    client.close()
    assert result.status == 0, result.output
    assert result.outcomes["missing.domain.near"] == "upheld", "of neighbours that do not exist"


def test_given_state_writes_nothing(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    given = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    files = [path for path in SUITE.glob("test_*.py") if path.stem not in ("test_generated", "test_sdk")]
    result = run_suite(*files, "--endpoint-url", listener.url, *given)
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "given"
    assert "writing" not in result.report["target"]["capabilities"]
    assert "writes: nothing" in result.stdout
    assert len(listener.received) > 300
    assert writes(listener.received) == []


def test_discovered_state_writes_nothing(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    result = run_suite(suite("missing"), suite("access"), "--endpoint-url", listener.url, "--no-writes")
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "discovered"
    assert writes(listener.received) == []
    assert any(request.domain == "Mine" for request in listener.received if request.is_get_integration)


def test_a_mock_of_get_integration_alone_is_testable(
    run_suite: RunSuite, holding: Process, serve: Serve
) -> None:
    mock = serve(get_integration_alone(holding.url))
    given = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", mock.url, *given)
    assert result.status == 0, result.output


# --- Preflight ----------------------------------------------------------------------------------------------


def test_what_could_not_be_tested_is_indeterminate_in_the_report(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), *LOOPBACK)
    assert result.status == 6
    assert (result.report["verdict"], result.report["exit_status"]) == ("indeterminate", 6)
    decided = set(result.outcomes.values())
    assert decided <= {"indeterminate", "not claimed"}


def test_a_domain_that_was_not_implemented_need_not_be_removed(serve: Serve) -> None:
    said: list[str] = []
    server = serve(lambda request: Reply(501))
    client = Client(server.url, "us-east-1")
    with pytest.raises(StateError, match="does not implement GetIntegration: it answered 501"):
        Provisioner(client, {"caller": CALLER}, said.append).have(allow_writes=True)
    client.close()
    assert said == []
    assert "DELETE" not in {request.method for request in server.received}


def test_members_that_are_refused_only_together_are_told_so(
    run_suite: RunSuite, serve: Serve, endpoint: Process
) -> None:
    forward = forwarding(endpoint.url)

    def choosy(request: Received) -> Reply:
        if request.method == "PUT" and b"RoleArn" in request.body and b"EventTriggerNames" in request.body:
            return refused(400, "BadRequestException")
        return forward(request)

    options = ("--endpoint-url", serve(choosy).url, "-k", "existing_integration or at_the_edge")
    result = run_suite(suite("state"), *options)
    assert result.status == 0, result.output
    assert result.outcomes["state.put-get.Tags"] == "upheld"
    assert result.outcomes["state.put-get.RoleArn"] == "upheld"
    told = "the target did not take EventTriggerNames with the other members"
    assert told in str(result.clause("state.put-get.EventTriggerNames"))


@pytest.mark.parametrize("status", [500, 501, 400])
def test_an_update_that_crashes_for_good_is_reported(
    run_suite: RunSuite, serve: Serve, endpoint: Process, status: int
) -> None:
    forward, put = forwarding(endpoint.url), set()

    def makes_but_never_updates(request: Received) -> Reply:
        if request.method != "PUT":
            return forward(request)
        key = (request.target, json.loads(request.body)["Uri"])
        if key in put:
            return refused(status, "InternalServerException")
        put.add(key)
        return forward(request)

    result = run_suite(suite("updates"), "--endpoint-url", serve(makes_but_never_updates).url)
    assert (result.status, result.outcomes["state.update.visible"]) == (0, "not exercised"), result.output
    found = [each for each in result.report["findings"] if each["clause"] == "state.write-faults"]
    assert len(found) == (status == 500)
    for finding in found:
        assert not finding["gating"]
        assert finding["actual"] == "500 InternalServerException"
        assert finding["exchange"]["request"]["method"] == "PUT"


def test_the_second_integration_that_is_discovered_is_none_of_the_firsts(endpoint: Process) -> None:
    client = Client(endpoint.url, "us-east-1")
    wanted = {"Dev": ("s3://one", "s3://two"), "Prod": ("s3://two",), "Test": ("s3://three",)}
    try:
        for domain, uris in wanted.items():
            assert client.send(create_domain(domain), CALLER).response.status == 200
            for uri in uris:
                put = put_integration(domain, uri, {"ObjectTypeName": "T"})
                assert client.send(put, CALLER).response.status == 200
        found = Provisioner(client, {"caller": CALLER}, print).discovered()
    finally:
        for domain in wanted:
            client.send(delete_domain(domain), CALLER)
        client.close()
    assert (found.domain, found.uri) == ("Dev", "s3://one")
    assert (found.other_domain, found.other_uri) in (("Prod", "s3://two"), ("Test", "s3://three"))
    assert found.other_uri != "s3://two", "Dev has that, too"


def test_odd_lists_are_no_reason_to_stumble(serve: Serve) -> None:
    items = [{"DomainName": 1}, {"DomainName": None}, "x"]
    server = serve(lambda request: answered({"Items": items, "NextToken": 7}))
    client = Client(server.url, "us-east-1")
    with pytest.raises(StateError, match="show no integration"):
        Provisioner(client, {"caller": CALLER}, print).discovered()
    client.close()


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


def test_a_domain_whose_creation_was_not_answered_is_removed(serve: Serve, endpoint: Process) -> None:
    forward, lost = forwarding(endpoint.url), []

    def forgetful(request: Received) -> Reply | None:
        answer = forward(request)
        if request.method == "POST" and request.target.endswith("-A") and not lost:
            lost.append(request)
            return None
        return answer

    client = Client(serve(forgetful).url, "us-east-1")
    provisioner = Provisioner(client, {"caller": CALLER}, print)
    assert provisioner.made().domain == f"{PREFIX}0-A"
    assert lost
    provisioner.remove()
    client.close()
    assert not domains(endpoint.url)


def test_half_a_leftover_does_not_block_the_next_run(endpoint: Process) -> None:
    client = Client(endpoint.url, "us-east-1")
    left = f"{PREFIX}0-B"
    assert client.send(create_domain(left), CALLER).response.status == 200
    provisioner = Provisioner(client, {"caller": CALLER}, print)
    assert provisioner.made().domain == f"{PREFIX}1-A"
    provisioner.remove()
    assert domains(endpoint.url) == {left}
    client.send(delete_domain(left), CALLER)
    client.close()
