"""Plans against the program: each token that a plan names moves, and no other."""

from __future__ import annotations

from collections import Counter

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.economy.orders import Currency, Urgency, fee
from keeper.market.leases import EndingRefused
from keeper.market.matching import turn_for
from keeper.wallet import plans
from keeper.wallet.plan import NothingToDo, Plan
from tests.programs.orders.world import ASK_IO, HOUR, TERMS, OrdersWorld
from tests.programs.world import finish, key
from tests.security.tokens import freeze_anyway

RATE = ASK_IO * 4


@pytest.fixture
def world() -> OrdersWorld:
    """Two devices that wait for orders."""
    return OrdersWorld.with_two_devices()


def carry_out(world: OrdersWorld, plan: Plan, *signers: Keypair) -> None:
    """Do what the plan says; every balance that it names changes by what it says."""
    moved = Counter[Pubkey]()
    for each in plan.movements:
        moved[each.source.address] -= each.amount
        moved[each.to.address] += each.amount
    before = {address: tokens(world, address) for address in moved}
    world.do(*plan.instructions, signers=signers)
    assert {at: tokens(world, at) - had for at, had in before.items()} == moved


def tokens(world: OrdersWorld, address: Pubkey) -> int:
    return world.tokens(address) if world.chain.get(address) else 0


def devices(world: OrdersWorld) -> dict[Pubkey, staking.Device]:
    return finish(staking.read_devices(world.chain))


def in_vault(world: OrdersWorld, order: orders.Order) -> int:
    return world.tokens(order.vault)


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("currency", Currency)
def test_an_order_costs_what_is_shown(world: OrdersWorld, urgency: Urgency, currency: Currency) -> None:
    renter, config = key("renter"), world.orders_config()
    terms = orders.Terms(10**6, 10, 2, 4, TERMS.classes, currency, urgency=urgency)
    plan = plans.create(config, renter.pubkey(), 1, terms)
    carry_out(world, plan, renter)
    opened = world.read_order(renter)
    assert [each.amount for each in plan.movements] == [opened.deposit]
    assert opened.renter_fee_bps == config.params.renter_bps(currency, urgency)


def test_to_cancel_early_costs_the_fee_on_an_hour_of_each_open_place(world: OrdersWorld) -> None:
    renter = key("renter")
    order = world.order(renter)
    plan = plans.cancel(world.orders_config(), order, world.chain.now(), in_vault(world, order))
    charged = fee(order.hourly * 2, 25)
    assert [each.amount for each in plan.movements] == [order.deposit - charged, charged]
    assert "before its time is over: 0.06000000 IO" in plan.notes[0]
    carry_out(world, plan, renter)
    assert world.chain.get(order.address) is None


def test_what_is_open_in_the_end_comes_back_whole(world: OrdersWorld) -> None:
    renter = key("renter")
    order = world.order(renter)
    world.chain.warp_to(order.match_until)
    plan = plans.cancel(world.orders_config(), order, world.chain.now(), in_vault(world, order))
    assert ([each.amount for each in plan.movements], plan.notes) == ([order.deposit], ())
    carry_out(world, plan, renter)


def test_a_fee_vault_that_is_frozen_keeps_no_renter_waiting(world: OrdersWorld) -> None:
    """The order stays until keepers have parked the fee; the money is back at once."""
    renter, config = key("renter"), world.orders_config()
    order = world.order(renter)
    freeze_anyway(world, config.io_fees)
    now, held = world.chain.now(), in_vault(world, order)
    plan = plans.cancel(config, order, now, held, fees_payable=False)
    carry_out(world, plan, renter)
    left = world.read_order(renter)
    assert (left.free, left.fees_due) == (0, fee(order.hourly * 2, 25))
    with pytest.raises(NothingToDo):
        plans.cancel(config, left, now, left.fees_due, fees_payable=False)


def test_a_renter_that_ends_early_takes_back_what_is_free(world: OrdersWorld) -> None:
    renter, config = key("renter"), world.orders_config()
    order = world.order(renter, hours=100, devices=2)
    for name in ("one", "two"):
        world.run(order, name)
    world.chain.advance(5 * HOUR)
    order, now = world.read_order(renter), world.chain.now()
    leases = [world.lease(order, name) for name in ("one", "two")]
    carry_out(world, plans.end(config, order, leases, devices(world), renter.pubkey(), now), renter)
    ended = world.lease(order, "one")
    served = ended.stop - ended.start
    assert ended.held == RATE * served // HOUR + fee(RATE * served // HOUR + RATE * 24, 25)


