"""What is installed from a built wheel does everything in any folder, and leaves nothing there."""

import json
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml

from getintegration_contract import cli

from .support import ROOT, Process, Result, call, emulator, environment, started, wait_for

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
def venv(runner: Path) -> Path:
    """That environment."""
    return runner / "getintegration-contract"


Command = Callable[..., Result]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def command(venv: Path, empty: Path, tmp_path: Path) -> Command:
    """Runs a line of shell in the empty folder, where the installed commands come first."""
    env = environment(HOME=str(tmp_path / "home"), XDG_CACHE_HOME=None)
    env["PATH"] = f"{venv / 'bin'}:{env['PATH']}"

    def command(line: str, status: int | None = None) -> Result:
        done = call("bash", "-c", line, cwd=empty, env=env, timeout=180, status=status)
        return replace(done, directory=empty / "reports")

    return command


@pytest.fixture(scope="module")
def mock() -> Iterator[Process]:
    """A server of another making."""
    server = started("-m", "second_server", cwd=ROOT / "tests" / "meta")
    yield server
    server.close()


def test_an_installed_run_judges_a_mock(command: Command, mock: Process, empty: Path) -> None:
    result = command(f"getintegration-contract run --endpoint-url {mock.url} -n 2 --report-dir reports")
    assert result.status == 0, result.output
    whole = json.loads(command("getintegration-contract clauses json").stdout)
    assert len(result.outcomes) == len(whole["clauses"])
    assert [path.name for path in empty.iterdir()] == ["reports"]


def test_what_it_tells_to_repeat_repeats(command: Command) -> None:
    server = emulator("--no-signatures")
    result = command(
        f"getintegration-contract run --endpoint-url {server.url} -k tampered -q --report-dir reports"
    )
    assert result.status == 1, result.output
    told = next(iter(result.findings.values()))["repeat"]
    assert told.startswith(f"getintegration-contract run --endpoint-url {server.url} ")
    assert " tests/contract/" in told.replace("'", "")
    again = command(told)
    server.close()
    assert (again.status, "1 violated" in again.stdout) == (1, True), again.output


def test_a_file_of_the_suite_is_named_as_in_reports(command: Command) -> None:
    result = command("getintegration-contract run tests/contract/test_access.py --collect-only -q", status=0)
    assert set(re.findall(r"^(\S+)::", result.stdout, re.M)) == {"tests/contract/test_access.py"}


@pytest.mark.parametrize("test", ["tests/test_mine.py", "."])
def test_tests_of_others_are_refused(command: Command, empty: Path, test: str) -> None:
    (empty / "tests").mkdir()
    (empty / "tests" / "test_mine.py").write_text("def test_mine(): pass\n", encoding="utf-8")
    result = command(f"getintegration-contract run {test}")
    assert (result.status, f"{test} is no test of the suite" in result.stderr) == (4, True), result.output


