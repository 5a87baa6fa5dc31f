"""Prices over several hours: operators' steps, their votes, and whoever announces them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import pytest
import structlog
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from keeper.chain import Event, TransactionRecord
from keeper.clients import orders, staking
from keeper.clients.staking import Attestation
from keeper.economy.classes import PRICE_NOTICE
from keeper.economy.orders import Currency
from keeper.jobs.names import PRICES, STEPS
from keeper.jobs.port import Direct
from keeper.jobs.prices import keep_prices
from keeper.jobs.steps import vote_steps
from keeper.market.folder import MarketFolder
from keeper.market.states import Passed
from keeper.market.steps import StepTable
from keeper.runtime.keeper import JobOutcome
from keeper.sender import Action
from tests.keeper.api.serving import serving
from tests.keeper.jobs.market import Operator, come_to, leader, next_tick, three
from tests.keeper.market import independent
from tests.keeper.runtime.keepers import events_of
from tests.programs.orders.world import IO, USDC, OrdersWorld
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS
from tests.programs.staking.world import PRICES as CLASS_PRICES
from tests.programs.world import HOUR, START, finish, key

WORKERS = ("one", "two", "three", "four")
LOG = structlog.get_logger()
FIRST = START // HOUR + 2
"""The hour with which all begins."""
STEPS_OF = {GPU_CLASS: (-3, 5), APPLE_CLASS: (0, 0)}


@pytest.fixture
def world() -> OrdersWorld:
    """Four devices with four processors each, which passed in hour 0, a renter."""
    world = OrdersWorld.ready(now=START - HOUR)
    world.renter("renter", io=1_000_000 * IO)
    supplier = world.supplier("supplier")
    for name in WORKERS:
        world.let(name, supplier)
    world.chain.warp_to(START + HOUR)
    world.attest(0, Attestation(b"r" * 32, 0, len(WORKERS), b"d" * 32))
    world.chain.warp_to(FIRST * HOUR - 600)
    return world


def all_of(world: OrdersWorld) -> Passed:
    """Every device has passed in the hour that was agreed on."""

    def passed(block: staking.Block) -> set[Pubkey]:
        assert block.hour == 0
        return set(finish(staking.read_devices(world.chain)))

    return passed


@pytest.fixture
async def operators(world: OrdersWorld, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[list[Operator]]:
    async with three(world, tmp_path, empty_sqlite, {GPU_CLASS}, all_of(world)) as found:
        yield found


def price(world: OrdersWorld, number: int = GPU_CLASS) -> tuple[int, int]:
    """What a class costs now, in both currencies."""
    of_class = finish(staking.read_classes(world.chain))[number]
    now = world.chain.now()
    io, usdc = (of_class.price(currency, now) for currency in Currency)
    return io.amount, usdc.amount


def after(amount: int, step: int) -> int:
    """A price after a step, with fractions."""
    moved = Fraction(amount) * (10_000 + step) / 10_000
    return max(1, ceil(moved) if step > 0 else floor(moved))


def expected_step(hired: int, idle: int) -> int:
    """The step of a class of devices with four processors, so many of which are hired or willing."""
    used = independent.utilisation([(4 * hired, 4 * idle)], 0)
    return independent.step(used, 16)


async def hour_over(world: OrdersWorld, operators: list[Operator], hour: int) -> None:
    """Everybody does what there is to do when an hour is over."""
    world.chain.warp_to((hour + 1) * HOUR + 60)
    for each in operators:
        assert await each.run(STEPS) is JobOutcome.OK, each.keeper.health[STEPS].reason
    assert await operators[-1].run(PRICES) is JobOutcome.OK, operators[-1].keeper.health[PRICES].reason


def ask_less(world: OrdersWorld) -> None:
    """Every device asks half as much."""
    for name in WORKERS:
        lower = staking.change_device(
            world.read_device(name), tier=4, country="CH", ask_io=IO, ask_usdc=USDC // 2
        )
        world.do(lower, signers=[key("supplier")])


async def hire(world: OrdersWorld, operators: list[Operator], devices: int) -> orders.Order:
    """An order's devices are matched in the next tick, and accept."""
    order = world.order(key("renter"), devices=devices, hours=24)
    tick = next_tick(world)
    come_to(world, tick)
    assert len(await operators[leader(world, tick)].match()) == devices
    for name in WORKERS:
        if world.read_device(name).lease != staking.NOBODY:
            world.accept(order, name)
    return order


