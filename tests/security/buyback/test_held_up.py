"""What one party's account, timing or silence can hold up in buyback, and for how long.

docs/security/buyback.md has the table of it.
"""

import pytest
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import AuctionStatus
from keeper.economy.buyback import INTERVAL, USDC
from keeper.economy.supply import IO
from tests.programs.buyback.world import FIRST_PRICE, USDC_VAULT, mint_usdc
from tests.programs.world import DAY, World
from tests.security.buyback import stages
from tests.security.buyback.stages import LOT, OPEN, auction, bid, config, sold, start, unsold, usdc
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, address, do
from tests.security.tokens import close

ADMIN, GUARDIAN, ALICE, BOB, MALLORY = (
    address(name) for name in ("admin", "guardian", "alice", "bob", "mallory")
)
BID = client.PAUSE_BID


def pay_io(world: World) -> None:
    """A fee in IO."""
    do(world, token.transfer(tokenomics.tokens_address(BOB), client.IO_VAULT, BOB, IO))


# -- silence ---------------------------------------------------------------------------------------


def test_nothing_falls_while_nobody_does_anything() -> None:
    """No price and no share depends on time alone: what nobody starts, nobody has refused to buy."""
    world = stages.whole()
    before = config(world)
    world.chain.advance(1_000 * DAY)
    assert config(world) == before
    assert sold(world, DAY * 2 // 3) == FIRST_PRICE


def test_an_auction_that_nobody_closes_is_one_auction() -> None:
    """Closed after a year it lowers the price as far as it would have the second it ended."""
    found = []
    for late in (0, 365 * DAY):
        world = stages.ended()
        world.chain.advance(late)
        do(world, client.close_auction(OPEN), start(OPEN + 1))
        found.append(config(world).standing)
    assert found[0] == found[1]


def test_an_admin_that_never_names_a_price_keeps_fees_in_the_vault_and_gets_none() -> None:
    """Nor does one that proposes anew whenever the notice is nearly over; fees in IO are burned meanwhile."""
    world = stages.initialized()
    mint_usdc(world, USDC_VAULT, LOT)
    for _ in range(5):
        do(world, client.propose_first_price(ADMIN, FIRST_PRICE))
        world.chain.advance(7 * DAY - 1)
        assert refused(world, start(0)) == "NoticeNotOver"
        pay_io(world)
        do(world, client.burn_fees())
    assert (world.tokens(USDC_VAULT), config(world).burned_fees) == (LOT, 5 * IO)
    world.chain.advance(1)
    do(world, start(0))


# -- the guardian ------------------------------------------------------------------------------------


def test_a_void_auction_holds_the_next_one_up_until_its_end_and_no_longer() -> None:
    world = stages.running()
    before = config(world).standing
    do(world, client.set_pause(GUARDIAN, BID, world.chain.now() + 1))
    world.chain.advance(1)
    assert refused(world, bid("alice")) == "AuctionVoid"
    assert refused(world, start(OPEN + 1)) == "AuctionOpen"
    world.chain.warp_to(auction(world).ends_at)
    do(world, client.close_auction(OPEN), start(OPEN + 1))
    assert auction(world, OPEN).status == AuctionStatus.VOID
    assert config(world).standing == before


def test_a_guardian_that_stops_bids_for_ever_makes_nothing_cheap_and_can_be_replaced() -> None:
    """One auction after the other is void: prices and shares stay; its successor needs only the notice."""
    world = stages.whole()
    before = config(world).standing
    do(world, client.propose_guardian(ADMIN, address(DEPUTY)))
    for _ in range(30):
        number = config(world).started
        do(world, start(number), client.set_pause(GUARDIAN, BID, world.chain.now() + 1))
        world.chain.warp_to(auction(world, number).ends_at)
        do(world, client.close_auction(number))
        if world.chain.now() >= config(world).guardian_at > 0:
            do(world, client.accept_guardian(address(DEPUTY)))
            break
    assert config(world).guardian == address(DEPUTY)
    pause = client.set_pause(GUARDIAN, BID, world.chain.now() + DAY)
    assert refused(world, pause) == "NotGuardian"
    assert config(world).standing == before
    assert sold(world, DAY * 2 // 3) == FIRST_PRICE


# -- USDC's issuer -----------------------------------------------------------------------------------


def test_no_auction_starts_while_the_vault_is_frozen() -> None:
    """Nobody could be paid out of it: it would be an auction without a bid, and lower the price."""
    world = stages.whole()
    before = config(world)
    stages.frozen(world, USDC_VAULT)
    world.chain.advance(100 * DAY)
    assert refused(world, start(before.started)) == "VaultFrozen"
    pay_io(world)
    do(world, client.burn_fees())
    stages.frozen(world, USDC_VAULT, let_go=True)
    assert config(world).standing == before.standing
    assert sold(world, DAY * 2 // 3) == FIRST_PRICE


def test_a_vault_that_is_frozen_during_an_auction_costs_that_auction() -> None:
    """Bids are refused and cost nothing; the price falls one step, the start price stays where it was."""
    world = stages.whole()
    number = config(world).started
    do(world, start(number))
    stages.frozen(world, USDC_VAULT)
    world.chain.advance(DAY // 2)
    assert refused(world, bid("alice", number, min_usdc=0)) == "Token.AccountFrozen"
    world.chain.warp_to(auction(world, number).ends_at)
    do(world, client.close_auction(number))
    for _ in range(7):
        world.chain.advance(DAY)
        assert refused(world, start(number + 1)) == "VaultFrozen"
    stages.frozen(world, USDC_VAULT, let_go=True)
    do(world, start(number + 1))
    one = auction(world, number + 1)
    assert (one.lot, one.start_price, one.floor_price) == (5_000 * USDC, 2 * FIRST_PRICE, FIRST_PRICE // 4)


# -- bidders and strangers ---------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["frozen", "closed", "without enough"])
def test_a_bidder_that_can_not_pay_or_be_paid_keeps_nobody_else_from_the_lot(account: str) -> None:
    world = stages.running()
    before = auction(world)
    if account == "frozen":
        stages.frozen(world, usdc("mallory"))
    elif account == "closed":
        do(world, token.transfer(usdc("mallory"), usdc("bob"), MALLORY, world.tokens(usdc("mallory"))))
        do(world, close(usdc("mallory"), MALLORY, MALLORY))
    else:
        do(world, _all_io(world, MALLORY, ALICE))
    assert refused(world, bid("mallory")) is not None
    assert auction(world) == before
    do(world, bid("alice"))


def _all_io(world: World, owner: Pubkey, to: Pubkey):
    source, target = (tokenomics.tokens_address(each) for each in (owner, to))
    return token.transfer(source, target, owner, world.balance(owner))


def test_who_starts_on_the_smallest_lot_keeps_the_rest_waiting_for_a_day() -> None:
    """Fees that come a second later are in the next day's lot, whose share is what it would have been."""
    world = stages.whole()
    held = world.tokens(USDC_VAULT)
    do(world, token.transfer(tokenomics.tokens_address(ALICE), client.IO_VAULT, ALICE, IO))
    number = config(world).started
    do(world, start(number))
    mint_usdc(world, USDC_VAULT, 50_000 * USDC)
    assert auction(world, number).lot == 10_000 * USDC
    assert refused(world, start(number + 1)) == "AuctionOpen"
    world.chain.advance(DAY * 2 // 3)
    do(world, bid("alice", number))
    assert refused(world, start(number + 1)) == "TooEarly"
    world.chain.warp_to(auction(world, number).started_at + INTERVAL)
    do(world, start(number + 1))
    assert world.tokens(USDC_VAULT) == held + 40_000 * USDC


def test_a_stranger_that_starts_and_bids_at_once_pays_the_start_price() -> None:
    """Nobody is faster than whoever starts, and nobody pays more."""
    for without_bids in (0, 3):
        world = stages.whole()
        for _ in range(without_bids):
            unsold(world)
        number, supply = config(world).started, world.supply()
        do(world, start(number), bid("alice", number, min_usdc=0))
        lot = auction(world, number).lot
        assert supply - world.supply() == lot * 2 * FIRST_PRICE // USDC
        assert lot == 10_000 * USDC >> without_bids


def test_a_clock_that_goes_back_holds_bids_up_until_it_has_caught_up() -> None:
    world = stages.running()
    world.chain.warp_to(auction(world).started_at - 1)
    assert refused(world, bid("alice")) == "InvalidClock"
    assert refused(world, client.close_auction(OPEN)) == "AuctionRunning"
    world.chain.advance(1)
    do(world, bid("alice"))
