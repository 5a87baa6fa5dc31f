"""Attacks on an order's places: taken without serving them, blocked, or made unfit for everybody else.

``BEFORE`` is what each attack took on the programs of before, as it was measured there.
"""

from __future__ import annotations

import pytest
from solders.instruction import Instruction

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.orders import EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ACCEPT,
    ASK_IO,
    EXCLUSIVE,
    FREE,
    OTHER_RUNNING,
    OTHER_WAITING,
    RUNNING,
    WAITING,
    WINDOW,
    create,
    device,
    end,
    lease,
    match,
    moved,
    open_order,
    order,
    purses,
    take,
    to_be,
)
from tests.security.outcomes import refused
from tests.security.people import address, do

BEFORE = {"places lost": 500, "transactions": 167, "seconds": 0, "lamports": 1_670_000}
"""An order of 500 devices, emptied by one device that never served: three places in a transaction."""
BLOCKED_BEFORE = {"seconds": 1_198, "lamports": 10_000, "on its record": 0}
"""A place kept from everybody else by one device, for all but two seconds of the order's time."""
BARS = [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY, DAY, DAY]
"""After each time that a device breaks off it is leased to nobody for so long."""


def break_off(world: World, worker: str = RUNNING, number: int = 1) -> list[Instruction]:
    """Matched by its supplier, accepted, ended and closed in one transaction."""
    one = to_be(world, worker, number=number)
    return [
        *take(world, worker, number=number),
        client.end_lease(one.supplier, one),
        client.close_lease(one),
    ]


def test_a_device_that_breaks_off_takes_one_place_and_gives_it_back() -> None:
    """It loses an hour, and the order nothing: the place is open again, for longer than before."""
    world = stages.ready()
    do(world, create(devices=500, price=ASK_IO, hours=2))
    world.chain.advance(EXCLUSIVE)
    before, opened, start = purses(world), order(world), world.chain.now()
    taken = 0
    while taken < BEFORE["places lost"] and not (refusal := refused(world, *break_off(world))):
        taken += 1
    assert (taken, refusal) == (1, "DeviceBarred")
    assert world.chain.now() - start == BEFORE["seconds"], "then an hour has to go by for each more"
    found = order(world)
    assert (found.open, found.free) == (500, opened.free), "no place is lost"
    assert found.match_until == start + WINDOW
    assert purses(world) == before
    one = device(world, RUNNING)
    assert (one.leases_done, one.leases_failed, one.strikes) == (0, 1, 1)
    assert one.barred_until == start + HOUR
    # Its place is there for an honest device at once.
    do(world, *take(world, FREE))
    assert order(world).open == 499


def test_after_its_bar_the_same_order_is_closed_to_a_device() -> None:
    """An order is no punching ball for one key: whoever wants to grief it again needs another device."""
    world = stages.ready()
    do(world, create(devices=1))
    world.chain.advance(EXCLUSIVE)
    do(world, *break_off(world))
    for other in (WAITING, FREE, OTHER_RUNNING, OTHER_WAITING):
        world.chain.warp_to(order(world).match_until - 1)
        do(world, *break_off(world, other))
    assert world.chain.now() >= device(world, RUNNING).barred_until
    assert refused(world, *break_off(world)) == "OrderServed"
    # Another order of the same renter is another order.
    do(world, create(number=2))
    world.chain.advance(EXCLUSIVE)
    do(world, *break_off(world, number=2))


def test_a_device_serves_an_order_once() -> None:
    """Well served or not: who could come back to its own order could keep an order for itself."""
    world = stages.ready()
    do(world, create(devices=2, hours=1))
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, RUNNING))
    # Without a strike it may be matched again at once, yet not to this order.
    do(world, end(world, "carol"))
    world.chain.advance(3 * HOUR)
    do(world, stages.settle(world), client.close_lease(lease(world)))
    do(world, create(number=2))
    world.chain.advance(EXCLUSIVE)
    assert device(world, RUNNING).last_order == order(world).address
    do(world, *take(world, RUNNING, number=2))
    assert device(world, RUNNING).last_order == order(world, number=2).address


