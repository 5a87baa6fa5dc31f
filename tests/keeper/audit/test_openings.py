"""An audit's openings: the same codes wherever they are verified, and each once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from keeper.audit.beside import ProcessEnded
from keeper.audit.openings import FEW, Openings, through
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.codes import Code
from keeper.pow.verdicts import VERDICT
from keeper.pow.verification import Batch, Processes
from keeper.rewards.batches import batches as batched
from keeper.rewards.batches import verified
from keeper.rewards.due import Opening
from tests.keeper.operator.network import small_profiles
from tests.keeper.pow.test_verification import PLOTS, PRODUCTS, batches

__all__ = ["batches"]

KNOWN = [*PRODUCTS, *PLOTS]


@pytest.fixture
def openings(batches: list[Batch], tmp_path: Path) -> list[Opening]:
    """Of a product and of a residency wave, right ones and wrong ones."""
    profile = small_profiles(tmp_path)[0]
    found = []
    for number, batch in enumerate(batches):
        wave = Wave(0, number, bytes(32), 0, batch.wave_seed, list(WaveKind)[number], False)
        epoch = batch.epoch_seed or None
        for each in batch.claims:
            digest, asked = sha256(each.blob).digest(), each._replace(blob=b"")
            found.append(Opening(wave, profile, epoch, asked, digest, {digest: each.blob}))
    return found


def test_batches_have_each_opening_once_and_are_of_one_kind(openings: list[Opening]) -> None:
    groups = batched(openings, 5)
    assert [len(places) for places, _ in groups] == [5, 5, 5, 1, 5, 3]
    assert sorted(at for places, _ in groups for at in places) == list(range(len(openings)))
    for places, batch in groups:
        assert list(batch.claims) == [openings[at].claim for at in places]
    assert verified(openings) == KNOWN
    assert verified([]) == []


async def test_many_are_verified_in_processes_with_the_same_codes(openings: list[Opening]) -> None:
    """Mixed as they come; the few that are verified where they are asked for have the same codes, too."""
    many = FEW // len(openings) + 1
    asked: list[int] = []

    class Counting(Processes):
        async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
            asked.append(sum(len(each.claims) for each in batches))
            return await super().run(batches)

    verifier = Counting(2)
    try:
        verify = through(verifier)
        assert await asyncio.to_thread(verify, openings) == KNOWN
        assert asked == []
        assert await asyncio.to_thread(verify, openings * many) == KNOWN * many
        assert asked == [len(openings) * many]
    finally:
        verifier.close()


async def test_a_process_that_is_killed_is_told(openings: list[Opening]) -> None:
    verifier = Processes(1)
    verify = through(verifier)
    many = openings * (FEW // len(openings) + 1)
    await asyncio.to_thread(verify, many)
    assert verifier._pool is not None
    (pid,) = verifier._pool._processes
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProcessEnded, match="audit again"):
        while True:
            await asyncio.to_thread(verify, many)
    assert await asyncio.to_thread(verify, many) == KNOWN * (len(many) // len(openings)), "it begins anew"
    verifier.close()


def test_each_opening_is_verified_once_by_what_it_is_given(openings: list[Opening]) -> None:
    calls: list[int] = []

    def verify(some: Sequence[Opening]) -> list[Code]:
        calls.append(len(some))
        return verified(some)

    audit = Openings(np.zeros(0, VERDICT), 1.0, b"", verify)
    assert audit(openings) == KNOWN
    assert audit(openings) == KNOWN
    assert calls == [len(openings), 0]
    assert audit.verified == len({(each.asked.device, each.asked.root, each.blob) for each in openings})
