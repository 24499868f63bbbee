"""The two sides of a comparison: recordings that are read, or endpoints that are reached and asked."""

from __future__ import annotations

import argparse
import datetime
import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from getintegration_compare import probes
from getintegration_compare.live import Live, members_of
from getintegration_compare.options import EMULATOR, NO_EVIDENCE, check_recording, is_live
from getintegration_compare.pairing import Answers
from getintegration_compare.replay import replay
from getintegration_contract import recording as recordings
from getintegration_contract.errors import UsageError
from getintegration_contract.recording import Recording, model_version
from getintegration_contract.recording.about import Suite
from getintegration_contract.redact import Redactor
from getintegration_contract.target import target as targets
from getintegration_contract.target.emulator import LocalEmulator

Side = Recording | Live


class Sides:
    """Opens both sides and asks what is live.

    Everything that it opens or makes is closed and removed with ``stack``.

    Args:
        say: Prints a line.
        redactor: Learns the secrets of what is live.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        stack: ExitStack,
        say: Callable[[str], None],
        redactor: Redactor,
    ) -> None:
        self._options = options
        self._stack = stack
        self._say = say
        self._redactor = redactor
        self._folder = stack.enter_context(TemporaryDirectory(prefix="getintegration-contract-"))
        self._numbers = itertools.count(1)

    def open(self) -> tuple[Recording, tuple[Side, Side]]:
        """The recording whose requests are sent to what is live, and both sides."""
        options = self._options
        recorded = self.read_reference() if not is_live(options.reference) else None
        other = self.read(Path(options.candidate)) if not is_live(options.candidate) else None
        if recorded is not None:
            return recorded, (recorded, other or self._reach_candidate(members_of(recorded)))
        requests = self.read(options.requests) if options.requests else None
        live = self._reach(
            options.reference, options.reference_target, members_of(other) if other is not None else None
        )
        if other is not None:
            return other, (live, other)
        candidate = self._reach_candidate(live.members())
        if requests is None:
            requests = probes.write(self._temporary(), live.state, _about_sample(live))
        return requests, (live, candidate)

    def ask(
        self, source: Recording, sides: Sequence[Side], only: frozenset[int] | None, keep: Path | None = None
    ) -> tuple[Answers, Answers]:
        """What both sides answer to the requests of a recording.

        Args:
            only: Positions in the source; None for all.
            keep: Where the recording of the last live side goes, if it is kept.
        """
        lives = [side for side in sides if isinstance(side, Live)]
        files = [self._temporary() for _ in lives]
        if keep is not None:
            files[-1] = keep
        accounts = self._options.redact_accounts
        asked = replay(source, lives, files, self._say, only=only, accounts=accounts) if lives else []
        answered = iter(asked)
        one, other = (next(answered) if isinstance(side, Live) else Answers.of(side) for side in sides)
        return one, other

    def read(self, path: Path) -> Recording:
        """A recording."""
        check_recording(path)
        return recordings.read(path)

    def read_reference(self) -> Recording:
        """The reference's recording; where evidence is asked for, one that is evidence."""
        recording = self.read(Path(self._options.reference))
        if self._options.promote:
            age = recording.suite.age(datetime.datetime.now(datetime.UTC).date())
            if not recording.suite.is_aws:
                raise UsageError(NO_EVIDENCE)
            if age > self._options.max_age:
                raise UsageError(f"--promote: the recording is stale, {age} days old")
        return recording

    def _temporary(self) -> Path:
        """A path for a recording that nobody keeps."""
        return Path(self._folder, f"{next(self._numbers)}.har")

    def _reach_candidate(self, members: dict[str, Any] | None) -> Live:
        return self._reach(self._options.candidate, self._options.target, members)

    def _reach(self, where: str, file: str | None, members: dict[str, Any] | None) -> Live:
        """A live endpoint. An AWS address has to be named on purpose; on this command line it was."""
        if where == EMULATOR:
            target = self._stack.enter_context(LocalEmulator()).target()
        else:
            resolved = targets.resolve({"endpoint-url": where, "target": file}, os.environ)
            assert resolved is not None, "an address makes a target"
            target = resolved
        limits = {"rate": self._options.rate, "max_requests": self._options.max_requests}
        target = replace(target, **{name: value for name, value in limits.items() if value is not None})
        self._redactor.add(*target.secrets)
        live = Live.open(target, self._say, emulator=where == EMULATOR, members=members)
        self._stack.callback(live.close)
        return live


def _about_sample(live: Live) -> Suite:
    """What the sample of the contract is about."""
    return Suite(
        version(recordings.CREATOR),
        model_version(),
        live.target.endpoint,
        live.target.region,
        datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        0,
        "sample",
        (live.state.to_dict(),),
        emulator=live.emulator,
    )
