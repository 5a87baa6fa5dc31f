"""Small ticks for tests: rows by keyword, and random ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from keeper.market.snapshot import DEVICE, ORDER, PAIR, PRICE, Out, Snapshot, reaches_a_price
from keeper.tables import NOTHING, Rows

TICK = 60_000_000
NOW = 30 * TICK
BLOCKHASH = sha256(b"block").digest()
PRICES = {1: (100, 50), 2: (100, 80), 3: (130, 60), 4: (90, 0), 5: (120, 70), 6: (110, 40)}
"""By class: IO, USDC."""
COUNTRIES = [b"AT", b"CH", b"DE"]


def key(name: object) -> bytes:
    return sha256(str(name).encode()).digest()


def device(name: object, **changed: Any) -> dict[str, Any]:
    """A device of class 1 with a processor in Austria that has waited for an hour."""
    values = {"class": 1, "processors": 1, "tier": 1, "country": b"AT", "ask_io": 1, "ask_usdc": 1}
    times = {
        "changed_at": NOW - 86_400,
        "idle_since": NOW - 3_600,
        "weight": 10_000,
        "out": 0,
        "hired_until": 0,
    }
    people = {each: key(f"{each} of {name}") for each in ("supplier", "worker", "payout")}
    return {"device": key(name), **values, **times, **people, **changed}


def order(name: object, **changed: Any) -> dict[str, Any]:
    """An order for one such device at any price, opened a minute ago."""
    values = {
        "created_at": NOW - 60,
        "match_until": NOW + 1_140,
        "urgency": 0,
        "currency": 0,
        "classes": [1],
        "processors": 1,
    }
    wishes = {"min_tier": 1, "countries": [], "open": 1, "minimum": 1, "colocated": 0, "country": b""}
    return {
        "order": key(name),
        **values,
        **wishes,
        "limit": 1_000,
        "renter": key(f"renter {name}"),
        **changed,
    }


def tick(
    devices: list[dict[str, Any]],
    orders: list[dict[str, Any]],
    *,
    prices: dict[int, tuple[int, int]] = PRICES,
    pairs: Sequence[tuple[bytes, bytes]] = (),
    blockhash: bytes = BLOCKHASH,
) -> Snapshot:
    """A snapshot of rows in any order."""
    wanted = [
        {
            **each,
            "classes": [*each["classes"], *[NOTHING] * (8 - len(each["classes"]))],
            "countries": [*each["countries"], *[b""] * (8 - len(each["countries"]))],
        }
        for each in orders
    ]
    return Snapshot(
        TICK,
        4_000,
        blockhash,
        rows(devices, DEVICE, "device"),
        rows(wanted, ORDER, "order"),
        np.array([(number, *both) for number, both in sorted(prices.items())], PRICE),
        np.array(sorted(pairs), PAIR),
    )


def rows(values: list[dict[str, Any]], dtype: np.dtype[Any], by: str) -> Rows:
    return np.array(
        [
            tuple(each[name] for name in dtype.names or ())
            for each in sorted(values, key=lambda each: each[by])
        ],
        dtype,
    )


def got(matches: Rows) -> dict[bytes, list[bytes]]:
    """Which devices each order got."""
    found: dict[bytes, list[bytes]] = {}
    for of, which, _ in matches.tolist():
        found.setdefault(whole(of), []).append(whole(which))
    return found


def whole(value: bytes) -> bytes:
    return value.ljust(32, b"\0")


# -- random ones -------------------------------------------------------------------------------

OLD, YOUNG = (NOW - 90_000, NOW - 2_000), (NOW - 1_300, NOW - 1)
"""Times before all orders, and among them."""


@dataclass(frozen=True)
class World:
    """In what a tick's devices and orders differ: all at once, and nothing fits anything."""

    classes: int
    processors: bool
    tiers: bool
    countries: bool
    asks: bool
    currencies: bool
    gangs: bool
    together: bool
    people: bool
    young: bool