def test_the_users_own_pytest_is_left_alone(command: Command, empty: Path) -> None:
    (empty / "conftest.py").write_text("raise SystemExit('loaded')\n", encoding="utf-8")
    (empty / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n", encoding="utf-8")
    command("python -m getintegration_contract run -q -k access", status=0)


def test_recordings_are_compared_without_a_checkout(command: Command, mock: Process) -> None:
    recorded = command(f"getintegration-contract run --endpoint-url {mock.url} -k valid --record a.har -q")
    assert recorded.status == 0, recorded.output
    result = command("getintegration-contract compare a.har emulator")
    assert result.status in (0, 1), result.output
    assert "coverage " in result.stdout
    refused = command("getintegration-contract compare a.har --promote")
    assert (refused.status, "--contract" in refused.stderr) == (4, True), refused.output


def test_the_installed_clauses_are_those_of_the_checkout(command: Command) -> None:
    document = command("getintegration-contract clauses markdown").stdout
    assert document == (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8")


def test_the_base_install_is_lean(venv: Path) -> None:
    (packages,) = venv.glob("lib/python*/site-packages")
    names = {path.name.split("-")[0].lower().replace("_", "-") for path in packages.glob("*.dist-info")}
    assert names & NOT_NEEDED == set()
    size = sum(path.lstat().st_size for path in venv.rglob("*")) / 2**20
    assert size < SIZE


# --- The action ---------------------------------------------------------------------------------------------


@pytest.fixture
def port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _act(runner: Path, folder: Path, port: int, *served: str, **given: str) -> tuple[str, str, str]:
    """Runs the action: its output, what it printed, and the summary."""
    python = runner / "getintegration-contract" / "bin" / "python"
    start = shlex.join([str(python), "-m", "getintegration_emulator", "--port", str(port), *served])
    done = _step(
        "Run", runner, folder, **{"start": start, "endpoint_url": f"http://127.0.0.1:{port}"} | given
    )
    output = (folder.parent / "OUTPUT").read_text(encoding="utf-8")
    assert output == f"status={done.status}\n", done.stderr
    summary = folder.parent / "STEP_SUMMARY"
    return output, done.output, summary.read_text(encoding="utf-8") if summary.exists() else ""


def test_the_action_starts_a_mock_tests_it_and_stops_it(runner: Path, empty: Path, port: int) -> None:
    output, printed, summary = _act(runner, empty, port, options="-k 'valid or access'")
    assert output == "status=0\n", printed
    assert "PASS" in printed
    assert "upheld" in summary
    assert {"report.html", "report.json", "junit.xml", "mock.log"} <= {
        path.name for path in (empty / "contract-reports").iterdir()
    }
    wait_for(lambda: not _listens(port))


def test_the_action_fails_with_a_mock_that_violates(runner: Path, empty: Path, port: int) -> None:
    output, printed, summary = _act(runner, empty, port, "--no-signatures", options="-k tampered")
    assert output == "status=1\n"
    assert "::error" in printed
    assert "::group::Log of the mock" in printed
    assert "sigv4.tampered" in summary


def test_the_action_shows_why_a_mock_did_not_start(runner: Path, empty: Path, port: int) -> None:
    given = {"start": "echo out of memory; exit 1", "wait": "1"}
    output, printed, _ = _act(runner, empty, port, **given)
    assert output == "status=6\n"
    assert "out of memory" in printed


def test_the_actions_reports_become_an_artifact() -> None:
    (step,) = (step for step in ACTION["runs"]["steps"] if "uses" in step)
    assert step["uses"].startswith("actions/upload-artifact@")
    assert (step["if"], step["with"]["path"]) == ("always()", "${{ inputs.report-dir }}")


# --- Metadata -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def metadata(venv: Path) -> Message:
    """What an index shows of the wheel."""
    (path,) = venv.glob("lib/python*/site-packages/getintegration_contract-*.dist-info/METADATA")
    return Parser().parsestr(path.read_text(encoding="utf-8"))


def test_the_metadata_are_complete_and_the_readmes_links_lead_somewhere(metadata: Message) -> None:
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


def test_the_command_is_installed_as_described() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {cli.PROGRAM: "getintegration_contract.cli:main"}


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ("", 0, "usage: getintegration-contract COMMAND"),
        ("--help", 0, "commands:"),
        ("--version", 0, "getintegration-contract 0."),
        ("comapre a b", 4, "did you mean compare?"),
        ("xyz", 4, "there are run, emulator"),
        ("clauses xml", 4, "invalid choice: 'xml'"),
        ("report trend nowhere", 4, "nowhere"),
    ],
)
def test_a_command_line_is_answered(
    capsys: pytest.CaptureFixture[str], typed: str, status: int, said: str
) -> None:
    try:
        got = cli.main(shlex.split(typed))
    except SystemExit as end:
        got = int(end.code or 0)
    assert got == status
    captured = capsys.readouterr()
    assert said in captured.out + captured.err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_helps_by_its_name(name: str) -> None:
    done = call(sys.executable, "-m", "getintegration_contract", name, "--help", status=0)
    assert f"usage: getintegration-contract {name} " in done.stdout


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("run -q tests/contract/test_access.py --report-dir out --record a.har --write-waivers w.toml", 0),
        ("compare emulator emulator --report-dir out --write-accept w.toml", 0),
        ("clauses markdown", 0),
        ("emulator --port 0 --exit-with-stdin", 0),
        (f"report compare {STORED} {STORED} -o out.html", 0),
        (f"report trend {STORED.parent} -o out.html", 0),
        ("sweep --endpoint-url http://127.0.0.1:9", 6),
    ],
)
def test_no_command_leaves_an_encoding_to_chance(line: str, status: int, tmp_path: Path) -> None:
    strict = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    command = (sys.executable, *strict, "-m", "getintegration_contract", *shlex.split(line))
    done = call(*command, cwd=tmp_path, stdin=subprocess.DEVNULL, status=status)
    assert "Warning" not in done.stderr
