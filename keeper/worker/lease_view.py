"""What a node says of the leases of a worker's devices, believed as far as it fits together.

A device's account names its lease and its order. So one question about all devices and about the leases that
are known is all that a look takes, while there is no new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from solders.pubkey import Pubkey

from keeper.chain import Account, ChainReader, Program
from keeper.chain.program import UnexpectedData
from keeper.clients import orders, staking
from keeper.clients.orders import Lease, Order
from keeper.economy.orders import LeaseStatus
from keeper.worker.lease_book import KeptLease
from keeper.worker.work import Device

T = TypeVar("T")
Accounts = dict[Pubkey, Account | None]


class Offer(NamedTuple):
    """A device's lease as the chain has it, with what its acceptance depends on."""

    device: Device
    account: staking.Device
    lamports: int
    """Of the worker's key."""
    lease: Lease
    order: Order

    @property
    def kept(self) -> KeptLease:
        """The lease as it is noted."""
        return KeptLease.of(self.lease, self.order)

    @property
    def waits(self) -> bool:
        """Whether it waits for its worker."""
        return self.lease.status == LeaseStatus.MATCHED


class View(NamedTuple):
    """All that was seen at a time."""

    offers: list[Offer]
    lamports: dict[Pubkey, int]
    """Of the workers' keys, by the devices that are registered."""
    unread: dict[Pubkey, Pubkey]
    """By device, the lease that it is in and that the node doesn't have, or has with something else in it."""
    gone: list[KeptLease]
    """Known leases whose accounts are closed."""


async def view(
    chain: ChainReader, devices: Sequence[Device], known: Mapping[Pubkey, Sequence[KeptLease]]
) -> View:
    """See every device's leases; ``known`` are those that were open before, by device. Raises ChainError."""
    asked = [at for each in devices for at in (each.address, each.signer.pubkey())]
    asked += [at for rows in known.values() for kept in rows for at in (kept.address, kept.order)]
    found = await _read(chain, asked)
    registered: list[tuple[Device, staking.Device]] = []
    for each in devices:
        account = _parsed(found, each.address, staking.PROGRAM, staking.parse_device)
        if account is not None:
            registered.append((each, account))
    leased = [account for _, account in registered if account.lease != staking.NOBODY]
    new = [at for each in leased if each.lease not in found for at in (each.lease, each.last_order)]
    found |= await _read(chain, new)
    seen = View([], {}, {}, [])
    for each, account in registered:
        worker = found[each.signer.pubkey()]
        lamports = seen.lamports[each.address] = worker.lamports if worker else 0
        rows = {kept.address: kept for kept in known[each.address]}
        wanted = {at: kept.order for at, kept in rows.items()}
        if account.lease != staking.NOBODY:
            wanted[account.lease] = account.last_order
        for at, order_at in wanted.items():
            lease, order = _lease(found, at, each.address), _order(found, order_at)
            if lease is not None and order is not None and lease.order == order_at:
                offer = Offer(each, account, lamports, lease, order)
                if offer.kept.fits:
                    seen.offers.append(offer)
                elif at == account.lease:
                    seen.unread[each.address] = at
            elif at == account.lease:
                seen.unread[each.address] = at
            elif found[at] is None:
                seen.gone.append(rows[at])
    return seen


async def _read(chain: ChainReader, addresses: Iterable[Pubkey]) -> Accounts:
    wanted = list(dict.fromkeys(addresses))
    return dict(zip(wanted, await chain.accounts(wanted), strict=True)) if wanted else {}


def _lease(found: Accounts, at: Pubkey, device: Pubkey) -> Lease | None:
    lease = _parsed(found, at, orders.PROGRAM, orders.parse_lease)
    return lease if lease is not None and (lease.device, lease.address) == (device, at) else None


def _order(found: Accounts, at: Pubkey) -> Order | None:
    order = _parsed(found, at, orders.PROGRAM, orders.parse_order)
    return order if order is not None and order.address == at else None


def _parsed(found: Accounts, at: Pubkey, program: Program, parse: Callable[[bytes], T]) -> T | None:
    """An account of a program; None where there is none, or something else."""
    account = found.get(at)
    if account is None or account.owner != program.address:
        return None
    try:
        return parse(account.data)
    except (UnexpectedData, ValueError):
        # Such as a currency that isn't one, or letters that are none: no program of ours writes them.
        return None
