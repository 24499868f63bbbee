"""The command line: exit statuses, wrong use, the interlock, credentials, state, clean endings."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract import state as states
from getintegration_contract import target as targets
from getintegration_contract.client import Client, get_integration
from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judge import parse
from getintegration_contract.state import PREFIX, Provisioner, StateError
from getintegration_contract.target import TargetError

from .conftest import RunSuite
from .support import (
    ACCESS_KEY,
    IDENTITIES,
    ROOT,
    SECRET_KEY,
    SUITE,
    Process,
    Received,
    Reply,
    Result,
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

CALLER = Identity("caller", ACCESS_KEY, SECRET_KEY)
AWS = "https://profile.us-east-1.amazonaws.com"

Serve = Callable[[Any], Scripted]


@pytest.fixture
def caller(endpoint: Process) -> Iterator[Callable[[Any], Exchange]]:
    """Sends a request to the emulator, signed by its caller."""
    client = Client(endpoint.url, "us-east-1")
    yield lambda request: client.send(request, CALLER)
    client.close()


def domains(url: str) -> set[str]:
    """The domains that an emulator holds for its caller."""
    client = Client(url, "us-east-1")
    document = parse(client.send(states.list_domains(), CALLER).response).document
    client.close()
    return {item["DomainName"] for item in document["Items"]}


def writes(received: list[Received]) -> list[Received]:
    """The requests that change a server's state, or would on AWS."""
    return [
        request
        for request in received
        if request.method in ("PUT", "DELETE")
        or (
            request.method == "POST"
            and re.fullmatch(r"/domains/[^/?]+(/integrations/delete)?", request.target)
        )
    ]


# --- Exit statuses ------------------------------------------------------------------------------------------


def test_status_0_when_everything_is_upheld(default_run: Result) -> None:
    assert default_run.status == 0, default_run.output
    assert default_run.report["verdict"] == "pass"
    assert "\nPASS  " in default_run.stdout


def test_status_1_when_a_clause_is_violated(run_suite: RunSuite, serve: Serve, endpoint: Process) -> None:
    forward = forwarding(endpoint.url)
    server = serve(lambda request: forward(request).with_headers(("Content-Type", "text/json")))
    result = run_suite(suite("access"), suite("missing"), "-k", "unknown", "--endpoint-url", server.url)
    assert result.status == 1, result.output
    assert set(result.findings) == {"error.content-type"}
    assert "\nFAIL  " in result.stdout
    assert "Traceback" not in result.output


def test_status_3_when_a_scenario_breaks_by_itself(run_suite: RunSuite, tmp_path: Path) -> None:
    scenario = tmp_path / "test_broken.py"
    scenario.write_text("def test_broken():\n    raise RuntimeError('of its own making')\n")
    result = run_suite(suite("access"), scenario)
    assert result.status == 3, result.output
    assert len(result.report["errors"]) == 1
    assert "test_broken" in result.report["errors"][0]
    assert "\nINTERNAL ERROR  " in result.stdout


def test_status_3_when_a_scenario_cannot_be_imported(run_suite: RunSuite, tmp_path: Path) -> None:
    scenario = tmp_path / "test_unreadable.py"
    scenario.write_text("import no_such_module\n")
    result = run_suite(suite("access"), scenario)
    assert result.status == 3, result.output
    assert "test_unreadable" in result.report["errors"][0]


def test_status_5_when_nothing_ran(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "-k", "no_such_test")
    assert result.status == 5, result.output
    assert "\nNOTHING RAN  " in result.stdout
    assert result.report["verdict"] == "indeterminate"


def test_quiet_gives_the_verdict_line_alone(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "-q", report=False)
    (line,) = filter(str.strip, result.stdout.splitlines())
    assert line.startswith("PASS  ")


def test_quiet_tells_why_a_run_failed(run_suite: RunSuite, serve: Serve, endpoint: Process) -> None:
    forward = forwarding(endpoint.url)
    server = serve(lambda request: forward(request).with_headers(("Content-Type", "text/html")))
    result = run_suite(suite("missing"), "-q", "--endpoint-url", server.url, report=False)
    (line,) = filter(str.strip, result.stdout.splitlines())
    assert line.startswith("FAIL  ")
    assert "error.content-type" in line


