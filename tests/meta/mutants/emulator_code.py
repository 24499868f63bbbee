"""Alters the emulator's own code, one place at a time, and runs the gate against each alteration.

What the gate does not notice is a gap in the suite, or stands with its reason in ``emulator_code.toml``.
Results are kept in a file: a run goes on where the one before ended, until emulator or suite change.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import hashlib
import importlib.abc
import importlib.util
import json
import os
import random
import re
import select
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from .bases import ROOT
from .jobs import SUITE, fork, preload, redirect, target_file
from .kit import Mutant

PACKAGE = "getintegration_emulator"
SOURCE = ROOT / "src" / PACKAGE
#: Where results are kept, and how long is enough for one run.
RESULTS, MINUTES = Path(".emulator-code.jsonl"), 60.0
#: Seconds that the gate may take against an alteration; longer is noticed, too.
LIMIT = 120.0
#: The quickest tests first, since most alterations break something simple.
_FIRST = ("valid", "missing", "malformed", "access", "signatures", "state")

#: A text for people, on which nothing may depend.
_PROSE = re.compile(r"[A-Za-z,.] [A-Za-z(]")

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Mod: ast.Add,
    ast.LShift: ast.RShift,
}


@dataclass(frozen=True)
class Place:
    """One alteration of one module: the node (in the order of ``ast.walk``), and which of its alterations."""

    name: str
    module: str
    lines: tuple[int, ...]
    node: int
    number: int

    def source(self) -> ast.Module:
        """The module, altered."""
        tree = _parsed(self.module)
        old = list(ast.walk(tree))[self.node]
        new = list(_alterations(old, _tests(tree)))[self.number]
        return ast.fix_missing_locations(_Replace(old, new).visit(tree))


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self._new if node is self._old else self.generic_visit(node)


def _parsed(module: str) -> ast.Module:
    return ast.parse((SOURCE / f"{module}.py").read_text(encoding="utf-8"))


def _tests(tree: ast.Module) -> set[ast.expr]:
    """What decides over a branch."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            found.add(node.test)
        elif isinstance(node, ast.comprehension):
            found.update(node.ifs)
        elif isinstance(node, ast.match_case) and node.guard is not None:
            found.add(node.guard)
    return found


def _alterations(node: ast.AST, tests: set[ast.expr]) -> Iterator[ast.AST]:
    """What a node may be replaced with."""
    if node in tests:
        yield ast.Constant(True)
        yield ast.Constant(False)
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str() as value) if not _PROSE.search(value):
            yield ast.Constant(value + "x")
        case ast.Constant(value=bytes() as value):
            yield ast.Constant(value + b"x")
        case ast.Compare(left, ops, comparators):
            for index, operator in enumerate(ops):
                changed = [*ops[:index], _SWAPS[type(operator)](), *ops[index + 1 :]]
                yield ast.Compare(left, changed, comparators)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(_SWAPS[type(operator)](), values)
        case ast.BinOp(left, operator, right) if type(operator) in _SWAPS:
            yield ast.BinOp(left, _SWAPS[type(operator)](), right)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Call(ast.Attribute(value=value), [], []) | ast.Call(_, [value], []):
            yield value
        case ast.Expr(ast.Call()) | ast.Expr(ast.Await()) | ast.Raise() | ast.AugAssign() | ast.Delete():
            yield ast.Pass()
        case ast.Return(value=ast.expr()):
            yield ast.Return()
        case ast.Assign(targets=[ast.Subscript()]) | ast.Assign(targets=[ast.Attribute()]):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()


def places() -> list[Place]:
    """Every place of the emulator's code where a fault could hide."""
    found: list[Place] = []
    named: Counter[str] = Counter()
    for path in sorted(SOURCE.glob("*.py")):
        tree = _parsed(path.stem)
        tests, about = _tests(tree), _surroundings(tree)
        for number, node in enumerate(ast.walk(tree)):
            if node not in about:
                continue
            scope, line = about[node]
            for index, new in enumerate(_alterations(node, tests)):
                name = f"{path.stem}.{scope}: {_shown(node)} -> {_shown(new)}"
                named[name] += 1
                name += f" ({named[name]})" if named[name] > 1 else ""
                lines = (line, getattr(node, "lineno", line))
                found.append(Place(name, path.stem, lines, number, index))
    return found


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]}…{text[-29:]}"


