"""Why a device was or wasn't taken: each reason by a tick that differs in that alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from solders.pubkey import Pubkey

from keeper.economy.orders import Currency
from keeper.market.assignment import assign
from keeper.market.snapshot import Out, Snapshot
from keeper.market.why import NoSuchDevice, Outcome, Unfit, Why, why
from tests.keeper.market.ticks import NOW, device, got, key, order, tick, ticks


def of(snapshot: Snapshot, name: object = "one") -> Why:
    return why(snapshot, assign(snapshot), Pubkey(key(name)))


def test_the_first_in_the_rotation_is_taken() -> None:
    found = of(tick([device("one"), device("two", idle_since=NOW - 60)], [order("order")]))
    assert (found.out, found.place, found.count) == (Out(0), 1, 2)
    assert (found.seconds, found.weight, found.weighted) == (3_600, 10_000, 3_600)
    assert (found.taken_by, found.currency, found.price) == (Pubkey(key("order")), Currency.IO, 100)
    (chance,) = found.chances
    assert (chance.unfit, chance.open, chance.got, chance.outcome) == (Unfit(0), 1, 1, Outcome.TOOK)


def test_its_record_weighs_its_time() -> None:
    there = [device("one", weight=5_000), device("two", idle_since=NOW - 1_801)]
    found = of(tick(there, [order("order", currency=1)]))
    assert (found.seconds, found.weighted, found.place) == (3_600, 1_800, 2)
    assert (found.taken_by, found.currency, found.price) == (None, None, 0)
    assert [each.outcome for each in found.chances] == [Outcome.FILLED]


def test_only_equals_are_in_its_rotation() -> None:
    others = [device("dear", **{"class": 3}), device("large", processors=2), device("out", out=Out.BARRED)]
    found = of(tick([device("one"), *others], []))
    assert (found.place, found.count, found.chances) == (1, 1, ())


@pytest.mark.parametrize("out", [Out.BARRED, Out.HIRED | Out.NOT_LET, Out.WORK])
def test_what_takes_no_part_has_no_place(out: Out) -> None:
    found = of(tick([device("one", out=out)], [order("order")]))
    assert (found.out, found.place, found.count, found.chances, found.taken_by) == (out, 0, 0, (), None)


@pytest.mark.parametrize(
    ("of_device", "of_order", "unfit"),
    [
        ({}, {"classes": [2, 3]}, Unfit.CLASS),
        ({}, {"processors": 2}, Unfit.PROCESSORS),
        ({"tier": 2}, {"min_tier": 3}, Unfit.TIER),
        ({"country": b"DE"}, {"countries": [b"AT", b"CH"]}, Unfit.COUNTRY),
        ({"country": b"DE"}, {"colocated": 1, "country": b"CH"}, Unfit.COUNTRY),
        ({"class": 4}, {"classes": [4], "currency": 1}, Unfit.NO_PRICE),
        ({}, {"limit": 99}, Unfit.LIMIT),
        ({"ask_io": 0}, {}, Unfit.NOT_LET),
        ({"ask_io": 101}, {}, Unfit.ASK),
        ({"changed_at": NOW - 60}, {"created_at": NOW - 60}, Unfit.YOUNG),
        ({"supplier": key("renter order")}, {}, Unfit.OWN),
        ({"payout": key("renter order")}, {}, Unfit.OWN),
        ({"worker": key("renter order")}, {}, Unfit.OWN),
    ],
)
def test_what_speaks_against_it(
    of_device: dict[str, object], of_order: dict[str, object], unfit: Unfit
) -> None:
    found = of(tick([device("one", **of_device)], [order("order", **of_order)]))
    (chance,) = found.chances
    assert (chance.unfit, chance.outcome, found.taken_by) == (unfit, None, None)


def test_all_that_speaks_against_it_is_said() -> None:
    found = of(tick([device("one", ask_io=101, tier=1)], [order("order", min_tier=2, limit=99)]))
    assert found.chances[0].unfit == Unfit.TIER | Unfit.LIMIT | Unfit.ASK


def test_an_order_that_had_it_before() -> None:
    found = of(tick([device("one")], [order("order")], pairs=[(key("order"), key("one"))]))
    assert found.chances[0].unfit == Unfit.AGAIN


def test_a_gang_that_doesnt_come_together() -> None:
    found = of(tick([device("one")], [order("order", open=2, minimum=2)]))
    (chance,) = found.chances
    assert (chance.outcome, chance.minimum, chance.got) == (Outcome.GANG, 2, 0)


def test_devices_that_a_gang_keeps_or_earlier_orders_have() -> None:
    gang = order("gang", open=3, minimum=3, created_at=NOW - 300)
    there = [device("one"), device("two", idle_since=NOW - 60)]
    there.append(device("soon", out=Out.HIRED, hired_until=NOW + 60))
    found = of(tick(there, [gang, order("order", open=2)]))
    assert [each.outcome for each in found.chances] == [Outcome.GANG, Outcome.EARLIER]


def test_devices_of_one_other_country() -> None:
    there = [device("one"), *(device(n, country=b"CH", idle_since=NOW - 10) for n in range(2))]
    for places in (2, 3):
        found = of(tick(there, [order("order", colocated=1, open=places)]))
        (chance,) = found.chances
        assert (chance.got, chance.outcome) == (2, Outcome.ELSEWHERE)


def test_orders_come_in_the_ticks_sequence() -> None:
    wanted = [order("late", created_at=NOW - 10), order("now", created_at=NOW - 10, urgency=2), order("old")]
    found = of(tick([device("one")], wanted))
    names = {Pubkey(key(name)): name for name in ("late", "now", "old")}
    assert [names[each.order] for each in found.chances] == ["now", "old", "late"]


def test_a_device_that_isnt_there() -> None:
    with pytest.raises(NoSuchDevice, match="see ionet device list"):
        of(tick([device("one")], []), "two")
    with pytest.raises(NoSuchDevice):
        of(tick([], []))


@settings(deadline=None, max_examples=60)
@given(ticks())
def test_it_says_what_the_assignment_did(snapshot: Snapshot) -> None:
    """Who is said to have taken a device has it, and what an order can't have it never gets."""
    matches = assign(snapshot)
    given_to = {which: of for of, all_ in got(matches).items() for which in all_}
    for row in snapshot.devices["device"].tolist():
        address = row.ljust(32, b"\0")
        found = why(snapshot, matches, Pubkey(address))
        order_ = given_to.get(address)
        assert (bytes(found.taken_by) if found.taken_by else None) == order_
        took = [bytes(each.order) for each in found.chances if each.outcome is Outcome.TOOK]
        assert took == ([order_] if order_ else [])
        if found.out:
            assert address not in given_to
        if address not in given_to:
            # No order is short of a device that is free and that it can have, unless it takes all or none, is
            # bound to a country or has one that others don't.
            short = [
                each for each in found.chances if each.outcome is Outcome.EARLIER and each.got < each.open
            ]
            assert all(kept(snapshot, each.order) for each in short)


def kept(snapshot: Snapshot, order_: Pubkey) -> bool:
    """Whether an order may be short although a device is free: a gang is kept devices, or is one."""
    gangs = snapshot.orders["minimum"] > 1
    (colocated,) = snapshot.orders["colocated"][snapshot.orders["order"] == bytes(order_).rstrip(b"\0")]
    return bool(gangs.any() or colocated)
