"""Attacks on votes by the moment at which parameters change: what was voted stays, but for who is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.clients.staking import BlockStatus, Params, SlashStatus
from keeper.economy.supply import IO
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START, World
from tests.security.outcomes import refused
from tests.security.people import HEIR, OPERATORS, WORKERS, address, do, signers
from tests.security.staking import stages
from tests.security.staking.hours import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    FIRST,
    GUARDIAN,
    SECOND,
    THIRD,
    agree,
    apply_params,
    block,
    fresh,
    replace_operators,
)
from tests.security.staking.slashing import slash
from tests.security.staking.stages import EVIDENCE, MINIMUM, SLASH_BPS, attest, device, said

MANY = (*OPERATORS, *WORKERS, HEIR, "carol", "bob")
"""Twelve who can be operators."""


def with_operators(count: int, threshold: int) -> World:
    """Staking with so many operators, a device, and an hour that is over."""
    world = stages.empty()
    for name in MANY[:count]:
        world.person(name)
    world.chain.warp_to(START - 7 * DAY)
    operators = tuple(map(address, MANY[:count]))
    do(world, client.initialize(ADMIN, GUARDIAN, Params(operators, threshold)))
    do(world, client.add_class(ADMIN, stages.GPU, "RTX 4090", 125, 0, 0, PRICES))
    do(world, client.open_wallet(address("payer"), ALICE))
    world.chain.warp_to(START + HOUR)
    terms = {"processors": 4, "tier": 4, "country": "CH"}
    do(world, client.register_device(ALICE, address("elsewhere"), ALICE, stages.GPU, **terms))
    do(world, client.stake(device(world, "elsewhere"), MINIMUM))
    return world


def attested(world: World, operator: Pubkey) -> bool:
    """One operator attests; whether the block is agreed on then."""
    do(world, client.attest(operator, 0, said(0)))
    return block(world, 0).status == BlockStatus.AGREED


def voted_to_slash(world: World, operator: Pubkey) -> bool:
    do(world, client.vote_slash(operator, device(world, "elsewhere"), EVIDENCE, SLASH_BPS))
    return device(world, "elsewhere").slash_pending


def voted_for_prices(world: World, operator: Pubkey) -> bool:
    hour = world.chain.now() // HOUR - 1
    do(world, client.vote_prices(operator, hour, b"r" * 32))
    return client.parse_prices(world.account(client.prices_address(hour)).data).agreed


VOTES = attested, voted_to_slash, voted_for_prices


@pytest.mark.parametrize("vote", VOTES)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 2), (3, 2), (3, 3), (4, 3), (5, 3), (12, 7), (12, 12)])
def test_exactly_so_many_decide(n: int, k: int, vote: Callable[[World, Pubkey], bool]) -> None:
    """One fewer decides nothing; the first and the last of the list count as all others."""
    world = with_operators(n, k)
    deciding = [vote(world, address(name)) for name in MANY[n - k : n]]
    assert deciding == [False] * (k - 1) + [True]


@pytest.mark.parametrize("vote", VOTES)
def test_no_change_of_parameters_takes_a_vote_away(vote: Callable[[World, Pubkey], bool]) -> None:
    """Somebody applies parameters when one vote is missing: that vote decides all the same."""
    world = fresh()
    do(world, client.open_wallet(address("payer"), address("elsewhere")))
    register(world)
    do(world, client.propose_params(ADMIN, Params(tuple(map(address, OPERATORS)), 2, appeal=20 * DAY)))
    world.chain.advance(7 * DAY)
    assert not vote(world, FIRST)
    do(world, client.apply_params())
    assert vote(world, SECOND)


def register(world: World) -> None:
    """A device whose worker is somebody else."""
    terms = {"processors": 4, "tier": 4, "country": "CH"}
    do(world, client.register_device(ALICE, address("elsewhere"), ALICE, stages.GPU, **terms))
    do(world, client.stake(device(world, "elsewhere"), MINIMUM))


@pytest.mark.parametrize("vote", VOTES)
def test_only_the_vote_of_who_is_out_is_gone(vote: Callable[[World, Pubkey], bool]) -> None:
    """The third is replaced by carol: the first has voted, the third hasn't any more."""
    world = fresh()
    world.person("carol")
    register(world)
    apply_params(world, cooldown=13 * DAY)
    do(world, client.propose_params(ADMIN, Params((FIRST, SECOND, CAROL), 3)))
    world.chain.advance(7 * DAY)
    do(world, client.propose_params(ADMIN, Params((FIRST, SECOND, CAROL), 2)))
    world.chain.advance(7 * DAY)
    raised = Params((FIRST, SECOND, CAROL), 3)
    before = replace(raised, operators=(FIRST, SECOND, THIRD))
    # Three must agree for now, so that two votes decide nothing.
    do(world, client.propose_params(ADMIN, before))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params(), client.propose_params(ADMIN, raised))
    world.chain.advance(7 * DAY)
    assert [vote(world, each) for each in (FIRST, THIRD)] == [False, False]
    do(world, client.apply_params())
    assert not vote(world, SECOND), "the third's vote is gone, and it isn't carol's"
    assert vote(world, CAROL), "the first's is still there"


