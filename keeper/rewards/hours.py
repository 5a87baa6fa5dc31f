"""Hours' published files into the database, for pages: only what the chain has as final, by its hash.

An hour's sums (``hour_total``) stay for ever, what each device got (``hour_device``) for 720 final hours:
older ones are in their files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from structlog.typing import FilteringBoundLogger

from keeper.clients import staking
from keeper.db import Database
from keeper.db.bulk import Insertion
from keeper.db.events import EventTables
from keeper.db.tables import WATERMARKS
from keeper.db.views import HOUR_DEVICE, HOUR_TOTAL
from keeper.rewards.publication import Manifest, PublicationError, published_hours, read_manifest, read_table
from keeper.tables import Rows, text

KEPT_HOURS = 720
"""Hours whose devices are kept: 30 days."""
FINALISED = EventTables(staking.PROGRAM).by_event["BlockFinalised"].table
FINAL_SLOT = sa.select(WATERMARKS.c.final_slot).filter_by(program=staking.PROGRAM.name).scalar_subquery()
INTO_TOTAL = Insertion(HOUR_TOTAL, only_new=True)
INTO_DEVICE = Insertion(HOUR_DEVICE, only_new=True)
"""Another keeper of the database may take the same hour in, which is the same."""


async def newest_final(database: Database) -> int | None:
    """The newest hour that is final, None for none: cheap to ask, whatever the number of hours."""
    latest = FINALISED.c._slot.desc(), FINALISED.c._position.desc(), FINALISED.c._outer.desc()
    async with database.reading() as connection:
        query = sa.select(FINALISED.c.hour).where(FINALISED.c._slot <= FINAL_SLOT).order_by(*latest)
        hour: int | None = await connection.scalar(query.limit(1))
        return hour


async def take_in(
    database: Database,
    folder: Path,
    log: FilteringBoundLogger,
    *,
    anew: bool = False,
    told: Callable[[int, int], None] | None = None,
) -> int:
    """Take in the final hours in ``folder`` that lack, or all of them ``anew``; returns how many.

    Each is one transaction. A file that isn't what the chain says is logged, and left out. ``told`` is called
    with how many of how many are done.
    """
    final, known = await _final(database)
    try:
        there = published_hours(folder)
    except PublicationError:
        return 0
    wanted = [hour for hour in there if hour in final and (anew or hour not in known)]
    kept_above = max(final, default=0) - KEPT_HOURS
    taken = 0
    for number, hour in enumerate(wanted, 1):
        try:
            manifest, devices = await asyncio.to_thread(_read, folder, hour, final[hour], hour > kept_above)
        except PublicationError as error:
            log.warning("hours.refused", hour=hour, reason=str(error))
            continue
        await _write(database, manifest, devices, kept_above, anew)
        taken += 1
        if told:
            told(number, len(wanted))
    if taken:
        log.info("hours.taken", hours=taken, newest=wanted[-1])
    return taken


async def _final(database: Database) -> tuple[dict[int, str], set[int]]:
    """Final hours with their manifests' hashes, and those that are known already."""
    async with database.reading() as connection:
        final_rows = sa.select(FINALISED.c.hour, FINALISED.c.data_hash).where(FINALISED.c._slot <= FINAL_SLOT)
        rows = await connection.execute(final_rows)
        final = {row.hour: row.data_hash for row in rows}
        known = set(await connection.scalars(sa.select(HOUR_TOTAL.c.hour)))
    return final, known


def _read(folder: Path, hour: int, data_hash: str, whole: bool) -> tuple[Manifest, Rows | None]:
    """An hour's manifest, and if it is ``whole`` its devices; raises PublicationError."""
    manifest = read_manifest(folder, hour)
    if manifest.hash != data_hash or manifest.hour != hour:
        raise PublicationError(f"hour {hour}: its manifest is {manifest.hash}, on chain is {data_hash}")
    return manifest, read_table(folder, manifest, "rewards.csv") if whole else None


async def _write(
    database: Database, manifest: Manifest, devices: Rows | None, kept_above: int, anew: bool
) -> None:
    row: Mapping[str, Any] = {
        "hour": manifest.hour,
        "data_hash": manifest.hash,
        "wallets": manifest.files["wallets.csv"].rows,
        **{
            name: getattr(manifest, name)
            for name in ("start", "rule", "devices", "succeeded", "failed", "missed")
        },
        **{name: getattr(manifest, name) for name in ("emitted", "pot", "paid", "carried", "total")},
    }
    async with database.transaction() as connection:
        if anew:
            for table in (HOUR_TOTAL, HOUR_DEVICE):
                await connection.execute(sa.delete(table).filter_by(hour=manifest.hour))
        await INTO_TOTAL.run(connection, {name: [value] for name, value in row.items()})
        await connection.execute(sa.delete(HOUR_DEVICE).where(HOUR_DEVICE.c.hour <= kept_above))
        if devices is not None:
            columns = {name: devices[name].tolist() for name in HOUR_DEVICE.columns.keys()[2:]}
            columns |= {"hour": [manifest.hour] * len(devices), "device": text(devices["device"])}
            await INTO_DEVICE.run(connection, columns)
