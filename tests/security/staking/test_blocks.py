"""Attacks on reward blocks: what stolen or lying operators can't do."""

from dataclasses import replace

import pytest

from keeper.chain.token import transfer
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Attestation, BlockStatus, Params
from keeper.economy import emission
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START, START_MONTH, finish
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, do, signers
from tests.security.staking import stages
from tests.security.staking.calls import claim
from tests.security.staking.hours import (
    ALICE,
    FIRST,
    GUARDIAN,
    MALLORY,
    SECOND,
    THIRD,
    agree,
    block,
    config,
    final,
    fresh,
)
from tests.security.staking.stages import attest, said


def test_one_key_counts_once() -> None:
    world = fresh()
    for _ in range(3):
        do(world, client.attest(FIRST, 0, said(0)))
    assert block(world, 0).status == BlockStatus.OPEN
    assert refused(world, client.finalise(0)) == "NotAgreed"


def test_an_operator_who_changes_its_mind_counts_for_the_last_it_said() -> None:
    world = fresh()
    other = replace(said(0), data_hash=b"x" * 32)
    agree(world, 0, other, FIRST)
    agree(world, 0, said(0), FIRST, SECOND)
    found = block(world, 0)
    assert (found.status, found.root, found.data_hash) == (
        BlockStatus.AGREED,
        said(0).root,
        said(0).data_hash,
    )


def test_a_lying_operator_stops_nothing_and_shows() -> None:
    world = fresh()
    lie = replace(said(0), root=b"l" * 32)
    calls = [client.attest(THIRD, 0, lie), *(client.attest(o, 0, said(0)) for o in (FIRST, SECOND))]
    records = [world.send(call, signers=signers(call)) for call in calls]
    events = [client.PROGRAM.events(record)[0].fields for record in records]
    assert [(each["conflict"], each["agreed"]) for each in events] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    world.chain.advance(HOUR)
    do(world, client.finalise(0))
    assert block(world, 0).root == said(0).root


def test_two_who_disagree_decide_nothing() -> None:
    world = fresh()
    agree(world, 0, said(0), FIRST)
    agree(world, 0, replace(said(0), total=said(0).total - 1), SECOND)
    world.chain.advance(DAY)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    agree(world, 0, said(0), THIRD)
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


def test_an_hour_is_attested_when_it_has_ended() -> None:
    world = stages.initialized()
    for hour in (0, 5):
        world.chain.warp_to(START + (hour + 1) * HOUR - 1)
        assert refused(world, client.attest(FIRST, hour, said(hour))) == "HourNotEnded"
        world.chain.advance(1)
        do(world, client.attest(FIRST, hour, said(hour)))


def test_blocks_become_final_in_order() -> None:
    world = fresh(3)
    for hour in (0, 1, 2):
        attest(world, hour)
    world.chain.advance(HOUR)
    for hour in (1, 2):
        assert refused(world, client.finalise(hour)) == "BlockOutOfOrder"
    for hour in (0, 1, 2):
        do(world, client.finalise(hour))
        assert refused(world, client.finalise(hour)) == "NotAgreed"


def test_the_window_to_the_second() -> None:
    world = fresh()
    attest(world, 0)
    world.chain.advance(HOUR - 1)
    assert refused(world, client.finalise(0)) == "ChallengeOpen"
    world.chain.advance(1)
    do(world, client.finalise(0))
    assert refused(world, client.veto_block(GUARDIAN, 0)) == "ChallengeOver"


def test_a_vetoed_block_is_attested_anew() -> None:
    world = fresh()
    attest(world, 0)
    world.chain.advance(HOUR - 1)
    do(world, client.veto_block(GUARDIAN, 0))
    world.chain.advance(DAY)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    agree(world, 0, said(0), FIRST)
    assert block(world, 0).status == BlockStatus.OPEN, "what was said before the veto counts no more"
    agree(world, 0, said(0), SECOND)
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