# --- Interrupted --------------------------------------------------------------------------------------------


def _slow(url: str, seconds: float) -> Callable[[Received], Reply]:
    forward = forwarding(url)

    def script(request: Received) -> Reply:
        time.sleep(seconds)
        return forward(request)

    return script


def _interrupt(
    report: Path, server: Scripted, number: int, options: tuple[str, ...], when: Callable[[], object]
) -> Result:
    process = start_suite(
        suite("missing"), suite("malformed"), "--endpoint-url", server.url, *options, report=report, lean=True
    )
    wait_for(when)
    os.kill(process.pid, number)
    return finish(process, report)


@pytest.mark.parametrize(
    ("number", "options"),
    [(signal.SIGINT, ()), (signal.SIGTERM, ("-n", "2"))],
    ids=["SIGINT", "SIGTERM, two workers"],
)
def test_status_2_when_interrupted_and_nothing_is_left(
    serve: Serve, endpoint: Process, tmp_path: Path, number: int, options: tuple[str, ...]
) -> None:
    server = serve(_slow(endpoint.url, 0.02))
    asked = lambda: sum(request.is_get_integration for request in server.received) > 10  # noqa: E731
    result = _interrupt(tmp_path, server, number, options, asked)
    assert result.status == 2, result.output
    assert result.report["exit_status"] == 2
    assert "\nINTERRUPTED  " in result.stdout
    assert not {name for name in domains(endpoint.url) if name.startswith(PREFIX)}


def test_interrupted_while_making_state_leaves_nothing(
    serve: Serve, endpoint: Process, tmp_path: Path
) -> None:
    server = serve(_slow(endpoint.url, 0.1))
    put = lambda: any(request.method == "PUT" for request in server.received)  # noqa: E731
    result = _interrupt(tmp_path, server, signal.SIGINT, (), put)
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
    code = (
        "import time; from getintegration_contract.local import LocalEmulator; emulator = LocalEmulator()\n"
    )
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
    wait_for(lambda: any(request.is_get_integration for request in listener.requests))
    process.kill()
    finish(process)
    left = {name for name in domains(server.url) if name.startswith(PREFIX)}
    assert left == {f"{PREFIX}0-A", f"{PREFIX}0-B"}

    client, told = Client(server.url, "us-east-1"), list[str]()
    own = states.create_domain("Own")
    assert client.send(own, CALLER).response.status == 200
    second = Provisioner(client, {"caller": CALLER}, told.append)
    assert second.made().domain == f"{PREFIX}1-A", "a young domain may be another run's"
    assert domains(server.url) >= left
    second.remove()
    assert told == []

    monkeypatch.setattr(states, "LEFTOVER_AGE", -5)  # the Date header is of whole seconds, and may lag
    third = Provisioner(client, {"caller": CALLER}, told.append)
    assert third.made().domain == f"{PREFIX}0-A", "swept, and free again"
    assert told == [f"swept the domain {name}, which a crashed run left behind" for name in sorted(left)]
    third.remove()
    assert domains(server.url) == {"Own"}
    client.close()


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


# --- Wrong use ----------------------------------------------------------------------------------------------

