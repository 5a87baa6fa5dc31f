"""Attacks on orders by devices that take a place and leave it: each costs the device more of its time."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.economy.orders import LeaseOutcome
from keeper.economy.supply import IO
from tests.model.staking.state import NEVER_SERVED
from tests.programs.world import DAY, HOUR, World, key
from tests.security.outcomes import refused
from tests.security.people import do
from tests.security.staking import stages
from tests.security.staking.slashing import ALICE
from tests.security.staking.stages import LEASE, ORDER, device, free_device, lease_device

BARS = (1, 2, 4, 8, 16, 24, 24, 24)
"""Hours of each bar in a row."""


def another_order(world: World) -> Pubkey:
    """An order that the device has not served last."""
    return key(f"order of {device(world, 'worker').leases}").pubkey()


def lease(world: World) -> None:
    """The next lease, for another order."""
    do(world, lease_device(device(world, "worker"), order=another_order(world)))


def leave(world: World) -> None:
    """A lease is taken and left before its first hour."""
    lease(world)
    do(world, free_device(device(world, "worker"), seconds=0, outcome=NEVER_SERVED, strike=1))


def serve(world: World, seconds: int) -> None:
    """A lease is served; what it is counted for is what orders says."""
    lease(world)
    do(world, free_device(device(world, "worker"), seconds=seconds, outcome=LeaseOutcome.DONE))


def bar(world: World) -> int:
    """For how long the device is barred from now on, seconds."""
    return max(0, device(world, "worker").barred_until - world.chain.now())


def waited_out(world: World) -> None:
    world.chain.warp_to(max(world.chain.now(), device(world, "worker").barred_until))


def test_no_device_takes_place_after_place_in_an_order() -> None:
    """The fault: match, accept, end, close, match again, 500 places emptied in no time at all. The same order
    leases a device once, and another one only after an hour."""
    world = stages.leased()
    one = device(world, "worker")
    gone = free_device(one, seconds=0, outcome=NEVER_SERVED, strike=1)
    assert refused(world, gone, lease_device(one)) == "DeviceBarred"
    do(world, gone)
    assert device(world, "worker").last_order == ORDER
    world.chain.advance(HOUR - 1)
    for order in (ORDER, another_order(world)):
        assert refused(world, lease_device(one, order=order)) == "DeviceBarred"
    world.chain.advance(1)
    assert refused(world, lease_device(one)) == "OrderServed"
    lease(world)


def test_each_bar_is_twice_as_long_up_to_a_day() -> None:
    world = stages.staked()
    for number, hours in enumerate(BARS, 1):
        leave(world)
        assert bar(world) == hours * HOUR
        assert device(world, "worker").strikes == number
        world.chain.advance(hours * HOUR - 1)
        again = lease_device(device(world, "worker"), order=another_order(world))
        assert refused(world, again) == "DeviceBarred"
        world.chain.advance(1)
    serve(world, HOUR)


def test_strikes_in_their_hundreds_bar_for_a_day_each() -> None:
    """The count stops at what a byte holds, and no bar gets shorter for it."""
    world = stages.staked()
    for _ in range(260):
        leave(world)
        waited_out(world)
    assert device(world, "worker").strikes == 255
    leave(world)
    assert bar(world) == DAY


@pytest.mark.parametrize(("served", "hours"), [(DAY - 1, 2), (DAY, 1)])
def test_a_day_served_clears_a_device(served: int, hours: int) -> None:
    """Only served time counts, and only what was served since the last strike."""
    world = stages.staked()
    serve(world, 10 * DAY)
    leave(world)
    assert bar(world) == HOUR
    world.chain.advance(100 * DAY)
    serve(world, served)
    leave(world)
    assert bar(world) == hours * HOUR


def test_two_halves_of_a_day_around_a_strike_clear_nothing() -> None:
    world = stages.staked()
    serve(world, DAY // 2)
    leave(world)
    waited_out(world)
    serve(world, DAY // 2)
    leave(world)
    assert bar(world) == 2 * HOUR
    waited_out(world)
    serve(world, DAY // 2)
    leave(world)
    assert bar(world) == 4 * HOUR


def test_who_serves_is_not_barred() -> None:
    """Leases that end as agreed, or that were never served through nobody's fault."""
    world = stages.staked()
    serve(world, HOUR)
    lease(world)
    do(world, free_device(device(world, "worker"), seconds=0, outcome=NEVER_SERVED))
    lease(world)
    do(world, free_device(device(world, "worker"), outcome=LeaseOutcome.FAILED))
    found = device(world, "worker")
    assert (found.strikes, found.barred_until) == (0, 0)
    assert (found.leases, found.leases_done, found.leases_failed) == (3, 1, 1)


def test_an_order_leases_a_device_again_after_another_has() -> None:
    """Never twice running: whoever does both orders' work is welcome back."""
    world = stages.served()
    one = device(world, "worker")
    assert refused(world, lease_device(one)) == "OrderServed"
    serve(world, HOUR)
    do(world, lease_device(one))


def test_a_bar_holds_no_stake_back() -> None:
    world = stages.staked()
    leave(world)
    one = device(world, "worker")
    before = world.balance(ALICE)
    do(world, client.withdraw_overflow(one, 100 * IO), client.unstake(one))
    do(world, client.terminate_device(one))
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(one), client.close_device(one))
    assert world.balance(ALICE) - before == 1_100 * IO


def test_a_device_made_anew_to_shed_its_bar_waits_longer_for_its_stake() -> None:
    """The longest bar is a day; unstaking, closing and registering again takes the cooldown of 14."""
    world = stages.staked()
    leave(world)
    one = device(world, "worker")
    do(world, client.unstake(one), client.terminate_device(one))
    assert refused(world, client.close_device(one)) == "DeviceNotEmpty"
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(one), client.close_device(one))
    stages.register(world, "worker")
    found = device(world, "worker")
    assert (found.strikes, found.barred_until, found.leases, found.last_order) == (0, 0, 0, client.NOBODY)


@pytest.mark.parametrize("strike", [2, 255])
def test_a_strike_that_is_neither_yes_nor_no(strike: int) -> None:
    world = stages.stage("leased")
    assert refused(world, free_device(device(world, "worker"), LEASE, strike=strike)) == "FlagInvalid"
