"""The operators' job of prices: the steps that follow from the last hour are published and voted for."""

from __future__ import annotations

from keeper.chain import Event
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, Config, PriceTable
from keeper.economy.calendar import HOUR
from keeper.economy.classes import PRICE_NOTICE, holds_from
from keeper.jobs.port import Port, do, pick
from keeper.market.folder import MarketFolder
from keeper.market.states import States
from keeper.market.steps import StepTable


async def vote_steps(port: Port, *, folder: MarketFolder, states: States) -> list[Event]:
    """Publish the steps of the hour that ended last in ``folder``, and vote for their root.

    They follow from the hour's samples, once the first block of the hour after it is final. Votes are taken
    until 40 minutes past; what comes too late is a step of 0. Where others agreed on another table, an error
    is logged: one of both is wrong, and anybody can find out which.
    """
    config = await staking.read_config(port.chain)
    if config is None:
        port.log.info("steps.not_initialised")
        return []
    if port.payer not in config.params.operators:
        port.log.error("steps.not_an_operator", key=str(port.payer))
        return []
    hour = (await port.chain.clock()).unix_timestamp // HOUR - 1
    table = await _published(port, folder, states, hour)
    if table is None:
        return []
    votes = await staking.read_prices(port.chain, hour)
    if votes is not None and votes.agreed:
        if votes.root != table.root:
            port.log.error("steps.differ", hour=hour, agreed=votes.root.hex(), computed=table.root.hex())
        return []
    if _vote(votes, config, port) == table.root or not await _is_open(port, hour):
        return []

    async def still_open() -> bool:
        found = await staking.read_prices(port.chain, hour)
        return await _is_open(port, hour) and not (found and found.agreed)

    voting = staking.vote_prices(port.payer, hour, table.root)
    # Another key in the slot voids what was voted: then it is a new action.
    name = f"prices:{hour}:vote:{port.payer}:{config.revision}:{table.root.hex()}"
    events = await do(port, PROGRAM, [voting], still_open, key=name)
    for event in events:
        port.log.info("steps.voted", **pick(event.fields, "hour", "agreed"), root=table.root.hex())
    return events


async def _published(port: Port, folder: MarketFolder, states: States, hour: int) -> StepTable | None:
    """An hour's steps, published; None while they can't be known, or where no class is open.

    Once an hour, with them, what the folder has of times that are over for long is removed.
    """
    if folder.has_steps(hour):
        return folder.steps(hour)
    table = await states.steps(hour)
    if table is None or not table.steps:
        return None
    folder.write_steps(table)
    removed = folder.clean(hour)
    moved = sum(any(each) for each in table.steps.values())
    port.log.info("steps.published", hour=hour, classes=len(table.steps), moved=moved, removed=removed)
    return table


def _vote(votes: PriceTable | None, config: Config, port: Port) -> bytes | None:
    """What this operator voted for, None where that doesn't count any more, or it hasn't."""
    slot = config.params.operators.index(port.payer)
    return votes.votes[slot] if votes and config.stands(slot, votes.revision) else None


async def _is_open(port: Port, hour: int) -> bool:
    """Whether an hour's steps can still be voted for and announced."""
    return (await port.chain.clock()).unix_timestamp < holds_from(hour) - PRICE_NOTICE