def test_a_device_serves_another_order_at_an_address_used_again() -> None:
    """Before, who had served a renter's last order was refused to the next one under its number."""
    world = stages.ready()
    open_order(world, devices=1)
    do(world, match(world, FREE), stages.accept_later(world, FREE))
    do(world, end(world, "carol", FREE))
    world.chain.advance(3 * HOUR)
    do(world, stages.settle(world, FREE), client.close_lease(lease(world, FREE)), stages.close(world))
    first = device(world, FREE)
    opened = open_order(world, devices=1)
    assert (first.last_order, first.last_order_at) != (opened.address, opened.created_at)
    assert first.last_order == opened.address
    do(world, match(world, FREE))
    assert device(world, FREE).last_order_at == opened.created_at
    do(world, end(world, "carol", FREE), client.close_lease(lease(world, FREE)))
    world.chain.advance(60)
    # To one order it still comes once.
    do(world, create(number=2, devices=1))
    assert device(world, FREE).last_order == opened.address


def test_each_time_the_bar_is_twice_as_long() -> None:
    """And never longer than a day. A device that griefs for ever takes part of a minute each day."""
    world = stages.ready()
    found = []
    for number in range(1, len(BARS) + 1):
        do(world, create(number=number, devices=1, hours=1))
        world.chain.advance(EXCLUSIVE)
        do(world, *break_off(world, number=number))
        until = device(world, RUNNING).barred_until
        found.append(until - world.chain.now())
        if number == 1:
            assert order(world).open == 1
        world.chain.warp_to(until - EXCLUSIVE - 1)
        do(world, create(number=100 + number, devices=1, hours=1))
        world.chain.warp_to(until - 1)
        assert refused(world, *break_off(world, number=100 + number)) == "DeviceBarred"
        world.chain.advance(1)
    assert found == BARS


def test_a_day_served_clears_a_device() -> None:
    world = stages.ready()
    for number in (1, 2):
        do(world, create(number=number, devices=1, hours=1))
        world.chain.advance(EXCLUSIVE)
        do(world, *break_off(world, number=number))
        world.chain.warp_to(device(world, RUNNING).barred_until)
    assert device(world, RUNNING).strikes == 2
    do(world, create(number=3, devices=1, hours=24))
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, RUNNING, number=3))
    world.chain.advance(DAY)
    do(world, end(world, "mallory", number=3))
    do(world, create(number=4, devices=1, hours=1))
    world.chain.advance(EXCLUSIVE)
    do(world, *break_off(world, number=4))
    one = device(world, RUNNING)
    assert (one.strikes, one.barred_until) == (1, world.chain.now() + HOUR)


def test_a_supplier_that_waits_with_its_yes_blocks_nothing() -> None:
    """What a supplier matches it accepts in the same second, or anybody ends it in the next."""
    world = stages.ready()
    do(world, create(devices=1))
    world.chain.advance(EXCLUSIVE)
    do(world, match(world, RUNNING, matcher="alice"))
    assert refused(world, *take(world, FREE)) == "OrderFull"
    start = world.chain.now()
    world.chain.advance(1)
    assert refused(world, stages.accept(world, RUNNING)) == "AcceptanceOver"
    do(world, end(world, "mallory"), *take(world, FREE))
    blocked = world.chain.now() - start
    one = device(world, RUNNING)
    assert (blocked, one.strikes) == (1, 1)
    assert blocked < BLOCKED_BEFORE["seconds"]
    assert one.barred_until == start + 1 + HOUR


def test_an_operators_match_that_lapses_bars_the_device() -> None:
    """Ten minutes of one place are what a device can waste; the next time is two hours later."""
    world = stages.opened()
    do(world, match(world, RUNNING))
    start = world.chain.now()
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory"))
    found, one = order(world), device(world, RUNNING)
    assert (lease(world).reason, found.open, found.held) == (EndReason.LAPSED, 3, 0)
    assert found.match_until == max(found.created_at + WINDOW, world.chain.now() + WINDOW)
    assert (one.strikes, one.barred_until) == (1, start + ACCEPT + HOUR)
    assert world.chain.now() - start < BLOCKED_BEFORE["seconds"]
    assert (one.leases_done, one.leases_failed) == (0, 0), "what was never served is no failed lease"


@pytest.mark.parametrize("seconds", [0, 1, HOUR - 1, HOUR])
def test_breaking_off_in_the_first_hour_opens_the_place_again(seconds: int) -> None:
    """From the first whole hour on something was served: the place stays taken, and nobody is barred."""
    world = stages.opened()
    stages.run(world, RUNNING)
    world.chain.advance(seconds)
    before = order(world)
    assert moved(world, end(world, "alice")) == {}
    after, one = order(world), device(world, RUNNING)
    served = seconds >= HOUR
    # Past the end of the matching those that nobody took stay over.
    again = 1 + (before.open if seconds < WINDOW else 0)
    assert (after.open, one.strikes) == ((before.open, 0) if served else (again, 1))
    assert one.leases_failed == 1
    if not served:
        assert after.match_until == world.chain.now() + WINDOW
        assert after.free - before.free == before.held


