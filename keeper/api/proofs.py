"""What a wallet can claim by an hour, for visitors: refusals don't name this machine's files."""

from __future__ import annotations

from pathlib import Path

from solders.pubkey import Pubkey
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from keeper.rewards.earnings import NotIndexed, indexed_claimable
from keeper.rewards.publication import NothingEarned, PublicationError
from keeper.rewards.wallet_index import Claimable


async def proof_of(folder: Path, hour: int, wallet: Pubkey) -> Claimable:
    """A wallet's proof; raises NothingEarned, and HTTPException where the hour isn't ready or isn't there."""
    try:
        # In a thread, as pages of a large index may have to come from the disk.
        return await run_in_threadpool(indexed_claimable, folder, hour, wallet)
    except NothingEarned:
        raise
    except NotIndexed as error:
        told = f"hour {hour} isn't ready for proofs yet: try again in a minute"
        raise HTTPException(503, told, {"Retry-After": "60"}) from error
    except PublicationError as error:
        raise HTTPException(404, f"emission hour {hour} is not in what is published here") from error