@pytest.mark.parametrize("called", ["finalise", "attest"])
def test_a_block_below_the_one_before_stops_nothing(called: str) -> None:
    """Two hours that a fault has counted too low, the first one vetoed in time: the second can't become final
    below it, and opens again for whoever tries, or attests anew: rewards wait for nobody's veto."""
    world = fresh(2)
    below = Attestation(bytes([1]) * 32, 200 * IO, 1, bytes(32))
    for hour, each in enumerate((replace(below, total=100 * IO), below)):
        agree(world, hour, each)
    world.chain.advance(HOUR - 1)
    do(world, client.veto_block(GUARDIAN, 0))
    agree(world, 0, said(0))
    world.chain.advance(HOUR)
    do(world, client.finalise(0))
    assert refused(world, client.attest(FIRST, 1, below)) == "TotalOutOfRange"
    if called == "finalise":
        do(world, client.finalise(1))
        assert block(world, 1).status == BlockStatus.OPEN
        assert refused(world, client.finalise(1)) == "NotAgreed"
    agree(world, 1, said(1), THIRD)
    assert block(world, 1).status == BlockStatus.OPEN
    agree(world, 1, said(1), FIRST)
    world.chain.advance(HOUR)
    do(world, client.finalise(1))
    assert (config(world).next_hour, config(world).final_total) == (2, said(1).total)


def test_a_block_that_a_pause_outlasts_is_vetoed() -> None:
    """A bad block, and a guardian who pauses first: the pause must not make it final."""
    world = fresh()
    agree(world, 0, Attestation(leaf(MALLORY, 100 * IO), 100 * IO, 1, bytes(32)))
    do(world, client.set_pause(GUARDIAN, client.PAUSE_REWARDS, world.chain.now() + 7 * DAY))
    world.chain.advance(7 * DAY - 1)
    assert refused(world, client.finalise(0)) == "Paused"
    do(world, client.veto_block(GUARDIAN, 0))
    world.chain.advance(1)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    final(world, 0, said(0))
    assert block(world, 0).root == said(0).root


def test_finality_pulls_the_emission_that_it_needs() -> None:
    world = fresh(1)
    attest(world, 0)
    world.chain.advance(HOUR)
    assert world.tokens(tokenomics.REWARD_VAULT) == 0
    do(world, client.finalise(0))
    minted = emission.cumulative(START_MONTH, 2)
    assert world.tokens(tokenomics.REWARD_VAULT) == world.config().emitted == minted


def test_a_paused_emission_delays_finality() -> None:
    world = fresh(1)
    attest(world, 0)
    world.chain.advance(HOUR)
    until = world.chain.now() + DAY
    do(world, tokenomics.set_pause(GUARDIAN, tokenomics.PAUSE_EMISSION, until))
    assert refused(world, client.finalise(0)) == "Paused"
    world.chain.advance(DAY)
    do(world, client.finalise(0))


def test_gifts_to_the_reward_vault_change_no_record() -> None:
    world = stages.running()
    before = config(world)
    do(world, transfer(tokenomics.tokens_address(ALICE), tokenomics.REWARD_VAULT, ALICE, IO))
    assert config(world) == before
    do(world, claim("alice"))


def test_who_opens_a_block_gets_its_rent_back() -> None:
    world = stages.running()
    assert refused(world, client.close_block(1, SECOND)) == "NotRentPayer"
    assert finish(client.read_blocks(world.chain))[0].hour == 0


def test_nothing_before_the_launch() -> None:
    """Staking can be set up before tokenomics is launched; no hour can be attested then."""
    world = StakingWorld()
    admin = world.admin.pubkey()
    world.do(
        tokenomics.initialize(admin, client.PROGRAM.address, world.guardian.pubkey()), signers=[world.admin]
    )
    operator = world.person(OPERATORS[0])
    terms = Params((operator.pubkey(),), 1)
    world.do(client.initialize(admin, world.guardian.pubkey(), terms), signers=[world.admin])
    record = world.send(client.attest(operator.pubkey(), 0, stages.said(0)), signers=[operator])
    assert world.error(record) == "NotLaunched"
