"""Plans of claims against the program: what is shown is paid, and what is refused the program refuses."""

from __future__ import annotations

from random import Random

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.economy.calendar import moment
from keeper.economy.supply import IO, io
from keeper.rewards.wallet_index import Claimable
from keeper.wallet.claims import ClaimRefused, claim
from keeper.wallet.plan import NothingToDo, Plan
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, finish, key

NAMES = ("rich", "poor", "other")
EARNED = {"rich": 24_000 * IO, "poor": 700 * IO, "other": 5_000 * IO}
"""After ten hours. The least limit that an hour's claims can have:"""
LIMIT = 10_000 * IO


def looked(world: StakingWorld, found: Claimable, caller: Pubkey) -> Plan:
    config = world.staking_config()
    wallet = finish(staking.read_wallet(world.chain, found.wallet))
    block = finish(staking.read_hours(world.chain, [found.hour])).get(found.hour)
    return claim(config, wallet, block, found, caller, world.chain.now())


def claimables(world: StakingWorld, hour: int, part: int) -> dict[str, Claimable]:
    """Everybody's leaf of an hour in which each has earned so many tenths of all."""
    lifetime = {key(name).pubkey(): EARNED[name] * part // 10 for name in NAMES}
    tree = world.block(hour, lifetime)
    order = sorted(lifetime, key=bytes)
    return {
        name: Claimable(hour, owner, lifetime[owner], tree.root, tree.proof(order.index(owner)))
        for name in NAMES
        for owner in (key(name).pubkey(),)
    }


@pytest.mark.parametrize("share", [10_000, 6_000])
def test_a_claim_pays_what_is_shown_or_the_program_refuses_it(share: int) -> None:
    """Anybody claims for anybody, with one's own key or another's, under a limit that is soon full."""
    world, chance = StakingWorld.ready(claim_limit=LIMIT, wallet_share_bps=share), Random(share)
    people = {name: world.earner(name) for name in NAMES}
    for owner in people.values():
        world.give(owner.pubkey(), IO)
    seen: set[tuple[bool, bool]] = set()
    for hour in range(10):
        found = claimables(world, hour, hour + 1)
        for _ in range(12):
            if chance.random() < 0.2:
                world.chain.advance(HOUR)
            name, by = chance.choice(NAMES), people[chance.choice(NAMES)]
            owner = people[name].pubkey()
            signed = by.pubkey() == owner
            had = world.balance(owner)
            try:
                plan = looked(world, found[name], by.pubkey())
            except (ClaimRefused, NothingToDo):
                leaf = found[name]
                call = staking.claim(leaf.hour, owner, leaf.lifetime, leaf.proof, signed=signed)
                assert world.send(call, signers=[by] if signed else []).error is not None
                seen.add((signed, False))
                continue
            world.do(*plan.instructions, signers=[by])
            (moved,) = plan.movements
            assert world.balance(owner) - had == moved.amount > 0
            seen.add((signed, True))
    assert seen == {(signed, paid) for signed in (True, False) for paid in (True, False)}


def test_each_refusal_says_when_to_come_back() -> None:
    world = StakingWorld.ready(claim_limit=LIMIT)
    rich, poor = world.earner("rich").pubkey(), world.earner("poor").pubkey()
    world.earner("other")
    for name in NAMES:
        world.give(key(name).pubkey(), IO)
    for hour in range(10):
        found = claimables(world, hour, hour + 1)
    world.do(*looked(world, found["rich"], world.payer.pubkey()).instructions)
    with pytest.raises(ClaimRefused, match=rf"claim again from .*; signed by {poor} itself"):
        looked(world, found["poor"], world.payer.pubkey())
    assert looked(world, found["poor"], poor).movements[0].amount == EARNED["poor"]
    (note,) = looked_notes(world, found["rich"], later=HOUR)
    assert (
        f"14,000.00000000 IO are still to come, as all claims of an hour pay {io(LIMIT)} IO at most" in note
    )
    assert f"claim again from {moment((world.chain.now() // HOUR + 1) * HOUR)} on" in note
    with pytest.raises(ClaimRefused, match="hour 10 isn't final yet"):
        looked(world, Claimable(10, rich, 1, b"", b""), rich)
    with pytest.raises(ClaimRefused, match="has no account for earnings"):
        looked(world, Claimable(0, key("nobody").pubkey(), 1, b"", b""), rich)


def looked_notes(world: StakingWorld, found: Claimable, later: int) -> tuple[str, ...]:
    world.chain.advance(later)
    return looked(world, found, world.payer.pubkey()).notes


def test_a_root_that_is_too_old() -> None:
    world = StakingWorld.ready()
    for name in NAMES:
        world.earner(name)
    found = claimables(world, 0, 1)
    for hour in range(1, staking.KEPT_ROOTS + 1):
        claimables(world, hour, 1)
    world.chain.advance(DAY)
    with pytest.raises(ClaimRefused, match="hour 0 is too old: claims go by the last 48 final hours"):
        looked(world, found["rich"], world.payer.pubkey())
