"""Whom an hour counts, by events and by accounts that are read a moment after its start."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.db import Database
from keeper.economy.supply import IO
from keeper.operator.roster import read_fleet
from keeper.pow import clock
from keeper.pow.seeds import ALL, is_opened
from keeper.rewards.counted import opened_shares
from keeper.rewards.history import History
from keeper.rewards.merge import Judging, judging
from tests.keeper.rewards.hours import PowHours, profiles_in
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS, StakingWorld
from tests.programs.world import HOUR, START, key

__all__ = ["database"]

NAMES = [f"worker {number}" for number in range(8)]
ONE = 24 * 1_024
"""The load of a device with one processor: its picks times K."""


@pytest.fixture
def hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PowHours:
    """Eight devices, of which operators verify six an hour."""
    monkeypatch.setattr(clock, "OPENED_LOAD", 6 * ONE)
    return PowHours(tmp_path, StakingWorld.ready(), NAMES, profiles_in(tmp_path))


@pytest.fixture
async def history(hours: PowHours, database: Database) -> History:
    found = History(hours.world.chain, database)
    await found.prepare()
    return found


async def judged(hours: PowHours, history: History, hour: int) -> Judging:
    """What the merge counts, once the hour is over."""
    return judging(await hours.chain_hour(history, hour), hours.profiles, {})


def leave(hours: PowHours, name: str) -> None:
    supplier = key(f"supplier of {name}")
    hours.world.do(staking.unstake(hours.world.read_device(name)), signers=[supplier])


def test_the_share_that_is_opened(hours: PowHours) -> None:
    gpu, apple, unknown = (GPU_CLASS, 1), (APPLE_CLASS, 1), (77, 8)
    assert opened_shares(hours.profiles, []).product == ALL
    assert opened_shares(hours.profiles, [gpu] * 6 + [unknown] * 9).product == ALL
    assert opened_shares(hours.profiles, [gpu] * 4 + [apple] * 4).product == ALL * 6 // 8
    # Eight picks more for each further processor.
    assert opened_shares(hours.profiles, [(GPU_CLASS, 4)] * 6).product == ALL // 2


def test_the_share_of_memory_tests(tmp_path: Path, hours: PowHours) -> None:
    """By rule 4 it follows from what they cost, where memory is tested; by rule 3 it is a quarter."""
    gpu, apple = (GPU_CLASS, 1), (APPLE_CLASS, 1)
    assert opened_shares(hours.profiles, [gpu] * 3) == (ALL, ALL // 4)
    profiles = profiles_in(tmp_path, rule=4)
    assert (profiles.rule, hours.profiles.rule) == (4, 3)
    # A product has 24 picks at K = 1,024, a plot two, each as dear as 24; the limit here is six times 24.
    assert opened_shares(profiles, [gpu] * 3) == (ALL, ALL)
    assert opened_shares(profiles, [gpu] * 6) == (ALL, ALL // 2)
    # Apple's have no memory test: they do the product.
    assert opened_shares(profiles, [gpu] * 6 + [apple] * 6) == (ALL // 2, ALL // 3)
    # Eight picks more for each further processor, of either.
    assert opened_shares(profiles, [(GPU_CLASS, 4)] * 6) == (ALL // 2, ALL * 6 * 24 // (24 * 26 * 6))


async def test_at_the_very_start_both_are_the_same(hours: PowHours, history: History) -> None:
    start = START + 2 * HOUR
    hours.world.chain.warp_to(start - 3)
    leave(hours, NAMES[0])
    late = hours.device("worker late")
    hours.world.chain.warp_to(start)
    fleet = await read_fleet(hours.world.chain, hours.profiles, start)
    found = await judged(hours, history, 2)
    assert fleet.devices == tuple(map(bytes, found.working))
    assert bytes(late.account) in fleet.devices
    assert fleet.shares.product == found.shares.product == ALL * 6 // 8


async def test_whoever_comes_and_goes_in_the_hour_leaves_no_opening_out(
    hours: PowHours, history: History
) -> None:
    """However late the accounts are read: nobody else is counted, and no less is opened."""
    random = Random(6)
    chain, start = hours.world.chain, START + 2 * HOUR
    chain.warp_to(start)
    fleets = []
    for number in range(6):
        if random.random() < 0.5:
            leave(hours, NAMES[number])
        else:
            hours.device(f"worker new {number}")
            hours.device(f"worker new too {number}")
        chain.advance(7)
        fleets.append(await read_fleet(chain, hours.profiles, start))
    found = await judged(hours, history, 2)
    assert found.shares.product == ALL * 6 // 8
    working = set(map(bytes, found.working))
    shares = [each.shares.product for each in fleets]
    assert (len(set(shares)) > 1, shares) == (True, sorted(shares))
    for fleet in fleets:
        assert working.issuperset(fleet.devices)
        assert fleet.shares.product >= found.shares.product
        for seed in (bytes([number]) * 32 for number in range(40)):
            drawn = {each for each in working if is_opened(seed, Pubkey(each), found.shares.product)}
            assert all(is_opened(seed, Pubkey(each), fleet.shares.product) for each in drawn)


async def test_who_isnt_counted_for_what_time_alone_did_lowers_nobodys_share(
    hours: PowHours, history: History
) -> None:
    """A multiplier that rose: stakes that don't suffice any more, which nobody has written down."""
    for number in range(4):
        hours.device(f"mac {number}", device_class=APPLE_CLASS)
    world, admin = hours.world, hours.world.admin
    world.do(staking.change_class(admin.pubkey(), GPU_CLASS, 1_000), signers=[admin])
    world.chain.advance(9 * 24 * HOUR)
    hour = (world.chain.now() - START) // HOUR + 1
    start = START + HOUR * hour
    world.chain.warp_to(start + 5)
    assert world.read_device(NAMES[0]).sufficient_since > 0
    assert world.read_device(NAMES[0]).own == 1_000 * IO
    fleet = await read_fleet(world.chain, hours.profiles, start)
    found = await judged(hours, history, hour)
    assert fleet.devices == tuple(map(bytes, found.working))
    assert (len(fleet.devices), fleet.shares.product, found.shares.product) == (4, ALL, ALL)
