"""The command line: exit statuses, wrong use, what options mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .commands import (
    LOOPBACK,
    SECRET,
    run_many,
    told,
)
from .conftest import RunSuite
from .support import (
    ROOT,
    Process,
    Result,
    Scripted,
    forwarding,
    started,
    suite,
)

Serve = Callable[[Any], Scripted]


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
    *violated, verdict = filter(str.strip, result.stdout.splitlines())
    assert verdict.startswith("FAIL  ")
    assert "VIOLATED  error.content-type: " in "\n".join(violated)


# --- Wrong use ----------------------------------------------------------------------------------------------

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
    "address in percent signs": (
        ["--endpoint-url", "https://profile.us-east-1.amazonaws%2ecom"],
        "is not an address like",
    ),
    "address with an empty label": (["--endpoint-url", "http://a..b"], "is not an address like"),
    "address with a long label": (["--endpoint-url", f"http://{'a' * 64}.b"], "is not an address like"),
    "address with a space": (["--endpoint-url", "http://localhost "], "is not an address like"),
    "domain alone": ([*LOOPBACK, "--domain-name", "d"], "--domain-name and --integration-uri go together"),
    "Uri alone": ([*LOOPBACK, "--integration-uri", "u"], "--domain-name and --integration-uri go together"),
    "domain without an endpoint": (["--domain-name", "d", "--integration-uri", "u"], "needs an endpoint"),
    "profile without an endpoint": (["--profile", "p"], "needs an endpoint"),
    "profile that does not exist": (
        [*LOOPBACK, "--profile", "no-such"],
        "The config profile (no-such) could not be found",
    ),
    "no rate": ([*LOOPBACK, "--rate", "0"], "--rate must be a number from 0.001 to 1,000,000, not 0"),
    "a negative rate": (["--rate", "-1"], "--rate"),
    "a rate in words": (["--rate", "fast"], "--rate"),
    "no requests": ([*LOOPBACK, "--max-requests", "0"], "--max-requests"),
    "no time": (["--request-timeout", "0"], "--request-timeout"),
    "writes and no writes": ([*LOOPBACK, "--allow-writes", "--no-writes"], "contradict each other"),
    "no region's name": ([*LOOPBACK, "--region", "not a region"], "--region must be the name of a region"),
    "a domain that cannot exist": (
        [*LOOPBACK, "--domain-name", "a b", "--integration-uri", "u"],
        "name what cannot exist: request.DomainName.pattern",
    ),
    "no examples": (["--max-examples", "0"], "--max-examples must be a whole number from 1 to 1"),
    "a seed in words": (["--hypothesis-seed", "lucky"], "--hypothesis-seed"),
    "an unknown depth": (["--depth", "deep"], "--depth"),
    "an unknown capability": (["--not-claimed", "everything"], "--not-claimed"),
    "an unknown option": (["--no-such-option"], "--no-such-option"),
    "no region": (["--region", ""], "--region"),
    "no target file": (["--target", "/no/such.toml"], "--target: cannot read /no/such.toml"),
    "no waivers file": (["--waivers", "/no/such.toml"], "--waivers: cannot read /no/such.toml"),
    "a report where none can be": (
        ["--report-dir", "/dev/null/reports"],
        "cannot write to /dev/null/reports",
    ),
    "waivers into a folder": (["--write-waivers", "/tmp"], "--write-waivers: /tmp is a folder"),
    "a recording into a folder": (["--record", "/tmp"], "--record: /tmp is a folder"),
    "a recording where none can be": (["--record", "/dev/null/a.har"], "cannot write to /dev/null"),
    "a recording into a device": (["--record", "/dev/null"], "--record: /dev/null is no regular file"),
    "waivers into a device": (["--write-waivers", "/dev/null"], "/dev/null is no regular file"),
    "junit.xml into a device": (["--junitxml", "/dev/null"], "/dev/null is no regular file"),
    "a seed of too many digits": (["--hypothesis-seed", "1" * 5000], "--hypothesis-seed"),
    "examples of too many digits": (["--max-examples", "1" * 30], "max-examples must be"),
    "a rate of next to nothing": (["--rate", "1e-300"], "rate must be"),
    "every test in every worker": (
        ["--dist", "each", "-n", "2"],
        "--dist each runs each test",
    ),
    "a clause that is none to exercise": (
        ["--require-exercised", "request.Uri.maxLenght"],
        "matches no clause; the nearest is request.Uri.maxLength",
    ),
    "a pattern that matches no clause": (
        ["--require-exercised", "requests.*"],
        "matches no clause; the nearest is",
    ),
    "nothing to resume": (["--resume"], "--resume needs --record"),
    "a rate that is none": (["--rate", "nan"], "--rate"),
    "a seed in other digits": (["--hypothesis-seed", "\u00b2"], "--hypothesis-seed"),
    "more time than there is": (["--request-timeout", "1e300"], "--request-timeout"),
    "waivers where none can be": (["--write-waivers", "/dev/null/waivers.toml"], "cannot write to /dev/null"),
}

_FILE_IDENTITY = f'[identities.caller]\naccess-key-id = "A"\nsecret-access-key = "{SECRET}"\n'

WRONG_FILES: dict[str, tuple[str, str]] = {
    "no TOML": ("endpoint-url = ", "is not TOML"),
    "a secret in no TOML": (f'[identities.caller]\nsecret-access-key = "{SECRET}', "is not TOML"),
    "an unknown key": ('endpoint = "http://127.0.0.1:9"', "endpoint is no key: did you mean endpoint-url?"),
    "a number as text": (
        'endpoint-url = "http://127.0.0.1:9"\nrate = "5"',
        "rate must be a number from 0.001 to 1,000,000, not the text 5",
    ),
    "a rate of nothing": (
        'endpoint-url = "http://127.0.0.1:9"\nrate = 0',
        "rate must be a number from 0.001 to 1,000,000, not 0",
    ),
    "a rate of next to nothing": (
        "rate = 1e-300",
        "rate must be a number from 0.001 to 1,000,000, not 1e-300",
    ),
    "more requests than can be counted": (
        f"max-requests = {'9' * 30}",
        "max-requests must be a whole number",
    ),
    "a key of too many parts": (".".join(["rate"] * 5000) + " = 1", "rate must be a number from 0.001"),
    "no key at all": ("q7 = 1", "q7 is no key: the keys are name, endpoint-url, region,"),
    "a table where a number is due": ("[rate]", "rate must be a number from 0.001 to 1,000,000, not a table"),
    "a depth that is none": ('depth = "deep"', "depth must be one of gate, nightly, not the text deep"),
    "half a request": ("max-requests = 1.5", "max-requests must be a whole number from 1"),
    "an infinite wait": ("wait = inf", "wait must be a number from 0 to 86,400, not inf"),
    "an unknown capability": (
        'not-claimed = ["tls"]',
        "not-claimed must be a list of capabilities, which are signatures,",
    ),
    "a misspelt claim": ('not-claimed = ["throtling"]', "not the text throtling; did you mean throttling?"),
    "text as a boolean": ('allow-writes = "yes"', "allow-writes must be true or false, not the text yes"),
    "an unknown identity": (
        '[identities.admin]\nprofile = "p"',
        "identities.admin is no identity: the identities are caller, ",
    ),
    "deep nesting": ("rate = " + "[" * 3000, "is not TOML"),
    "a number of too many digits": ("rate = " + "1" * 5000, "is not TOML"),
    "an identity without a secret": (
        '[identities.caller]\naccess-key-id = "A"',
        "identities.caller must have either",
    ),
    "a misspelt secret": (
        f'[identities.caller]\naccess-key-id = "A"\nsecret-acces-key = "{SECRET}"',
        "identities.caller.secret-acces-key is no key: did you mean secret-access-key?",
    ),
    "profile and keys": (_FILE_IDENTITY + 'profile = "p"', "identities.caller must have either"),
    "a secret that is no text": (
        "[identities.caller]\naccess-key-id = 1\nsecret-access-key = 2",
        "identities.caller",
    ),
    "an access key with a line break": (
        'endpoint-url = "http://127.0.0.1:9"\n[identities.caller]\n'
        f'access-key-id = "A\\nB"\nsecret-access-key = "{SECRET}"',
        "credentials for caller: the access key id must be printable ASCII",
    ),
    "a token with a line break": (
        f'endpoint-url = "http://127.0.0.1:9"\n{_FILE_IDENTITY}session-token = "{SECRET}\\r\\n"',
        "credentials for caller: the session token must be printable ASCII",
    ),
    "temporary credentials without a token": (
        f'endpoint-url = "http://127.0.0.1:9"\n{_FILE_IDENTITY.replace("caller", "temporary")}',
        "identities.temporary needs session-token",
    ),
    "an identity that is the caller": (
        f'endpoint-url = "http://127.0.0.1:9"\n{_FILE_IDENTITY}'
        + _FILE_IDENTITY.replace("caller", "unauthorized"),
        "identities.unauthorized has the access key of the caller",
    ),
    "identities without an endpoint": (_FILE_IDENTITY, "needs an endpoint"),
    "a waivers file that is not there": (
        f'endpoint-url = "http://127.0.0.1:9"\nwaivers = "none.toml"\n{_FILE_IDENTITY}',
        "--waivers: cannot read",
    ),
    "a bad address": (f'endpoint-url = "here"\n{_FILE_IDENTITY}', "is not an address like"),
    "only half of what exists": (
        f'endpoint-url = "http://127.0.0.1:9"\ndomain-name = "d"\n{_FILE_IDENTITY}',
        "go together",
    ),
}


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
    return dict(zip(runs, told(run_many(list(runs.values()))), strict=True))


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
    open_server = closing(started(ROOT / "tests/meta/second_server", "--no-signatures"))
    options = (suite("signatures"), suite("precedence"), "--endpoint-url", open_server.url)
    result = run_suite(*options, "--not-claimed", "signatures")
    assert result.status == 0, result.output
    head = result.stdout[: result.stdout.index("collected")]
    assert re.search(r"not claimed, so not checked: .*\bsignatures\b", head)
    for name, outcome in result.outcomes.items():
        assert outcome == "not claimed" or not name.startswith("sigv4."), name
    assert not set(result.report["target"]["capabilities"]) & {
        "signatures",
        "access-control",
        "temporary-credentials",
    }


def test_an_open_server_that_claims_signatures_is_found_out(run_suite: RunSuite, closing: Any) -> None:
    open_server = closing(started(ROOT / "tests/meta/second_server", "--no-signatures"))
    result = run_suite(suite("signatures"), "-k", "wrong_secret", "--endpoint-url", open_server.url)
    assert result.status == 1
    assert "sigv4.wrong-secret" in result.findings


def test_options_count_for_the_shipped_emulator_too(run_suite: RunSuite) -> None:
    result = run_suite(
        suite("access"), suite("throttling"), "--not-claimed", "throttling", "--region", "eu-west-1"
    )
    assert result.status == 0, result.output
    assert "throttling" not in result.report["target"]["capabilities"]
    assert result.report["target"]["region"] == "eu-west-1"
    assert result.outcomes["throttling.occurs"] == "not claimed"


def test_failing_on_should_is_reported(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "--fail-on-should")
    assert result.status == 0, result.output
    assert result.report["run"]["strict"] is True
