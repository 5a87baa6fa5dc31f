"""What ``ionet device`` shows of devices: their status in words, what their asks mean, their record."""

from __future__ import annotations

from rich.table import Table
from solders.pubkey import Pubkey

from keeper.clients.orders import Lease
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy.calendar import HOUR, duration
from keeper.economy.money import show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.staking import counted
from keeper.economy.supply import io
from keeper.market.matching import ask as ask_of
from keeper.terminal.answers import leasing
from keeper.terminal.tables import plain

FREE = "free"
OFF_MARKET = "It isn't for lease any more; running leases go on."


def status(device: Device, of_class: Class, leases: dict[Pubkey, Lease], now: int) -> str:
    """A device's status, in words; free is one that can be leased at its class's price now."""
    lease = leases.get(device.lease)
    reasons = {
        "terminated": device.terminated,
        "slash pending": device.slash_pending,
        "hired": lease is not None and lease.status == LeaseStatus.RUNNING,
        "matched": device.lease != NOBODY,
        f"barred for {duration(max(device.barred_until - now, 0))}": now < device.barred_until,
        "stake too small": counted(device.own, device.co, now) < device.minimum(of_class, now),
        "not for lease": not (device.ask_io or device.ask_usdc),
        "class not open yet": not of_class.is_open(now),
        "asks too much": not any(_is_leased(device, of_class, each, now) for each in Currency),
    }
    return next((words for words, holds in reasons.items() if holds), FREE)


def _is_leased(device: Device, of_class: Class, currency: Currency, now: int) -> bool:
    """Whether its ask lets it be leased for a currency now."""
    asked, price = ask_of(device, currency), of_class.price(currency, now)
    if price.is_stale and price.amount:
        return price.low <= asked <= price.high
    return 0 < asked <= price.amount


def devices(
    found: dict[Pubkey, Device], classes: dict[int, Class], leases: dict[Pubkey, Lease], now: int
) -> Table:
    """A line for each device, the cheapest of a class first."""
    columns = (
        "device",
        "status",
        "class",
        "place",
        "ask IO",
        "ask USDC",
        "stake IO",
        "hours hired",
        "done",
        "failed",
    )
    table = plain("Devices", *columns)
    for column in (1, 2, 3):
        table.columns[column].justify = "left"
    for at, each in _cheapest_first(found):
        of_class = classes[each.device_class]
        table.add_row(
            str(at),
            status(each, of_class, leases, now),
            f"{each.processors} x {of_class.name}",
            f"{each.country}, tier {each.tier}",
            show(each.ask_io, Currency.IO),
            show(each.ask_usdc, Currency.USDC),
            io(counted(each.own, each.co, now), 0),
            f"{each.hired_seconds // HOUR:,}",
            f"{each.leases_done:,}",
            f"{each.leases_failed:,}",
        )
    return table


def as_json(
    found: dict[Pubkey, Device], classes: dict[int, Class], leases: dict[Pubkey, Lease], now: int
) -> list[leasing.Device]:
    """The same for programs: amounts in base units as text."""
    return [_json(at, each, classes[each.device_class], leases, now) for at, each in _cheapest_first(found)]


def _json(
    at: Pubkey, device: Device, of_class: Class, leases: dict[Pubkey, Lease], now: int
) -> leasing.Device:
    stands = status(device, of_class, leases, now)
    return {
        "device": str(at),
        "supplier": str(device.supplier),
        "status": stands,
        "free": stands == FREE,
        "class": of_class.name,
        "processors": device.processors,
        "tier": device.tier,
        "country": device.country,
        "ask_io": str(device.ask_io),
        "ask_usdc": str(device.ask_usdc),
        "counted": str(counted(device.own, device.co, now)),
        "lease": None if device.lease == NOBODY else str(device.lease),
        "hired_seconds": device.hired_seconds,
        "leases_done": device.leases_done,
        "leases_failed": device.leases_failed,
    }


def _cheapest_first(found: dict[Pubkey, Device]) -> list[tuple[Pubkey, Device]]:
    return sorted(found.items(), key=lambda row: (row[1].device_class, row[1].ask_io, bytes(row[0])))


def about_asks(device: Device, of_class: Class, now: int) -> tuple[str, ...]:
    """What a device's asks mean at its class's prices."""
    notes = []
    for currency in Currency:
        asked, price = ask_of(device, currency), of_class.price(currency, now)
        name, costs = currency.name, f"{show(price.amount, currency)} {currency.name}"
        if not asked:
            notes.append(f"It isn't for lease in {name}.")
        elif not price.amount:
            notes.append(f"{of_class.name} has no price in {name}: nobody leases it for that.")
        elif price.is_stale:
            notes.append(f"The price in {name} is stale: a lease costs its ask of {show(asked, currency)}.")
        elif asked > price.amount:
            notes.append(
                f"Its ask of {show(asked, currency)} {name} is above the price of now, {costs}: until "
                "that rises it isn't leased."
            )
        else:
            notes.append(f"A lease of it costs the price, now {costs} for a processor and hour.")
    return tuple(notes)


def about_change(before: Device, after: Device) -> tuple[str, ...]:
    """From when on a change of a device counts."""
    asks = (before.ask_io, after.ask_io), (before.ask_usdc, after.ask_usdc)
    if any(new not in (0, old) for old, new in asks):
        return ("It counts for orders that are opened from now on; running leases keep their rate.",)
    return () if after.ask_io or after.ask_usdc else (OFF_MARKET,)
