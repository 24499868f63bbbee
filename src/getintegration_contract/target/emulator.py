"""The shipped emulator as a target, for a run that names no endpoint."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import Self

import getintegration_emulator
from getintegration_contract.errors import EnvironmentFault
from getintegration_contract.identity import Identity
from getintegration_emulator.identities import DEFAULT_IDENTITIES

_SOURCE_ROOT = str(Path(getintegration_emulator.__file__).resolve().parents[1])


def emulator_identities() -> dict[str, Identity]:
    """The emulator's documented identities."""
    return {
        name: Identity(name, known.access_key, known.secret_key, known.session_token)
        for name, known in DEFAULT_IDENTITIES.items()
    }


class LocalEmulator:
    """The emulator in a process of its own, by default on a free port of 127.0.0.1.

    ``options`` are those of its command line. It starts at once, and ends with the ``with`` block, and with
    this process even if that is killed.
    """

    def __init__(self, *options: str) -> None:
        path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), _SOURCE_ROOT)))
        # ruff would have it in a with block: close() ends it.
        self._errors = tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".log")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "getintegration_emulator", "--port", "0", "--exit-with-stdin", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # so that Ctrl-C does not end it before the run has cleaned up
        )

    @cached_property
    def url(self) -> str:
        """Where it listens, without a slash at the end; waits at most ten seconds for it.

        Raises:
            EnvironmentFault: It did not start.
        """
        assert self.process.stdout is not None
        deadline = threading.Timer(10.0, self.process.kill)
        deadline.start()
        line = self.process.stdout.readline()
        status = None if line else self.process.wait()
        deadline.cancel()
        if not line:
            message = self.stderr()
            self.close()
            raise EnvironmentFault(f"The emulator ended with status {status}: {message}")
        # No proxy of the environment stands before it, in this process and those that it starts.
        others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(filter(None, (others, "127.0.0.1")))
        return str(json.loads(line)["url"])

    def stderr(self) -> str:
        """All that it has written to standard error so far: warnings and the access log."""
        return Path(self._errors.name).read_text(encoding="utf-8")

    def close(self) -> None:
        """End it at once, for it keeps nothing that would be lost; safe to call again."""
        self.process.kill()
        self.process.communicate()
        self._errors.close()

    def __enter__(self) -> Self:
        _ = self.url  # waits until it listens
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
