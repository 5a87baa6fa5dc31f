"""What is counted in a tick, beside a second reading with loops; and which ticks of an hour count."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.clients import orders as client
from keeper.clients import staking
from keeper.economy.calendar import HOUR
from keeper.economy.orders import TICK, Currency
from keeper.market.participants import Accounts, State, snapshot
from keeper.market.price import SAMPLES, Sample
from keeper.market.sampling import sample, sample_ticks
from keeper.market.snapshot import Out
from tests.keeper.market import independent
from tests.keeper.market.tables import market
from tests.keeper.market.ticks import NOW
from tests.programs.orders.world import GPU_CLASS, IO, OrdersWorld
from tests.programs.world import finish

IO_1 = 1, Currency.IO
AT_100 = {1: (100, 0)}


def one(device_rows, order_rows=(), price=AT_100) -> Sample:
    """The sample of class 1 in IO."""
    return sample(market(device_rows, order_rows, price))[IO_1]


def counts(*of: int) -> tuple[int, ...]:
    return (*of, *[0] * (8 - len(of)))


# -- the ticks -----------------------------------------------------------------------------------


def test_the_ticks_of_an_hour():
    """Figures that a line of Python apart from this code gave."""
    assert sample_ticks(500_000, bytes(range(32))) == (
        *(60_000_001, 60_000_019, 60_000_029, 60_000_037, 60_000_041, 60_000_056),
        *(60_000_064, 60_000_072, 60_000_082, 60_000_091, 60_000_104, 60_000_113),
    )


@given(st.integers(0, 1_000_000), st.binary(min_size=32, max_size=32))
def test_one_tick_in_each_five_minutes_by_the_hash(hour, blockhash):
    ticks = sample_ticks(hour, blockhash)
    assert len(ticks) == SAMPLES == 12
    for k, tick in enumerate(ticks):
        start = hour * HOUR + k * 300
        assert start <= tick * TICK < start + 300
        drawn = sha256(b"ionet-sample" + blockhash + k.to_bytes(1, "little")).digest()
        assert tick - start // TICK == sum(drawn[at] << 8 * at for at in range(8)) % 10


def test_every_tick_can_be_drawn():
    drawn = {tick % 120 for each in range(256) for tick in sample_ticks(1, bytes([each]) * 32)}
    assert drawn == set(range(120))


# -- what is counted -----------------------------------------------------------------------------

asks = st.sampled_from((0, 1, 99, 100, 101, 1_000))
device_rows = st.fixed_dictionaries(
    {
        "class": st.sampled_from((1, 2, 3, 9)),
        "processors": st.sampled_from((1, 2, 8)),
        "ask_io": asks,
        "ask_usdc": asks,
        "hired": st.booleans(),
        "matchable": st.booleans(),
    }
)
order_rows = st.fixed_dictionaries(
    {
        "created_at": st.sampled_from((NOW - 30, NOW - 60, NOW - 61, NOW - 900)),
        "currency": st.sampled_from((0, 1)),
        "classes": st.sampled_from(([1], [2], [3], [2, 1], [1, 3])),
        "processors": st.sampled_from((1, 2, 4)),
        "min_tier": st.sampled_from((1, 1, 2)),
        "countries": st.sampled_from(([], [], [b"CH"])),
        "open": st.integers(1, 500),
        "minimum": st.sampled_from((1, 1, 2)),
        "colocated": st.sampled_from((0, 0, 1)),
        "limit": st.sampled_from((99, 100, 101)),
    }
)
price_rows = st.dictionaries(
    st.sampled_from((1, 2, 3, 60_000)),
    st.tuples(st.sampled_from((0, 1, 100)), st.sampled_from((0, 100, 10**15))),
)


@settings(deadline=None)
@given(st.lists(device_rows, max_size=9), st.lists(order_rows, max_size=6), price_rows)
def test_a_second_reading_counts_the_same(of_devices, of_orders, of_prices):
    found = sample(market(of_devices, of_orders, of_prices))
    expected = independent.sampled(of_devices, of_orders, of_prices, NOW)
    assert found.keys() == {(number, Currency(currency)) for number, currency in expected}
    for cell, row in expected.items():
        by_count = [tuple(row[name].get(each, 0) for each in range(1, 9)) for name in ("hired", "idle")]
        assert found[cell] == Sample(*by_count, row["unmet"], row["size"])


def test_what_is_willing_counts_and_size_is_whatever_it_asks():
    rows = [
        {"hired": True, "processors": 8, "ask_io": 10**9},
        {"ask_io": 100},
        {"ask_io": 1, "processors": 2},
        {"ask_io": 101, "processors": 4},
        {"ask_io": 0, "processors": 4},
        {"matchable": False, "processors": 4},
    ]
    assert one(rows) == Sample((*[0] * 7, 8), counts(1, 2), 0, 15)


@pytest.mark.parametrize("bit", [each for each in Out if each != Out.HIRED])
def test_what_takes_no_part_is_not_idle(bit):
    assert one([{"out": bit}]) == Sample()
    assert one([{"out": bit | Out.HIRED}]) == Sample(counts(1), counts(), 0, 1), "but its lease runs"


ASKS_MORE = [{"ask_io": 101, "processors": 4}, {"ask_io": 500, "processors": 1}]
"""Nothing is hired, nothing is willing."""


@pytest.mark.parametrize(
    ("changed", "unmet"),
    [
        ({}, 1),
        ({"open": 9}, 1),
        ({"processors": 4}, 4),
        ({"processors": 2}, 0),
        ({"classes": [1, 2]}, 1),
        ({"classes": [2, 1]}, 0),
        ({"created_at": NOW - 60}, 0),
        ({"limit": 99}, 0),
        ({"limit": 100}, 1),
        ({"currency": 1}, 0),
        ({"countries": [b"CH"]}, 0),
        ({"colocated": 1}, 0),
        ({"minimum": 2}, 0),
        ({"min_tier": 2}, 0),
    ],
)
def test_which_orders_are_wanted(changed, unmet):
    assert one(ASKS_MORE, [changed]).unmet == unmet


def test_nothing_is_unmet_where_something_is_hired_or_idle():
    for there in ({"hired": True}, {"ask_io": 100}):
        assert one([*ASKS_MORE, there], [{"open": 500}]).unmet == 0


def test_the_two_currencies_are_apart():
    rows = [{"ask_io": 100, "ask_usdc": 0}, {"ask_io": 101, "ask_usdc": 7, "processors": 2}, {"hired": True}]
    found = sample(market(rows, [], {1: (100, 7)}))
    assert found[IO_1] == Sample(counts(1), counts(1), 0, 4)
    assert found[1, Currency.USDC] == Sample(counts(1), counts(0, 2), 0, 3)


def test_a_class_without_a_price_has_no_sample():
    assert sample(market([{}], [{}], {1: (0, 0)})) == {}
    assert sample(market([{}], [{}], {})) == {}


# -- the program ---------------------------------------------------------------------------------


def test_what_is_counted_of_the_programs_accounts():
    """From a lease that waits, over one that runs, to one whose hours are over."""
    world = OrdersWorld.ready()
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    world.let("one", supplier)
    world.let("two", supplier, ask_usdc=0)
    world.let("dear", supplier, ask_io=2 * IO + 1)
    order = world.order(renter, devices=1, hours=1)
    chain = world.chain

    def counted() -> dict[Currency, tuple[int, int, int]]:
        """Hired, idle and size of the devices' class."""
        devices, classes = (finish(read(chain)) for read in (staking.read_devices, staking.read_classes))
        orders, leases = (finish(read(chain)) for read in (client.read_orders, client.read_leases))
        accounts = Accounts(devices, classes, orders, leases, earned_until={})
        state = State(accounts, weights=dict.fromkeys(devices, 10_000), unproven=())
        found = sample(snapshot(chain.now() // TICK, 1, bytes(32), state))
        return {
            currency: (sum(each.hired), sum(each.idle), each.size)
            for (number, currency), each in found.items()
            if number == GPU_CLASS
        }

    assert counted() == {Currency.IO: (0, 8, 12), Currency.USDC: (0, 8, 8)}
    world.match(order, "one")
    assert counted() == {Currency.IO: (0, 4, 8), Currency.USDC: (0, 4, 4)}, "nothing runs yet"
    lease = world.accept(order, "one")
    chain.warp_to(lease.start + TICK)
    assert counted() == {Currency.IO: (4, 4, 12), Currency.USDC: (4, 4, 8)}, "in whatever it is paid"
    chain.warp_to(lease.stop + TICK)
    assert counted() == {Currency.IO: (0, 4, 8), Currency.USDC: (0, 4, 4)}, "though nobody has ended it"