_DRIVER = """
import contextlib, io, json, sys
import pytest
for options in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = int(pytest.main(options))
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


def run_many(runs: list[list[str]], **env: str) -> list[Result]:
    """Runs that end before they begin, one after the other in one process."""
    common = ["-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "no:anyio", str(suite("access"))]
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER],
        input=json.dumps([[*common, *options] for options in runs]),
        capture_output=True,
        text=True,
        env=environment(**env),
        cwd=ROOT,
        timeout=120,
    )
    results = [Result(*json.loads(line)) for line in done.stdout.splitlines()]
    assert len(results) == len(runs), done.stdout + done.stderr
    return results


LOOPBACK = ["--endpoint-url", "http://127.0.0.1:9"]
SECRET = "MARKED/secret+key="

WRONG_OPTIONS: dict[str, tuple[list[str], str]] = {
    "address without a scheme": (["--endpoint-url", "127.0.0.1:4566"], "is not an address like"),
    "address of another scheme": (["--endpoint-url", "ftp://127.0.0.1"], "is not an address like"),
    "address with a bad port": (["--endpoint-url", "http://127.0.0.1:x"], "is not an address like"),
    "address with a path": (["--endpoint-url", "http://127.0.0.1:9/path"], "must not have a path"),
    "address with a password": (
        ["--endpoint-url", f"http://me:{SECRET}@127.0.0.1:9"],
        "must not hold credentials",
    ),
    "address in other letters": (
        ["--endpoint-url", "http://profile.amazonaws\u3002com"],
        "is not an address like",
    ),
    "domain alone": ([*LOOPBACK, "--domain-name", "d"], "--domain-name and --integration-uri go together"),
    "Uri alone": ([*LOOPBACK, "--integration-uri", "u"], "--domain-name and --integration-uri go together"),
    "domain without an endpoint": (["--domain-name", "d", "--integration-uri", "u"], "needs an endpoint"),
    "profile without an endpoint": (["--profile", "p"], "needs an endpoint"),
    "profile that does not exist": (
        [*LOOPBACK, "--profile", "no-such"],
        "The config profile (no-such) could not be found",
    ),
    "no rate": ([*LOOPBACK, "--rate", "0"], "--rate: 0"),
    "a negative rate": (["--rate", "-1"], "--rate"),
    "a rate in words": (["--rate", "fast"], "--rate"),
    "no requests": ([*LOOPBACK, "--max-requests", "0"], "--max-requests"),
    "no time": (["--request-timeout", "0"], "--request-timeout"),
    "no examples": (["--max-examples", "0"], "--max-examples must be at least 1"),
    "a seed in words": (["--hypothesis-seed", "lucky"], "--hypothesis-seed"),
    "an unknown depth": (["--depth", "deep"], "--depth"),
    "an unknown claim": (["--not-claimed", "everything"], "--not-claimed"),
    "an unknown option": (["--no-such-option"], "--no-such-option"),
    "no region": (["--region", ""], "--region"),
    "no target file": (["--target", "/no/such.toml"], "--target: cannot read /no/such.toml"),
    "no waivers file": (["--waivers", "/no/such.toml"], "waivers: cannot read /no/such.toml"),
    "a report where none can be": (
        ["--report-dir", "/dev/null/reports"],
        "cannot write to /dev/null/reports",
    ),
    "waivers where none can be": (["--write-waivers", "/dev/null/waivers.toml"], "cannot write to /dev/null"),
}

_FILE_IDENTITY = f'[identities.caller]\naccess-key-id = "A"\nsecret-access-key = "{SECRET}"\n'

WRONG_FILES: dict[str, tuple[str, str]] = {
    "no TOML": ("endpoint-url = ", "is not TOML"),
    "a secret in no TOML": (f'[identities.caller]\nsecret-access-key = "{SECRET}', "is not TOML"),
    "an unknown key": ('endpoint = "http://127.0.0.1:9"', "endpoint"),
    "a number as text": ('endpoint-url = "http://127.0.0.1:9"\nrate = "5"', "rate: "),
    "a rate of nothing": ('endpoint-url = "http://127.0.0.1:9"\nrate = 0', "rate: "),
    "an unknown claim": ('not-claimed = ["tls"]', "not-claimed.0: "),
    "text as a boolean": ('allow-writes = "yes"', "allow-writes: "),
    "an unknown identity": ('[identities.admin]\nprofile = "p"', "identities: "),
    "an identity without a secret": (
        '[identities.caller]\naccess-key-id = "A"',
        "identities.caller: must have either",
    ),
    "a misspelt secret": (
        f'[identities.caller]\naccess-key-id = "A"\nsecret-acces-key = "{SECRET}"',
        "identities.caller: ",
    ),
    "profile and keys": (_FILE_IDENTITY + 'profile = "p"', "identities.caller: must have either"),
    "a secret that is no text": (
        "[identities.caller]\naccess-key-id = 1\nsecret-access-key = 2",
        "identities.caller",
    ),
    "identities without an endpoint": (_FILE_IDENTITY, "needs an endpoint"),
    "a waivers file that is not there": (
        f'endpoint-url = "http://127.0.0.1:9"\nwaivers = "none.toml"\n{_FILE_IDENTITY}',
        "waivers: cannot read",
    ),
    "a bad address": (f'endpoint-url = "here"\n{_FILE_IDENTITY}', "is not an address like"),
    "only half of what exists": (
        f'endpoint-url = "http://127.0.0.1:9"\ndomain-name = "d"\n{_FILE_IDENTITY}',
        "go together",
    ),
}


def _told(results: list[Result]) -> list[list[Any]]:
    """Results as JSON holds them."""
    return [[result.status, result.stdout, result.stderr] for result in results]


@pytest.fixture(scope="session")
def wrong_uses(shared: Callable[[str, Callable[[Path], Any]], Any]) -> dict[str, Result]:
    """What each wrong option, and each wrong target file, leads to."""
    made = shared("wrong-uses", _wrong_uses)
    return {name: Result(*told) for name, told in made.items()}


def _wrong_uses(folder: Path) -> dict[str, list[Any]]:
    runs = {f"option: {name}": options for name, (options, _) in WRONG_OPTIONS.items()}
    for number, (name, (text, _)) in enumerate(WRONG_FILES.items()):
        path = folder / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        runs[f"file: {name}"] = ["--target", str(path)]
    return dict(zip(runs, _told(run_many(list(runs.values()))), strict=True))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *((f"option: {name}", told) for name, (_, told) in WRONG_OPTIONS.items()),
        *((f"file: {name}", told) for name, (_, told) in WRONG_FILES.items()),
    ],
)
def test_status_4_and_one_sentence_for_wrong_use(wrong_uses: dict[str, Result], name: str, told: str) -> None:
    result = wrong_uses[name]
    assert result.status == 4, result.output
    assert told in result.stderr
    sentences = [
        line for line in result.stderr.splitlines() if re.search("^ERROR: (?!usage)|: error: ", line)
    ]
    assert len(sentences) == 1
    assert told in sentences[0]
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    assert "passed" not in result.output


# --- What options mean --------------------------------------------------------------------------------------


def test_list_clauses_prints_them_and_does_nothing_else(default_run: Result) -> None:
    text, markdown, listed, wrong = run_many(
        [
            ["--list-clauses"],
            ["--list-clauses", "markdown"],
            ["--list-clauses", "json"],
            ["--list-clauses", "html"],
        ],
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
    )
    assert [text.status, markdown.status, listed.status, wrong.status] == [0, 0, 0, 4]
    ids = [clause["id"] for clause in json.loads(listed.stdout)["clauses"]]
    assert ids == [clause["id"] for clause in default_run.report["clauses"]]
    for name in ids:
        assert f"\n  {name}\n" in text.stdout
        assert f"`{name}`" in markdown.stdout


def test_what_is_not_claimed_is_told_first_and_not_checked(run_suite: RunSuite, closing: Any) -> None:
    open_server = closing(Process(ROOT / "tests/meta/second_server", "--no-signatures"))
    options = (suite("signatures"), suite("precedence"), "--endpoint-url", open_server.url)
    result = run_suite(*options, "--not-claimed", "signatures")
    assert result.status == 0, result.output
    head = result.stdout[: result.stdout.index("collected")]
    assert re.search(r"not claimed, so not checked: .*\bsignatures\b", head)
    for name, outcome in result.outcomes.items():
        assert outcome == "not claimed" or not name.startswith("sigv4."), name
    assert not set(result.report["target"]["claims"]) & {
        "signatures",
        "access-control",
        "temporary-credentials",
    }


def test_an_open_server_that_claims_signatures_is_found_out(run_suite: RunSuite, closing: Any) -> None:
    open_server = closing(Process(ROOT / "tests/meta/second_server", "--no-signatures"))
    result = run_suite(suite("signatures"), "-k", "wrong_secret", "--endpoint-url", open_server.url)
    assert result.status == 1
    assert "sigv4.wrong-secret" in result.findings


def test_options_count_for_the_shipped_emulator_too(run_suite: RunSuite) -> None:
    result = run_suite(
        suite("access"), suite("throttling"), "--not-claimed", "throttling", "--region", "eu-west-1"
    )
    assert result.status == 0, result.output
    assert "throttling" not in result.report["target"]["claims"]
    assert result.report["target"]["region"] == "eu-west-1"
    assert result.outcomes["throttling.occurs"] == "not claimed"


def test_strict_lets_should_clauses_fail(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "--strict")
    assert result.status == 0, result.output
    assert result.report["run"]["strict"] is True


# --- State --------------------------------------------------------------------------------------------------


@pytest.fixture
def holding(closing: Any) -> Process:
    """An emulator that holds an integration."""
    server: Process = closing(emulator())
    client = Client(server.url, "us-east-1")
    for request in (
        states.create_domain("Mine"),
        states.put_integration("Mine", "s3://mine", {"ObjectTypeName": "T"}),
    ):
        assert client.send(request, CALLER).response.status == 200
    client.close()
    return server


def test_state_is_made_under_one_prefix_and_removed(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    result = run_suite(suite("missing"), "--endpoint-url", listener.url)
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "made"
    written = writes(listener.requests)
    assert {request.method for request in written} == {"POST", "PUT", "DELETE"}
    assert all(request.target.startswith(f"/domains/{PREFIX}") for request in written)
    assert f"writes: domains named {PREFIX}*" in result.stdout
    assert domains(holding.url) == {"Mine"}


def test_given_state_writes_nothing(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    given = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    files = [path for path in SUITE.glob("test_*.py") if path.stem not in ("test_generated", "test_sdk")]
    result = run_suite(*files, "--endpoint-url", listener.url, *given)
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "given"
    assert "writing" not in result.report["target"]["claims"]
    assert "writes: nothing" in result.stdout
    assert len(listener.requests) > 300
    assert writes(listener.requests) == []


def test_discovered_state_writes_nothing(run_suite: RunSuite, holding: Process, tap: Any) -> None:
    listener = tap(holding.url)
    result = run_suite(suite("missing"), suite("access"), "--endpoint-url", listener.url, "--no-writes")
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "discovered"
    assert writes(listener.requests) == []
    assert any(request.domain == "Mine" for request in listener.requests if request.is_get_integration)


def test_a_mock_of_get_integration_alone_is_testable(
    run_suite: RunSuite, holding: Process, serve: Serve
) -> None:
    mock = serve(get_integration_alone(holding.url))
    given = ("--domain-name", "Mine", "--integration-uri", "s3://mine")
    result = run_suite(suite("valid"), suite("missing"), "--endpoint-url", mock.url, *given)
    assert result.status == 0, result.output


# --- Preflight ----------------------------------------------------------------------------------------------


def _unwritable(request: Received) -> Reply:
    if request.is_get_integration:
        return refused(404, "ResourceNotFoundException")
    return refused(403, "AccessDeniedException")


PREFLIGHT: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "credentials refused": (
        lambda request: refused(403, "UnrecognizedClientException", request.header("authorization")),
        (),
        "refuses the credentials of the caller: 403 UnrecognizedClientException",
    ),
    "state impossible": (_unwritable, (), "give --domain-name and --integration-uri of one that exists"),
    "no operation of AWS at all": (
        lambda request: Reply(404, b"<html>", (("Content-Type", "text/html"),)),
        (),
        "does not implement GetIntegration",
    ),
    "not the operation": (
        lambda request: Reply(405),
        ("--domain-name", "d", "--integration-uri", "u"),
        "does not implement GetIntegration",
    ),
    "given state that does not exist": (
        _unwritable,
        ("--domain-name", "d", "--integration-uri", "s3://u"),
        "the integration 's3://u' of domain 'd' does not exist: change --domain-name and --integration-uri",
    ),
    "no answer": (
        lambda request: None,
        (),
        "does not answer: the connection was closed without a whole answer",
    ),
    "a crash": (lambda request: Reply(500), (), "500"),
}


@pytest.fixture(scope="session")
def preflights(shared: Callable[[str, Callable[[Path], Any]], Any]) -> dict[str, Result]:
    """How a run ends against each server that it cannot test."""
    made = shared("preflights", _preflights)
    return {name: Result(*told) for name, told in made.items()}


def _preflights(_: Path) -> dict[str, list[Any]]:
    servers = {name: Scripted(script) for name, (script, _, _) in PREFLIGHT.items()}
    runs = [["--endpoint-url", servers[name].url, *options] for name, (_, options, _) in PREFLIGHT.items()]
    results = run_many([*runs, LOOPBACK], AWS_ACCESS_KEY_ID="AKIAMARKED", AWS_SECRET_ACCESS_KEY=SECRET)
    for server in servers.values():
        server.close()
    return dict(zip([*PREFLIGHT, "endpoint down"], _told(results), strict=True))


@pytest.mark.parametrize(
    ("name", "told"),
    [*((name, told) for name, (_, _, told) in PREFLIGHT.items()), ("endpoint down", "nothing listens at")],
)
def test_status_6_and_one_sentence_when_there_is_nothing_to_test(
    preflights: dict[str, Result], name: str, told: str
) -> None:
    result = preflights[name]
    assert result.status == 6, result.output
    assert told in result.output
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    assert len([line for line in result.stderr.splitlines() if line.startswith("Exit: ")]) == 1


def test_what_could_not_be_tested_is_indeterminate_in_the_report(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), *LOOPBACK)
    assert result.status == 6
    assert (result.report["verdict"], result.report["exit_status"]) == ("indeterminate", 6)
    decided = set(result.outcomes.values())
    assert decided <= {"indeterminate", "not claimed"}


# --- The interlock ------------------------------------------------------------------------------------------


def resolve(environ: dict[str, str] | None = None, **options: object) -> targets.Target | None:
    """The target that options and environment describe."""
    given = {key.replace("_", "-"): value for key, value in options.items()}
    known = dict.fromkeys((*targets.TARGET_SCHEMA["properties"], "target", "profile"))
    return targets.resolve(known | given, environ or {})


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> None:
    """Credentials that botocore finds."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


