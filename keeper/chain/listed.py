"""Transactions that a node has listed, and so should have."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from solders.signature import Signature

from keeper.chain.protocol import ChainReader
from keeper.chain.records import TransactionRecord

TRIES = 6
FIRST_WAIT_SECONDS = 0.1
"""How often they are asked for, and the longest wait before the second time, which doubles each time."""


async def listed_records(
    chain: ChainReader, signatures: Sequence[Signature]
) -> list[TransactionRecord | None]:
    """Read transactions in the order asked, None for those that the chain still doesn't have after a while.

    Behind one URL there may be several nodes, of which one listed what the next one doesn't know yet.
    """
    found = dict(zip(signatures, await chain.records(signatures), strict=True))
    for tries in range(1, TRIES):
        missing = [each for each, record in found.items() if record is None]
        if not missing:
            break
        await asyncio.sleep(random.uniform(0, FIRST_WAIT_SECONDS * 2 ** (tries - 1)))
        found.update(zip(missing, await chain.records(missing), strict=True))
    return [found[each] for each in signatures]
