"""Steps and ticks from whoever publishes them: trusted once they have the root or hash that is on chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256

import httpx2 as httpx

from keeper.chain.http import PLAIN, PeerError, body, from_any, http_client
from keeper.errors import UserError
from keeper.market.files import DEVICES, Files, folder, read
from keeper.market.folder import PRICES, StepsInvalid, decode_steps
from keeper.market.manifest import NAME, Manifest, ManifestInvalid
from keeper.market.steps import StepTable

MAX_BYTES = 1 << 20
"""Of a table: 65,536 classes have less."""
TIMEOUT_SECONDS = 10.0
"""For a connection, and between two pieces."""
MAX_SECONDS = 60
"""For all of it: a peer that trickles must not hold up the others."""


MAX_MANIFEST = 16_384
MAX_TICK_SECONDS = 300


async def fetch_steps(peer: str, hour: int, root: bytes) -> StepTable:
    """Get the steps of an hour (unix time over 3,600) that have this ``root``; raises PeerError."""
    async with _asking(peer, MAX_SECONDS) as get:
        table = decode_steps(hour, await get(f"{PRICES}/{hour}.csv", MAX_BYTES))
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


async def fetch_tick(peer: str, tick: int, digest: bytes, most: Mapping[str, int]) -> dict[int, Files]:
    """Get the files of a tick whose manifest has this SHA-256, and those of the tick that they go on from.

    By tick; raises PeerError, also for a file of more than ``most`` bytes by its name. The tick's own are
    what its operator posted, and nothing else of them was looked at. Of the tick that they go on from the
    operator vouches for the devices alone, and a peer could make up the rest: that has to be readable.
    """
    async with _asking(peer, MAX_TICK_SECONDS) as get:
        manifest = await get(f"{folder(tick)}/{NAME}", MAX_MANIFEST)
        if (stated := sha256(manifest).digest()) != digest:
            raise PeerError(f"its manifest of tick {tick} is {stated.hex()}, not {digest.hex()}")
        found = {tick: await _files(get, tick, manifest, most)}
        base = Manifest.decode(manifest).base
        if base and base.tick != tick:
            manifest = await get(f"{folder(base.tick)}/{NAME}", MAX_MANIFEST)
            devices = Manifest.decode(manifest).files.get(DEVICES)
            if devices is None or devices.sha256 != base.sha256:
                raise PeerError(f"its tick {base.tick} isn't the one that tick {tick} goes on from")
            found[base.tick] = await _files(get, base.tick, manifest, most)
            try:
                read(found[base.tick])
            except UserError as error:
                raise PeerError(f"its tick {base.tick}, which tick {tick} goes on from: {error}") from error
    return found


async def fetch_tick_from_any(
    peers: Sequence[str],
    tick: int,
    digest: bytes,
    most: Mapping[str, int],
    refused: Callable[[str, PeerError], None],
) -> dict[int, Files] | None:
    """The same from the first of ``peers`` that has them; None where none has.

    ``refused`` as for :func:`fetch_steps_from_any`.
    """
    found = await from_any(peers, lambda peer: fetch_tick(peer, tick, digest, most), refused)
    return found[1] if found else None


# -- inside ------------------------------------------------------------------------------------

Get = Callable[[str, int], Awaitable[bytes]]
"""Gets what is at a path under /market, so many bytes at most."""


@asynccontextmanager
async def _asking(peer: str, seconds: int) -> AsyncIterator[Get]:
    """Ask a peer for files, for so long at most; raises PeerError for whatever is wrong with them."""

    try:
        async with asyncio.timeout(seconds), http_client(TIMEOUT_SECONDS) as client:

            async def get(path: str, most: int) -> bytes:
                async with client.stream("GET", f"{peer.rstrip('/')}/market/{path}", headers=PLAIN) as answer:
                    return await body(answer, most)

            yield get
    except TimeoutError as error:
        raise PeerError(f"it took more than {seconds} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PeerError(str(error) or type(error).__name__) from error
    except (StepsInvalid, ManifestInvalid) as error:
        raise PeerError(str(error)) from error


async def _files(get: Get, tick: int, manifest: bytes, most: Mapping[str, int]) -> Files:
    place, found = folder(tick), {NAME: manifest}
    for name, stated in Manifest.decode(manifest).files.items():
        if stated.bytes > most.get(name, 0):
            raise PeerError(f"{NAME} of tick {tick} names {name} with {stated.bytes:,} bytes")
        found[name] = await get(f"{place}/{name}", stated.bytes)
        if sha256(found[name]).hexdigest() != stated.sha256:
            raise PeerError(f"{name} of tick {tick} isn't the one that {NAME} names")
    return found
