"""Attacks on a pending slash by a change of parameters: what the moment of it gains nobody."""

from __future__ import annotations

import pytest

from keeper.clients import staking as client
from keeper.clients.staking import SlashStatus
from keeper.economy.supply import IO
from tests.programs.world import DAY, World
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.hours import apply_params, replace_operators
from tests.security.staking.slashing import (
    ALICE,
    BOB,
    CAROL,
    FIRST,
    GUARDIAN,
    SECOND,
    THIRD,
    shared,
    slash,
    vote,
    vote_as,
)
from tests.security.staking.stages import EVIDENCE, MINIMUM, NEW_EVIDENCE, SLASH_BPS, device

APPEAL = 30 * DAY
STRANGERS = (OPERATORS[2], "carol", "bob")
"""A list on which nobody who voted has its place."""


def accused(stake: int = MINIMUM + 100 * IO) -> World:
    """Alice's device with a slash that two of three operators voted for."""
    world = stages.initialized()
    for name in STRANGERS:
        world.person(name)
    do(world, client.stake(stages.register(world, "worker"), stake))
    vote(world, "worker")
    return world


def propose(world: World, *names: str, threshold: int = 2) -> None:
    """A list of operators whose notice is over."""
    terms = client.Params(tuple(map(address, names)), threshold)
    do(world, client.propose_params(address("admin"), terms))
    world.chain.advance(7 * DAY)


def voided() -> World:
    """Everybody who voted for the slash is out, and somebody has written that down."""
    world = accused()
    replace_operators(world, *STRANGERS)
    do(world, client.execute_slash(device(world, "worker"), EVIDENCE))
    return world


def test_nobody_takes_a_stake_out_by_a_change_of_parameters() -> None:
    """The fault: apply, void and withdraw in one transaction of a stranger's took the stake out from under a
    slash that two of three operators had voted for."""
    world = accused()
    one = device(world, "worker")
    propose(world, *OPERATORS)
    apply, execute = client.apply_params(), client.execute_slash(one, EVIDENCE)
    out = client.withdraw_overflow(one, 100 * IO)
    assert refused(world, apply, execute, out) == "AppealOpen"
    assert refused(world, apply, out) == "SlashPending"
    do(world, apply)
    # Whatever else changed, the votes are those of the operators in office: the slash goes on.
    assert refused(world, execute) == "AppealOpen"
    world.chain.warp_to(slash(world, "worker").appeal_until)
    supply = world.supply()
    do(world, execute)
    assert supply - world.supply() == (MINIMUM + 100 * IO) // 10


@pytest.mark.parametrize("leaves", ["overflow", "everything"])
def test_nobody_takes_a_stake_out_by_another_list_of_operators(leaves: str) -> None:
    """Too few still vote for it: nothing burns, and nothing moves until its own appeal would have ended."""
    world = accused()
    one = device(world, "worker")
    if leaves == "everything":
        do(world, client.unstake(one))
    propose(world, *STRANGERS)
    apply, execute = client.apply_params(), client.execute_slash(one, EVIDENCE)
    out = client.withdraw_overflow(one, 100 * IO) if leaves == "overflow" else client.withdraw(one)
    assert refused(world, apply, execute, out) == "SlashPending"
    until = slash(world, "worker").appeal_until
    do(world, apply, execute)
    found = slash(world, "worker")
    assert (found.status, found.bps, found.appeal_until) == (SlashStatus.VOTING, 0, 0)
    assert (found.revision, set(found.votes), found.appeal) == (1, {0}, bytes(32))
    assert found.frozen_until == device(world, "worker").frozen_until == until
    assert not device(world, "worker").slash_pending
    assert refused(world, execute) == "SlashState"
    world.chain.warp_to(until - 1)
    assert refused(world, out) == "SlashPending"
    world.chain.warp_to(until)
    before = world.balance(ALICE)
    do(world, out)
    taken = 100 * IO if leaves == "overflow" else MINIMUM + 100 * IO
    assert world.balance(ALICE) - before == taken


def test_the_last_second_leaves_operators_a_day() -> None:
    """Whoever waits with a list whose notice is long over until the appeal ends: what is voided then stays
    frozen for a day, in which those who stayed and those who came can vote."""
    world = accused()
    one = device(world, "worker")
    propose(world, OPERATORS[0], "carol", "bob")
    world.chain.warp_to(slash(world, "worker").appeal_until)
    execute, out = client.execute_slash(one, EVIDENCE), client.withdraw_overflow(one, 100 * IO)
    assert refused(world, client.apply_params(), execute, out) == "SlashPending"
    do(world, client.apply_params(), execute)
    assert slash(world, "worker").frozen_until == world.chain.now() + DAY
    world.chain.advance(DAY - 1)
    assert refused(world, out) == "SlashPending"
    # It can still be voted for, and then a whole appeal begins.
    vote_as(world, CAROL, "worker")
    assert slash(world, "worker").appeal_until == world.chain.now() + APPEAL
    world.chain.advance(DAY)
    assert refused(world, execute) == "AppealOpen"
    assert refused(world, out) == "SlashPending"


