"""Attacks on slashing: dodging it, doing it twice, doing it without a quorum."""

from dataclasses import replace

import pytest

from keeper.clients import staking as client
from keeper.clients.staking import Params, SlashStatus
from keeper.economy.supply import IO
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.slashing import ADMIN, ALICE, BOB, CAROL, GUARDIAN, shared, slash, vote
from tests.security.staking.stages import (
    EVIDENCE,
    LATE_EVIDENCE,
    MINIMUM,
    NEW_EVIDENCE,
    OFFER,
    REWARD_BPS,
    SLASH_BPS,
    device,
    stage,
)


@pytest.mark.parametrize("left", ["before the votes", "between the votes", "after the votes"])
def test_who_leaves_is_slashed_all_the_same(left: str) -> None:
    """Cooling stake stays slashable, and the appeal period outlasts the cooldown."""
    world = shared()
    one = device(world, "bob's worker")
    supply = world.supply()
    if left == "before the votes":
        do(world, client.unstake(one))
    vote(world, "bob's worker", voters=1)
    if left == "between the votes":
        do(world, client.unstake(one))
    do(world, client.vote_slash(address(OPERATORS[1]), one, EVIDENCE, SLASH_BPS))
    if left == "after the votes":
        do(world, client.unstake(one))
    world.chain.advance(30 * DAY - 1)
    for way_out in (client.withdraw(one), client.withdraw_co_stake(one, CAROL)):
        assert refused(world, way_out) == "SlashPending"
    world.chain.advance(1)
    do(world, client.execute_slash(one, EVIDENCE))
    assert supply - world.supply() == MINIMUM // 10
    world.chain.advance(DAY)
    before = world.balance(BOB), world.balance(CAROL)
    do(world, client.withdraw(one), client.withdraw_co_stake(one, CAROL))
    assert world.balance(BOB) - before[0] == (MINIMUM - OFFER) * 9 // 10
    assert world.balance(CAROL) - before[1] == OFFER * 9 // 10


def test_a_replaced_co_staker_is_slashed_all_the_same() -> None:
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.leave_co_stake(one, CAROL), client.open_offer(one, OFFER, REWARD_BPS))
    do(world, client.take_offer(one, address("mallory"), OFFER, REWARD_BPS))
    vote(world, "bob's worker")
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(one, EVIDENCE))
    found = device(world, "bob's worker")
    assert (found.own, found.co.amount, found.leaving.amount) == (540 * IO, 360 * IO, 360 * IO)


def test_nothing_goes_out_while_a_slash_is_pending() -> None:
    world = shared()
    vote(world, "worker")
    vote(world, "bob's worker")
    for call in (
        client.withdraw_overflow(device(world, "worker"), 1),
        client.open_offer(device(world, "worker"), OFFER, REWARD_BPS),
        client.withdraw(device(world, "worker")),
        client.withdraw_co_stake(device(world, "bob's worker"), CAROL),
        client.close_device(device(world, "worker")),
    ):
        assert refused(world, call) == "SlashPending"


def test_nobody_takes_an_offer_of_an_accused_device() -> None:
    """A co-staker can't be lured into a slash that is voted on already."""
    world = stages.staked()
    vote(world, "bob's worker")
    take = client.take_offer(device(world, "bob's worker"), CAROL, OFFER, REWARD_BPS)
    assert refused(world, take) == "SlashPending"


def test_less_than_a_quorum_slashes_nobody() -> None:
    world = shared()
    one = device(world, "worker")
    vote(world, "worker", voters=1)
    again = client.vote_slash(address(OPERATORS[0]), one, EVIDENCE, SLASH_BPS)
    assert refused(world, again) == "AlreadyVoted"
    # Votes for other evidence are votes for another slash, and those for another part don't add up.
    do(world, client.vote_slash(address(OPERATORS[1]), one, NEW_EVIDENCE, SLASH_BPS))
    do(world, client.vote_slash(address(OPERATORS[1]), one, EVIDENCE, SLASH_BPS + 1))
    assert slash(world, "worker").status == SlashStatus.VOTING
    assert not device(world, "worker").slash_pending
    world.chain.advance(60 * DAY)
    for evidence in (EVIDENCE, NEW_EVIDENCE):
        assert refused(world, client.execute_slash(one, evidence)) == "SlashState"
    do(world, client.withdraw_overflow(one, 100 * IO))


