"""Who takes part in a tick: what the model of the programs takes, and each reason for which it wouldn't."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.clients import orders, staking
from keeper.economy.calendar import HOUR
from keeper.economy.classes import STALE, holds_from
from keeper.economy.orders import FIRST, TICK, LeaseStatus, OrderStatus, payable, place
from keeper.economy.staking import CoStake, CoStakeState
from keeper.market.assignment import assign
from keeper.market.files import write
from keeper.market.participants import Accounts, State, snapshot
from keeper.market.snapshot import Out
from tests.keeper.market.test_leases import NOW, ORDER, lease
from tests.keeper.market.test_matching import OPEN, TOGETHER, device, priced
from tests.keeper.market.ticks import whole
from tests.model.orders.base import PAUSE_MATCHING
from tests.programs.orders.test_sequences import ACTIONS, Sequences
from tests.programs.sequences import explore
from tests.programs.world import finish, key

NEW = 8_584
"""The weight of a device without a record."""


def state_of(machine: Sequences) -> State:
    """What is on the chain of a random sequence."""
    chain = machine.pair.world.chain
    devices = finish(staking.read_devices(chain))
    accounts = Accounts(
        devices=devices,
        classes=finish(staking.read_classes(chain)),
        orders=finish(orders.read_orders(chain)),
        leases=finish(orders.read_leases(chain)),
        earned_until={},
    )
    return State(accounts, weights=dict.fromkeys(devices, NEW), unproven=set())


class Ticks(Sequences):
    """Random acts, and after each of them the next tick's batch on a copy of the model."""

    def step(self, action: str) -> None:
        super().step(action)
        tick = self.now // TICK + 1
        rows = snapshot(tick, 1, bytes(32), state_of(self))
        model = deepcopy(self.model)
        model.staking.economy.now = tick * TICK + FIRST
        stopped = self.config.pause_mask & PAUSE_MATCHING and model.now < self.config.pause_until
        matches = assign(rows)
        for of, which, price in [] if stopped else matches.tolist():
            order, device = whole(of), whole(which)
            class_id = model.staking.devices[device].class_id
            leader = self.operators.operators[tick % len(self.operators.operators)]
            model.match_device(leader, order, device, class_id, tick, worker=False)
            model.invariants()
            lease = model.leases[model.addresses.lease(order, device)]
            terms = model.orders[order].terms
            assert lease.rate == price * terms.processors
            self.note("a match")
            self.note("one of a gang", terms.min_devices > 1)
            self.note("one of several in a country", terms.colocated)
        self.note("a device that can't come again", len(rows.pairs) > 0)

    def note(self, what: str, holds: object = True) -> None:
        self.met.update([what] if holds else [])


def test_the_model_refuses_no_match() -> None:
    """In states that random acts lead to, in the leader's turn of the next tick."""
    wanted = {"a match", "one of a gang", "one of several in a country", "a device that can't come again"}
    explore(Ticks, ACTIONS, wanted, examples=15)


# -- one thing at a time -------------------------------------------------------------------------

AT = NOW // TICK + 1
BEGINS = AT * TICK
WANTED = replace(OPEN, created_at=BEGINS - 1, match_until=BEGINS + FIRST + 1)
"""An order that takes part, to the second."""
A_DEVICE = staking.device_address(device("one").worker)


def state(
    *devices: staking.Device,
    orders: tuple[orders.Order, ...] = (WANTED,),
    unproven: set[Pubkey] | None = None,
    **changed: Any,
) -> State:
    by_address = {staking.device_address(each.worker): each for each in devices}
    values: dict[str, Any] = {
        "devices": by_address,
        "classes": {1: priced(1), 2: priced(2)},
        "orders": {each.address: each for each in orders},
        "leases": {},
        "earned_until": {},
    }
    return State(Accounts(**{**values, **changed}), dict.fromkeys(by_address, NEW), unproven or set())


def taken(*devices: staking.Device, **changed: Any) -> Any:
    return snapshot(AT, 7, bytes(32), state(*devices, **changed))


def out(each: staking.Device, **changed: Any) -> Out:
    return Out(int(taken(each, **changed).devices["out"][0]))


