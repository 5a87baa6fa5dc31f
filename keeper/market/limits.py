"""How many devices each of an order's limits leaves: what nothing can serve is known before it is paid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from keeper.clients.orders import Terms
from keeper.clients.staking import Class, Device
from keeper.economy.staking import counted
from keeper.market.matching import price_by, suits


class Limit(NamedTuple):
    """A limit in words, and how many devices are left by it and by those before it."""

    words: str
    left: int


def limits(terms: Terms, devices: Iterable[Device], classes: Mapping[int, Class], now: int) -> list[Limit]:
    """An order's limits in their sequence; the last one is what can be leased at once.

    Those before it leave devices that have a lease or a bar now, and may come.
    """

    def fits_price(device: Device) -> bool:
        return price_by(terms, device, classes[device.device_class], now) > 0

    def is_whole(device: Device) -> bool:
        of_class = classes[device.device_class]
        least = device.minimum(of_class, now)
        return not device.slash_pending and counted(device.own, device.co, now) >= least

    unit, several = terms.currency.name, "s" if terms.processors > 1 else ""
    tests: dict[str, Callable[[Device], bool]] = {
        "of a class that it names": lambda each: not each.terminated and each.device_class in terms.classes,
        f"with {terms.processors} processor{several}": lambda each: each.processors == terms.processors,
        f"of tier {terms.min_tier} or better": lambda each: each.tier >= terms.min_tier,
    }
    if terms.countries:
        tests[f"in {', '.join(terms.countries)}"] = lambda each: each.country in terms.countries
    tests |= {
        f"let for {unit} at a price that it pays": fits_price,
        "staked enough": is_whole,
    }
    found, left = [], list(devices)
    for words, passes in tests.items():
        left = [each for each in left if passes(each)]
        found.append(Limit(words, len(left)))
    if terms.colocated:
        left = most_together(left)
        found.append(Limit("in one country", len(left)))
    free = [each for each in left if suits(terms, each, classes, now)]
    return [*found, Limit("free now", len(free))]


def most_together(devices: Iterable[Device]) -> list[Device]:
    """Those of the country that has most of them."""
    rows = list(devices)
    counts = Counter(each.country for each in rows)
    best = max(counts, key=lambda code: (counts[code], code), default=None)
    return [each for each in rows if each.country == best]