@pytest.mark.parametrize("bps", [0, 2_001, 10_000, 65_535])
def test_a_part_that_can_not_be(bps: int) -> None:
    world = stage("staked")
    call = client.vote_slash(address(OPERATORS[0]), device(world, "worker"), EVIDENCE, bps)
    assert refused(world, call) == "SlashInvalid"


def test_the_same_evidence_slashes_once() -> None:
    """Executed or vetoed, the account stays: nobody can vote again, for that part or another one."""
    world = stages.running()
    do(world, client.execute_slash(device(world, "slashed worker"), EVIDENCE))
    do(world, client.veto_slash(GUARDIAN, device(world, "worker"), LATE_EVIDENCE))
    for worker, evidence in (("slashed worker", EVIDENCE), ("worker", LATE_EVIDENCE)):
        one = device(world, worker)
        for bps in (SLASH_BPS, SLASH_BPS - 1):
            again = client.vote_slash(address(OPERATORS[2]), one, evidence, bps)
            assert refused(world, again) == "SlashState"
        for call in (
            client.execute_slash(one, evidence),
            client.veto_slash(GUARDIAN, one, evidence),
            client.appeal_slash(one, evidence, b"a" * 32),
        ):
            assert refused(world, call) == "SlashState"


def test_a_split_vote_slashes_once() -> None:
    """Two want a tenth, two a twentieth: the fifth decides which, and can't have both."""
    world = stages.empty()
    names = (*OPERATORS, "carol", "heir")
    world.person("heir")
    do(world, client.initialize(ADMIN, GUARDIAN, Params(tuple(map(address, names)), 3)))
    do(world, client.add_class(ADMIN, stages.GPU, "RTX 4090", 125, 0, 0, PRICES))
    do(world, client.open_wallet(address("payer"), ALICE))
    one = stages.register(world, "worker")
    do(world, client.stake(one, MINIMUM))
    first, second, fifth, third, fourth = map(address, names)
    for operator, bps in ((first, 1_000), (second, 1_000), (third, 500), (fourth, 500)):
        do(world, client.vote_slash(operator, one, EVIDENCE, bps))
    # Its mind may change until there are enough; the same again is none.
    do(world, client.vote_slash(fifth, one, EVIDENCE, 700))
    assert refused(world, client.vote_slash(fifth, one, EVIDENCE, 700)) == "AlreadyVoted"
    assert not device(world, "worker").slash_pending
    do(world, client.vote_slash(fifth, one, EVIDENCE, 1_000))
    assert slash(world, "worker").votes[:5] == (1_000, 1_000, 1_000, 500, 500)
    assert refused(world, client.vote_slash(fifth, one, EVIDENCE, 500)) == "SlashState"
    supply = world.supply()
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(one, EVIDENCE))
    assert refused(world, client.vote_slash(fifth, one, EVIDENCE, 500)) == "SlashState"
    assert (supply - world.supply(), device(world, "worker").own) == (MINIMUM // 10, MINIMUM * 9 // 10)


def test_one_slash_at_a_time() -> None:
    """Two at once would take more than the limit before anybody could appeal against the second."""
    world = stages.staked()
    vote(world, "worker")
    vote(world, "worker", NEW_EVIDENCE, voters=1)
    second = client.vote_slash(address(OPERATORS[1]), device(world, "worker"), NEW_EVIDENCE, SLASH_BPS)
    assert refused(world, second) == "SlashPending"
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(device(world, "worker"), EVIDENCE))
    do(world, second)
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(device(world, "worker"), NEW_EVIDENCE))
    assert device(world, "worker").own == (MINIMUM + 100 * IO) * 81 // 100


