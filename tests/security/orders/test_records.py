"""Attacks on devices' records: whose they are, what is counted, and when."""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.orders import EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    EXCLUSIVE,
    FREE,
    OPERATORS,
    OTHER_RUNNING,
    OTHER_WAITING,
    RATE,
    RUNNING,
    WAITING,
    create,
    device,
    end,
    fault,
    fee,
    hold,
    lease,
    match,
    order,
    settle,
    take,
    vote,
    where,
)
from tests.security.orders.test_squatting import break_off
from tests.security.outcomes import refused
from tests.security.people import address, do


def record(world: World, worker: str = RUNNING) -> tuple[int, int, int, int]:
    """Done, failed, disputed, and seconds served."""
    one = device(world, worker)
    return one.leases_done, one.leases_failed, one.disputes, one.hired_seconds


def quorum(world: World, good_hours: int, worker: str = RUNNING) -> None:
    """Two operators of three vote."""
    for operator in (0, 1):
        do(world, vote(world, operator, good_hours, worker))


def replace_device(world: World, worker: str = RUNNING) -> None:
    """The supplier takes its stake out, closes the device, and registers another at the worker's address."""
    one = device(world, worker)
    do(world, staking.terminate_device(one), staking.unstake(one))
    world.chain.advance(14 * DAY)
    do(world, staking.withdraw(device(world, worker)))
    do(world, staking.close_device(device(world, worker)))
    stages.let(world, worker)


# -- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "seconds", "done"),
    [("carol", 0, True), ("mallory", 10 * HOUR, True), ("alice", 0, False), ("alice", HOUR, False)],
)
def test_what_became_of_a_lease_is_counted_at_its_end(caller: str, seconds: int, done: bool) -> None:
    """In the same instruction, whether anybody can be paid or not: closing counts nothing any more."""
    world = stages.matching()
    world.chain.advance(seconds)
    do(world, end(world, caller))
    one = lease(world)
    found = record(world)
    assert found == (int(done), int(not done), 0, one.stop - one.start)
    world.chain.advance(20 * HOUR)
    do(world, settle(world), client.close_lease(lease(world)))
    assert record(world) == found


def test_a_fault_in_a_running_lease_is_counted_at_once() -> None:
    world = stages.matching()
    world.chain.advance(2 * HOUR)
    quorum(world, 1)
    assert record(world) == (0, 1, 0, HOUR)
    assert device(world, RUNNING).strikes == 0, "an hour was served"


def test_a_fault_before_the_first_hour_bars_the_device_and_opens_its_place() -> None:
    world = stages.matching()
    before = order(world)
    world.chain.advance(HOUR)
    quorum(world, 0)
    one, after = device(world, RUNNING), order(world)
    assert (one.strikes, one.barred_until) == (1, world.chain.now() + HOUR)
    # Past the end of the matching it alone is open.
    assert (before.open, before.taken, after.open, after.taken) == (1, 2, 1, 1)
    assert after.match_until == world.chain.now() + stages.WINDOW
    assert record(world) == (0, 1, 0, 0)


def test_a_fault_that_is_found_later_turns_done_into_failed_once() -> None:
    """And takes back the hours that were not served; a second finding takes back more, and counts no more."""
    world = stages.matching()
    world.chain.advance(6 * HOUR)
    do(world, end(world, "carol"))
    assert record(world) == (1, 0, 0, 6 * HOUR)
    quorum(world, 5)
    assert record(world) == (0, 1, 0, 5 * HOUR)
    assert device(world, RUNNING).strikes == 0
    quorum(world, 4)
    assert (lease(world).stop - lease(world).start, record(world)) == (4 * HOUR, (0, 1, 0, 4 * HOUR))


def test_a_fault_in_what_had_failed_already_takes_its_hours_back() -> None:
    """It stays one failure. Before, who broke off ahead of operators kept hours that it hadn't served."""
    world = stages.matching()
    world.chain.advance(6 * HOUR)
    do(world, end(world, "alice"))
    assert record(world) == (0, 1, 0, 6 * HOUR)
    quorum(world, 5)
    assert record(world) == (0, 1, 0, 5 * HOUR)
    assert lease(world).reason == EndReason.FAULT


def test_a_dispute_is_counted_when_the_money_is_held() -> None:
    world = stages.serving()
    do(world, hold(world, DAY), hold(world, HOUR))
    assert record(world)[2] == 1


# -- whose ---------------------------------------------------------------------------------------


