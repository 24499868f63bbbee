"""Runs the shipped emulator for a run that names no endpoint."""

from __future__ import annotations

import json
import subprocess
import sys
from types import TracebackType

from getintegration_contract.client import Identity
from getintegration_contract.emulator.identities import DEFAULT_IDENTITIES
from getintegration_contract.target import CLAIMS, DEFAULT_REGION, Target


class EmulatorError(RuntimeError):
    """The emulator did not start."""


def emulator_identities() -> dict[str, Identity]:
    """The emulator's documented identities, under the names that a target gives them."""
    identities = {}
    for key, known in DEFAULT_IDENTITIES.items():
        name = key.replace("_", "-")
        identities[name] = Identity(name, known.access_key, known.secret_key, known.session_token)
    return identities


class LocalEmulator:
    """The emulator in a process of its own; it ends with this process, whatever happens to that."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "getintegration_contract.emulator"]
        self._process = subprocess.Popen(
            [*command, "--port", "0", "--exit-with-stdin", "--region", DEFAULT_REGION, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C at a terminal is for the run, which still has to clean up
        )
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where the emulator listens; waits until it does.

        Raises:
            EmulatorError: It ended before.
        """
        if self._url is None:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            if not line:
                raise EmulatorError(f"the emulator ended with status {self._process.wait()}")
            self._url = json.loads(line)["url"]
        return self._url

    def target(self) -> Target:
        """The emulator as a target: all identities, all claims."""
        return Target(
            endpoint=self.url,
            identities=emulator_identities(),
            claims=frozenset(CLAIMS),
            allow_writes=True,
        )

    def stop(self) -> None:
        """Let the emulator finish what it is at, and end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def __enter__(self) -> LocalEmulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