@pytest.mark.parametrize("end", ["executed", "vetoed"])
def test_nothing_goes_out_for_a_day_after_a_slash_is_decided(end: str) -> None:
    """The accused executes a small slash and takes the rest out in one transaction: operators have a day left
    to bring what they had to wait with."""
    world = stages.staked()
    one = device(world, "worker")
    vote(world, "worker", bps=1)
    if end == "executed":
        world.chain.advance(30 * DAY)
        call = client.execute_slash(one, EVIDENCE)
    else:
        call = client.veto_slash(GUARDIAN, one, EVIDENCE)
    # The accused knows what the smaller slash leaves.
    left = one.own - one.own // 10_000 if end == "executed" else one.own
    out = client.withdraw_overflow(replace(one, own=left), 10 * IO)
    assert refused(world, call, out) == "SlashPending"
    do(world, call)
    found = device(world, "worker")
    assert (found.slash_pending, found.frozen_until) == (False, world.chain.now() + DAY)
    world.chain.advance(DAY - 1)
    assert refused(world, out) == "SlashPending"
    vote(world, "worker", NEW_EVIDENCE, bps=2_000)
    world.chain.advance(DAY)
    assert refused(world, out) == "SlashPending"
    world.chain.advance(29 * DAY)
    do(world, client.execute_slash(one, NEW_EVIDENCE))
    assert device(world, "worker").own == found.own * 8 // 10


def test_a_day_after_a_slash_everything_goes_out_as_ever() -> None:
    world = stages.staked()
    one = device(world, "worker")
    vote(world, "worker")
    do(world, client.veto_slash(GUARDIAN, one, EVIDENCE))
    world.chain.advance(DAY)
    do(world, client.withdraw_overflow(one, 100 * IO))


def test_what_a_decided_slash_stops_no_more() -> None:
    """A lease may come in that day, and who leaves can begin to."""
    world = stages.staked()
    one = device(world, "worker")
    vote(world, "worker")
    do(world, client.veto_slash(GUARDIAN, one, EVIDENCE))
    do(world, stages.lease_device(one), stages.free_device(one))
    do(world, client.stake(one, IO), client.unstake(one))
    assert device(world, "worker").own_until == world.chain.now() + 14 * DAY


def test_the_appeal_period_to_the_second() -> None:
    world = stages.staked()
    vote(world, "worker")
    one = device(world, "worker")
    appeal = client.appeal_slash(one, EVIDENCE, b"a" * 32)
    veto = client.veto_slash(GUARDIAN, one, EVIDENCE)
    execute = client.execute_slash(one, EVIDENCE)
    world.chain.advance(30 * DAY - 1)
    assert refused(world, execute) == "AppealOpen"
    assert refused(world, client.appeal_slash(one, EVIDENCE, bytes(32))) == "SlashInvalid"
    do(world, appeal)
    world.chain.advance(1)
    assert refused(world, appeal) == refused(world, veto) == "AppealOver"
    do(world, execute)


def test_a_slash_takes_no_more_than_its_part_and_others_nothing() -> None:
    world = stages.running()
    before = {worker: device(world, worker) for worker in ("worker", "bob's worker", "leaving worker")}
    held = world.tokens(client.STAKE_VAULT)
    do(world, client.execute_slash(device(world, "slashed worker"), EVIDENCE))
    assert {worker: device(world, worker) for worker in before} == before
    assert held - world.tokens(client.STAKE_VAULT) == MINIMUM // 10


def test_a_closed_device_comes_back_without_its_past() -> None:
    """A worker registered again starts with nothing pending. A vote from before is of another device: what is
    found about the new one is voted for anew."""
    world = stages.initialized()
    one = stages.register(world, "worker")
    vote(world, "worker", voters=1)
    world.chain.advance(1)
    do(world, client.terminate_device(one), client.close_device(one))
    again = stages.register(world, "worker")
    do(world, client.stake(again, MINIMUM))
    assert device(world, "worker").registered_at == world.chain.now()
    late = client.vote_slash(address(OPERATORS[1]), again, EVIDENCE, SLASH_BPS)
    assert refused(world, late) == "DeviceReplaced"
    assert slash(world, "worker").status == SlashStatus.VOTING
    assert not device(world, "worker").slash_pending
    vote(world, "worker", NEW_EVIDENCE)
    assert device(world, "worker").slash_pending
