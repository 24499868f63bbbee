"""Start an emulator from Python, and stop it again.

::

    with running_emulator("--rate", "5") as emulator:
        client = boto3.client("customer-profiles", endpoint_url=emulator.url, ...)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SOURCE_ROOT = str(Path(__file__).resolve().parents[1])


class EmulatorError(RuntimeError):
    """The emulator did not start; the text has its exit status and what it said."""


@dataclass(frozen=True)
class RunningEmulator:
    """An emulator that listens: its URL, without a slash at the end, and its process."""

    url: str
    process: subprocess.Popen[str]
    _errors: IO[str]

    def stderr(self) -> str:
        """All that it has written to standard error so far: warnings and the access log."""
        self._errors.flush()
        return Path(self._errors.name).read_text(encoding="utf-8")

    def stop(self, timeout: float = 10.0) -> int:
        """End its standard input, wait at most ``timeout`` seconds, return its exit status."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def running_emulator(*options: str, timeout: float = 10.0) -> Iterator[RunningEmulator]:
    """Run an emulator as a process of its own, by default on a free port of 127.0.0.1.

    ``options`` are those of the command line. The process ends with the ``with`` block, and with
    this process even if that is killed. Raises :class:`EmulatorError` when the emulator does not
    listen within ``timeout`` seconds.
    """
    command = [sys.executable, "-m", __package__, "--port", "0", "--exit-with-stdin", *options]
    inherited = os.environ.get("PYTHONPATH")
    path = _SOURCE_ROOT + (os.pathsep + inherited if inherited else "")
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".log") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # so that Ctrl-C does not end it before the run has cleaned up
        )
        emulator = RunningEmulator("", process, errors)
        try:
            yield RunningEmulator(_wait_for_url(emulator, timeout), process, errors)
        finally:
            emulator.stop()
            assert process.stdout is not None
            process.stdout.close()


def _wait_for_url(emulator: RunningEmulator, timeout: float) -> str:
    process = emulator.process
    assert process.stdout is not None
    deadline = threading.Timer(timeout, process.kill)
    deadline.start()
    try:
        line = process.stdout.readline()
    finally:
        deadline.cancel()
    if not line:
        status = emulator.stop()
        raise EmulatorError(f"The emulator ended with status {status}: {emulator.stderr()}")
    url = json.loads(line)["url"]
    assert isinstance(url, str)
    return url
