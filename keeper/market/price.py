"""The network price's rule: from an hour's samples of a class's market to the step that operators vote for.

A pure function of numbers. Source: rule version 1, docs/market.md; the step's own effect on a price is
:func:`keeper.economy.classes.next_price`, as the program computes it. Everything is counted in processors,
utilisation and steps are basis points.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from keeper.clients.staking import MAX_PROCESSORS
from keeper.economy.classes import MAX_STEP
from keeper.economy.orders import BPS

SAMPLES = 12
"""In an hour, one in each five minutes."""
TARGET = 7_000
"""The utilisation at which a price stands still."""
MAX_UTILISATION = 2 * BPS
"""With more wanted than there is."""
THIN = 32
"""A class of fewer processors moves by as much less: one device must not swing its price."""


class Rule(NamedTuple):
    """What the steps depend on; others than RULE are for simulations of what somebody proposes."""

    target: int = TARGET
    step: int = MAX_STEP
    """The most that a price moves in an hour."""
    thin: int = THIN


RULE = Rule()

Counts = tuple[int, ...]
"""Processors by the processor count of their devices: first those of devices with one, then with two."""
NO_COUNTS: Counts = (0,) * MAX_PROCESSORS


@dataclass(frozen=True, slots=True)
class Sample:
    """A class's market in one currency at one tick, or the sum of several."""

    hired: Counts = NO_COUNTS
    """Of devices whose lease runs."""
    idle: Counts = NO_COUNTS
    """Of free devices that could be matched, and ask no more than the price."""
    unmet: int = 0
    """Wanted by orders, where none is hired and none idle."""
    size: int = 0
    """Hired, and of free devices that could be matched, whatever they ask."""


def total(samples: Iterable[Sample]) -> Sample:
    """The sum of samples."""
    found = list(samples)
    return Sample(
        hired=tuple(map(sum, zip(NO_COUNTS, *(each.hired for each in found), strict=True))),
        idle=tuple(map(sum, zip(NO_COUNTS, *(each.idle for each in found), strict=True))),
        unmet=sum(each.unmet for each in found),
        size=sum(each.size for each in found),
    )


def utilisation(hour: Sample, rule: Rule = RULE) -> int | None:
    """How much of what is willing is used, in the sum of an hour's samples; None if there was nothing.

    Idle devices of a processor count that nobody orders don't lower it below the target: what counts then is
    the utilisation of the counts that are used at least half as much as all together.
    """
    hired, idle = sum(hour.hired), sum(hour.idle)
    if hired + idle == 0:
        return MAX_UTILISATION if hour.unmet else None
    used = min(MAX_UTILISATION, (hired + hour.unmet) * BPS // (hired + idle))
    if used >= rule.target or not hired:
        return used
    counts = ((h, h + i) for h, i in zip(hour.hired, hour.idle, strict=True) if h + i)
    ordered = [(h, there) for h, there in counts if 2 * BPS * h >= used * there]
    if not ordered:
        return used
    most = BPS * sum(h for h, _ in ordered) // sum(there for _, there in ordered)
    return max(used, min(rule.target, most))


def move(used: int, rule: Rule = RULE) -> int:
    """The step of a class that isn't thin, at a utilisation: straight to both sides of the target.

    It is the most that a step can be from full use on, and down to where nothing is used.
    """
    if used >= rule.target:
        return min(rule.step, (used - rule.target) * rule.step // (BPS - rule.target))
    return -((rule.target - used) * rule.step // rule.target)


def step(used: int | None, processors: int, rule: Rule = RULE) -> int:
    """The step at a utilisation (None: it stands still) of a class with so many ``processors``."""
    if used is None:
        return 0
    whole, part = move(used, rule), min(max(processors, 1), rule.thin)
    return whole * part // rule.thin if whole >= 0 else -(-whole * part // rule.thin)


def hour_step(hour: Sample, rule: Rule = RULE) -> int:
    """The step that follows from the sum of an hour's samples."""
    return step(utilisation(hour, rule), hour.size // SAMPLES, rule)
