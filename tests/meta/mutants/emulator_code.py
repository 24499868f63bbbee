"""Alters the emulator's own code, one place at a time, and runs the gate against each alteration.

What the gate does not notice is a gap in the suite, or stands with its reason in ``emulator_code.toml``;
where that says that the emulator's own tests notice it, they are run, and have to.
Results are kept in a file: a run goes on where the one before ended, until emulator or tests change.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import hashlib
import importlib
import json
import os
import random
import re
import select
import shutil
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
#: The emulator's own tests, those first that notice most alterations of a module; all others last.
_OWN = ("rules", "state", "signatures", "throttling", "http", "process")
_OWN_FIRST = {
    **dict.fromkeys(("__main__", "launch", "server", "__init__"), ("process", "http")),
    **dict.fromkeys(("application", "errors"), ("http", "rules")),
    **dict.fromkeys(("sigv4", "canonical", "identities"), ("signatures", "process")),
    "throttle": ("throttling",),
}

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


def _import_from(place: Place | None, folder: Path) -> None:
    """Have this process, and those it starts, import the emulator altered, from a copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    if place is not None:
        copy = shutil.copytree(SOURCE, folder / "src" / PACKAGE)
        (copy / f"{place.module}.py").write_text(ast.unparse(place.source()), encoding="utf-8")
        sys.path.insert(0, str(copy.parent))
        os.environ["PYTHONPATH"] = str(copy.parent)


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
            _import_from(place, folder)
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
    all_tests = sorted(path.stem[5:] for path in (ROOT / "tests" / "contract").glob("test_*.py"))
    files = [f"tests/contract/test_{name}.py" for name in dict.fromkeys((*_FIRST, *all_tests))]
    return _pytest([*files, "--endpoint-url", url, "--target", str(target)], folder)


def own_tests(place: Place, folder: Path) -> int:
    """Run the emulator's own tests on an alteration; returns as :func:`gate` does."""
    names = dict.fromkeys((*_OWN_FIRST.get(place.module, ()), *_OWN))
    return _pytest([f"tests/meta/emulator/test_emulator_{name}.py" for name in names], folder, place)


def _pytest(arguments: Sequence[str], folder: Path, place: Place | None = None) -> int:
    """Run tests in a process of its own, which imports the emulator altered if a place is given."""

    def run() -> int:
        import pytest

        redirect(folder / "output")
        if place is not None:
            _import_from(place, folder)
        return int(pytest.main([*arguments, *SUITE[1:], "-x"]))

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


def attempt(place: Place, reason: Reason | None) -> int | str:
    """The exit status of the gate against an alteration, or of the emulator's own tests."""
    with TemporaryDirectory(prefix="emulator-") as name:
        folder = Path(name)
        if reason is not None and reason.tested:
            return own_tests(place, folder)
        emulator = Emulator(place, folder)
        try:
            return "does not start" if emulator.url is None else gate(emulator.url, folder)
        finally:
            emulator.stop()


@dataclass(frozen=True)
class Reason:
    """Why the gate need not notice alterations, and whether the emulator's own tests must."""

    text: str
    tested: bool


def reasons() -> dict[str, Reason]:
    """Patterns of places, each with its reason."""
    kinds = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        pattern: Reason(text, kind == "tested")
        for kind, texts in kinds.items()
        for text, patterns in texts.items()
        for pattern in patterns
    }


def fits(name: str, pattern: str) -> bool:
    """Whether a pattern means a place; only ``*`` is special in it."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))


def reason_for(name: str, known: dict[str, Reason]) -> Reason | None:
    """The reason why the gate need not notice an alteration, if there is one."""
    return next((reason for pattern, reason in known.items() if fits(name, pattern)), None)


def obsolete(found: Sequence[Place], known: dict[str, Reason]) -> list[str]:
    """Patterns of reasons that mean no place, or only places that patterns before them mean as well."""
    first = {next((p for p in known if fits(place.name, p)), None) for place in found}
    return [pattern for pattern in known if pattern not in first]


def digest() -> str:
    """What results depend on: the code of emulator, suite and tests."""
    files = [
        path
        for folder in ("src", "openapi", "tests/contract", "tests/meta/emulator")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".yaml", ".json", ".toml")
    ]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _kept(file: Path, wanted: str) -> dict[tuple[str, str], int | str]:
    """Results of runs before, if they are of the same code: by place, and by who was to notice it."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if not lines or json.loads(lines[0]) != wanted:
        file.write_text(json.dumps(wanted) + "\n", encoding="utf-8")
        return {}
    return {(name, who): status for name, who, status in map(json.loads, lines[1:])}


def survey(minutes: float, results: Path, pattern: str = "*", *, reasoned: bool = False) -> int:
    """Alter what is still untried, until the time is over; 1 if something is not noticed as it must be.

    The suite must be preloaded. ``pattern`` chooses places; ``reasoned`` tries those, too, that nothing need
    notice.
    """
    os.nice(10)
    found, known = places(), reasons()
    due = {place: reason_for(place.name, known) for place in found if fits(place.name, pattern)}
    reached = set(reachable(found))
    chosen = [p for p, reason in due.items() if (reason.tested or reasoned if reason else p in reached)]
    random.Random(1).shuffle(chosen)  # so that a part of it is a sample of all
    done, end = _kept(results, digest()), time.monotonic() + minutes * 60
    ends: dict[Place, int | str] = {}
    with results.open("a", encoding="utf-8") as file:
        for place in chosen:
            reason = due[place]
            key = place.name, "the emulator's own tests" if reason and reason.tested else "the gate"
            if key not in done and time.monotonic() < end:
                done[key] = attempt(place, reason)
                file.write(json.dumps([*key, done[key]]) + "\n")
                file.flush()
            if key in done:
                ends[place] = done[key]
    survivors = [place for place, status in ends.items() if status == 0]
    told = {
        "not noticed by the gate": [place.name for place in survivors if due[place] is None],
        "not noticed by the emulator's own tests, against its reason": [
            place.name for place in survivors if (reason := due[place]) and reason.tested
        ],
        "reason without a place": obsolete(found, known),
    }
    print(
        f"{len(found)} places of the emulator's code: {len(found) - len(reached)} not reached by the gate,"
        f" {len(due) - len(chosen)} not to be tried, {len(chosen) - len(ends)} left to try.\n"
        f"{len(ends)} altered: {len(ends) - len(survivors)} noticed, {len(survivors)} not."
    )
    print("".join(f"  {words}: {name}\n" for words, names in told.items() for name in names), end="")
    needless = [
        place.name for place, reason in due.items() if reason and not reason.tested and ends.get(place)
    ]
    print("".join(f"  noticed, although it need not be: {name}\n" for name in needless), end="")
    return 1 if any(told.values()) else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command of its own."""
    parser = argparse.ArgumentParser(
        prog="python tests/meta/mutants/run.py emulator-code", description=__doc__
    )
    add = parser.add_argument
    add("--minutes", type=float, default=MINUTES, help="stop after this time (default: %(default)g)")
    add("--results", type=Path, default=RESULTS, metavar="FILE", help="kept here (default: %(default)s)")
    add("-k", dest="pattern", default="*", help="only places whose name fits, with *")
    add("--reasoned", action="store_true", help="try those too that nothing need notice")
    add("--list", action="store_true", help="print the names of all places, and stop")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(place.name for place in places()))
        return 0
    if not preload():
        print("the suite does not pass against the shipped emulator: nothing can be said of alterations")
        return 1
    return survey(options.minutes, options.results, options.pattern, reasoned=options.reasoned)
