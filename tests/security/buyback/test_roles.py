"""Roles, pauses, parameters and addresses of buyback: who may do what, and what can't be blocked."""

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import Params, Status
from keeper.economy.buyback import MAX_PRICE, USDC
from tests.programs.buyback.world import FIRST_PRICE, USDC_MINT
from tests.programs.world import DAY, HOUR, World, key
from tests.security.buyback import stages
from tests.security.buyback.calls import CALLS
from tests.security.buyback.stages import LOT, OPEN, auction, bid, config, stage, start
from tests.security.buyback.substitution import MATRIX
from tests.security.outcomes import refused, rehearsed
from tests.security.people import DEPUTY, HEIR, OTHER_MINT, address, do
from tests.security.prefunded import AMOUNTS, assert_created
from tests.security.tokens import TOKEN_2022, create_mint

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
START, BID = client.PAUSE_START, client.PAUSE_BID
LONGEST = client.MAX_PAUSE


def paused(world: World, mask: int, longer: int = LONGEST) -> None:
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + longer))


# -- pause -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0, START, BID, START | BID])
@pytest.mark.parametrize("name", stages.STAGES)
def test_what_a_pause_stops(name: str, mask: int) -> None:
    """Starts, and bids; fees are burned, auctions closed and roles changed all the same."""
    world = stages.STAGES[name]()
    if name != "empty":
        paused(world, mask)
    stopped = {"start_auction": START | BID, "bid": BID}
    calls = {each: call for each, call in CALLS.items() if call.stage == name}
    found = {each: rehearsed(world, call.build(world)) for each, call in calls.items()}
    assert found == {each: "Paused" if stopped.get(each, 0) & mask else None for each in calls}


@pytest.mark.parametrize("mask", [START, BID])
def test_a_pause_lapses_to_the_second(mask: int) -> None:
    world = stages.due()
    paused(world, mask)
    world.chain.advance(LONGEST - 1)
    assert refused(world, start(OPEN)) == "Paused"
    world.chain.advance(1)
    do(world, start(OPEN), bid("alice"))


@pytest.mark.parametrize(
    ("mask", "longer", "error"),
    [(4, 0, "PauseMaskInvalid"), (2**32 - 1, 0, "PauseMaskInvalid"), (1, 1, "PauseTooLong")],
)
def test_what_a_pause_may_be(mask: int, longer: int, error: str) -> None:
    world = stage("running")
    until = world.chain.now() + LONGEST + longer
    assert refused(world, client.set_pause(GUARDIAN, mask, until)) == error


def test_a_guardian_can_not_let_the_price_fall_for_a_friend() -> None:
    """Bids are stopped while the price falls, and allowed again when it is low: nobody may bid then."""
    world = stages.running()
    reference = config(world).reference_price
    paused(world, BID)
    world.chain.warp_to(auction(world).ends_at - 1)
    do(world, client.set_pause(GUARDIAN, 0, 0), client.apply_params())
    assert refused(world, bid("mallory")) == "AuctionVoid"
    world.chain.advance(1)
    assert refused(world, bid("mallory")) == "AuctionOver"
    do(world, client.close_auction(OPEN))
    assert auction(world).status == Status.VOID
    assert config(world).reference_price == reference, "nor did the next auction become cheaper"
    do(world, start(OPEN + 1))
    assert auction(world, OPEN + 1).start_price == 2 * reference
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


# -- roles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [GUARDIAN, MALLORY])
def test_the_admins_own(name: Pubkey) -> None:
    calls = (
        client.propose_params(name, Params()),
        client.propose_admin(name, name),
        client.propose_guardian(name, name),
    )
    for call in calls:
        assert refused(stage("running"), call) == "NotAdmin"
    assert refused(stage("initialized"), client.set_first_price(name, FIRST_PRICE)) == "NotAdmin"


@pytest.mark.parametrize("name", [ADMIN, MALLORY])
def test_the_guardians_own(name: Pubkey) -> None:
    world = stage("running")
    until = world.chain.now() + DAY
    for call in (client.cancel_params(name), client.set_pause(name, BID, until)):
        assert refused(world, call) == "NotGuardian"


def test_a_role_is_handed_over_in_two_steps() -> None:
    world = stages.running()
    assert refused(world, client.accept_admin(MALLORY)) == "NotPendingAdmin"
    do(world, client.accept_admin(address(HEIR)))
    assert refused(world, client.propose_admin(ADMIN, ADMIN)) == "NotAdmin"
    assert refused(world, client.accept_admin(address(HEIR))) == "NotPendingAdmin"
    assert refused(world, client.accept_guardian(MALLORY)) == "NotPendingGuardian"
    do(world, client.accept_guardian(address(DEPUTY)))
    assert refused(world, client.cancel_params(GUARDIAN)) == "NotGuardian"
    assert refused(world, client.accept_guardian(address(DEPUTY))) == "NotPendingGuardian"
    do(world, client.cancel_params(address(DEPUTY)))


def test_a_change_takes_its_notice_and_can_be_dropped() -> None:
    world = stages.initialized()
    other = Params(max_lot=5 * LOT)
    assert refused(world, client.apply_params()) == "NothingProposed"
    assert refused(world, client.cancel_params(GUARDIAN)) == "NothingProposed"
    do(world, client.propose_params(ADMIN, other))
    world.chain.advance(7 * DAY - 1)
    assert refused(world, client.apply_params()) == "NoticeNotOver"
    do(world, client.cancel_params(GUARDIAN))
    world.chain.advance(1)
    assert refused(world, client.apply_params()) == "NothingProposed"
    do(world, client.propose_params(ADMIN, other))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())
    assert config(world).params == other
    assert refused(world, client.apply_params()) == "NothingProposed"


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


def test_only_the_upgrade_authority_initialises() -> None:
    stranger = client.initialize(MALLORY, MALLORY, USDC_MINT, Params())
    assert refused(stage("empty"), stranger) == "NotUpgradeAuthority"
    nobody = client.initialize(ADMIN, SYSTEM_PROGRAM, USDC_MINT, Params())
    assert refused(stage("empty"), nobody) == "ZeroAddress"
    again = client.initialize(ADMIN, GUARDIAN, USDC_MINT, Params())
    assert refused(stage("running"), again) == "System.AccountAlreadyInUse"


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


CREATED = [(name, slot) for name in CALLS for slot in MATRIX.slots(name) if MATRIX.is_created(name, slot)]


def test_these_are_all_the_accounts_that_the_program_creates() -> None:
    assert set(CREATED) == {
        ("initialize", "config"),
        ("initialize", "io_vault"),
        ("initialize", "usdc_vault"),
        ("start_auction", "auction"),
    }


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("name", "slot"), CREATED)
def test_lamports_in_advance_stop_nothing(name: str, slot: str, amount: str) -> None:
    where, valid = MATRIX.account_of(name, slot), MATRIX.valid(name)
    assert_created(stages.STAGES[CALLS[name].stage], lambda _: valid, where, amount)


def test_extra_accounts_change_nothing() -> None:
    """The other vault passed behind a bid's own accounts, writable, is left alone."""
    world = stages.running()
    call = bid("alice")
    metas = [*call.accounts, AccountMeta(client.IO_VAULT, False, True)]
    before = world.account(client.IO_VAULT)
    do(world, Instruction(call.program_id, bytes(call.data), metas))
    assert world.account(client.IO_VAULT) == before