def test_new_operators_vote_again_within_the_new_limit() -> None:
    world = accused()
    one = device(world, "worker")
    do(world, client.appeal_slash(one, EVIDENCE, b"a" * 32))
    replace_operators(world, *STRANGERS, max_slash_bps=500)
    execute = client.execute_slash(one, EVIDENCE)
    do(world, execute)
    for name in ("carol", "bob"):
        assert refused(world, client.vote_slash(address(name), one, EVIDENCE, 501)) == "SlashInvalid"
        do(world, client.vote_slash(address(name), one, EVIDENCE, 500))
    found = slash(world, "worker")
    assert found.appeal_until == world.chain.now() + APPEAL
    assert device(world, "worker").slash_pending
    supply = world.supply()
    world.chain.advance(APPEAL - 1)
    assert refused(world, execute) == "AppealOpen"
    world.chain.advance(1)
    do(world, execute)
    assert supply - world.supply() == (MINIMUM + 100 * IO) // 20


def test_a_vote_of_who_stays_counts_on() -> None:
    """One of the two is out: the other's vote stays, and one more makes a quorum."""
    world = accused()
    one = device(world, "worker")
    replace_operators(world, OPERATORS[0], "carol", OPERATORS[2])
    do(world, client.execute_slash(one, EVIDENCE))
    assert slash(world, "worker").votes[:3] == (SLASH_BPS, 0, 0)
    assert refused(world, client.vote_slash(SECOND, one, EVIDENCE, SLASH_BPS)) == "NotOperator"
    assert refused(world, client.vote_slash(FIRST, one, EVIDENCE, SLASH_BPS)) == "AlreadyVoted"
    vote_as(world, CAROL, "worker")
    assert slash(world, "worker").status == SlashStatus.PENDING


def test_a_higher_threshold_counts_for_a_pending_slash() -> None:
    """Two votes that were enough are too few now: it is void, and one more makes it pending again."""
    world = accused()
    one = device(world, "worker")
    apply_params_with(world, threshold=3)
    do(world, client.execute_slash(one, EVIDENCE))
    assert slash(world, "worker").votes[:3] == (SLASH_BPS, SLASH_BPS, 0)
    assert refused(world, client.withdraw_overflow(one, 1)) == "SlashPending"
    vote_as(world, THIRD, "worker")
    assert slash(world, "worker").status == SlashStatus.PENDING


def test_a_lower_threshold_lets_a_vote_decide_again() -> None:
    """The same vote twice is refused but where it makes a quorum now."""
    world = stages.initialized()
    do(world, client.stake(stages.register(world, "worker"), MINIMUM))
    apply_params_with(world, threshold=3)
    vote(world, "worker")
    again = client.vote_slash(FIRST, device(world, "worker"), EVIDENCE, SLASH_BPS)
    assert refused(world, again) == "AlreadyVoted"
    apply_params_with(world, threshold=2)
    do(world, again)
    assert slash(world, "worker").status == SlashStatus.PENDING
    assert refused(world, again) == "SlashState"


def apply_params_with(world: World, *, threshold: int) -> None:
    replace_operators(world, *OPERATORS, threshold=threshold)


def test_other_evidence_does_not_wait_for_what_is_void() -> None:
    """Frozen stakes are there for whatever operators agree on first; the other one waits, as ever."""
    world = voided()
    one = device(world, "worker")
    for operator in (CAROL, BOB):
        vote_as(world, operator, "worker", NEW_EVIDENCE)
    assert slash(world, "worker", NEW_EVIDENCE).status == SlashStatus.PENDING
    vote_as(world, CAROL, "worker")
    assert refused(world, client.vote_slash(BOB, one, EVIDENCE, SLASH_BPS)) == "SlashPending"
    world.chain.advance(APPEAL)
    supply = world.supply()
    do(world, client.execute_slash(one, NEW_EVIDENCE))
    assert supply - world.supply() == (MINIMUM + 100 * IO) // 10
    do(world, client.vote_slash(BOB, one, EVIDENCE, SLASH_BPS))


def test_a_veto_of_a_voided_slash_frees_nothing_of_another() -> None:
    """The guardian clears away what is void: the slash that is pending meanwhile holds the stakes on."""
    world = voided()
    one = device(world, "worker")
    for operator in (CAROL, BOB):
        vote_as(world, operator, "worker", NEW_EVIDENCE)
    do(world, client.veto_slash(GUARDIAN, one, EVIDENCE))
    assert device(world, "worker").slash_pending
    out = client.withdraw_overflow(one, 100 * IO)
    for _ in range(29):
        assert refused(world, out) == "SlashPending"
        world.chain.advance(DAY)
    assert refused(world, client.close_device(one)) == "SlashPending"
    third = client.vote_slash(THIRD, one, b"t" * 32, SLASH_BPS)
    do(world, third, client.vote_slash(CAROL, one, b"t" * 32, 1))
    assert refused(world, client.vote_slash(CAROL, one, b"t" * 32, SLASH_BPS)) == "SlashPending"