# -- blocks --------------------------------------------------------------------------------------


def test_an_agreed_block_stands_while_enough_stay() -> None:
    """Who didn't vote is replaced, and the windows change: it is final when it would have been."""
    world = fresh()
    world.person("carol")
    do(world, client.propose_params(ADMIN, Params((FIRST, SECOND, CAROL), 2, appeal=20 * DAY)))
    world.chain.advance(7 * DAY)
    attest(world, 0)
    do(world, client.apply_params())
    world.chain.advance(HOUR - 1)
    assert refused(world, client.finalise(0)) == "ChallengeOpen"
    world.chain.advance(1)
    do(world, client.finalise(0))
    found = block(world, 0)
    assert (found.status, found.revision) == (BlockStatus.FINAL, 1)


def test_an_agreed_block_whose_operators_left_is_open_again() -> None:
    """An operator who is out must not have decided; nobody waits for that to be written down."""
    world = fresh(2)
    attest(world, 0)
    agree(world, 1, said(1), FIRST)
    replace_operators(world, OPERATORS[2], "alice", "bob")
    agreed_at = block(world, 0).agreed_at
    record = world.send(client.finalise(0))
    (event,) = client.PROGRAM.events(record)
    assert (event.name, event.fields) == ("BlockReopened", {"hour": 0, "revision": 1})
    found = block(world, 0)
    assert (found.status, found.agreed_at, set(found.votes)) == (BlockStatus.OPEN, 0, {bytes(32)})
    assert agreed_at > 0
    assert refused(world, client.finalise(0)) == "NotAgreed"
    assert refused(world, client.attest(FIRST, 0, said(0))) == "NotOperator"
    agree(world, 1, said(1), THIRD)
    assert block(world, 1).status == BlockStatus.OPEN
    agree(world, 0, said(0), THIRD, ALICE)
    assert refused(world, client.finalise(0)) == "ChallengeOpen"
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


def test_a_block_is_opened_again_within_its_window() -> None:
    """Who sees that a quorum is gone needn't wait for the end of a window that means nothing."""
    world = fresh()
    for name in ("alice", "bob"):
        world.person(name)
    do(world, client.propose_params(ADMIN, Params((THIRD, ALICE, BOB), 2)))
    world.chain.advance(7 * DAY)
    attest(world, 0)
    do(world, client.apply_params(), client.finalise(0))
    assert block(world, 0).status == BlockStatus.OPEN


def test_what_those_who_stay_attested_stands_in_a_block_that_is_open_again() -> None:
    world = fresh()
    world.person("carol")
    attest(world, 0)
    replace_operators(world, OPERATORS[0], "carol", OPERATORS[2])
    do(world, client.finalise(0))
    assert block(world, 0).vote(config(world), FIRST) == said(0).hash
    assert block(world, 0).vote(config(world), CAROL) is None
    agree(world, 0, said(0), CAROL)
    assert block(world, 0).status == BlockStatus.AGREED


def config(world: World) -> client.Config:
    return client.parse_config(world.account(client.CONFIG).data)


def test_attesting_opens_such_a_block_by_itself() -> None:
    """New operators needn't call anything else first: both events say what happened."""
    world = fresh()
    world.person("carol")
    attest(world, 0)
    replace_operators(world, OPERATORS[0], "carol", OPERATORS[2])
    call = client.attest(THIRD, 0, replace(said(0), data_hash=b"x" * 32))
    record = world.send(call, signers=signers(call))
    reopened, attested = client.PROGRAM.events(record)
    assert (reopened.name, reopened.fields) == ("BlockReopened", {"hour": 0, "revision": 1})
    assert (attested.name, attested.fields["conflict"], attested.fields["agreed"]) == (
        "Attested",
        True,
        False,
    )
    agree(world, 0, said(0), THIRD)
    assert block(world, 0).status == BlockStatus.AGREED


