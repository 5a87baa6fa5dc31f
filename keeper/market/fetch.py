"""An hour's steps from whoever publishes them: trusted once they have the root that was agreed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx2 as httpx

from keeper.chain.http import PLAIN, PeerError, body, from_any, http_client
from keeper.market.folder import PRICES, StepsInvalid, decode_steps
from keeper.market.steps import StepTable

MAX_BYTES = 1 << 20
"""Of a table: 65,536 classes have less."""
TIMEOUT_SECONDS = 10.0
"""For a connection, and between two pieces."""
MAX_SECONDS = 60
"""For all of it: a peer that trickles must not hold up the others."""


async def fetch_steps(peer: str, hour: int, root: bytes) -> StepTable:
    """Get the steps of an hour (unix time over 3,600) that have this ``root``; raises PeerError."""
    url = f"{peer.rstrip('/')}/market/{PRICES}/{hour}.csv"
    try:
        async with (
            asyncio.timeout(MAX_SECONDS),
            http_client(TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers=PLAIN) as answer,
        ):
            table = decode_steps(hour, await body(answer, MAX_BYTES))
    except TimeoutError as error:
        raise PeerError(f"it took more than {MAX_SECONDS} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PeerError(str(error) or type(error).__name__) from error
    except StepsInvalid as error:
        raise PeerError(str(error)) from error
    if table.root != root:
        raise PeerError(f"the steps of hour {hour} have root {table.root.hex()}, agreed is {root.hex()}")
    return table


async def fetch_steps_from_any(
    peers: Sequence[str], hour: int, root: bytes, refused: Callable[[str, PeerError], None]
) -> StepTable | None:
    """The steps from the first of ``peers`` that has them; None where none has.

    ``refused`` is called for each peer that hasn't, with the reason, before the next one is asked.
    """
    found = await from_any(peers, lambda peer: fetch_steps(peer, hour, root), refused)
    return found[1] if found else None
