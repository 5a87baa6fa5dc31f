"""An hour's steps from whoever publishes them: trusted once they have the root that was agreed on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx2 as httpx

from keeper.errors import UserError
from keeper.market.folder import PRICES, StepsInvalid, decode_steps
from keeper.market.steps import StepTable

MAX_BYTES = 1 << 20
"""Of a table: 65,536 classes have less."""
TIMEOUT_SECONDS = 10.0
"""For a connection, and between two pieces."""
MAX_SECONDS = 60
"""For all of it: a peer that trickles must not hold up the others."""
PLAIN = {"accept-encoding": "identity"}
"""A compressed answer can grow without end."""


class PeerError(UserError):
    """Why what a peer has is not used."""


async def fetch_steps(peer: str, hour: int, root: bytes) -> StepTable:
    """Get the steps of an hour (unix time over 3,600) that have this ``root``; raises PeerError."""
    url, found = f"{peer.rstrip('/')}/market/{PRICES}/{hour}.csv", bytearray()
    try:
        async with (
            asyncio.timeout(MAX_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers=PLAIN) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise PeerError(f"status {answer.status_code}")
            async for piece in answer.aiter_raw():
                found += piece
                if len(found) > MAX_BYTES:
                    raise PeerError(f"more than {MAX_BYTES:,} bytes")
        table = decode_steps(hour, bytes(found))
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
    for peer in peers:
        try:
            return await fetch_steps(peer, hour, root)
        except PeerError as error:
            refused(peer, error)
    return None
