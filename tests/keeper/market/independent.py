"""The rules of price and reputation a second time, from their words: with fractions, loops and no arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import comb, floor
from typing import Any

CURRENCIES = ("io", "usdc")


def utilisation(counts: Sequence[tuple[int, int]], unmet: int) -> int | None:
    """Basis points, from hired and idle processors of each processor count."""
    hired, there = sum(h for h, _ in counts), sum(h + i for h, i in counts)
    if there == 0:
        return 20_000 if unmet else None
    used = floor(10_000 * min(Fraction(2), Fraction(hired + unmet, there)))
    if used < 7_000 and hired:
        half = Fraction(used, 20_000)
        ordered = [(h, h + i) for h, i in counts if h + i and Fraction(h, h + i) >= half]
        if ordered:
            share = Fraction(sum(h for h, _ in ordered), sum(all_of for _, all_of in ordered))
            used = max(used, min(7_000, floor(10_000 * share)))
    return used


def step(used: int | None, processors: int) -> int:
    """Basis points."""
    if used is None:
        return 0
    distance = Fraction(used - 7_000, 3_000) if used >= 7_000 else Fraction(used - 7_000, 7_000)
    # Of a fraction int() is what is nearest to 0.
    move = int(1_250 * min(Fraction(1), distance))
    return int(Fraction(move * min(max(processors, 1), 32), 32))


def sampled(
    devices: Iterable[dict[str, Any]],
    orders: Iterable[dict[str, Any]],
    prices: dict[int, tuple[int, int]],
    now: int,
) -> dict[tuple[int, int], dict[str, Any]]:
    """Samples by class and currency; a device says whether it is hired and whether it could be matched."""
    devices, orders = list(devices), list(orders)
    found = {}
    for number, both in prices.items():
        for currency, (name, price) in enumerate(zip(CURRENCIES, both, strict=True)):
            if price == 0:
                continue
            hired, idle, free = defaultdict(int), defaultdict(int), defaultdict(int)
            for device in devices:
                if device["class"] != number:
                    continue
                processors, ask = device["processors"], device[f"ask_{name}"]
                if device["hired"]:
                    hired[processors] += processors
                elif device["matchable"] and ask > 0:
                    free[processors] += processors
                    if ask <= price:
                        idle[processors] += processors
            wanted = defaultdict(int)
            for order in orders:
                plain = not order["countries"] and not order["colocated"] and order["minimum"] == 1
                if (
                    plain
                    and order["min_tier"] == 1
                    and order["currency"] == currency
                    and order["classes"][0] == number
                    and order["limit"] >= price
                    and now - order["created_at"] > 60
                ):
                    wanted[order["processors"]] += order["open"] * order["processors"]
            unmet = 0
            if not hired and not idle:
                unmet = sum(min(amount, free[processors]) for processors, amount in wanted.items())
            found[number, currency] = {
                "hired": dict(hired),
                "idle": dict(idle),
                "unmet": unmet,
                "size": sum(hired.values()) + sum(free.values()),
            }
    return found


def beta_below(a: int, b: int, x: Fraction) -> Fraction:
    """The chance that Beta(a, b) is below x: its density's integral, term by term."""
    terms = (Fraction((-1) ** k * comb(b - 1, k), a + k) * x ** (a + k) for k in range(b))
    return sum(terms) * a * comb(a + b - 1, a)