AWS_ADDRESSES = [
    AWS,
    "https://PROFILE.us-east-1.AmazonAWS.com",
    "https://profile.us-east-1.amazonaws.com.",
    "https://profile.us-east-1.amazonaws.com:443/",
    "http://profile.cn-north-1.amazonaws.com.cn",
    "https://vpce-1-a.profile.us-east-1.vpce.amazonaws.com",
    "https://profile.us-east-1.api.aws",
    "https://amazonaws.com",
]


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("address", AWS_ADDRESSES)
@pytest.mark.parametrize("variable", targets.ENDPOINT_VARIABLES)
def test_the_environment_alone_never_leads_to_aws(address: str, variable: str) -> None:
    with pytest.raises(TargetError, match="name it with --endpoint-url"):
        resolve({variable: address})


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("address", AWS_ADDRESSES)
def test_aws_is_tested_when_it_is_named_but_not_written_to(address: str, target_file: Any) -> None:
    for options in ({"endpoint_url": address}, {"target": target_file(f'endpoint-url = "{address}"')}):
        target = resolve(
            {"AWS_REGION": "us-east-1"} if "us-east-1" in address or "cn" not in address else {}, **options
        )
        assert target is not None
        assert target.is_aws
        assert not target.allow_writes
        assert targets.WRITING not in target.claims
        assert target.rate == 5


