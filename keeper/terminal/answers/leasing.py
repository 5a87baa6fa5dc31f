"""What commands answer about devices, orders and their leases."""

from __future__ import annotations

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Bps,
    Count,
    Currency,
    EmissionHour,
    Hash,
    Milli,
    OfClass,
    Seconds,
    Time,
    Words,
)
from keeper.terminal.answers.looking import Event


class Line(TypedDict):
    """A condition."""

    name: str
    state: str
    """pass, fail or unknown."""
    found: Words
    todo: Words


class LeaseEnd(TypedDict):
    """What a lease counts for on a device's record; ``good`` and ``bad`` are thousandths."""

    number: Count
    ended_at: Time
    served: Seconds
    fee_seconds: Seconds
    """Of which fees were paid."""
    failed: bool
    disputed: bool
    good: Milli
    bad: Milli


class Reputation(TypedDict):
    """A device's record: thousandths of days and of failures, and what follows in basis points."""

    good: Milli
    bad: Milli
    bound: Bps
    weight: Bps


class Record(Reputation):
    """The same with all leases, the oldest first."""

    leases: list[LeaseEnd]


class Standing(OfClass):
    """How a device stands."""

    device: Address
    worker: Address
    supplier: Address
    payout: Address
    processors: Count
    tier: int
    country: str
    ask_io: Amount
    """For a processor and hour; 0: not for lease in it."""
    ask_usdc: Amount
    own: Amount
    counted: Amount
    minimum: Amount
    lease: Address | None
    barred_until: Time
    strikes: Count
    hired_seconds: Seconds
    leases_done: Count
    leases_failed: Count
    disputes: Count
    hour: EmissionHour | None
    """Whose published files say what operators saw; None without --dir."""
    to_earn: list[Line]
    to_be_leased: list[Line]
    record: Record | None
    """None without --record."""


class Device(OfClass):
    """A device that is listed."""

    device: Address
    supplier: Address
    status: Words
    free: bool
    """It can be leased at its class's price now."""
    processors: Count
    tier: int
    country: str
    ask_io: Amount
    ask_usdc: Amount
    counted: Amount
    """Stake that counts."""
    lease: Address | None
    hired_seconds: Seconds
    leases_done: Count
    leases_failed: Count


class Devices(TypedDict):
    """Devices, the cheapest of a class first."""

    at: Time
    devices: list[Device]


class Order(TypedDict):
    """An open order, or one with leases."""

    order: Address
    renter: Address
    status: Words
    currency: Currency
    created_at: Time
    match_until: Time
    classes: list[str]
    """Any of these, by name."""
    processors: Count
    """Of each device."""
    min_tier: int
    countries: list[str]
    """Empty for any."""
    colocated: bool
    urgency: str
    hours: Count
    price: Amount
    """The most for a processor and hour."""
    devices: Count
    """Asked for."""
    min_devices: Count
    """Of which so many run at once, or none."""
    open: Count
    """Not matched yet."""
    leases: Count
    served: Count
    deposit: Amount
    free: Amount
    held: Amount
    paid: Amount
    fees: Amount
    refunded: Amount
    refundable: Amount
    """Of what is free: can be given back now."""


class Orders(TypedDict):
    """Orders that are open or have leases."""

    at: Time
    orders: list[Order]


class Lease(TypedDict):
    """A lease of an order."""

    lease: Address
    device: Address
    supplier: Address
    worker: Address
    status: str
    """matched, accepted, running or ended."""
    words: Words
    reason: str
    """Why it ended; none before."""
    rate: Amount
    """For an hour of the whole device."""
    accept_until: Time
    start: Time
    stop: Time
    hold_until: Time
    """Until when the guardian holds its money back."""
    held: Amount
    due: Amount
    """To its supplier now, of what is held."""
    paid: Amount


class OrderShown(TypedDict):
    """An order with its leases."""

    at: Time
    order: Order
    leases: list[Lease]


class ParkedMoney(TypedDict):
    """Money whose payee couldn't be paid."""

    wallet: Address
    amount: Amount
    currency: Currency
    destination: Address
    """The token account that it is to be paid into."""


class Parked(TypedDict):
    """All that is set aside."""

    parked: list[ParkedMoney]


class LeaseReceipt(TypedDict):
    """What a lease came to."""

    lease: Address
    device: Address
    supplier: Address
    worker: Address
    payout: Address
    state: str
    matched_at: Time
    start: Time
    stop: Time
    ended_at: Time | None
    ended: Words | None
    """Why."""
    hours: Count
    rate: Amount
    paid: Amount
    """To its supplier, less the fee."""
    fees: Amount
    """Both sides'."""


class OrderReceipt(TypedDict):
    """What an order came to."""

    order: Address
    renter: Address
    currency: Currency
    opened: Time
    closed: Time | None
    close_reason: str | None
    deposit: Amount
    paid: Amount
    fees: Amount
    refunded: Amount
    free: Amount
    held: Amount
    surplus: Amount | None
    """What others had sent to its vault, paid to the renter at its end."""
    leases: list[LeaseReceipt]
    payments: list[Event]


class OrderReceipts(TypedDict):
    """An address may have had several orders, one after the other."""

    receipts: list[OrderReceipt]


class Node(TypedDict):
    """A device of a cluster; the first one is the head."""

    device: Address
    worker: Address
    address: str
    """Its IPv4 address inside of the cluster."""
    phase: str
    start: Time
    """Of its lease."""
    joined: Time
    heard: Time
    """When it last beat."""
    cpus: Count
    gpus: Count
    memory: Count
    """Bytes."""
    lets_out: bool
    """Whether its supplier lets a renter's code out to some hosts."""


class Cluster(TypedDict):
    """An order's cluster, by the chain and operators' boards."""

    order: Address
    now: Time
    state: str
    why: Words
    """Why it waits, or ended; empty where it is ready."""
    epoch: Count
    ticketed: bool
    """Whether the head has posted tickets for these members."""
    waiting_for_worker: Count
    """Leases."""
    waiting_for_gang: Count
    takes_devices: bool
    nodes: list[Node]
    boards_away: dict[str, Words]
    """Operators' boards that don't answer, with the reason."""
    jobs_running: Count | None
    """None unless something here is connected to it: ionet cluster connect."""


class FaultVerdict(TypedDict):
    """What operators' observations show of a lease, made anew from a published folder."""

    evidence: Hash
    """What operators vote under: SHA-256 of the verdict."""
    device: Address
    registered_at: Time
    number: Count
    """The device's leases when it was matched."""
    order: Address
    worker: Address
    at: Time
    """The full minute that was judged."""
    good_hours: Count
    reason: str
    rule: Count
    """The rule's version."""
