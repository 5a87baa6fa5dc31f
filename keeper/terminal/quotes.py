"""What ``ionet order create`` shows of prices before anything is signed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from keeper.clients.orders import Terms
from keeper.economy import orders as economy
from keeper.economy.calendar import moment
from keeper.economy.classes import Price
from keeper.economy.money import show
from keeper.market import quotes
from keeper.market.limits import Limit
from keeper.market.quotes import Quote
from keeper.terminal.tables import plain


def leases(found: Sequence[Quote], terms: Terms, fee_bps: int) -> Table:
    """A line for each class and each price of it until the end of the matching."""
    name = terms.currency.name
    processors = f"{terms.processors} processor{'s' if terms.processors > 1 else ''}"
    title = f"What a lease of {processors} for {terms.hours} hours costs, {name}"
    fee = f"fee of {fee_bps / 100:g} %"
    table = plain(title, "class", "from", "a processor and hour", "lease", fee, "in all")
    table.columns[1].justify = "left"
    for each in found:
        for number, (at, price) in enumerate(each.prices):
            begins = moment(at) if number else "now"
            table.add_row(each.of_class.name, begins, *_amounts(price, terms, fee_bps))
    return table


def _amounts(price: Price, terms: Terms, fee_bps: int) -> tuple[str, ...]:
    currency = terms.currency
    if not price.amount:
        return "no price", "", "", ""
    if price.is_stale:
        high = min(price.high, terms.price)
        return f"its ask, {show(price.low, currency)} to {show(high, currency)}", "", "", ""
    if price.amount > terms.price:
        return show(price.amount, currency), "above your highest", "", ""
    principal = economy.principal(price.amount * terms.processors, terms.hours)
    fee = economy.fee(principal, fee_bps)
    return tuple(show(amount, currency) for amount in (price.amount, principal, fee, principal + fee))


def served_by(found: Sequence[Limit], terms: Terms) -> list[str]:
    """What devices there are for an order, in sentences; where some lack, which limit excludes them."""
    *lasting, free = found
    some = [f"{each.left:,} {each.words}" for each in lasting if each.left]
    none = [f"none {each.words}" for each in lasting if not each.left]
    chain = "; ".join([*some, *none[:1]])
    narrowed = f"Of all devices, limit by limit, there remain: {chain}."
    short = next((each for each in lasting if each.left < terms.min_devices), None)
    if short is not None:
        enough = f"{terms.min_devices} at once" if terms.min_devices > 1 else "one"
        return [f"Nothing can serve it: it takes {enough}. {narrowed}"]
    can = lasting[-1].left
    said = []
    if can < terms.devices:
        filled = f"{can:,} of its {terms.devices:,} places can be filled"
        said.append(f"{filled}. {narrowed}")
    if free.left < min(can, terms.devices):
        few = f", and it takes {terms.min_devices} at once" if free.left < terms.min_devices > 1 else ""
        of = f"Of {can:,} devices" if can > 1 else "Of the one device"
        is_free = "none is" if not free.left else "one is" if free.left == 1 else f"{free.left:,} are"
        said.append(f"{of} that can serve it {is_free} free now{few}.")
    return said


def notes(found: Sequence[Quote], terms: Terms, fee_bps: int, now: int) -> list[str]:
    """What follows from the prices for the order, in sentences."""
    currency = terms.currency
    closed = [each.of_class for each in found if not each.of_class.is_open(now)]
    said = [f"{each.name} can't be leased before {moment(each.opens_at)}." for each in closed]
    most = quotes.most(found, terms, fee_bps) * terms.devices
    if not most:
        return [*said, "No device can be matched while the prices are above your highest."]
    place = economy.place(terms.price, terms.processors, terms.hours, fee_bps)
    back = place * terms.devices - most
    costs = f"All {terms.devices} devices cost" if terms.devices > 1 else "The device costs"
    comes = f"at least {show(back, currency)} of what you put down comes back" if back else "all you put down"
    said.append(f"{costs} {show(most, currency)} {currency.name} at most: {comes}.")
    if terms.min_devices > 1:
        said.append(
            f"None of them runs before {terms.min_devices} have accepted; until then nothing is paid."
        )
    return said
