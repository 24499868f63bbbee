"""Start an emulator from Python, and stop it again.

::

    with RunningEmulator("--rate", "5") as emulator:
        client = boto3.client("customer-profiles", endpoint_url=emulator.url, ...)
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from functools import cached_property
from pathlib import Path
from typing import Self

_SOURCE_ROOT = str(Path(__file__).resolve().parents[1])


class EmulatorError(RuntimeError):
    """The emulator did not start; the text has its exit status and what it said."""


class RunningEmulator:
    """An emulator as a process of its own, by default on a free port of 127.0.0.1.

    ``options`` are those of the command line. It starts at once, and ends with the ``with`` block, and with
    this process even if that is killed.
    """

    def __init__(self, *options: str) -> None:
        path = os.pathsep.join(filter(None, (_SOURCE_ROOT, os.environ.get("PYTHONPATH"))))
        # ruff would have it in a with block: close() ends it.
        self._errors = tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".log")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", __package__, "--port", "0", "--exit-with-stdin", *options],
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

        Raises :class:`EmulatorError` when it does not.
        """
        assert self.process.stdout is not None
        deadline = threading.Timer(10.0, self.process.kill)
        deadline.start()
        line = self.process.stdout.readline()
        deadline.cancel()
        if not line:
            status, message = self.stop(), self.stderr()
            self.close()
            raise EmulatorError(f"The emulator ended with status {status}: {message}")
        return str(json.loads(line)["url"])

    def stderr(self) -> str:
        """All that it has written to standard error so far: warnings and the access log."""
        return Path(self._errors.name).read_text(encoding="utf-8")

    def stop(self) -> int:
        """End its standard input, wait at most ten seconds, return its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def close(self) -> None:
        """Stop it and let go of its output; safe to call again."""
        self.stop()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        _ = self.url  # waits until it listens
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