def world(rng: Random, **fixed: bool) -> World:
    some = {each.name: rng.random() < 0.35 for each in fields(World)} | {"classes": rng.randint(1, 6)}
    return World(**{**some, **fixed})


def pick(rng: Random, varies: bool, usual: Any, *others: Any) -> Any:
    """The usual value half of the time where values vary, else always."""
    return rng.choice([usual] * len(others) + [*others]) if varies else usual


def random_device(rng: Random, number: int, of: World) -> dict[str, Any]:
    hired = pick(rng, of.people or of.gangs, 0, 0, Out.HIRED)
    changed = YOUNG if pick(rng, of.young, False, False, True) else OLD
    return device(
        number,
        **{"class": rng.randint(1, of.classes)},
        processors=pick(rng, of.processors, 1, 2),
        tier=pick(rng, of.tiers, 3, 1, 2),
        country=pick(rng, of.countries, *COUNTRIES),
        ask_io=pick(rng, of.asks, 1, 90, 100, 120, 0),
        ask_usdc=pick(rng, of.asks, 1, 50, 60, 0),
        changed_at=rng.randint(*changed),
        idle_since=rng.randint(*rng.choice([(NOW - 40, NOW), OLD])),
        weight=rng.choice([5_000, 8_584, 10_000]),
        supplier=key(f"supplier {rng.randint(0, 3)}"),
        out=hired,
        hired_until=rng.choice([NOW + 31, NOW + 600, NOW + 9_000]) if hired else 0,
    )


def random_order(rng: Random, number: int, of: World) -> dict[str, Any]:
    places = rng.randint(1, 4)
    named = [each for each in COUNTRIES if pick(rng, of.countries, False, False, True)]
    colocated = pick(rng, of.together, False, False, True)
    return order(
        f"order {number}",
        created_at=rng.randint(*YOUNG),
        match_until=NOW + rng.randint(31, 1_200),
        urgency=rng.randint(0, 2),
        currency=pick(rng, of.currencies, 0, 1),
        classes=rng.sample(range(1, of.classes + 1), min(of.classes, rng.choice([1, 1, 2, 3]))),
        processors=pick(rng, of.processors, 1, 2),
        min_tier=pick(rng, of.tiers, 1, 2, 3),
        countries=named,
        open=places,
        minimum=pick(rng, of.gangs, 1, places),
        colocated=int(colocated),
        country=pick(rng, colocated, b"", *(named or COUNTRIES)),
        limit=pick(rng, of.asks, 1_000, 105, 95, 40),
        renter=key(pick(rng, of.people, f"renter {number}", "supplier 0", "supplier 1")),
    )


def random_tick(seed: int, **fixed: bool) -> Snapshot:
    """Some devices, and orders that want between half of them and somewhat more than there are."""
    rng = Random(seed)
    of = world(rng, **fixed)
    there = [random_device(rng, number, of) for number in range(rng.choice([0, 6, 12, 20, 20, 24]))]
    wanted: list[dict[str, Any]] = []
    places = len(there) * rng.uniform(0.5, 1.3)
    while sum(each["open"] for each in wanted) < places:
        wanted.append(random_order(rng, len(wanted), of))
    pairs = set()
    if of.people and there and wanted:
        free = [each["device"] for each in there if each["out"] == 0]
        pairs = {(rng.choice(wanted)["order"], rng.choice(free)) for _ in range(3) if free}
    return tick(there, wanted, pairs=list(pairs), blockhash=rng.randbytes(32))


def as_published(snapshot: Snapshot) -> Snapshot:
    """Without orders that pay no class's price: these take no part."""
    orders = snapshot.orders[reaches_a_price(snapshot.orders, snapshot.prices)]
    pairs = snapshot.pairs[np.isin(snapshot.pairs["order"], orders["order"])]
    return replace(snapshot, orders=orders, pairs=pairs)


def ticks(**fixed: bool) -> st.SearchStrategy[Snapshot]:
    """Random ticks, from seeds: what hypothesis likes to draw fits nothing."""
    return st.integers(0, 2**32 - 1).map(lambda seed: random_tick(seed, **fixed))
