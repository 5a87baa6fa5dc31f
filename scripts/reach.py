"""What a function of the keeper's reaches: its own code, and the code of all that this names, and so on.

Read from the sources, so it is the same everywhere and runs nothing. Names are followed exactly, through
imports and what a package passes on. A method counts as reached when its class is, and some reached code says
the method's name.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import keeper
from keeper.wallet.roles import CLIENTS

PACKAGE = Path(keeper.__file__).parent
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
Name = tuple[str, str]
"""A module, and what it defines: ``("keeper.wallet.plan", "Plan.moves")``; of a module itself: empty."""


def source(module: str) -> str | None:
    """The text of a module of the package; None for anybody else's."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.read_text() if path.is_relative_to(PACKAGE) and path.exists() else None


@dataclass(frozen=True)
class Module:
    """What a module defines, what it imports under which names, and of what it passes everything on."""

    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, Name] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)


class Code:
    """The package's code as a graph of definitions."""

    def __init__(self, text: Callable[[str], str | None] = source) -> None:
        """``text`` gives a module's source; None for one that isn't the package's."""
        self._text = text
        self.module = lru_cache(None)(self._module)
        self.resolve = lru_cache(None)(self._resolve)
        self._uses = lru_cache(None)(self._named)

    def reached(self, start: Name) -> frozenset[Name]:
        """All definitions that are reached from one, itself included."""
        found: set[Name] = set()
        said: set[str] = set()
        methods: dict[str, list[Name]] = {}
        todo = [start]
        while todo:
            name = todo.pop()
            if name in found or not name[1]:
                continue
            found.add(name)
            names, attributes = self._uses(name)
            todo += names
            for method in self._methods(name):
                called = method[1].partition(".")[2]
                methods.setdefault(called, []).append(method)
                if called.startswith("__") or called in said:
                    todo.append(method)
            for attribute in attributes - said:
                todo += methods.get(attribute, ())
            said |= attributes
        return frozenset(found)

    def definitions(self, name: Name) -> list[ast.AST]:
        """The code of a definition. A class's is without its methods, which are definitions of their own."""
        outer, _, method = name[1].partition(".")
        module = self.module(name[0])
        nodes = module.defined.get(outer, []) if module else []
        if method:
            return [each for node in nodes for each in _methods(node) if each.name == method]
        return [
            part
            for node in nodes
            for part in (ast.iter_child_nodes(node) if isinstance(node, ast.ClassDef) else [node])
            if part not in _methods(node)
        ]

    def _module(self, name: str) -> Module | None:
        text = self._text(name)
        if text is None:
            return None
        module = Module()
        for node in _statements(ast.parse(text).body):
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                module.whole.append(str(node.module))
            elif isinstance(node, ast.Import | ast.ImportFrom):
                module.imported.update(_imports(node))
            elif isinstance(node, (ast.ClassDef, *FUNCTION)):
                module.defined.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for each in _bound([node]):
                    module.defined.setdefault(each, []).append(node)
        return module

    def _resolve(self, name: Name) -> Name | None:
        """Where that is defined which a module has under a name; None if it isn't the package's."""
        of, inside = name
        module = self.module(of)
        if module is None:
            return None
        if not inside or inside in module.defined:
            return name
        if (at := module.imported.get(inside, name)) != name:  # A package has its modules by its own name.
            return self.resolve(at)
        passed_on = (self.resolve((each, inside)) for each in module.whole)
        submodule = f"{of}.{inside}"
        return next(filter(None, passed_on), (submodule, "") if self.module(submodule) else None)

    def _named(self, name: Name) -> tuple[frozenset[Name], frozenset[str]]:
        """What a definition names, and the attributes of what only the running program knows."""
        nodes = self.definitions(name)
        inside = [each for node in nodes for each in ast.walk(node)]
        local = dict(
            pair
            for each in inside
            if isinstance(each, ast.Import | ast.ImportFrom)
            for pair in _imports(each)
        )
        own = _bound(nodes) if any(isinstance(each, FUNCTION) for each in nodes) else set()

        def at(node: ast.AST) -> Name | None:
            if isinstance(node, ast.Name):
                if node.id in local:
                    return self.resolve(local[node.id])
                return None if node.id in own else self.resolve((name[0], node.id))
            if isinstance(node, ast.Attribute) and (base := at(node.value)) and not base[1]:
                return self.resolve((base[0], node.attr))
            return None

        names: set[Name] = set()
        attributes: set[str] = set()
        for each in inside:
            if found := at(each):
                names.add(found)
            elif isinstance(each, ast.Attribute):
                attributes.add(each.attr)
                names.update(self._of_each_client(each))
        return frozenset(names), frozenset(attributes)

    def _of_each_client(self, node: ast.Attribute) -> Iterator[Name]:
        """What ``governed.client.set_pause`` may be: the function of each program that can be governed."""
        if isinstance(node.value, ast.Attribute) and node.value.attr == "client":
            yield from filter(None, (self.resolve((each.__name__, node.attr)) for each in CLIENTS.values()))

    def _methods(self, name: Name) -> list[Name]:
        module = self.module(name[0])
        nodes = module.defined.get(name[1], []) if module else []
        return [(name[0], f"{name[1]}.{each.name}") for node in nodes for each in _methods(node)]


def _methods(node: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        [each for each in node.body if isinstance(each, FUNCTION)] if isinstance(node, ast.ClassDef) else []
    )


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """A module's statements, and those under its conditions."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Name]]:
    for each in node.names:
        if isinstance(node, ast.ImportFrom):
            yield each.asname or each.name, (str(node.module), each.name)
        else:
            first = each.name.partition(".")[0]
            yield each.asname or first, (each.name if each.asname else first, "")


def _bound(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that some code gives to things of its own: arguments, variables, functions inside."""
    nodes = list(nodes)
    inside = [each for node in nodes for each in ast.walk(node)]
    return (
        {each.arg for each in inside if isinstance(each, ast.arg)}
        | {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        | {each.name for each in inside if isinstance(each, FUNCTION) and each not in nodes}
    )
