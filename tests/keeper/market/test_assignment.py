"""A tick's assignment: golden vectors, a second reading of the rule, and what is promised of it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keeper.market import assignment, reach
from keeper.market.assignment import LIMITS, assign
from keeper.market.sequence import device_sequence, mix, order_sequence, seed_of
from keeper.market.snapshot import DEVICE, ORDER, Out, Snapshot
from keeper.market.work import A_LOOK, Limits
from tests.keeper.market.naive import Tick
from tests.keeper.market.ticks import NOW, device, got, key, order, random_tick, rows, tick, ticks, whole

GOLDEN = json.loads((Path(__file__).parents[2] / "vectors/market_ticks.json").read_text())
EVER = Limits(10**9, 10**18)
"""More than any tick needs."""
NEVER = Limits(0, 10**18)
FEW = [
    NEVER,
    Limits(1, 10**18),
    Limits(2, 10**18),
    *(Limits(10**9, looks) for looks in (1_005, 9_000, 30_000)),
    *(Limits(10**9, 10**18, first) for first in (2_000, 7_000, 20_000)),
    EVER,
]
"""Less than some need."""


def named(matches: np.ndarray) -> list[tuple[bytes, bytes, int]]:
    return [(whole(of), whole(which), price) for of, which, price in matches.tolist()]


# -- golden vectors ------------------------------------------------------------------------------


def country(number: int) -> bytes:
    return bytes([ord("A") + number // 26, ord("A") + number % 26])


def address(number: str) -> bytes:
    return int(number).to_bytes(8, "little").ljust(32, b"\1")


def person(number: int) -> bytes:
    return key(f"person {number}")


class Golden(Snapshot):
    """A snapshot whose tick begins at a time of its own."""

    now = 1_000_000


def golden(values: dict[str, Any]) -> Golden:
    there = [
        device(
            each["id"],
            device=address(each["id"]),
            **{"class": each["cls"]},
            **{name: each[name] for name in ("processors", "tier", "changed_at", "idle_since", "weight")},
            country=country(each["country"]),
            ask_io=int(each["ask"][0]),
            ask_usdc=int(each["ask"][1]),
            supplier=person(each["supplier"]),
        )
        for each in values["devices"]
    ]
    same = ("urgency", "currency", "classes", "processors", "min_tier", "open", "minimum", "colocated")
    wanted = [
        order(
            each["id"],
            order=address(each["id"]),
            created_at=each["created"],
            countries=[country(number) for number in each["countries"]],
            limit=int(each["limit"]),
            renter=person(each["renter"]),
            **{name: each[name] for name in same},
        )
        for each in values["orders"]
    ]
    prices = {number: (int(io), int(usdc)) for number, (io, usdc) in enumerate(values["prices"])}
    made = tick(there, wanted, prices=prices)
    assert values["now"] == Golden.now
    return Golden(*(getattr(made, name) for name in Snapshot.__dataclass_fields__))


@pytest.mark.parametrize("number", range(len(GOLDEN["ticks"])))
def test_golden_ticks(number: int) -> None:
    values = GOLDEN["ticks"][number]
    snapshot = golden(values)
    expected = sorted(
        (
            address(values["orders"][each["order"]]["id"]),
            address(values["devices"][each["device"]]["id"]),
            int(each["price"]),
        )
        for each in values["matches"]
    )
    with patch.object(assignment, "seed_of", lambda *_: int(values["seed"])):
        assert named(assign(snapshot)) == expected
    naive = Tick(snapshot, snapshot.now, int(values["seed"]))
    assert naive.run() == expected
    assert naive.exchanged == values["exchanged"]


def test_golden_seed_and_mix() -> None:
    seed = GOLDEN["seed"]
    assert seed_of(bytes.fromhex(seed["blockhash"]), seed["tick"]) == int(seed["seed"])
    numbers = np.array([int(each["x"]) for each in GOLDEN["mix"]], np.uint64)
    assert [str(each) for each in mix(numbers, 0)] == [each["mix"] for each in GOLDEN["mix"]]


# -- a second reading ----------------------------------------------------------------------------


@given(ticks(), st.sampled_from(FEW))
@example(random_tick(16_311), Limits(10**9, 10**18, 2_000))
@settings(max_examples=200, deadline=None)
def test_it_is_what_the_rule_says(snapshot: Snapshot, limits: Limits) -> None:
    assert named(assign(snapshot, limits)) == reading(snapshot, limits).run()


def reading(snapshot: Snapshot, limits: Limits = EVER) -> Tick:
    return Tick(snapshot, snapshot.now, seed_of(snapshot.blockhash, snapshot.tick), *limits)


TANGLED = {"gangs": True, "together": False, "people": False, "processors": False, "currencies": False}
"""Of which one in four has exchanges."""


@given(ticks(**TANGLED), st.sampled_from([*FEW, EVER, EVER]))
@settings(max_examples=300, deadline=None)
def test_so_are_exchanges_and_those_that_are_undone(snapshot: Snapshot, limits: Limits) -> None:
    assert named(assign(snapshot, limits)) == reading(snapshot, limits).run()


@given(ticks(), st.sampled_from([1, 3, 5]))
@settings(max_examples=200, deadline=None)
def test_where_a_look_at_what_is_free_stops_changes_nothing(snapshot: Snapshot, part: int) -> None:
    """As if there were thousands of devices."""
    with patch.object(reach, "PART", part):
        assert named(assign(snapshot, EVER)) == reading(snapshot).run()


# -- what is promised ----------------------------------------------------------------------------


@given(ticks())
@settings(max_examples=100, deadline=None)
def test_every_match_is_one_that_the_order_can_have_at_the_network_price(snapshot: Snapshot) -> None:
    tick = reading(snapshot)
    orders = {row["order"]: row for row in tick.orders}
    matches = named(assign(snapshot))
    assert len({device for _, device, _ in matches}) == len(matches)
    for of, which, price in matches:
        wanted, given = orders[of], tick.by_address[which]
        assert tick.can(wanted, given)
        assert price == tick.price(given["class"], wanted["currency"]) <= wanted["limit"]


@given(ticks(), st.sampled_from(FEW))
@settings(max_examples=100, deadline=None)
def test_gangs_are_whole_or_absent_and_colocated_devices_in_one_country(
    snapshot: Snapshot, limits: Limits
) -> None:
    tick, found = reading(snapshot), got(assign(snapshot, limits))
    for wanted in tick.orders:
        devices = found.get(wanted["order"], [])
        assert not devices or wanted["minimum"] <= len(devices) <= wanted["open"]
        countries = {tick.by_address[each]["country"] for each in devices}
        if wanted["colocated"]:
            assert len(countries) <= 1
            assert not wanted["country"] or countries <= {wanted["country"]}


ALIKE = {"gangs": False, "together": False, "people": False, "young": False}
"""Nothing that keeps orders out of exchanges."""


@given(ticks(**ALIKE))
@settings(max_examples=200, deadline=None)
def test_as_many_places_are_filled_as_can_be_with_every_earlier_order_first(snapshot: Snapshot) -> None:
    tick, found = reading(snapshot), got(assign(snapshot, EVER))
    filled = 0
    matching: dict[bytes, tuple[int, int]] = {}
    for number, wanted in enumerate(tick.orders):
        filled += len(found.get(wanted["order"], []))
        for place in range(wanted["open"]):
            augment(tick, matching, (number, place), set())
        assert filled == len(matching)


def augment(
    tick: Tick, matching: dict[bytes, tuple[int, int]], place: tuple[int, int], seen: set[bytes]
) -> bool:
    """One more place served by an augmenting path, after Kuhn: the most that any assignment serves."""
    for row in tick.devices:
        address = row["device"]
        if address in seen or not tick.can(tick.orders[place[0]], row):
            continue
        seen.add(address)
        if address not in matching or augment(tick, matching, matching[address], seen):
            matching[address] = place
            return True
    return False


@given(ticks())
@settings(max_examples=150, deadline=None)
def test_no_order_that_is_short_could_use_what_a_later_one_has(snapshot: Snapshot) -> None:
    """But for orders that take part in no exchange, and what changed since a like one was opened."""
    tick, found = reading(snapshot), got(assign(snapshot, EVER))
    for number, wanted in enumerate(tick.orders):
        kind, devices = tick.kind(wanted), found.get(wanted["order"], [])
        if kind is None or wanted["minimum"] > 1 or len(devices) == wanted["open"]:
            continue
        known = {row["device"] for row in tick.reach(kind)}
        for later in tick.orders[number + 1 :]:
            assert not known & set(found.get(later["order"], []))


@given(ticks(), st.data())
@settings(max_examples=100, deadline=None)
def test_an_ask_below_the_price_changes_nothing(snapshot: Snapshot, data: st.DataObject) -> None:
    before = assign(snapshot)
    devices = snapshot.devices.copy()
    prices = {row["class"]: (row["io"], row["usdc"]) for row in snapshot.prices}
    for row in devices:
        for name, price in zip(("ask_io", "ask_usdc"), prices.get(row["class"], (0, 0)), strict=True):
            if 0 < row[name] <= price:
                row[name] = data.draw(st.integers(1, int(price)))
    assert (assign(replace(snapshot, devices=devices)) == before).all()


@given(ticks(**ALIKE))
@settings(max_examples=100, deadline=None)
def test_exchanges_take_no_place_from_anybody(snapshot: Snapshot) -> None:
    """Who comes earlier has as much as without those that come later, and with exchanges more in all."""
    tick, found = reading(snapshot), got(assign(snapshot, EVER))
    for number in range(len(tick.orders)):
        early = {wanted["order"] for wanted in tick.orders[: number + 1]}
        mine = np.array([whole(each) in early for each in snapshot.orders["order"].tolist()], bool)
        alone = got(assign(replace(snapshot, orders=snapshot.orders[mine]), EVER))
        assert {of: len(each) for of, each in alone.items()} == {
            of: len(each) for of, each in found.items() if of in early
        }
    assert len(assign(snapshot, EVER)) >= len(assign(snapshot, NEVER))


# -- who comes first -----------------------------------------------------------------------------


@given(ticks())
@settings(max_examples=50, deadline=None)
def test_an_order_is_overtaken_only_by_those_less_than_480_seconds_younger(snapshot: Snapshot) -> None:
    created = snapshot.orders["created_at"][order_sequence(snapshot.orders, 7)].astype(int)
    earliest_later = np.minimum.accumulate(created[::-1])[::-1]
    assert (created - earliest_later < 480).all()


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(5_000, 10_000)), max_size=20))
@example([(1, 10_000), (3, 5_000)] * 4)
@settings(max_examples=100, deadline=None)
def test_a_device_is_never_passed_by_an_equal_one_that_waited_less_than_half(
    waits: list[tuple[int, int]],
) -> None:
    there = [
        device(number, idle_since=NOW - waited, weight=weight)
        for number, (waited, weight) in enumerate(waits)
    ]
    sorted_rows = rows(there, DEVICE, "device")
    waited = NOW - sorted_rows["idle_since"][device_sequence(sorted_rows, NOW, 7)].astype(int)
    for number, mine in enumerate(waited):
        assert not (2 * mine < waited[number + 1 :]).any()


@given(
    st.lists(
        st.tuples(*(st.integers(0, most) for most in (2, 2, 3, 3)), st.sampled_from([5_000, 7_500, 10_000])),
        max_size=30,
    ),
    st.sampled_from([0, 10, NOW, 2**40, 2**62]),
)
@settings(max_examples=100, deadline=None)
def test_devices_come_by_their_whole_keys_at_whatever_time(
    values: list[tuple[int, int, int, int, int]], now: int
) -> None:
    there = [
        device(number, **{"class": of_class}, processors=processors, weight=weight)
        | {"idle_since": max(0, now - 4 + idle), "changed_at": max(0, now - 4 + changed)}
        for number, (of_class, processors, idle, changed, weight) in enumerate(values)
    ]
    sorted_rows = rows(there, DEVICE, "device")

    def whole_key(place: int) -> tuple[int, ...]:
        row = sorted_rows[place]
        waited = max(0, now - max(int(row["idle_since"]), int(row["changed_at"])))
        first = np.frombuffer(row["device"].ljust(32, b"\0")[:8], "<u8")
        weighted = waited * int(row["weight"]) // 10_000
        chance = int(mix(first, 7)[0])
        return int(row["class"]), int(row["processors"]), -weighted, -waited, chance

    sequence = device_sequence(sorted_rows, now, 7).tolist()
    assert sequence == sorted(range(len(there)), key=whole_key)


def test_changed_terms_begin_the_waiting_anew_and_an_earned_hour_does() -> None:
    there = [
        device("changed", changed_at=NOW - 10, idle_since=NOW - 9_000),
        device("served", idle_since=NOW - 20),
        device("waits", idle_since=NOW - 30),
        device("to come", idle_since=NOW + 5, changed_at=NOW + 5),
    ]
    sorted_rows = rows(there, DEVICE, "device")
    sequence = sorted_rows["device"][device_sequence(sorted_rows, NOW, 7)]
    expected = ["waits", "served", "changed", "to come"]
    assert [whole(each) for each in sequence.tolist()] == [key(name) for name in expected]


def test_urgency_makes_older_and_the_seed_decides_between_equals() -> None:
    wanted = [
        order("ordinary", created_at=NOW - 480),
        order("soon", created_at=NOW - 361, urgency=1),
        order("now", created_at=NOW - 2, urgency=2),
    ]
    sorted_rows = rows(
        [{**each, "classes": [1] * 8, "countries": [b""] * 8} for each in wanted], ORDER, "order"
    )
    sequence = [whole(each) for each in sorted_rows["order"][order_sequence(sorted_rows, 7)].tolist()]
    assert sequence == [key("now"), key("soon"), key("ordinary")]
    equals = rows(
        [{**order(name), "classes": [1] * 8, "countries": [b""] * 8} for name in range(8)], ORDER, "order"
    )
    sequences = {tuple(order_sequence(equals, seed).tolist()) for seed in range(20)}
    assert len(sequences) > 10


# -- one thing at a time -------------------------------------------------------------------------


def test_the_cheapest_class_comes_first_then_the_lowest_number() -> None:
    there = [device("dear", **{"class": 3}), device("same", **{"class": 2}), device("first")]
    wanted = order("one", classes=[3, 2, 1], open=2)
    assert named(assign(tick(there, [wanted]))) == sorted(
        [(key("one"), key("first"), 100), (key("one"), key("same"), 100)]
    )


def test_an_exchange_makes_room() -> None:
    """The older order could have either; the younger one only what the older one took."""
    there = [device("both"), device("dear", **{"class": 3})]
    wanted = [order("old", classes=[1, 3], created_at=NOW - 90), order("young", classes=[1])]
    found = got(assign(tick(there, wanted)))
    assert found == {key("old"): [key("dear")], key("young"): [key("both")]}
    assert got(assign(tick(there, wanted), NEVER)) == {key("old"): [key("both")]}
    within = [{**wanted[0], "limit": 129}, wanted[1]]
    assert got(assign(tick(there, within))) == {key("old"): [key("both")]}


def test_nobody_makes_searches_long() -> None:
    """Many kinds that hold what everybody wants, and one at their end that could have something else."""
    kinds = list(combinations([bytes([first, ord("X")]) for first in range(ord("B"), ord("W"))], 2))[:200]
    there = [device(number) for number in range(len(kinds) + 20)]
    there += [device(f"dear {number}", **{"class": 3}) for number in range(20)]
    crowd = [
        order(f"one of many {number}", countries=[b"AT", *pair], created_at=NOW - 900)
        for number, pair in enumerate(kinds)
    ]
    could = order("could", classes=[1, 3], open=20, created_at=NOW - 800)
    short = [order(f"short {number}", countries=[b"AT"]) for number in range(20)]
    snapshot = tick(there, [*crowd, could, *short])
    # Each search passes through all of the crowd, over all that it holds.
    a_kind = A_LOOK + len(there) - 20
    once = (len(kinds) + 2) * a_kind + 20
    orders = len(kinds) + 21
    for looks in (0, once, 2 * once, 21 * once, 40 * once):
        found = got(assign(snapshot, Limits(1_000, looks)))
        served = left = 0
        for number in range(orders):
            # Those before left theirs; who can't go on has used up what it looked at.
            left += looks * (number + 1) // orders - looks * number // orders
            if number > len(kinds):
                served, left = (served + 1, left - once) if left >= once else (served, left % a_kind)
        assert sum(key(f"short {number}") in found for number in range(20)) == served
        assert (served > 0) == (looks > once)
    assert LIMITS.looks // A_LOOK == 64_000


def imaginary(number: int) -> bytes:
    return bytes([ord("E") + number // 26 % 22, ord("Z") - number % 26])


def test_who_can_have_nothing_uses_up_nobodys_searches() -> None:
    """Many old orders of countries that nobody has; an exchange for one that comes after them all."""
    there = [device("both"), device("dear", **{"class": 3})]
    crowd = [
        order(f"crowd {number}", countries=[imaginary(number)], created_at=NOW - 1_000)
        for number in range(300)
    ]
    wanted = [order("old", classes=[1, 3], created_at=NOW - 90), order("young", classes=[1])]
    for seed in range(3):
        snapshot = tick(there, [*crowd, *wanted], blockhash=bytes([seed]) * 32)
        for limits in (Limits(1, 10**18), Limits(302, 2_003)):
            assert key("young") in got(assign(snapshot, limits))
        assert key("young") not in got(assign(snapshot, Limits(302, 2_002)))


def test_who_stands_in_front_with_what_can_not_be_served_has_its_own_part_of_the_searches_alone() -> None:
    """Sixty whose searches find nothing, and twenty searches: which of all have one is drawn."""
    there = [device("taken"), device("both", **{"class": 2}), device("dear", **{"class": 3})]
    crowd = [
        order(f"crowd {number}", countries=[b"AT", imaginary(number)], created_at=NOW - 1_000 + number)
        for number in range(60)
    ]
    wanted = [order("old", classes=[2, 3], created_at=NOW - 90), order("young", classes=[2])]
    served = 0
    for seed in range(60):
        snapshot = tick(there, [*crowd, *wanted], blockhash=bytes([seed]) * 32)
        found = got(assign(snapshot, Limits(20, 10**18)))
        served += key("young") in found
        assert len(found) == 2 + (key("young") in found)
    assert 8 <= served <= 40
    assert key("young") in got(assign(snapshot, Limits(62, 10**18)))


@pytest.mark.parametrize(
    ("each", "served"), [(499, 0), (999, 300), (1_000, 0), (1_150, 150), (1_200, 200), (1_250, 300)]
)
def test_looks_cost_what_they_are_said_to(each: int, served: int) -> None:
    """One looks at 200 devices in vain, and leaves the rest to one that wants 300 of another country."""
    there = [device(number, changed_at=NOW - 500) for number in range(200)]
    there += [device(f"of another {number}", country=b"CH") for number in range(300)]
    vain = order("vain", created_at=NOW - 1_000, countries=[b"AT"])
    wants = order("wants", countries=[b"CH"], open=300)
    found = got(assign(tick(there, [vain, wants]), Limits(0, 0, 2 * each)))
    assert len(found.get(key("wants"), [])) == served


@pytest.mark.parametrize("colocated", [0, 1])
def test_who_looks_at_many_devices_in_vain_takes_no_look_from_others(colocated: int) -> None:
    """Terms that changed since old orders were opened: each looks at all of them, for nothing."""
    there = [device(number, changed_at=NOW - 500) for number in range(200)]
    there += [device("for all", country=b"CH")]
    crowd = [
        order(f"crowd {number}", created_at=NOW - 1_000, countries=[b"AT"], colocated=colocated)
        for number in range(30)
    ]
    mine = order("mine", countries=[b"CH"])
    for each, served in ((A_LOOK, False), (A_LOOK + 1, True)):
        found = got(assign(tick(there, [*crowd, mine]), Limits(0, 0, each * 31)))
        assert (key("mine") in found) == served
    # What others leave goes to those after them.
    spared = [{**order_, "countries": [b"XX"]} for order_ in crowd]
    limits = Limits(0, 0, A_LOOK + 1)
    assert key("mine") in got(assign(tick(there, [*spared, mine]), limits))
    assert key("mine") not in got(assign(tick(there, [mine, *spared]), limits._replace(first=A_LOOK)))


def test_exchanges_for_a_gang_that_stays_broken_are_undone() -> None:
    """Two that hang together: the first order moves for the gang, and again for the second one."""
    there = [device("a"), device("b"), device("c", **{"class": 6}), device("d", **{"class": 5})]
    first = order("first", classes=[1, 6, 5], created_at=NOW - 290)
    second = order("second", classes=[1, 6], created_at=NOW - 280)
    gang = order("gang", open=2, minimum=2, created_at=NOW - 270)
    whole = got(assign(tick(there, [first, second, gang])))
    assert {name: len(whole[key(name)]) for name in ("first", "second", "gang")} == {
        "first": 1,
        "second": 1,
        "gang": 2,
    }
    broken = {**gang, "open": 3, "minimum": 3}
    later = order("later", classes=[6], created_at=NOW - 260)
    last = order("last", created_at=NOW - 250)
    found = got(assign(tick(there, [first, second, broken, later, last])))
    assert key("gang") not in found
    assert found[key("later")] == [key("c")]
    # It takes what the first order had, which has the dearest now: nobody is dead to exchanges.
    assert found[key("first")] == [key("d")]
    assert {*found[key("second")], *found[key("last")]} == {key("a"), key("b")}


def test_a_gang_that_has_waited_keeps_half_of_what_it_could_have() -> None:
    there = [device(number) for number in range(5)]
    there.append(device("soon", out=Out.HIRED, hired_until=NOW + 600))
    late = order("late", open=5, created_at=NOW - 5)
    young, old = (order("gang", open=6, minimum=6, created_at=NOW - age) for age in (299, 300))
    assert len(assign(tick(there, [young, late]))) == 5
    found = got(assign(tick(there, [old, late])))
    assert {of: len(each) for of, each in found.items()} == {key("late"): 3}
    # Those that come first in the sequence: it takes them first once it is whole.
    sequence = got(assign(tick(there[:5], [{**late, "open": 2}])))[key("late")]
    assert not set(sequence) & set(found[key("late")])


@pytest.mark.parametrize(
    ("changed", "of_gang", "keeps"),
    [
        ({}, {}, True),
        ({}, {"match_until": NOW + 600}, False),
        ({}, {"match_until": NOW + 601}, True),
        ({"out": Out.HIRED | Out.BARRED}, {}, False),
        ({"tier": 1}, {"min_tier": 2}, False),
        ({"country": b"CH"}, {"countries": [b"AT"]}, False),
        ({"country": b"CH"}, {"countries": [b"AT", b"CH"]}, True),
        ({"country": b"CH"}, {"colocated": 1, "country": b"AT"}, False),
        ({"ask_io": 101}, {}, False),
        ({"changed_at": NOW - 400}, {}, False),
        ({"class": 2}, {}, False),
        ({"class": 2}, {"classes": [1, 2]}, True),
        ({"processors": 2}, {}, False),
        ({"worker": key("renter gang")}, {}, False),
        ({}, {"minimum": 6, "open": 6}, False),
    ],
)
def test_a_gang_keeps_devices_only_where_it_may_become_whole_in_its_time(
    changed: dict[str, Any], of_gang: dict[str, Any], keeps: bool
) -> None:
    """Nobody holds a class up by an order that nothing can fill."""
    there = [device(number, tier=2) for number in range(4)]
    hired = device("soon", tier=2, out=Out.HIRED, hired_until=NOW + 600)
    gang = order("gang", created_at=NOW - 400, **{"open": 5, "minimum": 5, **of_gang})
    late = order("late", open=5, created_at=NOW - 5)
    found = got(assign(tick([*there, {**hired, **changed}], [gang, late])))
    assert len(found[key("late")]) == (2 if keeps else 4)


def test_many_gangs_keep_no_more_than_one() -> None:
    """Of what is left when each comes, and of each kind of device: also where their classes overlap."""
    there = [
        device((number, country, of), country=country, **{"class": of})
        for number in range(8)
        for country in (b"AT", b"CH")
        for of in (1, 2)
    ]
    soon = [device(f"soon {number}", out=Out.HIRED, hired_until=NOW + 60) for number in range(40)]
    gangs = [
        order(f"gang {number}", created_at=NOW - 900 + number, open=40, minimum=40, **wants)
        for number, wants in enumerate(
            [{}, {"classes": [1, 2]}, {"countries": [b"AT"]}, {"classes": [2, 1]}, {"processors": 2}] * 3
        )
    ]
    late = [
        order((country, of), open=8, countries=[country], classes=[of], created_at=NOW - 5)
        for country in (b"AT", b"CH")
        for of in (1, 2)
    ]
    for some in (gangs[:2], gangs):
        found = got(assign(tick([*there, *soon], [*some, *late])))
        assert [len(found.get(each["order"], [])) for each in late] == [4] * 4
    urgent = order("urgent", open=4, countries=[b"AT"], created_at=NOW - 1_000)
    found = got(assign(tick([*there, *soon], [urgent, *gangs, *late])))
    assert [len(found.get(each["order"], [])) for each in late] == [2, 4, 4, 4]


def test_colocated_devices_come_from_the_smallest_country_that_has_enough() -> None:
    there = [
        device(f"{country!r} {n}", country=country)
        for country, many in ((b"AT", 4), (b"CH", 2), (b"DE", 3))
        for n in range(many)
    ]

    def countries(**changed: Any) -> set[bytes]:
        found = got(assign(tick(there, [order("one", colocated=1, **changed)])))
        by_key = {each["device"]: each["country"] for each in there}
        return {by_key[each] for each in found.get(key("one"), [])}

    assert countries(open=2) == {b"CH"}
    assert countries(open=3) == {b"DE"}
    assert countries(open=9) == {b"AT"}
    assert countries(open=9, minimum=5) == set()
    assert countries(open=2, country=b"AT") == {b"AT"}
    assert countries(open=2, countries=[b"DE", b"AT"]) == {b"DE"}


@pytest.mark.parametrize("person", ["supplier", "worker", "payout"])
def test_nobody_hires_itself(person: str) -> None:
    there = [device("own"), device("other", idle_since=NOW)]
    renter = there[0][person]
    assert got(assign(tick(there, [order("one", renter=renter)]))) == {key("one"): [key("other")]}


def test_a_device_that_served_an_order_never_comes_to_it_again() -> None:
    there = [device("again"), device("other", idle_since=NOW)]
    wanted = [order("one", created_at=NOW - 90), order("two")]
    assert got(assign(tick(there, wanted, pairs=[(key("one"), key("again"))]))) == {
        key("one"): [key("other")],
        key("two"): [key("again")],
    }


@pytest.mark.parametrize("out", list(Out))
def test_a_device_that_is_out_gets_nothing(out: Out) -> None:
    assert len(assign(tick([device("one", out=int(out))], [order("one")]))) == 0


def test_terms_are_older_than_the_order() -> None:
    created = order("one")["created_at"]
    for changed_at, taken in ((created - 1, 1), (created, 0), (created + 1, 0)):
        assert len(assign(tick([device("one", changed_at=changed_at)], [order("one")]))) == taken


def test_nothing_is_matched_at_no_price_or_above_the_limit() -> None:
    for limit, taken in ((100, 1), (99, 0)):
        assert len(assign(tick([device("one")], [order("one", limit=limit)]))) == taken
    free = {"currency": 1, "classes": [4]}
    assert len(assign(tick([device("one", **{"class": 4})], [order("one", **free)]))) == 0
    assert len(assign(tick([device("one", **{"class": 9})], [order("one", classes=[9])]))) == 0


def test_no_devices_or_no_orders_are_no_matches() -> None:
    assert len(assign(tick([], []))) == len(assign(tick([], [order("one")]))) == 0
    assert len(assign(tick([device("one")], []))) == 0
