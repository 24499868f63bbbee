"""Layers point one way, the emulator stands alone, and the README says what the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from getintegration_contract import run
from getintegration_contract.report import view
from getintegration_contract.target import CLAIMS, TARGET_SCHEMA

from .commands import run_many
from .support import ROOT

PACKAGE = "getintegration_contract"
SOURCE = ROOT / "src" / PACKAGE

#: What the innermost modules may import of the package; every other module may import these.
CORE: dict[str, set[str]] = {
    "arguments": set(),
    "environment": set(),
    "exchange": set(),
    "connection": set(),
    "identity": {"environment"},
    "redact": set(),
    "waivers": set(),
    "promotion": set(),
    "contract": {"promotion"},
    "judge": {"contract", "exchange"},
    "oracle": {"contract", "exchange", "judge"},
    "ledger": {"contract", "exchange", "judge"},
    "checker": {"exchange", "judge", "ledger", "redact"},
    "faults": {"exchange"},
    "operations": {"exchange"},
    "client": {"connection", "environment", "exchange", "faults", "identity", "operations"},
    "report": {"contract", "ledger"},
}
#: Modules that meet pytest; all others know nothing of it.
OF_PYTEST = {"plugin"}
#: Modules that start the emulator or know its identities.
OF_THE_EMULATOR = {"credentials", "local"}


def _imports(path: Path) -> Iterator[str]:
    """The modules that a file imports when it runs, wherever in it, by their full names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    here = [PACKAGE, *path.relative_to(SOURCE).with_suffix("").parts]
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = here[: -node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _part(path: Path) -> str:
    """The module, or the folder of modules, that a file belongs to."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def _within(name: str) -> str | None:
    """The part of the package that an imported name belongs to; None for other packages."""
    package, _, rest = name.partition(".")
    part = rest.partition(".")[0]
    known = (SOURCE / part).is_dir() or (SOURCE / f"{part}.py").exists()
    return part if package == PACKAGE and part and known else None


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """The parts of the package, and which others each imports."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        part = _part(path)
        inside = {within for name in _imports(path) if (within := _within(name))}
        found.setdefault(part, set()).update(inside - {part})
    return found


def test_the_graph_is_seen(graph: dict[str, set[str]]) -> None:
    assert {"client", "contract", "ledger", "state", "target", "emulator"} <= graph.keys()
    assert {"client", "contract", "ledger", "local", "state", "target"} <= graph["run"]
    assert "emulator" in graph["credentials"], "imports inside of functions count"


def test_imports_go_round_in_no_circle(graph: dict[str, set[str]]) -> None:
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("part", CORE)
def test_inner_modules_know_only_what_is_below_them(graph: dict[str, set[str]], part: str) -> None:
    assert graph[part] - CORE[part] == set()


def test_the_emulator_imports_nothing_of_the_package(graph: dict[str, set[str]]) -> None:
    assert graph["emulator"] == set()


def test_few_import_the_emulator(graph: dict[str, set[str]]) -> None:
    assert {part for part, imported in graph.items() if "emulator" in imported} == OF_THE_EMULATOR


def test_the_emulator_does_not_read_the_description() -> None:
    for path in (SOURCE / "emulator").rglob("*.py"):
        assert "yaml" not in {name.partition(".")[0] for name in _imports(path)}, path
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        documented = {
            ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, ast.Module)
        }
        assert [text for text in texts if "openapi" in text.lower() and text not in documented] == [], path


def test_pytest_is_met_in_one_place() -> None:
    of_pytest = {
        _part(path) for path in SOURCE.rglob("*.py") if any(_is_pytest(name) for name in _imports(path))
    }
    assert of_pytest == OF_PYTEST


def _is_pytest(name: str) -> bool:
    return name.partition(".")[0] in ("pytest", "_pytest", "xdist")


