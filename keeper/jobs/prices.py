"""The job of network prices: agreed steps are announced, and votes that are over are closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import islice

import httpx2 as httpx
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Event, TransactionFailed
from keeper.chain.http import PeerError
from keeper.chain.packing import pack
from keeper.clients import staking
from keeper.clients.staking import PROGRAM, PriceTable
from keeper.economy.calendar import HOUR
from keeper.economy.classes import PRICE_NOTICE, holds_from
from keeper.jobs.port import Port, do_all, pick
from keeper.market.fetch import fetch_steps_from_any
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable
from keeper.sender import Action


async def keep_prices(port: Port, *, folder: MarketFolder | None, peers: Sequence[str] = ()) -> list[Event]:
    """Close votes whose steps hold; announce agreed steps of every class, for everybody.

    The table is taken from ``folder``, or from one of ``peers``: whoever has it, it is right by its root.
    Without either, others have to.
    """
    return [*await _close(port), *await _announce(port, folder, peers)]


async def _announce(port: Port, folder: MarketFolder | None, peers: Sequence[str]) -> list[Event]:
    hour = (await port.chain.clock()).unix_timestamp // HOUR - 1
    waiting = await _waiting(port.chain, hour)
    votes = await staking.read_prices(port.chain, hour) if waiting else None
    if votes is None or not votes.agreed:
        return []
    table = await _table(port, folder, peers, votes)
    if table is None:
        return []
    steps = {
        number: staking.apply_price(number, hour, *table.steps[number], table.proof(number))
        for number in _from_own_place(waiting, port.payer, hour)
        if number in table.steps
    }
    events: list[Event] = []
    refused: TransactionFailed | None = None
    # A transaction at a time, and a look between them: others announce the same classes meanwhile.
    while steps:
        (first, *_) = pack([[step] for step in steps.values()], port.payer)
        now = dict(islice(steps.items(), len(first)))
        try:
            events += await do_all(port, PROGRAM, _announcing(port.chain, hour, now))
        except TransactionFailed as failure:
            refused = refused or failure
        left = set(await _waiting(port.chain, hour)) - set(now)
        steps = {number: step for number, step in steps.items() if number in left}
    for event in events:
        port.log.info("price.announced", **pick(event.fields, "class", "hour", "step_io", "step_usdc"))
    if refused is not None:
        raise refused
    return events


def _from_own_place(waiting: Sequence[int], payer: Pubkey, hour: int) -> list[int]:
    """The classes, from one on that is another for each key and hour, and round to the one before it.

    Keepers come at the same moment, when the votes agree: from the same class on they would race for each.
    """
    place = int.from_bytes(sha256(bytes(payer) + hour.to_bytes(8, "little")).digest()[:8], "little")
    start = place % len(waiting)
    return [*waiting[start:], *waiting[:start]]


def _announcing(chain: ChainReader, hour: int, steps: Mapping[int, Instruction]) -> list[Action]:
    """What announces the steps of these classes."""
    actions = []
    for number, step in steps.items():

        async def still_waits(number: int = number) -> bool:
            return number in await _waiting(chain, hour)

        actions.append(Action(f"prices:{hour}:class:{number}", (step,), still_waits))
    return actions


async def _waiting(chain: ChainReader, hour: int) -> list[int]:
    """The classes whose step of an hour can still be announced, and wasn't."""
    if (await chain.clock()).unix_timestamp >= holds_from(hour) - PRICE_NOTICE:
        return []
    return [number for number, each in (await staking.read_classes(chain)).items() if each.price_hour < hour]


async def _table(
    port: Port, folder: MarketFolder | None, peers: Sequence[str], votes: PriceTable
) -> StepTable | None:
    """The table that was agreed on; None where nobody has it."""
    if folder is not None and folder.has_steps(votes.hour):
        table = folder.steps(votes.hour)
        if table.root == votes.root:
            return table

    def refused(peer: str, error: PeerError) -> None:
        port.log.warning("prices.peer_refused", hour=votes.hour, peer=httpx.URL(peer).host, reason=str(error))

    return await fetch_steps_from_any(peers, votes.hour, votes.root, refused)


async def _close(port: Port) -> list[Event]:
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
