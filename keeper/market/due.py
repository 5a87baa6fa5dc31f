"""Which of a batch's matches can still be made: as accounts are now, whoever made the others meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients import orders, staking
from keeper.clients.orders import Order
from keeper.clients.records import data_at
from keeper.clients.staking import Class, Device
from keeper.market.matching import satisfies, waits_for
from keeper.tables import Rows, addresses


@dataclass(frozen=True, slots=True)
class Match:
    """A device for an order, by their accounts as they are now."""

    order: Order
    device: Device
    of_class: Class

    @property
    def pair(self) -> tuple[Pubkey, Pubkey]:
        """The addresses of both."""
        return self.order.address, staking.device_address(self.device.worker)

    def is_open(self, now: int) -> bool:
        """Whether the order still takes devices at ``now`` (unix seconds), and the device is one for it."""
        classes = {self.of_class.id: self.of_class}
        return self.order.takes_devices(now) and satisfies(self.order, self.device, classes, now)


async def read_open(chain: ChainReader, pairs: Sequence[tuple[Pubkey, Pubkey]]) -> list[Match]:
    """Read orders, devices and classes of matches, those of which there is no lease, in their order."""
    wanted = list(dict.fromkeys(order for order, _ in pairs))
    of_orders = dict(zip(wanted, await data_at(chain, orders.PROGRAM, wanted), strict=True))
    devices = [
        staking.parse_device(each) if each else None
        for each in await data_at(chain, staking.PROGRAM, [at for _, at in pairs])
    ]
    numbers = list({each.device_class for each in devices if each})
    found = await data_at(chain, staking.PROGRAM, list(map(staking.class_address, numbers)))
    classes = {number: staking.parse_class(each) for number, each in zip(numbers, found, strict=True) if each}
    leases = await data_at(chain, orders.PROGRAM, [orders.lease_address(*pair) for pair in pairs])
    return [
        Match(orders.parse_order(order), device, of_class)
        for (address, _), device, lease in zip(pairs, devices, leases, strict=True)
        if device is not None
        and lease is None
        and (order := of_orders[address]) is not None
        and (of_class := classes.get(device.device_class)) is not None
    ]


def pairs_of(matches: Rows) -> list[tuple[Pubkey, Pubkey]]:
    """A batch's matches as addresses."""
    return list(zip(addresses(matches["order"].copy()), addresses(matches["device"].copy()), strict=True))


def due(matches: Sequence[Match], now: int) -> list[Match]:
    """Those that can be made at ``now``, unix seconds; they are sorted by order.

    One whose device was taken, was paused or has other terms since, or whose order takes no more, is left
    out; so is a gang of which too few are left to come together.
    """
    found: list[Match] = []
    for _, group in groupby(matches, key=lambda each: each.order.address):
        left = [each for each in group if each.is_open(now)]
        if left and len(left) >= waits_for(left[0].order, now):
            found += left
    return found
