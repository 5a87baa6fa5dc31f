"""Saving an embedded chain and loading it: nothing changes, nothing is lost, no damage is missed."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Account, ChainError, snapshot
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import TOKEN_PROGRAM, UPGRADEABLE_LOADER, associated_token_address
from keeper.chain.token import burn, create_associated, mint_to, read_token_account, transfer
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    BOB,
    LAMPORTS,
    STRANGER,
    TOKENOMICS,
    add_allocation,
    initialize,
    new_chain,
    pay,
)

MINT = TOKENOMICS.pda("launch", "mint")
CONFIG = TOKENOMICS.pda("launch", "config")


def used_chain() -> EmbeddedChain:
    """A chain with a config, a mint, two rows of the table, a failure, and time that has passed."""
    chain = new_chain()
    assert chain.execute([initialize()], [ADMIN]).error is None
    assert chain.execute([add_allocation(0), add_allocation(1)], [ADMIN]).error is None
    assert chain.execute([pay(LAMPORTS)], [ALICE]).error is not None
    assert chain.execute([create_associated(ALICE.pubkey(), BOB.pubkey(), MINT)], [ALICE]).error is None
    chain.advance(86_400)
    return chain


async def test_a_loaded_chain_is_the_same_chain(tmp_path: Path) -> None:
    chain = used_chain()
    chain.set_account(STRANGER, Account(2**64 - 1, b"\x00\xff" * 10, TOKENOMICS.address))
    chain.save(tmp_path / "chain")
    loaded = EmbeddedChain.load(tmp_path / "chain")
    assert await loaded.genesis_hash() == await chain.genesis_hash()
    assert await loaded.clock() == await chain.clock()
    assert loaded.transactions() == chain.transactions()
    everybody = [ADMIN.pubkey(), ALICE.pubkey(), BOB.pubkey(), STRANGER, MINT, CONFIG, TOKENOMICS.address]
    assert await loaded.accounts(everybody) == await chain.accounts(everybody)
    for owner in (TOKENOMICS.address, TOKEN_PROGRAM, UPGRADEABLE_LOADER):
        assert await loaded.program_accounts(owner) == await chain.program_accounts(owner)
    for address in everybody:
        assert await loaded.history(address) == await chain.history(address)
    assert len(await loaded.history(ALICE.pubkey())) == 2


def test_programs_go_on_after_loading(tmp_path: Path) -> None:
    chain = used_chain()
    chain.save(tmp_path / "chain")
    loaded = EmbeddedChain.load(tmp_path / "chain")
    records = [each.execute([add_allocation(2)], [ADMIN]) for each in (chain, loaded)]
    assert records[0].error is None
    assert records[0] == records[1]
    assert [event.name for event in TOKENOMICS.events(records[1])] == ["AllocationAdded"]
    found = loaded.get(CONFIG)
    assert found is not None
    assert TOKENOMICS.account("Config", found.data)["allocations"] == 3


def test_no_transaction_can_be_made_again_after_loading(tmp_path: Path) -> None:
    chain = new_chain()
    before = [chain.execute([pay(1)], [ALICE]).signature for _ in range(3)]
    chain.save(tmp_path / "chain")
    loaded = EmbeddedChain.load(tmp_path / "chain")
    after = [loaded.execute([pay(1)], [ALICE]).signature for _ in range(3)]
    assert len({*before, *after}) == 6


def test_tokens_after_loading(tmp_path: Path) -> None:
    """Balances that a token program wrote before are moved and burned after."""
    mint = Pubkey(b"\x31" * 32)
    alice, bob = (associated_token_address(each.pubkey(), mint) for each in (ALICE, BOB))
    chain = new_chain()
    authority = b"\x01\x00\x00\x00" + bytes(ADMIN.pubkey())
    data = authority + (1_000).to_bytes(8, "little") + b"\x06\x01" + bytes(36)
    chain.set_account(mint, Account(10**9, data, TOKEN_PROGRAM))
    for keypair in (ALICE, BOB):
        chain.execute([create_associated(ADMIN.pubkey(), keypair.pubkey(), mint)], [ADMIN])
    grant = b"\x07" + (1_000).to_bytes(8, "little")
    metas = [AccountMeta(mint, False, True), AccountMeta(alice, False, True)]
    metas.append(AccountMeta(ADMIN.pubkey(), True, False))
    assert chain.execute([Instruction(TOKEN_PROGRAM, grant, metas)], [ADMIN]).error is None
    chain.save(tmp_path / "chain")
    loaded = EmbeddedChain.load(tmp_path / "chain")
    orders = [transfer(alice, bob, ALICE.pubkey(), 300), burn(alice, mint, ALICE.pubkey(), 50)]
    assert loaded.execute(orders, [ALICE]).error is None
    balances = [read_token_account(found.data).amount for each in (alice, bob) if (found := loaded.get(each))]
    assert balances == [650, 300]


def test_loading_what_was_loaded(tmp_path: Path) -> None:
    used_chain().save(tmp_path / "one")
    EmbeddedChain.load(tmp_path / "one").save(tmp_path / "two")
    dumps = []
    for name in ("one", "two"):
        connection = sqlite3.connect(tmp_path / name)
        dumps.append(sorted(connection.iterdump()))
        connection.close()
    assert dumps[0] == dumps[1]


# -- crashes and damage -----------------------------------------------------------------------------


def small_chain() -> EmbeddedChain:
    chain = EmbeddedChain(now=5)
    chain.airdrop(ALICE.pubkey(), LAMPORTS)
    chain.execute([pay(10**9)], [ALICE])
    return chain


async def balance(path: Path) -> int:
    (account,) = await EmbeddedChain.load(path).accounts([BOB.pubkey()])
    return account.lamports if account else 0


@pytest.mark.parametrize("step", ["_to_json", "_digest"])
async def test_a_crash_while_saving_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "chain"
    chain = small_chain()
    chain.save(path)
    old = path.read_bytes()
    chain.execute([pay(5)], [ALICE])

    def crash(*arguments: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, step, crash)
        with pytest.raises(MemoryError):
            chain.save(path)
    assert path.read_bytes() == old
    assert await balance(path) == 10**9
    chain.save(path)
    assert await balance(path) == 10**9 + 5


POWER_CUT = """
import os, pathlib, sys
from keeper.chain.embedded import EmbeddedChain
pathlib.Path.replace = lambda *_: os._exit(7)
path = pathlib.Path(sys.argv[1])
chain = EmbeddedChain.load(path)
chain.advance(60)
chain.save(path)
"""


def test_a_power_cut_while_saving_leaves_the_old_file(tmp_path: Path) -> None:
    """The process ends between writing the new file and putting it in place."""
    path = tmp_path / "chain"
    chain = small_chain()
    chain.save(path)
    old = path.read_bytes()
    child = subprocess.run([sys.executable, "-c", POWER_CUT, str(path)], check=False, timeout=60)
    assert child.returncode == 7
    assert (tmp_path / "chain.new").is_file()
    assert path.read_bytes() == old
    chain.save(path)
    assert {each.name for each in tmp_path.iterdir()} == {"chain", "chain.lock"}


def test_saving_makes_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "50%?#" / "chain"
    small_chain().save(path)
    assert len(EmbeddedChain.load(path).transactions()) == 1


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ChainError, match=f"{re.escape(str(path))}: no saved chain here"):
            EmbeddedChain.load(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"SQLite format 3\0" + bytes(84)], ids=["empty", "json", "head"]
)
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chain"
    path.write_bytes(content)
    with pytest.raises(ChainError, match="not a saved chain, or damaged"):
        EmbeddedChain.load(path)
    assert path.read_bytes() == content


def test_a_file_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "chain"
    small_chain().save(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE chain SET format = format + 1")
    connection.close()
    with pytest.raises(ChainError, match="another version"):
        EmbeddedChain.load(path)


def test_a_file_of_the_version_before(tmp_path: Path) -> None:
    """It had records alone: they are read, saved in the format of now, and what comes then is whole."""
    path = tmp_path / "chain"
    chain = small_chain()
    chain.save(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE chain SET format = ?", (snapshot.RECORDS_ALONE,))
        connection.execute("DROP TABLE whole")
        digest = snapshot._digest(connection, snapshot.RECORDS_ALONE)
        connection.execute("UPDATE digest SET sha256 = ?", (digest,))
    connection.close()
    for _ in range(2):
        loaded = EmbeddedChain.load(path)
        (before,) = chain.transactions()
        assert loaded.transactions()[0] == before
        assert loaded.whole(before.signature) is None
        loaded.save(path)
    after = loaded.execute([pay(7)], [ALICE])
    loaded.save(path)
    whole = EmbeddedChain.load(path).whole(after.signature)
    assert whole is not None
    assert whole.after[1] - whole.before[1] == 7


def test_transactions_are_saved_whole(tmp_path: Path) -> None:
    """Bytes, lamports and tokens of each, of one that failed as well."""
    chain = used_chain()
    mint = Pubkey(b"\x31" * 32)
    alice, bob = (associated_token_address(each.pubkey(), mint) for each in (ALICE, BOB))
    authority = b"\x01\x00\x00\x00" + bytes(ADMIN.pubkey())
    chain.set_account(mint, Account(10**9, authority + bytes(8) + b"\x06\x01" + bytes(36), TOKEN_PROGRAM))
    made = chain.execute(
        [
            create_associated(ADMIN.pubkey(), ALICE.pubkey(), mint),
            mint_to(mint, alice, ADMIN.pubkey(), 1_000),
        ],
        [ADMIN],
    )
    create = create_associated(ADMIN.pubkey(), BOB.pubkey(), mint)
    paid = chain.execute([create, transfer(alice, bob, ALICE.pubkey(), 300)], [ADMIN, ALICE])
    refused = chain.execute([transfer(alice, bob, ALICE.pubkey(), 701)], [ADMIN, ALICE])
    chain.save(tmp_path / "chain")
    loaded = EmbeddedChain.load(tmp_path / "chain")
    for record in chain.transactions():
        whole = loaded.whole(record.signature)
        assert whole == chain.whole(record.signature)
        assert whole is not None
        assert whole.transaction().signatures[0] == record.signature
        assert len(whole.before) == len(whole.after) == len(whole.transaction().message.account_keys)
        assert sum(whole.before) - sum(whole.after) == record.fee
    seen = []
    for record in (made, paid, refused):
        whole = loaded.whole(record.signature)
        assert whole is not None
        keys = whole.transaction().message.account_keys
        seen.append({(keys[each.place], each.owner, each.before, each.after) for each in whole.tokens})
        assert {(each.mint, each.program, each.decimals) for each in whole.tokens} == {
            (mint, TOKEN_PROGRAM, 6)
        }
    assert seen == [
        {(alice, ALICE.pubkey(), None, 1_000)},
        {(alice, ALICE.pubkey(), 1_000, 700), (bob, BOB.pubkey(), None, 300)},
        {(alice, ALICE.pubkey(), 700, 700), (bob, BOB.pubkey(), 300, 300)},
    ]
    failed = loaded.whole(refused.signature)
    assert failed is not None
    assert failed.error == {"InstructionError": [0, {"Custom": 1}]}
    assert loaded.whole(Signature.default()) is None


CHANGES = {
    "genesis": "UPDATE chain SET genesis = '11111111111111111111111111111111'",
    "slot": "UPDATE chain SET slot = slot + 1",
    "lamports": "UPDATE account SET lamports = lamports + 1 WHERE rowid = 1",
    "owner": "UPDATE account SET owner = address WHERE rowid = 1",
    "data": "UPDATE account SET data = zeroblob(5) WHERE rowid = 1",
    "a lost account": "DELETE FROM account WHERE rowid = 1",
    "a lost record": "DELETE FROM record",
    "a lost address": "DELETE FROM record_address WHERE rowid = 1",
    "a lost transaction": "DELETE FROM whole",
    "a transaction's bytes": "UPDATE whole SET wire = zeroblob(5)",
    "a record's text": "UPDATE record SET content = replace(content, '5000', '5001')",
    "no digest": "DELETE FROM digest",
    "no table": "DROP TABLE record",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_changed_content(tmp_path: Path, change: str) -> None:
    path = tmp_path / "chain"
    small_chain().save(path)
    with sqlite3.connect(path) as connection:
        assert connection.execute(change).rowcount != 0
    connection.close()
    with pytest.raises(ChainError, match="not a saved chain, or damaged"):
        EmbeddedChain.load(path)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, snapshot.Snapshot, Path]:
    path = tmp_path_factory.mktemp("saved") / "chain"
    small_chain().save(path)
    return path.read_bytes(), snapshot.Snapshot.read(path), path


@given(data=st.data())
@settings(derandomize=True, max_examples=150, deadline=None)
def test_a_damaged_byte_is_noticed_or_means_nothing(
    saved: tuple[bytes, snapshot.Snapshot, Path], data: st.DataObject
) -> None:
    whole, content, path = saved
    position = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[position] ^ data.draw(st.integers(1, 255))
    path.write_bytes(whole[:position] + bytes([flipped]) + whole[position + 1 :])
    try:
        assert snapshot.Snapshot.read(path) == content
    except ChainError as error:
        assert str(path) in str(error)


@given(data=st.data())
@settings(derandomize=True, max_examples=30, deadline=None)
def test_a_file_cut_short(saved: tuple[bytes, snapshot.Snapshot, Path], data: st.DataObject) -> None:
    whole, _, path = saved
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ChainError, match=r"damaged|version"):
        snapshot.Snapshot.read(path)
