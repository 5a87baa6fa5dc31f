"""An order's terms as they are typed, the same for whoever opens one and for whoever asks what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from keeper.clients import orders, staking
from keeper.clients.orders import Terms
from keeper.clients.staking import Class
from keeper.economy import orders as economy
from keeper.economy.countries import COUNTRIES
from keeper.economy.orders import MAX_HOURS, Currency
from keeper.errors import UserError


class Unit(StrEnum):
    """Currencies as they are typed."""

    IO = "io"
    USDC = "usdc"


class Urgency(StrEnum):
    """How soon an order is wanted, in the order of the program's numbers."""

    ORDINARY = "ordinary"
    SOON = "soon"
    NOW = "now"


CLASSES = typer.Option("--class", help="name of a class, repeat for each of up to 8")
CURRENCY = typer.Option(help="what the order is paid in", case_sensitive=False)
HOURS = typer.Option(min=1, max=MAX_HOURS, help="for how many hours each device is leased")
DevicesOption = Annotated[int, typer.Option(min=1, max=orders.MAX_DEVICES, help="how many devices")]
MinDevicesOption = Annotated[
    int, typer.Option(min=1, max=orders.MAX_DEVICES, help="a gang: none runs before so many can, all at once")
]
ProcessorsOption = Annotated[
    int, typer.Option(min=1, max=staking.MAX_PROCESSORS, help="processors that each device has")
]
TierOption = Annotated[
    int, typer.Option(min=1, max=staking.MAX_TIER, help="lowest connectivity tier, 4 is best")
]
CountryOption = Annotated[
    list[str] | None, typer.Option(help="only there, such as CH; repeat for each", show_default="anywhere")
]
ColocatedOption = Annotated[bool, typer.Option("--colocated", help="all devices in one country")]
UrgencyOption = Annotated[
    Urgency, typer.Option(help="a place further ahead, for a fee on top that is shown before you sign")
]


def terms_of(  # noqa: PLR0913 - one for each term
    classes: Mapping[int, Class],
    names: Sequence[str],
    currency: Unit,
    hours: int,
    *,
    devices: int,
    min_devices: int,
    processors: int,
    tier: int,
    country: Sequence[str],
    colocated: bool,
    urgency: Urgency,
) -> Terms:
    """The terms of what was typed, without a highest price; ``names`` are of ``classes``.

    Raises UserError.
    """
    countries = tuple(map(country_code, country))
    _require_at_most(orders.MAX_CLASSES, "classes", names)
    _require_at_most(orders.MAX_COUNTRIES, "countries", countries)
    if twice := sorted({each for each in countries if countries.count(each) > 1}):
        raise UserError(f"{', '.join(twice)} is there twice")
    if min_devices > devices:
        raise UserError(f"an order for {devices} never has {min_devices}: name as many --devices at least")
    return Terms(
        price=0,
        hours=hours,
        devices=devices,
        processors=processors,
        classes=tuple(class_number(classes, each) for each in names),
        currency=Currency[currency.name],
        min_tier=tier,
        urgency=economy.Urgency[urgency.name],
        colocated=colocated,
        countries=countries,
        min_devices=min_devices,
    )


def class_number(classes: Mapping[int, Class], name: str) -> int:
    """A class's number by its name; raises UserError naming classes like it."""
    for each in classes.values():
        if each.name.lower() == name.lower():
            return each.id
    if not classes:
        raise UserError("this chain has no classes yet: ionet genesis writes them")
    alike = [each.name for each in classes.values() if name.lower() in each.name.lower()]
    raise UserError(f"no class is called {name!r}; there are {', '.join(alike or _names(classes))}")


def country_code(text: str) -> str:
    """A country's two letters, as the program takes them; raises UserError."""
    code = text.upper()
    if code not in COUNTRIES:
        raise UserError(f"{text!r} is no country: write its two letters (ISO 3166), such as CH")
    return code


def _require_at_most(most: int, what: str, found: Sequence[object]) -> None:
    if len(found) > most:
        raise UserError(f"an order takes at most {most} {what}, not {len(found)}")


def _names(classes: Mapping[int, Class]) -> list[str]:
    return [each.name for each in classes.values()]
