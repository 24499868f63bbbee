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
from getintegration_contract.exchange import Request
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

#: The statements of each policy.
POLICIES = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "docs" / "iam").glob("*.json")
}
#: Every operation of the service model: name, and how it is asked for.
MODEL = botocore.session.get_session().get_service_model("customer-profiles")
OPERATIONS = [(name, MODEL.operation_model(name).http) for name in MODEL.operation_names]


def call(request: Request) -> tuple[str, str]:
    """The action that a request is, and the ARN that it is about; none if it is no operation's."""
    path = request.target.partition("?")[0]
    for name, http in OPERATIONS:
        pattern = re.sub(r"\{\w+\}", "([^/]+)", http["requestUri"].partition("?")[0])
        if (match := re.fullmatch(pattern, path)) and http["method"] == request.method:
            domain = unquote(match[1]) if match.groups() else ""
            return f"profile:{name}", f"arn:aws:profile:us-east-1:111122223333:domains/{domain}"
    return "", ""


def allows(way: str, action: str, arn: str) -> bool:
    """Whether a policy allows an action on a resource."""
    return any(
        action in statement["Action"] and fnmatch.fnmatchcase(arn, statement["Resource"])
        for statement in POLICIES[way]["Statement"]
    )


def make_and_remove(provisioner: Provisioner) -> None:
    """The state of a run that may write, also where an earlier one left something, or nothing can be made."""
    provisioner.provide(Target("", allow_writes=True))
    Provisioner(provisioner._client, {"caller": CALLER}, print)._sweep()
    provisioner.remove()
    provisioner.provide(Target(""))


#: One request of every builder that writes; scenarios about writing use them all.
NAME = f"{PREFIX}0-A"
BUILT = [
    *(create_domain(NAME), get_domain(NAME), delete_domain(NAME)),
    *(put_integration(NAME, "s3://a", states.MEMBERS), delete_integration(NAME, "s3://a")),
]
#: What each way of running does, the requests that it sends besides, and the action that these take besides.
WAYS: dict[str, tuple[Callable[[Provisioner], object], list[Request], set[str]]] = {
    "read-only-given": (lambda provisioner: provisioner.given("given", "s3://a"), [], set()),
    "read-only-discovered": (lambda provisioner: provisioner.provide(Target("")), [], set()),
    "writing": (make_and_remove, BUILT, {"profile:TagResource"}),
}


@pytest.mark.parametrize("way", sorted({*WAYS, *POLICIES}))
def test_a_policy_allows_what_is_called_and_nothing_else(way: str, endpoint: Process) -> None:
    run, more, actions = WAYS[way]
    stock(endpoint.url, "given", "s3://a")
    seen = [get_integration("given", "s3://a"), *more]
    client = Client(endpoint.url, "us-east-1", observe=lambda exchange: seen.append(exchange.request))
    run(Provisioner(client, {"caller": CALLER}, print))
    client.close()
    ask(endpoint.url, delete_domain("given"))
    assert [request for request in seen if not allows(way, *call(request))] == []
    statements = POLICIES[way]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert allowed == {call(request)[0] for request in seen} | actions
    assert POLICIES[way]["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert all(re.fullmatch("[A-Za-z0-9]+", statement["Sid"]) for statement in statements)


@pytest.mark.parametrize("way", POLICIES)
def test_nothing_beside_the_prefix_can_be_written(way: str) -> None:
    writing = {"CreateDomain", "DeleteDomain", "PutIntegration", "DeleteIntegration", "TagResource"}
    for domain in ("production", "GetIntegrationContract", f"x{PREFIX}0-A"):
        for name in writing:
            assert not allows(way, f"profile:{name}", f"arn:aws:profile:us-east-1:1:domains/{domain}")


def test_unknown_domains_may_be_asked_for(emulator_har: Any) -> None:
    """Without that, AWS would answer 403 where the contract says 404."""
    made = [call(recorded.exchange.request) for recorded in recordings.read(emulator_har).exchanges]
    asked = [each for each in made if each[0] == "profile:GetIntegration"]
    assert all(allows(way, *each) for way in POLICIES for each in asked)
    assert len(asked) > 100
