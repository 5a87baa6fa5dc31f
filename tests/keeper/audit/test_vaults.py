"""Vaults and the mint shown otherwise, or emptied behind the programs' back."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.audit.findings import Code, Exit, Report
from keeper.chain import Account
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import read_token_account
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.supply import IO
from tests.keeper.audit.falsified import Falsified, audited
from tests.keeper.audit.world import MidLife
from tests.programs.buyback.world import USDC_MINT, USDC_VAULT
from tests.programs.staking.world import StakingWorld
from tests.programs.world import finish, key

VAULTS = {
    "vesting": tokenomics.GENESIS_VAULT,
    "rewards": tokenomics.REWARD_VAULT,
    "stakes": staking.STAKE_VAULT,
    "airdrop season 1": tokenomics.season_vault_address(1),
    "fees in IO": buyback.IO_VAULT,
    "fees in USDC": USDC_VAULT,
    "parked IO": orders.parked_vault_address(tokenomics.MINT),
    "parked USDC": orders.parked_vault_address(USDC_MINT),
    "order": Pubkey.default(),
}
OWING = {"vesting", "rewards", "stakes", "airdrop season 1", "fees in USDC", "parked IO", "order"}
SOMEBODY = key("somebody").pubkey()


def vault(true: EmbeddedChain, name: str) -> tuple[Pubkey, Account, str]:
    """A vault's address, account, and name in findings."""
    address = VAULTS[name]
    if name == "order":
        at, order = next(
            (at, each) for at, each in finish(orders.read_orders(true)).items() if each.deposit > each.paid
        )
        address, name = order.vault, f"order {at}"
    account = true.get(address)
    assert account is not None
    return address, account, name


def with_amount(account: Account, amount: int) -> Account:
    return replace(account, data=account.data[:64] + struct.pack("<Q", amount) + account.data[72:])


@pytest.mark.parametrize("name", VAULTS)
async def test_a_base_unit_that_is_missing(true: EmbeddedChain, name: str) -> None:
    """By no transaction that is listed: and where somebody is owed it, the vault is short."""
    address, account, named = vault(true, name)
    held = read_token_account(account.data).amount
    short = name in OWING
    shown = with_amount(account, held - 1 if held else held + 1)
    found = (await audited(Falsified(true, {address: shown}))).findings
    assert {each.where for each in found} == {str(address)}
    assert [each.code for each in found] == [Code.VAULT_MOVED_UNSEEN] + [Code.VAULT_SHORT] * short
    first = found[0]
    assert (first.row, first.expected, first.signer) == (f"{named}, now", held, None)
    assert first.found == read_token_account(shown.data).amount


@pytest.mark.parametrize("name", VAULTS)
@pytest.mark.parametrize(
    ("row", "at", "value"),
    [
        ("mint", 0, bytes(SOMEBODY)),
        ("owner", 32, bytes(SOMEBODY)),
        ("delegate", 72, struct.pack("<I", 1) + bytes(SOMEBODY)),
        ("who may close it", 129, struct.pack("<I", 1) + bytes(SOMEBODY)),
    ],
)
async def test_a_vault_that_others_have_a_hand_in(
    true: EmbeddedChain, name: str, row: str, at: int, value: bytes
) -> None:
    address, account, named = vault(true, name)
    data = account.data[:at] + value + account.data[at + len(value) :]
    (found,) = (await audited(Falsified(true, {address: replace(account, data=data)}))).findings
    assert (found.code, found.where, found.row) == (
        Code.VAULT_CHANGED_HANDS,
        str(address),
        f"{named}, {row}",
    )
    assert found.found == str(SOMEBODY)


@pytest.mark.parametrize("name", VAULTS)
async def test_a_vault_that_is_gone(true: EmbeddedChain, name: str) -> None:
    address, account, _ = vault(true, name)
    held = read_token_account(account.data).amount
    found = (await audited(Falsified(true, {address: None}))).findings
    assert [each.code for each in found] == [Code.VAULT_MISSING] + [Code.VAULT_SHORT] * (name in OWING)
    assert (found[0].expected, found[0].found) == (held, None)
    assert {each.where for each in found} == {str(address)}


@pytest.mark.parametrize(
    ("code", "row", "at", "value"),
    [
        (Code.MINT_DIFFERS, "supply", 36, b"\xff"),
        (Code.MINT_CHANGED_HANDS, "authority", 4, bytes(SOMEBODY)),
        (Code.MINT_CHANGED_HANDS, "freeze authority", 46, struct.pack("<I", 1) + bytes(SOMEBODY)),
    ],
)
async def test_a_mint_that_is_shown_otherwise(
    true: EmbeddedChain, code: Code, row: str, at: int, value: bytes
) -> None:
    account = true.get(tokenomics.MINT)
    assert account is not None
    data = account.data[:at] + value + account.data[at + len(value) :]
    part = await audited(Falsified(true, {tokenomics.MINT: replace(account, data=data)}))
    (found,) = part.findings
    assert (found.code, found.where, found.row) == (code, str(tokenomics.MINT), row)


async def test_200_of_260_io_moved_out_of_the_stake_vault_behind_the_programs_back() -> None:
    """What supply, the index, the doctor and its comparison pass: tokens that no transaction moved."""
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 1_000 * IO)
    world.do(staking.stake(world.device("one", supplier), 260 * IO), signers=[supplier])
    for address, change in (
        (staking.STAKE_VAULT, -200 * IO),
        (tokenomics.tokens_address(supplier.pubkey()), 200 * IO),
    ):
        account = world.account(address)
        held = read_token_account(account.data).amount
        world.chain.set_account(address, with_amount(account, held + change))
    part = await audited(world.chain)
    assert [(each.code, each.where, each.expected, each.found) for each in part.findings] == [
        (Code.VAULT_MOVED_UNSEEN, str(staking.STAKE_VAULT), 260 * IO, 60 * IO),
        (Code.VAULT_SHORT, str(staking.STAKE_VAULT), 260 * IO, 60 * IO),
    ]
    assert Report("here", (part,)).exit is Exit.FOUND


async def test_a_gift_is_told_and_no_fault(mid: MidLife) -> None:
    part = await audited(mid.chain)
    assert part.findings == ()
    assert "fees in IO was given 700,000,000 base units beside what events say" in part.told
