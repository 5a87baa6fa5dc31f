"""Attacks on a device's record: whose lease it is that is counted, and how often."""

from __future__ import annotations

import pytest

from keeper.clients import staking as client
from keeper.economy.orders import LeaseOutcome
from tests.model.staking.state import NEVER_SERVED
from tests.programs.world import DAY, HOUR, World, key
from tests.security.outcomes import effect, refused
from tests.security.people import do
from tests.security.staking import stages
from tests.security.staking.stages import device, free_device, lease_device, record_lease, stage

DONE, FAILED, DISPUTED = LeaseOutcome.DONE, LeaseOutcome.FAILED, LeaseOutcome.DISPUTED


def record(world: World, worker: str = "worker") -> tuple[int, int, int, int]:
    """Seconds served, leases done and failed, disputes."""
    found = device(world, worker)
    return found.hired_seconds, found.leases_done, found.leases_failed, found.disputes


def lease(world: World, worker: str = "worker") -> None:
    """The next lease, for another order."""
    one = device(world, worker)
    do(world, lease_device(one, order=key(f"order of {one.leases}").pubkey()))


def test_what_is_counted_when_a_lease_ends() -> None:
    world = stages.staked()
    for seconds, outcome in ((HOUR, DONE), (2 * HOUR, FAILED), (5 * HOUR, NEVER_SERVED)):
        lease(world)
        do(world, free_device(device(world, "worker"), seconds=seconds, outcome=outcome))
    assert record(world) == (3 * HOUR, 1, 1, 0)
    assert device(world, "worker").leases == 3


@pytest.mark.parametrize("outcome", [DISPUTED, 4, 255])
def test_an_outcome_that_no_lease_ends_with(outcome: int) -> None:
    world = stage("leased")
    assert refused(world, free_device(device(world, "worker"), outcome=outcome)) == "OutcomeInvalid"


def test_a_lease_that_is_found_to_have_failed() -> None:
    """Done becomes failed: the seconds that it didn't serve are taken back, and no bar follows."""
    world = stages.served()
    lease(world)
    do(world, free_device(device(world, "worker"), seconds=10 * HOUR))
    do(world, record_lease(device(world, "worker"), number=2, seconds_back=4 * HOUR))
    found = device(world, "worker")
    assert record(world) == (7 * HOUR, 1, 1, 0)
    assert (found.strikes, found.barred_until) == (0, 0)


def test_no_more_is_taken_back_than_was_served() -> None:
    world = stages.served()
    do(world, record_lease(device(world, "worker"), seconds_back=2**64 - 1))
    assert record(world) == (0, 0, 1, 0)
    assert refused(world, record_lease(device(world, "worker"))) == "InvariantViolated"


def test_a_dispute_is_counted_while_the_lease_goes_on() -> None:
    world = stages.leased()
    do(world, record_lease(device(world, "worker"), outcome=DISPUTED))
    do(world, free_device(device(world, "worker")))
    do(world, record_lease(device(world, "worker"), outcome=DISPUTED))
    assert record(world) == (HOUR, 1, 0, 2)


def test_less_of_what_had_failed_takes_its_seconds_back_alone() -> None:
    """Never more than there are, and no counter moves."""
    world = stages.leased()
    do(world, free_device(device(world, "worker"), seconds=3 * HOUR, outcome=FAILED))
    assert record(world) == (3 * HOUR, 0, 1, 0)
    for left in (2 * HOUR, HOUR, 0, 0):
        do(world, record_lease(device(world, "worker"), outcome=NEVER_SERVED))
        assert record(world) == (left, 0, 1, 0)


@pytest.mark.parametrize("outcome", [DONE, 4, 255])
def test_what_is_not_found_out_later(outcome: int) -> None:
    world = stage("served")
    assert refused(world, record_lease(device(world, "worker"), outcome=outcome)) == "OutcomeInvalid"


def test_a_new_device_at_an_old_address_has_a_clean_record() -> None:
    """The fault: what was found about the old one's lease was counted on the new one."""
    world = stages.served()
    old = device(world, "worker")
    late = record_lease(old, seconds_back=HOUR)
    do(world, client.unstake(old), client.terminate_device(old))
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(old), client.close_device(old))
    assert refused(world, late) == "AccountDataTooSmall"
    stages.register(world, "worker")
    for number in (0, 1):
        stale = record_lease(old, number, outcome=DISPUTED)
        assert refused(world, stale) is None
        assert effect(world, stale) == {}
    do(world, client.stake(device(world, "worker"), stages.MINIMUM), late)
    # Not even once it has had as many leases as the old one.
    lease(world)
    do(world, free_device(device(world, "worker")), late)
    assert record(world) == (HOUR, 1, 0, 0)


def test_two_leases_of_one_second_are_two() -> None:
    """The fault: votes on the first counted for the second, as their start was all that told them apart."""
    world = stages.staked()
    numbers = []
    for _ in range(2):
        lease(world)
        numbers.append(device(world, "worker").leases)
        do(world, free_device(device(world, "worker"), seconds=0, outcome=NEVER_SERVED))
    assert numbers == [1, 2]


def test_a_lease_to_come_has_no_record_yet() -> None:
    world = stages.served()
    ahead = record_lease(device(world, "worker"), number=2, outcome=DISPUTED)
    assert effect(world, ahead) == {}
    lease(world)
    do(world, ahead)
    assert record(world) == (HOUR, 1, 0, 1)


def test_seconds_past_64_bits() -> None:
    world = stages.leased()
    do(world, free_device(device(world, "worker"), seconds=2**64 - 1))
    lease(world)
    assert refused(world, free_device(device(world, "worker"), seconds=1)) == "Overflow"
    do(world, free_device(device(world, "worker"), seconds=0))


def test_the_numbers_go_on_over_the_years() -> None:
    world = stages.staked()
    for number in range(1, 30):
        lease(world)
        assert device(world, "worker").leases == number
        do(world, free_device(device(world, "worker"), seconds=1))
    assert record(world) == (29, 29, 0, 0)