def test_places_of_a_cancelled_order_stay_closed() -> None:
    """And nobody's bar depends on what the renter does."""
    world = stages.matching()
    do(world, stages.cancel(world))
    before = order(world)
    do(world, end(world, "alice"), end(world, "bob", WAITING))
    after = order(world)
    assert (after.open, after.match_until) == (0, before.match_until)
    for worker in (RUNNING, WAITING):
        assert device(world, worker).strikes == 1


def test_a_renter_that_withdraws_bars_nobody() -> None:
    world = stages.matching()
    do(world, end(world, "carol", WAITING), end(world, "carol"))
    for worker in (RUNNING, WAITING):
        one = device(world, worker)
        assert (one.strikes, one.barred_until) == (0, 0)


def test_what_a_pause_of_matching_kept_from_being_accepted_bars_nobody() -> None:
    """The worker could not say yes: its lease lapses without a strike, the place opens all the same."""
    world = stages.opened()
    do(world, match(world, RUNNING))
    do(world, client.set_pause(address("guardian"), client.PAUSE_MATCHING, world.chain.now() + ACCEPT))
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory"))
    assert (device(world, RUNNING).strikes, order(world).open) == (0, 3)
    # A pause from before the match is no excuse.
    do(world, match(world, FREE))
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory", FREE))
    assert device(world, FREE).strikes == 1


@pytest.mark.parametrize("lifted", ["lifted", "set again"])
def test_a_pause_that_was_changed_meanwhile_is_an_excuse_all_the_same(lifted: str) -> None:
    """For nine of its ten minutes the worker could not accept: who lifts a pause bars nobody with it."""
    world = stages.opened()
    do(world, match(world, RUNNING))
    guardian = address("guardian")
    do(world, client.set_pause(guardian, client.PAUSE_MATCHING, world.chain.now() + DAY))
    world.chain.advance(ACCEPT - 60)
    mask, until = (0, 0) if lifted == "lifted" else (client.PAUSE_ORDERS, world.chain.now() + DAY)
    do(world, client.set_pause(guardian, mask, until))
    world.chain.advance(60)
    do(world, end(world, "mallory"))
    assert (device(world, RUNNING).strikes, order(world).open) == (0, 3)
    # Whoever is matched after it has no excuse.
    do(world, match(world, FREE))
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory", FREE))
    assert device(world, FREE).strikes == 1


@pytest.mark.parametrize("how", ["broken off", "declined", "faulty"])
def test_a_pause_excuses_nobody_who_could_have_stayed(how: str) -> None:
    """Before, a pause of one second forgave whatever a device of that time did, 50 minutes later."""
    world = stages.opened()
    do(world, match(world, RUNNING))
    if how != "declined":
        do(world, stages.accept(world, RUNNING))
    do(world, client.set_pause(address("guardian"), client.PAUSE_MATCHING, world.chain.now() + 1))
    world.chain.advance(60 if how == "declined" else 50 * 60)
    if how == "faulty":
        do(world, stages.vote(world, 0, 0), stages.vote(world, 1, 0))
    else:
        do(world, end(world, "alice"))
    one = device(world, RUNNING)
    assert (one.strikes, one.barred_until) == (1, world.chain.now() + HOUR)


def test_a_workers_key_read_on_the_machine_keeps_the_device_barred_while_it_is_let() -> None:
    """By declining what small orders of its reader's are matched to: bars cost rewards, too.

    With that key the machine could be made to fail its proofs as well. The supplier takes the device off the
    market, and registers it anew with another key.
    """
    world = stages.ready()
    barred = []
    for number in range(1, len(BARS) + 1):
        world.chain.warp_to(max(world.chain.now(), device(world, RUNNING).barred_until))
        open_order(world, "mallory", number, stages.IN_USDC, devices=1, hours=1)
        do(world, match(world, RUNNING, "mallory", number))
        do(world, end(world, "worker", RUNNING, "mallory", number))
        barred.append(device(world, RUNNING).barred_until - world.chain.now())
    assert barred == BARS
    do(world, change(world, RUNNING, ask_io=0, ask_usdc=0))
    world.chain.warp_to(device(world, RUNNING).barred_until)
    open_order(world, "mallory", 99, stages.IN_USDC, devices=1, hours=1)
    assert refused(world, match(world, RUNNING, "mallory", 99)) == "NotLet"
    assert device(world, RUNNING).barred_until <= world.chain.now()