@pytest.mark.usefixtures("credentials")
def test_writing_to_aws_takes_a_word_of_its_own() -> None:
    allowed = resolve(endpoint_url=AWS, allow_writes=True)
    assert allowed is not None
    assert allowed.allow_writes
    given = resolve(endpoint_url=AWS, allow_writes=True, domain_name="d", integration_uri="u")
    assert given is not None
    assert not given.allow_writes, "what exists is only read"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:4566", "http://notamazonaws.com", "http://amazonaws.com.example"]
)
def test_other_addresses_may_be_written_to(address: str) -> None:
    target = resolve({"AWS_ENDPOINT_URL": address})
    assert target is not None
    assert target.allow_writes
    assert target.rate is None


_RESOLVER = """
import socket

real = socket.getaddrinfo

def getaddrinfo(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    with open({log!r}, "a") as file:
        file.write(f"{{name}}\\n")
    if name == "profile.us-east-1.amazonaws.com":
        return real("127.0.0.1", *args, **kwargs)
    if name in (None, "", "localhost") or name[0].isdigit():
        return real(host, *args, **kwargs)
    raise socket.gaierror(f"{{name}} is not for tests")

socket.getaddrinfo = getaddrinfo
"""


def test_aws_by_its_name_is_read_and_never_written_to(
    run_suite: RunSuite, holding: Process, tap: Any, tmp_path: Path
) -> None:
    # A resolver of its own sends the name to an emulator: no packet leaves the machine.
    log, listener = tmp_path / "names", tap(holding.url)
    (tmp_path / "fake_resolver.py").write_text(_RESOLVER.format(log=str(log)), encoding="utf-8")
    env = environment(
        AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY, PYTHONPATH=str(tmp_path)
    )
    address = "http://profile.us-east-1.amazonaws.com:" + listener.url.rpartition(":")[2]
    options = ("-p", "fake_resolver", "--endpoint-url", address, "--rate", "5000")
    result = run_suite(suite("access"), suite("missing"), suite("malformed"), *options, env=env)
    assert result.status == 0, result.output
    assert result.report["target"]["state"] == "discovered"
    assert "writes: nothing" in result.stdout
    assert len(listener.requests) > 100
    assert writes(listener.requests) == []
    named = {line for line in log.read_text().splitlines() if not line[:1].isdigit()}
    assert named == {"profile.us-east-1.amazonaws.com"}


