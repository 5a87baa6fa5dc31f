"""What an order would cost and get now, as a file that opens the order at these prices or refuses to.

Prices are exact for orders that are opened by the offer's end: whatever is announced later holds after their
first time for matching. It is no promise of devices.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Literal

from pydantic import Field
from solders.pubkey import Pubkey

from keeper import canonical
from keeper.clients import orders, staking
from keeper.clients.orders import Params, Terms
from keeper.clients.staking import Class, Device
from keeper.economy import orders as economy
from keeper.economy.classes import MAX_PRICE
from keeper.economy.orders import MAX_HOURS, Currency, Urgency
from keeper.errors import UserError
from keeper.market.matching import suits
from keeper.market.quotes import Quote, known_until, limit, quote

FORM: Literal[1] = 1
"""Of the file."""


class QuoteInvalid(UserError):
    """A file that isn't a quote."""


class QuoteElsewhere(UserError):
    """A quote of another network's prices."""


class QuoteOver(UserError):
    """A quote after its end."""


class QuoteOvertaken(UserError):
    """A quote below what the chain has."""


Number = Annotated[int, Field(ge=0, lt=2**64)]
Country = Annotated[str, Field(pattern="^[A-Za-z]{2}$")]


@dataclass(frozen=True, slots=True)
class Asked:
    """An order's terms as :class:`~keeper.clients.orders.Terms`, words for its numbers."""

    price: Annotated[int, Field(ge=1, le=MAX_PRICE)]
    hours: Annotated[int, Field(ge=1, le=MAX_HOURS)]
    devices: Annotated[int, Field(ge=1, le=orders.MAX_DEVICES)]
    processors: Annotated[int, Field(ge=1, le=staking.MAX_PROCESSORS)]
    classes: Annotated[
        tuple[Annotated[int, Field(ge=0, lt=2**16)], ...], Field(min_length=1, max_length=orders.MAX_CLASSES)
    ]
    currency: Literal["io", "usdc"]
    min_tier: Annotated[int, Field(ge=1, le=staking.MAX_TIER)]
    urgency: Literal["ordinary", "soon", "now"]
    colocated: bool
    countries: Annotated[tuple[Country, ...], Field(max_length=orders.MAX_COUNTRIES)]
    min_devices: Annotated[int, Field(ge=1, le=orders.MAX_DEVICES)]

    @classmethod
    def of(cls, terms: Terms) -> Asked:
        """Of an order's terms."""
        words = {"currency": terms.currency.name.lower(), "urgency": terms.urgency.name.lower()}
        return cls(**{**asdict(terms), **words})

    @property
    def terms(self) -> Terms:
        """As the order has them."""
        numbers = {"currency": Currency[self.currency.upper()], "urgency": Urgency[self.urgency.upper()]}
        return Terms(**{**asdict(self), **numbers})


@dataclass(frozen=True, slots=True)
class ClassOffer:
    """A class by its number on chain: the most that a processor costs for an hour until the offer's end.

    Base units of the currency. ``free`` are the devices that fit now.
    """

    number: Annotated[int, Field(ge=0, lt=2**16)]
    name: str
    price: Number
    free: Number


@dataclass(frozen=True, slots=True)
class Cost:
    """What all hours of a device of the dearest class cost with an urgency, and the fee on it, base units."""

    urgency: Literal["ordinary", "soon", "now"]
    fee_bps: Number
    lease: Number
    fee: Number


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order of ``terms`` costs if it is opened between ``at`` and ``until``, unix seconds.

    ``network`` is the chain's first blockhash. ``country`` is the one whose devices a colocated order would
    get, None where nothing fits.
    """

    form: Literal[1]
    network: str
    at: Number
    until: Number
    terms: Asked
    classes: tuple[ClassOffer, ...]
    costs: tuple[Cost, ...]
    country: Country | None

    @property
    def fee_bps(self) -> int:
        """The renter's fee with the terms' own urgency."""
        return next(each.fee_bps for each in self.costs if each.urgency == self.terms.urgency)

    def encode(self) -> str:
        """Write it, as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def decode(cls, data: bytes) -> Offer:
        """Read it; raises QuoteInvalid."""
        offer = _FORM.read(data)
        terms = offer.terms
        if tuple(each.number for each in offer.classes) != terms.classes:
            raise QuoteInvalid("the quote has prices of other classes than its terms: make a new one")
        if terms.urgency not in {each.urgency for each in offer.costs} or terms.min_devices > terms.devices:
            raise QuoteInvalid("the quote's terms don't belong together: make a new one")
        return offer


