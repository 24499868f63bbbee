"""Official clients as judges: they read the answers as the contract means them.

botocore takes part in every run: its parser and its exceptions are those of boto3. The AWS CLI and the SDK for
JavaScript start slowly and are asked at nightly depth only; the latter from the folder of modules that
``CONTRACT_NODE_MODULES`` names.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from getintegration_contract.checker import Checker
from getintegration_contract.client import Identity
from getintegration_contract.state import State
from getintegration_contract.target import Target

clauses = pytest.mark.clauses

#: Seconds that a client of another process may take.
LIMIT = 60
SCRIPT = Path(__file__).parent / "sdk" / "get-integration.mjs"


@pytest.fixture
def nightly(pytestconfig: pytest.Config) -> None:
    """Leaves slow clients to nightly depth."""
    if pytestconfig.option.depth != "nightly":
        pytest.skip("asked at nightly depth only: the client starts slowly")


@pytest.fixture
def environment(static: Identity, target: Target) -> dict[str, str]:
    """The environment of a client in another process; its credentials are the caller's."""
    given = {
        "AWS_ACCESS_KEY_ID": static.access_key,
        "AWS_SECRET_ACCESS_KEY": static.secret_key,
        "AWS_REGION": target.region,
        "AWS_DEFAULT_REGION": target.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if static.session_token:
        given["AWS_SESSION_TOKEN"] = static.session_token
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | given


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """A document with timestamps as epoch seconds and without what is absent or empty."""
    plain = {}
    for name, value in document.items():
        if isinstance(value, datetime.datetime):
            plain[name] = value.timestamp()
        elif name.endswith("At") and isinstance(value, str):
            plain[name] = datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
        elif value not in (None, {}, []):
            plain[name] = value
    return plain


def same(check: Checker, clause: str, raw: dict[str, Any], read: dict[str, Any]) -> None:
    """The members that a client read MUST be those of the JSON; times may differ by a rounded millisecond."""
    known = check.judge.contract.members
    expected = {name: value for name, value in comparable(raw).items() if name in known}
    got = {name: value for name, value in comparable(read).items() if name in known}
    for name in ("CreatedAt", "LastUpdatedAt"):
        times = expected.get(name), got.get(name)
        if all(isinstance(time, int | float) for time in times) and abs(times[0] - times[1]) < 1:
            got[name] = expected[name]
    check.that(clause, got == expected, json.dumps(expected, sort_keys=True), json.dumps(got, sort_keys=True))


@clauses("sdk.boto3")
def test_botocore_reads_the_answer(ask, sdk, caller: Identity, state: State, check: Checker):
    raw = check.judge.document(ask())
    if not isinstance(raw, dict):
        pytest.skip("the answer is no JSON object")
    try:
        read = sdk(caller).get_integration(DomainName=state.domain, Uri=state.uri)
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, ValueError) as error:
        check.that("sdk.boto3", False, "an answer", f"{type(error).__name__}: {error}")
        return
    same(check, "sdk.boto3", raw, read)
    for name in ("CreatedAt", "LastUpdatedAt"):
        if isinstance(raw.get(name), str):
            check.entry.notes.append(f"botocore reads {name} {raw[name]!r}, which the contract forbids")


@clauses("sdk.boto3.typed-errors")
@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param({"Uri": "s3://unknown"}, "ResourceNotFoundException", id="not found"),
        pytest.param({"Uri": "u" * 256}, "BadRequestException", id="bad request"),
    ],
)
def test_botocore_types_the_errors(
    sdk: Callable[..., Any], caller: Identity, state: State, check: Checker, given: dict[str, str], name: str
):
    client = sdk(caller)
    raised = "an answer"
    try:
        # Its own validation is off: the server's is meant.
        client.get_integration(**{"DomainName": state.domain, **given})
    except client.exceptions.ClientError as error:
        raised = type(error).__name__
    except botocore.exceptions.BotoCoreError as error:
        raised = type(error).__name__
    check.that("sdk.boto3.typed-errors", raised == name, name, raised)


@clauses("sdk.aws-cli")
def test_aws_cli(nightly, ask, environment: dict[str, str], target: Target, state: State, check: Checker):
    beside = Path(sys.executable).parent / "aws"
    command = str(beside) if beside.exists() else shutil.which("aws")
    if command is None:
        pytest.skip("the AWS CLI is not installed")
    arguments = [
        "customer-profiles",
        "get-integration",
        "--output",
        "json",
        "--endpoint-url",
        target.endpoint,
    ]
    named = ["--domain-name", state.domain, "--uri", state.uri]
    done = subprocess.run(
        [command, *arguments, *named],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode != 0:
        check.that("sdk.aws-cli", False, "an answer", done.stderr.strip()[-300:])
        return
    same(check, "sdk.aws-cli", check.judge.document(ask()) or {}, json.loads(done.stdout))


@clauses("sdk.javascript")
def test_javascript(nightly, ask, environment: dict[str, str], target: Target, state: State, check: Checker):
    modules = os.environ.get("CONTRACT_NODE_MODULES")
    node = shutil.which("node")
    if node is None or modules is None:
        pytest.skip("node is not installed, or CONTRACT_NODE_MODULES does not name a folder of modules")
    if not (Path(modules) / "@aws-sdk" / "client-customer-profiles").is_dir():
        pytest.skip(f"@aws-sdk/client-customer-profiles is not in {modules}")
    done = subprocess.run(
        [node, str(SCRIPT), target.endpoint, target.region, state.domain, state.uri],
        env={**environment, "CONTRACT_NODE_MODULES": modules},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode != 0:
        check.that("sdk.javascript", False, "an answer", done.stderr.strip()[-300:])
        return
    answer = json.loads(done.stdout)
    same(check, "sdk.javascript", check.judge.document(ask()) or {}, answer["found"])
    check.that(
        "sdk.javascript",
        answer["missing"] == "ResourceNotFoundException",
        "ResourceNotFoundException",
        answer["missing"],
    )
