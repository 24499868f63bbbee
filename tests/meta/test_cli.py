"""The command line: exit statuses, wrong use, what options mean."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from .conftest import RunSuite
from .support import ROOT, SECRET, Process, Result, environment, started, suite

# --- Exit statuses ------------------------------------------------------------------------------------------


def test_status_0_when_everything_is_upheld(default_run: Result) -> None:
    assert default_run.status == 0, default_run.output
    assert (default_run.report["verdict"], default_run.report["run"]["partial"]) == ("pass", False)
    assert "\nPASS  " in default_run.stdout


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def test_broken():\n    raise RuntimeError('of its own making')\n", "of its own making"),
        ("import no_such_module\n", "no_such_module"),
        (
            "import pytest\n@pytest.mark.clauses('no.such')\ndef test_broken():\n    pass\n",
            "names the clause no.such, which does not exist",
        ),
    ],
    ids=["it raises", "it cannot be imported", "it names an unknown clause"],
)
def test_status_3_when_a_scenario_breaks_by_itself(
    run_suite: RunSuite, tmp_path: Path, code: str, said: str
) -> None:
    scenario = tmp_path / "test_broken.py"
    scenario.write_text(code, encoding="utf-8")
    result = run_suite(suite("access"), scenario, status=3)
    (error,) = result.report["errors"]
    assert "test_broken" in error
    assert said in result.stdout
    assert "\nINTERNAL ERROR  " in result.stdout


def test_status_5_when_nothing_ran(run_suite: RunSuite) -> None:
    result = run_suite(suite("access"), "-k", "no_such_test", status=5)
    assert "\nNOTHING RAN  " in result.stdout
    assert result.report["verdict"] == "indeterminate"


def test_quiet_gives_the_verdict_alone_and_what_is_violated(run_suite: RunSuite, mislabelling: str) -> None:
    result = run_suite(suite("access"), "-q", report=False)
    (line,) = filter(str.strip, result.stdout.splitlines())
    assert line.startswith("PASS  ")
    result = run_suite(suite("missing"), "-q", "--endpoint-url", mislabelling, report=False, status=1)
    assert "Traceback" not in result.output
    *violated, verdict = filter(str.strip, result.stdout.splitlines())
    assert verdict.startswith("FAIL  ")
    assert "VIOLATED  error.content-type: " in "\n".join(violated)


# --- Wrong use ----------------------------------------------------------------------------------------------

_AT = "--endpoint-url http://127.0.0.1:9"
#: Typed as in a shell, and what the sentence must say.
WRONG_OPTIONS: list[tuple[str, str]] = [
    ("--endpoint-url 127.0.0.1:4566", "is not an address like"),
    ("--endpoint-url ftp://127.0.0.1", "is not an address like"),
    ("--endpoint-url http://127.0.0.1:x", "is not an address like"),
    ("--endpoint-url http://127.0.0.1:9/path", "must not have a path"),
    (f"--endpoint-url http://me:{SECRET}@127.0.0.1:9", "must not hold credentials"),
    ("--endpoint-url 'http://profile.amazonaws\u3002com'", "is not an address like"),
    ("--endpoint-url https://profile.us-east-1.amazonaws%2ecom", "is not an address like"),
    ("--endpoint-url http://a..b", "is not an address like"),
    (f"--endpoint-url http://{'a' * 64}.b", "is not an address like"),
    ("--endpoint-url 'http://localhost '", "is not an address like"),
    (f"{_AT} --domain-name d", "--domain-name and --integration-uri go together"),
    (f"{_AT} --integration-uri u", "--domain-name and --integration-uri go together"),
    ("--domain-name d --integration-uri u", "needs an endpoint"),
    ("--profile p", "needs an endpoint"),
    (f"{_AT} --profile no-such", "The config profile (no-such) could not be found"),
    (f"{_AT} --rate 0", "--rate must be a number from 0.001 to 1,000,000, not 0"),
    ("--rate fast", "--rate"),
    (f"{_AT} --max-requests 0", "--max-requests"),
    ("--request-timeout 0", "--request-timeout"),
    (f"{_AT} --allow-writes --no-writes", "contradict each other"),
    (f"{_AT} --region 'not a region'", "--region must be the name of a region"),
    (f"{_AT} --domain-name 'a b' --integration-uri u", "what cannot exist: request.DomainName.pattern"),
    ("--max-examples 0", "--max-examples must be a whole number from 1 to 1"),
    ("--hypothesis-seed lucky", "--hypothesis-seed"),
    ("--depth deep", "--depth"),
    ("--not-claimed everything", "--not-claimed"),
    ("--no-such-option", "--no-such-option"),
    ("--region ''", "--region"),
    ("--target /no/such.toml", "--target: cannot read /no/such.toml"),
    ("--waivers /no/such.toml", "--waivers: cannot read /no/such.toml"),
    ("--report-dir /dev/null/reports", "cannot write to /dev/null/reports"),
    ("--write-waivers /tmp", "--write-waivers: /tmp is a folder"),
    ("--record /dev/null/a.har", "cannot write to /dev/null"),
    ("--record /dev/null", "--record: /dev/null is no regular file"),
    ("--junitxml /dev/null", "/dev/null is no regular file"),
    (f"--hypothesis-seed {'1' * 5000}", "--hypothesis-seed"),
    (f"--max-examples {'1' * 30}", "max-examples must be"),
    ("--dist each -n 2", "--dist each runs each test"),
    ("--require-exercised request.Uri.maxLenght", "matches no clause; the nearest is request.Uri.maxLength"),
    ("--require-exercised 'requests.*'", "matches no clause; the nearest is"),
    ("--resume", "--resume needs --record"),
    ("--rate nan", "--rate"),
    ("--hypothesis-seed '\xb2'", "--hypothesis-seed"),
    ("--request-timeout 1e300", "--request-timeout"),
]

_IDENTITY = f'[identities.caller]\naccess-key-id = "A"\nsecret-access-key = "{SECRET}"\n'
_TEMPORARY, _UNAUTHORIZED = (_IDENTITY.replace("caller", name) for name in ("temporary", "unauthorized"))
_ENDPOINT = 'endpoint-url = "http://127.0.0.1:9"\n'
WRONG_FILES: list[tuple[str, str]] = [
    ("endpoint-url = ", "is not TOML"),
    (f'[identities.caller]\nsecret-access-key = "{SECRET}', "is not TOML"),
    ('endpoint = "http://127.0.0.1:9"', "endpoint is no key: did you mean endpoint-url?"),
    (f'{_ENDPOINT}rate = "5"', "rate must be a number from 0.001 to 1,000,000, not the text 5"),
    ("rate = 1e-300", "rate must be a number from 0.001 to 1,000,000, not 1e-300"),
    (f"max-requests = {'9' * 30}", "max-requests must be a whole number"),
    (f"{'.'.join(['rate'] * 5000)} = 1", "rate must be a number from 0.001"),
    ("q7 = 1", "q7 is no key: the keys are name, endpoint-url, region,"),
    ("[rate]", "rate must be a number from 0.001 to 1,000,000, not a table"),
    ('depth = "deep"', "depth must be one of gate, nightly, not the text deep"),
    ("max-requests = 1.5", "max-requests must be a whole number from 1"),
    ("wait = inf", "wait must be a number from 0 to 86,400, not inf"),
    ('not-claimed = ["tls"]', "not-claimed must be a list of capabilities, which are signatures,"),
    ('not-claimed = ["throtling"]', "not the text throtling; did you mean throttling?"),
    ('allow-writes = "yes"', "allow-writes must be true or false, not the text yes"),
    ('[identities.admin]\nprofile = "p"', "identities.admin is no identity: the identities are caller, "),
    (f"rate = {'[' * 3000}", "is not TOML"),
    (f"rate = {'1' * 5000}", "is not TOML"),
    ('[identities.caller]\naccess-key-id = "A"', "identities.caller must have either"),
    (
        f'[identities.caller]\naccess-key-id = "A"\nsecret-acces-key = "{SECRET}"',
        "identities.caller.secret-acces-key is no key: did you mean secret-access-key?",
    ),
    (f'{_IDENTITY}profile = "p"', "identities.caller must have either"),
    ("[identities.caller]\naccess-key-id = 1\nsecret-access-key = 2", "identities.caller"),
    (
        f'{_ENDPOINT}[identities.caller]\naccess-key-id = "A\\nB"\nsecret-access-key = "{SECRET}"',
        "credentials for caller: the access key id must be printable ASCII",
    ),
    (
        f'{_ENDPOINT}{_IDENTITY}session-token = "{SECRET}\\r\\n"',
        "credentials for caller: the session token must be printable ASCII",
    ),
    (f"{_ENDPOINT}{_TEMPORARY}", "identities.temporary needs session-token"),
    (f"{_ENDPOINT}{_IDENTITY}{_UNAUTHORIZED}", "identities.unauthorized has the access key of the caller"),
    (f"{_IDENTITY}", "needs an endpoint"),
    (f'{_ENDPOINT}waivers = "none.toml"\n{_IDENTITY}', "--waivers: cannot read"),
    (f'endpoint-url = "here"\n{_IDENTITY}', "is not an address like"),
    (f'{_ENDPOINT}domain-name = "d"\n{_IDENTITY}', "go together"),
]


def refused(result: Result, said: str) -> None:
    """What was refused is told in one sentence, which says why."""
    lines = result.stderr.splitlines()
    (sentence,) = (line for line in lines if re.search("^ERROR: (?!usage)|: error: ", line))
    assert said in sentence
    assert "Traceback" not in result.output
    assert SECRET not in result.output
    assert "passed" not in result.output


@pytest.mark.parametrize(("line", "said"), WRONG_OPTIONS, ids=lambda text: ascii(text[:60]))
def test_status_4_and_one_sentence_for_wrong_options(run_suite: RunSuite, line: str, said: str) -> None:
    refused(run_suite(suite("access"), *shlex.split(line), report=False, status=4), said)


@pytest.mark.parametrize(("text", "said"), WRONG_FILES, ids=lambda text: ascii(text[:60]))
def test_status_4_and_one_sentence_for_wrong_target_files(
    run_suite: RunSuite, target_file: Any, text: str, said: str
) -> None:
    target = target_file(text, identities="")
    refused(run_suite(suite("access"), "--target", target, report=False, status=4), said)


# --- What options mean --------------------------------------------------------------------------------------


def test_list_clauses_prints_them_and_does_nothing_else(run_suite: RunSuite, default_run: Result) -> None:
    env = environment(AWS_ENDPOINT_URL="http://127.0.0.1:9")
    forms = ([], ["markdown"], ["json"], ["html"])
    runs = (run_suite("--list-clauses", *form, env=env, report=False) for form in forms)
    text, markdown, listed, wrong = runs
    assert [text.status, markdown.status, listed.status, wrong.status] == [0, 0, 0, 4]
    ids = [clause["id"] for clause in json.loads(listed.stdout)["clauses"]]
    assert ids == [clause["id"] for clause in default_run.report["clauses"]]
    for name in ids:
        assert f"\n  {name}\n" in text.stdout
        assert f"`{name}`" in markdown.stdout


def test_what_is_not_claimed_is_told_first_and_not_checked(run_suite: RunSuite, closing: Any) -> None:
    server: Process = closing(started(ROOT / "tests/meta/second_server", "--no-signatures"))
    options = (suite("signatures"), suite("precedence"), "--endpoint-url", server.url)
    result = run_suite(*options, "--not-claimed", "signatures", status=0)
    head = result.stdout[: result.stdout.index("collected")]
    assert re.search(r"not claimed, so not checked: .*\bsignatures\b", head)
    for name, outcome in result.outcomes.items():
        assert outcome == "not claimed" or not name.startswith("sigv4."), name
    implied = {"signatures", "access-control", "temporary-credentials"}
    assert not set(result.report["target"]["capabilities"]) & implied


def test_options_count_for_the_shipped_emulator_too(run_suite: RunSuite) -> None:
    options = ("--not-claimed", "throttling", "--region", "eu-west-1", "--fail-on-should")
    result = run_suite(suite("access"), suite("throttling"), *options, status=0)
    assert "throttling" not in result.report["target"]["capabilities"]
    assert result.report["target"]["region"] == "eu-west-1"
    assert result.outcomes["throttling.occurs"] == "not claimed"
    assert result.report["run"]["strict"] is True
