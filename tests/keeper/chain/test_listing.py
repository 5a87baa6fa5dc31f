"""What indexer and sender ask, of both kinds of chain: lists, blocks, snapshots, what became of it."""

import asyncio
from pathlib import Path

import pytest
from solders.compute_budget import set_compute_unit_limit
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain import ChainError, ChainUnreachable, Listed
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.records import Commitment
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    LAMPORTS,
    TOKENOMICS,
    RpcSite,
    Site,
    initialize,
    new_chain,
    pay,
)

CONFIRMED, FINALIZED = Commitment.CONFIRMED, Commitment.FINALIZED
NOBODY = Signature.default()
A = ALICE.pubkey()


async def signed(site: Site, lamports: int = 7) -> VersionedTransaction:
    latest = await site.chain.blockhash()
    message = MessageV0.try_compile(A, [pay(lamports), set_compute_unit_limit(9_999)], [], latest.hash)
    return VersionedTransaction(message, [ALICE])


async def test_pages_newest_first(site: Site) -> None:
    records = [site.execute([pay(number)], [ALICE]) for number in range(1, 7)]
    failed = site.execute([pay(LAMPORTS)], [ALICE])
    expected = [Listed(each.signature, each.slot, False, 0) for each in records]
    expected.append(Listed(failed.signature, failed.slot, True, 0))
    names = [each.signature for each in expected]
    listed = site.chain.signatures
    assert await listed(A, CONFIRMED) == expected[::-1]
    assert await listed(A, CONFIRMED, limit=2) == expected[:-3:-1]
    assert await listed(A, CONFIRMED, before=names[5], limit=2) == [expected[4], expected[3]]
    assert await listed(A, CONFIRMED, before=names[5], until=names[3]) == [expected[4]]
    assert await listed(A, CONFIRMED, until=names[6]) == []
    assert await listed(A, CONFIRMED, before=names[0]) == []
    assert await listed(A, CONFIRMED, until=NOBODY) == expected[::-1]
    assert await listed(Pubkey(b"\x88" * 32), CONFIRMED) == []


async def test_records_and_blocks(site: Site) -> None:
    first, second = site.execute([pay(1)], [ALICE]), site.execute([pay(2)], [ALICE])
    found = await site.chain.records([second.signature, NOBODY, first.signature])
    assert found == [second, None, first]
    assert await site.chain.records([]) == []
    assert await site.chain.block(first.slot) == [first.signature]
    assert await site.chain.slot(CONFIRMED) == await site.chain.slot(FINALIZED) == second.slot


async def test_a_snapshot_has_every_account_and_its_slot(site: Site) -> None:
    slot, found = await site.chain.snapshot(TOKENOMICS.address)
    assert (slot, found) == (await site.chain.slot(FINALIZED), {})
    record = site.execute([initialize()], [ADMIN])
    slot, found = await site.chain.snapshot(TOKENOMICS.address, min_slot=record.slot)
    assert slot == record.slot
    assert found == await site.chain.program_accounts(TOKENOMICS.address)
    assert len(found) == 1


async def test_a_transaction_that_is_broadcast(site: Site) -> None:
    transaction = await signed(site)
    (_, height), latest = await site.chain.tip(), await site.chain.blockhash()
    assert height <= latest.last_valid_height
    (nothing,) = await site.chain.statuses(transaction.signatures)
    assert nothing is None
    for _ in range(3):
        await site.chain.broadcast(transaction)
    (status, nobody) = await site.chain.statuses([transaction.signatures[0], NOBODY])
    assert nobody is None
    assert status is not None
    assert (status.slot, status.commitment, status.error) == (2, FINALIZED, None)
    (record,) = await site.chain.records(transaction.signatures)
    assert record is not None
    assert (record.slot, record.error) == (2, None)
    assert len(await site.chain.signatures(A, CONFIRMED)) == 1


async def test_a_failure_that_is_broadcast(site: Site) -> None:
    transaction = await signed(site, LAMPORTS)
    await site.chain.broadcast(transaction)
    (status,) = await site.chain.statuses(transaction.signatures)
    assert status is not None
    assert status.error == "instruction 0: custom error 1"


async def test_the_fees_of_recent_slots(site: Site) -> None:
    assert await site.chain.recent_fees([A]) == []


# -- what each does in its own way --------------------------------------------------------------------


