"""Attacks on auctions: by bidders, by whoever starts them, by gifts, and at every edge of time."""

from pathlib import Path

import pytest

from keeper.chain import Account, token
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import AuctionStatus
from keeper.economy.buyback import INTERVAL, USDC
from keeper.economy.supply import IO
from tests.model.state import U64
from tests.programs.buyback.world import USDC_MINT, USDC_VAULT, mint_usdc
from tests.programs.world import DAY, World
from tests.security.buyback import stages
from tests.security.buyback.stages import (
    LOT,
    OPEN,
    SOLD,
    UNSOLD,
    auction,
    bid,
    config,
    stage,
    start,
    usdc,
)
from tests.security.outcomes import refused
from tests.security.people import OTHER_TOKENS, address, do

ALICE, BOB, MALLORY, ADMIN = (address(name) for name in ("alice", "bob", "mallory", "admin"))

MIN_LOT = client.Params().min_lot


def balances(world: World) -> tuple[int, int, int]:
    """IO's supply, what the USDC vault holds, what alice has of USDC."""
    return world.supply(), world.tokens(USDC_VAULT), world.tokens(usdc("alice"))


def at_open(seconds: int) -> World:
    """So many seconds into an auction."""
    world = stages.due()
    do(world, start(OPEN))
    world.chain.advance(seconds)
    return world


# -- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [0, 1, DAY // 2 - 1, DAY // 2, DAY // 2 + 1, DAY - 2, DAY - 1])
def test_the_price_of_each_second(second: int) -> None:
    """Linear, rounded against the bidder, at the first second and the last."""
    world = at_open(second)
    one = auction(world)
    fall = one.start_price - one.floor_price
    price = -(-(one.start_price * DAY - fall * second) // DAY)
    cost = -(-one.lot * price // USDC)
    assert one.floor_price < price <= one.start_price
    assert refused(world, bid("alice", max_io=cost - 1)) == "CostAboveLimit"
    supply, vault, held = balances(world)
    do(world, bid("alice", max_io=cost))
    assert balances(world) == (supply - cost, vault - LOT, held + LOT)
    assert (auction(world).price, auction(world).cost) == (price, cost)


@pytest.mark.parametrize("late", [0, 1, DAY, 10_000 * DAY])
def test_nobody_bids_after_the_end(late: int) -> None:
    world = at_open(DAY + late)
    assert refused(world, bid("alice")) == "AuctionOver"
    do(world, client.close_auction(OPEN))
    assert refused(world, bid("alice")) == "AuctionClosed"


def test_nobody_bids_before_the_start() -> None:
    assert refused(stage("due"), bid("alice")) == "AccountDataTooSmall"
    together = stages.due()
    do(together, start(OPEN), bid("alice", max_io=LOT // USDC * config(together).anchor_price * 2))
    assert auction(together).price == auction(together).start_price
    back = at_open(0)
    back.chain.advance(-1)
    assert refused(back, bid("alice")) == "InvalidClock"
    back.chain.warp_to(-1)
    assert refused(back, bid("alice")) == "InvalidClock"


def test_an_auction_is_closed_when_it_is_over_and_not_before() -> None:
    world = at_open(DAY - 1)
    assert refused(world, client.close_auction(OPEN)) == "AuctionRunning"
    world.chain.advance(1)
    do(world, client.close_auction(OPEN))
    assert refused(world, client.close_auction(OPEN)) == "AuctionClosed"
    assert auction(world).status == AuctionStatus.UNSOLD


# -- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"max_io": 0}, "CostAboveLimit"),
        ({"max_io": 1}, "CostAboveLimit"),
        ({"min_usdc": LOT + 1}, "LotBelowLimit"),
        ({"min_usdc": U64}, "LotBelowLimit"),
        ({"max_io": 0, "min_usdc": U64}, "CostAboveLimit"),
    ],
)
def test_a_bid_keeps_to_its_limits(limits: dict[str, int], error: str) -> None:
    assert refused(stage("running"), bid("alice", **limits)) == error


def test_a_bid_that_its_bidder_can_not_pay() -> None:
    world = stages.running()
    source, to = (tokenomics.tokens_address(each) for each in (ALICE, BOB))
    rest = auction(world).path.cost(world.chain.now()) - 1
    do(world, token.transfer(source, to, ALICE, world.balance(ALICE) - rest))
    assert refused(world, bid("alice")) == "Token.InsufficientFunds"


def test_a_bid_is_for_one_auction() -> None:
    """A bid that lands late doesn't take the next lot instead."""
    world = stages.running()
    late = bid("bob")
    do(world, bid("alice"))
    world.chain.advance(DAY)
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, start(OPEN + 1))
    for number in (SOLD, UNSOLD, OPEN):
        assert refused(world, bid("bob", number)) == "AuctionClosed"
    assert refused(world, late) == "AuctionClosed"
    do(world, bid("bob", OPEN + 1))


# -- a lot is sold once ------------------------------------------------------------------------


def test_a_lot_is_sold_once() -> None:
    world = stages.running()
    assert refused(world, bid("alice"), bid("alice")) == "AuctionClosed"
    assert refused(world, bid("alice"), bid("bob")) == "AuctionClosed"
    do(world, bid("alice"))
    assert refused(world, bid("alice")) == refused(world, bid("bob")) == "AuctionClosed"
    assert refused(world, start(OPEN)) == "System.AccountAlreadyInUse"


def test_two_auctions_at_once() -> None:
    world = stages.ended()
    assert refused(world, start(OPEN + 1)) == "AuctionOpen"
    assert refused(world, start(OPEN + 2)) == "AuctionOpen"
    do(world, client.close_auction(OPEN), start(OPEN + 1))
    assert refused(world, start(OPEN + 2)) == "AuctionOpen"


@pytest.mark.parametrize("number", [0, UNSOLD, OPEN + 1, 2**32 - 1])
def test_numbers_are_in_order(number: int) -> None:
    error = "WrongNumber" if number > OPEN else "System.AccountAlreadyInUse"
    assert refused(stage("due"), start(number)) == error


def test_a_lot_larger_than_the_vault() -> None:
    """Nothing but a sale takes USDC out; if something did, a bid would be refused whole."""
    world = stages.running()
    vault = world.account(USDC_VAULT)
    data = bytearray(vault.data)
    data[64:72] = (LOT - 1).to_bytes(8, "little")
    world.chain.set_account(USDC_VAULT, Account(vault.lamports, bytes(data), vault.owner))
    assert refused(world, bid("alice")) == "VaultShort"


def test_a_vault_short_of_what_was_counted() -> None:
    world = stages.running()
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, bid("alice"))
    world.chain.advance(DAY)
    vault = world.account(USDC_VAULT)
    data = bytearray(vault.data)
    data[64:72] = (LOT - 1).to_bytes(8, "little")
    world.chain.set_account(USDC_VAULT, Account(vault.lamports, bytes(data), vault.owner))
    assert refused(world, start(OPEN + 1)) == "InvariantViolated"


