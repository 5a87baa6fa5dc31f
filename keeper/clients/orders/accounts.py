"""The orders program's accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Memcmp
from keeper.clients.orders.program import (
    CONFIG,
    MAX_CLASSES,
    MAX_COUNTRIES,
    PROGRAM,
    fault_address,
    lease_address,
    order_address,
    parked_address,
    parked_vault_address,
)
from keeper.clients.records import accounts_of, data_at, record
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, EndReason, LeaseStatus, OrderStatus, Payment, Urgency


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
    exclusive: int = 5 * 60
    soon_fee_bps: int = 100
    now_fee_bps: int = 300

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        return {**asdict(self), "_pad": bytes(6)}

    def renter_bps(self, currency: Currency, urgency: Urgency) -> int:
        """What a renter pays on top of the principal, in one rate."""
        urgent = {Urgency.SOON: self.soon_fee_bps, Urgency.NOW: self.now_fee_bps}
        in_usdc = self.usdc_fee_bps if currency == Currency.USDC else 0
        return self.renter_fee_bps + in_usdc + urgent.get(urgency, 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a renter asks for; ``price`` is the most for a processor and hour, base units of the currency.

    With ``min_devices`` above 1 it is a gang: so many devices run together, or none.
    """

    price: int
    hours: int
    devices: int
    processors: int
    classes: tuple[int, ...]
    currency: Currency = Currency.IO
    min_tier: int = 1
    urgency: Urgency = Urgency.ORDINARY
    colocated: bool = False
    countries: tuple[str, ...] = ()
    min_devices: int = 1

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        countries = [country.encode() for country in self.countries]
        return {
            **asdict(self),
            "colocated": int(self.colocated),
            "class_count": len(self.classes),
            "country_count": len(countries),
            "_pad": 0,
            "classes": [*self.classes, *[0] * (MAX_CLASSES - len(self.classes))],
            "countries": [*countries, *[bytes(2)] * (MAX_COUNTRIES - len(countries))],
        }

    def deposit(self, params: Params) -> int:
        """What the renter puts down for all devices under these parameters, base units."""
        bps = params.renter_bps(self.currency, self.urgency)
        return self.devices * economy.place(self.price, self.processors, self.hours, bps)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Terms:
        """From the program's own values."""
        changed = {
            "currency": Currency(values["currency"]),
            "urgency": Urgency(values["urgency"]),
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
    matching_stopped_until: int

    def mint(self, currency: Currency) -> Pubkey:
        """The mint of a currency."""
        return self.io_mint if currency == Currency.IO else self.usdc_mint

    def fees(self, currency: Currency) -> Pubkey:
        """Where fees in a currency go."""
        return self.io_fees if currency == Currency.IO else self.usdc_fees

    def parked(self, currency: Currency) -> Pubkey:
        """Where money in a currency waits whose payee can't be paid."""
        return parked_vault_address(self.mint(currency))

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
    exclusive_until: int
    match_until: int
    match_window: int
    accept_window: int
    settlement_lag: int
    filled_at: int
    gang_until: int
    transactions: int
    deposit: int
    free: int
    held: int
    paid: int
    fees: int
    fees_due: int
    refunded: int
    renter: Pubkey
    vault: Pubkey
    terms: Terms
    taken: int
    """Places that leases have: those that wait or run, and those that served."""

    @property
    def address(self) -> Pubkey:
        """The order's own account."""
        return order_address(self.renter, self.id)

    @property
    def place(self) -> int:
        """What is deposited for one device."""
        terms = self.terms
        return economy.place(terms.price, terms.processors, terms.hours, self.renter_fee_bps)

    @property
    def hourly(self) -> int:
        """What an hour of a device costs at the highest price."""
        return self.terms.price * self.terms.processors

    @property
    def is_unfilled_gang(self) -> bool:
        """Whether it is a gang of which not enough devices have accepted yet."""
        return self.terms.min_devices > 1 and self.filled_at == 0

    def takes_devices(self, now: int) -> bool:
        """Whether a device can still be matched."""
        return self.status == OrderStatus.OPEN and self.open > 0 and now < self.match_until

    def is_stranded(self, now: int) -> bool:
        """Whether it is a gang that is never filled: it takes no more devices, and too few wait."""
        closed = self.status == OrderStatus.CANCELLED or now >= self.match_until
        return closed and self.is_unfilled_gang and self.taken < self.terms.min_devices

    def refundable(self, now: int) -> int:
        """What the renter gets back if it is refunded now."""
        kept = self.place * self.open if self.takes_devices(now) else 0
        return self.free - min(kept, self.free)

    def cancel_fee(self, now: int) -> int:
        """What cancelling it now costs the renter."""
        if now >= self.match_until:
            return 0
        return economy.cancel_fee(self.hourly, self.open, self.renter_fee_bps, self.free)


@dataclass(frozen=True, slots=True)
class Lease:
    """A device leased to an order (base units; times unix seconds, 0 for never)."""

    status: int
    reason: int
    hours: int
    rate: int
    matched_at: int
    accept_until: int
    accepted_at: int
    start: int
    stop: int
    ended_at: int
    held: int
    paid: int
    hold_from: int
    hold_until: int
    number: int
    registered_at: int
    order: Pubkey
    device: Pubkey
    supplier: Pubkey
    worker: Pubkey
    payout: Pubkey
    payer: Pubkey
    fees: int
    renter_fee_bps: int

    def begun(self, order: Order) -> Lease:
        """The lease as it is: one of a filled gang has begun, though nobody has written it down yet."""
        if self.status != LeaseStatus.ACCEPTED or not order.filled_at:
            return self
        start = max(self.accepted_at, order.filled_at)
        return replace(self, status=LeaseStatus.RUNNING, start=start, stop=start + self.hours * HOUR)

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

    def extension(self, hours: int) -> int:
        """What ``hours`` more cost the renter: the fee on them is that on all less that on those before."""
        before, after = (
            economy.cost(self.rate, each, self.renter_fee_bps) for each in (self.hours, self.hours + hours)
        )
        return after - before

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
    number: int
    registered_at: int
    evidence: bytes
    payer: Pubkey

    @property
    def address(self) -> Pubkey:
        """The votes' own account."""
        return fault_address(self.lease, self.evidence, self.good_hours)


@dataclass(frozen=True, slots=True)
class Parked:
    """Money of a payee that can't be paid: ``amount`` base units wait for ``destination``."""

    amount: int
    wallet: Pubkey
    mint: Pubkey
    destination: Pubkey
    payer: Pubkey

    @property
    def address(self) -> Pubkey:
        """The record's own account."""
        return parked_address(self.destination)


# -- reading -----------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    return config_of(PROGRAM.account("Config", data))


def config_of(values: Mapping[str, Any]) -> Config:
    """The config from its fields."""
    params = {name: record(Params, values[name]) for name in ("params", "pending")}
    return record(Config, {**values, **params})


def parse_order(data: bytes) -> Order:
    """Read an order's bytes."""
    return order_of(PROGRAM.account("Order", data))


def order_of(values: Mapping[str, Any]) -> Order:
    """An order from its account's fields."""
    return record(Order, {**values, "terms": Terms.of(values["terms"])})


def parse_lease(data: bytes) -> Lease:
    """Read a lease's bytes."""
    return lease_of(PROGRAM.account("Lease", data))


def lease_of(values: Mapping[str, Any]) -> Lease:
    """A lease from its account's fields."""
    return record(Lease, values)


def parse_fault(data: bytes) -> Fault:
    """Read a fault's bytes."""
    return record(Fault, PROGRAM.account("Fault", data))


def parse_parked(data: bytes) -> Parked:
    """Read a record of parked money's bytes."""
    return record(Parked, PROGRAM.account("Parked", data))


async def read_config(chain: ChainReader) -> Config | None:
    """Read the config, None before ``initialize``."""
    (data,) = await data_at(chain, PROGRAM, [CONFIG])
    return parse_config(data) if data else None


async def read_order(chain: ChainReader, renter: Pubkey, number: int) -> Order | None:
    """Read a renter's order, None when there is none or it is closed."""
    (data,) = await data_at(chain, PROGRAM, [order_address(renter, number)])
    return parse_order(data) if data else None


async def read_orders(chain: ChainReader) -> dict[Pubkey, Order]:
    """Read all orders by their addresses, the oldest first."""
    found = {a: parse_order(data) for a, data in (await accounts_of(chain, PROGRAM, "Order")).items()}
    return dict(sorted(found.items(), key=lambda row: (row[1].created_at, bytes(row[0]))))


LEASE_ORDER = 120
"""Where in a lease's account its order's address is, bytes: for a node to filter by."""


async def read_leases(chain: ChainReader) -> dict[Pubkey, Lease]:
    """Read all leases by their addresses, the oldest first."""
    return _oldest_first(await accounts_of(chain, PROGRAM, "Lease"))


async def read_leases_of(chain: ChainReader, order: Pubkey) -> list[Lease]:
    """Read the leases of one order, which a node picks out, the oldest first."""
    found = await accounts_of(chain, PROGRAM, "Lease", Memcmp(LEASE_ORDER, bytes(order)))
    return [lease for lease in _oldest_first(found).values() if lease.order == order]


async def read_faults(chain: ChainReader) -> list[Fault]:
    """Read all faults, by lease and evidence."""
    found = [parse_fault(data) for data in (await accounts_of(chain, PROGRAM, "Fault")).values()]
    return sorted(found, key=lambda fault: (bytes(fault.lease), fault.evidence, fault.good_hours))


async def read_parked(chain: ChainReader) -> list[Parked]:
    """Read all parked money, by wallet and mint."""
    found = [parse_parked(data) for data in (await accounts_of(chain, PROGRAM, "Parked")).values()]
    return sorted(found, key=lambda each: (bytes(each.wallet), bytes(each.mint)))


def _oldest_first(accounts: dict[Pubkey, bytes]) -> dict[Pubkey, Lease]:
    leases = {address: parse_lease(data) for address, data in accounts.items()}
    return dict(sorted(leases.items(), key=lambda row: (row[1].matched_at, bytes(row[0]))))
