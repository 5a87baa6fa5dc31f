"""The chain behind the node: its clock, its faucet, transactions of every kind, a file gone on from."""

from __future__ import annotations

import struct
from pathlib import Path

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.system_program import (
    AdvanceNonceAccountParams,
    CreateAccountParams,
    InitializeNonceAccountParams,
    advance_nonce_account,
    create_account,
    initialize_nonce_account,
)
from solders.transaction import VersionedTransaction

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import associated_token_address
from keeper.chain.heads import APART
from keeper.chain.token import balance
from keeper.clients import buyback, tokenomics
from keeper.clients.tokenomics import read_supply
from keeper.demo import beginning
from keeper.economy.buyback import USDC
from keeper.economy.supply import IO
from keeper.localnet import faucet
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node, treasury_in
from tests.keeper.chain.conftest import ALICE, BOB, LAMPORTS, pay
from tests.keeper.localnet.conftest import GENESIS, NOW, Local, new
from tests.keeper.localnet.test_methods import B64, encoded


class Hands:
    """A clock that is moved by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def clocked() -> tuple[LocalChain, Hands]:
    chain, hands = LocalChain(now=NOW, genesis=GENESIS), Hands()
    chain._clock, chain._ticked = hands, hands.seconds  # type: ignore[method-assign]
    return chain, hands


def test_time_passes_as_fast_as_it_is_told_to() -> None:
    """At 2.5 slots for each of its seconds; a clock that stands makes blocks, too."""
    chain, hands = clocked()
    for _ in range(10):
        hands.seconds += 0.4
        chain.tick()
    assert (chain.now(), chain.newest_slot(), chain.height) == (NOW + 4, 1 + 10, 1 + 10)
    chain.set_speed(3_600)
    hands.seconds += 0.5
    chain.tick()
    assert (chain.now(), chain.newest_slot(), chain.height) == (NOW + 4 + 1_800, 11 + 4_500, 12)
    chain.set_speed(0)
    hands.seconds += 1_000
    chain.tick()
    assert (chain.now(), chain.newest_slot(), chain.height) == (NOW + 1_804, 4_512, 13)
    chain.advance(100)
    assert (chain.now(), chain.newest_slot()) == (NOW + 1_904, 4_544)  # A leap has no blocks but its last.


async def test_the_clock_over_rpc(local: Local) -> None:
    assert await local.ask("ionet_advance", 3_600) == {
        "slot": 2 + APART,
        "unixTimestamp": NOW + 3_600,
        "speed": 0.0,
    }
    assert (await local.ask("ionet_setSpeed", 60))["speed"] == 60.0
    assert await local.ask("getBlockTime", 2 + APART) == NOW + 3_600


def test_a_saved_chain_is_gone_on_from(tmp_path: Path) -> None:
    """Whatever this machine's clock says; all that happened on it can be asked for whole."""
    node = new()
    chain = node.chain
    chain.advance(10**9)
    record = chain.execute([pay(5)], [ALICE])
    chain.save(tmp_path / "chain")
    again = LocalChain.load(tmp_path / "chain")
    assert (again.now(), again.newest_slot()) == (chain.now(), chain.newest_slot())
    assert again.whole(record.signature) == chain.whole(record.signature)
    faucets = Node(again).faucet.pubkey(), node.faucet.pubkey()
    assert faucets[0] == faucets[1]
    assert again.execute([pay(5)], [ALICE]).error is None
    again.save(tmp_path / "chain")
    assert len(EmbeddedChain.load(tmp_path / "chain").transactions()) == 3


async def test_the_faucet_leaves_the_supply_as_it_was(tmp_path: Path) -> None:
    """SOL from nothing; IO and USDC from their owner, as far as it has any."""
    await beginning.begin(tmp_path / "chain")
    beginning.write_keys(tmp_path / "keys")
    treasury = treasury_in(tmp_path / "keys")
    node = Node(LocalChain.load(tmp_path / "chain"), treasury)
    before, to = await read_supply(node.chain), Keypair().pubkey()
    given = await faucet.give(node, to)
    assert {name: given[name] for name in ("sol", "io", "usdc")} == {
        "sol": 10 * 10**9,
        "io": 10_000 * IO,
        "usdc": 1_000 * USDC,
    }
    config = await buyback.read_config(node.chain)
    assert config is not None
    held = [
        balance(node.chain.get(associated_token_address(to, mint)))
        for mint in (tokenomics.MINT, config.usdc_mint)
    ]
    assert held == [10_000 * IO, 1_000 * USDC]
    after = await read_supply(node.chain)
    assert (after.supply, after.circulating) == (before.supply, before.circulating)
    node.treasury = None
    assert (await faucet.give(node, to))["io"] == 0
    account = node.chain.get(to)
    assert account is not None and account.lamports == 20 * 10**9


