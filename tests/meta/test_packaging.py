"""What is installed from a built wheel does everything in any folder, and leaves nothing there."""

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml

from getintegration_contract import cli

from .support import ROOT, Process, Result, call, emulator, environment, wait_for

STORED = ROOT / "tests" / "meta" / "report" / "stored" / "failing.json"

#: MB that a clean environment may take with everything that a run needs.
SIZE = 160
#: What only this project's own tests need.
NOT_NEEDED = {"aiohttp", "awscli", "boto3", "openapi-spec-validator", "tox"}


ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def _step(name: str, temporary: Path, folder: Path, **given: str) -> Result:
    """Runs a step of the action as GitHub's runner does, with these inputs."""
    (step,) = (step for step in ACTION["runs"]["steps"] if step["name"] == name)
    inputs = {key: value["default"] for key, value in ACTION["inputs"].items()}
    inputs |= {key.replace("_", "-"): value for key, value in given.items()}
    assert inputs.keys() == ACTION["inputs"].keys()
    script = temporary / f"{name}.sh"
    script.write_text(step["run"], encoding="utf-8")
    files = {f"GITHUB_{kind}": str(folder.parent / kind) for kind in ("OUTPUT", "STEP_SUMMARY")}
    own = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: inputs[m[1]], value)
        for key, value in step.get("env", {}).items()
    }
    env = environment(
        GITHUB_ACTIONS="true", GITHUB_ACTION_PATH=str(ROOT), RUNNER_TEMP=str(temporary), **files, **own
    )
    shell = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
    return call(*shell, script, cwd=folder, env=env, timeout=300)


def _installed(folder: Path) -> str:
    _step("Install", folder, folder).due(0)
    return str(folder)


@pytest.fixture(scope="session")
def runner(shared: Callable[..., Any]) -> Path:
    """The folder in which the action has made a clean environment and installed the wheel into it."""
    return Path(shared("installed", _installed))


@pytest.fixture(scope="session")
def packages(runner: Path) -> Path:
    """What is installed there."""
    (folder,) = runner.glob("*/lib/python*/site-packages")
    return folder


Command = Callable[..., Result]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def command(runner: Path, empty: Path, tmp_path: Path) -> Command:
    """Runs a line of shell in the empty folder, where the installed commands come first."""
    env = environment(HOME=str(tmp_path / "home"), XDG_CACHE_HOME=None)
    env["PATH"] = f"{runner / cli.PROGRAM / 'bin'}:{env['PATH']}"

    def command(line: str, status: int | None = 0) -> Result:
        line = line.replace("$", cli.PROGRAM)
        done = call("bash", "-c", line, cwd=empty, env=env, timeout=180, status=status)
        return replace(done, directory=empty / "reports")

    return command


def test_an_installed_run_judges_a_mock(command: Command, endpoint: Process, empty: Path) -> None:
    result = command(f"$ run --endpoint-url {endpoint.url} -n 2 --report-dir reports")
    assert len(result.outcomes) == len(json.loads(command("$ clauses json").stdout)["clauses"])
    assert [path.name for path in empty.iterdir()] == ["reports"]


def test_what_it_tells_to_repeat_repeats(command: Command, closing: Any) -> None:
    url = closing(emulator("--no-signatures")).url
    result = command(f"$ run --endpoint-url {url} -k tampered -q --report-dir reports", 1)
    told = next(iter(result.findings.values()))["repeat"]
    assert told.startswith(f"{cli.PROGRAM} run --endpoint-url {url} ")
    assert " tests/contract/" in told.replace("'", "")
    assert "1 violated" in command(told, 1).stdout


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("$ run tests/test_mine.py", 4, "tests/test_mine.py is no test of the suite"),
        ("$ run .", 4, ". is no test of the suite"),
        ("$ run tests/contract/test_access.py --collect-only -q", 0, "test_access.py::"),
        ("$ compare a.har --promote", 4, "--contract"),
        ("python -m getintegration_contract run -q -k access", 0, "PASS"),
    ],
)
def test_the_suites_tests_are_named_as_in_reports_and_the_users_own_left_alone(
    command: Command, empty: Path, line: str, status: int, said: str
) -> None:
    for name, text in (
        ("tests/test_mine.py", "def test_mine(): pass\n"),
        ("conftest.py", "raise SystemExit('loaded')\n"),
        ("pytest.ini", "[pytest]\naddopts = --nonsense\n"),
    ):
        (empty / name).parent.mkdir(exist_ok=True)
        (empty / name).write_text(text, encoding="utf-8")
    result = command(line, status)
    assert said in result.output
    assert set(re.findall(r"^(\S+)::", result.stdout, re.M)) <= {"tests/contract/test_access.py"}


def test_recordings_are_compared_without_a_checkout(command: Command, endpoint: Process) -> None:
    command(f"$ run --endpoint-url {endpoint.url} -k valid --record a.har -q")
    assert "coverage " in command("$ compare a.har emulator").stdout