def test_schemathesis_is_used_in_one_place() -> None:
    files = [*SOURCE.rglob("*.py"), *(ROOT / "tests" / "contract").glob("*.py"), ROOT / "conftest.py"]
    pattern = re.compile(r"^\s*(import|from) schemathesis", re.M)
    users = {path.name for path in files if pattern.search(path.read_text(encoding="utf-8"))}
    assert users == {"test_generated.py"}


# --- The README ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def readme() -> str:
    """The README."""
    return (ROOT / "README.md").read_text(encoding="utf-8")


def _section(text: str, title: str) -> str:
    """What stands under a heading."""
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def options() -> dict[str, str]:
    """The suite's own options, each with its line of help."""
    (helped,) = run_many([["--help"]])
    groups = helped.stdout.partition("\nwhat is tested:\n")[2].partition("\n[pytest] ")[0]
    own = re.split(r"\n(?=\S)", groups.replace("\nhow it is tested:\n", "\n"))[0]
    return {
        name: re.sub(r"\s+", " ", text)
        for name, text in re.findall(r"^  (--[a-z-]+)((?:.*\n)(?:    .*\n?)*)", own, re.M)
    }


def test_the_readmes_table_has_every_option(readme: str, options: dict[str, str]) -> None:
    rows = [line for line in _section(readme, "Options").splitlines() if line.startswith("| `-")]
    told = {name for row in rows for name in re.findall(r"`(--[a-z-]+)", row.split(" | ")[0])}
    assert len(options) > 15
    assert sorted(options.keys() - told) == [], "options that the README does not tell"
    assert told - options.keys() == {"--hypothesis-seed", "--strict"}, "all others are the suite's own"


def test_every_option_has_help(options: dict[str, str]) -> None:
    assert [name for name, text in options.items() if len(text) < 15] == []


def test_the_readmes_keys_are_those_of_a_target_file(readme: str) -> None:
    section = _section(readme, "Options").partition("Keys of a target file")[2]
    sentence, _, table = section.partition("| key |")
    told = set(re.findall(r"`([a-z-]+)`", sentence.partition(", and\n")[0]))
    told |= set(re.findall(r"^\| `\[?([a-z-]+)", table, re.M))
    assert told == set(TARGET_SCHEMA["properties"])


def test_the_readme_names_every_claim_and_identity(readme: str) -> None:
    section = _section(readme, "Options")
    row = next(line for line in section.splitlines() if "--not-claimed" in line)
    assert set(re.findall(r"`([a-z-]+)`", row)) == set(CLAIMS)
    row = next(line for line in section.splitlines() if "[identities.NAME]" in line)
    names = TARGET_SCHEMA["properties"]["identities"]["properties"]
    keys = names["caller"]["properties"]
    assert set(re.findall(r"`([a-z-]+)`", row)) == {*names, *keys}


def test_the_readmes_exit_statuses_are_those_of_the_code(readme: str) -> None:
    told = dict(re.findall(r"^\| (\d) \| (.*) \|$", _section(readme, "Exit status"), re.M))
    assert sorted(map(int, told)) == sorted(view._WORDS)
    code = {
        pytest.ExitCode.INTERRUPTED: "interrupted",
        pytest.ExitCode.USAGE_ERROR: "wrong use",
        pytest.ExitCode.NO_TESTS_COLLECTED: "nothing ran",
        run.UPHELD_STATUS: "upheld",
        run.VIOLATED_STATUS: "violated",
        run.INTERNAL_STATUS: "internal error",
        run.INDETERMINATE_STATUS: "indeterminate",
    }
    assert len(code) == len(told)
    for status, word in code.items():
        assert word in told[str(int(status))], status


def test_the_readmes_first_commands_are_the_two_that_ci_runs(readme: str) -> None:
    commands = [line for line in readme.split("```")[1].splitlines() if line]
    assert len(commands) == 2
    assert commands[0].endswith(".venv/bin/pytest tests/contract")
    assert ".venv/bin/pytest tests/meta" in commands[1]