RUNS = lease(BEGINS - HOUR, hours=1)
HELD = replace(device("one"), lease=RUNS.address)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, Out(0)),
        ({"terminated": True}, Out.TERMINATED),
        ({"slash_pending": True}, Out.SLASH_PENDING),
        ({"own": 1}, Out.INSUFFICIENT_STAKE),
        ({"barred_until": BEGINS + 1}, Out.BARRED),
        ({"barred_until": BEGINS}, Out(0)),
        ({"ask_io": 0, "ask_usdc": 0}, Out.NOT_LET),
        ({"ask_io": 0}, Out(0)),
        ({"terminated": True, "own": 0}, Out.TERMINATED | Out.INSUFFICIENT_STAKE),
        ({"own": 1, "co": CoStake(Pubkey.default(), 10**18, BEGINS + 1, 0, CoStakeState.WAITING)}, Out(0)),
        (
            {"own": 1, "co": CoStake(Pubkey.default(), 10**18, BEGINS, 0, CoStakeState.WAITING)},
            Out.INSUFFICIENT_STAKE,
        ),
    ],
)
def test_why_a_device_takes_no_part(changed: dict[str, Any], reason: Out) -> None:
    assert out(replace(device("one"), **changed)) == reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stop": BEGINS + 1}, Out.HIRED),
        ({}, Out.LEASED),
        ({"status": LeaseStatus.MATCHED, "start": 0, "stop": 0}, Out.LEASED),
        ({"status": LeaseStatus.ACCEPTED, "start": 0, "stop": 0, "accepted_at": BEGINS - 9}, Out.HIRED),
    ],
)
def test_a_lease_runs_or_only_keeps_its_device(changed: dict[str, Any], reason: Out) -> None:
    """One of a gang runs from the moment in which its order was filled, written down or not."""
    leases = {RUNS.address: replace(RUNS, **changed)}
    filled = replace(ORDER, filled_at=BEGINS - 5)
    assert out(HELD, leases=leases, orders=(filled,)) == reason


def test_work_and_class() -> None:
    one = device("one")
    assert out(one, unproven={A_DEVICE}) == Out.WORK
    assert out(one, classes={1: priced(1, opens_at=BEGINS + 1)}) == Out.CLASS_CLOSED
    assert out(one, classes={1: priced(1, opens_at=BEGINS)}) == Out(0)


def test_since_when_a_device_waits() -> None:
    def since(earned: int = 0, **changed: Any) -> int:
        found = taken(replace(device("one"), **changed), earned_until={A_DEVICE: earned})
        return int(found.devices["idle_since"][0])

    assert since(sufficient_since=5) == 5
    assert since(sufficient_since=5, barred_until=7) == 7
    assert since(sufficient_since=5, barred_until=BEGINS + 1) == 5
    assert since(earned=9, sufficient_since=5, barred_until=7) == 9
    assert since(earned=9, sufficient_since=11) == 11


@pytest.mark.parametrize(
    ("changed", "takes_part"),
    [
        ({}, True),
        ({"created_at": BEGINS}, False),
        ({"match_until": BEGINS + FIRST}, False),
        ({"open": 0}, False),
        ({"status": OrderStatus.CANCELLED}, False),
    ],
)
def test_which_orders_take_part(changed: dict[str, Any], takes_part: bool) -> None:
    assert len(taken(orders=(replace(WANTED, **changed),)).orders) == takes_part


GANG = replace(
    TOGETHER, created_at=BEGINS - 1, match_until=BEGINS + 99, terms=replace(TOGETHER.terms, devices=3)
)


@pytest.mark.parametrize(
    ("changed", "minimum"),
    [
        ({"open": 3}, 2),
        ({"open": 2, "taken": 1, "gang_until": BEGINS + FIRST + 300}, 1),
        ({"open": 2, "taken": 1, "gang_until": BEGINS + FIRST + 299}, None),
        ({"open": 1, "taken": 0}, None),
        ({"open": 1, "taken": 2}, 1),
        ({"open": 1, "taken": 1, "filled_at": BEGINS - 1}, 1),
    ],
)
def test_how_many_a_gang_takes_at_once(changed: dict[str, Any], minimum: int | None) -> None:
    """What it still waits for; none when too few are open, or half of the time to accept is over."""
    found = taken(orders=(replace(GANG, **changed),)).orders
    assert found["minimum"].tolist() == ([] if minimum is None else [minimum])


