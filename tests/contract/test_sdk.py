"""Official clients as judges: they read the answers as the contract means them, and type the errors.

botocore takes part in every run; its parser and its exceptions are those of boto3. The AWS CLI and the SDK
for JavaScript take a second to start, so they are asked at nightly depth only. Node finds the latter from the
folder that ``CONTRACT_NODE_MODULES`` names: run ``npm install @aws-sdk/client-customer-profiles`` in it.
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.target.target import Target
from getintegration_contract.text import shown

from .callables import Ask
from .clients import JAVASCRIPT, again, unreadable

clauses = pytest.mark.clauses

Run = Callable[..., "subprocess.CompletedProcess[str]"]

TIMES = ("CreatedAt", "LastUpdatedAt")
#: Seconds that a client may round a time by.
ROUNDING = 0.01
#: Seconds that a client in another process may take for its start, beside the time limit of its requests.
START = 60
#: Requests to a caller of low quota until one is throttled.
BURST = 40
UNKNOWN = "s3://unknown"
SCRIPT = Path(__file__).parent / "sdk" / "get-integration.mjs"


@pytest.fixture
def run(static_caller: Identity, target: Target, client: Client, verify: bool | str) -> Run:
    """Runs a client in a process of its own, with the caller's credentials and nobody's configuration."""
    if target.depth != "nightly":
        pytest.skip("asked at nightly depth only: it starts slowly")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") or name == "AWS_CA_BUNDLE"
    }
    environment |= {
        "AWS_ACCESS_KEY_ID": static_caller.access_key,
        "AWS_SECRET_ACCESS_KEY": static_caller.secret_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "3",
    }
    if isinstance(verify, str):
        environment |= {"AWS_CA_BUNDLE": verify, "NODE_EXTRA_CA_CERTS": verify}
    if static_caller.session_token:
        environment["AWS_SESSION_TOKEN"] = static_caller.session_token

    def run(command: list[str], requests: int = 1) -> subprocess.CompletedProcess[str]:
        for _ in range(requests):
            client.admit()
        limit = START + 6 * target.request_timeout
        try:
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, -1, "", f"no answer within {limit:g} seconds")

    return run


def instant(value: Any) -> Any:
    """A time as epoch seconds, in whatever form a client gives it; anything else as it is."""
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            return value
    return value.timestamp() if isinstance(value, datetime.datetime) else value


def same(check: Checker, clause: str, exchange: Exchange, read: dict[str, Any]) -> None:
    """The members that a client read MUST be those of the JSON, times of the same instant."""
    raw = check.members(exchange)
    for name in sorted(check.judge.contract.members):
        due, got = raw.get(name), read.get(name)
        got = None if got in ("", [], {}) else got  # what a client makes of a member that is absent
        ok = due == got
        if name in TIMES:
            due, got = instant(due), instant(got)
            both = isinstance(due, int | float) and isinstance(got, int | float)
            ok = abs(due - got) <= ROUNDING if both else due == got
        check.that(clause, ok, f"{name} {shown(due)}", shown(got), exchange)


def tolerates(check: Checker, name: str, exchange: Exchange) -> None:
    """Note times that the contract forbids and a client reads nevertheless."""
    for member in TIMES:
        if isinstance(check.members(exchange).get(member), str):
            check.entry.notes.append(f"{name} reads {member} as text, which the contract forbids")


def called(make: Callable[[], Any]) -> tuple[str, Any]:
    """What a call of botocore comes to: an answer, or an exception and its type."""
    try:
        return "an answer", make()
    except EnvironmentFault:
        raise
    except Exception as error:  # a parser may stumble in any way
        return type(error).__name__, error


@clauses("sdk.boto3")
def test_botocore(ask: Ask, sdk: Callable[..., Any], caller: Identity, state: State, check: Checker) -> None:
    exchange = ask()

    def read() -> tuple[str, Any]:
        return called(lambda: sdk(caller).get_integration(DomainName=state.domain, Uri=state.uri))

    # Of JSON that it does not read it makes an answer without members.
    got, answer = again(read, lambda came: isinstance(came[1], dict) and "Uri" in came[1])
    failed = not isinstance(answer, dict) or "Uri" not in answer
    if unreadable(check, exchange if failed else None, "botocore", "sdk.boto3"):
        return
    if not isinstance(answer, dict):
        check.that("sdk.boto3", False, "an answer", f"{got}: {answer}", exchange)
        return
    same(check, "sdk.boto3", exchange, answer)
    tolerates(check, "botocore", exchange)


@clauses("sdk.boto3.typed-errors")
@pytest.mark.parametrize(
    ("uri", "due"),
    [
        pytest.param(UNKNOWN, "ResourceNotFoundException", id="not found"),
        pytest.param("u" * 256, "BadRequestException", id="bad request"),
    ],
)
def test_botocore_types_errors(
    ask: Ask, sdk: Callable[..., Any], caller: Identity, state: State, check: Checker, uri: str, due: str
) -> None:
    def read() -> str:
        return called(lambda: sdk(caller).get_integration(DomainName=state.domain, Uri=uri))[0]

    got = again(read, due.__eq__)
    exchange = None if got == due else ask(uri=uri)
    if not unreadable(check, exchange, "botocore", "sdk.boto3.typed-errors"):
        check.that("sdk.boto3.typed-errors", got == due, due, got, exchange)


@clauses("sdk.boto3.typed-errors")
def test_botocore_types_denied_access(
    ask: Ask, sdk: Callable[..., Any], unauthorized: Identity, state: State, check: Checker
) -> None:
    def read() -> str:
        return called(lambda: sdk(unauthorized).get_integration(DomainName=state.domain, Uri=state.uri))[0]

    lawful = ("AccessDeniedException", "ResourceNotFoundException")
    got = again(read, lawful.__contains__)
    exchange = None if got in lawful else ask(identity=unauthorized)
    if not unreadable(check, exchange, "botocore", "sdk.boto3.typed-errors"):
        check.that("sdk.boto3.typed-errors", got in lawful, " or ".join(lawful), got, exchange)


@clauses("sdk.boto3.typed-errors", "throttling.occurs")
def test_botocore_types_throttling(
    ask: Ask, sdk: Callable[..., Any], low_quota: Identity, state: State, check: Checker
) -> None:
    once = sdk(low_quota, 1)
    answers = ("an answer", "ResourceNotFoundException")
    before = ""
    for _ in range(BURST):
        got, _ = called(lambda: once.get_integration(DomainName=state.domain, Uri=state.uri))
        if (
            got in ("ThrottlingException", before) and got not in answers
        ):  # one stray fault is no answer to it
            typed = got == "ThrottlingException"
            if not unreadable(check, None if typed else ask(), "botocore", *check.clauses):
                check.that("sdk.boto3.typed-errors", typed, "ThrottlingException", got)
                if typed:
                    check.that("throttling.occurs", True, "429", got)
            return
        before = got
    pytest.skip("no request was throttled")


@clauses("sdk.aws-cli")
def test_aws_cli(run: Run, ask: Ask, target: Target, state: State, check: Checker) -> None:
    beside = Path(sys.executable).parent
    command = shutil.which("aws", path=beside) or shutil.which("aws")
    if command is None:
        pytest.skip("the AWS CLI is not installed")
    options = ["--endpoint-url", target.endpoint, "--region", target.region, "--output", "json"]

    def aws(uri: str) -> subprocess.CompletedProcess[str]:
        # As JSON, because the CLI would fetch what a plain --uri of http:// or file:// names.
        asked = json.dumps({"DomainName": state.domain, "Uri": uri})
        return run([command, "customer-profiles", "get-integration", *options, "--cli-input-json", asked])

    exchange = ask()
    found = again(lambda: aws(state.uri), lambda done: done.returncode == 0 and done.stdout)
    missing = again(lambda: aws(UNKNOWN), lambda done: "(ResourceNotFoundException)" in done.stderr)
    typed = missing.returncode != 0 and "(ResourceNotFoundException)" in missing.stderr
    failed = found.returncode != 0 or not typed
    if unreadable(check, exchange if failed else None, "the AWS CLI", "sdk.aws-cli"):
        return
    if found.returncode:
        check.that("sdk.aws-cli", False, "an answer", found.stderr.strip()[-300:], exchange)
    else:
        # It prints nothing for an answer without members.
        same(check, "sdk.aws-cli", exchange, json.loads(found.stdout or "{}"))
        tolerates(check, "the AWS CLI", exchange)
    said = missing.stderr.strip()[-300:] or "an answer"
    check.that("sdk.aws-cli", typed, "ResourceNotFoundException", said)


@clauses("sdk.javascript")
def test_javascript(run: Run, ask: Ask, target: Target, state: State, check: Checker) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    exchange = ask()
    command = [node, str(SCRIPT), target.endpoint, target.region, state.domain, state.uri]
    done = again(
        lambda: run(command, requests=3), lambda done: done.returncode == 3 or '"members"' in done.stdout
    )
    if done.returncode == 3:
        pytest.skip("node finds no @aws-sdk/client-customer-profiles in the folder CONTRACT_NODE_MODULES")
    failed = done.returncode != 0 or "members" not in json.loads(done.stdout)["found"]
    if unreadable(check, exchange if failed else None, JAVASCRIPT, "sdk.javascript"):
        return
    if done.returncode:
        check.that("sdk.javascript", False, "answers", done.stderr.strip()[-300:], exchange)
        return
    answers = json.loads(done.stdout)
    found = answers["found"]
    if "members" in found:
        same(check, "sdk.javascript", exchange, found["members"])
        tolerates(check, "AWS SDK for JavaScript", exchange)
    else:
        check.that("sdk.javascript", False, "an answer", found["message"], exchange)
    for asked, due in (("missing", "ResourceNotFoundException"), ("invalid", "BadRequestException")):
        got = answers[asked].get("error", "an answer")
        check.that("sdk.javascript", got == due, due, got)
