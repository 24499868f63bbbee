"""The IAM policies in docs/iam allow what each way of running calls, and nothing else."""

import fnmatch
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import botocore.session
import pytest

from getintegration_contract import recording as recordings
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.operations import (
    create_domain,
    delete_domain,
    delete_integration,
    get_domain,
    get_integration,
    put_integration,
)
from getintegration_contract.sending.client import Client
from getintegration_contract.state import provisioner as states
from getintegration_contract.state.provisioner import Provisioner
from getintegration_contract.state.state import PREFIX
from getintegration_contract.target.target import Target

from ..support import CALLER, ROOT, Process, ask, stock

FOLDER = ROOT / "docs" / "iam"
WAYS = sorted(path.stem for path in FOLDER.glob("*.json"))


#: Every operation of the service model: name, method, path.
MODEL = botocore.session.get_session().get_service_model("customer-profiles")
OPERATIONS = [
    (name, http["method"], re.compile(re.sub(r"\{\w+\}", "([^/]+)", http["requestUri"].partition("?")[0])))
    for name in MODEL.operation_names
    for http in [MODEL.operation_model(name).http]
]


def call(request: Request) -> tuple[str, str] | None:
    """The action that a request is, and the ARN that it is about; None if it is no operation's."""
    path = request.target.partition("?")[0]
    for name, method, pattern in OPERATIONS:
        match = pattern.fullmatch(path)
        if match and method == request.method:
            domain = unquote(match[1]) if match.groups() else ""
            return f"profile:{name}", f"arn:aws:profile:us-east-1:111122223333:domains/{domain}"
    return None


def policy(way: str) -> list[dict[str, Any]]:
    """The statements of a policy."""
    document = json.loads((FOLDER / f"{way}.json").read_text(encoding="utf-8"))
    assert document["Version"] == "2012-10-17"
    statements: list[dict[str, Any]] = document["Statement"]
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
    return statements


def allows(way: str, action: str, arn: str) -> bool:
    """Whether a policy allows an action on a resource."""
    return any(
        action in statement["Action"] and fnmatch.fnmatchcase(arn, statement["Resource"])
        for statement in policy(way)
    )


def calls_of(url: str, use: Callable[[Provisioner], object]) -> set[tuple[str, str]]:
    """What a provisioner calls."""
    seen: list[Exchange] = []
    client = Client(url, "us-east-1", observe=seen.append)
    use(Provisioner(client, {"caller": CALLER}, print))
    client.close()
    found = [call(exchange.request) for exchange in seen]
    assert None not in found
    return {each for each in found if each is not None}


def make_and_remove(provisioner: Provisioner) -> None:
    """The state of a run that may write, also where an earlier one left something."""
    provisioner.provide(Target("", allow_writes=True))
    Provisioner(provisioner._client, {"caller": CALLER}, print)._sweep()
    provisioner.remove()


#: One request of every builder that writes; scenarios about writing use them all.
NAME = f"{PREFIX}0-A"
BUILT = [create_domain(NAME), get_domain(NAME), delete_domain(NAME), delete_integration(NAME, "s3://a")]
BUILT.append(put_integration(NAME, "s3://a", states.MEMBERS))


@pytest.fixture(scope="module")
def calls(live_emulator: Process) -> dict[str, set[tuple[str, str]]]:
    """What each way of running calls."""
    url = live_emulator.url
    stock(url, "given", "s3://a")
    reading = {call(get_integration("given", "s3://a"))}
    found: dict[str, set[Any]] = {
        "read-only-given": reading | calls_of(url, lambda p: p.given("given", "s3://a")),
        "read-only-discovered": reading | calls_of(url, lambda p: p.provide(Target(""))),
        "writing": reading | calls_of(url, make_and_remove) | set(map(call, BUILT)),
    }
    # Where nothing can be made, a run that may write looks for something instead.
    found["writing"] |= found["read-only-discovered"]
    assert found.keys() == set(WAYS)
    ask(url, delete_domain("given"))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_policy_allows_what_is_called_and_nothing_else(
    way: str, calls: dict[str, set[tuple[str, str]]]
) -> None:
    for action, arn in calls[way]:
        assert allows(way, action, arn), (action, arn)
    # PutIntegration with tags needs TagResource besides.
    more = {"profile:TagResource"} if way == "writing" else set()
    actions = {action for statement in policy(way) for action in statement["Action"]}
    assert actions == {action for action, _ in calls[way]} | more


@pytest.mark.parametrize("way", WAYS)
def test_nothing_beside_the_prefix_can_be_written(way: str) -> None:
    writing = {"CreateDomain", "DeleteDomain", "PutIntegration", "DeleteIntegration", "TagResource"}
    for domain in ("production", "GetIntegrationContract", f"x{PREFIX}0-A"):
        for name in writing:
            assert not allows(way, f"profile:{name}", f"arn:aws:profile:us-east-1:1:domains/{domain}")


def test_unknown_domains_may_be_asked_for(emulator_har: Any) -> None:
    """Without that, AWS would answer 403 where the contract says 404."""
    asked = 0
    for recorded in recordings.read(emulator_har).exchanges:
        made = call(recorded.exchange.request)
        if made is not None and made[0] == "profile:GetIntegration":
            asked += 1
            assert all(allows(way, *made) for way in WAYS)
    assert asked > 100
