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
    *("command", "clause", "contract", "operations"),
    *("judging", "sending", "target", "state", "recording", "run", "report", "plugin"),
]
#: What judges knows nothing of who sends or of what is tested.
JUDGES = {"clause", "contract", "exchange", "redact", "text"}


def _imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it, by their full names."""
    here = path.relative_to(SOURCE).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*(here[: -node.level] if node.level else ()), *filter(None, [node.module])]
            yield from (".".join([*base, alias.name]) for alias in node.names)


#: All files that run for a user, by the path from the folder of the packages; and what each imports.
FILES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
IMPORTS = {file: set(_imports(path)) for file, path in FILES.items()}


def _users(*packages: str) -> set[str]:
    """The files that import from these packages, by their first names."""
    return {
        file for file, names in IMPORTS.items() if {each.partition(".")[0] for each in names} & {*packages}
    }


#: The rooms of the suite, and which others each imports.
GRAPH: dict[str, set[str]] = {}
for file, imports in IMPORTS.items():
    if file.startswith(SUITE):
        room = file.split("/")[1].removesuffix(".py")
        opened = {name.split(".")[1] for name in imports if name.startswith(f"{SUITE}.")}
        GRAPH.setdefault(room, set()).update(opened - {room})


def test_every_room_is_on_the_plan() -> None:
    assert GRAPH.keys() - {"__init__", "__main__", "cli"} == set(ROOMS)
    assert {"sending", "state", "target"} <= GRAPH["run"], "imports are seen"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_open_downwards_only(room: str) -> None:
    assert GRAPH[room] - set(ROOMS[: ROOMS.index(room)]) == set()


def test_what_judges_knows_nothing_of_what_sends() -> None:
    assert GRAPH["judging"] <= JUDGES


def test_files_go_round_in_no_circle() -> None:
    modules = {file.removesuffix(".py").removesuffix("/__init__").replace("/", "."): file for file in FILES}
    edges = {}
    for module, file in modules.items():
        named = {name if name in modules else name.rpartition(".")[0] for name in IMPORTS[file]}
        edges[module] = (named & modules.keys()) - {module}
    list(TopologicalSorter(edges).static_order())


def test_the_emulator_stands_alone() -> None:
    assert [file for file in _users(SUITE, COMPARE, "yaml") if file.startswith(EMULATOR)] == []
    for path in (path for file, path in FILES.items() if file.startswith(EMULATOR)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        texts = [text for text in found if isinstance(text, str) and "openapi" in text.lower()]
        assert set(texts) <= {ast.get_docstring(tree, clean=False)}, path


def test_each_is_known_in_one_place() -> None:
    assert {file for file in _users(EMULATOR) if file.startswith(SUITE)} == {f"{SUITE}/target/emulator.py"}
    assert {file for file in _users(COMPARE) if not file.startswith(COMPARE)} == set()
    assert {file.rpartition("/")[0] for file in _users("pytest", "_pytest", "xdist")} == {f"{SUITE}/plugin"}
    pattern, others = re.compile(r"^\s*(import|from) schemathesis", re.M), ROOT / "tests" / "contract"
    files = [*FILES.values(), *others.glob("*.py"), ROOT / "conftest.py"]
    users = {path.name for path in files if pattern.search(path.read_text(encoding="utf-8"))}
    assert users == {"generation.py"}