# -- terms for one instruction -------------------------------------------------------------------


def change(world: World, worker: str, **changed: object) -> Instruction:
    """What a supplier says of its device, with some of it changed."""
    one = device(world, worker)
    terms = {name: getattr(one, name) for name in ("tier", "country", "ask_io", "ask_usdc")}
    return staking.change_device(one, **{**terms, **changed})


@pytest.mark.parametrize("wish", [{"colocated": True}, {"countries": ("AQ", "DE")}])
def test_a_country_for_one_instruction(wish: dict[str, object]) -> None:
    """Before, one such match made an order unfit for every honest device, and passed any filter."""
    world = stages.ready()
    do(world, create(**wish))
    world.chain.advance(EXCLUSIVE)
    flash = (change(world, RUNNING, country="AQ"), *take(world, RUNNING), change(world, RUNNING))
    assert refused(world, *flash) == ("OperatorsOnly" if "colocated" in wish else "TermsTooYoung")
    # Not with an operator, either, nor if it stays there: it is the order's opening that counts.
    do(world, change(world, RUNNING, country="AQ"))
    assert refused(world, match(world, RUNNING)) == "TermsTooYoung"


def test_the_country_of_a_colocated_order_is_the_operators_choice() -> None:
    """A supplier in a far country, there in good time, still can't be the first."""
    world = stages.ready()
    do(world, change(world, RUNNING, country="AQ"))
    world.chain.advance(1)
    do(world, create(colocated=True))
    world.chain.advance(EXCLUSIVE)
    assert refused(world, *take(world, RUNNING)) == "OperatorsOnly"
    do(world, match(world, FREE))
    assert order(world).country == b"CH"
    assert refused(world, *take(world, RUNNING)) == "WrongCountry"
    # With a country chosen a supplier may join it.
    do(world, *take(world, WAITING))
    # All gone, it is free again.
    do(world, end(world, "carol", FREE), end(world, "bob", WAITING))
    for worker in (FREE, WAITING):
        do(world, client.close_lease(lease(world, worker)))
    assert refused(world, *take(world, RUNNING)) == "OperatorsOnly"


@pytest.mark.parametrize(
    "changed", [{"tier": 3}, {"country": "DE"}, {"ask_io": ASK_IO - 1}, {"ask_usdc": 1}, {"ask_usdc": 0}]
)
def test_any_change_of_terms_keeps_a_device_out_of_open_orders(changed: dict[str, object]) -> None:
    """A lower ask as well; taking a device off the market for a currency is no change of terms."""
    world = stages.opened()
    do(world, change(world, FREE, **changed))
    harmless = changed == {"ask_usdc": 0}
    assert refused(world, match(world, FREE)) == (None if harmless else "TermsTooYoung")
    if not harmless:
        world.chain.advance(1)
        open_order(world, number=2)
        do(world, match(world, FREE, number=2))


def test_terms_of_the_same_second_are_too_young() -> None:
    world = stages.ready()
    do(world, change(world, FREE, tier=3), create())
    world.chain.advance(stages.MINUTE)
    assert refused(world, match(world, FREE)) == "TermsTooYoung"
    world = stages.ready()
    do(world, change(world, FREE, tier=3))
    world.chain.advance(1)
    open_order(world)
    do(world, match(world, FREE))


def test_no_supplier_refuses_one_renter_by_its_payout() -> None:
    """Before, a payout of the renter's own for one transaction refused that renter (``OwnDevice``), and
    nobody else: the device stayed in all orders that were open."""
    world = stages.ready()
    for name in ("carol", "mallory"):
        if world.chain.get(staking.wallet_address(address(name))) is None:
            do(world, staking.open_wallet(address("bob"), address(name)))
    open_order(world)
    open_order(world, "mallory", terms=stages.IN_USDC)
    do(world, staking.set_payout(device(world, RUNNING), address("carol")))
    do(world, staking.set_payout(device(world, RUNNING), address("alice")))
    assert device(world, RUNNING).changed_at == world.chain.now()
    for renter in ("carol", "mallory"):
        assert refused(world, match(world, RUNNING, renter)) == "TermsTooYoung"
    # Who really wants another payout is back with the next order.
    world.chain.advance(1)
    open_order(world, number=2)
    do(world, match(world, RUNNING, number=2))
