"""Blocks without what is in them: the same from both kinds of chain, from a file, and from every process."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash

from keeper.chain import ChainUnreachable, Commitment, Head, asking
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import NodeRefused
from keeper.chain.heads import APART, Pace, blockhash
from keeper.chain.saved import SavedChain
from keeper.pow.hashing import digest, u64
from tests.keeper.chain.conftest import ALICE, LAMPORTS, NOW, RpcSite, Site, pay

CONFIRMED, FINALIZED = Commitment.CONFIRMED, Commitment.FINALIZED
GENESIS = b"\x07" * 32


async def heads(chain: EmbeddedChain, commitment: Commitment = CONFIRMED) -> list[Head]:
    """All that a chain has."""
    found: list[Head] = []
    while head := await chain.head(found[-1].slot + 1 if found else 0, commitment):
        found.append(head)
    return found


def test_the_hash_is_one_of_proof_of_work() -> None:
    assert blockhash(GENESIS, 2**40) == digest("embedded", GENESIS, u64(2**40))


async def test_the_first_block_from_a_slot_on(site: Site) -> None:
    site.owner.advance(100)
    genesis = bytes(Hash.from_string(await site.chain.genesis_hash()))
    for slot, first in ((0, 0), (1, 32), (32, 32), (33, 64), (224, 224)):
        expected = NOW if first == 0 else NOW + 100 - -(-(251 - first) * 2 // 5)
        assert await site.chain.head(slot, FINALIZED) == Head(first, blockhash(genesis, first), expected)
    assert await site.chain.head(225, CONFIRMED) is None
    site.owner.advance(2)
    assert await site.chain.head(225, CONFIRMED) == Head(256, blockhash(genesis, 256), NOW + 102)


async def test_a_node_is_as_sure_as_it_was_asked_to_be(rpc: RpcSite) -> None:
    rpc.owner.advance(100)
    rpc.node.faults.finality_lag = 30
    assert await rpc.chain.head(193, FINALIZED) is None
    found = await rpc.chain.head(193, CONFIRMED)
    assert found is not None
    rpc.node.faults.finality_lag = 27
    assert await rpc.chain.head(193, FINALIZED) == found


async def test_a_node_that_forgot_the_first_block_is_refused(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers with its own first one, which isn't the chain's."""
    monkeypatch.setattr(asking, "TRIES", 1)
    rpc.owner.advance(100)
    rpc.node.faults.history_from = 150
    for slot in (0, 32, 128):
        with pytest.raises(NodeRefused, match="ask one with a longer history"):
            await rpc.chain.head(slot, CONFIRMED)
    assert await rpc.chain.head(129, CONFIRMED) == await rpc.owner.head(129, CONFIRMED)


async def test_a_block_without_a_time_is_asked_for_again(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "TRIES", 2)
    rpc.owner.advance(100)
    rpc.node.faults.timeless = True
    with pytest.raises(ChainUnreachable, match="time of the block of slot 64"):
        await rpc.chain.head(60, CONFIRMED)
    assert [method for method, _ in rpc.node.calls].count("getBlock") == 2


MOVES = st.lists(st.tuples(st.sampled_from(["advance", "back", "execute"]), st.integers(0, 200)), max_size=30)


@given(MOVES)
def test_what_was_told_stays_and_times_only_grow(moves: list[tuple[str, int]]) -> None:
    """Whatever the clock is set to, and wherever a copy goes on from."""
    pace, slot, now, told = Pace(), 1, 1_000, dict[int, int]()
    pace.set(slot, now)
    for kind, by in [*moves, ("advance", 100)]:
        if kind == "advance":
            slot, now = slot + int(by * 2.5), now + by
        elif kind == "back":
            now -= by
        else:
            slot += 1
        pace.set(slot, now)
        pace = Pace(pace.settings)
        times = {at: pace.time(at) for at in range(0, slot + 1, APART)}
        assert times.items() >= told.items()
        assert list(times.values()) == sorted(times.values())
        told = times
        slots = [at for at, _ in pace.settings]
        assert slots == sorted(set(slots))
        assert len(slots) <= slot // APART + 2


async def test_blocks_keep_the_pace_of_the_clock() -> None:
    """An hour by single seconds and by one jump: a block at most every 16 seconds, as waves need them."""
    for step in (1, 3_600):
        chain = EmbeddedChain(now=NOW)
        for _ in range(0, 3_600, step):
            chain.advance(step)
        times = [head.time for head in await heads(chain)]
        gaps = {later - earlier for earlier, later in pairwise(times[1:])}
        assert gaps == ({16} if step == 1 else {12, 13})
        assert 0 <= NOW + 3_600 - times[-1] <= 16


async def test_a_file_keeps_blocks_and_has_only_final_ones(tmp_path: Path) -> None:
    chain = EmbeddedChain(now=NOW)
    chain.airdrop(ALICE.pubkey(), LAMPORTS)
    for seconds in (3, 600, 7):
        chain.advance(seconds)
        chain.execute([pay(10**9)], [ALICE])
    chain.save(tmp_path / "chain")
    told = await heads(chain, FINALIZED)
    assert len(told) == 48
    chain.advance(100)
    assert await heads(chain, FINALIZED) == told
    assert (await heads(chain))[:48] == told
    again = EmbeddedChain.load(tmp_path / "chain")
    assert await heads(again) == told
    again.advance(100)
    assert await heads(again) == await heads(chain)


async def test_processes_agree_on_final_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time alone brings blocks to a chain that follows the clock; in the file they are final."""
    shown = [float(NOW)]
    monkeypatch.setattr(time, "time", lambda: shown[0])
    EmbeddedChain(now=NOW).save(tmp_path / "chain")
    mine, other = (SavedChain.load(tmp_path / "chain") for _ in range(2))
    for each in (mine, other):
        each.follow_wall_clock()
    assert await mine.head(1, FINALIZED) is None
    for each in (mine, other):
        shown[0] += 5
        assert each.now() == shown[0]
    shown[0] += 9
    final = await mine.head(1, FINALIZED)
    other.refresh()
    assert final is not None
    assert await other.head(1, FINALIZED) == await other.head(1, CONFIRMED) == final
