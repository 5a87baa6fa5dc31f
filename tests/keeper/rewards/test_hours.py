"""Hours in the database: what the chain has as final, once, for a month by device and for ever in sums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from keeper.clients import staking
from keeper.clients.staking import Attestation
from keeper.db import Database
from keeper.db.tables import WATERMARKS
from keeper.db.views import HOUR_DEVICE, HOUR_TOTAL
from keeper.indexer import ProgramIndexer
from keeper.rewards import hours, publication
from keeper.rewards.publication import Manifest
from keeper.tables import text
from tests.keeper.indexer.busy import prepared
from tests.keeper.rewards.test_publication import publish
from tests.programs.staking.world import StakingWorld

LOG = structlog.get_logger()


async def finalise(database: Database, manifest: Manifest, slot: int) -> None:
    """Have the index say that an hour is final, as the chain's event would."""
    indexer = await prepared(ProgramIndexer(StakingWorld.ready().chain, database, staking.PROGRAM))
    content = manifest.attestation
    row: dict[str, Any] = {"_slot": slot, "_position": 0, "_outer": 0, "_inner": 0, "_time": 0}
    row |= {"hour": manifest.hour, "root": content.root.hex(), "total": content.total}
    row |= {"devices": content.devices, "data_hash": content.data_hash.hex()}
    assert isinstance(content, Attestation)
    async with database.transaction() as connection:
        await connection.execute(sa.insert(hours.FINALISED).values(**row))
        mark = sa.update(WATERMARKS).filter_by(program=indexer.program.name)
        await connection.execute(mark.values(final_slot=100))


async def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    async with database.reading() as connection:
        found = await connection.execute(sa.select(table).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]


async def test_what_is_final_is_there_once_and_equals_the_files(database: Database, tmp_path: Path) -> None:
    """Not what is published and not final, nor final in a slot that isn't; again changes nothing."""
    manifests = [publish(tmp_path, hour) for hour in range(4)]
    await finalise(database, manifests[0], 5)
    await finalise(database, manifests[1], 100)
    await finalise(database, manifests[2], 101)
    assert await hours.newest_final(database) == 1
    assert await hours.take_in(database, tmp_path, LOG) == 2
    totals, devices = await rows(database, HOUR_TOTAL), await rows(database, HOUR_DEVICE)
    assert [(row["hour"], row["data_hash"]) for row in totals] == [(m.hour, m.hash) for m in manifests[:2]]
    for row, manifest in zip(totals, manifests, strict=False):
        for name in (
            "devices",
            "succeeded",
            "failed",
            "missed",
            "emitted",
            "pot",
            "paid",
            "carried",
            "total",
        ):
            assert row[name] == getattr(manifest, name)
        published = publication.read_table(tmp_path, manifest, "rewards.csv")
        mine = [each for each in devices if each["hour"] == manifest.hour]
        assert sum(each["reward"] for each in mine) == manifest.paid
        found = {each["device"]: (each["status"], each["reasons"], each["reward"]) for each in mine}
        names = text(published["device"])
        assert found == {
            name: (row["status"], row["reasons"], row["reward"])
            for name, row in zip(names, published, strict=True)
        }
    assert await hours.take_in(database, tmp_path, LOG) == 0
    told: list[tuple[int, int]] = []
    assert await hours.take_in(database, tmp_path, LOG, anew=True, told=lambda *done: told.append(done)) == 2
    assert told == [(1, 2), (2, 2)]
    assert (await rows(database, HOUR_TOTAL), await rows(database, HOUR_DEVICE)) == (totals, devices)


async def test_files_that_are_not_the_chains_are_left_out(database: Database, tmp_path: Path) -> None:
    """An hour that was published otherwise, and one whose table was changed: named, and the next goes on."""
    for hour in range(3):
        manifest = publish(tmp_path, hour)
        await finalise(database, manifest, hour)
    publish(tmp_path, 0, working=3)
    table = tmp_path / "1" / "rewards.csv"
    table.write_bytes(table.read_bytes().replace(b"1", b"2", 1))
    with capture_logs() as logs:
        assert await hours.take_in(database, tmp_path, LOG) == 1
    assert [(each["event"], each.get("hour")) for each in logs] == [
        ("hours.refused", 0),
        ("hours.refused", 1),
        ("hours.taken", None),
    ]
    assert [row["hour"] for row in await rows(database, HOUR_TOTAL)] == [2]


async def test_devices_are_kept_for_a_while(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older hours keep their sums."""
    monkeypatch.setattr(hours, "KEPT_HOURS", 2)
    for hour in range(5):
        await finalise(database, publish(tmp_path, hour), hour)
        await hours.take_in(database, tmp_path, LOG)
    assert [row["hour"] for row in await rows(database, HOUR_TOTAL)] == [0, 1, 2, 3, 4]
    assert {row["hour"] for row in await rows(database, HOUR_DEVICE)} == {3, 4}


async def test_without_a_folder_there_is_nothing_to_take_in(database: Database, tmp_path: Path) -> None:
    await prepared(ProgramIndexer(StakingWorld.ready().chain, database, staking.PROGRAM))
    assert await hours.take_in(database, tmp_path / "nowhere", LOG) == 0