async def test_prices_follow_what_is_used_hour_by_hour(world: OrdersWorld, operators: list[Operator]) -> None:
    """Nobody hires, and the asks of 2 IO and 1 USDC follow; then three of four are hired, at last one."""
    prices: dict[int, tuple[int, ...]] = {FIRST: (2 * IO, 1 * USDC), FIRST + 1: (2 * IO, 1 * USDC)}
    steps: dict[int, tuple[int, ...]] = {}
    hired, order = 0, None
    for hour in range(FIRST, FIRST + 9):
        # What changes does so before the hour begins, and after the last sample of the one before.
        if hour == FIRST + 3:
            world.chain.warp_to(hour * HOUR - 2)
            ask_less(world)
        if hour == FIRST + 4:
            world.chain.warp_to(hour * HOUR - 50)
            order, hired = await hire(world, operators, 3), 3
        if hour == FIRST + 6:
            assert order is not None
            world.chain.warp_to(hour * HOUR - 2)
            for name in [each for each in WORKERS if world.read_device(each).lease != staking.NOBODY][1:]:
                assert world.end(order, name, key("renter")).error is None
            hired = 1
        world.chain.warp_to(hour * HOUR + 30)
        assert price(world) == prices[hour], hour
        if hour > FIRST:
            await hour_over(world, operators, hour - 1)
            table = operators[0].folder.steps(hour - 1)
            assert table.steps == {GPU_CLASS: steps[hour - 1], APPLE_CLASS: (0, 0)}, hour
            prices[hour + 1] = tuple(map(after, prices[hour], steps[hour - 1]))
        steps[hour] = tuple(
            expected_step(hired, sum(ask <= amount for ask in free))
            for free, amount in zip(asks(world), prices[hour], strict=True)
        )
    found = {step for each in steps.values() for step in each}
    assert min(found) < 0 < max(found)
    assert 0 in found, "while what is free asked more"
    assert price(world, APPLE_CLASS) == (2 * IO, 1 * USDC), "no proof of work is known of it"
    for each in operators:
        for tick in each.folder.ticks(0, 1 << 30):
            each.folder.replay(tick)


def asks(world: OrdersWorld) -> list[list[int]]:
    """What free devices ask, in both currencies."""
    found = [
        each for each in finish(staking.read_devices(world.chain)).values() if each.lease == staking.NOBODY
    ]
    return [[each.ask_io for each in found], [each.ask_usdc for each in found]]


