"""Pauses of buyback and what they do to an auction; its parameters and mints."""

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import AuctionStatus, Params
from keeper.economy.buyback import MAX_PRICE, USDC
from tests.programs.buyback.world import USDC_MINT
from tests.programs.world import DAY, HOUR, World, key
from tests.security.buyback import stages
from tests.security.buyback.stages import OPEN, auction, bid, config, stage, start
from tests.security.outcomes import refused
from tests.security.people import OTHER_MINT, address, do
from tests.security.tokens import TOKEN_2022, create_mint

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
START, BID = client.PAUSE_START, client.PAUSE_BID
LONGEST = client.MAX_PAUSE
DECIMALS = 44
"""Where a mint has them."""


def paused(world: World, mask: int, longer: int = LONGEST) -> None:
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + longer))


def test_a_guardian_can_not_let_the_price_fall_for_a_friend() -> None:
    """Bids are stopped while the price falls, and allowed again when it is low: nobody may bid then."""
    world = stages.running()
    standing = config(world).standing
    paused(world, BID)
    world.chain.warp_to(auction(world).ends_at - 1)
    do(world, client.set_pause(GUARDIAN, 0, 0), client.apply_params())
    assert refused(world, bid("mallory")) == "AuctionVoid"
    world.chain.advance(1)
    assert refused(world, bid("mallory")) == "AuctionOver"
    do(world, client.close_auction(OPEN))
    assert auction(world).status == AuctionStatus.VOID
    assert config(world).standing == standing, "nor did the next auction become cheaper, or larger"
    do(world, start(OPEN + 1))
    assert auction(world, OPEN + 1).start_price == 2 * standing.anchor
    do(world, bid("alice", OPEN + 1))


def test_a_pause_of_a_second_voids_as_well() -> None:
    world = stages.running()
    paused(world, BID, 1)
    world.chain.advance(1)
    assert refused(world, bid("alice")) == "AuctionVoid"


def test_stopped_starts_leave_the_open_auction_alone() -> None:
    world = stages.running()
    paused(world, START)
    do(world, bid("alice"))


@pytest.mark.parametrize(
    "changed",
    [
        {"max_lot": 10_000_000 * USDC + 1},
        {"max_lot": 2**64 - 1},
        {"max_lot": 99 * USDC},
        {"min_lot": USDC - 1},
        {"min_lot": 0},
        {"min_price": 0},
        {"min_price": MAX_PRICE + 1},
        {"duration": HOUR - 1},
        {"duration": 7 * DAY + 1},
        {"notice": DAY - 1},
        {"notice": 90 * DAY + 1},
        {"start_bps": 10_999},
        {"start_bps": 50_001},
        {"floor_bps": 999},
        {"floor_bps": 9_001},
    ],
)
def test_parameters_that_can_not_be(changed: dict[str, int]) -> None:
    bad = Params(**changed)
    assert refused(stage("running"), client.propose_params(ADMIN, bad)) == "ParamsInvalid"
    assert refused(stage("empty"), client.initialize(ADMIN, GUARDIAN, USDC_MINT, bad)) == "ParamsInvalid"


# -- initialising --------------------------------------------------------------------------------


def test_the_mints_are_io_by_tokenomics_and_six_decimals() -> None:
    world = stages.empty()
    assert refused(world, client.initialize(ADMIN, GUARDIAN, OTHER_MINT.pubkey(), Params())) == "WrongMint"
    twice = client.initialize(ADMIN, GUARDIAN, tokenomics.MINT, Params())
    assert refused(world, twice) == "ConstraintDuplicateMutableAccount"
    newer = key("mint of the newer token program")
    create_mint(world, newer, MALLORY, program=TOKEN_2022)
    assert refused(world, client.initialize(ADMIN, GUARDIAN, newer.pubkey(), Params())) == "IllegalOwner"

    def with_io(mint: Pubkey, authority: Pubkey):
        return client.PROGRAM.instruction(
            "initialize",
            {"guardian": GUARDIAN, "params": Params().fields()},
            admin=ADMIN,
            program_data=client.PROGRAM_DATA,
            io_mint=mint,
            tokenomics=authority,
            usdc_mint=USDC_MINT,
        )

    # A mint of mallory's, with mallory or tokenomics' config as what should be its authority.
    for authority in (MALLORY, tokenomics.CONFIG):
        assert refused(world, with_io(OTHER_MINT.pubkey(), authority)) == "WrongMint"


@pytest.mark.parametrize("decimals", [0, 7, 9])
def test_io_has_the_decimals_that_prices_are_made_of(decimals: int) -> None:
    """Tokenomics makes no other mint; were there one, a price would be another amount."""
    world = stages.empty()
    mint = world.account(tokenomics.MINT)
    data = mint.data[:DECIMALS] + bytes([decimals]) + mint.data[DECIMALS + 1 :]
    world.chain.set_account(tokenomics.MINT, Account(mint.lamports, data, mint.owner))
    assert refused(world, client.initialize(ADMIN, GUARDIAN, USDC_MINT, Params())) == "WrongMint"