# --- AWS's environment variables and credentials ------------------------------------------------------------


@pytest.mark.usefixtures("credentials")
def test_variables_mean_what_they_mean_to_the_aws_cli() -> None:
    both = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_CUSTOMER_PROFILES": "http://127.0.0.1:2",
    }
    specific = resolve(both)
    assert specific is not None
    assert specific.endpoint == "http://127.0.0.1:2"
    named = resolve(both, endpoint_url="http://127.0.0.1:3")
    assert named is not None
    assert named.endpoint == "http://127.0.0.1:3"
    assert resolve({}) is None
    assert resolve({"AWS_ENDPOINT_URL": ""}) is None
    regions = {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}
    for environ, option, region in (
        (regions, None, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, None, "eu-west-2"),
        (regions, "eu-west-3", "eu-west-3"),
        ({}, None, "us-east-1"),
    ):
        target = resolve(environ, endpoint_url="http://127.0.0.1:1", region=option)
        assert target is not None
        assert target.region == region


@pytest.mark.usefixtures("credentials")
def test_the_region_of_aws_stands_in_its_name() -> None:
    address = "https://profile.eu-central-1.amazonaws.com"
    target = resolve(endpoint_url=address)
    assert target is not None
    assert target.region == "eu-central-1"
    with pytest.raises(TargetError, match="is not the region of"):
        resolve(endpoint_url=address, region="us-east-1")


