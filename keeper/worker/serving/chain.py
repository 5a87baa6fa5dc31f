"""What the chain says of a lease that is served, and the two things that a worker may do about it there."""

from __future__ import annotations

from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainReader, landing
from keeper.chain.connect import writing
from keeper.chain.fees import FeePolicy
from keeper.clients import orders, staking
from keeper.clients.records import data_at
from keeper.compute.members import Members, members
from keeper.worker.lease_book import KeptLease
from keeper.worker.work import Device


class Cluster(NamedTuple):
    """An order's members, and the keys of all who have a part in it."""

    members: Members
    known: set[Pubkey]
    now: int
    """Unix seconds, the chain's."""


async def read_cluster(chain: ChainReader, order: Pubkey) -> Cluster | None:
    """The cluster of an order; None while the node hasn't the order. Raises ChainError."""
    # Leases first, as an order outlives its own.
    leases = await orders.read_leases_of(chain, order)
    (data,) = await data_at(chain, orders.PROGRAM, [order])
    if data is None:
        return None
    now = (await chain.clock()).unix_timestamp
    found = orders.parse_order(data)
    return Cluster(members(found, leases, now), {found.renter, *(each.worker for each in leases)}, now)


async def may_end(chain: ChainReader, device: Device) -> bool:
    """Whether a device's supplier lets its worker end leases. Raises ChainError."""
    (data,) = await data_at(chain, staking.PROGRAM, [device.address])
    return data is not None and staking.parse_device(data).worker_may_end


async def end_lease(chain: Chain, device: Device, kept: KeptLease, fees: FeePolicy) -> None:
    """End a lease that the device can't serve: nothing is paid for the hour that it breaks off in.

    Signed anew after a kill, as a second one is refused and costs its fee at most. Raises ChainError.
    """
    (data,) = await data_at(chain, orders.PROGRAM, [kept.address])
    if data is None:
        return
    lease = orders.parse_lease(data)
    if (lease.number, lease.registered_at) != (kept.key.number, kept.key.registered_at):
        return
    async with writing(chain):
        await landing.land(
            chain, [orders.end_lease(device.signer.pubkey(), lease)], [device.signer], fees=fees
        )


async def leave_market(chain: Chain, device: Device, fees: FeePolicy) -> bool:
    """Set a device's asks to 0, so that nothing is matched to it; whether they weren't. Raises ChainError."""
    (data,) = await data_at(chain, staking.PROGRAM, [device.address])
    if data is None:
        return False
    found = staking.parse_device(data)
    if not found.ask_io and not found.ask_usdc:
        return False
    async with writing(chain):
        await landing.land(chain, [staking.pause_device(found)], [device.signer], fees=fees)
    return True
