"""Attacks on refunds and closing, and on what is made anew where something was closed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.supply import IO
from tests.programs.world import DAY, HOUR
from tests.security.orders import stages
from tests.security.orders.stages import (
    FREE,
    OPERATOR,
    OTHER_RUNNING,
    OTHER_WAITING,
    PLACE,
    RATE,
    RUNNING,
    SURPLUS,
    TERMS,
    WAITING,
    WHOLE,
    WINDOW,
    cancel,
    close,
    create,
    device,
    end,
    fee,
    lease,
    match,
    moved,
    order,
    put,
    refund,
    settle,
    where,
)
from tests.security.outcomes import refused
from tests.security.people import address, do

CAROL, MALLORY = (address(name) for name in ("carol", "mallory"))


# -- refunds -------------------------------------------------------------------------------------


def test_a_refund_leaves_what_open_places_need() -> None:
    world = stages.matching()
    assert moved(world, refund(world)) == {"vault": -2 * SURPLUS, "carol": 2 * SURPLUS}
    assert refused(world, refund(world)) == "NothingToRefund"
    do(world, match(world, FREE))
    assert moved(world, refund(world)) == {"vault": -SURPLUS, "carol": SURPLUS}
    assert refused(world, refund(world)) == "NothingToRefund"


def test_a_place_nobody_took_is_given_back_to_the_second() -> None:
    world = stages.matching()
    do(world, refund(world))
    world.chain.warp_to(order(world).match_until - 1)
    assert refused(world, refund(world)) == "NothingToRefund"
    world.chain.advance(1)
    assert moved(world, refund(world)) == {"vault": -PLACE, "carol": PLACE}
    # The lease that waited lapsed: its place is open again, for as long as one is at first.
    do(world, end(world, "mallory", WAITING))
    assert refused(world, refund(world)) == "NothingToRefund"
    world.chain.advance(WINDOW - 1)
    assert refused(world, refund(world)) == "NothingToRefund"
    world.chain.advance(1)
    assert moved(world, refund(world)) == {"vault": -WHOLE, "carol": WHOLE}
    assert refused(world, refund(world)) == "NothingToRefund"
    assert order(world).held == world.tokens(order(world).vault) == WHOLE


# -- closing -------------------------------------------------------------------------------------


def test_a_lease_that_is_owed_money_stays() -> None:
    world = stages.serving()
    assert refused(world, client.close_lease(lease(world))) == "LeaseState"
    do(world, end(world, "carol"))
    assert refused(world, client.close_lease(lease(world))) == "LeaseNotPaid"
    do(world, settle(world))
    assert refused(world, client.close_lease(lease(world))) == "LeaseNotPaid"
    world.chain.advance(2 * HOUR)
    do(world, settle(world), client.close_lease(lease(world)))


def test_rents_go_to_whoever_paid_them() -> None:
    world = stages.done()
    operator, renter = address(OPERATOR), CAROL
    one, opened = lease(world), order(world)
    stolen = put(client.close_lease(one), payer=MALLORY)
    assert refused(world, stolen) == "NotRentPayer"
    rent, before = world.account(where(RUNNING)).lamports, world.account(operator).lamports
    do(world, client.close_lease(one), client.close_lease(lease(world, WAITING)))
    assert world.account(operator).lamports - before == 2 * rent
    assert refused(world, put(close(world), renter=MALLORY)) == "NotRenter"
    rents = sum(world.account(each).lamports for each in (opened.address, opened.vault))
    before = world.account(renter).lamports
    do(world, close(world))
    assert world.account(renter).lamports - before == rents
    assert world.chain.get(opened.address) is None
    assert world.chain.get(opened.vault) is None


def test_an_order_that_can_still_change_stays() -> None:
    world = stages.matching()
    assert refused(world, close(world)) == "OrderBusy"
    alone = stages.opened()
    assert refused(alone, close(alone)) == "OrderBusy"
    alone.chain.warp_to(order(alone).match_until - 1)
    assert refused(alone, close(alone)) == "OrderBusy"
    alone.chain.advance(1)
    gone = close(alone)
    assert moved(alone, gone) == {"vault": -3 * PLACE, "carol": 3 * PLACE}
    assert refused(alone, gone) == "AccountDataTooSmall"


def test_a_lease_of_another_order_can_not_be_closed_in_ours() -> None:
    """Otherwise an order could be closed while its own lease is there."""
    world = stages.done()
    swapped = put(client.close_lease(lease(world)), order=client.order_address(MALLORY, 1))
    assert refused(world, swapped) == "WrongOrder"


# -- made anew -----------------------------------------------------------------------------------


def test_an_orders_number_can_be_used_again() -> None:
    """Cancelled, closed and opened in one transaction: the new one has nothing of the old one."""
    world = stages.opened()
    before = order(world)
    do(world, cancel(world), close(world), create(terms=replace(TERMS, devices=1)))
    found, later = order(world), world.chain.now() - before.created_at
    assert found == replace(
        before,
        open=1,
        deposit=PLACE,
        free=PLACE,
        transactions=1,
        terms=replace(TERMS, devices=1),
        **{name: getattr(before, name) + later for name in ("created_at", "exclusive_until", "match_until")},
    )
    assert world.tokens(found.vault) == PLACE


def test_what_is_closed_is_not_brought_back_by_lamports() -> None:
    """Sent in the same transaction they keep the address alive, yet no account of the program's."""
    world = stages.done()
    gone = order(world, number=2)
    gift = TransferParams(from_pubkey=MALLORY, to_pubkey=gone.address, lamports=10**9)
    closing = close(world, number=2)
    do(world, closing, transfer(gift))
    assert world.account(gone.address).data == b""
    assert refused(world, closing) == "AccountDataTooSmall"
    do(world, create(number=2))
    assert order(world, number=2).deposit == 3 * PLACE


