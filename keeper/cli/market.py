"""``ionet market``: what leases cost, what there is, and whether operators matched by the rule."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from keeper.chain import ChainReader
from keeper.chain.connect import connect
from keeper.cli import options, terms
from keeper.cli.options import ChainOption
from keeper.cli.orders import config_of
from keeper.clients import orders, staking
from keeper.clients.staking import Class
from keeper.economy.orders import Currency
from keeper.market import offers, quotes
from keeper.market.book import Book, book
from keeper.market.participants import Accounts
from keeper.terminal import market as shown
from keeper.terminal.tables import console, show

app = typer.Typer(help="The market: prices, quotes, who gets what, and why.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="for programs: base units, unix seconds")]
ClassOption = Annotated[
    str | None, typer.Option("--class", help="only of this class, by its name", show_default="all")
]


@app.command()
def price(
    class_: ClassOption = None,
    currency: Annotated[terms.Unit | None, typer.Option(help="only in this one", show_default="both")] = None,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """The price in force of each class, what is announced and from when on, its bounds, how old it is."""

    async def read() -> tuple[list[Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            classes = await staking.read_classes(connected)
            return _chosen(classes, class_), (await connected.clock()).unix_timestamp

    found, now = asyncio.run(read())
    wanted = [Currency[currency.name]] if currency else list(Currency)
    prices = [quotes.outlook(each, unit, now) for each in found for unit in wanted]
    if as_json:
        _write([shown.price_row(each) for each in prices])
        return
    show(shown.prices(prices, now))
    console.print(shown.certain(now), soft_wrap=True)


@app.command()
def quote(  # noqa: PLR0913, PLR0917 - an option for each term
    class_: Annotated[list[str], terms.CLASSES],
    currency: Annotated[terms.Unit, terms.CURRENCY],
    hours: Annotated[int, terms.HOURS],
    devices: terms.DevicesOption = 1,
    min_devices: terms.MinDevicesOption = 1,
    processors: terms.ProcessorsOption = 1,
    tier: terms.TierOption = 1,
    country: terms.CountryOption = None,
    colocated: terms.ColocatedOption = False,
    urgency: terms.UrgencyOption = terms.Urgency.ORDINARY,
    as_json: Annotated[bool, typer.Option("--json", help="what ionet order create --quote takes")] = False,
    chain: ChainOption = None,
) -> None:
    """What an order of these terms costs with each urgency, until when that is exact, and what is free."""

    async def read() -> offers.Offer:
        async with connect(options.settings(chain).chain, live=True, keep=False) as connected:
            config = await config_of(connected)
            classes = await staking.read_classes(connected)
            asked = terms.terms_of(
                classes,
                class_,
                currency,
                hours,
                devices=devices,
                min_devices=min_devices,
                processors=processors,
                tier=tier,
                country=country or (),
                colocated=colocated,
                urgency=urgency,
            )
            now = (await connected.clock()).unix_timestamp
            asked = replace(asked, price=quotes.limit(offers.quoted(asked, classes, now)))
            there = await staking.read_devices(connected)
            network = await connected.genesis_hash()
            return offers.offer(network, asked, classes, there, config.params, now)

    found = asyncio.run(read())
    if as_json:
        print(found.encode())
        return
    show(shown.classes(found))
    show(shown.costs(found))
    for each in shown.about(found):
        console.print(each, soft_wrap=True)


@app.command("book")
def book_(class_: ClassOption = None, as_json: JsonOption = False, chain: ChainOption = None) -> None:
    """What is free, willing and hired by class, tier and country, and the open orders, the oldest first."""

    async def read() -> tuple[Book, Mapping[int, Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            accounts = await _accounts(connected)
            now = (await connected.clock()).unix_timestamp
            number = terms.class_number(accounts.classes, class_) if class_ else None
            return book(accounts, now, number), accounts.classes, now

    found, classes, now = asyncio.run(read())
    if as_json:
        _write(shown.book_row(found, classes))
        return
    show(shown.supply(found, classes, now))
    show(shown.waiting(found, classes))
    console.print(shown.WORK_UNKNOWN, soft_wrap=True)


async def _accounts(chain: ChainReader) -> Accounts:
    return Accounts(
        devices=await staking.read_devices(chain),
        classes=await staking.read_classes(chain),
        orders=await orders.read_orders(chain),
        leases=await orders.read_leases(chain),
        earned_until={},
    )


def _chosen(classes: dict[int, Class], name: str | None) -> list[Class]:
    return [classes[terms.class_number(classes, name)]] if name else list(classes.values())


def _write(value: object) -> None:
    json.dump(value, sys.stdout, indent=1)
    sys.stdout.write("\n")
