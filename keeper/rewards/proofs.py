"""Offences as published files: ``<rewards>/slashes/<sha256>.bin``, by the hash that is voted on."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import httpx2 as httpx

from keeper import disk
from keeper.chain.http import PLAIN, http_client
from keeper.errors import why
from keeper.rewards.fetch import TIMEOUT_SECONDS
from keeper.rewards.offences import MOST_BYTES, Offence, OffenceError
from keeper.rewards.publication import FolderUnusable

FOLDER = "slashes"


def offence_path(evidence: bytes) -> str:
    """Where an offence is, below the folder of published hours and below ``/rewards`` of a service."""
    return f"{FOLDER}/{evidence.hex()}.bin"


def write_offence(folder: Path, offence: Offence) -> None:
    """Publish an offence, whole or not at all; raises FolderUnusable."""
    path = folder / offence_path(offence.evidence)
    if path.exists():
        return
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write(part, [offence.encode()])
        part.replace(path)
    except OSError as error:
        raise FolderUnusable(f"{path}: {why(error)}") from error


def read_offence(folder: Path, evidence: bytes) -> Offence:
    """Read one of a folder; raises OffenceError when it isn't there, or isn't what its name says."""
    path = folder / offence_path(evidence)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OffenceError(f"{path}: {why(error)}; --from names who serves it") from error
    return _offence(data, evidence)


async def fetch_offence(peer: str, evidence: bytes) -> Offence:
    """Get one from the service at ``peer``; raises OffenceError."""
    url, found = f"{peer.rstrip('/')}/rewards/{offence_path(evidence)}", bytearray()
    try:
        async with (
            http_client(TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers=PLAIN) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise OffenceError(f"{url}: status {answer.status_code}")
            async for piece in answer.aiter_raw():
                found += piece
                if len(found) > MOST_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OffenceError(f"{url}: {why(error)}") from error
    return _offence(bytes(found), evidence)


def _offence(data: bytes, evidence: bytes) -> Offence:
    if sha256(data).digest() != evidence:
        raise OffenceError(
            "what is published isn't the evidence that operators voted on: its hash is another"
        )
    return Offence.decode(data)
