"""``ionet network`` and ``supply``: a network's rules, and where its IO is."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.options import ChainOption
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.terminal import network as network_tables
from keeper.terminal.tables import show
from keeper.wallet.roles import Governed, read_governed


def network(
    chain: ChainOption = None, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """All four programs: who governs them, their parameters, what is stopped, what waits until when."""

    async def read() -> list[Governed]:
        async with connect(options.settings(chain).chain) as connected:
            return [await read_governed(connected, name) for name in PROGRAMS]

    found = asyncio.run(read())
    if as_json:
        print(json.dumps(network_tables.as_json(found)))
        return
    for each in found:
        show(network_tables.governed(each))


def supply(chain: ChainOption = None) -> None:
    """Where all IO is, and whether it adds up."""

    async def read() -> tuple[tokenomics.Supply, tokenomics.Config | None]:
        async with connect(options.settings(chain).chain) as connected:
            return await tokenomics.read_supply(connected), await tokenomics.read_config(connected)

    found, config = asyncio.run(read())
    assert config is not None  # read_supply raised if there is none
    show(network_tables.totals(found, config))
