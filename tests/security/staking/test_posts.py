"""Attacks on postings: whose they are, when they were made, and how many there can be."""

from __future__ import annotations

import pytest
from solders.instruction import AccountMeta, Instruction

from keeper.clients import staking as client
from tests.model.state import U32, U64
from tests.programs.world import DAY, HOUR, World
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.staking import stages
from tests.security.staking.hours import replace_operators
from tests.security.staking.slashing import FIRST, SECOND, THIRD

WAVE, EVIDENCE, BATCH = 1, 2, 3
MOST = client.MAX_POSTS
AT_ONCE = 6
"""Postings that one transaction has room for."""


def counter(world: World, name: str = "operator 0") -> client.Posts:
    return client.parse_posts(world.account(client.post_address(address(name))).data)


def post_often(world: World, times: int) -> None:
    for number in range(0, times, AT_ONCE):
        calls = [
            client.post(FIRST, each, BATCH, 1, b"h" * 32) for each in range(min(AT_ONCE, times - number))
        ]
        do(world, *calls)


def test_a_posting_says_whose_it_is_and_when() -> None:
    world = stages.initialized()
    world.chain.advance(17)
    call = client.post(SECOND, 12_345, EVIDENCE, 0, b"e" * 32)
    record = world.send(call, signers=[stages.key("operator 1")])
    (event,) = client.PROGRAM.events(record)
    assert (event.name, event.fields) == (
        "Posted",
        {
            "operator": SECOND,
            "number": 12_345,
            "kind": EVIDENCE,
            "slot": 0,
            "hash": b"e" * 32,
            "now_slot": record.slot,
            "at": world.chain.now(),
        },
    )
    assert counter(world, "operator 1").count == 1


def test_so_many_in_an_hour_and_no_more() -> None:
    """An operator's key, stolen, fills no index: the next hour of the clock begins anew, for itself alone."""
    world = stages.initialized()
    post_often(world, MOST - 1)
    last = client.post(FIRST, 0, WAVE, U64, bytes(32))
    assert counter(world).count == MOST - 1
    assert refused(world, last, last) == "PostLimit"
    do(world, last)
    world.chain.advance(HOUR - 1 - world.chain.now() % HOUR)
    assert refused(world, last) == "PostLimit"
    do(world, client.post(SECOND, 0, WAVE, U64, bytes(32)))
    world.chain.advance(1)
    do(world, last)
    assert (counter(world).count, counter(world).hour) == (1, world.chain.now() // HOUR)


def test_a_clock_that_goes_back_gives_nobody_more() -> None:
    world = stages.initialized()
    world.chain.advance(DAY)
    post_often(world, MOST)
    world.chain.advance(-HOUR)
    assert refused(world, client.post(FIRST, 0, WAVE, 0, bytes(32))) == "PostLimit"


@pytest.mark.parametrize("kind", [0, 4, 255])
def test_a_kind_that_there_is_not(kind: int) -> None:
    world = stages.stage("initialized")
    assert refused(world, client.post(FIRST, 0, kind, 0, bytes(32))) == "PostInvalid"


@pytest.mark.parametrize("kind", [WAVE, EVIDENCE, BATCH])
def test_anything_can_be_posted(kind: int) -> None:
    """Neither slot nor number is judged: whoever reads it compares them with what they are said to be."""
    world = stages.stage("initialized")
    for number, slot in ((0, 0), (U32, U64)):
        assert refused(world, client.post(FIRST, number, kind, slot, bytes(32))) is None


@pytest.mark.parametrize("name", ["admin", "guardian", "alice", "mallory", "heir"])
def test_nobody_but_operators_posts(name: str) -> None:
    world = stages.stage("running")
    assert refused(world, client.post(address(name), 0, WAVE, 0, bytes(32))) == "NotOperator"


def test_an_operator_who_is_out_posts_no_more() -> None:
    world = stages.initialized()
    for name in ("carol", "bob"):
        world.person(name)
    do(world, client.post(FIRST, 0, WAVE, 0, bytes(32)))
    replace_operators(world, "operator 2", "carol", "bob")
    assert refused(world, client.post(FIRST, 0, WAVE, 0, bytes(32))) == "NotOperator"
    do(world, client.post(address("carol"), 0, WAVE, 0, bytes(32)))


def test_anothers_counter_is_not_used_up() -> None:
    """Nor is it made for somebody else: the address follows from who signs."""
    world = stages.initialized()
    do(world, client.post(FIRST, 0, WAVE, 0, bytes(32)))
    call = client.post(SECOND, 0, WAVE, 0, bytes(32))
    for other in (FIRST, THIRD):
        metas = [
            AccountMeta(client.post_address(other), False, True)
            if each.pubkey == client.post_address(SECOND)
            else each
            for each in call.accounts
        ]
        assert refused(world, Instruction(call.program_id, bytes(call.data), metas)) == "InvalidSeeds"
    assert counter(world).count == 1
