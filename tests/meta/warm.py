"""The process of one run of pytest: a fork of one that has imported what every run needs, so half as long.

``run`` is given: ``arguments``, ``env``, ``cwd``, and the files ``stdout`` and ``stderr``. It is a session of
its own.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

#: What is imported before.
PRELOADED = [
    *("pytest", "botocore.credentials", "botocore.session"),
    *(f"getintegration_contract.plugin.{name}" for name in ("controller", "worker")),
    *(f"getintegration_contract.report.{name}" for name in ("html", "markdown", "terminal")),
]

if __name__ == "__main__":
    run: dict[str, Any] = globals()["run"]
    os.setsid()
    os.environ.clear()
    os.environ.update(run["env"])
    os.chdir(run["cwd"])
    sys.path[:0] = filter(None, run["env"].get("PYTHONPATH", "").split(os.pathsep))
    sys.dont_write_bytecode = False
    for number, name in ((1, run["stdout"]), (2, run["stderr"])):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
    sys.argv = [str(Path(sys.executable).with_name("pytest")), *run["arguments"]]
    sys.exit(int(pytest.main(run["arguments"])))