# -- token accounts in each other's place --------------------------------------------------------


def with_accounts(**changed):
    """Alice's bid with other accounts in some slots."""
    accounts = {
        "bidder": ALICE,
        "auction": client.auction_address(OPEN),
        "io_mint": tokenomics.MINT,
        "bidder_io": tokenomics.tokens_address(ALICE),
        "usdc_vault": USDC_VAULT,
        "bidder_usdc": usdc("alice"),
    }
    return client.PROGRAM.instruction("bid", {"max_io": U64, "min_usdc": 0}, **{**accounts, **changed})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"bidder_usdc": USDC_VAULT}, "ConstraintDuplicateMutableAccount"),
        ({"bidder_io": USDC_VAULT}, "ConstraintDuplicateMutableAccount"),
        ({"bidder_io": usdc("alice")}, "ConstraintDuplicateMutableAccount"),
        ({"bidder_usdc": tokenomics.tokens_address(ALICE)}, "ConstraintDuplicateMutableAccount"),
        ({"bidder_io": usdc("bob")}, "Token.MintMismatch"),
        ({"bidder_usdc": tokenomics.tokens_address(BOB)}, "Token.MintMismatch"),
        ({"bidder_usdc": client.IO_VAULT}, "Token.MintMismatch"),
        ({"bidder_usdc": OTHER_TOKENS.pubkey()}, "Token.MintMismatch"),
        ({"bidder_io": client.IO_VAULT}, "Token.OwnerMismatch"),
        ({"bidder_io": tokenomics.GENESIS_VAULT}, "Token.OwnerMismatch"),
        ({"bidder_io": tokenomics.tokens_address(BOB)}, "Token.OwnerMismatch"),
        ({"usdc_vault": client.IO_VAULT}, "WrongAccount"),
        ({"usdc_vault": usdc("bob")}, "WrongAccount"),
        ({"io_mint": USDC_MINT}, "WrongAccount"),
    ],
)
def test_a_token_account_in_anothers_place(changed, error: str) -> None:
    world = stages.running()
    # Each of the accounts could pay: what refuses is whose it is, or of which mint.
    source = tokenomics.tokens_address(BOB)
    mint_usdc(world, usdc("bob"), 10**13)
    do(world, token.transfer(source, client.IO_VAULT, BOB, 5_000 * IO))
    assert refused(world, with_accounts(**changed)) == error


