"""The job of network prices: it closes the votes for an hour's steps once none of them can be announced."""

from __future__ import annotations

from keeper.chain import ChainReader, Event
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, PriceTable
from keeper.economy.classes import holds_from
from keeper.jobs.port import Port, do_all, pick
from keeper.sender import Action


async def close_price_votes(port: Port) -> list[Event]:
    """Close the accounts of hours whose steps hold; the rent goes back to whoever paid it."""
    actions = []
    for table in await _over(port.chain):

        async def still_there(table: PriceTable = table) -> bool:
            return table in await _over(port.chain)

        closing = (staking.close_prices(table.hour, table.payer),)
        actions.append(Action(f"prices:{table.hour}:close", closing, still_there))
    events = await do_all(port, PROGRAM, actions)
    for event in events:
        port.log.info("prices.closed", **pick(event.fields, "hour"))
    return events


async def _over(chain: ChainReader) -> list[PriceTable]:
    """Votes for steps that hold already, or never will."""
    now = (await chain.clock()).unix_timestamp
    return [each for each in await staking.read_price_tables(chain) if now >= holds_from(each.hour)]