_FORM = canonical.Form(Offer, "no quote", "that ionet market quote --json wrote", QuoteInvalid)


def offer(
    network: str,
    terms: Terms,
    classes: Mapping[int, Class],
    devices: Mapping[Pubkey, Device],
    params: Params,
    now: int,
) -> Offer:
    """What the chain's accounts of ``now`` offer to an order of these terms."""
    fits = fitting(terms, devices.values(), classes, now)
    free = Counter(each.device_class for each in fits)
    prices = quoted(terms, classes, now)
    dearest = max(each.highest for each in prices)
    return Offer(
        form=FORM,
        network=network,
        at=now,
        until=known_until(now) - params.match_window,
        terms=Asked.of(terms),
        classes=tuple(
            ClassOffer(each.of_class.id, each.of_class.name, each.highest, free[each.of_class.id])
            for each in prices
        ),
        costs=tuple(_cost(terms, dearest, params, urgency) for urgency in Urgency),
        country=country(fits, terms.devices),
    )


def priced(terms: Terms, classes: Mapping[int, Class], now: int) -> Terms:
    """Terms with the highest price that all of their classes may have meanwhile; raises NoPrice."""
    return replace(terms, price=limit(quoted(terms, classes, now)))


def quoted(terms: Terms, classes: Mapping[int, Class], now: int) -> list[Quote]:
    """The prices of an order's classes for as long as they are known."""
    return [quote(classes[each], terms.currency, now, known_until(now)) for each in terms.classes]


def fitting(terms: Terms, devices: Iterable[Device], classes: Mapping[int, Class], now: int) -> list[Device]:
    """The free devices that an order of these terms could have if it were opened now, of anybody else's."""
    return [
        each
        for each in devices
        if suits(terms, each, classes, now) and (not terms.countries or each.country in terms.countries)
    ]


def country(fits: Sequence[Device], places: int) -> str | None:
    """The country that a colocated order for so many devices gets: see docs/market.md, Matching."""
    counts = Counter(each.country for each in fits)
    enough = {code: count for code, count in counts.items() if count >= places}
    fewest_or_most = (lambda code: (counts[code], code)) if enough else (lambda code: (-counts[code], code))
    return min(enough or counts, key=fewest_or_most, default=None)


def require_good(found: Offer, network: str, classes: Mapping[int, Class], params: Params, now: int) -> None:
    """Raise unless an order that is opened now costs what the offer says, or less.

    QuoteElsewhere, QuoteOver, QuoteInvalid, QuoteOvertaken.
    """
    if found.network != network:
        raise QuoteElsewhere("the quote is of another network: --chain (or IONET_CHAIN) names its own")
    if now > found.until:
        raise QuoteOver(
            f"the quote has ended {now - found.until} seconds ago: ionet market quote makes another one"
        )
    terms = found.terms.terms
    if missing := [each.name for each in found.classes if each.number not in classes]:
        raise QuoteInvalid(f"the network has no class {missing[0]}: make a new quote")
    for stated in found.classes:
        each = quote(classes[stated.number], terms.currency, now, now + params.match_window)
        if each.is_stale or each.highest > stated.price:
            raise QuoteOvertaken(f"{stated.name} costs more now than the quote says: make a new one")
    if params.renter_bps(terms.currency, terms.urgency) > found.fee_bps:
        raise QuoteOvertaken("the fee is higher now than the quote says: make a new one")


def _cost(terms: Terms, price: int, params: Params, urgency: Urgency) -> Cost:
    bps = params.renter_bps(terms.currency, urgency)
    lease = economy.principal(price * terms.processors, terms.hours)
    return Cost(urgency.name.lower(), bps, lease, economy.fee(lease, bps))  # type: ignore[arg-type]
