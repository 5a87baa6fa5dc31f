"""The embedded chain's own: clock, identity, transactions signed elsewhere."""

import time
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain import Clock
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.chain.saved import SavedChain
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    BOB,
    LAMPORTS,
    TOKENOMICS,
    initialize,
    new_chain,
    pay,
)

MINT = TOKENOMICS.pda("launch", "mint")
CONFIG = TOKENOMICS.pda("launch", "config")


def signed(chain: EmbeddedChain, instruction: Instruction, signer: Keypair) -> VersionedTransaction:
    message = MessageV0.try_compile(signer.pubkey(), [instruction], [], chain.latest_blockhash())
    return VersionedTransaction(message, [signer])


def test_slots_only_move_forwards() -> None:
    chain = EmbeddedChain(now=100)
    assert chain.now() == 100
    chain.advance(40)
    chain.warp_to(10)
    assert chain.now() == 10
    chain.warp_to(20)
    assert chain.execute([], [ALICE]).slot == 1 + 100 + 25 + 1


async def test_following_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = 1_000.0
    monkeypatch.setattr(time, "time", lambda: wall)
    chain = EmbeddedChain(now=2_000)
    chain.follow_wall_clock()
    assert await chain.clock() == Clock(1, 2_000)
    wall = 2_000.9
    assert chain.now() == 2_000
    wall = 2_007.5
    assert await chain.clock() == Clock(18, 2_007)
    chain.airdrop(ALICE.pubkey(), LAMPORTS)
    record = chain.execute([pay(10**9)], [ALICE])
    assert (record.slot, record.time) == (19, 2_007)


async def test_a_chain_with_a_clock_of_its_own_goes_on_from_where_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long its file has lain there, and however often it is opened to look."""
    wall = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: wall)
    EmbeddedChain(now=2_000, own_clock=True).save(tmp_path / "chain")
    for _ in range(2):
        wall += 500_000
        chain = EmbeddedChain.load(tmp_path / "chain")
        assert chain.now() == 2_000
        chain.follow_wall_clock()
        assert chain.now() == 2_000
        wall += 7
        assert await chain.clock() == Clock(18, 2_007)
    chain.warp_to(3_000)
    assert chain.now() == 3_000
    chain.save(tmp_path / "chain")
    wall += 500_000
    again = SavedChain.load(tmp_path / "chain")
    again.follow_wall_clock()
    assert again.now() == 3_000
    wall += 10
    again.refresh()
    assert again.now() == 3_010


async def test_every_chain_has_its_own_identity() -> None:
    hashes = {await EmbeddedChain().genesis_hash() for _ in range(5)}
    assert len(hashes) == 5
    given = Hash(b"\x07" * 32)
    assert await EmbeddedChain(genesis=given).genesis_hash() == str(given)


def test_a_program_has_its_upgrade_authority(embedded: EmbeddedChain) -> None:
    address, _ = Pubkey.find_program_address([bytes(TOKENOMICS.address)], UPGRADEABLE_LOADER)
    data = embedded.get(address)
    assert data is not None
    assert data.owner == UPGRADEABLE_LOADER
    assert data.data[12:45] == b"\x01" + bytes(ADMIN.pubkey())
    usurped = embedded.execute([initialize(admin=ALICE)], [ALICE])
    assert usurped.code is not None
    assert TOKENOMICS.error(usurped.code).name == "NotUpgradeAuthority"


# -- transactions signed elsewhere ----------------------------------------------------------------


async def test_submitting_the_same_transaction_twice(embedded: EmbeddedChain) -> None:
    transaction = signed(embedded, pay(5), ALICE)
    first = embedded.submit(transaction)
    second = embedded.submit(transaction)
    assert first.error is None
    assert (second.error, second.fee) == ("BlockhashNotFound", 0)
    assert await embedded.history(ALICE.pubkey()) == [first]
    bob = embedded.get(BOB.pubkey())
    assert bob is not None
    assert bob.lamports == LAMPORTS + 5


async def test_a_forged_signature(embedded: EmbeddedChain) -> None:
    good = signed(embedded, pay(5), ALICE)
    forged = VersionedTransaction.populate(good.message, [BOB.sign_message(b"something else")])
    assert embedded.submit(forged).error == "SignatureFailure"
    assert await embedded.history(ALICE.pubkey()) == []
    trusting = new_chain(verify_signatures=False)
    good = signed(trusting, pay(5), ALICE)
    assert trusting.submit(VersionedTransaction.populate(good.message, forged.signatures)).error is None


def test_rehearsing_changes_nothing(embedded: EmbeddedChain) -> None:
    transaction = signed(embedded, pay(5), ALICE)
    assert embedded.rehearse(transaction).error is None
    assert embedded.rehearse(transaction).error is None
    assert embedded.transactions() == []
    record = embedded.submit(transaction)
    assert embedded.transactions() == [record]
