"""The methods that there are: by name, with what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from keeper.localnet.node import Node
from keeper.localnet.parameters import Parameters

Answer = Callable[[Node, Parameters], Any]


class Method(NamedTuple):
    """A method: what it answers, in a line for people, and whether a network that others reach has it."""

    answer: Answer
    help: str
    on_public: bool


METHODS: dict[str, Method] = {}


def method(name: str, *, on_public: bool = True) -> Callable[[Answer], Answer]:
    """Register an answer under a method's name; its docstring's first line is the help."""

    def register(answer: Answer) -> Answer:
        assert answer.__doc__  # ruff sees to that
        METHODS[name] = Method(answer, answer.__doc__.splitlines()[0], on_public)
        return answer

    return register
