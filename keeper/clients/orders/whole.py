"""An order with its leases, as they are now."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.program import UnexpectedData
from keeper.clients.orders.accounts import Lease, Order, parse_order, read_leases_of
from keeper.clients.orders.program import PROGRAM


async def read_with_leases(chain: ChainReader, at: Pubkey) -> tuple[Order, list[Lease]]:
    """Read an order and its leases, the oldest first; raises ChainError when it isn't there."""
    leases = await read_leases_of(chain, at)  # First, as an order outlives its own.
    (account,) = await chain.accounts([at])
    if account is None or account.owner != PROGRAM.address:
        raise ChainError(f"there is no order {at}: it was closed (ionet order receipt) or never existed")
    try:
        order = parse_order(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no order ({error}); see ionet order list") from error
    if order.address != at:
        raise ChainError(f"the node answers with another order than {at}: ask one that you trust")
    return order, [lease.begun(order) for lease in leases]