def test_a_veto_of_a_pending_slash_leaves_what_another_froze() -> None:
    """The voided one's time runs on by itself."""
    world = voided()
    one = device(world, "worker")
    until = slash(world, "worker").frozen_until
    for operator in (CAROL, BOB):
        vote_as(world, operator, "worker", NEW_EVIDENCE)
    do(world, client.veto_slash(GUARDIAN, one, NEW_EVIDENCE))
    found = device(world, "worker")
    assert (found.slash_pending, found.frozen_until) == (False, until)
    assert until > world.chain.now() + DAY


def test_the_guardian_frees_a_frozen_stake() -> None:
    """A day later, in which operators may bring something else."""
    world = voided()
    one = device(world, "worker")
    veto = client.veto_slash(GUARDIAN, one, EVIDENCE)
    until = slash(world, "worker").frozen_until
    world.chain.warp_to(until)
    assert refused(world, veto) == "AppealOver"
    world.chain.warp_to(until - 10 * DAY)
    do(world, veto)
    assert slash(world, "worker").status == SlashStatus.VETOED
    assert device(world, "worker").frozen_until == world.chain.now() + DAY
    out = client.withdraw_overflow(one, 100 * IO)
    world.chain.advance(DAY - 1)
    assert refused(world, out) == "SlashPending"
    world.chain.advance(1)
    do(world, out)
    assert refused(world, client.vote_slash(CAROL, one, EVIDENCE, SLASH_BPS)) == "SlashState"
    assert refused(world, veto) == "SlashState"


def test_nobody_appeals_against_what_is_void() -> None:
    world = voided()
    appeal = client.appeal_slash(device(world, "worker"), EVIDENCE, b"a" * 32)
    assert refused(world, appeal) == "SlashState"


def test_what_a_freeze_stops_and_what_not() -> None:
    """Nothing staked goes out, and no co-staker is lured in; who leaves can begin to, and leases go on."""
    world = voided()
    one = device(world, "worker")
    for call in (
        client.open_offer(one, 1, 500),
        client.withdraw(one),
        client.withdraw_overflow(one, 1),
        client.withdraw_co_stake(one, CAROL),
    ):
        assert refused(world, call) == "SlashPending"
    do(world, stages.lease_device(one), stages.free_device(one))
    do(world, client.stake(one, IO), client.unstake(one), client.terminate_device(one))
    assert refused(world, client.close_device(one)) == "DeviceNotEmpty"


def test_an_empty_device_is_closed_whatever_froze_it() -> None:
    """There is nothing to hold: the slash is of a device that is no more."""
    world = accused(stake=1)
    one = device(world, "worker")
    do(world, client.unstake(one))
    replace_operators(world, *STRANGERS)
    do(world, client.execute_slash(one, EVIDENCE))
    world.chain.warp_to(slash(world, "worker").frozen_until)
    do(world, client.withdraw(one), client.terminate_device(one), client.close_device(one))


def test_a_co_staker_waits_as_long_as_its_supplier() -> None:
    world = shared()
    for name in STRANGERS:
        world.person(name)
    one = device(world, "bob's worker")
    do(world, client.unstake(one))
    vote(world, "bob's worker")
    replace_operators(world, *STRANGERS)
    do(world, client.execute_slash(one, EVIDENCE))
    world.chain.warp_to(slash(world, "bob's worker").frozen_until - 1)
    outs = client.withdraw(one), client.withdraw_co_stake(one, CAROL)
    for out in outs:
        assert refused(world, out) == "SlashPending"
    world.chain.advance(1)
    before = world.balance(BOB) + world.balance(CAROL)
    do(world, *outs)
    assert world.balance(BOB) + world.balance(CAROL) - before == MINIMUM


def test_ten_changes_in_a_row_void_nothing() -> None:
    """Parameters change as often as notices allow: the appeal's end stays where it was."""
    world = accused()
    until = slash(world, "worker").appeal_until
    for window in (600, 1_200, 1_800, 3_600):
        apply_params(world, challenge_window=window)
        assert refused(world, client.execute_slash(device(world, "worker"), EVIDENCE)) == "AppealOpen"
    assert slash(world, "worker").appeal_until == until
    world.chain.warp_to(until)
    do(world, client.execute_slash(device(world, "worker"), EVIDENCE))
    assert device(world, "worker").own == (MINIMUM + 100 * IO) * 9 // 10
