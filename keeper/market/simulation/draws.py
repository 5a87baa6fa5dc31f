"""What chance decides in a simulation, all of it from the seed: costs, orders, addresses, blocks.

Costs and values are lognormal, orders come at random times. Python promises that its generator's numbers stay
the same in later versions, which numpy's doesn't; what follows is rounded to whole base units and seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from math import exp, log
from random import Random
from statistics import NormalDist

from keeper.clients.orders import Params
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import Urgency
from keeper.market.simulation.scenario import ONE, Scenario

COST, COST_SPREAD = 0.54, 0.43
VALUE, VALUE_SPREAD = 1.1, 0.6
"""Medians, and standard deviations of the logarithms: of what an hour of a processor costs, and is worth."""
ORDERS_A_DAY, PLACES, LEASE_HOURS = 305.0, 2.0, 8.0
"""How many orders come in a day for 300 devices, for how many places, and for how long, on average."""
USUAL = 300
USUAL_TIDE = 100
NOON = 12
"""The hour in which most is wanted."""
_BITS = 52
_NORMAL = NormalDist()
PARAMS = Params()
"""Fees and times of orders, as the program begins with them."""


@dataclass(slots=True)
class Wanted:
    """An order: ``open`` places, for so many ``seconds`` each, at ``limit`` for an hour at most.

    To its renter an hour is worth ``limit``. ``own`` is an attacker's, ``had`` the devices that it had.
    """

    address: bytes
    created_at: int
    until: int
    open: int
    seconds: int
    limit: int
    urgency: Urgency = Urgency.ORDINARY
    minimum: int = 1
    own: bool = False
    had: set[int] = field(default_factory=set)

    @property
    def renter(self) -> bytes:
        """Somebody of its own."""
        return sha256(self.address).digest()

    @property
    def fee_bps(self) -> int:
        """What its renter pays on top."""
        urgent = {Urgency.SOON: PARAMS.soon_fee_bps, Urgency.NOW: PARAMS.now_fee_bps}
        return PARAMS.renter_fee_bps + urgent.get(self.urgency, 0)


def uniform(random: Random) -> float:
    """Between 0 and 1, and neither of them."""
    return (random.getrandbits(_BITS) + 0.5) / (1 << _BITS)


def _lognormal(random: Random, median: float, spread: float) -> int:
    return max(1, round(ONE * median * exp(spread * _NORMAL.inv_cdf(uniform(random)))))


def stream(seed: int, name: str) -> Random:
    """Numbers of their own for each thing, so that what one takes changes no other's."""
    return Random(f"{seed} {name}")


def costs(scenario: Scenario) -> list[int]:
    """What an hour costs each device's supplier."""
    random = stream(scenario.seed, "costs")
    return [_lognormal(random, COST, COST_SPREAD) for _ in range(scenario.devices)]


def addresses(seed: int, name: str, count: int) -> list[bytes]:
    """So many, sorted."""
    return sorted(sha256(f"{seed} {name} {each}".encode()).digest() for each in range(count))


def blockhash(seed: int, of: int) -> bytes:
    """That of a tick's or an hour's first block."""
    return sha256(f"{seed} block {of}".encode()).digest()


def tide(hour: int, swing: int) -> int:
    """Percent of the usual demand in an hour of the day."""
    return USUAL_TIDE + swing - abs(hour % 24 - NOON) * swing // 6


def orders(scenario: Scenario, begins: int) -> list[Wanted]:
    """All orders of the time from ``begins`` on, by age.

    They come as if there were always most to do, and some are dropped: in two scenarios with the same
    highest demand those that both have are the same.
    """
    random = stream(scenario.seed, "orders")
    most = max([100, *(each.demand for each in scenario.shocks)]) * (100 + scenario.swing)
    a_second = ORDERS_A_DAY / DAY * scenario.devices / USUAL * scenario.demand / 100 * most / 10_000
    found: list[Wanted] = []
    at = 0.0
    while a_second and (at := at - log(uniform(random)) / a_second) < scenario.days * DAY:
        shock = scenario.shock(int(at) // DAY)
        wanted = shock.demand * tide(int(at) // HOUR, scenario.swing)
        is_there = uniform(random) * most < wanted
        places = 1 + int(log(uniform(random)) / log(1 - 1 / PLACES))
        seconds = max(HOUR, int(-log(uniform(random)) * LEASE_HOURS * HOUR))
        value = _lognormal(random, VALUE, VALUE_SPREAD) * shock.worth
        address = random.randbytes(32)
        if is_there:
            since = begins + int(at)
            found.append(Wanted(address, since, since + PARAMS.match_window, places, seconds, value))
    return found
