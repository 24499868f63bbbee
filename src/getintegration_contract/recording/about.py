"""The part of a recording that makes it evidence: what was recorded."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib.metadata import version
from typing import Any, Self

from getintegration_contract.errors import UsageError
from getintegration_contract.recording.har import moment
from getintegration_contract.state.state import State
from getintegration_contract.target.hosts import is_aws
from getintegration_contract.target.target import Target

CREATOR = "getintegration-contract"
#: What must be the same for a recording to be continued, beside an endpoint that is not the emulator.
_SAME = ("suite_version", "region", "seed", "depth", "max_examples", "emulator")


@dataclass(frozen=True)
class Suite:
    """What was recorded: endpoint, suite, seed, state, date.

    Attributes:
        date: When it began, as ISO 8601.
        states: What existed on the target, for each session that recorded.
        complete: Whether the run came to its end.
        replay_of: The recording whose requests were replayed, None for a run of the suite.
    """

    suite_version: str
    model_version: str
    endpoint: str
    region: str
    date: str
    seed: int
    depth: str
    states: tuple[Mapping[str, Any], ...]
    max_examples: int = 0
    emulator: bool = False
    complete: bool = False
    replay_of: str | None = None

    @classmethod
    def begun(cls, target: Target, state: State | None, *, seed: int = 0, depth: str, **more: Any) -> Self:
        """What a recording is about that begins now, by the suite and the model that are installed."""
        model = f"customer-profiles/2020-08-15, botocore {version('botocore')}"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        states = (state.to_dict(),) if state else ()
        return cls(version(CREATOR), model, target.endpoint, target.region, now, seed, depth, states, **more)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The description in a file that keeps the schema.

        Raises:
            ValueError: Its date is none, or its endpoint.
        """
        known = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        suite = cls(**known | {"states": tuple(document["states"])})
        _ = suite.day, suite.is_aws
        return suite

    def continuing(self, earlier: Self) -> Self:
        """What a recording is about that continues an earlier one: begun then, with all states.

        Raises:
            UsageError: The run would not go on as the earlier one began.
        """
        for name in _SAME if self.emulator else (*_SAME, "endpoint"):
            recorded, wanted = getattr(earlier, name), getattr(self, name)
            if recorded != wanted:
                difference = f"its {name.replace('_', ' ')} is {recorded}, that of this run {wanted}"
                raise UsageError(f"the recording cannot be continued: {difference}")
        new = [state for state in self.states if state not in earlier.states]
        return replace(self, date=earlier.date, states=(*earlier.states, *new))

    @property
    def day(self) -> datetime.date:
        """When the recording began."""
        return moment(self.date).date()

    @property
    def is_aws(self) -> bool:
        """Whether AWS itself was recorded."""
        return is_aws(self.endpoint)

    @property
    def where(self) -> str:
        """The endpoint, by a name that means the same in another run."""
        return "the shipped emulator" if self.emulator else self.endpoint
