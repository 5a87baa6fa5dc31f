"""The demo's market: who asks for what, who is there, and how a favour is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from keeper.chain import Event
from keeper.demo import favour
from keeper.demo.checks import Checks, DemoFailed
from keeper.demo.exchange import AWAY, present, turns
from keeper.demo.fleet import Fleet
from keeper.demo.network import Network
from keeper.demo.prices import Prices
from keeper.demo.wishes import FATES, SLOW, UNPROVEN_HOURS, Story, wishes
from keeper.economy.orders import TICK, Currency, turn_opens
from keeper.market import files
from keeper.market.folder import MarketFolder
from keeper.market.offers import Asked, ClassOffer, Offer
from keeper.market.steps import StepTable
from tests.keeper.cli.test_ticks import device_of, opened, state_of, tick_of, world
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import finish

__all__ = ["world"]


def test_suppliers_take_the_first_orders_and_operators_match_all_others() -> None:
    found = wishes(Fleet())
    direct = [each for each in found if each.fate is Story.DIRECT]
    assert len(direct) == FATES[Story.DIRECT]
    assert {each.hour for each in direct} == set(range(UNPROVEN_HOURS))
    assert all(each.hour >= UNPROVEN_HOURS for each in found if each not in direct)
    machine = Fleet().machines[SLOW]
    assert [each.processors for each in found[0].asked] == [machine.processors]
    assert machine.kind.id in found[0].asked[0].classes
    assert machine.ask_io <= machine.kind.prices.price_io, "it takes the first order at the price"


def test_a_renter_asks_until_there_are_enough_devices_or_takes_the_most() -> None:
    wish = next(each for each in wishes(Fleet()) if each.fate is Story.LAPSES)

    def quoted(free: int) -> Offer:
        classes = (ClassOffer(1, "one", 5, free - 1), ClassOffer(2, "two", 5, 1))
        asked = Asked.of(replace(wish.asked[0], price=200))
        return Offer(1, "network", 0, 1, asked, classes, (), None)

    few, enough, more = quoted(1), quoted(wish.needs), quoted(wish.needs + 1)
    assert wish.choice([few, enough, more]) is enough
    assert wish.choice([few, quoted(1)]) is few
    assert wish.choice([few, quoted(2)]).classes[0].free == 1
    paid = wish.offers(enough.terms.terms)
    assert paid.price == 200 * wish.offer // 100
    assert replace(paid, price=0) == replace(wish.asked[0], price=0)


def test_in_every_fifth_hour_somebody_is_away_and_a_substitute_comes() -> None:
    away = [set(range(3)).difference(present(hour, 3)) for hour in range(3 * AWAY)]
    assert [len(each) for each in away] == 3 * [0, 0, 0, 0, 1]
    assert set().union(*away) == {0, 1, 2}
    hour = next(hour for hour, each in enumerate(away) if 1 in each)
    tick = 3 * 1_000 + 1
    first, second = tick * TICK + 16, tick * TICK + 22
    assert turns(tick, hour, 3) == [(second, 2), (second + 6, 0)]
    assert turns(tick, 0, 3) == [(first, 1), (second, 2), (second + 6, 0)]


def test_a_favour_is_found_by_whoever_computes_the_tick_again(
    world: OrdersWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    order = opened(world)
    tick = tick_of(order)
    world.chain.warp_to(turn_opens(tick, tick % 3, 3))
    state = state_of(world, tick)
    folder, who = MarketFolder(tmp_path / "market"), world.operators[tick % 3].pubkey()
    done = finish(favour.write(world.chain, folder, who, state))
    assert done is not None
    assert (str(done.friend), str(done.due)) == (device_of("two"), device_of("one"))
    match = Event("LeaseMatched", {"order": order.address, "device": done.friend})
    checks = Checks()
    found = favour.replayed(checks, folder, done, [match])
    assert found.finding.what.startswith(f"matches.csv: line 2 is '{order.address},{done.friend},")
    assert f", but the rule gives '{order.address},{done.due}," in found.finding.what
    assert checks.passed == 4
    with pytest.raises(DemoFailed, match="wasn't matched"):
        favour.replayed(checks, folder, done, [])
    folder.write(tick, files.write(state, who))
    with pytest.raises(DemoFailed, match="verdict on a favour"):
        favour.replayed(checks, folder, done, [match])


def test_nobody_does_a_favour_without_another_device(
    world: OrdersWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tick = tick_of(opened(world, devices=2))
    world.chain.warp_to(turn_opens(tick, tick % 3, 3))
    folder, who = MarketFolder(tmp_path / "market"), world.operators[tick % 3].pubkey()
    assert finish(favour.write(world.chain, folder, who, state_of(world, tick))) is None
    assert not folder.has(tick)


async def test_a_step_that_was_not_voted_for_ends_the_demo() -> None:
    network = Network.empty()
    fleet = Fleet()
    prices = Prices(network, fleet.kinds, fleet.machines)
    number = fleet.machines[0].kind.id
    assert prices.at(number, Currency.IO, 5) == fleet.machines[0].kind.prices.price_io
    said = Event("PriceApplied", {"class": number, "step_io": 1, "step_usdc": 0})
    with pytest.raises(DemoFailed, match="steps of hour 7"):
        await prices.take(StepTable(7, {number: (0, 0)}), [said])
