"""Attacks on gangs: devices that run together or not at all, and whoever would break or abuse that."""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.orders import EndReason, LeaseStatus
from keeper.economy.supply import IO
from tests.programs.world import HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ACCEPT,
    EXCLUSIVE,
    FREE,
    HOUR_FEE,
    MINUTE,
    OTHER_RUNNING,
    OTHER_WAITING,
    RATE,
    RUNNING,
    WAITING,
    WHOLE,
    WINDOW,
    accept,
    cancel,
    create,
    device,
    end,
    extend,
    fee,
    hold,
    lease,
    match,
    moved,
    open_order,
    order,
    refund,
    settle,
    take,
    vote,
)
from tests.security.orders.test_prices import announced
from tests.security.outcomes import refused, undone
from tests.security.people import address, do

GANG = (RUNNING, WAITING, FREE)


def matched(devices: int = 3, least: int = 3, workers: tuple[str, ...] = GANG) -> World:
    """A gang whose devices are matched, none accepted."""
    world = stages.ready()
    open_order(world, devices=devices, min_devices=least)
    for worker in workers:
        do(world, match(world, worker))
    return world


def accepted(*workers: str, devices: int = 3, least: int = 3) -> World:
    """A gang of which some have accepted."""
    world = matched(devices, least)
    for worker in workers:
        do(world, accept(world, worker))
    return world


# -- filled or not -------------------------------------------------------------------------------


def test_hours_begin_when_the_gang_is_filled() -> None:
    """For all at once: who accepted first earns nothing earlier, the renter pays for no half of a gang."""
    world = accepted(RUNNING)
    first = lease(world)
    assert (first.status, first.start, first.stop, first.held) == (LeaseStatus.ACCEPTED, 0, 0, WHOLE)
    world.chain.advance(60)
    do(world, accept(world, WAITING))
    assert order(world).filled_at == 0
    world.chain.advance(60)
    do(world, accept(world, FREE))
    filled = order(world).filled_at
    assert filled == world.chain.now()
    assert (lease(world, FREE).status, lease(world, FREE).start) == (LeaseStatus.RUNNING, filled)
    # The others begin with the first thing that happens to them, in the same second as that one.
    world.chain.advance(3 * HOUR)
    for worker in (RUNNING, WAITING):
        assert lease(world, worker).status == LeaseStatus.ACCEPTED
        do(world, settle(world, worker))
        one = lease(world, worker)
        assert (one.status, one.start, one.stop) == (LeaseStatus.RUNNING, filled, filled + 10 * HOUR)
        assert one.paid == RATE


@pytest.mark.parametrize("least", [2, 3])
def test_so_many_fill_it_and_no_fewer(least: int) -> None:
    world = accepted(*GANG[: least - 1], least=least)
    assert (order(world).filled_at, order(world).served) == (0, least - 1)
    do(world, accept(world, GANG[least - 1]))
    assert order(world).filled_at == world.chain.now()


def test_whoever_accepts_after_it_is_filled_begins_at_once() -> None:
    world = accepted(RUNNING, WAITING, least=2)
    world.chain.advance(100)
    do(world, accept(world, FREE))
    assert lease(world, FREE).start == world.chain.now() == order(world).filled_at + 100


@pytest.mark.parametrize("call", ["settle", "extend", "hold", "vote", "end"])
def test_any_of_its_parties_begins_it(call: str) -> None:
    """Nobody waits for another: the start is the same whoever touches it first."""
    world = accepted(*GANG)
    filled = order(world).filled_at
    world.chain.advance(2 * HOUR)
    calls = {
        "settle": lambda: settle(world),
        "extend": lambda: extend(world),
        "hold": lambda: hold(world),
        "vote": lambda: vote(world, 0, 1),
        "end": lambda: end(world, "carol"),
    }
    do(world, calls[call]())
    assert lease(world).start == filled


def test_an_unfilled_gang_earns_and_costs_nothing() -> None:
    """Before it is filled there is nothing to pay, to add, to hold, or to find fault with."""
    world = accepted(RUNNING, WAITING)
    for call in (settle(world), extend(world), hold(world), vote(world, 0, 0)):
        assert refused(world, call) == "LeaseState"
    world.chain.advance(ACCEPT)
    for worker in GANG:
        assert moved(world, end(world, "mallory", worker)) == {}
    found = order(world)
    assert (found.fees, found.held, found.free) == (0, 0, found.deposit)


