"""``ionet class``: classes of processors: what they earn, need and cost."""

from __future__ import annotations

import asyncio

import typer

from keeper.chain import ChainError
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption
from keeper.clients import staking
from keeper.clients.staking import Class
from keeper.terminal import classes as class_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking

app = typer.Typer(help="Classes of processors.", no_args_is_help=True)


@app.callback()
def class_() -> None:
    """Classes of processors."""


@app.command("list")
@answers(looking.Classes)
def list_(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """All classes: multiplier, stake for a processor, prices now; changes that wait, with their dates."""

    async def read() -> tuple[list[Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            found = await staking.read_classes(connected)
            return list(found.values()), (await connected.clock()).unix_timestamp

    found, now = asyncio.run(read())
    if not found:
        raise ChainError("this chain has no classes yet: ionet genesis writes them")
    if as_json:
        write({"classes": [class_tables.as_json(each, now) for each in found]})
    else:
        tables.show(class_tables.classes(found, now))
