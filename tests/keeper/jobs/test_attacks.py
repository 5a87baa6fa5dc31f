"""Attacks on orders and prices from end to end: operators' own jobs, anybody's keeper, and where money is.

What each instruction refuses is in tests/security; here are whole attacks, with what the attacker, the renter
and honest suppliers end with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import structlog
from solders.instruction import Instruction
from solders.keypair import Keypair

from keeper.clients import buyback, orders, staking
from keeper.clients.orders import Order
from keeper.economy.classes import MAX_STEP
from keeper.economy.orders import TICK, Currency, cost, fee, turn_opens
from keeper.jobs.leases import keep_leases
from keeper.jobs.names import PRICES, STEPS
from keeper.jobs.port import Direct
from keeper.market import audit, audit_hours
from keeper.market.assignment import assign
from keeper.market.files import read
from keeper.market.findings import Verdict
from keeper.market.snapshot import Out
from keeper.market.steps import StepTable
from keeper.runtime.keeper import JobOutcome
from tests.keeper.jobs.market import Operator, come_to, leader, next_tick, three
from tests.programs.orders.world import ASK_IO, ASK_USDC, IO, TERMS, USDC, OrdersWorld
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS
from tests.programs.world import DAY, HOUR, START, key

LOG = structlog.get_logger()
WORKERS = ("one", "two", "three")
BAD = "bad"
"""The attacker's device, which comes first: it has waited longest."""
RATE = ASK_IO * 4
"""An hour of a device at the network's price, as all have four processors."""
HOURS = TERMS.hours
PAY = RATE * HOURS
NET = PAY - fee(PAY, 25)
"""What a supplier has of a lease."""
COST = cost(RATE, HOURS, 25)
"""What its renter pays."""


@pytest.fixture
def world() -> OrdersWorld:
    """An attacker's device, three honest ones, a renter; wallets are of IO alone."""
    world = OrdersWorld.ready(now=START - HOUR)
    world.renter("renter")
    world.let(BAD, world.supplier("mallory"))
    world.chain.advance(60)
    supplier = world.supplier("supplier")
    for name in WORKERS:
        world.let(name, supplier)
    world.chain.warp_to(START + HOUR)
    return world