def test_a_lease_outlives_its_device() -> None:
    """The supplier terminates and closes the device while money is due: it is paid, and nobody is stuck."""
    world = stages.serving()
    do(world, end(world, "alice"))
    one = device(world, RUNNING)
    do(world, staking.terminate_device(one), staking.unstake(one))
    world.chain.advance(14 * DAY)
    do(world, staking.withdraw(device(world, RUNNING)))
    do(world, staking.close_device(device(world, RUNNING)))
    amount = 4 * RATE
    assert moved(world, settle(world)) == {
        "vault": -amount - fee(amount),
        "alice": amount - fee(amount),
        "fees": 2 * fee(amount),
    }
    do(world, client.close_lease(lease(world)), client.close_lease(lease(world, WAITING)))
    do(world, close(world))


def test_both_orders_end_with_empty_vaults() -> None:
    """Every base unit that came in is the supplier's, the network's or the renter's again."""
    world = stages.serving()
    world.chain.advance(10 * DAY)
    for renter, running, waiting in (
        ("carol", RUNNING, WAITING),
        ("mallory", OTHER_RUNNING, OTHER_WAITING),
    ):
        do(world, settle(world, running, renter), end(world, "mallory", running, renter))
        for worker in (running, waiting):
            do(world, client.close_lease(lease(world, worker, renter)))
        found = order(world, renter)
        assert found.held == 0
        rest = found.deposit - found.paid - found.fees
        unit = "" if renter == "carol" else " usdc"
        assert moved(world, close(world, renter)) == {f"vault{unit}": -rest, f"{renter}{unit}": rest}


@pytest.mark.parametrize("slot", ["order", "vault", "lease"])
def test_lamports_given_to_an_account_are_nobodys_gain_but_the_rent_payers(slot: str) -> None:
    world = stages.done()
    where: Pubkey = {
        "order": order(world, number=2).address,
        "vault": order(world, number=2).vault,
        "lease": lease(world).address,
    }[slot]
    world.chain.airdrop(where, IO)
    call = client.close_lease(lease(world)) if slot == "lease" else stages.close(world, number=2)
    payer = address(OPERATOR) if slot == "lease" else address("carol")
    accounts = [where] if slot == "lease" else [order(world, number=2).address, order(world, number=2).vault]
    rents = sum(world.account(each).lamports for each in accounts)
    before = world.account(payer).lamports
    do(world, call)
    assert world.account(payer).lamports - before == rents > IO
