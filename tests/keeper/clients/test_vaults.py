"""What vaults owe: the programs' own accounts say it, and every token of theirs is somebody's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Account, ChainReader
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import buyback, staking, tokenomics
from keeper.clients.vaults import LOOKS, Vault, read_vaults
from tests.keeper.faults.day import HOURS, DayWorld, steps
from tests.programs.orders.world import IO
from tests.programs.world import finish
from tests.security.tokens import token_accounts, without_tokens


@pytest.fixture(scope="module")
def day() -> DayWorld:
    """A day of a small network with something in every vault."""
    world = DayWorld.started()
    for hour, before in steps(HOURS):
        world.come_to(hour, before)
    world.do(tokenomics.emit())
    return world


def short(found: Sequence[Vault]) -> dict[str, int]:
    return {each.owed.name: each.missing for each in found if each.missing}


def taken(chain: EmbeddedChain, vault: Pubkey, amount: int) -> Account:
    """A vault's account without some of its tokens: what happened behind the program's back."""
    account = chain.get(vault)
    assert account is not None
    return without_tokens(account, amount)


def test_every_token_in_a_vault_is_owed_to_somebody(day: DayWorld) -> None:
    found = finish(read_vaults(day.chain))
    assert short(found) == {}
    assert len(found) > 10
    assert sum(each.owed.of_order for each in found) >= 5
    assert {"vesting", "rewards", "stakes", "airdrop season 1", "fees in USDC"} <= {
        e.owed.name for e in found
    }
    there = {
        at: account.amount
        for at, account in token_accounts(day).items()
        if account.amount and not account.owner.is_on_curve()
    }
    known = {each.owed.vault: each for each in found}
    # IO that came in as fees is burned before anybody counts it.
    assert there.keys() - known.keys() <= {buyback.IO_VAULT}
    assert {at: known[at].held for at in there if at in known} == {
        at: amount for at, amount in there.items() if at in known
    }
    # Nobody sent these anything, so that they have what they owe to the base unit.
    more = {each.owed.name for each in found if each.held > each.owed.amount}
    assert more <= {"fees in USDC"}, "fees that nobody has counted yet"


@pytest.mark.parametrize("name", ["vesting", "rewards", "stakes", "airdrop season 1", "an order's"])
def test_what_was_taken_behind_a_programs_back_is_named(day: DayWorld, name: str) -> None:
    found = finish(read_vaults(day.chain))
    an_order = name == "an order's"
    vault = next(e for e in found if (e.owed.of_order and e.held if an_order else e.owed.name == name))
    at, amount = vault.owed.vault, vault.held // 3 + 1
    whole = day.chain.get(at)
    assert whole is not None
    day.chain.set_account(at, taken(day.chain, at, amount))
    try:
        assert short(finish(read_vaults(day.chain))) == {vault.owed.name: amount}
    finally:
        day.chain.set_account(at, whole)


async def test_money_that_moves_between_two_reads_is_not_missing(day: DayWorld) -> None:
    chain, read = day.chain, day.chain.accounts
    whole = chain.get(staking.STAKE_VAULT)
    assert whole is not None
    less, looks = taken(chain, staking.STAKE_VAULT, IO), 0

    async def accounts(addresses: Sequence[Pubkey]) -> list[Account | None]:
        """In the first two looks a stake is withdrawn after the devices were read."""
        nonlocal looks
        if staking.STAKE_VAULT in addresses:
            looks += 1
            chain.set_account(staking.STAKE_VAULT, less if looks < LOOKS else whole)
        return await read(addresses)

    class Moving:
        def __getattr__(self, name: str) -> object:
            return accounts if name == "accounts" else getattr(chain, name)

    try:
        assert short(await read_vaults(cast("ChainReader", Moving()))) == {}
        assert looks == LOOKS
    finally:
        chain.set_account(staking.STAKE_VAULT, whole)


def test_before_anything_is_there_nothing_is_owed() -> None:
    assert finish(read_vaults(EmbeddedChain())) == []
