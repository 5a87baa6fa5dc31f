"""The files that an agreed hour names, and no others: from here, or from peers by their hashes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.pow import files
from keeper.pow.anchored import PostKind
from keeper.pow.files import BLOB_LIMIT, whole_key
from keeper.pow.profiles import Profiles
from keeper.pow.record import HourRecord
from keeper.rewards.due import due_length
from keeper.rewards.merge import ChainHour, judging

AT_ONCE = 8

Get = Callable[[str, bytes, int], Awaitable[bytes | None]]
"""What is at a path, by its SHA-256 and the most bytes that it may have; None for what can't be had.

:meth:`keeper.rewards.peers.Peers.fetch` is one."""


class Named(NamedTuple):
    """Files that an hour's record names, by SHA-256, and the hashes of those in the hour's folder by name."""

    files: dict[bytes, bytes]
    names: dict[str, bytes]


async def nothing(path: str, digest: bytes, most: int) -> bytes | None:
    """A :data:`Get` that asks nobody."""
    return None


def restricted(hour: ChainHour, record: HourRecord) -> ChainHour:
    """The hour as if only the operators whose files ``record`` names had posted these.

    By their hashes alone others would count as well: two operators may have written the same file.
    """
    named = {(PostKind.EVIDENCE.value, 0, operator) for operator in record.evidence}
    for slot, included in record.included.items():
        named |= {(PostKind.WAVE.value, int(slot), operator) for operator in included}
    postings = [each for each in hour.postings if (each.kind, each.slot, str(each.operator)) in named]
    return replace(hour, postings=postings)


async def named_files(
    hour: ChainHour, profiles: Profiles, record: HourRecord, held: Mapping[bytes, bytes], get: Get
) -> Named:
    """The files that count by ``record``, with all that they need: of ``held``, or what ``get`` finds.

    What can't be had isn't there: then an hour put together from these is another than the record's. No more
    is asked for than can matter: openings that are due by the WAVE files.
    """
    found, names = dict[bytes, bytes](), dict[str, bytes]()
    devices, waves = len(hour.before), len(hour.plan.waves)
    folder = f"/pow/hours/{record.hour}"
    turns = asyncio.Semaphore(AT_ONCE)

    async def file(name: str, digest: bytes, most: int) -> bytes | None:
        data = await take(f"{folder}/{name}", digest, most)
        if data is not None:
            names[name] = digest
        return data

    async def take(path: str, digest: bytes, most: int) -> bytes | None:
        data = held.get(digest)
        if data is None:
            async with turns:
                data = await get(path, digest, most)
        if data is not None:
            found[digest] = data
        return data

    for slot, included in record.included.items():
        for operator, digest in included.items():
            await file(f"wave-{slot}-{operator}.bin", bytes.fromhex(digest), files.wave_limit(devices))
    dues = judging(hour, profiles, found).dues
    blobs: dict[bytes, int] = {}
    for operator, digest in record.evidence.items():
        most = files.evidence_limit(devices, waves)
        data = await file(f"evidence-{operator}.bin", bytes.fromhex(digest), most)
        try:
            evidence = files.Evidence.read(data or b"")
        except files.FileError:
            continue
        most = files.pings_limit(len(hour.plan.pings), devices)
        name = f"{Pubkey.from_string(operator)}.bin"
        await file(f"ping-{name}", evidence.pings, most)
        await file(f"transfer-{name}", evidence.transfers, files.transfers_limit(devices))
        for row in evidence.rows:
            length = due_length(dues, int(row["slot"]), whole_key(row["device"]), whole_key(row["root"]))
            if length == int(row["length"]):
                blobs[whole_key(row["blob"])] = min(length, BLOB_LIMIT)
    await asyncio.gather(
        *(take(f"/pow/openings/{digest.hex()}", digest, length) for digest, length in blobs.items())
    )
    return Named(found, names)
