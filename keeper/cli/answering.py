"""``--json``: what a command answers programs with, and its shape, in one place for all commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeVar

import typer

from keeper.cli.extras import needs
from keeper.cli.lazy import LazyCommand

Command = TypeVar("Command", bound=Callable[..., Any])

JsonOption = Annotated[bool, typer.Option("--json", help="for programs; ionet schema has the shape")]
SignsJsonOption = Annotated[
    bool, typer.Option("--json", help="for programs, with --yes or --dry-run; ionet schema has the shape")
]


def answers(shape: Any) -> Callable[[Command], Command]:
    """Tie a command to the shape of :mod:`keeper.terminal.answers` that it writes with ``--json``."""

    def tie(command: Command) -> Command:
        command.shape = shape  # type: ignore[attr-defined]  # a function takes any
        return command

    return tie


def write(answer: object) -> None:
    """Write an answer to standard output; nothing else writes any."""
    print(json.dumps(answer, indent=1))


def shape_of(command: Any) -> Any:
    """The shape that a command is tied to; None for one that isn't."""
    return getattr(command.callback, "shape", None)


def walk(commands: tuple[LazyCommand, ...]) -> Iterator[tuple[str, Any]]:
    """All commands, by what is typed: ``order show``. Raises ExtraMissing for what isn't installed."""
    for each in commands:
        with needs(each.extra or "all", f"ionet {each.name}"):
            found = each.load()
        group = getattr(found, "commands", None)
        if group is None:
            yield str(each.name), found
        else:
            yield from ((f"{each.name} {name}", command) for name, command in group.items())
