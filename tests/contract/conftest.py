"""What scenarios share: one way to ask, a domain of a test's own, and what exists only on some targets."""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from getintegration_contract.exchange import Exchange, Request, Signing
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.operations import get_integration
from getintegration_contract.run import Settings
from getintegration_contract.sending.client import Client
from getintegration_contract.sending.pipeline import PipelinedRequest, pipeline
from getintegration_contract.state.state import State
from getintegration_contract.state.workspace import Workspace
from getintegration_contract.target.target import WRITING, Target

from .callables import Ask
from .signing import InTwoLines

#: About how many requests a test of a file sends, where that is more than one or so: at the gate, nightly.
_REQUESTS = {
    "test_concurrency": (65.0, 1020.0),
    "test_isolation": (16.0, 16.0),
    "test_state": (12.0, 12.0),
    "test_stateful": (63.0, 820.0),
    "test_throttling": (5.0, 5.0),
    "test_updates": (18.0, 18.0),
}
_WRITERS = ("test_isolation", "test_state", "test_stateful", "test_updates")


def pytest_contract_requests(nodeid: str, settings: Settings, target: Target) -> float | None:
    """About how many requests a test sends, for the progress of a run."""
    if "::test_fuzz[" in nodeid:
        return settings.max_examples / settings.shards
    file = nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py")
    if file in _WRITERS and WRITING not in target.capabilities:
        return 0.0
    if file == "test_concurrency" and target.rate:
        return 25.0
    return _REQUESTS[file][target.depth == "nightly"] if file in _REQUESTS else None


@pytest.fixture(scope="session")
def ask(client: Client, caller: Identity, state: State) -> Ask:
    """Sends GetIntegration for the existing integration, with whatever a scenario makes different."""

    def ask(
        domain: str = state.domain,
        uri: object = state.uri,
        *,
        body: bytes | None = None,
        identity: Identity | None = caller,
        signing: Signing | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> Exchange:
        request = get_integration(domain, uri, body=body).with_headers(**(headers or {}))
        return client.send(request, identity, signing)

    return ask


@pytest.fixture
def written(check: Checker) -> Callable[[Exchange], None]:
    """Looks at a write, which only a crash can be held against."""

    def written(exchange: Exchange) -> None:
        status, error_type = exchange.response.status, exchange.response.error_type
        crashed = status == 0 or (status >= 500 and status != 501)
        actual = f"{status} {error_type or ''}" if status else exchange.response.reason
        check.that("state.write-faults", not crashed, "a whole answer, and no 5xx", actual, exchange)

    return written


@pytest.fixture
def workspace(
    client: Client, caller: Identity, target: Target, written: Callable[[Exchange], None]
) -> Iterator[Workspace]:
    """Writes for a test; a write that the target refuses skips it. Whatever was made is removed."""
    if WRITING not in target.capabilities:
        pytest.skip("the target does not claim writing")
    workspace = Workspace(client, caller, target.settling_time, pytest.skip, written)
    yield workspace
    workspace.clear()


@pytest.fixture
def scratch_name(request: pytest.FixtureRequest, state: State) -> str:
    """The name of a domain that only this test makes: the same in every run, and swept if one crashes."""
    label = re.sub(r"\W+", "-", request.node.name.removeprefix("test_"), flags=re.ASCII)[:18]
    digest = hashlib.sha256(f"{request.path.stem} {request.node.name}".encode()).hexdigest()[:8]
    return state.scratch(f"{label}-{digest}")


@pytest.fixture
def scratch(workspace: Workspace, scratch_name: str) -> str:
    """A domain of the test's own, empty."""
    workspace.create(scratch_name)
    return scratch_name


@pytest.fixture
def minimal_members(state: State) -> dict[str, Any]:
    """The least that the target takes with a Uri."""
    return {"ObjectTypeName": state.members["ObjectTypeName"]} if "ObjectTypeName" in state.members else {}


@pytest.fixture
def tagged(minimal_members: dict[str, Any], state: State) -> dict[str, Any]:
    """The least, with tags where the target takes them."""
    return {**minimal_members, "Tags": {"team": "first"}} if "Tags" in state.members else minimal_members


def _identity(target: Target, name: str) -> Identity:
    if name not in target.identities:
        pytest.skip(f"the target has no identity {name}, or does not claim what it is for")
    return target.identities[name]


@pytest.fixture
def unauthorized(target: Target) -> Identity:
    """An identity without permission."""
    return _identity(target, "unauthorized")


@pytest.fixture
def other_account(target: Target) -> Identity:
    """An identity of another account."""
    return _identity(target, "other-account")


@pytest.fixture
def low_quota(target: Target) -> Identity:
    """An identity that is throttled soon."""
    return _identity(target, "low-quota")


@pytest.fixture
def static_caller(caller: Identity) -> Identity:
    """The caller with static keys, so that a scenario can alter the secret."""
    return caller.frozen()


@pytest.fixture
def temporary(target: Target, static_caller: Identity) -> Identity:
    """Temporary credentials, with their session token."""
    return static_caller if static_caller.session_token else _identity(target, "temporary").frozen()


@pytest.fixture(scope="session")
def verify(client: Client) -> bool | str:
    """How official clients verify certificates: by the usual authorities, or by those of a file."""
    if isinstance(client.route.verify, str) and Path(client.route.verify).is_dir():
        pytest.skip("the environment names a folder of certificates, which official clients cannot read")
    return client.route.verify


@pytest.fixture(scope="session")
def sdk(target: Target, client: Client, verify: bool | str) -> Callable[..., Any]:
    """Makes botocore's own client for an identity: it retries in standard mode, within the rate budget."""
    from botocore.config import Config
    from botocore.session import Session

    settings: dict[str, Any] = {
        "defaults_mode": "legacy",  # whatever the environment says
        "parameter_validation": False,  # invalid input is for the server to reject
        "connect_timeout": target.request_timeout,
        "read_timeout": target.request_timeout,
    }
    session: Any = Session()  # one for all: it keeps the service's model

    @functools.cache
    def make(identity: Identity, attempts: int = 6) -> Any:
        keys = {}
        if identity.refreshable:
            session._credentials = identity.refreshable  # botocore asks them anew for each request
        else:
            keys = {
                "aws_access_key_id": identity.access_key,
                "aws_secret_access_key": identity.secret_key,
                "aws_session_token": identity.session_token,
            }
        made = session.create_client(
            "customer-profiles",
            region_name=target.region,
            endpoint_url=target.endpoint,
            verify=verify,
            **keys,
            config=Config(**settings, retries={"mode": "standard", "total_max_attempts": attempts}),
        )
        made.meta.events.register("before-send.customer-profiles", lambda **_: client.admit())
        return made

    return make


@pytest.fixture
def in_two_lines(client: Client, caller: Identity, state: State) -> InTwoLines:
    """Signs one value of a header, and sends two lines of it."""
    if client.route.proxy:
        pytest.skip("a proxy stands before the endpoint and would be judged in its place")

    def send(signed: str, *lines: str) -> Exchange:
        def split(request: Request) -> Request:
            rest = request.with_headers(x_amz_meta=None)
            return replace(rest, headers=(*rest.headers, *(("X-Amz-Meta", line) for line in lines)))

        request = get_integration(state.domain, state.uri).with_headers(X_Amz_Meta=signed)
        (reply,) = pipeline(client, PipelinedRequest(request, caller, Signing(tamper=split)))
        return reply

    return send