def test_a_bidder_whose_account_is_frozen_stops_nobody_else() -> None:
    """USDC's issuer can freeze: then that bidder burns nothing, and the next one bids."""
    world = stages.running()
    stages.frozen(world, usdc("alice"))
    assert refused(world, bid("alice")) == "Token.AccountFrozen"
    do(world, bid("alice", to=usdc("bob")))


# -- whoever starts it ---------------------------------------------------------------------------


def test_a_stranger_who_starts_gains_nothing() -> None:
    """The same auction whoever starts it; the stranger pays its rent and has no first claim on it."""
    found = []
    for name in ("admin", "mallory"):
        world = stages.due()
        do(world, client.start_auction(address(name), OPEN, USDC_VAULT))
        found.append(world.account(client.auction_address(OPEN)).data)
    assert found[0] == found[1]
    do(world, bid("alice"))


def test_no_start_before_a_day_is_over() -> None:
    world = stages.running()
    do(world, bid("alice"))
    mint_usdc(world, USDC_VAULT, LOT)
    started = auction(world).started_at
    world.chain.warp_to(started + INTERVAL - 1)
    assert refused(world, start(OPEN + 1)) == "TooEarly"
    world.chain.warp_to(started + INTERVAL)
    do(world, start(OPEN + 1))


def test_dust_is_not_auctioned() -> None:
    """Otherwise a stranger could set the price with a lot that costs nothing, and use up the day."""
    world = stages.priced()
    assert refused(world, start(0)) == "LotTooSmall"
    mint_usdc(world, USDC_VAULT, MIN_LOT - 1)
    assert refused(world, start(0)) == "LotTooSmall"
    mint_usdc(world, USDC_VAULT, 1)
    do(world, start(0))
    assert auction(world, 0).lot == MIN_LOT


def test_an_auction_stays_and_keeps_the_rent_that_the_document_says() -> None:
    """Of whoever started it, taken and untaken ones alike."""
    world = stages.due()
    mint_usdc(world, USDC_VAULT, 10 * LOT)
    before = world.account(MALLORY).lamports
    stages.sold(world, 0)
    stages.unsold(world)
    said = (Path(__file__).parents[3] / "docs/protocol.md").read_text()
    last = config(world).started - 1
    rents = [world.account(client.auction_address(number)).lamports for number in (last - 1, last)]
    assert world.account(MALLORY).lamports == before - sum(rents)
    assert all(f"({rent:,}, of whoever starts it" in said for rent in rents)


# -- fees in IO --------------------------------------------------------------------------------


def test_fees_in_io_are_burned_whole_and_once() -> None:
    world = stages.running()
    supply, mallory = world.supply(), world.balance(MALLORY)
    assert refused(world, client.burn_fees(), client.burn_fees()) == "NothingToBurn"
    do(world, client.burn_fees())
    assert (world.supply(), world.tokens(client.IO_VAULT)) == (supply - 7 * IO, 0)
    assert world.balance(MALLORY) == mallory
    assert refused(world, client.burn_fees()) == "NothingToBurn"


def test_tokenomics_counts_every_burn() -> None:
    """Bids and fees are burned on the token program: whoever calls ``sync_burned`` counts them all."""
    world = stages.running()
    before = world.config().burned
    do(world, client.burn_fees(), bid("alice"))
    do(world, token.burn(tokenomics.tokens_address(BOB), tokenomics.MINT, BOB, 5))
    do(world, tokenomics.sync_burned())
    ours = config(world).burned_fees + config(world).burned_auctions
    assert world.config().burned == ours + 5 > before
    assert world.supply() == 500_000_000 * IO + world.config().emitted - world.config().burned
    assert refused(world, tokenomics.sync_burned()) == "NothingDue"
