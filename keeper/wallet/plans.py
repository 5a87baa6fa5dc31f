"""What renters and suppliers are about to sign of orders and leases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated
from keeper.clients import orders
from keeper.clients.orders import Config, Lease, Order, Parked, Terms
from keeper.clients.staking import Class, Device
from keeper.economy import orders as economy
from keeper.economy.money import show
from keeper.economy.orders import Currency, OrderStatus
from keeper.market.leases import ending
from keeper.market.matching import SUPPLIERS_TICK, lease_to_be
from keeper.wallet import openings
from keeper.wallet.plan import Closing, Movement, NamedAccount, NothingToDo, Opening, Plan

_FEE = (
    "The fee is charged as the lease is paid, and in full unless it ends early: then on what was served, and "
    "on a day more at most if you end it."
)


def create(config: Config, renter: Pubkey, number: int, terms: Terms) -> Plan:
    """Open an order: the most that it can cost goes into its vault."""
    currency, params = terms.currency, config.params
    bps = params.renter_bps(currency, terms.urgency)
    deposit = terms.deposit(params)
    order = orders.order_address(renter, number)
    movement = Movement(
        _wallet("your account", renter, config, currency),
        NamedAccount("the order's vault", orders.vault_address(order)),
        deposit,
        currency,
        f"devices x hours x highest price, and the fee of {_percent(bps)}",
    )
    notes = (
        f"The order is {order}.",
        f"To try it again, add --number {number}: under one number no second order is opened.",
        f"What is not matched within {params.match_window // 60} minutes comes back, and so does what the "
        "network's price leaves over. To cancel it before costs the fee on an hour of each open place.",
    )
    opening = orders.create_order(renter, number, terms, config.mint(currency), max_deposit=deposit)
    return Plan((opening,), (movement,), notes, openings=openings.order(order, renter))


def extend(config: Config, order: Order, leases: Sequence[Lease], hours: int) -> Plan:
    """Add hours to running leases: their price and the fee on it go into the vault."""
    instructions, movements, notes = [], [], [_FEE]
    currency = order.terms.currency
    for lease in leases:
        amount = lease.extension(hours)
        instructions.append(orders.extend_lease(config, order, lease, hours, max_amount=amount))
        payer = _wallet("your account", order.renter, config, currency)
        why = f"{hours} hours more of {lease.device}, and the fee of {_percent(lease.renter_fee_bps)}"
        movements.append(Movement(payer, _vault(order), amount, currency, why))
        notes.append(f"{lease.device}: {lease.hours:,} hours now, and {lease.hours + hours:,} then.")
    return Plan(tuple(instructions), tuple(movements), tuple(notes))


def end(
    config: Config,
    order: Order,
    leases: Sequence[Lease],
    devices: Mapping[Pubkey, Device],
    caller: Pubkey,
    now: int,
) -> Plan:
    """End leases of these devices at ``now``; a renter takes back at once what is free then."""
    instructions, notes = [], []
    for lease in leases:
        may_end = devices[lease.device].worker_may_end
        found = ending(order, lease, caller, now, worker_may_end=may_end)
        instructions.append(orders.end_lease(caller, lease))
        served = max(found.stop - lease.begun(order).start, 0)
        charged = found.fee + found.order.fees - order.fees
        notes.append(
            f"{lease.device}: {served:,} seconds are paid for; still owed to its supplier, who gets it as "
            f"time passes: {_amount(found.pay, order)}; still charged of the renter's fee: "
            f"{_amount(charged, order)}; free again: {_amount(found.order.free - order.free, order)}."
        )
        order = found.order
    refund = order.refundable(now) if caller == order.renter else 0
    if not refund:
        return Plan(tuple(instructions), (), tuple(notes))
    instructions += [_account(config, order, caller), orders.refund(config, order)]
    opened = (_own(config, order, order.renter, caller),)
    return Plan(tuple(instructions), (_back(config, order, refund),), tuple(notes), openings=opened)


def cancel(config: Config, order: Order, now: int, in_vault: int, *, fees_payable: bool = True) -> Plan:
    """Want no more devices, and take back what is free; without leases, close the order.

    ``in_vault`` is the vault's balance; while the fee vault can't be paid, an order that owes it something
    stays until keepers have parked that. Raises NothingToDo.
    """
    open_ = order.status == OrderStatus.OPEN and order.open > 0
    charged = order.cancel_fee(now) if open_ else 0
    due = order.fees_due + charged
    rest = replace(order, status=OrderStatus.CANCELLED, open=0, free=order.free - charged, fees_due=due)
    instructions = [orders.cancel_order(order)] if open_ else []
    closes = order.leases == 0 and (fees_payable or not due)
    amount = in_vault - due if closes else rest.refundable(now)
    if amount or closes:
        last = orders.close_order(config, order) if closes else orders.refund(config, order)
        instructions += [_account(config, order, order.renter), last]
    if not instructions:
        raise NothingToDo("nothing is left to cancel or to take back; to end leases: ionet order end")
    movements = [_back(config, order, amount)] if amount else []
    if closes and due:
        movements.append(_fees(config, order, due))
    notes = (f"The fee for cancelling it before its time is over: {_amount(charged, order)}.",)
    ends = (
        Closing("the order's account", order.address, order.renter),
        Closing("the order's vault", order.vault, order.renter),
    )
    return Plan(
        tuple(instructions),
        tuple(movements),
        notes if charged else (),
        openings=(_own(config, order, order.renter, order.renter),) if amount or closes else (),
        closings=ends if closes else (),
    )


def accept(config: Config, order: Order, lease: Lease, payer: Pubkey) -> Plan:
    """Accept a lease: the hours begin, and no token moves."""
    principal = economy.principal(lease.rate, lease.hours)
    net = principal - economy.fee(principal, order.supplier_fee_bps)
    gang = (f"The hours begin once {order.terms.min_devices} of the order's devices have accepted.",)
    return Plan(
        (
            create_associated(payer, lease.payout, config.mint(order.terms.currency)),
            orders.accept_lease(config, order, lease),
        ),
        (),
        (
            f"Served for all of its {lease.hours} hours, the lease pays {_amount(net, order)} to "
            f"{lease.payout}, by the second and {order.settlement_lag // 60} minutes late.",
            *(gang if order.is_unfilled_gang else ()),
        ),
        openings=(_own(config, order, lease.payout, payer),),
    )


def match(
    order: Order, device: Device, of_class: Class, matcher: Pubkey, now: int, tick: int = SUPPLIERS_TICK
) -> tuple[Instruction, Lease]:
    """Match a device to an order; returns the lease that it makes, too. No token leaves the order's vault.

    An operator names the tick of its turn. With a supplier's match the worker signs as well, and accepts the
    lease in the same transaction.
    """
    instruction = orders.match_device(matcher, order, device, tick)
    return instruction, lease_to_be(order, device, of_class, matcher, now, tick)


def pay_parked(config: Config, parked: Parked) -> Plan:
    """Pay what was set aside for a payee that could not be paid."""
    currency = Currency.IO if parked.mint == config.io_mint else Currency.USDC
    movement = Movement(
        NamedAccount("the parked vault", config.parked(currency)),
        NamedAccount("the payee's account", parked.destination),
        parked.amount,
        currency,
        f"set aside for {parked.wallet}",
    )
    ends = (Closing("the record of what was set aside", parked.address, parked.payer),)
    return Plan((orders.pay_parked(config, parked),), (movement,), closings=ends)


def _back(config: Config, order: Order, amount: int) -> Movement:
    to = _wallet("your account", order.renter, config, order.terms.currency)
    return Movement(_vault(order), to, amount, order.terms.currency, "no lease and no open place needs it")


def _fees(config: Config, order: Order, amount: int) -> Movement:
    to = NamedAccount("the network's fee vault", config.fees(order.terms.currency))
    return Movement(_vault(order), to, amount, order.terms.currency, "the network's fees")


def _account(config: Config, order: Order, payer: Pubkey) -> Instruction:
    return create_associated(payer, order.renter, config.mint(order.terms.currency))


def _own(config: Config, order: Order, owner: Pubkey, payer: Pubkey) -> Opening:
    currency = order.terms.currency
    return openings.tokens(owner, payer, currency, config.mint(currency))


def _wallet(name: str, owner: Pubkey, config: Config, currency: Currency) -> NamedAccount:
    return NamedAccount(name, associated_token_address(owner, config.mint(currency)))


def _vault(order: Order) -> NamedAccount:
    return NamedAccount("the order's vault", order.vault)


def _percent(bps: int) -> str:
    return f"{bps / 100:g} %"


def _amount(amount: int, order: Order) -> str:
    return f"{show(amount, order.terms.currency)} {order.terms.currency.name}"
