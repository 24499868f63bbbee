"""The shipped emulator as a target, for a run that names no endpoint."""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import TracebackType

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.identity import Identity
from getintegration_contract.target.capabilities import CAPABILITIES
from getintegration_contract.target.target import DEFAULT_REGION, Target
from getintegration_emulator.identities import DEFAULT_IDENTITIES
from getintegration_emulator.launch import EmulatorError, RunningEmulator, running_emulator


def emulator_identities() -> dict[str, Identity]:
    """The emulator's documented identities."""
    return {
        name: Identity(name, known.access_key, known.secret_key, known.session_token)
        for name, known in DEFAULT_IDENTITIES.items()
    }


def _bypass_proxies(host: str) -> None:
    """No proxy of the environment stands before the emulator, in this process and those that it starts."""
    for name in ("no_proxy", "NO_PROXY"):
        others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        os.environ[name] = f"{others},{host}" if others else host


class LocalEmulator:
    """The emulator in a process of its own; it ends with this process, whatever happens to that.

    It starts when its address is first asked for.
    """

    def __init__(self, *options: str) -> None:
        self._options = ("--region", DEFAULT_REGION, *options)
        self._stack = ExitStack()
        self._running: RunningEmulator | None = None

    @property
    def url(self) -> str:
        """Where the emulator listens.

        Raises:
            EnvironmentFault: It did not start.
        """
        if self._running is None:
            try:
                self._running = self._stack.enter_context(running_emulator(*self._options))
            except EmulatorError as error:
                raise EnvironmentFault(str(error)) from None
            _bypass_proxies("127.0.0.1")
        return self._running.url

    def target(self) -> Target:
        """The emulator as a target: all identities, all capabilities."""
        return Target(
            endpoint=self.url,
            identities=emulator_identities(),
            capabilities=frozenset(CAPABILITIES),
            allow_writes=True,
        )

    def stop(self) -> None:
        """End the emulator, which keeps nothing that would be lost."""
        if self._running is not None:
            self._running.process.kill()
        self._stack.close()

    def __enter__(self) -> LocalEmulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
