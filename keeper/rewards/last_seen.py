"""What operators saw of one device in the newest hour that somebody has, as it was published."""

from __future__ import annotations

from pathlib import Path

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients import staking
from keeper.rewards import publication
from keeper.rewards.fetch import compare
from keeper.rewards.nomination import Seen
from keeper.rewards.publication import Manifest
from keeper.rewards.rows import Work
from keeper.tables import Rows, keys


async def read_last_seen(chain: ChainReader, folder: Path, device: Pubkey) -> Seen | None:
    """A device in the newest hour of a folder, None where there is no hour or it wasn't in it.

    Raises PublicationError where the hour's files aren't those that operators agreed on, or can't be read.
    """
    hours = publication.published_hours(folder)
    if not hours:
        return None
    manifest = publication.read_manifest(folder, hours[-1])
    block = (await staking.read_hours(chain, [hours[-1]])).get(hours[-1])
    if block is not None:
        compare(manifest, block)
    return seen_in(publication.read_table(folder, manifest, "inputs.csv"), manifest, device)


def seen_in(rows: Rows, manifest: Manifest, device: Pubkey) -> Seen | None:
    """A device in an hour's ``inputs.csv``; None where it wasn't in it."""
    (place,) = (rows["device"] == keys([device])).nonzero()
    if not len(place):
        return None
    row = rows[place[0]]
    return Seen(
        manifest.hour,
        manifest.start,
        int(row["up_since"]),
        bool(row["online"]),
        Work(int(row["work"])),
        int(row["vram_failures"]),
        int(row["vram_failed_at"]),
        int(row["measured_tier"]),
    )
