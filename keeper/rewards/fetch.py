"""An hour's published files from whoever has them: trusted only once they match the chain.

The data hash on chain is the manifest's, the manifest has each file's size and hash, and the wallets'
root is on chain as well: a peer can withhold files, but can't change any.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path

import httpx2 as httpx

from keeper.chain.http import PLAIN, PeerError, from_any, http_client
from keeper.clients.staking import Attestation, Block
from keeper.rewards import wallet_index
from keeper.rewards.publication import (
    FILES,
    MANIFEST,
    FolderUnusable,
    Manifest,
    PublicationError,
    read_file,
    whole_or_not,
)
from keeper.rewards.tree import EMPTY_ROOT, tree

MAX_MANIFEST_BYTES = 16_384
TIMEOUT_SECONDS = 10.0
"""For a connection, and between two pieces."""
MAX_SECONDS = 300
"""For all of an hour's files: a peer that trickles must not hold up the others for ever."""


async def fetch(peer: str, folder: Path, hour: int, block: Block) -> Manifest:
    """Get hour ``hour`` from the service at ``peer`` into ``folder``; ``block`` is the chain's.

    What doesn't match the chain isn't kept. Raises PeerError, FolderUnusable.
    """
    try:
        async with asyncio.timeout(MAX_SECONDS), http_client(TIMEOUT_SECONDS) as client:
            with whole_or_not(folder, hour) as part:
                return await _fetch(client, f"{peer.rstrip('/')}/rewards/{hour}", part, hour, block)
    except TimeoutError as error:
        raise PeerError(f"it took more than {MAX_SECONDS} seconds") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PeerError(str(error) or type(error).__name__) from error
    except FolderUnusable:
        raise
    except PublicationError as error:
        raise PeerError(str(error)) from error


async def fetch_from_any(
    peers: Sequence[str], folder: Path, hour: int, block: Block, refused: Callable[[str, PeerError], None]
) -> tuple[str, Manifest] | None:
    """Fetch an hour from the first of ``peers`` that has it; returns that peer and the manifest, or None.

    ``refused`` is called for each peer that hasn't, with the reason, before the next one is asked.
    """
    return await from_any(peers, lambda peer: fetch(peer, folder, hour, block), refused)


def compare(manifest: Manifest, block: Block) -> None:
    """Raise PublicationError where a manifest differs from the chain's block."""
    published = manifest.attestation
    for field in fields(Attestation):
        if (there := getattr(block, field.name)) != (here := getattr(published, field.name)):
            stated, found = (each.hex() if isinstance(each, bytes) else each for each in (here, there))
            raise PublicationError(
                f"emission hour {manifest.hour}: {field.name} on chain is {found}, but {stated} in the "
                "published files"
            )


async def _fetch(client: httpx.AsyncClient, place: str, part: Path, hour: int, block: Block) -> Manifest:
    path = part / MANIFEST
    digest = await _download(client, f"{place}/{MANIFEST}", path, MAX_MANIFEST_BYTES)
    if digest != block.data_hash.hex():
        raise PeerError(f"{MANIFEST} has SHA-256 {digest}, but on chain it is {block.data_hash.hex()}")
    manifest = Manifest.decode(path.read_bytes())
    if manifest.hour != hour or manifest.files.keys() != set(FILES):
        raise PeerError(f"{MANIFEST} is of hour {manifest.hour}, with the files {', '.join(manifest.files)}")
    compare(manifest, block)
    for name, stated in manifest.files.items():
        digest = await _download(client, f"{place}/{name}", part / name, stated.bytes)
        if digest != stated.sha256:
            raise PeerError(f"{name} has SHA-256 {digest}, but the manifest says {stated.sha256}")
    wallets = await asyncio.to_thread(read_file, part / "wallets.csv", manifest)
    top = await asyncio.to_thread(tree, wallets)
    found, total = top.root if top else EMPTY_ROOT, int(wallets["lifetime"].sum())
    if (found, total) != (block.root, block.total):
        raise PeerError(f"wallets.csv has root {found.hex()} and total {total}, not those on chain")
    wallet_index.write(part / wallet_index.NAME, manifest.hash, wallets, top)
    return manifest


async def _download(client: httpx.AsyncClient, url: str, path: Path, most: int) -> str:
    """Write at most ``most`` bytes to a file; returns their SHA-256. Raises PeerError for more."""
    digest, size = sha256(), 0
    async with client.stream("GET", url, headers=PLAIN) as answer:
        if answer.status_code != httpx.codes.OK:
            raise PeerError(f"{path.name}: status {answer.status_code}")
        with path.open("wb") as file:
            async for piece in answer.aiter_raw():
                size += len(piece)
                if size > most:
                    raise PeerError(f"{path.name} has more than {most:,} bytes")
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    return digest.hexdigest()
