"""Tokenomics' vaults: gifts to them and to other accounts, frozen payees, and where the supply is."""

import pytest
from solders.system_program import TransferParams, transfer

from keeper.chain import token
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT
from keeper.economy.supply import IO
from tests.programs.world import finish
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.stages import ENDED, RUNNING, WAITING
from tests.security.tokenomics.substitution import valid
from tests.security.tokens import (
    ACCOUNT_SIZE,
    freeze_anyway,
)

ADMIN, ALICE, GUARDIAN, MALLORY = (address(name) for name in ("admin", "alice", "guardian", "mallory"))


def test_a_frozen_account_keeps_nobody_else_from_theirs() -> None:
    """IO has no freeze authority; were accounts frozen all the same, others go on."""
    world = stages.running()
    for name in ("ecosystem", "alice", "admin"):
        freeze_anyway(world, client.tokens_address(address(name)))
    for name in ("release", "claim_season", "close_season"):
        assert refused(world, valid(name)) == "Token.AccountFrozen"
    do(world, valid("emit"), client.release(5, address("launchpool")), valid("cancel_season"))


VAULTS = {
    "genesis": client.GENESIS_VAULT,
    "reward": client.REWARD_VAULT,
    "season": client.season_vault_address(RUNNING),
}


def test_tokens_given_to_vaults_change_no_figure() -> None:
    """Donations to the genesis, reward and season vaults: same releases, same claims, same emission."""
    plain, given = stages.running(), stages.running()
    source = client.tokens_address(MALLORY)
    for vault in VAULTS.values():
        do(given, token.transfer(source, vault, MALLORY, 100 * IO))
    for world in (plain, given):
        do(world, valid("release"), valid("emit"), valid("claim_season"), valid("close_season"))
    for wallet in (ADMIN, ALICE, address("ecosystem")):
        assert plain.balance(wallet) == given.balance(wallet)
    assert plain.config() == given.config()
    for vault in VAULTS.values():
        assert given.tokens(vault) == plain.tokens(vault) + 100 * IO


@pytest.mark.parametrize("number", [ENDED, WAITING])
def test_a_gift_to_a_season_does_not_keep_it_open(number: int) -> None:
    """An account with tokens can't be closed: the gift goes to the funder with the rest."""
    world = stages.running()
    if number == WAITING:
        do(world, client.cancel_season(GUARDIAN, WAITING))
    vault = client.season_vault_address(number)
    do(world, token.transfer(client.tokens_address(MALLORY), vault, MALLORY, 7))
    do(world, transfer(TransferParams(from_pubkey=MALLORY, to_pubkey=vault, lamports=3)))
    held, before, lamports = world.tokens(vault), world.balance(ADMIN), world.account(ADMIN).lamports
    rent = world.account(vault).lamports
    do(world, client.close_season(number, ADMIN))
    assert world.balance(ADMIN) - before == held == sum(stages.season_amounts(number).values()) + 7
    assert world.account(ADMIN).lamports - lamports == rent
    assert world.chain.get(vault) is None
    season = client.parse_season(world.account(client.season_address(number)).data)
    assert season.returned == held - 7, "the record knows the pools, not the gift"


def test_the_page_rent_goes_to_its_payer_gift_and_all() -> None:
    world = stages.running()
    page = client.claim_page_address(stages.CLOSED, 0)
    do(world, transfer(TransferParams(from_pubkey=MALLORY, to_pubkey=page, lamports=5)))
    before, rent = world.account(ALICE).lamports, world.account(page).lamports
    do(world, valid("close_claim_page"))
    assert world.account(ALICE).lamports - before == rent


def test_the_token_program_alone_holds_the_supply() -> None:
    """The sum over all token accounts of IO is the supply, however it moved."""
    world = stages.running()
    do(world, valid("release"), valid("emit"), valid("claim_season"), valid("burn"))
    total = 0
    for account in finish(world.chain.program_accounts(TOKEN_PROGRAM, size=ACCOUNT_SIZE)).values():
        found = token.read_token_account(account.data)
        total += found.amount if found.mint == MINT else 0
    assert total == world.supply()
