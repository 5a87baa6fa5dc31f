"""Offers: what a quote counts as free, which country, until when it is exact; which files are none."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from keeper.clients import staking
from keeper.clients.orders import Params, Terms
from keeper.clients.staking import Device
from keeper.economy.calendar import HOUR
from keeper.economy.classes import STALE, Bounds
from keeper.economy.orders import Currency, Urgency
from keeper.market.offers import (
    Asked,
    Offer,
    QuoteElsewhere,
    QuoteInvalid,
    QuoteOver,
    QuoteOvertaken,
    country,
    fitting,
    offer,
    require_good,
)
from keeper.market.quotes import known_until, outlook, quote
from tests.keeper.market.test_quotes import START, TERMS, of_class
from tests.programs.world import key

NOW = START + 600
WINDOW = Params().match_window
CLASSES = {1: of_class(), 2: of_class(id=2, name="M4", price_io=900)}
BOTH = replace(TERMS, classes=(1, 2), countries=("CH", "DE"))


def device(name: str, **changed: Any) -> Device:
    """A free device of class 1 with four processors in Switzerland that asks 1 and has the stake it needs."""
    fields: dict[str, Any] = dict.fromkeys(Device.__dataclass_fields__, 0)
    nobody = {each: staking.NOBODY for each in ("supplier", "worker", "payout", "lease", "last_order")}
    stakes = staking.CoStake(staking.NOBODY, 0, 0, 0, 0)
    own = 10**13
    fields |= {**nobody, "co": stakes, "leaving": stakes, "own": own, "country": "CH", "tier": 1}
    fields |= {"device_class": 1, "processors": 4, "ask_io": 1, "ask_usdc": 1, "worker": key(name).pubkey()}
    return Device(**{**fields, **changed})


def offered(terms: Terms = BOTH, now: int = NOW, *devices: Device) -> Offer:
    there = {staking.device_address(each.worker): each for each in devices}
    return offer("net", terms, CLASSES, there, Params(), now)


def test_an_offer_of_two_classes() -> None:
    there = [device("one"), device("two", device_class=2, country="DE"), device("three", country="FR")]
    found = offered(BOTH, NOW, *there)
    assert (found.network, found.at, found.until) == ("net", NOW, START + HOUR - WINDOW)
    assert [(each.number, each.name, each.price, each.free) for each in found.classes] == [
        (1, "RTX 4090", 1_000, 1),
        (2, "M4", 900, 1),
    ]
    lease = 1_000 * 4 * 10
    costs = [(each.urgency, each.fee_bps, each.lease, each.fee) for each in found.costs]
    assert costs == [("ordinary", 25, lease, 100), ("soon", 125, lease, 500), ("now", 325, lease, 1_300)]
    assert (found.fee_bps, found.country) == (25, "CH")


@pytest.mark.parametrize(
    "changed",
    [
        {"device_class": 3},
        {"processors": 2},
        {"country": "FR"},
        {"ask_io": 0},
        {"ask_io": 1_001},
        {"lease": key("lease").pubkey()},
        {"terminated": True},
        {"slash_pending": True},
        {"barred_until": NOW + 1},
        {"own": 0},
    ],
)
def test_what_doesnt_fit(changed: dict[str, Any]) -> None:
    assert fitting(BOTH, [device("one")], CLASSES, NOW) == [device("one")]
    assert fitting(BOTH, [device("one", **changed)], CLASSES, NOW) == []
    assert fitting(replace(BOTH, min_tier=2), [device("one")], CLASSES, NOW) == []


@pytest.mark.parametrize(
    ("countries", "places", "chosen"),
    [
        ("", 1, None),
        ("DE DE CH", 1, "CH"),
        ("DE DE CH", 2, "DE"),
        ("DE DE CH", 3, "DE"),
        ("DE CH AT", 2, "AT"),
        ("DE CH", 1, "CH"),
    ],
)
def test_the_country_is_the_one_that_has_fewest_of_those_with_enough_else_most(
    countries: str, places: int, chosen: str | None
) -> None:
    assert country([device("x", country=each) for each in countries.split()], places) == chosen


@pytest.mark.parametrize(
    ("second", "known"), [(0, HOUR), (HOUR - 1_201, HOUR), (HOUR - 1_200, 2 * HOUR), (HOUR, 2 * HOUR)]
)
def test_until_when_prices_are_known(second: int, known: int) -> None:
    assert known_until(START + second) == START + known


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2 * HOUR), st.integers(1, 3 * HOUR), st.integers(-1_250, 1_250))
def test_no_step_that_is_announced_later_reaches_an_order_that_is_opened_in_time(
    second: int, later: int, step: int
) -> None:
    """A step holds from the next full hour on, and is announced more than 20 minutes before."""
    now = START + second
    announced = now + later
    holds = (announced // HOUR + 1) * HOUR
    assume(announced < holds - 1_200)
    found, changed = offered(TERMS, now), of_class(next_io=step, price_hour=holds // HOUR - 2)
    assert changed.step_at == holds
    for opened in (now, found.until):
        assert quote(changed, Currency.IO, opened, opened + WINDOW).highest == found.classes[0].price


def test_what_is_written_is_read_again() -> None:
    found = offered(replace(BOTH, colocated=True, urgency=Urgency.NOW, currency=Currency.USDC), NOW)
    assert Offer.decode(found.encode().encode()) == found
    assert found.terms.terms == replace(BOTH, colocated=True, urgency=Urgency.NOW, currency=Currency.USDC)
    assert found.terms.urgency == "now" and found.fee_bps == 525
    assert Asked.of(found.terms.terms) == found.terms


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"price": 0}, "terms.price"),
        ({"devices": 0}, "terms.devices"),
        ({"processors": 9}, "terms.processors"),
        ({"classes": []}, "terms.classes"),
        ({"classes": [1] * 9}, "terms.classes"),
        ({"currency": "eur"}, "terms.currency"),
        ({"min_tier": 5}, "terms.min_tier"),
        ({"urgency": "never"}, "terms.urgency"),
        ({"colocated": 1}, "terms.colocated"),
        ({"countries": ["CHE"]}, "terms.countries"),
        ({"min_devices": 3}, "don't belong together"),
        ({"classes": [2, 1]}, "other classes than its terms"),
    ],
)
def test_terms_that_no_order_has(changed: dict[str, Any], said: str) -> None:
    row = asdict(offered(BOTH, NOW))
    row["terms"] |= changed
    with pytest.raises(QuoteInvalid, match=said):
        Offer.decode(json.dumps(row).encode())


def test_bytes_that_are_no_quote() -> None:
    for data in (b"", b"\xff", b"{}", b"[]", b"[" * 10_000):
        with pytest.raises(QuoteInvalid, match="ionet market quote --json"):
            Offer.decode(data)


def good(found: Offer, now: int = NOW, network: str = "net", **changed: Any) -> None:
    classes = {**CLASSES, 1: of_class(**changed)}
    require_good(found, network, classes, Params(), now)


def test_what_is_refused_when_the_order_is_opened() -> None:
    found = offered(TERMS, NOW)
    good(found)
    good(found, price_io=999)
    good(found, found.until)
    with pytest.raises(QuoteOver):
        good(found, found.until + 1)
    with pytest.raises(QuoteElsewhere):
        good(found, network="other")
    with pytest.raises(QuoteOvertaken, match="RTX 4090 costs more"):
        good(found, price_io=1_001)
    with pytest.raises(QuoteOvertaken, match="RTX 4090 costs more"):
        good(found, START + HOUR - WINDOW, next_bounds=Bounds(1_500, 2_000, 1, 2), bounds_at=START + HOUR - 1)
    with pytest.raises(QuoteOvertaken, match="RTX 4090 costs more"):
        good(found, price_hour=(START - STALE) // HOUR - 2)
    with pytest.raises(QuoteOvertaken, match="the fee is higher"):
        require_good(found, "net", CLASSES, Params(renter_fee_bps=26), NOW)
    require_good(found, "net", CLASSES, Params(renter_fee_bps=24), NOW)
    with pytest.raises(QuoteInvalid, match="no class RTX 4090"):
        require_good(found, "net", {}, Params(), NOW)


def test_an_outlook() -> None:
    found = outlook(of_class(next_io=1_000, price_hour=START // HOUR - 1), Currency.IO, NOW)
    assert (found.price.amount, found.step, found.step_at, found.stepped) == (
        1_000,
        1_000,
        START + HOUR,
        1_100,
    )
    assert (found.stale_from, found.bounds_at) == (START + HOUR + STALE, None)
    found = outlook(of_class(next_io=1_000, price_hour=START // HOUR - 2), Currency.IO, NOW)
    assert (found.price.amount, found.step, found.step_at, found.stepped) == (1_100, 0, None, 1_100)
    found = outlook(of_class(next_bounds=Bounds(5, 6, 7, 8), bounds_at=NOW + 1), Currency.USDC, NOW)
    assert (found.bounds_at, found.next_low, found.next_high, found.stale_from) == (NOW + 1, 7, 8, None)
    assert (
        outlook(of_class(next_bounds=Bounds(5, 6, 7, 8), bounds_at=NOW), Currency.IO, NOW).bounds_at is None
    )
