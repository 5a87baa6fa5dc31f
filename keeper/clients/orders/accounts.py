"""The orders program's accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients.orders.program import (
    CONFIG,
    MAX_CLASSES,
    MAX_COUNTRIES,
    PROGRAM,
    fault_address,
    lease_address,
    order_address,
)
from keeper.clients.records import accounts_of, record
from keeper.economy import orders as economy
from keeper.economy.orders import Currency, EndReason, LeaseStatus, OrderStatus, Payment


@dataclass(frozen=True, slots=True)
class Params:
    """What the admin sets: durations in seconds, fees in basis points."""

    match_window: int = 20 * 60
    accept_window: int = 10 * 60
    settlement_lag: int = 2 * 3_600
    notice: int = 7 * 86_400
    renter_fee_bps: int = 25
    supplier_fee_bps: int = 25
    usdc_fee_bps: int = 200

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        return {**asdict(self), "_pad": bytes(2)}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a renter asks for; ``price`` is the most for a processor and hour, base units of the currency."""

    price: int
    hours: int
    devices: int
    processors: int
    classes: tuple[int, ...]
    currency: Currency = Currency.IO
    min_tier: int = 1
    urgency: int = 1
    colocated: bool = False
    countries: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        countries = [country.encode() for country in self.countries]
        return {
            **asdict(self),
            "colocated": int(self.colocated),
            "class_count": len(self.classes),
            "country_count": len(countries),
            "_pad": bytes(3),
            "classes": [*self.classes, *[0] * (MAX_CLASSES - len(self.classes))],
            "countries": [*countries, *[bytes(2)] * (MAX_COUNTRIES - len(countries))],
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Terms:
        """From the program's own values."""
        changed = {
            "currency": Currency(values["currency"]),
            "colocated": bool(values["colocated"]),
            "classes": tuple(values["classes"][: values["class_count"]]),
            "countries": tuple(bytes(c).decode() for c in values["countries"][: values["country_count"]]),
        }
        return record(cls, {**values, **changed})


@dataclass(frozen=True, slots=True)
class Config:
    """The root account: roles, parameters, mints, and the vaults that fees go to."""

    pause_mask: int
    pause_until: int
    admin: Pubkey
    pending_admin: Pubkey
    guardian: Pubkey
    io_mint: Pubkey
    usdc_mint: Pubkey
    io_fees: Pubkey
    usdc_fees: Pubkey
    staking_config: Pubkey
    params: Params
    pending: Params
    pending_at: int
    revision: int
    pending_guardian: Pubkey
    guardian_at: int

    def mint(self, currency: Currency) -> Pubkey:
        """The mint of a currency."""
        return self.io_mint if currency == Currency.IO else self.usdc_mint

    def fees(self, currency: Currency) -> Pubkey:
        """Where fees in a currency go."""
        return self.io_fees if currency == Currency.IO else self.usdc_fees

    def is_paused(self, mask: int, now: int) -> bool:
        """Whether one of the operations of ``mask`` is stopped at ``now``."""
        return bool(self.pause_mask & mask) and now < self.pause_until


@dataclass(frozen=True, slots=True)
class Order:
    """An order and its money (base units; times unix seconds)."""

    status: int
    open: int
    leases: int
    served: int
    renter_fee_bps: int
    supplier_fee_bps: int
    country: bytes
    id: int
    created_at: int
    match_until: int
    accept_window: int
    settlement_lag: int
    transactions: int
    deposit: int
    free: int
    held: int
    paid: int
    fees: int
    refunded: int
    renter: Pubkey
    vault: Pubkey
    terms: Terms

    @property
    def address(self) -> Pubkey:
        """The order's own account."""
        return order_address(self.renter, self.id)

    @property
    def place(self) -> int:
        """What is deposited for one device."""
        terms = self.terms
        return economy.place(terms.price, terms.processors, terms.hours, self.renter_fee_bps)

    def takes_devices(self, now: int) -> bool:
        """Whether a device can still be matched."""
        return self.status == OrderStatus.OPEN and self.open > 0 and now < self.match_until

    def refundable(self, now: int) -> int:
        """What the renter gets back if it is refunded now."""
        return self.free - (self.place * self.open if self.takes_devices(now) else 0)


@dataclass(frozen=True, slots=True)
class Lease:
    """A device leased to an order (base units; times unix seconds, 0 for never)."""

    status: int
    reason: int
    hours: int
    rate: int
    matched_at: int
    accept_until: int
    start: int
    stop: int
    ended_at: int
    held: int
    paid: int
    hold_from: int
    hold_until: int
    order: Pubkey
    device: Pubkey
    supplier: Pubkey
    worker: Pubkey
    payout: Pubkey
    payer: Pubkey
    fees: int
    renter_fee_bps: int

    @property
    def address(self) -> Pubkey:
        """The lease's own account."""
        return lease_address(self.order, self.device)

    def due_until(self, order: Order, now: int) -> int:
        """The time until which its supplier is owed."""
        hold = (self.hold_from, self.hold_until)
        return economy.due_until(self.start, self.stop, hold, order.settlement_lag, now)

    def due(self, order: Order, now: int) -> Payment:
        """What its supplier is paid and which fees are charged if it is settled now."""
        until = self.due_until(order, now)
        total = economy.earned(self.rate, until - self.start)
        last = self.status == LeaseStatus.ENDED and self.start > 0 and until == self.stop
        fees = self.renter_fee if last else economy.fee(total, self.renter_fee_bps)
        return economy.payment(total, self.paid, order.supplier_fee_bps, fees - self.fees)

    @property
    def renter_fee(self) -> int:
        """The renter's whole fee on it, as things stand."""
        seconds, reason = self.stop - self.start, EndReason(self.reason)
        return economy.renter_fee(self.rate, self.hours, seconds, reason, self.renter_fee_bps)


@dataclass(frozen=True, slots=True)
class Fault:
    """Operators' votes on a lease; ``votes`` has a bit for each operator."""

    decided: bool
    good_hours: int
    revision: int
    votes: int
    lease: Pubkey
    lease_start: int
    evidence: bytes
    payer: Pubkey

    @property
    def address(self) -> Pubkey:
        """The votes' own account."""
        return fault_address(self.lease, self.evidence, self.good_hours)


# -- reading -----------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    values = PROGRAM.account("Config", data)
    params = {name: record(Params, values[name]) for name in ("params", "pending")}
    return record(Config, {**values, **params})


def parse_order(data: bytes) -> Order:
    """Read an order's bytes."""
    values = PROGRAM.account("Order", data)
    return record(Order, {**values, "terms": Terms.of(values["terms"])})


def parse_lease(data: bytes) -> Lease:
    """Read a lease's bytes."""
    return record(Lease, PROGRAM.account("Lease", data))


def parse_fault(data: bytes) -> Fault:
    """Read a fault's bytes."""
    return record(Fault, PROGRAM.account("Fault", data))


async def read_config(chain: ChainReader) -> Config | None:
    """Read the config, None before ``initialize``."""
    (account,) = await chain.accounts([CONFIG])
    return parse_config(account.data) if account else None


async def read_order(chain: ChainReader, renter: Pubkey, number: int) -> Order | None:
    """Read a renter's order, None when there is none or it is closed."""
    (account,) = await chain.accounts([order_address(renter, number)])
    return parse_order(account.data) if account else None


async def read_orders(chain: ChainReader) -> dict[Pubkey, Order]:
    """Read all orders by their addresses, the oldest first."""
    found = {a: parse_order(data) for a, data in (await accounts_of(chain, PROGRAM, "Order")).items()}
    return dict(sorted(found.items(), key=lambda row: (row[1].created_at, bytes(row[0]))))


async def read_leases(chain: ChainReader) -> dict[Pubkey, Lease]:
    """Read all leases by their addresses, the oldest first."""
    found = {a: parse_lease(data) for a, data in (await accounts_of(chain, PROGRAM, "Lease")).items()}
    return dict(sorted(found.items(), key=lambda row: (row[1].matched_at, bytes(row[0]))))


async def read_faults(chain: ChainReader) -> list[Fault]:
    """Read all faults, by lease and evidence."""
    found = [parse_fault(data) for data in (await accounts_of(chain, PROGRAM, "Fault")).values()]
    return sorted(found, key=lambda fault: (bytes(fault.lease), fault.evidence, fault.good_hours))
