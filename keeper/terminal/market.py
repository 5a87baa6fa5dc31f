"""What ``ionet market`` shows: prices, what an order costs, what there is and who waits for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from keeper.clients.staking import Class
from keeper.economy.calendar import HOUR, duration, moment
from keeper.economy.classes import holds_from
from keeper.economy.money import show
from keeper.economy.orders import Currency, fee, principal
from keeper.market.book import Book, Waiting
from keeper.market.offers import Offer
from keeper.market.price import SAMPLES, Sample, utilisation
from keeper.market.quotes import Outlook, known_until
from keeper.market.steps import HourSamples, StepTable
from keeper.terminal.answers import trading
from keeper.terminal.tables import plain

WORK_UNKNOWN = (
    "Whether devices passed their proof of work is in operators' files alone; here all count as passed."
)


def prices(found: Sequence[Outlook], now: int) -> Table:
    """A line for each class and currency."""
    columns = (
        "class",
        "",
        "a processor and hour",
        "lowest",
        "highest",
        "announced",
        "holds from",
        "binds until",
    )
    table = plain(f"Prices at {moment(now)}", *columns)
    table.columns[1].justify = "left"
    for each in found:
        amounts = each.price.amount, each.price.low, each.price.high
        price, low, high = (show(amount, each.currency) if each.price.amount else "-" for amount in amounts)
        table.add_row(
            each.of_class.name,
            each.currency.name,
            f"{price}, stale" if each.price.is_stale else price,
            low,
            high,
            *_announced(each),
            _binds(each, now),
        )
    return table


def announced_bounds(found: Sequence[Outlook]) -> list[str]:
    """A sentence for each class and currency whose price gets other bounds."""
    return [
        f"{each.of_class.name} in {each.currency.name}: from {moment(each.bounds_at)} on between "
        f"{show(each.next_low, each.currency)} and {show(each.next_high, each.currency)}."
        for each in found
        if each.bounds_at is not None
    ]


def _announced(found: Outlook) -> tuple[str, str]:
    if not found.price.amount or found.step_at is None:
        return "-", "-"
    stepped = show(found.stepped, found.currency)
    return f"{stepped} ({found.step / 100:+.2f} %)", moment(found.step_at)


def _binds(found: Outlook, now: int) -> str:
    if not found.of_class.is_open(now):
        return f"opens {moment(found.of_class.opens_at)}"
    if found.price.is_stale:
        return "asks bind"
    return moment(found.stale_from) if found.stale_from else "a step changes it"


def certain(now: int) -> str:
    """Until when prices are known."""
    return (
        f"Before {moment(known_until(now))} nothing can hold but what is announced here, unless the guardian "
        "cancels that. A price without a step for 24 hours is stale: then asks bind, within its bounds."
    )


def price_row(found: Outlook) -> trading.Price:
    """The same for programs."""
    price, step, bounds = found.price, None, None
    if found.step_at:
        step = trading.Step(at=found.step_at, bps=found.step, price=str(found.stepped))
    if found.bounds_at:
        bounds = trading.Bounds(at=found.bounds_at, low=str(found.next_low), high=str(found.next_high))
    return {
        "class": found.of_class.id,
        "name": found.of_class.name,
        "currency": found.currency.name.lower(),
        "price": str(price.amount),
        "low": str(price.low),
        "high": str(price.high),
        "stale": price.is_stale,
        "stale_from": found.stale_from,
        "opens_at": found.of_class.opens_at,
        "step": step,
        "bounds": bounds,
    }


# -- past hours ---------------------------------------------------------------------------------

FORMULA = (
    "Used: (hired + unmet) / (hired + idle), at most 20,000; below 7,000, devices of a processor count that "
    "nobody orders don't lower it. The price stands still at 7,000: see docs/market.md, Prices."
)


def steps(found: Sequence[StepTable], classes: Sequence[Class], currencies: Sequence[Currency]) -> Table:
    """A line for each past hour and class: what an operator published."""
    table = plain("Published steps", "measured in", "class", *(each.name for each in currencies), "held from")
    table.columns[1].justify = "left"
    for hour in found:
        for each in classes:
            both = hour.steps.get(each.id)
            words = (f"{both[unit] / 100:+.2f} %" if both else "-" for unit in currencies)
            table.add_row(moment(hour.hour * HOUR), each.name, *words, moment(holds_from(hour.hour)))
    return table


def steps_row(found: StepTable, classes: Sequence[Class]) -> trading.Published:
    """The same for programs."""
    rows: list[trading.ClassSteps] = [
        {"class": each.id, "io": found.steps[each.id][0], "usdc": found.steps[each.id][1]}
        for each in classes
        if each.id in found.steps
    ]
    return {"hour": found.hour, "root": found.root.hex(), "steps": rows}


def samples(
    hour: HourSamples, rule: StepTable, classes: Sequence[Class], currencies: Sequence[Currency]
) -> Table:
    """A line for each class and currency: the sums of an hour's samples, and the step of them."""
    columns = "class", "", "hired", "idle", "unmet", "used, bps", "processors", "step, bps"
    table = plain(f"Processors in the samples of the hour from {moment(hour.hour * HOUR)}, summed", *columns)
    table.columns[1].justify = "left"
    for each in classes:
        for unit in currencies:
            row = _counted(hour, rule, each, unit)
            used = "-" if row["used"] is None else f"{row['used']:,}"
            counts = (f"{count:,}" for count in (row["hired"], row["idle"], row["unmet"]))
            table.add_row(each.name, unit.name, *counts, used, f"{row['processors']:,}", f"{row['step']:+,}")
    return table


