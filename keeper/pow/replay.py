"""The clock of waves fed from a chain: live, and an hour again; the block that a time begins with."""

from __future__ import annotations

from collections.abc import AsyncIterator

from keeper.chain.errors import NodeRefused
from keeper.chain.protocol import ChainReader
from keeper.chain.records import Commitment, Head
from keeper.pow.clock import (
    APART,
    FIRST_SECOND,
    HourPlan,
    Network,
    Ping,
    Wave,
    WaveClock,
)

SLOTS_IN_5_SECONDS = 12
"""To guess where a time is: 400 ms a slot, which a cluster comes near to."""
FEW = 4
"""By so many slots a guess is off that goes by a cluster's own pace in the last half a minute."""


async def first_at(
    chain: ChainReader, time: int, commitment: Commitment, near: Head | None = None
) -> Head | None:
    """The first block whose time is ``time`` or later; None while there is none.

    Asks for blocks around it alone, as a node may have no older ones. Block times never fall. With a block
    ``near`` the time it is looked for by the pace since that one, which takes few questions. Raises
    NodeRefused where the node's history begins too late to tell.
    """
    # The slot last: what the clock shows has a block by then.
    now, newest = (await chain.clock(commitment)).unix_timestamp, await chain.slot(commitment)
    if now < time:
        return None
    asked: dict[int, Head | None] = {}
    refused: dict[int, NodeRefused] = {}

    async def block(slot: int) -> Head | None:
        if slot not in asked:
            asked[slot] = await chain.head(slot, commitment)
        return asked[slot]

    async def is_before(slot: int) -> bool:
        try:
            head = await block(slot)
        except NodeRefused as refusal:
            # A guess came out before the node's history: what is looked for may still be in it.
            refused[slot] = refusal
            return True
        return head is not None and head.time < time

    if near is not None and near.time < now and near.slot < newest:
        guess, apart = near.slot + (time - near.time) * (newest - near.slot) // (now - near.time), FEW
    else:
        guess, apart = newest - (now - time) * SLOTS_IN_5_SECONDS // 5, APART
    low = high = min(max(0, guess), newest)
    step = apart
    while low > 0 and not await is_before(low):
        low, high, step = max(0, low - step), low, 2 * step
    step = apart
    while high <= newest and await is_before(high):
        low, high, step = high, min(high + step, newest + 1), 2 * step
    # Now ``low`` is before the time, or 0, and ``high`` isn't.
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if await is_before(middle) else (low, middle)
    if low - 1 in refused:
        raise refused[low - 1]
    return await block(low)


async def clock_at(chain: ChainReader, network: Network, hour: int, commitment: Commitment) -> WaveClock:
    """A clock that is about to be fed the first candidate of an hour, or one not long before."""
    begin = await first_at(chain, network.start_of(hour) + FIRST_SECOND, commitment)
    slot = begin.slot if begin else await chain.slot(commitment) + 1
    # The candidate in whose slots the first block lies may have an earlier block.
    return WaveClock(network, slot // APART * APART)


async def events(
    chain: ChainReader, clock: WaveClock, commitment: Commitment
) -> AsyncIterator[Wave | Ping | None]:
    """Feed a clock all that a chain has by now; yields what each candidate starts.

    Ask again later to go on. What was confirmed may still drop out: before anything final follows from it, it
    is read again as finalized by a clock of its own.
    """
    while head := await chain.head(clock.next_slot, commitment):
        yield clock.feed(head)


async def read_hour(chain: ChainReader, network: Network, hour: int) -> HourPlan | None:
    """An hour's waves and pings by finalized blocks; None while the hour isn't over."""
    clock = await clock_at(chain, network, hour, Commitment.FINALIZED)
    found: list[Wave | Ping | None] = []
    async for event in events(chain, clock, Commitment.FINALIZED):
        found.append(event)
        if clock.is_over(hour):
            return HourPlan.of(hour, found)
    return None
