"""What ``ionet class list`` shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from keeper.clients.staking import Class
from keeper.economy.calendar import moment
from keeper.economy.classes import Pool, ProcessorKind
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.economy.staking import MULTIPLIER_UNIT, minimum
from keeper.economy.supply import io
from keeper.terminal.answers import looking
from keeper.terminal.tables import plain


def classes(found: Sequence[Class], now: int) -> Table:
    """A line for each class; stake and prices are of one processor."""
    columns = ("class", "pool", "multiplier", "stake IO", "IO an hour", "USDC an hour", "waits")
    table = plain("Classes of processors", *columns)
    table.columns[1].justify = table.columns[6].justify = "left"
    for each in found:
        multiplier = each.multiplier_at(now)
        prices = (show(each.price(currency, now).amount, currency) for currency in Currency)
        table.add_row(
            each.name,
            Pool(each.pool).name.lower(),
            f"{multiplier / MULTIPLIER_UNIT:g}",
            io(minimum(multiplier, 1), 2),
            *prices,
            "; ".join(waiting(each, now)),
        )
    return table


def waiting(of_class: Class, now: int) -> list[str]:
    """What is announced and doesn't hold yet, in words with its dates."""
    found = []
    if not of_class.is_open(now):
        found.append(f"opens {moment(of_class.opens_at)}")
    if now < of_class.pending_at:
        multiplier = of_class.pending_multiplier / MULTIPLIER_UNIT
        stake = io(minimum(of_class.pending_multiplier, 1), 2)
        found.append(f"multiplier {multiplier:g}, stake {stake} IO from {moment(of_class.pending_at)}")
    if now < of_class.bounds_at:
        found.append(f"other bounds of prices from {moment(of_class.bounds_at)}")
    return found


def as_json(of_class: Class, now: int) -> looking.Class:
    """A class for programs: amounts in base units as text, the multiplier in hundredths."""
    multiplier = of_class.multiplier_at(now)
    return {
        "id": of_class.id,
        "name": of_class.name,
        "pool": Pool(of_class.pool).name.lower(),
        "kind": ProcessorKind(of_class.kind).name.lower(),
        "multiplier": multiplier,
        "minimum": str(minimum(multiplier, 1)),
        "price_io": str(of_class.price(Currency.IO, now).amount),
        "price_usdc": str(of_class.price(Currency.USDC, now).amount),
        "opens_at": of_class.opens_at,
        "pending_multiplier": of_class.pending_multiplier,
        "pending_at": of_class.pending_at,
        "bounds_at": of_class.bounds_at,
    }