def _surroundings(tree: ast.Module) -> dict[ast.AST, tuple[str, int]]:
    """For every node but docstrings and annotations: the function it is in, the line of its statement."""
    found: dict[ast.AST, tuple[str, int]] = {}

    def visit(node: ast.AST, scope: str, line: int) -> None:
        if isinstance(node, ast.stmt):
            line = node.lineno
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        found[node] = scope, line
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = f"{scope}.{node.name}" if scope != "(module)" else node.name
        for name, field in ast.iter_fields(node):
            if name in ("annotation", "returns"):
                continue
            for child in field if isinstance(field, list) else [field]:
                if isinstance(child, ast.AST):
                    visit(child, scope, line)

    visit(tree, "(module)", 0)
    return found


class _Altered(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the emulator from other code."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._name, self._tree = f"{PACKAGE}.{module}", tree
        self._path = str(SOURCE / f"{module}.py")

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=self._path)

    def exec_module(self, module: Any) -> None:
        module.__file__ = self._path
        exec(compile(self._tree, self._path, "exec"), module.__dict__)


class Emulator:
    """A forked emulator, altered; ``url`` is None if it does not start."""

    def __init__(self, place: Place | None, folder: Path, executed: Path | None = None) -> None:
        reading, writing = os.pipe()
        alive, self._life = os.pipe()  # it ends with this process

        def serve() -> int:
            redirect(folder / "emulator")
            os.dup2(writing, 1)
            os.dup2(alive, 0)
            os.close(self._life)
            for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
                del sys.modules[name]
            if place is not None:
                sys.meta_path.insert(0, _Altered(place.module, place.source()))
            if executed is not None:
                _record(executed)
            main = importlib.import_module(f"{PACKAGE}.__main__").main
            return int(main(["--port", "0", "--region", "us-east-1", "--exit-with-stdin"]))

        self._process = fork(serve)
        os.close(writing)
        os.close(alive)
        ready, _, _ = select.select([reading], [], [], 15)
        line = os.read(reading, 1000) if ready else b""
        os.close(reading)
        self.url: str | None = None
        with suppress(ValueError, KeyError, TypeError):
            self.url = json.loads(line)["url"]

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        os.kill(self._process, number)
        os.waitpid(self._process, 0)
        os.close(self._life)


def _record(file: Path) -> None:
    """Write down which lines of the emulator are executed from now on, when it ends by SIGTERM."""
    lines: set[str] = set()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(str(SOURCE)):
            return None
        lines.add(f"{Path(path).stem}:{frame.f_lineno}")
        return trace

    def end(*_: object) -> None:
        sys.settrace(None)
        file.write_text("\n".join(sorted(lines)), encoding="utf-8")
        os._exit(0)

    sys.settrace(trace)
    # The server takes SIGTERM for itself once it runs.
    signal.signal(signal.SIGUSR1, end)


def gate(url: str, folder: Path) -> int:
    """Run the suite until something is violated; returns its exit status, -1 if it took too long."""
    target = folder / "target.toml"
    target.write_text(target_file(Mutant("", "", frozenset(), lambda: None)), encoding="utf-8")
    tests = [f"tests/contract/test_{name}.py" for name in _FIRST]
    rest = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "contract").glob("test_*.py"))
    files = [*tests, *(path for path in rest if path not in tests)]
    arguments = [*files, *SUITE[1:], "-x", "--endpoint-url", url, "--target", str(target)]

    def run() -> int:
        import pytest

        redirect(folder / "output")
        return int(pytest.main(arguments))

    process, started = fork(run), time.monotonic()
    while time.monotonic() - started < LIMIT:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return -1


def reachable(found: Sequence[Place]) -> list[Place]:
    """The places that a run of the gate passes."""
    with TemporaryDirectory(prefix="emulator-") as name:
        folder = Path(name)
        emulator = Emulator(None, folder, folder / "lines")
        assert emulator.url is not None
        status = gate(emulator.url, folder)
        emulator.stop(signal.SIGUSR1)
        assert status == 0, (folder / "output").read_text("utf-8")
        executed = set((folder / "lines").read_text("utf-8").split())
    return [place for place in found if any(f"{place.module}:{line}" in executed for line in place.lines)]


