"""``ionet network`` and ``supply``: a network's rules, and where its IO is."""

from __future__ import annotations

import asyncio

import typer

from keeper.chain.connect import connect
from keeper.chain.loader import read_contact
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.clients.published import Published, read_published
from keeper.clients.vaults import Vault, read_vaults
from keeper.terminal import network as network_tables
from keeper.terminal.answers import looking
from keeper.terminal.tables import show
from keeper.wallet.roles import Governed, read_governed


@answers(looking.Network)
def network(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """All four programs: who governs them, their parameters, what is stopped, what waits until when."""

    async def read() -> list[tuple[Governed, dict[str, str], Published]]:
        async with connect(options.settings(chain).chain) as connected:
            return [
                (
                    await read_governed(connected, name),
                    await read_contact(connected, program.address),
                    await read_published(connected, program),
                )
                for name, program in PROGRAMS.items()
            ]

    found = asyncio.run(read())
    if as_json:
        write(network_tables.as_json(found))
        return
    for each in found:
        show(network_tables.governed(*each))


@answers(looking.Supply)
def supply(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """Where all IO is, whether it adds up, and whether vaults have what they owe.

    Fails where a vault has less than the programs' accounts say that it owes.
    """

    async def read() -> tuple[tokenomics.Supply, tokenomics.Config | None, list[Vault]]:
        async with connect(options.settings(chain).chain) as connected:
            found, config = await tokenomics.read_supply(connected), await tokenomics.read_config(connected)
            return found, config, await read_vaults(connected)

    found, config, vaults = asyncio.run(read())
    assert config is not None  # read_supply raised if there is none
    if as_json:
        write(network_tables.totals_json(found, config, vaults))
    else:
        show(network_tables.totals(found, config))
        show(network_tables.vaults(vaults))
    if any(each.missing for each in vaults):
        raise typer.Exit(1)
