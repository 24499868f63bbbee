"""README and docs say what the code says, and their commands work."""

import re
import shlex
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from getintegration_contract import cli, command
from getintegration_contract.report import view
from getintegration_contract.target.target import CAPABILITIES

from . import reference
from .support import IDENTITIES, ROOT, Process, call, environment, stock

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")]
PAGES += [path for path in (ROOT / "docs").glob("*.md") if path.name != "clauses.md"]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
README = TEXTS["README.md"]

#: Where a run is long, this part of it is enough to see that the command works.
PART = ["-k", "valid or access", "--max-examples", "1"]


def _blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of a language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S)
    return [block for named, block in blocks if named == language]


def _commands(text: str) -> list[list[str]]:
    """The commands of a page, split as the shell does."""
    lines = "".join(_blocks(text)).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def _rows(text: str) -> dict[str, str]:
    """The rows of tables with two columns."""
    return dict(re.findall(r"^\| `?(.+?)`? \| (.*) \|$", text, re.M))


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_the_reference_is_made_from_the_code_and_says_what_each_option_means() -> None:
    remake = "python tests/meta/reference.py > docs/reference.md"
    assert TEXTS["reference.md"] == reference.document(), f"make it again: {remake}"
    rows = _rows(TEXTS["reference.md"])
    assert len(rows) > 50
    assert [name for name, meaning in rows.items() if len(meaning) < 9 and meaning != "meaning"] == []


def test_the_readmes_exit_statuses_are_those_of_the_code() -> None:
    shown = {key: meaning for key, meaning in _rows(README).items() if key.isdigit()}
    code = {
        pytest.ExitCode.INTERRUPTED: "interrupted",
        pytest.ExitCode.USAGE_ERROR: "wrong use",
        pytest.ExitCode.NO_TESTS_COLLECTED: "nothing ran",
        command.OK: "upheld",
        command.FAILED: "violated",
        command.INTERNAL: "internal error",
        command.INDETERMINATE: "indeterminate",
    }
    assert sorted(map(int, shown)) == [*range(len(view._WORDS))] == sorted(map(int, code))
    for status, word in code.items():
        assert word in shown[str(int(status))], status


def test_the_docs_name_every_capability() -> None:
    assert _rows(TEXTS["running.md"]).keys() - {"capability"} == set(CAPABILITIES)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[page.name]):
        if not link.startswith("https://"):
            assert (page.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("page", TEXTS)
def test_commands_have_the_options_that_they_are_given(page: str) -> None:
    known = reference.document()
    for words in _commands(TEXTS[page]):
        if words[0].endswith("getintegration-contract"):
            assert words[1] in cli.COMMANDS, words
            section = known.partition(f"\n## getintegration-contract {words[1]}")[2].partition("\n## ")[0]
            options = {word for word in words[2:] if word.startswith("--")}
            assert [option for option in options if f"| `{option}" not in section] == [], words


# --- Its commands, run --------------------------------------------------------------------------------------


def test_the_readmes_first_commands_are_the_two_that_ci_runs() -> None:
    commands = _blocks(README)[0].splitlines()
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/pytest tests/contract")
    assert ".venv/bin/pytest tests/meta" in commands[1]


def test_what_is_installed_from_the_repository_is_this_project() -> None:
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    installs = re.findall(r"pip install '(.+ @ .+)'", README)
    assert len(installs) == 2, "one to begin with, one for GitLab"
    for install in map(Requirement, installs):
        assert (install.name, install.url) == (cli.PROGRAM, f"git+{repository['Repository']}")


def test_the_jobs_to_paste_give_what_is_taken() -> None:
    github, gitlab = map(yaml.safe_load, _blocks(README, "yaml"))
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (given,) = (step["with"] for step in github["jobs"]["contract"]["steps"] if "with" in step)
    assert given.keys() <= action["inputs"].keys()
    words = shlex.split(gitlab["contract"]["script"][-1])
    assert [f"| `{word}" in TEXTS["reference.md"] for word in words if word.startswith("--")] == [True] * 3
    assert gitlab["contract"]["artifacts"]["paths"] == [words[-1]]


def test_every_command_of_the_readme_works(holding: Process, tmp_path: Path) -> None:
    """All but the two of CI and pip's; AWS and the mock are an emulator, and long runs are cut short."""
    (toml,) = _blocks(README, "toml")
    target, known = tomllib.loads(toml), tomllib.loads(IDENTITIES)["identities"]
    stock(holding.url, target["domain-name"], target["integration-uri"])
    (tmp_path / "nightly.toml").write_text(
        toml.replace(target["endpoint-url"], holding.url), encoding="utf-8"
    )
    profiles = "".join(
        f"[{each['profile']}]\naws_access_key_id = {known[name]['access-key-id']}\n"
        f"aws_secret_access_key = {known[name]['secret-access-key']}\n"
        for name, each in target["identities"].items()
    )
    (tmp_path / "profiles").write_text(profiles, encoding="utf-8")
    env = environment(AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "profiles"), HOME=str(tmp_path))
    program = shutil.which(cli.PROGRAM, path=Path(sys.executable).parent)
    assert program is not None
    commands = [words for words in _commands(README) if words[0] == cli.PROGRAM]
    assert len(commands) >= 6
    for _, name, *rest in commands:
        given = [word.replace("http://127.0.0.1:4566", holding.url) for word in rest]
        call(program, name, *given, *(PART if name == "run" else ()), cwd=tmp_path, env=env, status=0)
