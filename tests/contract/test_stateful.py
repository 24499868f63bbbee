"""Stories that Hypothesis makes up: writing and reading in any order, compared to a simple model at every
reading.

Where there is another account, it has domains of the same names. A broken story is shrunk and told whole:
``make X; put A in X (v1); delete A from X; get A from X -> 404``.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from getintegration_contract.checker import Checker
from getintegration_contract.identity import Identity
from getintegration_contract.state import State
from getintegration_contract.target import OTHER_ACCOUNT
from getintegration_contract.workspace import Workspace

from .reproducible import leave_local_constants_out
from .stories import VERSIONS, BrokenError, Depth, Narrator, Story, refuse, tell

clauses = pytest.mark.clauses

leave_local_constants_out()

DEPTHS = {
    "gate": Depth(shards=2, stories=2, steps=5, requests=400, look_at_all=False),
    "nightly": Depth(shards=8, stories=8, steps=15, requests=4_000, look_at_all=True),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shard" in metafunc.fixturenames:
        metafunc.parametrize("shard", range(DEPTHS[metafunc.config.option.depth].shards))


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
def test_stories(
    shard: int,
    client: Any,
    caller: Identity,
    target: Any,
    state: State,
    scratch_name: str,
    check: Checker,
    worker: Any,
    pytestconfig: pytest.Config,
) -> None:
    depth = DEPTHS[pytestconfig.option.depth]
    workspace = Workspace(client, caller, target.settling_time, refuse)
    others = [target.identities["other-account"]] if OTHER_ACCOUNT in target.claims else []
    versions = tuple(
        {name: value for name, value in version.items() if name in state.members} for version in VERSIONS
    )
    before = client.sent
    narrator = Narrator(
        workspace,
        check,
        scratch_name,
        versions,
        (caller, *others),
        depth,
        lambda: client.sent - before,
    )

    @seed(worker.seed * 1_000_003 + shard)
    def story() -> Story:
        return Story(narrator)

    try:
        run_state_machine_as_test(
            story,
            settings=settings(
                max_examples=depth.stories,
                stateful_step_count=depth.steps,
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
    except (BrokenError, Flaky):
        pass  # the shortest broken story is told below, also when it did not break each time
    finally:
        workspace.clear()
    if narrator.stop is not None:
        raise narrator.stop
    if narrator.told:
        told = min(narrator.told, key=lambda told: (len(told.steps), sum(map(len, told.steps))))
        check.that(told.clause, False, tell(told), told.actual, told.exchange, size=len(told.steps))
    elif narrator.refusal and not check.entry.checks:
        pytest.skip(narrator.refusal)
