"""Answers that never go back in time, whichever of several nodes behind one URL gives them.

What is due is read, tried out, and after a refusal read again. Where the node that refuses knows less than
the one that was read from, or more than the one that is read again, a refusal says nothing of the action.
So one rule for all of them: an answer that is older than one before it doesn't count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from keeper.chain.errors import ChainUnreachable

T = TypeVar("T")

CATCH_UP_SECONDS = 15.0
"""How long a node that is behind gets to come as far as another one was."""
ASK_AGAIN_SECONDS = 0.4
"""Between questions to it: as long as a slot takes."""


class Newest:
    """How far a chain was seen, in slots of the commitment that its state is read at."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self.slot = 0

    def seen(self, slot: int) -> None:
        """Something is known to be so far."""
        self.slot = max(self.slot, slot)

    async def of(self, ask: Callable[[], Awaitable[tuple[int, T]]]) -> T:
        """What ``ask`` finds, with the slot it is as of, asked until that isn't older than what was seen.

        Raises ChainUnreachable when that stays so. Then this is as far as the chain was seen: a node that was
        on another fork, or named a slot that never comes, stops nobody for longer.
        """
        least, clock = self.slot, asyncio.get_running_loop().time
        until, pause = clock() + CATCH_UP_SECONDS, 0.0
        while True:
            slot, found = await ask()
            if slot >= least:
                self.seen(slot)
                return found
            if clock() >= until:
                self.slot = slot
                raise ChainUnreachable(f"the RPC node is behind: at slot {slot}, after {least} was seen")
            # Another node may answer at once.
            await asyncio.sleep(pause)
            pause = ASK_AGAIN_SECONDS
