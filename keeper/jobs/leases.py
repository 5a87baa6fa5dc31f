"""The job of orders: it ends, pays, refunds and closes what time has made due, for everybody."""

from __future__ import annotations

from functools import partial

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper import sender
from keeper.chain import ChainReader, Event
from keeper.clients import orders
from keeper.clients.orders import PROGRAM, Config
from keeper.jobs.port import Port, do_all, pick
from keeper.market.leases import Due, DueKind, OrderAccounts, due

LOGGED = {
    "LeaseEnded": ("lease.ended", ("lease", "reason", "released")),
    "Worked": ("lease.paid", ("lease", "amount", "fee", "renter_fee")),
    "LeaseClosed": ("lease.closed", ("lease", "seconds", "failed")),
    "FaultClosed": ("fault.closed", ("lease",)),
    "Refund": ("order.refunded", ("cluster_id", "amount")),
    "OrderClosed": ("order.closed", ("order", "reason", "paid", "refunded")),
}
"""Names in the log, and fields, by the program's events."""
STEPS = 5
"""A lease's end, payment, closing, its order's refund and closing. Whoever keeps making more due waits for
the next run, as everybody does: other jobs have their turn first.
"""


async def keep_leases(port: Port) -> list[Event]:
    """Do everything that is due for orders; see :func:`~keeper.market.leases.due`.

    What one step makes due is done in the same run, up to :data:`STEPS`. What is refused alone (a token
    account that its owner closed or that is frozen) is logged and tried again later, and keeps nothing else
    from being done.
    """
    config = await orders.read_config(port.chain)
    if config is None:
        port.log.info("leases.not_initialised")
        return []
    events: list[Event] = []
    tried: set[Due] = set()
    for _ in range(STEPS):
        book = await read_book(port.chain)
        todo = [each for each in due(book, (await port.chain.clock()).unix_timestamp) if each not in tried]
        if not todo:
            break
        tried.update(todo)
        actions = [
            sender.Action(
                name(each, book),
                (instruction(each, book, config, port.payer),),
                partial(_is_due, port.chain, each, book),
                patient=True,
            )
            for each in todo
        ]
        events += await do_all(port, PROGRAM, actions)
    for event in events:
        if event.name in LOGGED:
            line, fields = LOGGED[event.name]
            shown = pick(event.fields, *fields)
            port.log.info(line, **{key: str(v) if isinstance(v, Pubkey) else v for key, v in shown.items()})
    return events


async def read_book(chain: ChainReader) -> OrderAccounts:
    """Read all orders, leases and faults; leases first, as an order outlives its own."""
    leases = await orders.read_leases(chain)
    faults = {fault.address: fault for fault in await orders.read_faults(chain)}
    found = await orders.read_orders(chain)
    return OrderAccounts(found, {at: lease for at, lease in leases.items() if lease.order in found}, faults)


def name(action: Due, book: OrderAccounts) -> str:
    """An action's name: an address, when it was created (it can be again), and what is done.

    A payment's name has what was paid before, a refund's what was refunded before.
    """
    address, kind = action.address, action.kind
    match kind:
        case DueKind.END | DueKind.CLOSE_LEASE:
            return f"lease:{address}:{book.leases[address].matched_at}:{kind}"
        case DueKind.SETTLE:
            lease = book.leases[address]
            return f"lease:{address}:{lease.matched_at}:{kind}:{lease.paid}"
        case DueKind.CLOSE_FAULT:
            return f"fault:{address}:{book.faults[address].lease_start}:{kind}"
        case DueKind.REFUND:
            order = book.orders[address]
            return f"order:{address}:{order.created_at}:{kind}:{order.refunded}"
        case DueKind.CLOSE_ORDER:
            return f"order:{address}:{book.orders[address].created_at}:{kind}"


def instruction(action: Due, book: OrderAccounts, config: Config, payer: Pubkey) -> Instruction:
    """The instruction that does an action."""
    address = action.address
    match action.kind:
        case DueKind.END:
            return orders.end_lease(payer, book.leases[address])
        case DueKind.SETTLE:
            lease = book.leases[address]
            return orders.settle(config, book.orders[lease.order], lease)
        case DueKind.CLOSE_LEASE:
            return orders.close_lease(book.leases[address])
        case DueKind.CLOSE_FAULT:
            return orders.close_fault(book.faults[address])
        case DueKind.REFUND:
            return orders.refund(config, book.orders[address])
        case DueKind.CLOSE_ORDER:
            return orders.close_order(config, book.orders[address])


async def _is_due(chain: ChainReader, action: Due, before: OrderAccounts) -> bool:
    """Whether an action is still due, by the accounts that it is about alone."""
    address, kind = action.address, action.kind
    if kind is DueKind.CLOSE_FAULT:
        lease_at = before.faults[address].lease
        lease, fault = await chain.accounts([lease_at, address])
        leases = {lease_at: orders.parse_lease(lease.data)} if lease else {}
        book = OrderAccounts({}, leases, {address: orders.parse_fault(fault.data)} if fault else {})
    elif kind in (DueKind.REFUND, DueKind.CLOSE_ORDER):
        (order,) = await chain.accounts([address])
        book = OrderAccounts({address: orders.parse_order(order.data)} if order else {}, {}, {})
    else:
        order_at = before.leases[address].order
        order, lease = await chain.accounts([order_at, address])
        if order is None or lease is None:
            return False
        book = OrderAccounts(
            {order_at: orders.parse_order(order.data)}, {address: orders.parse_lease(lease.data)}, {}
        )
    now = (await chain.clock()).unix_timestamp
    return any(name(each, book) == name(action, before) for each in due(book, now))