async def test_a_blockhash_of_an_embedded_chain_lives_for_one_transaction(embedded: EmbeddedChain) -> None:
    site = Site(embedded, embedded, embedded.execute)
    late, latest = await signed(site), await embedded.blockhash()
    embedded.execute([pay(1)], [ALICE])
    assert (await embedded.tip()).height > latest.last_valid_height
    await embedded.broadcast(late)
    assert await embedded.statuses(late.signatures) == [None]


async def test_a_chain_in_a_file_is_final_as_far_as_it_is_saved(tmp_path: Path) -> None:
    chain = new_chain()
    first = chain.execute([pay(1)], [ALICE])
    assert chain.all_final
    chain.save(tmp_path / "chain")
    chain = EmbeddedChain.load(tmp_path / "chain")
    assert chain.all_final
    second = chain.execute([initialize()], [ADMIN])
    assert not chain.all_final
    assert (await chain.slot(CONFIRMED), await chain.slot(FINALIZED)) == (second.slot, first.slot)
    assert await chain.signatures(ADMIN.pubkey(), FINALIZED) == []
    assert len(await chain.signatures(ADMIN.pubkey(), CONFIRMED)) == 1
    found = await chain.statuses([first.signature, second.signature])
    assert [each and each.commitment for each in found] == [FINALIZED, CONFIRMED]
    with pytest.raises(ChainUnreachable, match="isn't in its file"):
        await chain.snapshot(TOKENOMICS.address)
    chain.save(tmp_path / "chain")
    assert chain.all_final
    assert (await chain.snapshot(TOKENOMICS.address))[0] == second.slot
    assert len(await chain.signatures(ADMIN.pubkey(), FINALIZED)) == 1


async def test_an_embedded_chain_tells_that_it_was_called(embedded: EmbeddedChain) -> None:
    waiting = asyncio.create_task(embedded.changed([TOKENOMICS.address]))
    await asyncio.sleep(0)
    assert not waiting.done()
    embedded.execute([initialize()], [ADMIN])
    await asyncio.wait_for(waiting, 1)


async def test_finality_of_a_node(rpc: RpcSite) -> None:
    records = [rpc.execute([pay(number)], [ALICE]) for number in range(1, 5)]
    rpc.node.faults.finality_lag = 2
    assert await rpc.chain.slot(FINALIZED) == records[1].slot
    assert [each.signature for each in await rpc.chain.signatures(A, FINALIZED)] == [
        records[1].signature,
        records[0].signature,
    ]
    assert len(await rpc.chain.signatures(A, CONFIRMED)) == 4
    found = await rpc.chain.statuses([records[1].signature, records[2].signature])
    assert [each and each.commitment for each in found] == [FINALIZED, CONFIRMED]


async def test_a_node_that_is_behind_says_so(rpc: RpcSite) -> None:
    slot = rpc.execute([pay(1)], [ALICE]).slot
    assert len(await rpc.chain.signatures(A, CONFIRMED, min_slot=slot)) == 1
    with pytest.raises(ChainUnreachable, match="is behind"):
        await rpc.chain.signatures(A, CONFIRMED, min_slot=slot + 1)
    rpc.node.faults.finality_lag = 1
    with pytest.raises(ChainUnreachable, match="is behind"):
        await rpc.chain.signatures(A, FINALIZED, min_slot=slot)


async def test_a_node_that_lists_no_positions(rpc: RpcSite) -> None:
    rpc.execute([pay(1)], [ALICE])
    rpc.node.faults.knows_positions = False
    (listed,) = await rpc.chain.signatures(A, CONFIRMED)
    assert listed.position is None


async def test_more_statuses_than_a_call_takes(rpc: RpcSite) -> None:
    record = rpc.execute([pay(1)], [ALICE])
    found = await rpc.chain.statuses([NOBODY] * 300 + [record.signature])
    assert found[:300] == [None] * 300
    assert found[300] is not None


async def test_fees_that_a_node_tells(rpc: RpcSite) -> None:
    rpc.node.faults.fees = [0, 5, 9]
    assert await rpc.chain.recent_fees([A]) == [0, 5, 9]


async def test_a_block_that_a_node_hasnt_got(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pruned(slot: int, config: object) -> None:
        return None

    monkeypatch.setattr(rpc.node, "_rpc_getBlock", pruned)
    with pytest.raises(ChainError, match="longer history"):
        await rpc.chain.block(2)
