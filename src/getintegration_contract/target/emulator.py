"""The shipped emulator as a target, for a run that names no endpoint."""

import os
from functools import cached_property

from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.identity import Identity
from getintegration_emulator.identities import DEFAULT_IDENTITIES
from getintegration_emulator.launch import EmulatorError, RunningEmulator


def emulator_identities() -> dict[str, Identity]:
    """The emulator's documented identities."""
    return {
        name: Identity(name, known.access_key, known.secret_key, known.session_token)
        for name, known in DEFAULT_IDENTITIES.items()
    }


class LocalEmulator(RunningEmulator):
    """The emulator in a process of its own; it keeps nothing that would be lost with it."""

    @cached_property
    def url(self) -> str:
        """Where the emulator listens.

        Raises:
            EnvironmentFault: It did not start.
        """
        try:
            found = super().url
        except EmulatorError as error:
            raise EnvironmentFault(str(error)) from None
        # No proxy of the environment stands before it, in this process and those that it starts.
        others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, (others, "127.0.0.1")))
        return found

    def close(self) -> None:
        """End it at once."""
        self.process.kill()
        super().close()
