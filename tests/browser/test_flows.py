"""What a wallet does on pages ends with the balances that the protocol's rules say."""

from __future__ import annotations

import pytest

from keeper.chain.framework import associated_token_address
from keeper.clients import buyback, orders, staking
from keeper.economy.buyback import Path as PricePath
from keeper.economy.supply import IO
from keeper.rewards import publication
from tests.browser.site import Site, digits
from tests.programs.buyback.world import USDC_MINT
from tests.programs.world import key

pytestmark = pytest.mark.browser


def address(worker: str) -> str:
    return str(staking.device_address(key(worker).pubkey()))


def test_a_claim_pays_what_the_files_say(site: Site) -> None:
    owner = key("supplier b")
    found = publication.claimable(site.world.folder, 1, owner.pubkey())
    before = site.io(owner.pubkey())
    site.act(f"/wallets/{owner.pubkey()}", [["click", "Claim"]], owner)
    assert site.io(owner.pubkey()) - before == found.lifetime > 0


def test_a_seasons_claim_pays_its_wallet_whoever_signs(site: Site) -> None:
    """And once: whoever looks again is told that it is paid. Somebody without a part is told so."""
    wallet, payer = key("absent").pubkey(), key("supplier b")
    path = f"/seasons/1?wallet={wallet}"
    table = site.act(path, [["click", "Claim"]], payer)
    assert site.io(wallet) == 600 * IO
    assert {row["cells"][0]: digits(row["cells"][4]) for row in table if row["unit"] == "IO"} == {
        str(wallet): 600 * IO,
        "the season's vault": -600 * IO,
    }
    site.visit([["open", path], ["click", "Connect Test wallet"], ["see", "600.00000000 IO are paid"]], payer)
    site.visit(
        [["open", "/seasons/1"], ["click", "Connect Test wallet"], ["see", "gets nothing in season 1"]], payer
    )


def test_a_stake_goes_on_cools_and_comes_back(site: Site) -> None:
    owner, worker = key("supplier a"), "a3"
    before, staked = site.io(owner.pubkey()), site.device(worker).own
    path = f"/devices/{address(worker)}"
    table = site.act(path, [["fill", "IO to stake", "1,250.5"], ["click", "Stake"]], owner)
    amount = 125_050_000_000
    assert {row["cells"][0]: digits(row["cells"][4]) for row in table if row["unit"] == "IO"} == {
        "you": -amount,
        "the stake vault": amount,
    }
    assert site.io(owner.pubkey()) == before - amount
    assert site.device(worker).own == staked + amount

    site.act(path, [["click", "Unstake all"]], owner)
    cooling = site.device(worker)
    assert (cooling.own, cooling.own_cooling) == (0, staked + amount)
    steps = [["open", path], ["click", "Connect Test wallet"], ["see", "cool until"], ["buttons"]]
    assert "Take out" not in site.visit(steps, owner)[-1]

    site.advance(cooling.own_until - site.now())
    # Anybody may have it paid: here somebody else does.
    site.act(path, [["click", "Take out"]], key("supplier b"))
    assert site.io(owner.pubkey()) == before + staked
    assert site.device(worker).own_cooling == 0


def test_an_offer_is_taken_and_left(site: Site) -> None:
    supplier, staker, worker = key("supplier b"), key("renter"), "b2"
    path, amount = f"/devices/{address(worker)}", 300 * IO
    asked = [["fill", "IO that a co-staker stakes", "300"], ["fill", "% of rewards for it", "12.5"]]
    site.act(path, [*asked, ["click", "Offer"]], supplier)
    assert (site.device(worker).offer, site.device(worker).offer_reward_bps) == (amount, 1_250)
    site.act(path, [["click", "Withdraw the offer"]], supplier)
    assert site.device(worker).offer == 0
    site.act(path, [*asked, ["click", "Offer"]], supplier)

    before = site.io(staker.pubkey())
    site.act(path, [["click", "Take the offer"]], staker)
    assert site.io(staker.pubkey()) == before - amount
    held = site.device(worker).co
    assert (held.staker, held.amount, held.reward_bps) == (staker.pubkey(), amount, 1_250)

    site.act(path, [["click", "Leave"]], staker)
    params = site.world.staking_config().params
    assert site.device(worker).co.until == site.now() + params.co_stake_wait
    site.advance(params.co_stake_wait + params.cooldown)
    site.act(path, [["click", "Take out"]], staker)
    assert site.io(staker.pubkey()) == before


def test_a_bid_burns_what_the_price_says_and_pays_the_lot(site: Site) -> None:
    bidder, number = key("renter"), 2
    address_ = buyback.auction_address(number)
    auction = buyback.parse_auction(site.account(address_).data)
    path = PricePath(
        auction.lot, auction.start_price, auction.floor_price, auction.started_at, auction.ends_at
    )
    cost = path.cost(site.now())
    assert cost
    usdc = str(associated_token_address(bidder.pubkey(), USDC_MINT))
    io, before = site.io(bidder.pubkey()), site.has(usdc)
    table = site.act(f"/auctions/{number}", [["click", "Bid"]], bidder)
    assert site.io(bidder.pubkey()) == io - cost
    assert site.has(usdc) == before + auction.lot
    changes = {(row["cells"][0], row["cells"][1]): row["cells"][4] for row in table}
    assert digits(changes["the vault of fees", "USDC"]) == -auction.lot
    assert digits(changes["you", "USDC"]) == auction.lot


def test_an_extension_costs_its_hours_and_the_fee(rented: Site) -> None:
    renter = key("renter")
    order = rented.world.read_order(renter, 1)
    at = orders.lease_address(order.address, staking.device_address(key("a1").pubkey()))
    lease = orders.parse_lease(rented.account(at).data)
    before, deposit = rented.io(renter.pubkey()), rented.has(str(order.vault))
    # Twice, as the fee of the second begins where that of the first was rounded.
    for hours in (1, 3):
        had = orders.parse_lease(rented.account(at).data)
        rented.act(f"/leases/{at}", [["fill", "Hours more", str(hours)], ["click", "Extend"]], renter)
        assert before - rented.io(renter.pubkey()) == had.extension(hours)
        before = rented.io(renter.pubkey())
    now = orders.parse_lease(rented.account(at).data)
    assert (now.hours, now.stop) == (lease.hours + 4, lease.stop + 4 * 3600)
    assert rented.has(str(order.vault)) - deposit == lease.extension(4)
