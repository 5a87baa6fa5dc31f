"""``ionet schema``: the shape of what a command answers with ``--json``."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper.cli.answering import shape_of, walk, write
from keeper.cli.main import COMMANDS
from keeper.errors import UserError
from keeper.terminal.answers import Failure
from keeper.terminal.answers import schema as schema_of

ERROR = "error"


def schema(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="such as order show; error: what errors are")
    ],
) -> None:
    """The JSON Schema of what a command answers with --json.

    docs/json.md has all of them in words.
    """
    name = " ".join(command)
    if name == ERROR:
        write(schema_of(Failure))
        return
    found = [each for each in COMMANDS if each.name == command[0]]
    known = dict(walk(tuple(found)))
    if name not in known:
        below = ", ".join(known) or "see ionet --help"
        raise UserError(f"no command is called ionet {name}: {below}")
    shape = shape_of(known[name])
    if shape is None:
        raise UserError(f"ionet {name} has no --json: it runs until it is stopped, or answers in a file")
    write(schema_of(shape))