def test_a_higher_threshold_counts_for_an_agreed_block() -> None:
    world = fresh()
    attest(world, 0)
    replace_operators(world, *OPERATORS, threshold=3)
    do(world, client.finalise(0))
    assert block(world, 0).status == BlockStatus.OPEN
    agree(world, 0, said(0), THIRD)
    assert block(world, 0).status == BlockStatus.AGREED


def test_an_agreed_block_that_stands_takes_no_more_votes() -> None:
    world = fresh()
    attest(world, 0)
    apply_params(world)
    assert refused(world, client.attest(THIRD, 0, said(0))) == "AlreadyAgreed"


@pytest.mark.parametrize(
    ("names", "stays"),
    [
        # In place: only the one slot's vote is gone.
        ((OPERATORS[0], OPERATORS[1], "carol"), True),
        ((OPERATORS[0], "carol", OPERATORS[1]), False),
        ((OPERATORS[1], OPERATORS[0], OPERATORS[2]), False),
        ((OPERATORS[0], OPERATORS[1]), True),
        ((OPERATORS[1], OPERATORS[2]), False),
    ],
)
def test_an_operator_keeps_its_votes_by_keeping_its_slot(names: tuple[str, ...], stays: bool) -> None:
    """Whoever replaces a key puts the new one in its place: a key that moves has voted for nothing."""
    world = fresh()
    for name in names:
        world.person(name)
    attest(world, 0)
    replace_operators(world, *names)
    do(world, client.finalise(0))
    assert (block(world, 0).status == BlockStatus.FINAL) == stays


def test_a_key_that_comes_back_has_not_voted() -> None:
    """Out and in again, between two looks at the block: its slot has changed all the same."""
    world = fresh()
    world.person("carol")
    attest(world, 0)
    replace_operators(world, OPERATORS[0], "carol", OPERATORS[2])
    replace_operators(world, *OPERATORS)
    assert config(world).slot_since[:3] == (0, 2, 0)
    do(world, client.finalise(0))
    assert block(world, 0).status == BlockStatus.OPEN
    agree(world, 0, said(0), SECOND)
    assert block(world, 0).status == BlockStatus.AGREED


def test_a_shorter_list_drops_who_is_not_on_it() -> None:
    world = with_operators(12, 12)
    for name in MANY[5:]:
        assert not attested(world, address(name))
        assert not voted_to_slash(world, address(name))
    replace_operators(world, *MANY[:5], threshold=3)
    assert config(world).slot_since == (0,) * 5 + (1,) * 7
    for name in MANY[:2]:
        assert not attested(world, address(name))
        assert not voted_to_slash(world, address(name))
    assert attested(world, address(MANY[2]))
    assert voted_to_slash(world, address(MANY[2]))
    where = client.slash_address(client.device_address(address("elsewhere")), EVIDENCE)
    found = client.parse_slash(world.account(where).data)
    assert found.votes == (SLASH_BPS,) * 3 + (0,) * 9
    assert found.status == SlashStatus.PENDING


# -- closing what is not over ----------------------------------------------------------------------


@pytest.mark.parametrize("operators", [1, 2])
def test_a_block_that_is_not_final_is_not_closed(operators: int) -> None:
    """Neither an open one nor one that is agreed on, before and after its window: its votes would be lost."""
    world = fresh()
    agree(world, 0, said(0), *(FIRST, SECOND)[:operators])
    for _ in ("at once", "after its window"):
        assert refused(world, client.close_block(0, FIRST)) == "BlockStillKept"
        world.chain.advance(100 * HOUR)
    assert block(world, 0).status == (BlockStatus.OPEN, BlockStatus.AGREED)[operators - 1]


def test_an_old_open_block_is_not_closed_either() -> None:
    """Hours after it are attested meanwhile, and wait for it."""
    world = fresh(3)
    agree(world, 0, said(0), FIRST)
    for hour in (1, 2):
        attest(world, hour)
    assert refused(world, client.close_block(0, FIRST)) == "BlockStillKept"


def test_slashes_and_blocks_keep_their_own_revision() -> None:
    """What nobody looks at stays as it was, and is brought up to date when it is looked at."""
    world = fresh()
    register(world)
    attested(world, FIRST)
    voted_to_slash(world, FIRST)
    for _ in range(2):
        apply_params(world)
    assert (block(world, 0).revision, slash(world, "elsewhere").revision) == (0, 0)
    assert attested(world, SECOND)
    assert (block(world, 0).revision, slash(world, "elsewhere").revision) == (2, 0)
    assert world.balance(ALICE) < 10**7 * IO
