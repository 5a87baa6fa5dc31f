"""``ionet key``: keys in files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from keeper.cli.answering import JsonOption, answers, write
from keeper.settings.keys import make_keypair
from keeper.terminal.answers import looking
from keeper.terminal.tables import console

app = typer.Typer(help="Keys in files.", no_args_is_help=True)


@app.callback()
def key() -> None:
    """Keys in files."""


@app.command()
@answers(looking.Key)
def new(
    path: Annotated[Path, typer.Argument(help="file that is written, readable by you alone")],
    as_json: JsonOption = False,
) -> None:
    """Make a key; a file that is there is never overwritten."""
    made = make_keypair(path)
    if as_json:
        write({"address": str(made.pubkey()), "file": str(path)})
        return
    console.print(
        f"{made.pubkey()} is in {path}. Whoever has a copy of that file has all that the address holds, and "
        "without one nobody ever has: keep a second copy offline.",
        soft_wrap=True,
    )
