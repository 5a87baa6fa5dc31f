"""What every part of the orders model stands on: the state, its invariants, and shared checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.model.orders.state import (
    ACCEPTED,
    ENDED,
    FEES,
    IO,
    PARKED,
    RUNNING,
    USDC,
    Fault,
    Lease,
    Order,
    OrdersConfig,
    Parked,
    fee,
    order_vault,
)
from tests.model.schedule import HOUR
from tests.model.staking.program import Staking
from tests.model.staking.state import Device
from tests.model.state import CANCELLED, U64, ZERO, Address, Event, Refused, Tokens, require

PAUSE_ORDERS, PAUSE_MATCHING = 1, 2


@dataclass(frozen=True)
class Addresses:
    """Where accounts are: the model names them as the chain does, and knows no derivation."""

    usdc_mint: Address
    order: Callable[[Address, int], Address]
    vault: Callable[[Address], Address]
    lease: Callable[[Address, Address], Address]
    parked: Callable[[Address, int], Address]
    tokens: Callable[[Tokens, int], Address]


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
    parked: dict[tuple[Address, int], Parked] = field(default_factory=dict)
    frozen: set[tuple[Tokens, int]] = field(default_factory=set)
    """Token accounts that the issuer has stopped, by currency."""
    owners: dict[tuple[Tokens, int], Address] = field(default_factory=dict)
    """Whose an account is that was handed to somebody else."""
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
        charged, waiting = Counter(self.past_fees), Counter[int]()
        for address, order in self.orders.items():
            held = sum(lease.held for lease in self.leases_of(address).values())
            free = self.free(address)
            assert held >= 0 and free >= self.kept(address) >= 0 and order.fees_due >= 0
            currency = order.terms.currency
            assert self.purse(currency)[order_vault(address)] == free + held + order.fees_due + order.donated
            charged[currency] += order.fees
            waiting[currency] += order.fees_due
            assert order.open >= 0 and order.taken >= 0 and order.open + order.taken <= order.terms.devices
            going = [each for each in self.leases_of(address).values() if each.status != ENDED]
            assert order.taken >= len(going)
            assert not order.gathers or order.status == CANCELLED or order.taken == len(going)
            # Nobody waits for a gang that can't be filled any more.
            enough = order.open + order.taken >= order.terms.min_devices
            assert enough or not order.gathers or not order.takes_devices(self.now)
            assert order.match_until >= order.created_at + order.params.match_window
            assert not order.gang_until or order.filled_at or self.leases_of(address)
            assert not order.filled_at or order.served >= order.terms.min_devices
        for lease in self.leases.values():
            self._sound(lease)
        for currency in (IO, USDC):
            records = [each for each in self.parked.values() if each.currency == currency]
            assert all(each.amount > 0 for each in records)
            assert self.purse(currency).get(PARKED, 0) == sum(each.amount for each in records)
            parked = sum(each.amount for each in records if each.destination == FEES)
            assert self.purse(currency)[FEES] + parked + waiting[currency] == charged[currency]
        live = {each.device: address for address, each in self.leases.items() if each.status != ENDED}
        devices = self.staking.devices
        assert live == {address: each.lease for address, each in devices.items() if each.lease != ZERO}

    def _sound(self, lease: Lease) -> None:
        """What holds for every lease between instructions."""
        assert lease.held >= 0
        order = self.orders[lease.order]
        if not lease.start:
            return
        due = lease.due_until(order.params.settlement_lag, self.now)
        assert lease.paid <= lease.worth(due)
        # A fee is only on what was served, until nothing can be taken back any more.
        assert lease.fees <= lease.chargeable(due) <= lease.fee
        # Nobody pays for more than was ordered; for what wasn't served, an hour and the fee on a day at most.
        assert lease.worth(lease.stop) <= lease.principal
        if lease.status == ENDED:
            assert lease.stop <= max(lease.ended_at, lease.start + HOUR)
            assert lease.fee <= fee(lease.worth(lease.stop) + 24 * lease.rate, lease.renter_fee_bps)

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

    def kept(self, order: Address) -> int:
        """What of it waits for devices that may still come."""
        row = self.orders[order]
        return min(self.free(order), row.place * row.open) if row.takes_devices(self.now) else 0

    def purse(self, currency: int) -> dict[Tokens, int]:
        """All token accounts of a currency."""
        return self.staking.economy.tokens if currency == IO else self.usdc

    def mint(self, currency: int) -> Address:
        """A currency's mint."""
        return self.staking.economy.mint if currency == IO else self.addresses.usdc_mint

    def is_payable(self, account: Tokens, currency: int) -> bool:
        """Whether its own owner would get what is sent there."""
        key = account, currency
        return account in self.purse(currency) and key not in self.frozen and key not in self.owners

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

    @contextmanager
    def _touched(self, address: Address) -> Iterator[tuple[Lease, Order, list[Event]]]:
        """A lease as it is now, written down unless it is refused.

        One whose gang was filled has begun, which is the first of the events.
        """
        lease, order = self._lease(address)
        now, events = replace(lease), list[Event]()
        if lease.status == ACCEPTED and order.filled_at:
            now.status, now.start = RUNNING, max(lease.accepted_at, order.filled_at)
            now.stop = now.start + lease.hours * HOUR
            begun = {"lease": address, "order": lease.order, "start": now.start, "stop": now.stop}
            events.append(("LeaseStarted", begun))
        yield now, order, events
        vars(lease).update(vars(now))

    def _device(self, address: Address) -> Device:
        require(address in self.staking.devices, "AccountMissing")
        return self.staking.devices[address]

    def _authority(self) -> Address:
        config = self.staking.config
        assert config is not None
        return config.lease_authority

    def _operators(self) -> tuple[Address, ...]:
        config = self.staking.config
        assert config is not None
        return config.params.operators

    def _require_running(self, bit: int) -> None:
        config = self._config()
        require(not (config.pause_mask & bit and self.now < config.pause_until), "Paused")

    def _require_renters(self, account: Tokens, currency: int) -> None:
        """The account that a renter is paid back into."""
        require(account in self.purse(currency), "AccountMissing")
        require((account, currency) not in self.owners, "NotAssociatedAccount")

    # -- money -----------------------------------------------------------------------------------

    def _require_spendable(self, source: Tokens, currency: int, amount: int) -> None:
        """What the token program asks of an account that its owner's money leaves."""
        purse = self.purse(currency)
        require(source in purse, "InvalidAccountData")
        require((source, currency) not in self.frozen, "AccountFrozen")
        require(amount <= purse[source], "InsufficientFunds")
        require((source, currency) not in self.owners, "OwnerMismatch")

    def _put_down(self, order: Address, source: Tokens, amount: int) -> None:
        """A renter's money comes into its order's vault; whoever calls this has changed nothing yet."""
        row = self.orders[order]
        currency = row.terms.currency
        require(row.deposit + amount <= U64, "Overflow")
        self._require_spendable(source, currency, amount)
        self.purse(currency)[source] -= amount
        self.purse(currency)[order_vault(order)] += amount
        row.deposit += amount

    def _pay(self, order: Address, to: Tokens, amount: int) -> int:
        """Money leaves an order's vault; returns the movement's number."""
        row = self.orders[order]
        purse = self.purse(row.terms.currency)
        purse[order_vault(order)] -= amount
        purse[to] += amount
        return self._number(row)

    def _charge(self, order: Order, amount: int) -> None:
        """The renter owes the network a fee, which stays in the vault for now."""
        order.fees += amount
        order.fees_due += amount

    def _cancel(self, address: Address, free: int) -> Event:
        """No more devices: while operators may match it, for the fee on an hour of each place."""
        order = self.orders[address]
        early = self.now < order.match_until
        charged = min(fee(order.hour * order.open, order.renter_fee_bps), free) if early else 0
        open_, order.status, order.open = order.open, CANCELLED, 0
        self._charge(order, charged)
        return "OrderCancelled", {"order": address, "open": open_, "charged": charged}

    def _send_fees(self, address: Address) -> list[Event]:
        """What is due to the network leaves the vault, if the network's own can take it."""
        order = self.orders[address]
        amount = order.fees_due
        if not amount or not self.is_payable(FEES, order.terms.currency):
            return []
        order.fees_due = 0
        number = self._pay(address, FEES, amount)
        return [("Earn", {"transaction_id": number, "cluster_id": address, "amount": amount})]

    def _number(self, order: Order) -> int:
        order.transactions += 1
        return order.transactions - 1

    # -- the token program, used directly --------------------------------------------------------

    def donate(self, owner: Address, source: Tokens, order: Address, amount: int) -> list[Event]:
        """Somebody sends tokens to an order's vault."""
        row = self.orders[order]
        self._require_spendable(source, row.terms.currency, amount)
        require(source.owner == owner, "OwnerMismatch")
        purse = self.purse(row.terms.currency)
        purse[source] -= amount
        purse[order_vault(order)] += amount
        row.donated += amount
        return []

    def send_all(self, source: Tokens, to: Tokens) -> None:
        """Somebody empties an account for USDC into another."""
        amount = self.usdc[source]
        self._require_spendable(source, USDC, amount)
        require(to in self.usdc, "InvalidAccountData")
        require((to, USDC) not in self.frozen, "AccountFrozen")
        self.usdc[source] -= amount
        self.usdc[to] += amount

    def open_tokens(self, account: Tokens) -> None:
        """Anybody opens somebody's account for USDC; it may be there, but not as another's."""
        require((account, USDC) not in self.owners, "AccountInUse")
        self.usdc.setdefault(account, 0)

    def close_tokens(self, account: Tokens) -> None:
        """An empty account for USDC is gone."""
        assert self.usdc.pop(account) == 0

    def freeze(self, account: Tokens, *, thaw: bool = False) -> None:
        """USDC's issuer stops an account, or lets it go."""
        require(account in self.usdc, "AccountMissing")
        (self.frozen.discard if thaw else self.frozen.add)((account, USDC))

    def hand_over(self, account: Tokens, to: Address) -> None:
        """An account for USDC becomes somebody else's, or its own owner's again."""
        require((account, USDC) not in self.frozen, "AccountFrozen")
        self.owners[account, USDC] = to
        if to == account.owner:
            del self.owners[account, USDC]
