"""Pauses of orders, a replaced guardian, and terms that an order keeps."""

from __future__ import annotations

from keeper.clients import orders as client
from keeper.clients.orders import PAUSE_MATCHING, PAUSE_ORDERS, Params
from keeper.economy.supply import IO
from tests.programs.world import DAY, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    HOUR_FEE,
    PLACE,
    RATE,
    RUNNING,
    WAITING,
    WHOLE,
    create,
    end,
    extend,
    fee,
    hold,
    lease,
    moved,
    order,
    refund,
    settle,
)
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, address, do

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
LONGEST = client.PROGRAM.constants["MAX_PAUSE"]


def paused(world: World, mask: int, seconds: int = LONGEST) -> World:
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + seconds))
    return world


def test_everybody_gets_out_while_everything_is_paused() -> None:
    """Renewed for as long as you like: leases lapse, end, are paid and closed, orders give all back."""
    world = paused(stages.matching(), PAUSE_ORDERS | PAUSE_MATCHING)
    do(world, stages.cancel(world), end(world, "carol", WAITING))
    assert moved(world, refund(world))["carol"] == 3 * PLACE - WHOLE - 2 * HOUR_FEE
    world.chain.advance(3 * 3_600)
    do(world, end(world, "carol"))
    world.chain.advance(LONGEST - 3 * 3_600 - 1)
    paused(world, PAUSE_ORDERS | PAUSE_MATCHING)
    assert moved(world, settle(world))["vault"] == -3 * RATE - fee(10 * RATE) - 2 * HOUR_FEE
    do(world, client.close_lease(lease(world)), client.close_lease(lease(world, WAITING)))
    assert moved(world, stages.close(world)) == {"vault": -7 * RATE, "carol": 7 * RATE}


def test_a_replaced_guardian_holds_nothing() -> None:
    world = stages.ready()
    world.chain.advance(7 * DAY)
    do(world, client.accept_guardian(address(DEPUTY)), create())
    stages.run(world, RUNNING)
    assert refused(world, hold(world)) == "NotGuardian"
    do(world, hold(world, guardian=DEPUTY))


def test_an_order_keeps_the_terms_of_its_opening() -> None:
    """Fees, windows and lag of the day it was opened, whatever the admin changes later."""
    world = stages.ready()
    dear = Params(1, 1, 0, DAY, 100, 100, 500, exclusive=0)
    do(world, client.propose_params(ADMIN, dear))
    world.chain.advance(7 * DAY)
    do(world, create())
    opened = order(world)
    do(world, client.apply_params())
    world.chain.advance(5 * 60)
    stages.run(world, RUNNING)
    assert lease(world).held == 10 * RATE + fee(10 * RATE)
    assert moved(world, extend(world))["carol"] == -RATE - fee(RATE)
    world.chain.advance(4 * 3_600)
    assert moved(world, settle(world)) == {
        "vault": -2 * RATE - fee(2 * RATE),
        "alice": 2 * RATE - fee(2 * RATE),
        "fees": 2 * fee(2 * RATE),
    }
    do(world, create(number=2))
    later = order(world, number=2)
    assert (opened.renter_fee_bps, later.renter_fee_bps) == (25, 100)
    assert later.deposit == 3 * (120 * IO + fee(120 * IO, 100))
