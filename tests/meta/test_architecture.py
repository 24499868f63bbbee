"""Layers point one way, and the emulator stands alone."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from .support import ROOT

SOURCE = ROOT / "src"
SUITE, EMULATOR, COMPARE = "getintegration_contract", "getintegration_emulator", "getintegration_compare"

#: The rooms of the suite from the ground up: each may import those that stand before it, and no others.
ROOMS = [
    *("paths", "errors", "fileio", "text", "schema", "identity", "exchange", "redact"),
    *("command", "clause", "evidence", "contract", "operations"),
    *("judging", "sending", "target", "state", "recording", "report", "run", "plugin"),
]
#: What judges knows nothing of who sends or of what is tested.
JUDGES = {"clause", "contract", "exchange", "redact", "text"}


def _imports(path: Path) -> Iterator[str]:
    """The modules that a file imports when it runs, wherever in it, by their full names."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    here = path.relative_to(SOURCE).with_suffix("").parts
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = here[: -node.level] if node.level else ()
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files(package: str) -> list[Path]:
    return sorted((SOURCE / package).rglob("*.py"))


def _packages(path: Path) -> set[str]:
    """The packages that a file imports from, by their first names."""
    return {name.partition(".")[0] for name in _imports(path)}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    """The rooms of the suite, and which others each imports."""
    found: dict[str, set[str]] = {}
    for path in _files(SUITE):
        room = path.relative_to(SOURCE / SUITE).with_suffix("").parts[0]
        names = {name.split(".")[1] for name in _imports(path) if name.startswith(f"{SUITE}.")}
        found.setdefault(room, set()).update(names - {room})
    return found


def test_every_room_is_on_the_plan(graph: dict[str, set[str]]) -> None:
    assert graph.keys() - {"__init__", "__main__", "cli"} == set(ROOMS)
    assert {"sending", "state", "target"} <= graph["run"], "imports are seen"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_open_downwards_only(graph: dict[str, set[str]], room: str) -> None:
    assert graph[room] - set(ROOMS[: ROOMS.index(room)]) == set()


def test_what_judges_knows_nothing_of_what_sends(graph: dict[str, set[str]]) -> None:
    assert graph["judging"] <= JUDGES


def test_files_go_round_in_no_circle() -> None:
    modules = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
        for package in (SUITE, EMULATOR, COMPARE)
        for path in _files(package)
    }
    edges = {}
    for module, path in modules.items():
        named = {name if name in modules else name.rpartition(".")[0] for name in _imports(path)}
        edges[module] = (named & modules.keys()) - {module}
    list(TopologicalSorter(edges).static_order())


def test_the_emulator_stands_alone() -> None:
    for path in _files(EMULATOR):
        assert not _packages(path) & {SUITE, COMPARE, "yaml"}, path
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


def test_the_suite_knows_no_comparison_and_little_of_the_emulator() -> None:
    importers = {
        path.relative_to(SOURCE / SUITE).as_posix() for path in _files(SUITE) if EMULATOR in _packages(path)
    }
    assert importers == {"target/emulator.py"}
    assert [path for path in _files(SUITE) if COMPARE in _packages(path)] == []


def test_pytest_is_met_in_one_place() -> None:
    met = [
        path.relative_to(SOURCE)
        for package in (SUITE, EMULATOR, COMPARE)
        for path in _files(package)
        if _packages(path) & {"pytest", "_pytest", "xdist"}
    ]
    assert {path.parts[:2] for path in met} == {(SUITE, "plugin")}


def test_schemathesis_is_used_in_one_place() -> None:
    files = [*SOURCE.rglob("*.py"), *(ROOT / "tests" / "contract").glob("*.py"), ROOT / "conftest.py"]
    pattern = re.compile(r"^\s*(import|from) schemathesis", re.M)
    users = {path.name for path in files if pattern.search(path.read_text(encoding="utf-8"))}
    assert users == {"generation.py"}