def twelve(hour: HourSamples, of_class: Class, currency: Currency) -> Table:
    """A line for each of an hour's samples of a class."""
    title = f"{of_class.name} in {currency.name}, sample by sample"
    table = plain(title, "five minutes", "hired", "idle", "unmet", "processors")
    for number, each in enumerate(_each(hour, of_class, currency), 1):
        counts = sum(each.hired), sum(each.idle), each.unmet, each.size
        table.add_row(str(number), *(f"{count:,}" for count in counts))
    return table


def samples_row(
    hour: HourSamples, rule: StepTable, classes: Sequence[Class], currencies: Sequence[Currency]
) -> trading.SampledHour:
    """The same for programs."""
    rows = [_counted(hour, rule, each, unit) for each in classes for unit in currencies]
    return {"hour": hour.hour, "classes": rows}


def _counted(hour: HourSamples, rule: StepTable, of_class: Class, currency: Currency) -> trading.Samples:
    whole = hour.total(of_class.id, currency)
    return {
        "class": of_class.id,
        "currency": currency.name.lower(),
        "hired": sum(whole.hired),
        "idle": sum(whole.idle),
        "unmet": whole.unmet,
        "used": utilisation(whole),
        "processors": whole.size // SAMPLES,
        "step": rule.steps.get(of_class.id, (0, 0))[currency],
        "samples": [_sample(each) for each in _each(hour, of_class, currency)],
    }


def _sample(found: Sample) -> trading.Sample:
    return {
        "hired": list(found.hired),
        "idle": list(found.idle),
        "unmet": found.unmet,
        "size": found.size,
    }


def _each(hour: HourSamples, of_class: Class, currency: Currency) -> list[Sample]:
    return [tick.get((of_class.id, currency), Sample()) for tick in hour.ticks]


# -- quotes ------------------------------------------------------------------------------------


def classes(found: Offer) -> Table:
    """A line for each class of a quote."""
    asked, currency = found.terms.terms, found.terms.terms.currency
    table = plain(
        f"What a device costs for {asked.hours} hours, {currency.name}, and how many fit now",
        "class",
        "a processor and hour",
        "lease",
        f"fee of {found.fee_bps / 100:g} %",
        "in all",
        "free",
    )
    for each in found.classes:
        lease = principal(each.price * asked.processors, asked.hours)
        charged = fee(lease, found.fee_bps)
        amounts = (show(amount, currency) for amount in (each.price, lease, charged, lease + charged))
        table.add_row(each.name, *amounts, f"{each.free:,}")
    return table


