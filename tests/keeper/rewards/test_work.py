"""An hour's work from an operator's folder and from the chain's final blocks."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from keeper.pow.codes import Code
from keeper.pow.prove import prove
from keeper.rewards import publication
from keeper.rewards.batches import verified
from keeper.rewards.due import Opening
from keeper.rewards.held import FolderUnreadable, HeldFiles
from keeper.rewards.history import History
from keeper.rewards.suspicion import facts_of, wrong_work
from keeper.rewards.work import Remembering, WorkFolder, chain_hour
from tests.keeper.pow.cheats import Spoiling
from tests.keeper.rewards.hours import PowHours
from tests.keeper.rewards.merged import (
    PLAIN_HOUR,
    codes,
    history,
    hours,
    of,
    whole_hour,
)
from tests.keeper.runtime.conftest import database
from tests.programs.world import HOUR, START

__all__ = ["database", "history", "hours"]


async def test_from_a_folder_each_opening_is_verified_once(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = await whole_hour(hours)
    asked: list[int] = []

    def counted(openings: Sequence[Opening]) -> list[Code]:
        asked.append(len(openings))
        return verified(openings)

    await hours.chain_hour(history, PLAIN_HOUR)
    past = await history.hour(START + HOUR * PLAIN_HOUR)
    folder = WorkFolder(hours.write(hours.folder / "pow"), hours.profiles, Remembering(counted))
    works = []
    for _ in range(2):
        found = await folder.of(
            hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
        )
        assert found is not None
        works.append(found)
    assert codes(works[0]) == codes(works[1]) == of(hours, *[Code.PASS] * 3)
    assert asked == [3, 0]
    # Not more than some are kept, whatever comes.
    monkeypatch.setattr("keeper.rewards.work.REMEMBERED", 2)
    again = await folder.of(
        hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
    )
    assert again is not None
    assert (asked, codes(again)) == ([3, 0, 0], codes(works[0]))
    last = await folder.of(
        hours.world.chain, hours.network, PLAIN_HOUR, past, np.zeros(0, publication.OBSERVED_TABLE)
    )
    assert last is not None
    assert (asked[3:], codes(last), wave.hour) == ([1], codes(works[0]), PLAIN_HOUR)


async def test_what_is_evidence_in_an_hour_that_was_taken_over_is_kept(
    hours: PowHours, history: History
) -> None:
    """By an operator that had none of it, in another process: a slash is voted for from files."""
    wave = await hours.to_wave(PLAIN_HOUR)
    liar, *honest = hours.devices

    def spoil(c: np.ndarray) -> None:
        c[:] += 1

    terms = hours.profile(liar), liar.processors
    hours.proofs[wave.seed, bytes(liar.account)] = prove(Spoiling(spoil), wave.seed, liar.account, *terms)
    for device in hours.devices:
        hours.says(wave, device)
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(PLAIN_HOUR)
    record = (await hours.work(history, PLAIN_HOUR)).record
    past, chain = await history.hour(START + HOUR * PLAIN_HOUR), hours.world.chain

    async def peer(path: str, digest: bytes, most: int) -> bytes | None:
        return hours.files.get(digest)

    empty = hours.folder / "empty"
    folder = WorkFolder(empty, hours.profiles)
    before = np.zeros(0, publication.OBSERVED_TABLE)
    again = await folder.again(chain, hours.network, past, before, record, peer)
    assert again is not None
    assert codes(again.work) == of(hours, Code.WORK_WRONG, *[Code.PASS] * len(honest))
    assert not empty.exists()
    for _ in range(2):
        folder.keep(PLAIN_HOUR, again.files)
    held = HeldFiles(empty, PLAIN_HOUR)
    names = sorted(path.name for path in (empty / str(PLAIN_HOUR)).iterdir())
    operators = len(hours.everybody)
    kinds = [name.partition("-")[0] for name in names]
    assert kinds == sorted(["evidence", "ping", "transfer", "wave"] * operators + ["opening"])
    facts = facts_of(record, hours.network, wave.slot)
    act = wrong_work(liar.worker.pubkey(), record, facts, held, hours.profiles)
    assert act.blob == (await hours.opening(wave, liar))[0]
    (empty / "3").write_text("no folder")
    with pytest.raises(FolderUnreadable, match="can't be written"):
        folder.keep(3, again.files)


def test_a_folder_that_cant_be_read(tmp_path: Path) -> None:
    assert len(HeldFiles(tmp_path, 3)) == 0
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "wave-1-x.bin").mkdir()
    with pytest.raises(FolderUnreadable, match=r"wave-1-x\.bin|Is a directory"):
        HeldFiles(tmp_path, 3)
    digest = sha256(b"x").digest()
    (tmp_path / "openings" / digest.hex()[:2] / digest.hex()).mkdir(parents=True)
    with pytest.raises(FolderUnreadable, match="openings"):
        HeldFiles(tmp_path, 4)[digest]
    with pytest.raises(KeyError):
        HeldFiles(tmp_path, 4)[bytes(32)]


def test_an_opening_that_was_damaged_isnt_held(tmp_path: Path) -> None:
    digest = sha256(b"right").digest()
    path = tmp_path / "openings" / digest.hex()[:2] / digest.hex()
    path.parent.mkdir(parents=True)
    path.write_bytes(b"wrong")
    held = HeldFiles(tmp_path, 0)
    assert digest not in held
    assert held.damaged == {path: sha256(b"wrong").digest()}
    path.write_bytes(b"right")
    assert held[digest] == b"right"


async def test_an_opening_block_that_isnt_final_yet_is_waited_for(
    hours: PowHours, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an hour of which a node hasn't all blocks."""
    await whole_hour(hours)
    found = await hours.chain_hour(history, PLAIN_HOUR)
    chain = hours.world.chain
    true = type(chain).head
    for missing in (found.plan.waves[0].open_from, found.plan.waves[0].slot + 2_000):

        async def behind(self, slot, commitment, missing=missing):
            head = await true(self, slot, commitment)
            return None if head and missing <= head.slot else head

        async def lacks(self, slot, commitment, missing=missing):
            return None if slot == missing else await true(self, slot, commitment)

        for node in (behind, lacks) if missing == found.plan.waves[0].open_from else (behind,):
            monkeypatch.setattr(type(chain), "head", node)
            past = await history.hour(START + HOUR * PLAIN_HOUR)
            assert await chain_hour(chain, hours.network, PLAIN_HOUR, past) is None
    monkeypatch.setattr(type(chain), "head", true)
    assert await chain_hour(chain, hours.network, PLAIN_HOUR, past) is not None
