"""Every place of the emulator's code where a fault could hide, and the module altered there."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .bases import ROOT

PACKAGE = "getintegration_emulator"
SOURCE = ROOT / "src" / PACKAGE

#: A text for people, on which nothing may depend.
_PROSE = re.compile(r"[A-Za-z,.] [A-Za-z(]")

_OPPOSITES: tuple[tuple[type[ast.AST], type[ast.AST]], ...] = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub)),
)
_SWAPS = {
    **{one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])},
    **{ast.Mult: ast.Add, ast.Mod: ast.Add, ast.LShift: ast.RShift},
}


@dataclass(frozen=True)
class Place:
    """One alteration of one module: the node (in the order of ``ast.walk``), and which of its alterations."""

    name: str
    module: str
    lines: tuple[int, ...]
    node: int
    number: int

    def source(self) -> str:
        """The module, altered."""
        tree = _parsed(self.module)
        old = list(ast.walk(tree))[self.node]
        new = list(_alterations(old, _tests(tree)))[self.number]
        return ast.unparse(_Replace(old, new).visit(tree))


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
