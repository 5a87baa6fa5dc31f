"""``ionet vesting``: the genesis table on chain: what is free, what was paid, and whom it goes to."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from keeper.chain import ChainError, ChainReader
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, address
from keeper.cli.signing import Session, signs
from keeper.clients import tokenomics
from keeper.clients.tokenomics import Allocation
from keeper.errors import UserError
from keeper.terminal import seasons as season_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.wallet import seasons

app = typer.Typer(help="Vesting: what is free of the genesis supply.", no_args_is_help=True)

AllocationArgument = Annotated[str, typer.Argument(help="its label, as ionet vesting show has it")]


@app.command()
@answers(looking.Allocations)
def show(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """All allocations: how much is free by now, and was paid; the keeper pays what is free each month."""

    async def read() -> tuple[list[Allocation], int, int]:
        async with connect(options.settings(chain).chain) as connected:
            config = await tokenomics.read_config(connected)
            if config is None or not config.launched:
                raise ChainError("nothing vests before the launch: ionet genesis")
            found = await tokenomics.read_allocations(connected)
            return found, config.start_month, (await connected.clock()).unix_timestamp

    found = asyncio.run(read())
    if as_json:
        write({"allocations": season_tables.vesting_json(*found)})
    else:
        tables.show(season_tables.vesting(*found))


@app.command()
@signs
async def offer(
    session: Session,
    allocation: AllocationArgument,
    wallet: Annotated[str, typer.Argument(help="the wallet that is to have it")],
) -> None:
    """Offer an allocation of yours to another wallet, which has to accept."""
    found = await _allocation(session.chain, allocation)
    await session.carry_out(seasons.propose_beneficiary(found, session.address, address(wallet)))


@app.command()
@signs
async def accept(session: Session, allocation: AllocationArgument) -> None:
    """Take over an allocation that was offered to you."""
    found = await _allocation(session.chain, allocation)
    await session.carry_out(seasons.accept_beneficiary(found, session.address))


async def _allocation(chain: ChainReader, label: str) -> Allocation:
    found = {each.label: each for each in await tokenomics.read_allocations(chain)}
    if label not in found:
        raise UserError(f"no allocation is called {label!r}; there are {', '.join(found) or 'none'}")
    return found[label]