def test_a_gang_that_is_not_filled_in_time_is_over_for_all() -> None:
    """Who had accepted is not to blame, who hadn't is; every place is open again."""
    world = accepted(RUNNING, WAITING)
    until = order(world).gang_until
    world.chain.warp_to(until - 1)
    for worker in GANG:
        assert refused(world, end(world, "mallory", worker)) == "NotParty"
    world.chain.advance(1)
    assert refused(world, accept(world, FREE)) == "AcceptanceOver"
    for worker in GANG:
        do(world, end(world, "mallory", worker))
    reasons = [lease(world, worker).reason for worker in GANG]
    assert reasons == [EndReason.UNFILLED, EndReason.UNFILLED, EndReason.LAPSED]
    assert [device(world, worker).strikes for worker in GANG] == [0, 0, 1]
    for worker in GANG:
        one = device(world, worker)
        assert (one.leases_done, one.leases_failed, one.hired_seconds) == (0, 0, 0)
        assert one.lease == staking.NOBODY
    found = order(world)
    assert (found.open, found.served, found.match_until) == (3, 0, until + WINDOW)


def test_the_last_second_fills_it() -> None:
    world = accepted(RUNNING, WAITING)
    world.chain.warp_to(order(world).gang_until - 1)
    do(world, accept(world, FREE))
    assert order(world).filled_at == world.chain.now()