def test_an_orders_limit_is_what_its_money_pays_for() -> None:
    terms, bps = WANTED.terms, WANTED.renter_fee_bps
    assert WANTED.open == 2
    for price in (terms.price, terms.price - 1, 12_345):
        free = 2 * place(price, terms.processors, terms.hours, bps)
        for money, limit in ((free, price), (free - 1, price - 1)):
            assert payable(money, 2, terms.processors, terms.hours, bps) == limit
            found = taken(orders=(replace(WANTED, free=money),), classes=at_price(12_344))
            assert found.orders["limit"].tolist() == [limit]
    assert taken(orders=(replace(WANTED, free=10**17),)).orders["limit"].tolist() == [terms.price]


def test_the_classes_with_a_proof_of_work_are_named_that_the_network_has() -> None:
    known = replace(state(device("one")), profiled={2, 9, 1})
    assert snapshot(AT, 7, bytes(32), known).profiled == (1, 2)
    assert taken(device("one")).profiled == ()


def at_price(amount: int) -> dict[int, staking.Class]:
    return {each: priced(each, amount) for each in WANTED.terms.classes}


def test_an_order_below_the_prices_of_all_its_classes_takes_no_part() -> None:
    """Nobody fills operators' folders with what can have nothing."""
    served = replace(device("one"), last_order=WANTED.address, last_order_at=WANTED.created_at)
    limit = WANTED.terms.price
    for price, there in ((limit - 1, 1), (limit, 1), (limit + 1, 0), (0, 0)):
        found = taken(served, classes=at_price(price))
        assert (len(found.orders), len(found.pairs)) == (there, there), price


def test_a_colocated_order_is_bound_once_it_has_a_lease() -> None:
    together = replace(WANTED, country=b"CH", terms=replace(WANTED.terms, colocated=True))
    found = [taken(orders=(replace(together, leases=leases),)).orders["country"][0] for leases in (0, 1)]
    assert found == [b"", b"CH"]
    assert taken(orders=(replace(WANTED, country=b"CH", leases=1),)).orders["country"][0] == b""


def test_prices_are_those_of_the_first_turn() -> None:
    hour = (BEGINS + FIRST) // HOUR - 2
    steps = replace(priced(1), next_io=1_000, price_hour=hour)
    assert holds_from(hour) <= BEGINS + FIRST
    stale = priced(2, price_hour=(BEGINS + FIRST - STALE) // HOUR - 2)
    closed, opens = priced(3, opens_at=BEGINS + FIRST + 1), priced(4, opens_at=BEGINS + FIRST)
    classes = {each.id: each for each in (closed, stale, opens, steps)}
    amount = priced(1).price_io
    assert taken(classes=classes).prices.tolist() == [
        (1, amount * 11 // 10, amount // 2),
        (2, 0, 0),
        (3, 0, 0),
        (4, amount, amount // 2),
    ]


def test_which_device_cannot_come_to_which_order_again() -> None:
    last = {"last_order": WANTED.address, "last_order_at": WANTED.created_at}
    one = device("one")
    pair = [(bytes(WANTED.address), bytes(A_DEVICE))]

    def pairs(each: staking.Device, **changed: Any) -> list[tuple[bytes, bytes]]:
        return [(whole(a), whole(b)) for a, b in taken(each, **changed).pairs.tolist()]

    assert pairs(one) == []
    assert pairs(replace(one, **last)) == pair
    # Another order where that one was closed.
    assert pairs(replace(one, **{**last, "last_order_at": 5})) == []
    earlier = replace(RUNS, order=WANTED.address, device=A_DEVICE, status=LeaseStatus.ENDED)
    assert pairs(one, leases={earlier.address: earlier}) == pair
    assert pairs(replace(one, terminated=True, **last)) == []
    assert pairs(replace(one, **last), orders=(replace(WANTED, open=0),)) == []


def test_the_sequence_of_accounts_changes_no_byte() -> None:
    devices = [device(name, tier=tier) for name, tier in (("a", 4), ("b", 3), ("c", 4))]
    wanted = [replace(WANTED, id=number, created_at=BEGINS - number) for number in (1, 2)]
    operator = key("operator").pubkey()
    found = {
        tuple(write(taken(*some, orders=several), operator).values())
        for some in permutations(devices)
        for several in permutations(wanted)
    }
    assert len(found) == 1


def test_an_empty_network_has_a_snapshot() -> None:
    found = taken(orders=(), classes={})
    assert [len(each) for each in (found.devices, found.orders, found.prices, found.pairs)] == [0] * 4
    assert len(assign(found)) == 0
    assert np.array_equal(assign(found), assign(found))