def test_a_renter_that_withdraws_from_a_gang_pays_for_all_of_it(world: OrdersWorld) -> None:
    renter, config = key("renter"), world.orders_config()
    order = world.order(renter, devices=3, min_devices=2)
    world.match(order, "one")
    world.match(order, "two")
    world.accept(order, "one")
    order, now = world.read_order(renter), world.chain.now()
    leases = [world.lease(order, name) for name in ("one", "two")]
    plan = plans.end(config, order, leases, devices(world), renter.pubkey(), now)
    carry_out(world, plan, renter)
    after = world.read_order(renter)
    assert (after.open, after.free) == (0, 0)
    assert after.fees_due == 3 * fee(order.hourly, 25), "the open place, and both that were taken"


def test_more_hours_cost_what_is_shown(world: OrdersWorld) -> None:
    renter, config = key("renter"), world.orders_config()
    order = world.order(renter)
    lease = world.run(order, "one")
    plan = plans.extend(config, world.read_order(renter), [lease], 7)
    (call,) = plan.instructions
    _, arguments = orders.PROGRAM.decode_instruction(bytes(call.data)) or ("", {})
    had = order.terms.hours
    assert arguments == {"hours": 7, "max_amount": plan.movements[0].amount, "expected": had}
    carry_out(world, plan, renter)
    assert world.lease(order, "one").hours == order.terms.hours + 7


def test_who_may_end_for_a_device(world: OrdersWorld) -> None:
    renter, config, worker = key("renter"), world.orders_config(), key("one")
    lease = world.run(world.order(renter), "one")

    def plan(caller: Pubkey) -> Plan:
        order, now = world.read_order(renter), world.chain.now()
        return plans.end(config, order, [lease], devices(world), caller, now)

    with pytest.raises(EndingRefused, match="doesn't let its worker"):
        plan(worker.pubkey())
    one = world.read_device("one")
    asks = {"ask_io": one.ask_io, "ask_usdc": one.ask_usdc}
    lets = staking.change_device(one, tier=one.tier, country=one.country, worker_may_end=True, **asks)
    world.do(lets, signers=[key("supplier")])
    carry_out(world, plan(worker.pubkey()), worker)


def test_a_suppliers_own_match_is_accepted_in_the_same_transaction(world: OrdersWorld) -> None:
    renter, supplier, config = key("renter"), key("supplier"), world.orders_config()
    order, device = world.order(renter, devices=1), world.read_device("one")
    world.chain.warp_to(order.exclusive_until)
    classes = finish(staking.read_classes(world.chain))
    of_class = classes[device.device_class]
    call, lease = plans.match(order, device, of_class, supplier.pubkey(), world.chain.now())
    accepting = plans.accept(config, order, lease, supplier.pubkey())
    world.do(call, *accepting.instructions, signers=[supplier, key("one")])
    assert world.lease(order, "one").stop == world.chain.now() + 10 * HOUR


def test_an_operator_matches_in_its_turn_and_the_worker_accepts_later(world: OrdersWorld) -> None:
    renter, operator, config = key("renter"), world.operators[1], world.orders_config()
    order, device = world.order(renter, min_devices=2), world.read_device("one")
    keys = [each.pubkey() for each in world.operators]
    turn = turn_for(order, keys, operator.pubkey(), world.chain.now())
    world.chain.warp_to(turn.opens)
    of_class = finish(staking.read_classes(world.chain))[device.device_class]
    call, lease = plans.match(order, device, of_class, operator.pubkey(), turn.opens, turn.tick)
    world.do(call, signers=[operator])
    assert world.lease(order, "one") == lease
    accepting = plans.accept(config, world.read_order(renter), lease, world.payer.pubkey())
    assert accepting.notes[-1] == "The hours begin once 2 of the order's devices have accepted."
    carry_out(world, accepting, key("one"))


def test_who_has_nothing_left_to_cancel_is_told(world: OrdersWorld) -> None:
    renter, config = key("renter"), world.orders_config()
    order = world.order(renter, devices=1)
    world.run(order, "one")

    def cancelling() -> Plan:
        return plans.cancel(config, world.read_order(renter), world.chain.now(), in_vault(world, order))

    carry_out(world, cancelling(), renter)
    with pytest.raises(NothingToDo, match="nothing is left to cancel"):
        cancelling()
