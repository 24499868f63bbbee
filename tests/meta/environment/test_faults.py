"""Whatever is wrong around a run, it ends with the status that is due and a sentence that names the cause."""

import shlex
import sys
from pathlib import Path

import pytest

from ..conftest import RunSuite
from ..support import SUITE, Process, Result, call, command_line, environment
from .faults import FAULTS, SECRET, Row
from .servers import serving


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.name)
def test_fault(row: Row, run_suite: RunSuite, endpoint: Process, tmp_path: Path) -> None:
    with serving(row.server or "emulator", endpoint.url, tmp_path) as url:
        result = _run(row, run_suite, tmp_path, url)
    due = row.status if isinstance(row.status, tuple) else (row.status,)
    assert result.status in due, result.output
    assert "Traceback" not in result.output
    assert "INTERNALERROR" not in result.output
    assert SECRET not in result.output
    assert sum(line.startswith("Exit: ") for line in result.stderr.splitlines()) <= 1
    said = row.said.replace("{url}", url).split("...")
    assert [text for text in said if text not in result.output] == [], result.output


def _run(row: Row, run_suite: RunSuite, tmp: Path, url: str) -> Result:
    given = {
        "url": url,
        "port": url.rpartition(":")[2],
        "tmp": tmp,
        "python": sys.executable,
        "secret": SECRET,
    }

    def fill(text: str) -> str:
        for name, value in given.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    for name, text in row.files.items():
        (tmp / name).write_text(fill(text), encoding="utf-8")
        if text.startswith("#!"):
            (tmp / name).chmod(0o755)
    address = [] if not row.server or "--endpoint-url" in row.options else ["--endpoint-url", url]
    selected = [SUITE / name for name in row.tests.split()]
    options = [*selected, *address, *map(fill, shlex.split(row.options))]
    env = environment(**{name: fill(value) for name, value in row.env.items()})
    lean = "test_generated" not in row.tests
    if not row.shell:
        return run_suite(*options, report=False, env=env, lean=lean, timeout=30)
    command = shlex.join([sys.executable, "-m", "pytest", *command_line(options, None, lean)])
    script = fill(row.shell.replace("{run}", command).replace("{{", "{").replace("}}", "}"))
    return call("bash", "-c", script, env=env, timeout=30)