def costs(found: Offer) -> Table:
    """A line for each urgency, of the dearest class and all devices."""
    asked = found.terms.terms
    count = f"{asked.devices} devices" if asked.devices > 1 else "the device"
    table = plain(
        f"What {count} cost{'' if asked.devices > 1 else 's'} at most", "urgency", "fee", "", "in all"
    )
    for each in found.costs:
        both = asked.devices * (each.lease + each.fee)
        charged = asked.devices * each.fee
        table.add_row(
            each.urgency,
            f"{each.fee_bps / 100:g} %",
            show(charged, asked.currency),
            f"{show(both, asked.currency)} {asked.currency.name}",
        )
    return table


def about(found: Offer) -> list[str]:
    """What of a quote is certain, and what isn't, in sentences."""
    said = [
        f"Certain: an order that is opened until {moment(found.until)} costs no more while its first time "
        "for matching lasts. A place that opens again later may."
    ]
    if any(each.free for each in found.classes):
        said.append(
            "Not certain: that what is free now is free then, and has passed its work by what operators "
            "agree on."
        )
    if found.country:
        said.append(f"Devices of one country would be those of {found.country}.")
    return said


# -- the book ----------------------------------------------------------------------------------


def supply(found: Book, classes: Mapping[int, Class], now: int) -> Table:
    """A line for each class, tier and country."""
    columns = "class", "tier", "country", "hired", "free", "willing, IO", "willing, USDC"
    table = plain(f"Processors at {moment(now)}", *columns)
    for (number, tier, country), each in found.supply.items():
        counts = each.hired, each.free, *(each.willing[currency] for currency in Currency)
        table.add_row(classes[number].name, str(tier), country, *(f"{count:,}" for count in counts))
    return table


def waiting(found: Book, classes: Mapping[int, Class]) -> Table:
    """A line for each open order."""
    columns = "order", "age", "urgency", "open", "classes", "processors", "pays at most", "", "takes"
    table = plain("Open orders, the oldest first", *columns)
    table.columns[4].justify = table.columns[8].justify = "left"
    for each in found.waiting:
        terms = each.order.terms
        table.add_row(
            str(each.order.address),
            duration(each.age),
            terms.urgency.name.lower(),
            f"{each.order.open:,}",
            ", ".join(classes[number].name for number in terms.classes),
            str(terms.processors),
            show(terms.price, terms.currency),
            terms.currency.name,
            _takes(each),
        )
    return table


def _takes(found: Waiting) -> str:
    if found.minimum == 1:
        return "any number"
    if found.minimum > found.order.open:
        return "none any more: its gang can't be whole"
    return f"{found.minimum} at once" + (", and keeps what it could have" if found.holds else "")


def book_row(found: Book, classes: Mapping[int, Class]) -> trading.Book:
    """The same for programs."""
    return {
        "supply": [
            {
                "class": number,
                "name": classes[number].name,
                "tier": tier,
                "country": country,
                "hired": each.hired,
                "free": each.free,
                "willing": {"io": each.willing[Currency.IO], "usdc": each.willing[Currency.USDC]},
            }
            for (number, tier, country), each in found.supply.items()
        ],
        "orders": [
            {
                "order": str(each.order.address),
                "created_at": each.order.created_at,
                "age": each.age,
                "urgency": each.order.terms.urgency.name.lower(),
                "currency": each.order.terms.currency.name.lower(),
                "classes": list(each.order.terms.classes),
                "processors": each.order.terms.processors,
                "open": each.order.open,
                "limit": str(each.order.terms.price),
                "minimum": each.minimum,
                "holds": each.holds,
            }
            for each in found.waiting
        ],
    }