def test_its_time_begins_with_its_first_match_and_is_the_same_for_all() -> None:
    world = matched(workers=(RUNNING,))
    until = lease(world).accept_until
    assert order(world).gang_until == until == lease(world).matched_at + ACCEPT
    world.chain.warp_to(until - ACCEPT // 2)
    do(world, match(world, WAITING))
    assert lease(world, WAITING).accept_until == until
    # Nobody is matched that would have less than half of it.
    world.chain.advance(1)
    assert refused(world, match(world, FREE)) == "GangOver"


def test_another_try_begins_when_the_last_lease_of_the_first_is_closed() -> None:
    world = accepted(RUNNING)
    world.chain.advance(ACCEPT)
    for worker in GANG:
        do(world, end(world, "mallory", worker))
    assert refused(world, match(world, OTHER_RUNNING)) == "GangOver"
    for worker in GANG:
        assert order(world).gang_until > 0
        do(world, client.close_lease(lease(world, worker)))
    assert order(world).gang_until == 0
    do(world, match(world, OTHER_RUNNING))
    assert order(world).gang_until == world.chain.now() + ACCEPT


# -- who breaks it -------------------------------------------------------------------------------


@pytest.mark.parametrize("accepts", [False, True])
def test_a_supplier_that_leaves_a_gang_is_barred(accepts: bool) -> None:
    """Whether it had said yes or not: the others wait for it."""
    world = accepted(*((RUNNING,) if accepts else ()))
    before = order(world)
    do(world, end(world, "alice"))
    after, one = order(world), device(world, RUNNING)
    assert lease(world).reason == EndReason.DECLINED
    assert (one.strikes, one.leases_failed) == (1, 0)
    assert (after.served, after.open - before.open) == (0, 1)


def test_a_yes_that_is_taken_back_counts_no_more() -> None:
    """Three that accept one after another, with one that leaves in between, fill no gang of three."""
    world = accepted(RUNNING, WAITING)
    do(world, end(world, "alice"), accept(world, FREE))
    found = order(world)
    assert (found.served, found.filled_at) == (2, 0)


@pytest.mark.parametrize("consent", [0, 1])
def test_the_workers_key_breaks_no_gang_without_consent(consent: int) -> None:
    """It has said yes: from then on it speaks for the supplier only where that lets it."""
    world = accepted(RUNNING)
    one = device(world, RUNNING)
    terms = {name: getattr(one, name) for name in ("tier", "country", "ask_io", "ask_usdc")}
    do(world, staking.change_device(one, **terms, worker_may_end=consent))
    assert refused(world, end(world, RUNNING)) == (None if consent else "NotParty")


def test_a_renter_that_withdraws_one_cancels_the_gang() -> None:
    """Too few may be left for it to fill: whoever waits is free when its time is over, the renter pays."""
    world = accepted(RUNNING, WAITING, devices=4)
    before = order(world)
    do(world, end(world, "carol"))
    after = order(world)
    assert (lease(world).reason, after.open, after.status) == (EndReason.WITHDRAWN, 0, 1)
    # The fee on an hour of the open place, and of the lease.
    assert after.fees - before.fees == 2 * HOUR_FEE
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory", WAITING), end(world, "mallory", FREE))
    assert lease(world, WAITING).reason == EndReason.UNFILLED
    # And of the two that waited: a gang that is cancelled is never filled, whether they had accepted or not.
    assert order(world).fees - before.fees == 4 * HOUR_FEE
    assert [device(world, worker).strikes for worker in GANG] == [0, 0, 0]
    for worker in GANG:
        do(world, client.close_lease(lease(world, worker)))
    do(world, stages.close(world))


def test_cancelling_a_gang_that_waits_costs_an_hours_fee_for_each() -> None:
    world = accepted(RUNNING, WAITING, devices=4)
    do(world, cancel(world))
    assert order(world).fees == HOUR_FEE
    world.chain.advance(ACCEPT)
    for worker in GANG:
        do(world, end(world, "mallory", worker))
    assert order(world).fees == 3 * HOUR_FEE


def test_suppliers_match_no_gang() -> None:
    world = stages.ready()
    do(world, create(min_devices=2))
    world.chain.advance(EXCLUSIVE)
    assert refused(world, *take(world, RUNNING)) == "OperatorsOnly"
    do(world, match(world, RUNNING))
    assert refused(world, *take(world, WAITING)) == "OperatorsOnly"


@pytest.mark.parametrize(("devices", "least"), [(3, 0), (3, 4), (1, 2), (10_000, 10_001)])
def test_a_gang_that_can_not_be(devices: int, least: int) -> None:
    world = stages.stage("ready")
    assert refused(world, create(devices=devices, min_devices=least)) == "DevicesInvalid"


def test_a_gang_of_one_is_none() -> None:
    world = stages.ready()
    open_order(world, devices=1, min_devices=1)
    do(world, match(world, RUNNING))
    do(world, accept(world, RUNNING))
    assert lease(world).status == LeaseStatus.RUNNING
    assert (order(world).gang_until, order(world).filled_at) == (0, world.chain.now())


def test_a_filled_gang_that_loses_a_device_goes_on() -> None:
    """The others are paid for what they serve; the place of who broke off at once is open again."""
    world = accepted(*GANG)
    do(world, end(world, "alice"))
    assert (order(world).open, order(world).filled_at > 0) == (1, True)
    # A device that comes later begins by itself.
    world.chain.advance(60)
    do(world, match(world, OTHER_RUNNING), stages.accept_later(world, OTHER_RUNNING))
    assert lease(world, OTHER_RUNNING).start == world.chain.now()
    world.chain.advance(3 * HOUR - 60)
    assert moved(world, settle(world, WAITING))["bob"] == RATE - fee(RATE)


def test_a_half_gang_keeps_no_money() -> None:
    """A renter gets back what no place needs while it waits, and all of it when it is over."""
    world = accepted(RUNNING, WAITING)
    surplus = 3 * (stages.PLACE - WHOLE)
    assert moved(world, refund(world)) == {"vault": -surplus, "carol": surplus}
    world.chain.advance(ACCEPT)
    for worker in GANG:
        do(world, end(world, "mallory", worker), client.close_lease(lease(world, worker)))
    world.chain.warp_to(order(world).match_until)
    assert moved(world, stages.close(world)) == {"vault": -3 * WHOLE, "carol": 3 * WHOLE}


def test_a_sybil_that_never_accepts_costs_the_others_ten_minutes() -> None:
    """And itself an hour: each of its devices can do it once, then twice as long."""
    world = accepted(WAITING, FREE)
    start = lease(world).matched_at
    world.chain.advance(ACCEPT)
    for worker in GANG:
        do(world, end(world, "mallory", worker))
    assert world.chain.now() - start == ACCEPT
    assert device(world, RUNNING).barred_until == world.chain.now() + HOUR
    assert device(world, WAITING).barred_until == device(world, FREE).barred_until == 0
    assert address("mallory") != order(world).renter


# -- gangs that can never be filled -----------------------------------------------------------------

BARRED_BEFORE = {RUNNING: HOUR, WAITING: HOUR}
"""Seconds for which the devices were barred that left a gang after its renter had cancelled it."""


def test_nobody_is_barred_for_leaving_a_gang_that_its_renter_cancelled() -> None:
    """The third can't come any more. The renter pays an hour's fee for each place, as if all had waited."""
    world = stages.ready()
    open_order(world, devices=3, min_devices=3)
    do(world, match(world, RUNNING), match(world, WAITING))
    do(world, accept(world, RUNNING))
    do(world, cancel(world))
    assert order(world).fees == HOUR_FEE
    # One who had accepted leaves at once, by its supplier; one who hadn't, by its time.
    do(world, end(world, "alice"))
    world.chain.advance(ACCEPT)
    do(world, end(world, "mallory", WAITING))
    for worker, before in BARRED_BEFORE.items():
        one = device(world, worker)
        assert lease(world, worker).reason == EndReason.UNFILLED
        assert (one.strikes, one.barred_until) == (0, 0) < (1, before)
    assert order(world).fees == 3 * HOUR_FEE
    for worker in BARRED_BEFORE:
        do(world, client.close_lease(lease(world, worker)))
    back = 3 * stages.PLACE - 3 * HOUR_FEE
    assert moved(world, stages.close(world))["carol"] == back


def test_nobody_is_barred_for_leaving_a_gang_whose_matching_is_over() -> None:
    """The same by time alone, and at nobody's cost."""
    world = stages.ready()
    opened = open_order(world, devices=3, min_devices=3)
    world.chain.warp_to(opened.match_until - MINUTE)
    do(world, match(world, RUNNING), match(world, WAITING))
    world.chain.warp_to(opened.match_until - 1)
    assert rehearsed_strike(world) == 1, "the third may come yet"
    world.chain.advance(1)
    do(world, end(world, "alice"), end(world, "bob", WAITING))
    for worker in (RUNNING, WAITING):
        assert (device(world, worker).strikes, lease(world, worker).reason) == (0, EndReason.UNFILLED)
    found = order(world)
    # Two places can't be a gang of three: they don't open again.
    assert (found.open, found.fees, found.match_until) == (0, 0, opened.match_until)
    assert moved(world, refund(world)) == {"vault": -3 * stages.PLACE, "carol": 3 * stages.PLACE}


def rehearsed_strike(world: World) -> int:
    """Alice's strikes if she declined now."""
    with undone(world):
        do(world, end(world, "alice"))
        return device(world, RUNNING).strikes


def test_who_is_ended_first_excuses_nobody() -> None:
    """Three of four wait in a cancelled gang of three, one silently: anybody ends them in any order."""
    for silent_first in (False, True):
        world = accepted(RUNNING, WAITING, devices=4)
        do(world, cancel(world))
        world.chain.advance(ACCEPT)
        for worker in (FREE, RUNNING, WAITING) if silent_first else GANG:
            do(world, end(world, "mallory", worker))
        assert [device(world, worker).strikes for worker in GANG] == [0, 0, 1]
        assert lease(world, FREE).reason == EndReason.LAPSED
        assert order(world).fees == 3 * HOUR_FEE


def test_a_gang_that_can_not_be_paid_for_keeps_nobody_waiting() -> None:
    """Before, its first two waited ten minutes for a third that nothing was left for, again and again."""
    world = stages.ready()
    holds = announced(world)
    world.chain.warp_to(holds - 15 * MINUTE)
    open_order(world, devices=3, min_devices=3)
    for worker in GANG:
        do(world, match(world, worker))
    do(world, refund(world))
    world.chain.advance(ACCEPT)
    for worker in GANG:
        do(world, end(world, "mallory", worker), client.close_lease(lease(world, worker)))
    world.chain.warp_to(holds + MINUTE)
    found = order(world)
    assert (found.open, found.free) == (3, 3 * WHOLE)
    # At 2.25 IO for each processor and hour it pays for two of three.
    assert 2 * (90 * IO + fee(90 * IO)) < found.free < 3 * (90 * IO + fee(90 * IO))
    for worker in (OTHER_RUNNING, OTHER_WAITING):
        assert refused(world, match(world, worker)) == "NotFunded"
    world.chain.warp_to(found.match_until)
    assert moved(world, stages.close(world)) == {"vault": -3 * WHOLE, "carol": 3 * WHOLE}
