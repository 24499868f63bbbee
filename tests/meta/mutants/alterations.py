"""Every place of the emulator's code where a fault could hide, and the module altered there."""

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

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
    """One alteration of one module: a node of its tree, and what stands there instead."""

    name: str
    module: str
    lines: tuple[int, ...]
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    def source(self) -> str:
        """The module, altered."""
        return ast.unparse(copy.deepcopy(self.tree, {id(self.old): self.new}))


def _alterations(node: ast.AST, *, decides: bool) -> Iterator[ast.AST]:
    """What a node may be replaced with; ``decides`` says whether it decides over a branch."""
    if decides:
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
        tree = ast.parse(path.read_text(encoding="utf-8"))
        about = {node: (scope, lines, decides) for node, scope, lines, decides in _nodes(tree)}
        for node in filter(about.__contains__, ast.walk(tree)):
            scope, lines, decides = about[node]
            for new in _alterations(node, decides=decides):
                name = f"{path.stem}.{scope}: {_shown(node)} -> {_shown(new)}"
                named[name] += 1
                name += f" ({named[name]})" if named[name] > 1 else ""
                found.append(Place(name, path.stem, lines, tree, node, new))
    return found


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]}…{text[-29:]}"


def _nodes(
    node: ast.AST, scope: str = "(module)", line: int = 0, field: str = ""
) -> Iterator[tuple[ast.AST, str, tuple[int, int], bool]]:
    """All nodes but docstrings, annotations and assertions, each with the function that it is in, the line of
    its statement and its own, and whether it decides over a branch."""
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    line = node.lineno if isinstance(node, ast.stmt) else line
    yield node, scope, (line, getattr(node, "lineno", line)), field in ("test", "ifs", "guard")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}" if scope != "(module)" else node.name
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in ("annotation", "returns"):
                yield from _nodes(child, scope, line, name)
