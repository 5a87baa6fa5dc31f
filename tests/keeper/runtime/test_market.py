"""The market's figures: ticks and matches as the job counts them, leases that ended, votes for prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper.clients import orders, staking
from keeper.economy.calendar import HOUR
from keeper.economy.classes import holds_from
from keeper.economy.orders import FIRST, TICK
from keeper.jobs import matching
from keeper.jobs.leases import keep_leases
from keeper.jobs.names import LEASES, PRICES, STEPS
from keeper.runtime.keeper import JobOutcome, Keeper
from tests.keeper.jobs.market import Operator, come_to, leader, next_tick, three
from tests.keeper.runtime.keepers import figure
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key


@pytest.fixture
def world() -> OrdersWorld:
    world = OrdersWorld.with_two_devices()
    world.renter("another renter")
    return world


@pytest.fixture
async def operators(world: OrdersWorld, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[list[Operator]]:
    async with three(world, tmp_path, empty_sqlite) as found:
        yield found


def outcomes(keeper: Keeper, name: str, *labels: str) -> list[float | None]:
    return [figure(keeper, f"ionet_{name}_total", outcome=each) for each in labels]


async def test_ticks_and_matches(world: OrdersWorld, operators: list[Operator]) -> None:
    keeper = operators[leader(world, next_tick(world) + 1)].keeper
    await keeper.look()
    assert figure(keeper, "ionet_tick_age_seconds") == -1
    world.order(key("renter"))
    tick = next_tick(world)
    first, second = (operators[(tick + place) % 3] for place in range(2))
    come_to(world, tick)
    assert len(await first.match()) == 2
    come_to(world, tick, 1)
    await second.match()
    for each in (first, second):
        await each.keeper.look()
    assert outcomes(first.keeper, "ticks", "matched", "empty", "missed", "conflicts") == [1, 0, 0, 0]
    assert outcomes(second.keeper, "ticks", "matched", "empty") == [0, 1]
    assert outcomes(first.keeper, "matches", "made", "not_made") == [2, 0]
    assert figure(first.keeper, "ionet_tick_age_seconds") == world.chain.now() - tick * TICK == FIRST + 6
    # It stands still for four ticks: the newest is looked at, the others are gone.
    come_to(world, tick + 3)
    await first.match()
    await first.keeper.look()
    assert outcomes(first.keeper, "ticks", "empty", "missed") == [1, 2]


async def test_a_match_that_others_made(
    world: OrdersWorld, operators: list[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the files and the transaction the renter cancels."""
    order = world.order(key("renter"))
    tick = next_tick(world)
    first = operators[leader(world, tick)]
    come_to(world, tick)
    left = matching._left

    async def cancelled(chain, matches):
        found = await left(chain, matches)
        if first.folder.has(tick) and world.read_order(key("renter")).status == 0:
            world.do(orders.cancel_order(order), signers=[key("renter")])
        return found

    monkeypatch.setattr(matching, "_left", cancelled)
    assert await first.match() == []
    await first.keeper.look()
    assert outcomes(first.keeper, "matches", "made", "not_made") == [0, 2]


async def test_leases_that_were_not_accepted(world: OrdersWorld, operators: list[Operator]) -> None:
    keeper = operators[0].keeper
    keeper.jobs = {**keeper.jobs, LEASES: keep_leases}
    keeper.health[LEASES] = keeper.health[STEPS]
    order = world.order(key("renter"))
    lapsing, served = world.match(order, "one"), world.match(order, "two")
    world.accept(order, "two")
    world.chain.warp_to(lapsing.accept_until)
    for _ in range(2):
        assert await keeper.run_job(LEASES) is JobOutcome.OK
    assert served.accept_until >= lapsing.accept_until
    reasons = [figure(keeper, "ionet_leases_ended_total", reason=x) for x in ("lapsed", "completed")]
    assert reasons == [1, None]
    world.chain.warp_to(world.lease(order, "two").stop)
    assert await keeper.run_job(LEASES) is JobOutcome.OK
    assert figure(keeper, "ionet_leases_ended_total", reason="completed") == 1


async def test_votes_for_prices_that_are_missing_or_differ(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    keeper = operators[0].keeper

    async def seen() -> tuple[float | None, ...]:
        await keeper.look()
        names = ("price_votes_missing", "price_conflict", "price_lag_hours")
        return tuple(figure(keeper, f"ionet_{each}") for each in names)

    hour = world.chain.now() // HOUR + 1
    world.chain.warp_to((hour + 1) * HOUR + 30)
    assert await seen() == (2, 0, 0)
    assert await operators[0].run(STEPS) is JobOutcome.OK
    assert await seen() == (1, 0, 0)
    world.do(staking.vote_prices(world.operators[1].pubkey(), hour, b"x" * 32), signers=[world.operators[1]])
    assert await seen() == (1, 1, 0)
    assert await operators[2].run(STEPS) is JobOutcome.OK
    assert await seen() == (0, 1, 0)
    assert await operators[0].run(PRICES) is JobOutcome.OK
    assert await seen() == (0, 1, 0)
    world.chain.warp_to(holds_from(hour) + HOUR)
    assert await seen() == (2, 0, 2)