def test_the_installed_clauses_are_those_of_the_checkout(command: Command) -> None:
    assert command("$ clauses markdown").stdout == (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8")


def test_the_base_install_is_lean(runner: Path, packages: Path) -> None:
    names = {path.name.split("-")[0].lower().replace("_", "-") for path in packages.glob("*.dist-info")}
    assert names & NOT_NEEDED == set()
    size = sum(path.lstat().st_size for path in (runner / cli.PROGRAM).rglob("*")) / 2**20
    assert size < SIZE


# --- The action ---------------------------------------------------------------------------------------------


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    ("given", "status", "printed", "summarised"),
    [
        ({"options": "-k 'valid or access'"}, 0, ["PASS"], "upheld"),
        (
            {"start": "{emulator} --no-signatures", "options": "-k tampered"},
            *(1, ["::error", "::group::Log of the mock"], "sigv4.tampered"),
        ),
        ({"start": "echo out of memory; exit 1", "wait": "1"}, 6, ["out of memory"], ""),
    ],
    ids=["a mock that is right", "a mock that violates", "a mock that does not start"],
)
def test_the_action_starts_a_mock_tests_it_and_stops_it(
    runner: Path, empty: Path, given: dict[str, str], status: int, printed: list[str], summarised: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    python = shlex.quote(str(runner / cli.PROGRAM / "bin" / "python"))
    emulator = f"{python} -m getintegration_emulator --port {port}"
    start = given.get("start", "{emulator}").format(emulator=emulator)
    address = f"http://127.0.0.1:{port}"
    done = _step("Run", runner, empty, **given | {"start": start, "endpoint_url": address})
    output, summary = (empty.parent / name for name in ("OUTPUT", "STEP_SUMMARY"))
    assert output.read_text(encoding="utf-8") == f"status={status}\n", done.output
    assert [text for text in printed if text not in done.output] == []
    assert summarised in (summary.read_text(encoding="utf-8") if summary.exists() else "")
    if status == 0:
        names = {path.name for path in (empty / "contract-reports").iterdir()}
        assert names >= {"report.html", "report.json", "junit.xml", "mock.log"}
    wait_for(lambda: not _listens(port))


def test_the_actions_reports_become_an_artifact() -> None:
    (step,) = (step for step in ACTION["runs"]["steps"] if "uses" in step)
    assert step["uses"].startswith("actions/upload-artifact@")
    assert (step["if"], step["with"]["path"]) == ("always()", "${{ inputs.report-dir }}")


# --- Metadata -----------------------------------------------------------------------------------------------


def test_the_metadata_are_complete_and_the_readmes_links_lead_somewhere(packages: Path) -> None:
    (path,) = packages.glob("getintegration_contract-*.dist-info/METADATA")
    metadata = Parser().parsestr(path.read_text(encoding="utf-8"))
    for header in ("Author", "Keywords", "Summary", "Requires-Python", "License-Expression"):
        assert metadata[header], header
    urls = dict(value.split(", ", 1) for value in metadata.get_all("Project-URL", []))
    assert {"Repository", "Issues", "Changelog", "Documentation"} <= urls.keys()
    assert "Framework :: Pytest" in metadata.get_all("Classifier", [])
    links = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert len(links) > 3
    for link in links:
        assert link.startswith(("https://", "#")), link
        path = re.fullmatch(re.escape(urls["Repository"]) + r"/(?:blob|raw)/main/([^#]+)(#.*)?", link)
        assert path is None or (ROOT / path[1]).exists(), link


# --- The command --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("", 0, "usage: getintegration-contract COMMAND"),
        ("--help", 0, "commands:"),
        ("--version", 0, "getintegration-contract 0."),
        ("comapre a b", 4, "did you mean compare?"),
        ("xyz", 4, "there are run, emulator"),
        ("clauses xml", 4, "invalid choice: 'xml'"),
        ("report trend nowhere", 4, "nowhere"),
        *((f"{name} --help", 0, f"usage: getintegration-contract {name} ") for name in cli.COMMANDS),
        ("run -q tests/contract/test_access.py --report-dir o --record a.har --write-waivers w.toml", 0, ""),
        ("compare emulator emulator --report-dir out --write-accept w.toml", 0, ""),
        ("clauses markdown", 0, ""),
        ("emulator --port 0 --exit-with-stdin", 0, ""),
        (f"report compare {STORED} {STORED} -o out.html", 0, ""),
        (f"report trend {STORED.parent} -o out.html", 0, ""),
        ("sweep --endpoint-url http://127.0.0.1:9", 6, ""),
    ],
)
def test_a_command_line_is_answered_and_leaves_no_encoding_to_chance(
    line: str, status: int, said: str, tmp_path: Path
) -> None:
    strict = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    command = (sys.executable, *strict, "-m", "getintegration_contract", *shlex.split(line))
    done = call(*command, cwd=tmp_path, stdin=subprocess.DEVNULL, status=status)
    assert said in done.output
    assert "Warning" not in done.stderr
