"""What every part of the orders model stands on: the state, its invariants, and shared checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.model.orders.state import (
    ENDED,
    FEES,
    IO,
    USDC,
    Fault,
    Lease,
    Order,
    OrdersConfig,
    fee,
    order_vault,
)
from tests.model.staking.program import Staking
from tests.model.staking.state import Device
from tests.model.state import U64, ZERO, Address, Event, Refused, Tokens, require

PAUSE_ORDERS, PAUSE_MATCHING = 1, 2


@dataclass(frozen=True)
class Addresses:
    """Where accounts are: the model names them as the chain does, and knows no derivation."""

    usdc_mint: Address
    fees: tuple[Address, Address]
    order: Callable[[Address, int], Address]
    vault: Callable[[Address], Address]
    lease: Callable[[Address, Address], Address]


@dataclass
class OrdersLedger:
    """The whole state; devices and IO are ``staking``'s and its economy's, USDC is here."""

    staking: Staking
    addresses: Addresses
    upgrade_authority: Address
    usdc: dict[Tokens, int]
    usdc_supply: int
    config: OrdersConfig | None = None
    orders: dict[Address, Order] = field(default_factory=dict)
    leases: dict[Address, Lease] = field(default_factory=dict)
    faults: dict[tuple[Address, bytes, int], Fault] = field(default_factory=dict)
    past_fees: Counter[int] = field(default_factory=Counter)
    """Of accounts that are closed, by currency."""
    earned: Counter[tuple[Address, int]] = field(default_factory=Counter)
    """By closed leases, after the supplier's fee: by wallet and currency."""
    spent: Counter[tuple[Address, int]] = field(default_factory=Counter)
    """By closed orders: what was paid to suppliers and in fees, by renter and currency."""

    @property
    def now(self) -> int:
        """The chain's clock."""
        return self.staking.now

    def invariants(self) -> None:
        """The protocol's invariants; AssertionError where one is broken."""
        self.staking.invariants()
        assert sum(self.usdc.values()) == self.usdc_supply
        if self.config is None:
            return
        fees = Counter(self.past_fees)
        for address, order in self.orders.items():
            held = sum(lease.held for lease in self.leases_of(address).values())
            free = self.free(address)
            assert held >= 0 and free >= (order.place * order.open if order.takes_devices(self.now) else 0)
            currency = order.terms.currency
            assert self.purse(currency)[order_vault(address)] == free + held + order.donated
            fees[currency] += order.fees
        for lease in self.leases.values():
            order = self.orders[lease.order]
            assert lease.held >= 0
            if lease.start:
                due = lease.due_until(order.params.settlement_lag, self.now)
                assert lease.paid <= lease.worth(due)
                # A fee is only on what was served, until nothing can be taken back any more.
                assert lease.fees <= lease.chargeable(due) <= lease.fee
            fees[order.terms.currency] += fee(lease.paid, order.params.supplier_fee_bps)
        for currency in (IO, USDC):
            assert self.purse(currency)[FEES] == fees[currency]
        live = {each.device: address for address, each in self.leases.items() if each.status != ENDED}
        devices = self.staking.devices
        assert live == {address: each.lease for address, each in devices.items() if each.lease != ZERO}

    # -- what follows from the state -------------------------------------------------------------

    def leases_of(self, order: Address) -> dict[Address, Lease]:
        """An order's leases that are there."""
        return {address: each for address, each in self.leases.items() if each.order == order}

    def held(self, order: Address) -> int:
        """What its vault owes to leases."""
        return sum(each.held for each in self.leases_of(order).values())

    def free(self, order: Address) -> int:
        """What of its money is nobody's but the renter's."""
        row = self.orders[order]
        return row.deposit - row.paid - row.fees - row.refunded - self.held(order)

    def purse(self, currency: int) -> dict[Tokens, int]:
        """All token accounts of a currency."""
        return self.staking.economy.tokens if currency == IO else self.usdc

    def mint(self, currency: int) -> Address:
        """A currency's mint."""
        return self.staking.economy.mint if currency == IO else self.addresses.usdc_mint

    # -- what a check needs ----------------------------------------------------------------------

    def _config(self) -> OrdersConfig:
        if self.config is None:
            raise Refused("AccountMissing")
        return self.config

    def _order(self, address: Address) -> Order:
        require(address in self.orders, "AccountMissing")
        return self.orders[address]

    def _lease(self, address: Address) -> tuple[Lease, Order]:
        require(address in self.leases, "AccountMissing")
        lease = self.leases[address]
        return lease, self.orders[lease.order]

    def _device(self, address: Address) -> Device:
        require(address in self.staking.devices, "AccountMissing")
        return self.staking.devices[address]

    def _require_running(self, bit: int) -> None:
        config = self._config()
        require(not (config.pause_mask & bit and self.now < config.pause_until), "Paused")

    def _require_tokens(self, account: Tokens, currency: int) -> None:
        require(account in self.purse(currency), "AccountMissing")

    # -- money -----------------------------------------------------------------------------------

    def _put_down(self, order: Address, source: Tokens, amount: int) -> None:
        """A renter's money comes into its order's vault; whoever calls this has changed nothing yet."""
        row = self.orders[order]
        purse = self.purse(row.terms.currency)
        require(row.deposit + amount <= U64, "Overflow")
        require(source in purse, "InvalidAccountData")
        require(amount <= purse[source], "InsufficientFunds")
        purse[source] -= amount
        purse[order_vault(order)] += amount
        row.deposit += amount

    def _pay(self, order: Address, to: Tokens, amount: int) -> int:
        """Money leaves an order's vault; returns the movement's number."""
        row = self.orders[order]
        purse = self.purse(row.terms.currency)
        purse[order_vault(order)] -= amount
        purse[to] += amount
        return self._number(row)

    def _number(self, order: Order) -> int:
        order.transactions += 1
        return order.transactions - 1

    # -- the token program, used directly --------------------------------------------------------

    def donate(self, owner: Address, source: Tokens, order: Address, amount: int) -> list[Event]:
        """Somebody sends tokens to an order's vault."""
        row = self.orders[order]
        purse = self.purse(row.terms.currency)
        require(amount <= purse[source], "InsufficientFunds")
        require(source.owner == owner, "OwnerMismatch")
        purse[source] -= amount
        purse[order_vault(order)] += amount
        row.donated += amount
        return []
