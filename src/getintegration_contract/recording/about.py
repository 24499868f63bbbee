"""The part of a recording that makes it evidence: what was recorded, and what its tests found."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

from getintegration_contract.errors import RecordingError
from getintegration_contract.schema import schema_fault
from getintegration_contract.target.hosts import is_aws
from getintegration_contract.text import shorten

CREATOR = "getintegration-contract"


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
    def begun(
        cls, endpoint: str, region: str, seed: int, depth: str, state: Mapping[str, Any], **more: Any
    ) -> Suite:
        """What a recording is about that begins now, by the suite and the model that are installed."""
        model = f"customer-profiles/2020-08-15, botocore {version('botocore')}"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return cls(version(CREATOR), model, endpoint, region, now, seed, depth, (state,), **more)

    @classmethod
    def read(cls, document: Any) -> Suite:
        """The description in a file.

        Raises:
            RecordingError: It lacks something, or has something of a wrong kind.
        """
        if fault := schema_fault(document, __package__, "suite", "_suite"):
            raise RecordingError(fault)
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        suite = cls(**{**known, "states": tuple(document["states"])})
        try:
            _ = suite.moment
        except ValueError:
            raise RecordingError(f"_suite.date: {shorten(repr(suite.date), 200)} is no moment") from None
        return suite

    def continuing(self, earlier: Suite) -> Suite:
        """What a recording is about that continues an earlier one: began then, with all states."""
        new = [state for state in self.states if state not in earlier.states]
        return replace(self, date=earlier.date, states=(*earlier.states, *new))

    @property
    def moment(self) -> datetime.datetime:
        """When the recording began."""
        moment = datetime.datetime.fromisoformat(self.date)
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)

    @property
    def is_aws(self) -> bool:
        """Whether AWS itself was recorded."""
        return is_aws(self.endpoint)

    @property
    def where(self) -> str:
        """The endpoint, by a name that means the same in another run."""
        return "the shipped emulator" if self.emulator else self.endpoint

    def age(self, today: datetime.date) -> int:
        """Days since the recording."""
        return (today - self.moment.date()).days

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {**asdict(self), "states": list(self.states)}


def check_test(document: Any) -> str:
    """Make sure that this is an entry of the ledger, as far as evidence needs it; its test.

    Raises:
        RecordingError: It is not.
    """
    if fault := schema_fault(document, __package__, "test", "_tests"):
        raise RecordingError(fault)
    test: str = document["test"]
    return test
