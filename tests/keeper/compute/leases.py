"""Orders and leases for tests, with what matters to a cluster."""

from __future__ import annotations

from hashlib import sha256

from solders.pubkey import Pubkey

from keeper.clients.orders import Lease, Order, Terms
from keeper.economy.calendar import HOUR
from keeper.economy.orders import LeaseStatus

START = 1_800_000_000


def key(name: str) -> Pubkey:
    return Pubkey(sha256(name.encode()).digest())


def order(gang: int = 1, filled_at: int = START) -> Order:
    terms = Terms(price=3, hours=10, devices=100, processors=4, classes=(1,), min_devices=gang)
    numbers = dict.fromkeys(Order.__dataclass_fields__, 0)
    changed = {
        "terms": terms,
        "renter": key("renter"),
        "vault": key("vault"),
        "filled_at": filled_at,
        "id": 1,
    }
    return Order(**{**numbers, "country": b"CH", **changed})  # type: ignore[arg-type]


def lease(of: Order, name: str, start: int = START, number: int = 1, **changed: object) -> Lease:
    numbers = dict.fromkeys(Lease.__dataclass_fields__, 0)
    people = {each: key(f"{name} {each}") for each in ("supplier", "worker", "payout", "payer", "device")}
    times = {"hours": 10, "accepted_at": start, "start": start, "stop": start + 10 * HOUR, "number": number}
    status = {"status": LeaseStatus.RUNNING, "registered_at": START - HOUR, "order": of.address}
    return Lease(**{**numbers, **people, **times, **status, **changed})  # type: ignore[arg-type]
