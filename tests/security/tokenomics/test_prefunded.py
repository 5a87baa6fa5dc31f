"""Somebody sends lamports to an address before the program creates an account there: it still can.

A creation that asks the system program for a new account alone fails then, and anybody could stop a
season, or the launch, with one lamport.
"""

import pytest

from keeper.clients import tokenomics as client
from tests.security.outcomes import rehearsed
from tests.security.people import do
from tests.security.prefunded import AMOUNTS, assert_created, fund
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import CALLS
from tests.security.tokenomics.substitution import account_of, is_created, slots, valid

CREATED = [(name, slot) for name in CALLS for slot in slots(name) if is_created(name, slot)]


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
    call = valid(name)
    assert_created(stages.STAGES[CALLS[name].stage], lambda _: call, account_of(name, slot), amount)


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