async def test_two_of_three_are_enough_and_votes_are_cast_once(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    world.chain.warp_to((FIRST + 1) * HOUR - 1)
    for each in operators:
        assert await each.run(STEPS) is JobOutcome.OK
        assert not each.folder.has_steps(FIRST)
    world.chain.warp_to((FIRST + 1) * HOUR + 20)
    first, second, third = operators
    assert await first.run(STEPS) is JobOutcome.OK
    assert [each.name for each in first.last] == ["PricesVoted"]
    assert await first.run(STEPS) is JobOutcome.OK
    assert first.last == []
    await first.restart()
    assert await first.run(STEPS) is JobOutcome.OK
    assert first.last == []
    assert await third.run(PRICES) is JobOutcome.OK
    assert third.last == [], "one isn't enough"
    assert await second.run(STEPS) is JobOutcome.OK
    assert await third.run(STEPS) is JobOutcome.OK
    assert third.last == [], "it is agreed already"
    assert third.folder.has_steps(FIRST), "and published all the same"
    votes = finish(staking.read_prices(world.chain, FIRST))
    assert votes is not None
    assert votes.root == third.folder.steps(FIRST).root
    assert await third.run(PRICES) is JobOutcome.OK
    assert sorted(each.fields["class"] for each in third.last) == [GPU_CLASS, APPLE_CLASS]
    assert await third.run(PRICES) is JobOutcome.OK
    assert third.last == []


async def test_what_is_late_is_no_step(world: OrdersWorld, operators: list[Operator]) -> None:
    world.chain.warp_to((FIRST + 2) * HOUR - PRICE_NOTICE)
    for each in operators:
        assert await each.run(STEPS) is JobOutcome.OK
        assert each.last == []
        assert each.folder.has_steps(FIRST)
    assert finish(staking.read_prices(world.chain, FIRST)) is None


async def test_a_table_that_others_agreed_on_and_is_another_one(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    world.chain.warp_to((FIRST + 1) * HOUR + 20)
    liars, honest = operators[:2], operators[2]
    for each in liars:
        each.folder.write_steps(StepTable(FIRST, STEPS_OF))
        assert await each.run(STEPS) is JobOutcome.OK
    with capture_logs() as logs:
        assert await honest.run(STEPS) is JobOutcome.OK
    assert "steps.differ" in events_of(logs)
    assert await honest.run(PRICES) is JobOutcome.OK
    assert honest.last == [], "its own table isn't the one"
    assert await liars[0].run(PRICES) is JobOutcome.OK
    world.chain.warp_to((FIRST + 2) * HOUR)
    assert price(world) == (after(2 * IO, -3), after(USDC, 5))


async def test_anybody_announces_steps_from_a_peer(
    world: OrdersWorld, operators: list[Operator], tmp_path: Path
) -> None:
    world.chain.warp_to((FIRST + 1) * HOUR + 20)
    for each in operators[:2]:
        assert await each.run(STEPS) is JobOutcome.OK
    liar = MarketFolder(tmp_path / "liar")
    liar.write_steps(StepTable(FIRST, STEPS_OF))
    rewards = tmp_path / "rewards"
    rewards.mkdir()
    port = Direct(world.chain, world.payer, LOG)
    assert await keep_prices(port, folder=None) == [], "nobody to ask"
    with (
        serving(rewards, liar.path) as lies,
        serving(rewards, operators[0].folder.path) as url,
        capture_logs() as logs,
    ):
        events = await keep_prices(port, folder=None, peers=["http://127.0.0.1:9", lies, url])
    assert sorted(each.fields["class"] for each in events) == [GPU_CLASS, APPLE_CLASS]
    reasons = [each["reason"] for each in logs if each["event"] == "prices.peer_refused"]
    assert len(reasons) == 2
    assert "have root" in reasons[1]


class Watched:
    """A port that remembers what it was asked, and after the first time lets others act."""

    def __init__(self, world: OrdersWorld, name: str, others: Callable[[], Awaitable[object]]) -> None:
        self._port, self._others = Direct(world.chain, world.person(name), LOG), others
        self.chain, self.payer, self.log = self._port.chain, self._port.payer, self._port.log
        self.asked: list[list[str]] = []

    async def do(self, actions: Sequence[Action]) -> list[TransactionRecord]:
        if not actions:
            return []
        self.asked.append([each.key for each in actions])
        records = await self._port.do(actions)
        if len(self.asked) == 1:
            await self._others()
        return records


async def test_nobody_announces_again_what_others_announce_meanwhile(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Each begins at another class, and looks between its transactions."""
    numbers = list(range(100, 120))
    for number in numbers:
        adding = staking.add_class(world.admin.pubkey(), number, f"C{number}", 100, 0, 0, CLASS_PRICES)
        world.do(adding, signers=[world.admin])
    hour = FIRST + 20 * 24
    world.chain.warp_to((hour + 1) * HOUR + 20)
    for each in operators[:2]:
        each.folder.write_steps(StepTable(hour, dict.fromkeys(numbers, (-3, 5))))
        assert await each.run(STEPS) is JobOutcome.OK
    folder = operators[0].folder

    async def nobody() -> None:
        pass

    async def the_other() -> None:
        found.extend(await keep_prices(second, folder=folder))

    found: list[Event] = []
    second = Watched(world, "the other", nobody)
    first = Watched(world, "somebody", the_other)
    with capture_logs() as logs:
        found.extend(await keep_prices(first, folder=folder))
    assert "keeper.others_were_faster" not in events_of(logs)
    assert sorted(each.fields["class"] for each in found) == numbers
    (own,) = first.asked
    assert 1 < len(own) < len(numbers)
    assert len(second.asked) > 1
    assert second.asked[0][0] != own[0]
    every = [*own, *(key for asked in second.asked for key in asked)]
    assert sorted(every) == [f"prices:{hour}:class:{number}" for number in numbers]


async def test_somebody_else_votes_for_nothing(world: OrdersWorld, operators: list[Operator]) -> None:
    port, own = Direct(world.chain, world.payer, LOG), operators[0]
    with capture_logs() as logs:
        assert await vote_steps(port, folder=own.folder, states=own.of_last_hour) == []
    assert events_of(logs) == ["steps.not_an_operator"]
