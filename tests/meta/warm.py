"""Runs pytest in forks of a process that has imported what every run needs: half the time of a short run.

Each line of standard input is a run, as JSON: ``arguments``, ``env``, ``cwd``, and the files ``stdout`` and
``stderr``. For each, the process id and then the exit status are printed. A fork is a session of its own.
"""

from __future__ import annotations

import json
import os
import sys
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


def main() -> int:
    """Serve until standard input ends; in a fork, the status of its run."""
    for line in iter(sys.stdin.readline, ""):
        process = os.fork()
        if process == 0:
            return become(json.loads(line))
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