@pytest.fixture
def profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None
) -> Callable[[str], dict[str, str]]:
    """Writes an AWS configuration file; the environment that leads to it."""

    def write(text: str) -> dict[str, str]:
        path = tmp_path / "aws-config"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
        return environment(AWS_CONFIG_FILE=str(path))

    return write


TEMPORARY = """
    [profile temporary]
    aws_access_key_id = ASIAEXAMPLETEMP00001
    aws_secret_access_key = EXAMPLE-temporary-secret-key-012345678901
    aws_session_token = EXAMPLE-session-token
"""


def test_a_profile_with_a_session_token(run_suite: RunSuite, endpoint: Process, profiles: Any) -> None:
    env = profiles(TEMPORARY) | {"AWS_PROFILE": "temporary", "AWS_ENDPOINT_URL": endpoint.url}
    result = run_suite(suite("signatures"), "-k", "session_token or wrong_secret", env=env)
    assert result.status == 0, result.output
    assert result.outcomes["sigv4.session-token"] == "upheld"
    assert result.outcomes["sigv4.missing-token"] == "upheld"


_PROCESS = """
import datetime, json, pathlib, sys
count = pathlib.Path(sys.argv[1])
number = int(count.read_text()) + 1 if count.exists() else 1
count.write_text(str(number))
expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=2)
print(json.dumps({"Version": 1, "AccessKeyId": f"ASIA{number}", "SecretAccessKey": f"secret{number}",
                  "SessionToken": f"token{number}", "Expiration": expiry.isoformat()}))
"""