async def test_legacy_transactions(local: Local) -> None:
    blockhash = local.node.chain.latest_blockhash()
    message = Message.new_with_blockhash([pay(5)], ALICE.pubkey(), blockhash)
    sent = VersionedTransaction(message, [ALICE])
    signature = await local.ask("sendTransaction", encoded(sent), B64)
    found = await local.ask("getTransaction", signature)
    assert "version" not in found and found["meta"]["err"] is None
    known = {"maxSupportedTransactionVersion": 0}
    assert (await local.ask("getTransaction", signature, known))["version"] == "legacy"


TABLES = "AddressLookupTab1e1111111111111111111111111"


async def test_transactions_with_lookup_tables(local: Local) -> None:
    """What is looked up is shown beside what is named, and is found by its address."""
    from solders.address_lookup_table_account import AddressLookupTableAccount  # noqa: PLC0415
    from solders.pubkey import Pubkey  # noqa: PLC0415

    from keeper.chain import Account  # noqa: PLC0415

    chain, place, target = local.node.chain, Pubkey(b"\x41" * 32), Pubkey(b"\x42" * 32)
    meta = struct.pack("<IQQBB32sH", 1, 2**64 - 1, 0, 0, 1, bytes(ALICE.pubkey()), 0)
    chain.set_account(place, Account(10**9, meta + bytes(target), Pubkey.from_string(TABLES)))
    chain.advance(10)
    table = AddressLookupTableAccount(place, [target])
    message = MessageV0.try_compile(
        ALICE.pubkey(), [pay(10**9, to=target)], [table], chain.latest_blockhash()
    )
    sent = VersionedTransaction(message, [ALICE])
    signature = await local.ask("sendTransaction", encoded(sent), B64)
    known = {"maxSupportedTransactionVersion": 0}
    found = await local.ask("getTransaction", signature, known)
    assert found["meta"]["loadedAddresses"] == {"writable": [str(target)], "readonly": []}
    assert found["meta"]["postBalances"][-1] == 10**9
    (listed,) = await local.ask("getSignaturesForAddress", str(target))
    assert listed["signature"] == signature
    parsed = await local.ask("getTransaction", signature, {**known, "encoding": "jsonParsed"})
    assert parsed["transaction"]["message"]["accountKeys"][-1] == {
        "pubkey": str(target),
        "writable": True,
        "signer": False,
        "source": "lookupTable",
    }


async def test_a_durable_nonce_never_expires_and_is_used_once(local: Local) -> None:
    """As multisigs and the Solana CLI sign offline."""
    chain, nonce = local.node.chain, Keypair()
    rent = await local.ask("getMinimumBalanceForRentExemption", 80)
    opening = [
        create_account(
            CreateAccountParams(
                from_pubkey=ALICE.pubkey(),
                to_pubkey=nonce.pubkey(),
                lamports=rent,
                space=80,
                owner=pay(1).program_id,
            )
        ),
        initialize_nonce_account(
            InitializeNonceAccountParams(nonce_pubkey=nonce.pubkey(), authority=ALICE.pubkey())
        ),
    ]
    await local.ask("sendTransaction", encoded(local.signed(opening, ALICE, nonce)), B64)
    account = chain.get(nonce.pubkey())
    assert account is not None
    use = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=nonce.pubkey(), authorized_pubkey=ALICE.pubkey())
    )
    message = MessageV0.try_compile(ALICE.pubkey(), [use, pay(9)], [], Hash(account.data[40:72]))
    sent = VersionedTransaction(message, [ALICE])
    chain.expire_blockhashes()
    await local.ask("sendTransaction", encoded(sent), B64)
    after = chain.get(nonce.pubkey())
    assert after is not None and after.data[40:72] != account.data[40:72]
    error = await local.refused("sendTransaction", encoded(sent), B64)
    assert error["data"]["err"] == "AlreadyProcessed"
    bob = chain.get(BOB.pubkey())
    assert bob is not None and bob.lamports == LAMPORTS + 9


async def test_memos_are_listed(local: Local) -> None:
    from solders.pubkey import Pubkey  # noqa: PLC0415

    memo = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
    note = Instruction(memo, b"for coffee", [AccountMeta(ALICE.pubkey(), True, False)])
    await local.ask("sendTransaction", encoded(local.signed([note], ALICE)), B64)
    (found,) = await local.ask("getSignaturesForAddress", str(memo))
    assert found["memo"] == "[10] for coffee"