@pytest.fixture
async def operators(world: OrdersWorld, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[list[Operator]]:
    async with three(world, tmp_path, empty_sqlite) as found:
        yield found


def purses(world: OrdersWorld) -> dict[str, int]:
    """What everybody has in IO."""
    return {name: world.balance(key(name).pubkey()) for name in ("mallory", "supplier", "renter")}


def gains(world: OrdersWorld, before: dict[str, int]) -> tuple[int, int, int]:
    """By how much the attacker, the honest supplier and the renter have more."""
    now = purses(world)
    return tuple(now[name] - before[name] for name in ("mallory", "supplier", "renter"))  # type: ignore[return-value]  # three


async def matched(world: OrdersWorld, operators: list[Operator]) -> dict[str, str]:
    """The next tick's leader does its work: workers by the orders' addresses, the other way round."""
    tick = next_tick(world)
    come_to(world, tick)
    names = {str(staking.device_address(key(each).pubkey())): each for each in (*WORKERS, BAD, "switch")}
    return {names[device]: order for order, device in await operators[leader(world, tick)].match()}


async def kept(world: OrdersWorld) -> list[str]:
    """What anybody's keeper does of what is due, until nothing is."""
    found: list[str] = []
    while events := await keep_leases(Direct(world.chain, world.payer, LOG)):
        found += [each.name for each in events if each.name != "Earn"]
    return found


def accept(world: OrdersWorld, order: Order, names: Iterable[str]) -> None:
    """What their machines do by themselves."""
    for each in names:
        world.accept(order, each)


async def served(world: OrdersWorld) -> None:
    """All leases go to their end, and everything is paid."""
    world.chain.advance(HOURS * HOUR)
    await kept(world)
    world.chain.advance(2 * HOUR)
    await kept(world)


def refused(world: OrdersWorld, *calls: Instruction, signers: Iterable[Keypair]) -> str | None:
    return world.error(world.send(*calls, signers=list(signers)))


async def class_of(world: OrdersWorld) -> staking.Class:
    return (await staking.read_classes(world.chain))[GPU_CLASS]


def flash(world: OrdersWorld, name: str, ask: int) -> Instruction:
    """The attacker's device asks something else."""
    device = world.read_device(name)
    return staking.change_device(device, tier=4, country="CH", ask_io=ask, ask_usdc=USDC)


# -- places ----------------------------------------------------------------------------------------


async def test_who_accepts_and_breaks_off_ends_with_nothing_and_its_renter_is_served(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """The place is open again in the same second, the next tick's batch has it, and the breaker not."""
    before, order = purses(world), world.order(key("renter"), devices=3)
    first = await matched(world, operators)
    assert set(first) == {BAD, "one", "two"}, "it had waited longest"
    accept(world, order, first)
    world.do(orders.end_lease(key("mallory").pubkey(), world.lease(order, BAD)), signers=[key("mallory")])
    await kept(world)
    again = await matched(world, operators)
    assert set(again) == {"three"}
    accept(world, order, again)
    # It may not even have the next order: a bar is an hour.
    other = world.order(key("renter"), 2, devices=1)
    assert await matched(world, operators) == {}
    bad = world.read_device(BAD)
    assert (bad.strikes, bad.barred_until - bad.last_order_at >= HOUR, bad.leases_failed) == (1, True, 1)
    world.do(orders.cancel_order(other), signers=[key("renter")])
    await served(world)
    # For the order that nobody could have, and that was cancelled: on an hour at its renter's limit.
    burned = fee(TERMS.price * 4, 25)
    assert gains(world, before) == (0, 3 * NET, -3 * COST - burned)
    assert world.tokens(buyback.IO_VAULT) == 3 * (COST - NET) + burned


async def test_a_device_that_breaks_off_is_out_of_every_batch_of_its_bar(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """And has no rewards for these hours: keeper/rewards/rule.py leaves it out for the same reason."""
    order = world.order(key("renter"), devices=1)
    accept(world, order, await matched(world, operators))
    world.do(orders.end_lease(key("mallory").pubkey(), world.lease(order, BAD)), signers=[key("mallory")])
    await kept(world)
    tick = next_tick(world)
    come_to(world, tick)
    operator = operators[leader(world, tick)]
    assert len(await operator.match()) == 1
    batch = read(operator.folder.files(tick))
    out = dict(
        zip(batch.snapshot.devices["supplier"].tolist(), batch.snapshot.devices["out"].tolist(), strict=True)
    )
    assert out[bytes(key("mallory").pubkey()).rstrip(b"\0")] == Out.BARRED


async def test_who_matches_itself_and_waits_keeps_a_place_for_a_second(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Operators are away for five minutes; a supplier takes its own place and doesn't accept."""
    before, order = purses(world), world.order(key("renter"), devices=1)
    world.chain.warp_to(order.exclusive_until)
    call = orders.match_device(key("mallory").pubkey(), order, world.read_device(BAD))
    world.do(call, signers=[key("mallory"), key(BAD)])
    taken = world.chain.now()
    world.chain.advance(1)
    assert await kept(world) == ["LeaseEnded", "LeaseClosed"]
    assert world.read_device(BAD).barred_until == world.chain.now() + HOUR
    again = await matched(world, operators)
    assert set(again) <= set(WORKERS) and len(again) == 1
    assert world.chain.now() - taken < 60, "the next tick"
    accept(world, order, again)
    await served(world)
    assert gains(world, before) == (0, NET, -COST)


async def test_a_flash_ask_earns_nothing_and_costs_its_renter_nothing(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """It lay in wait, and asks the renter's maximum, or next to nothing, once an order is there."""
    world.do(flash(world, BAD, 3 * IO), signers=[key("mallory")])
    world.chain.advance(1)
    before, order = purses(world), world.order(key("renter"), devices=1, price=3 * IO)
    world.do(flash(world, BAD, 1), signers=[key("mallory")])
    got = await matched(world, operators)
    assert set(got) < set(WORKERS)
    accept(world, order, got)
    # Nor may its supplier take what is open, after operators' time: its terms are younger than the order.
    second = world.order(key("renter"), 2, devices=1, price=3 * IO)
    world.do(flash(world, BAD, 2 * IO), signers=[key("mallory")])
    world.chain.warp_to(second.exclusive_until)
    call = orders.match_device(key("mallory").pubkey(), second, world.read_device(BAD))
    assert refused(world, call, signers=[key("mallory"), key(BAD)]) == "TermsTooYoung"
    accept(world, second, await matched(world, operators))
    await served(world)
    assert gains(world, before) == (0, 2 * NET, -2 * COST), "at the network's price, not at the limit"


async def test_a_stake_that_comes_with_an_order_is_a_switch_for_once_in_two_weeks(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """A device short of a base unit of stake is no idle one, and takes an older order once it has that.

    Its waiting begins then, so that it comes last; and going back locks its whole stake for the cooldown.
    """
    late = world.supplier("late")
    device = world.device("switch", late, ask_io=ASK_IO, ask_usdc=ASK_USDC)
    least = device.minimum(await class_of(world), world.chain.now())
    world.do(staking.stake(device, least - 1), signers=[late])
    world.chain.advance(60)
    order = world.order(key("renter"), devices=5)
    first = await matched(world, operators)
    assert "switch" not in first and len(first) == 4
    world.do(staking.stake(world.read_device("switch"), 1), signers=[late])
    assert set(await matched(world, operators)) == {"switch"}, "nothing else was left"
    accept(world, order, [*first, "switch"])
    await served(world)
    world.do(staking.unstake(world.read_device("switch")), signers=[late])
    again = staking.stake(world.read_device("switch"), least)
    assert refused(world, again, signers=[late]) == "StillCooling"
    assert world.read_device("switch").own_until - world.chain.now() == 14 * DAY


# -- time --------------------------------------------------------------------------------------------


async def test_nobody_is_kept_by_an_extension_in_the_last_second(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """A supplier that wants out sets its ask to 0: it is paid, leaves, and has its stake back."""
    before, order = purses(world), world.order(key("renter"), devices=1)
    (name,) = await matched(world, operators)
    accept(world, order, [name])
    world.do(staking.pause_device(world.read_device(name)), signers=[key(name)])
    lease = world.lease(order, name)
    world.chain.warp_to(lease.stop - 1)
    config, order = world.orders_config(), world.read_order(key("renter"))
    for hours, error in ((8_760 - HOURS, "ExtensionTooLong"), (24, "NotLet")):
        extension = orders.extend_lease(config, order, lease, hours, max_amount=2**64 - 1)
        assert refused(world, extension, signers=[key("renter")]) == error
    world.chain.advance(1)
    await kept(world)
    staked = world.read_device(name).own
    for call in (staking.unstake, staking.terminate_device):
        world.do(call(world.read_device(name)), signers=[key("mallory")])
    world.chain.advance(2 * HOUR)
    await kept(world)
    assert gains(world, before) == (NET, 0, -COST)
    world.chain.warp_to(world.read_device(name).own_until)
    world.do(staking.withdraw(world.read_device(name)))
    assert gains(world, before) == (NET + staked, 0, -COST)


@pytest.mark.parametrize("hours", [48, 8_760])
async def test_a_long_order_that_is_ended_at_once_burns_a_days_fee(
    world: OrdersWorld, operators: list[Operator], hours: int
) -> None:
    """In USDC, where fees are highest. A year's costs what two days' do: the fee on an hour and a day."""

    def money() -> list[int]:
        return [world.money(key(name).pubkey(), Currency.USDC) for name in ("renter", "mallory")]

    before = money()
    terms = {"currency": Currency.USDC, "price": ASK_USDC, "hours": hours}
    order = world.order(key("renter"), devices=1, **terms)
    (name,) = await matched(world, operators)
    accept(world, order, [name])
    world.do(orders.end_lease(key("renter").pubkey(), world.lease(order, name)), signers=[key("renter")])
    world.chain.advance(3 * HOUR)
    await kept(world)
    assert world.chain.get(order.address) is None
    hourly = ASK_USDC * 4
    burned = fee(25 * hourly, 225)
    renter, supplier = (now - then for now, then in zip(money(), before, strict=True))
    assert (renter, supplier) == (-hourly - burned, hourly - fee(hourly, 25))
    assert burned == 2_250_000, "2.25 USDC; before it was the fee on all hours"
    assert fee(hours * hourly, 225) == {48: 4_320_000, 8_760: 788_400_000}[hours]


async def test_another_device_at_a_workers_address_weighs_as_a_new_one(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """What the old one broke off is its own; what is found of that lease later is nobody's."""
    order = world.order(key("renter"), devices=1)
    (name,) = await matched(world, operators)
    accept(world, order, [name])
    lease = world.lease(order, name)
    supplier = key("mallory")
    world.chain.advance(2 * HOUR)
    world.do(orders.end_lease(supplier.pubkey(), lease), signers=[supplier])
    await kept(world)
    address, operator = staking.device_address(key(name).pubkey()), operators[0]

    async def weight() -> int:
        tick = next_tick(world)
        come_to(world, tick)
        state = await operator.matcher.states.at(tick)
        assert state is not None
        rows = state.devices
        return int(rows["weight"][rows["device"] == bytes(address).rstrip(b"\0")][0])

    assert await weight() < 8_584
    for call in (staking.unstake, staking.terminate_device):
        world.do(call(world.read_device(name)), signers=[supplier])
    world.chain.warp_to(world.read_device(name).own_until)
    world.do(staking.withdraw(world.read_device(name)))
    world.do(staking.close_device(world.read_device(name)))
    world.let(name, supplier)
    assert await weight() == 8_584
    assert world.read_device(name).leases_failed == 0


# -- operators ---------------------------------------------------------------------------------------


async def test_a_rogue_operator_gets_its_friend_one_lease_at_the_price_of_everybody(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Out of turn it is refused. In its turn, before everybody else, it takes a device that comes last."""
    late = world.supplier("mallory's friend")
    world.let("friend", late)
    before, had = purses(world), world.balance(late.pubkey())
    order = world.order(key("renter"), devices=1, price=3 * IO)
    tick = next_tick(world)
    rogue = operators[leader(world, tick)]
    device = world.read_device("friend")
    call = orders.match_device(rogue.signer.pubkey(), order, device, tick)
    for early in (tick * TICK, turn_opens(tick, rogue.number, 3) - 1):
        world.chain.warp_to(early)
        assert refused(world, call, signers=[rogue.signer]) == "NotYourTurn"
    out_of_turn = orders.match_device(rogue.signer.pubkey(), order, device, tick + 1)
    come_to(world, tick)
    assert refused(world, out_of_turn, signers=[rogue.signer]) == "NotYourTurn"
    state = await rogue.matcher.states.at(tick)
    assert state is not None
    world.do(call, signers=[rogue.signer])
    # Who comes after it finds nothing left.
    come_to(world, tick, 1)
    assert await operators[(tick + 1) % 3].match() == []
    world.accept(order, "friend")
    await served(world)
    assert gains(world, before) == (0, 0, -COST), "its renter pays what it would have paid"
    assert world.balance(late.pubkey()) - had == NET, "what the device at the head would have had"
    made = audit.matches(world_events(world), tick)
    finding, _ = audit.of_matches(assign(state), made)
    assert finding.verdict is Verdict.DIFFERENT
    assert f"{rogue.signer.pubkey()} matched {staking.device_address(device.worker)}" in finding.what
    silent, _ = audit.of_hashes(state, assign(state), {}, {}, made)
    assert silent.what == f"{rogue.signer.pubkey()} matched in the tick, and never posted its batch"


def world_events(world: OrdersWorld) -> list:
    """All that orders told."""
    return [
        event
        for record in world.chain.transactions()
        if record.error is None
        for event in orders.PROGRAM.events(record)
    ]


# -- prices ------------------------------------------------------------------------------------------


async def test_colluding_operators_move_a_price_by_an_eighth_an_hour_for_all_to_see(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Two of three. A lease keeps its rate, an order its limit, and the guardian has 20 minutes at least."""
    hour = world.chain.now() // HOUR
    running = world.order(key("renter"), devices=1, hours=24)
    (name,) = await matched(world, operators)
    accept(world, running, [name])
    world.chain.warp_to((hour + 1) * HOUR + 60)
    lie = StepTable(hour, {GPU_CLASS: (MAX_STEP, 0), APPLE_CLASS: (0, 0)})
    colluders, honest = operators[:2], operators[2]
    for each in colluders:
        each.folder.write_steps(lie)
        assert await each.run(STEPS) is JobOutcome.OK
    assert await honest.run(STEPS) is JobOutcome.OK
    assert await colluders[0].run(PRICES) is JobOutcome.OK
    rule = await honest.of_last_hour.steps(hour)
    assert rule is not None and rule.steps[GPU_CLASS] == (0, 0)
    votes = [each for found in world.chain.transactions() for each in staking.PROGRAM.events(found)]
    assert audit_hours.of_vote(votes, rule).verdict is Verdict.DIFFERENT
    # A renter's order of now says at most today's price.
    cautious = world.order(key("renter"), 2, devices=1, price=ASK_IO)
    world.chain.warp_to((hour + 2) * HOUR)
    assert await matched(world, operators) == {}, "it pays no more than it said"
    world.do(orders.cancel_order(cautious), signers=[key("renter")])
    dear = world.order(key("renter"), 3, devices=1)
    (other,) = await matched(world, operators)
    accept(world, dear, [other])
    assert (world.lease(running, name).rate, world.lease(dear, other).rate) == (RATE, RATE * 9 // 8)
    # Each more takes an hour, and so does the way back.
    world.chain.warp_to((hour + 2) * HOUR + 60)
    lie = StepTable(hour + 1, {GPU_CLASS: (MAX_STEP, 0), APPLE_CLASS: (0, 0)})
    for each in colluders:
        each.folder.write_steps(lie)
        assert await each.run(STEPS) is JobOutcome.OK
    assert await colluders[0].run(PRICES) is JobOutcome.OK
    world.do(staking.cancel_price(world.guardian.pubkey(), GPU_CLASS), signers=[world.guardian])
    world.chain.warp_to((hour + 3) * HOUR)
    last = world.order(key("renter"), 4, devices=1)
    (third,) = await matched(world, operators)
    accept(world, last, [third])
    assert world.lease(last, third).rate == RATE * 9 // 8, "the second step was cancelled"
