"""Whatever is wrong around a run, it ends with the status that is due and a sentence that names the cause."""

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..conftest import RunSuite
from ..support import SUITE, Process, Result, call, command_line, environment
from .servers import SECRET, serving

#: See faults.yaml.
Row = dict[str, Any]
_ROWS: dict[str, Row] = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", _ROWS.values(), ids=_ROWS)
def test_fault(row: Row, run_suite: RunSuite, endpoint: Process, tmp_path: Path) -> None:
    with serving(row.get("server") or "emulator", endpoint.url, tmp_path) as url:
        result = _run(row, run_suite, tmp_path, url)
    due = row["status"] if isinstance(row["status"], list) else [row["status"]]
    assert result.status in due, result.output
    assert "Traceback" not in result.output
    assert "INTERNALERROR" not in result.output
    assert SECRET not in result.output
    assert sum(line.startswith("Exit: ") for line in result.stderr.splitlines()) <= 1
    said = row.get("said", "").replace("{url}", url).split("...")
    assert [text for text in said if text not in result.output] == [], result.output


def _run(row: Row, run_suite: RunSuite, tmp: Path, url: str) -> Result:
    given = {"url": url, "port": url.rpartition(":")[2], "tmp": str(tmp), "secret": SECRET}

    def fill(text: Any) -> str:
        for name, value in given.items():
            text = str(text).replace(f"{{{name}}}", value)
        return text

    files, env, shell = dict(row.get("files", {})), dict(row.get("env", {})), row.get("shell", "")
    options, tests = row.get("options", ""), row.get("tests", "test_missing.py")
    if "keys" in row:
        env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = row["keys"]
    if "helper" in row or "profile" in row:
        files["config"] = f"[profile p]\n{row.get('profile', 'credential_process = {tmp}/helper')}"
        env |= {"AWS_PROFILE": "p", "AWS_CONFIG_FILE": "{tmp}/config"}
    if "helper" in row:
        files["helper"] = f"#!{sys.executable}\n{row['helper']}"
    if "kill" in row:
        # Where SIGINT is ignored, as in a job of a shell, it is not again.
        files["signals.py"] = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
        env["PYTHONPATH"], options, tests = "{tmp}", "-p signals", "test_malformed.py"
        kills = " ".join(f"kill -{name} $!; sleep 0.05;" for name in row["kill"])
        shell = "{run} & while [ ! -e {tmp}/asked ]; do sleep 0.05; done; " + kills + " wait $!"
    for name, text in files.items():
        (tmp / name).write_text(fill(text), encoding="utf-8")
        (tmp / name).chmod(0o755)
    address = [] if row.get("server") == "" or "--endpoint-url" in options else ["--endpoint-url", url]
    command = [*(SUITE / name for name in tests.split()), *address, *map(fill, shlex.split(options))]
    filled = environment(**{name: fill(value) for name, value in env.items()})
    if not shell:
        return run_suite(*command, report=False, env=filled, timeout=30)
    run = shlex.join([sys.executable, "-m", "pytest", *command_line(command, None)])
    return call("bash", "-c", fill(shell.replace("{run}", run)), env=filled, timeout=30)
