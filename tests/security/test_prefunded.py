"""Somebody sends lamports to an address before the program creates an account there: it still can.

A creation that asks the system program for a new account alone fails then, and anybody could stop a
season, or the launch, with one lamport.
"""

import pytest
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from keeper.chain.loader import minimum_balance
from keeper.clients import tokenomics as client
from tests.programs.world import World, finish
from tests.security import stages
from tests.security.calls import CALLS
from tests.security.outcomes import rehearsed
from tests.security.stages import do
from tests.security.substitution import account_of, is_created, slots, valid

CREATED = [(name, slot) for name in CALLS for slot in slots(name) if is_created(name, slot)]
AMOUNTS = ("one lamport", "a lamport less than the rent", "the rent", "a lamport more", "much more")


def created(name: str) -> World:
    """The world after the valid call."""
    world = stages.STAGES[CALLS[name].stage]()
    do(world, valid(name))
    return world


def test_these_are_all_the_accounts_that_the_program_creates() -> None:
    assert set(CREATED) == {
        *(("initialize", slot) for slot in ("config", "mint", "genesis_vault", "reward_vault")),
        ("add_allocation", "allocation"),
        ("open_season", "season_account"),
        ("open_season", "season_vault"),
        ("open_claim_page", "claim_page"),
    }


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("name", "slot"), CREATED)
def test_lamports_in_advance_stop_nothing(name: str, slot: str, amount: str) -> None:
    where = account_of(name, slot)
    plain = created(name).account(where)
    rent = plain.lamports
    lamports = dict(zip(AMOUNTS, (1, rent - 1, rent, rent + 1, 10**9), strict=True))[amount]
    world = stages.STAGES[CALLS[name].stage]()
    # Less than a wallet's minimum can't be sent on today's network, though it could be once.
    fund(world, where, lamports)
    do(world, valid(name))
    found = world.account(where)
    assert (found.data, found.owner) == (plain.data, plain.owner)
    assert found.lamports == max(rent, lamports)


def fund(world: World, where: Pubkey, lamports: int) -> None:
    if lamports >= finish(minimum_balance(world.chain, 0)):
        gift = TransferParams(from_pubkey=stages.address("mallory"), to_pubkey=where, lamports=lamports)
        do(world, transfer(gift))
    else:
        world.chain.airdrop(where, lamports)


@pytest.mark.parametrize("name", sorted({name for name, _ in CREATED}))
def test_all_of_a_calls_accounts_at_once(name: str) -> None:
    world = stages.STAGES[CALLS[name].stage]()
    for slot in (slot for each, slot in CREATED if each == name):
        fund(world, account_of(name, slot), 1)
    assert rehearsed(world, valid(name)) is None
    do(world, valid(name))
    assert client.PROGRAM.address == world.account(account_of(name, CREATED_BY[name])).owner


CREATED_BY = {
    "initialize": "config",
    "add_allocation": "allocation",
    "open_season": "season_account",
    "open_claim_page": "claim_page",
}
"""The program's own account among those of a call."""
