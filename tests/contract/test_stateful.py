"""Stories that Hypothesis makes up: writing and reading in any order, compared to a simple model at every
reading.

Where there is another account, it has domains of the same names. A broken story is shrunk and shown whole:
``1. create domain X, 2. put A in X with members 1, 3. delete A from X, 4. get A from X``.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from getintegration_contract.exchange import Exchange
from getintegration_contract.identity import Identity
from getintegration_contract.judging.checker import Checker
from getintegration_contract.sending.client import Client
from getintegration_contract.state.state import State
from getintegration_contract.state.workspace import Workspace
from getintegration_contract.target.target import OTHER_ACCOUNT, Target

from .narrator import VERSIONS, BrokenError, Depth, Narrator, described, refuse
from .reproducible import leave_local_constants_out
from .stories import Story

clauses = pytest.mark.clauses

leave_local_constants_out()

#: Times that stories are made up anew, to find clauses behind those that broke before.
ROUNDS = 3
#: The first story of a shard is Hypothesis' simplest one, so few shards find more.
DEPTHS = {
    "gate": Depth(shards=1, stories=4, steps=5, requests=400, look_at_all=False),
    "nightly": Depth(shards=8, stories=8, steps=15, requests=4_000, look_at_all=True),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shard" in metafunc.fixturenames:
        worker: Any = metafunc.config.pluginmanager.get_plugin("contract-worker")
        depth = worker.target.depth if worker else metafunc.config.option.depth or "gate"
        metafunc.parametrize("shard", range(DEPTHS[depth].shards))


@pytest.fixture
def narrator(
    client: Client,
    caller: Identity,
    target: Target,
    state: State,
    scratch_name: str,
    written: Callable[[Exchange], None],
    check: Checker,
) -> Iterator[Narrator]:
    """What the stories of a test share. Whatever they made is removed."""
    workspace = Workspace(client, caller, target.settling_time, refuse, written)
    others = [target.identities["other-account"]] if OTHER_ACCOUNT in target.capabilities else []
    versions = tuple(
        {name: value for name, value in version.items() if name in state.members} for version in VERSIONS
    )
    depth = DEPTHS[target.depth]
    yield Narrator(workspace, check, scratch_name, versions, (caller, *others), depth, client)
    workspace.clear()


@clauses(
    "state.put-get.Uri",
    "state.update.visible",
    "state.update.isolated",
    "state.deleted",
    "state.deleted-domain",
    "state.recreated",
    "state.CreatedAt.stable",
    "state.LastUpdatedAt.moves",
)
def test_stories(shard: int, narrator: Narrator, check: Checker, worker: Any) -> None:
    for _ in range(ROUNDS):
        narrator.begun = narrator.client.sent
        _make_up(narrator, worker.settings.seed * 1_000_003 + shard)
        clauses_broken = {story.clause for story in narrator.broken}
        if clauses_broken == narrator.known or narrator.stop is not None:
            break
        narrator.known |= clauses_broken
    if narrator.stop is not None:
        raise narrator.stop
    for story in narrator.shortest():
        size = 2_000 * len(story.steps)
        check.that(story.clause, False, described(story), story.actual, story.exchange, size=size)
    if not narrator.broken and narrator.refusal and not check.entry.checks:
        pytest.skip(narrator.refusal)


def _make_up(narrator: Narrator, number: int) -> None:
    """Have Hypothesis make up stories, and shorten the first that is broken."""

    @seed(number)
    def story() -> Story:
        return Story(narrator)

    # The caller reports the shortest broken story, also when it did not break each time.
    with suppress(BrokenError, Flaky):
        run_state_machine_as_test(
            story,  # type: ignore[arg-type]  # it makes a machine as the class would
            settings=settings(
                max_examples=narrator.depth.stories,
                stateful_step_count=narrator.depth.steps,
                database=None,
                deadline=None,
                derandomize=False,
                phases=(Phase.generate, Phase.shrink),
                report_multiple_bugs=False,
                print_blob=False,
                verbosity=Verbosity.quiet,
                suppress_health_check=list(HealthCheck),
            ),
        )