def test_another_device_at_the_workers_address_begins_with_a_clean_record() -> None:
    """Before, the failed lease of the old one was counted on it: nobody's doing of its own."""
    world = stages.matching()
    world.chain.advance(HOUR // 2)
    do(world, end(world, "alice"))
    assert record(world) == (0, 1, 0, 0)
    replace_device(world)
    do(world, client.close_lease(lease(world)))
    assert record(world) == (0, 0, 0, 0)


@pytest.mark.parametrize("by", ["a fault", "a hold"])
def test_what_is_found_after_a_device_is_gone_is_nobodys(by: str) -> None:
    """While it is gone, and when another is in its place: no record changes, the money does all the same."""
    world = stages.ready()
    do(world, staking.propose_params(address("admin"), quick(world)))
    world.chain.advance(7 * DAY)
    do(world, staking.apply_params())
    stages.open_order(world)
    stages.run(world, RUNNING)
    world.chain.advance(2 * HOUR)
    do(world, end(world, "carol"))
    if by == "a hold":
        do(world, hold(world))
        world.chain.advance(1)
    one = device(world, RUNNING)
    do(world, staking.terminate_device(one), staking.unstake(one))
    world.chain.advance(1)
    do(world, staking.withdraw(device(world, RUNNING)), staking.close_device(one))
    if by == "a fault":
        quorum(world, 1)
        assert lease(world).stop - lease(world).start == HOUR
    stages.let(world, RUNNING)
    if by == "a fault":
        do(world, vote(world, 0, 0), vote(world, 1, 0))
        assert lease(world).held == 0
    assert record(world) == (0, 0, 0, 0)
    assert device(world, RUNNING).registered_at > lease(world).registered_at


def test_a_device_that_the_clock_makes_look_like_the_old_one_begins_with_a_clean_record() -> None:
    """A clock that went back repeats the second of registration; the lease's number tells them apart."""
    world = stages.ready()
    do(world, staking.propose_params(address("admin"), quick(world)))
    world.chain.advance(7 * DAY)
    do(world, staking.apply_params())
    stages.open_order(world)
    stages.run(world, RUNNING)
    world.chain.advance(2 * HOUR)
    do(world, end(world, "carol"))
    now, one = world.chain.now(), device(world, RUNNING)
    do(world, staking.terminate_device(one), staking.unstake(one))
    world.chain.advance(1)
    do(world, staking.withdraw(device(world, RUNNING)), staking.close_device(one))
    world.chain.warp_to(one.registered_at)
    stages.let(world, RUNNING)
    assert device(world, RUNNING).registered_at == lease(world).registered_at
    world.chain.warp_to(now + 2)
    do(world, hold(world))
    assert record(world) == (0, 0, 0, 0)


def quick(world: World) -> staking.Params:
    """Stakes cool down in a second."""
    return staking.Params(tuple(map(address, OPERATORS)), 2, cooldown=1)


# -- which lease ---------------------------------------------------------------------------------


def test_a_vote_on_one_lease_counts_on_no_other_of_its_address() -> None:
    """A lease is named by its device's count: before, by its start alone, which two leases could share.

    For the same device to come to the same order again, others have to keep that open for an hour, and it
    has to serve somebody else in between.
    """
    world = stages.ready()
    do(world, create(devices=2, hours=1))
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, RUNNING))
    first = lease(world)
    do(world, vote(world, 0, 0), end(world, "alice"), client.close_lease(first))
    for other in (WAITING, FREE, OTHER_WAITING):
        world.chain.warp_to(order(world).match_until - 1)
        do(world, *break_off(world, other))
    do(world, create("mallory", 9, terms=stages.IN_USDC))
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, RUNNING, "mallory", 9))
    do(world, end(world, "mallory", RUNNING, "mallory", 9))
    do(world, *take(world, RUNNING))
    second = lease(world)
    assert second.address == first.address
    assert (first.number, second.number) == (1, 3)
    stale = client.vote_fault(address(OPERATORS[1]), first, stages.EVIDENCE, 0)
    assert refused(world, stale) == "WrongLease"
    do(world, vote(world, 1, 0))
    found = fault(world, where(RUNNING), good_hours=0)
    assert (found.votes, found.number, found.decided) == (0b10, 3, False)
    assert lease(world).reason == EndReason.NONE


@pytest.mark.parametrize("field", ["number", "registered_at"])
def test_a_vote_names_its_lease(field: str) -> None:
    world = stages.serving()
    one = lease(world)
    for wrong in (0, getattr(one, field) + 1, 2**64 - 1):
        values = {"number": one.number, "registered_at": one.registered_at, field: wrong}
        call = client.PROGRAM.instruction(
            "vote_fault",
            {"evidence": stages.EVIDENCE, "good_hours": 1, **values},
            operator=address(OPERATORS[1]),
            order=one.order,
            lease=one.address,
            device=one.device,
            staking_config=staking.CONFIG,
            staking_program=staking.PROGRAM.address,
            staking_events=staking.PROGRAM.event_authority,
        )
        assert refused(world, call) == "WrongLease"


def test_a_lease_knows_its_devices_count() -> None:
    world = stages.matching()
    for worker in (RUNNING, WAITING):
        one = device(world, worker)
        assert (lease(world, worker).number, lease(world, worker).registered_at) == (
            one.leases,
            one.registered_at,
        )
    assert lease(world, OTHER_RUNNING, "mallory").number == 1


def test_nobody_earns_by_a_fault_but_the_renter() -> None:
    world = stages.matching()
    world.chain.advance(2 * HOUR)
    before = order(world)
    quorum(world, 0)
    assert order(world).free - before.free == 10 * RATE + fee(10 * RATE)


def test_a_match_leaves_no_record() -> None:
    world = stages.opened()
    do(world, match(world, RUNNING))
    assert record(world) == (0, 0, 0, 0)
    do(world, end(world, RUNNING))
    assert record(world) == (0, 0, 0, 0)
