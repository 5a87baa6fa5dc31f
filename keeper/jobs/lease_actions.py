"""What is due for orders as actions: their names, their instructions, and who must be payable for them."""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.framework import associated_token_address
from keeper.chain.token import is_payable
from keeper.clients import orders
from keeper.clients.orders import Config
from keeper.economy.calendar import HOUR
from keeper.market.leases import Due, DueKind, OrderAccounts


def key(action: Due, book: OrderAccounts, now: int) -> str:
    """An action's key: its name, for parked money with the hour, as that has no number of its own."""
    hour = f":{now // HOUR}" if action.kind is DueKind.PAY_PARKED else ""
    return name(action, book) + hour


def name(action: Due, book: OrderAccounts) -> str:
    """An action's name: an address, when it was created (it can be again), and what is done.

    A payment's name has what was paid before, a refund's what was refunded before.
    """
    address, kind = action.address, action.kind
    match kind:
        case DueKind.END | DueKind.CLOSE_LEASE:
            found = f"lease:{address}:{book.leases[address].matched_at}:{kind}"
        case DueKind.SETTLE | DueKind.PARK_PAY:
            lease = book.leases[address]
            found = f"lease:{address}:{lease.matched_at}:{kind}:{lease.paid}"
        case DueKind.PAY_PARKED:
            found = f"parked:{address}:{kind}:{book.parked[address].amount}"
        case DueKind.CLOSE_FAULT:
            fault = book.faults[address]
            found = f"fault:{address}:{fault.registered_at}:{fault.number}:{kind}"
        case DueKind.REFUND:
            order = book.orders[address]
            found = f"order:{address}:{order.created_at}:{kind}:{order.refunded}"
        case DueKind.PARK_FEES:
            order = book.orders[address]
            found = f"order:{address}:{order.created_at}:{kind}:{order.transactions}"
        case DueKind.CLOSE_ORDER:
            found = f"order:{address}:{book.orders[address].created_at}:{kind}"
    return found


def instruction(action: Due, book: OrderAccounts, config: Config, payer: Pubkey) -> Instruction:
    """The instruction that does an action; ``payer`` pays the rent where it takes some."""
    address = action.address
    match action.kind:
        case DueKind.END:
            found = orders.end_lease(payer, book.leases[address])
        case DueKind.SETTLE:
            lease = book.leases[address]
            found = orders.settle(config, book.orders[lease.order], lease)
        case DueKind.PARK_PAY:
            lease = book.leases[address]
            found = orders.park_pay(payer, config, book.orders[lease.order], lease)
        case DueKind.PAY_PARKED:
            found = orders.pay_parked(config, book.parked[address])
        case DueKind.CLOSE_LEASE:
            found = orders.close_lease(book.leases[address])
        case DueKind.CLOSE_FAULT:
            found = orders.close_fault(book.faults[address])
        case DueKind.REFUND:
            found = orders.refund(config, book.orders[address])
        case DueKind.PARK_FEES:
            found = orders.park_fees(payer, config, book.orders[address])
        case DueKind.CLOSE_ORDER:
            found = orders.close_order(config, book.orders[address])
    return found


@dataclass(frozen=True, slots=True)
class Payee:
    """A token account that is to be paid, and whose it must be: None for buyback's fee vaults."""

    tokens: Pubkey
    owner: Pubkey | None
    mint: Pubkey

    def is_payable(self, account: Account | None) -> bool:
        """Whether it can be paid, as ``account`` is."""
        return is_payable(account, self.owner, self.mint)


def payee_of(action: Due, book: OrderAccounts, config: Config) -> Payee | None:
    """Who must be payable for an action to be done, None for one that pays nobody but the renter."""
    match action.kind:
        case DueKind.SETTLE | DueKind.PARK_PAY:
            lease = book.leases[action.address]
            mint = config.mint(book.orders[lease.order].terms.currency)
            return Payee(associated_token_address(lease.payout, mint), lease.payout, mint)
        case DueKind.PAY_PARKED:
            parked = book.parked[action.address]
            is_fees = parked.wallet == parked.destination
            return Payee(parked.destination, None if is_fees else parked.wallet, parked.mint)
        case DueKind.PARK_FEES | DueKind.CLOSE_ORDER:
            currency = book.orders[action.address].terms.currency
            return Payee(config.fees(currency), None, config.mint(currency))
    return None
