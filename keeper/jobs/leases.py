"""The job of orders: it ends, pays, parks, refunds and closes what time has made due, for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from solders.pubkey import Pubkey

from keeper import sender
from keeper.chain import ChainReader, Event
from keeper.clients import orders
from keeper.clients.orders import PROGRAM, Config
from keeper.clients.records import data_at
from keeper.jobs.lease_actions import instruction, key, name, payee_of
from keeper.jobs.port import Port, do_all, pick
from keeper.market.leases import Due, DueKind, OrderAccounts, due

LOGGED = {
    "LeaseEnded": ("lease.ended", ("lease", "reason", "released")),
    "Worked": ("lease.paid", ("lease", "amount", "fee", "renter_fee")),
    "PayParked": ("lease.parked", ("lease", "wallet", "amount")),
    "LeaseClosed": ("lease.closed", ("lease",)),
    "FaultClosed": ("fault.closed", ("lease",)),
    "Refund": ("order.refunded", ("cluster_id", "amount")),
    "FeesParked": ("order.fees_parked", ("cluster_id", "amount")),
    "OrderClosed": ("order.closed", ("order", "reason", "paid", "refunded")),
    "ParkedPaid": ("parked.paid", ("wallet", "amount")),
}
"""Names in the log, and fields, by the program's events."""
STEPS = 5
"""A lease's end, payment, closing, its order's refund and closing. Whoever keeps making more due waits for
the next run, as everybody does: other jobs have their turn first.
"""


async def keep_leases(port: Port) -> list[Event]:
    """Do everything that is due for orders; see :func:`~keeper.market.leases.due`.

    What one step makes due is done in the same run, up to :data:`STEPS`. A payee whose token account is
    closed or frozen keeps nobody waiting: in the end its money is parked, and paid once it can be. What is
    refused alone (a renter's account of that kind) is logged and tried again later, and keeps nothing else
    from being done.
    """
    config = await orders.read_config(port.chain)
    if config is None:
        port.log.info("leases.not_initialised")
        return []
    events: list[Event] = []
    tried: set[Due] = set()
    for _ in range(STEPS):
        now = (await port.chain.clock()).unix_timestamp
        book = await read_book(port.chain)
        book = await with_blocked(port.chain, book, config, due(book, now))
        todo = [each for each in due(book, now) if each not in tried]
        if not todo:
            break
        tried.update(todo)
        actions = [
            sender.Action(
                key(each, book, now),
                (instruction(each, book, config, port.payer),),
                partial(_is_due, port.chain, each, book, config),
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
    """Read all orders, leases, faults and parked money; leases first, as an order outlives its own."""
    leases = await orders.read_leases(chain)
    faults = {fault.address: fault for fault in await orders.read_faults(chain)}
    parked = {each.address: each for each in await orders.read_parked(chain)}
    found = await orders.read_orders(chain)
    there = {at: lease for at, lease in leases.items() if lease.order in found}
    return OrderAccounts(found, there, faults, parked)


async def with_blocked(
    chain: ChainReader, book: OrderAccounts, config: Config, found: Iterable[Due]
) -> OrderAccounts:
    """The book, with what of ``found`` can't be paid: see :class:`~keeper.market.leases.OrderAccounts`."""
    payees = {each.address: payee for each in found if (payee := payee_of(each, book, config))}
    accounts = await chain.accounts([each.tokens for each in payees.values()])
    rows = zip(payees.items(), accounts, strict=True)
    return replace(book, blocked={at for (at, payee), account in rows if not payee.is_payable(account)})


async def _is_due(chain: ChainReader, action: Due, before: OrderAccounts, config: Config) -> bool:
    """Whether an action is still due, by the accounts that it is about alone."""
    address, kind = action.address, action.kind
    if kind is DueKind.CLOSE_FAULT:
        lease_at = before.faults[address].lease
        lease, fault = await data_at(chain, orders.PROGRAM, [lease_at, address])
        leases = {lease_at: orders.parse_lease(lease)} if lease else {}
        book = OrderAccounts({}, leases, {address: orders.parse_fault(fault)} if fault else {})
    elif kind is DueKind.PAY_PARKED:
        (parked,) = await data_at(chain, orders.PROGRAM, [address])
        there = {address: orders.parse_parked(parked)} if parked else {}
        book = OrderAccounts({}, {}, {}, there)
    elif kind in (DueKind.REFUND, DueKind.PARK_FEES, DueKind.CLOSE_ORDER):
        (order,) = await data_at(chain, orders.PROGRAM, [address])
        book = OrderAccounts({address: orders.parse_order(order)} if order else {}, {}, {})
    else:
        order_at = before.leases[address].order
        order, lease = await data_at(chain, orders.PROGRAM, [order_at, address])
        if order is None or lease is None:
            return False
        book = OrderAccounts({order_at: orders.parse_order(order)}, {address: orders.parse_lease(lease)}, {})
    now = (await chain.clock()).unix_timestamp
    book = await with_blocked(chain, book, config, due(book, now))
    return any(name(each, book) == name(action, before) for each in due(book, now))
