"""Runs pytest in forks of a process that has imported what every run needs: half the time of a short run.

Each line of standard input is a run, as JSON: ``arguments``, ``env``, ``cwd``, ``timeout``, and the files
``stdout`` and ``stderr``. For each, the exit status is printed. A fork is a session of its own, and is killed
when it takes too long.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import botocore.credentials
import botocore.session
import pytest

import getintegration_contract.plugin.controller
import getintegration_contract.plugin.worker
import getintegration_contract.report.html
import getintegration_contract.report.markdown
import getintegration_contract.report.terminal

PRELOADED = (botocore.credentials, botocore.session, getintegration_contract)


def become(run: dict[str, Any]) -> int:
    """Be the process that the run asks for."""
    os.setsid()
    os.environ.clear()
    os.environ.update(run["env"])
    os.chdir(run["cwd"])
    sys.path[:0] = filter(None, run["env"].get("PYTHONPATH", "").split(os.pathsep))
    for number, name in ((0, os.devnull), (1, run["stdout"]), (2, run["stderr"])):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(name, flags, 0o644), number)
    sys.argv = [str(Path(sys.executable).with_name("pytest")), *run["arguments"]]
    return int(pytest.main(run["arguments"]))


def wait(process: int, timeout: float) -> int:
    """The exit status of a fork, killed with all that belongs to it when it takes too long."""
    end = time.monotonic() + timeout
    while (ended := os.waitpid(process, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.killpg(process, signal.SIGKILL)
            ended = os.waitpid(process, 0)
            break
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(ended[1])


def main() -> int:
    """Serve until standard input ends; in a fork, the status of its run."""
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if process == 0:
            return become(json.loads(line))
        print(wait(process, json.loads(line)["timeout"]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
