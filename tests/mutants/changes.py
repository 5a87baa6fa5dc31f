"""What is changed in a module, one place at a time: comparisons, sums, constants, conditions, refusals."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

OTHERS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
"""An operator, and what stands in its place."""
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
LONGEST = 160


@dataclass(frozen=True, slots=True)
class Mutant:
    """``key`` says where and what, without a line's number; ``tree`` is the whole module with that change."""

    key: str
    line: int
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """All of a module, in the order of its lines."""
    found: Counter[str] = Counter()
    tree = ast.parse(source)
    for number, (node, place) in enumerate(_places(tree)):
        for change in _changes(node):
            changed = deepcopy(tree)
            (there, _) = next(each for at, each in enumerate(_places(changed)) if at == number)
            before = _text(there)
            change(there)
            key = f"{place}: {before} -> {_text(there)}"
            found[key] += 1
            if found[key] > 1:
                key += f" #{found[key]}"
            yield Mutant(key, getattr(node, "lineno", 0), ast.fix_missing_locations(changed))


def _places(tree: ast.AST, place: str = "module") -> Iterator[tuple[ast.AST, str]]:
    """Every node that may be changed, with the function or class that it is in: no types and no texts."""
    for name, value in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Assert | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            inside = child.name if named and place == "module" else place
            if named and place != "module":
                inside = f"{place}.{child.name}"
            yield child, inside
            yield from _places(child, inside)


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    """What may be done to a node: functions that do it to a copy."""
    match node:
        case ast.Compare(ops=ops):
            for at, each in enumerate(ops):
                yield lambda there, at=at, each=each: there.ops.__setitem__(at, OTHERS[type(each)]())
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OTHERS:
            yield lambda there: setattr(there, "op", OTHERS[type(there.op)]())
        case ast.UnaryOp(op=ast.Not()):
            yield lambda there: (setattr(there, "op", ast.UAdd()), _truth(there))
        case ast.UnaryOp(op=ast.USub()):
            yield lambda there: setattr(there, "op", ast.UAdd())
        case ast.Constant(value=bool()):
            yield lambda there: setattr(there, "value", not there.value)
        case ast.Constant(value=int()):
            yield lambda there: setattr(there, "value", there.value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            yield lambda there: setattr(there.func, "id", NAMES[there.func.id])
        case ast.If() | ast.IfExp():
            yield lambda there: setattr(there, "test", ast.Constant(False))
            if not (isinstance(node, ast.If) and _refuses(node)):
                yield lambda there: setattr(there, "test", ast.Constant(True))


def _refuses(node: ast.If) -> bool:
    """Whether it only raises: always doing so is found by anything."""
    return len(node.body) == 1 and isinstance(node.body[0], ast.Raise)


def _truth(there: ast.AST) -> None:
    """``not x`` becomes whether x is true."""
    operand = there.operand  # type: ignore[attr-defined]
    there.operand = ast.Call(ast.Name("bool", ast.Load()), [operand], [])  # type: ignore[attr-defined]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