def test_credentials_that_expire_are_refreshed_during_the_run(
    serve: Serve, profiles: Any, tmp_path: Path
) -> None:
    # Two minutes are within the time before expiry in which botocore asks anew, so each request has its own.
    (tmp_path / "process.py").write_text(_PROCESS, encoding="utf-8")
    command = f"{sys.executable} {tmp_path / 'process.py'} {tmp_path / 'count'}"
    profiles(f"[profile refreshing]\ncredential_process = {command}\n")
    server = serve(lambda _: answered({}))
    target = resolve(endpoint_url=server.url, profile="refreshing")
    assert target is not None
    assert targets.TEMPORARY_CREDENTIALS in target.claims
    client = Client(target.endpoint, target.region)
    for _ in range(3):
        client.send(get_integration("d", "u"), target.caller)
    client.close()
    tokens = [request.header("x-amz-security-token") for request in server.received]
    keys = [
        re.findall(r"Credential=ASIA(\d+)/", request.header("authorization"))[0]
        for request in server.received
    ]
    assert len(set(tokens)) == 3
    assert tokens == [f"token{key}" for key in keys], "key and token are of one kind"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"The config profile \(broken\) could not be found"),
        ("[profile broken]\ncredential_process = false\n", "custom-process"),
        ("[profile broken]\naws_access_key_id = A\n", "Partial credentials"),
    ],
    ids=["no such profile", "a process that fails", "half of the credentials"],
)
@pytest.mark.parametrize("how", ["option", "variable"])
def test_broken_credentials_are_told_and_not_replaced(
    profiles: Any, monkeypatch: pytest.MonkeyPatch, text: str, told: str, how: str
) -> None:
    profiles(text)
    if how == "variable":
        monkeypatch.setenv("AWS_PROFILE", "broken")
    with pytest.raises(TargetError, match=told):
        resolve(endpoint_url="http://127.0.0.1:1", profile="broken" if how == "option" else None)


@pytest.mark.usefixtures("clean_environment")
def test_only_a_loopback_address_gets_the_emulators_credentials() -> None:
    target = resolve(endpoint_url="http://localhost:1")
    assert target is not None
    assert target.caller.access_key == ACCESS_KEY
    with pytest.raises(TargetError, match="no credentials for caller"):
        resolve(endpoint_url="http://mock.example:1")


def test_an_identity_claims_what_it_is_for(target_file: Any) -> None:
    whole = resolve(target=target_file('endpoint-url = "http://127.0.0.1:1"', "latency-limit = 0.5"))
    assert whole is not None
    assert whole.claims == set(targets.CLAIMS)
    caller_alone = IDENTITIES[: IDENTITIES.index("[identities.unauthorized]")]
    alone = resolve(target=target_file('endpoint-url = "http://127.0.0.1:1"', identities=caller_alone))
    assert alone is not None
    assert alone.claims == {"signatures", "writing"}


@pytest.mark.usefixtures("clean_environment")
def test_a_profile_gives_its_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    keys = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = secret-of-the-profile\n"
    config.write_text(f"[profile there]\nregion = eu-north-1\n{keys}", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    target = resolve(endpoint_url="http://127.0.0.1:1", profile="there")
    assert target is not None
    assert target.region == "eu-north-1"
    target = resolve(endpoint_url="http://127.0.0.1:1", profile="there", region="eu-west-1")
    assert target is not None
    assert target.region == "eu-west-1"


def test_options_win_over_the_target_file(target_file: Any) -> None:
    path = target_file(
        'endpoint-url = "http://127.0.0.1:1"', 'region = "eu-west-1"', "rate = 3", "allow-writes = true"
    )
    target = resolve(target=path, region="eu-west-2", allow_writes=False, request_timeout=3.5)
    assert target is not None
    assert (target.region, target.rate, target.allow_writes, target.timeout) == ("eu-west-2", 3, False, 3.5)


def test_state_that_cannot_be_made_is_told_with_what_to_give(serve: Serve) -> None:
    client = Client(serve(_unwritable).url, "us-east-1")
    with pytest.raises(StateError, match="CreateDomain answered 403 AccessDeniedException"):
        Provisioner(client, {"caller": CALLER}, lambda _: None).have(allow_writes=True)
    client.close()
