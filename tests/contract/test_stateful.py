"""Random stories of writing and reading, compared with a simple model; a failure shrinks to the shortest story."""

from __future__ import annotations

import time
import zlib
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from getintegration_contract.checker import Checker
from getintegration_contract.client import Client, Identity, get_integration
from getintegration_contract.exchange import Exchange, Request
from getintegration_contract.state import (
    State,
    create_domain,
    delete_domain,
    delete_integration,
    list_integrations,
    put_integration,
)
from getintegration_contract.target import Target

clauses = pytest.mark.clauses

SHARDS = 2
#: Stories of one item, and steps of one story at most.
STORIES = {"gate": (2, 5), "nightly": (60, 20)}

#: Near misses of each other.
URIS = ("s3://Bucket/A", "s3://bucket/a", "s3://Bucket/A/")
MEMBERS = (
    {"ObjectTypeName": "One"},
    {"ObjectTypeName": "Two", "Tags": {"team": "contract"}},
    {"ObjectTypeName": "Three", "EventTriggerNames": ["Trigger"]},
)


class WriteRefusedError(Exception):
    """The target did not take a write; the story says nothing about reading."""


class Story(RuleBasedStateMachine):
    """Domains and integrations, and what the model says exists."""

    client: ClassVar[Client]
    caller: ClassVar[Identity]
    check: ClassVar[Checker]
    names: ClassVar[tuple[str, str]]
    settling_time: ClassVar[float]

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.domains: dict[str, dict[str, dict[str, Any]]] = {}
        for name in self.names:
            self.client.send(delete_domain(name), self.caller)
        self.make(0)

    def teardown(self) -> None:
        for name in self.names:
            self.client.send(delete_domain(name), self.caller)

    def write(self, request: Request, step: str) -> None:
        exchange = self.client.send(request, self.caller)
        if exchange.response.status != 200:
            raise WriteRefusedError(f"{step} was answered {exchange.response.status}")
        self.told.append(step)
        time.sleep(self.settling_time)

    def make(self, which: int) -> None:
        name = self.names[which]
        if name not in self.domains:
            self.write(create_domain(name), f"create domain {which}")
            self.domains[name] = {}

    @rule(which=st.sampled_from((0, 1)))
    def create_domain(self, which: int) -> None:
        self.make(which)

    @rule(which=st.sampled_from((0, 1)))
    def delete_domain(self, which: int) -> None:
        name = self.names[which]
        if self.domains.pop(name, None) is not None:
            self.write(delete_domain(name), f"delete domain {which}")

    @rule(which=st.sampled_from((0, 1)), uri=st.sampled_from(URIS), members=st.sampled_from(MEMBERS))
    def put(self, which: int, uri: str, members: dict[str, Any]) -> None:
        self.make(which)
        self.write(put_integration(self.names[which], uri, members), f"put {uri} {members} in domain {which}")
        # Whether an update removes members that it does not name is documented nowhere.
        self.domains[self.names[which]][uri] = members

    @rule(which=st.sampled_from((0, 1)), uri=st.sampled_from(URIS))
    def delete(self, which: int, uri: str) -> None:
        if self.domains.get(self.names[which], {}).pop(uri, None) is not None:
            request = delete_integration(self.names[which], uri)
            self.write(request, f"delete {uri} from domain {which}")

    @rule(which=st.sampled_from((0, 1)))
    def list(self, which: int) -> None:
        self.client.send(list_integrations(self.names[which]), self.caller)

    @invariant()
    def reading_agrees_with_the_model(self) -> None:
        for name in self.names:
            for uri in URIS:
                self.read(name, uri, self.domains.get(name, {}).get(uri))
        self.check.raise_if_violated()

    def read(self, name: str, uri: str, members: dict[str, Any] | None) -> None:
        exchange = self.client.send(get_integration(name, uri), self.caller)
        status = exchange.response.status
        story = "; ".join([*self.told, f"get {uri} from domain {self.names.index(name)}"])
        if members is None:
            clause = "state.deleted-domain" if name not in self.domains else "state.deleted"
            self.say(clause, status == 404, f"404 after: {story}", str(status), exchange)
            return
        document = self.check.judge.document(exchange)
        got = {key: document.get(key) for key in members} if isinstance(document, dict) else status
        self.say("state.update.visible", got == members, f"{members} after: {story}", str(got), exchange)

    def say(self, clause: str, ok: bool, expected: str, actual: str, exchange: Exchange) -> None:
        self.check.that(clause, ok, expected, actual, exchange, size=len(self.told))


@clauses("state.update.visible", "state.deleted", "state.deleted-domain")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_story(
    shard: int,
    client: Client,
    caller: Identity,
    state: State,
    target: Target,
    check: Checker,
    worker: Any,
    pytestconfig: pytest.Config,
) -> None:
    stories, steps = STORIES[pytestconfig.option.depth]
    prefix = state.domain.removesuffix("-A")
    suffix = f"{zlib.crc32(f'story {shard}'.encode()):08x}"

    class Told(Story):
        names = (f"{prefix}-S{suffix}", f"{prefix}-s{suffix}")
        settling_time = target.settling_time

    Told.client, Told.caller, Told.check = client, caller, check
    profile = settings(
        max_examples=stories,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(worker.seed * 1_000_003 + shard)(Told), settings=profile)
    except WriteRefusedError as refused:
        pytest.skip(str(refused))