def attempt(place: Place) -> int | str:
    """The gate's exit status against an alteration."""
    with TemporaryDirectory(prefix="emulator-") as folder:
        emulator = Emulator(place, Path(folder))
        try:
            return "does not start" if emulator.url is None else gate(emulator.url, Path(folder))
        finally:
            emulator.stop()


def reasons() -> dict[str, str]:
    """Why survivors may survive: patterns of places, each with its reason."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    return {
        pattern: reason for reason, patterns in tomllib.loads(text)["reasons"].items() for pattern in patterns
    }


def reason_for(name: str, known: dict[str, str]) -> str | None:
    """The reason why an alteration may survive, if there is one."""
    fitting = (reason for pattern, reason in known.items() if fnmatch.fnmatchcase(name, _literal(pattern)))
    return next(fitting, None)


def _literal(pattern: str) -> str:
    """Only ``*`` is special in a pattern."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def digest() -> str:
    """What results depend on: the code of emulator and suite."""
    files = [
        path
        for folder in (
            "src/getintegration_contract",
            "src/getintegration_emulator",
            "tests/contract",
            "openapi",
        )
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yaml", ".json", ".toml")
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _kept(file: Path, wanted: str) -> dict[str, int | str]:
    """Results of runs before, if they are of the same code."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not lines or json.loads(lines[0]) != wanted:
        file.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        return {}
    return dict(json.loads(line) for line in lines[1:])


def survey(minutes: float, results: Path, pattern: str = "*", *, reasoned: bool = False) -> int:
    """Alter what is still untried, until the time is over; 1 if something survives without a reason.

    The suite must be preloaded. ``pattern`` chooses places, ``reasoned`` tries those that may survive, too.
    """
    os.nice(10)
    found, known = places(), reasons()
    reached = reachable(found)
    fitting = [place for place in reached if fnmatch.fnmatchcase(place.name, _literal(pattern))]
    chosen = [place for place in fitting if reasoned or reason_for(place.name, known) is None]
    random.Random(1).shuffle(chosen)  # so that a part of it is a sample of all
    done, end = _kept(results, digest()), time.monotonic() + minutes * 60
    with results.open("a", encoding="utf-8") as file:
        for place in chosen:
            if place.name in done or time.monotonic() > end:
                continue
            done[place.name] = attempt(place)
            file.write(json.dumps([place.name, done[place.name]]) + "\n")
            file.flush()
    ends = Counter(done[place.name] for place in chosen if place.name in done)
    survivors = [place.name for place in chosen if done.get(place.name) == 0]
    unexplained = [name for name in survivors if reason_for(name, known) is None]
    noticed = ends.total() - len(survivors)
    print(
        f"{len(found)} places of the emulator's code: {len(found) - len(reached)} not reached by the gate,"
        f" {len(fitting) - len(chosen)} with a reason, {len(chosen) - ends.total()} left to try."
    )
    print(
        f"{ends.total()} altered: {noticed} noticed, {len(survivors)} not,"
        f" {len(unexplained)} of these without a reason."
    )
    print("\n".join(f"  not noticed: {name}" for name in unexplained))
    return 1 if unexplained else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of its own."""
    parser = argparse.ArgumentParser(
        prog="python tests/meta/mutants/run.py emulator-code", description=__doc__
    )
    add = parser.add_argument
    add("--minutes", type=float, default=MINUTES, help="stop after this time (default: %(default)g)")
    add("--results", type=Path, default=RESULTS, metavar="FILE", help="kept here (default: %(default)s)")
    add("-k", dest="pattern", default="*", help="only places whose name fits, with *")
    add("--reasoned", action="store_true", help="try those too that have a reason to survive")
    add("--list", action="store_true", help="print the names of all places, and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(place.name for place in places()))
        return 0
    if not preload():
        print("the suite does not pass against the shipped emulator: nothing can be said of alterations")
        return 1
    return survey(options.minutes, options.results, options.pattern, reasoned=options.reasoned)
