"""Commands, measured: their time, their memory, the requests that the suite sent."""

import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """What a command took: wall and CPU seconds of it and its children; and requests, if it is the suite."""

    wall: float
    cpu: float
    requests: int


def run(command: list[str], cwd: Path = ROOT) -> Measured:
    """Run a command and measure it."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stdout[-2000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sent = re.search(r"([\d,]+) requests? in", done.stdout)
    return Measured(wall, cpu, int(sent[1].replace(",", "")) if sent else 0)


def alternate(pairs: int, *subjects: Callable[[], float]) -> list[float]:
    """The median of each subject, taken in turns."""
    taken: list[list[float]] = [[] for _ in subjects]
    for _ in range(pairs):
        for values, subject in zip(taken, subjects, strict=True):
            values.append(subject())
    return [statistics.median(values) for values in taken]


def peak(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in MiB of a command.

    The peak of all children so far never falls, so each command is measured by a process of its own.
    """
    script = (
        f"import resource, subprocess; subprocess.run({command!r}, stdout=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    clock = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - clock, int(done.stdout) / 1024


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
