"""``ionet order``: order compute, watch it, extend it, end it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainError, ChainReader
from keeper.chain.connect import connect
from keeper.chain.program import UnexpectedData
from keeper.chain.token import balance, is_payable
from keeper.cli import options, terms
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import ChainOption, address
from keeper.cli.signing import Session, signs
from keeper.cli.translating import translate
from keeper.clients import orders, staking
from keeper.clients.orders import Config, Lease, Order, Parked
from keeper.clients.orders.whole import read_with_leases
from keeper.clients.staking import Class
from keeper.economy.money import U64_MAX, parse
from keeper.economy.orders import MAX_HOURS, LeaseStatus
from keeper.errors import UserError, why
from keeper.market import offers, quotes
from keeper.market.limits import limits
from keeper.market.offers import Offer, QuoteInvalid
from keeper.terminal import orders as order_tables
from keeper.terminal import quotes as quote_tables
from keeper.terminal import tables
from keeper.terminal.answers import leasing
from keeper.wallet import plans
from keeper.wallet.checks import fitting
from keeper.wallet.plan import Plan

app = typer.Typer(help="Rent compute: orders, their leases and their money.", no_args_is_help=True)

EXACT_IN_JSON = 2**53
"""Integers below are the same in every language's JSON: an order's number of ours is one."""

TERMS = (
    "class_",
    "currency",
    "hours",
    "price",
    "devices",
    "min_devices",
    "processors",
    "tier",
    "country",
    "colocated",
    "urgency",
)
"""The parameters of ``create`` that a quote has."""
Named = TypeVar("Named")
OrderArgument = Annotated[str, typer.Argument(help="the order's address")]
DeviceOption = Annotated[
    list[str] | None,
    typer.Option("--device", help="a device of the order, repeat for each", show_default="all"),
]


@app.command()
@signs
async def create(  # noqa: PLR0913, PLR0917 - an option for each term
    session: Session,
    context: typer.Context,
    class_: Annotated[list[str] | None, terms.CLASSES] = None,
    currency: Annotated[terms.Unit | None, terms.CURRENCY] = None,
    hours: Annotated[int | None, terms.HOURS] = None,
    price: Annotated[
        str | None,
        typer.Option(
            help="the most for a processor and hour, such as 0.35", show_default="the dearest class's price"
        ),
    ] = None,
    devices: terms.DevicesOption = 1,
    min_devices: terms.MinDevicesOption = 1,
    processors: terms.ProcessorsOption = 1,
    tier: terms.TierOption = 1,
    country: terms.CountryOption = None,
    colocated: terms.ColocatedOption = False,
    urgency: terms.UrgencyOption = terms.Urgency.ORDINARY,
    quote: Annotated[
        Path | None, typer.Option(help="what ionet market quote --json wrote: all terms, and their price")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(min=0, max=U64_MAX, help="your number for the order", show_default="a random one"),
    ] = None,
) -> None:
    """Open an order: the most that it can cost goes into a vault of its own.

    Name its terms, or a quote: then the order is refused where the network's price is higher than that.

    Example: ionet order create --class "RTX 4090" --currency io --hours 4 --country CH
    """
    offer = _read_quote(context, quote) if quote else None
    named = None if offer else (_named("class", class_), _named("currency", currency), _named("hours", hours))
    config = await config_of(session.chain)
    classes = await staking.read_classes(session.chain)
    now = session.now
    if named:
        asked = terms.terms_of(
            classes,
            *named,
            devices=devices,
            min_devices=min_devices,
            processors=processors,
            tier=tier,
            country=country or (),
            colocated=colocated,
            urgency=urgency,
        )
    elif offer:
        network = await session.chain.genesis_hash()
        offers.require_good(offer, network, classes, config.params, now)
        asked = offer.terms.terms
    until = now + config.params.match_window
    found = [quotes.quote(classes[each], asked.currency, now, until) for each in asked.classes]
    if named:
        most = quotes.limit(found) if price is None else parse(price, asked.currency)
        asked = replace(asked, price=most)
    plan = plans.create(
        config, session.address, secrets.randbelow(EXACT_IN_JSON) if number is None else number, asked
    )
    bps = config.params.renter_bps(asked.currency, asked.urgency)
    session.say(quote_tables.leases(found, asked, bps))
    there = limits(asked, (await staking.read_devices(session.chain)).values(), classes, now)
    said = (*quote_tables.served_by(there, asked), *quote_tables.notes(found, asked, bps, now))
    plan = replace(plan, notes=(*plan.notes, *said))
    await session.carry_out(plan)


app.command()(translate)


@app.command("list")
@answers(leasing.Orders)
def list_(
    renter: Annotated[str | None, typer.Option(help="only this renter's")] = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """All orders that are open or have leases."""
    owner = address(renter) if renter else None

    async def read() -> tuple[list[Order], dict[int, Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            found, classes = await orders.read_orders(connected), await staking.read_classes(connected)
            return list(found.values()), classes, (await connected.clock()).unix_timestamp

    found, classes, now = asyncio.run(read())
    mine = [order for order in found if owner in (None, order.renter)]
    if as_json:
        write({"at": now, "orders": [order_tables.order_json(each, classes, now) for each in mine]})
    else:
        tables.show(order_tables.orders(mine, now))


@app.command()
@answers(leasing.OrderShown)
def show(order: OrderArgument, chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """An order: what was asked for, where its money is, its leases."""

    async def read() -> tuple[Order, list[Lease], dict[int, Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            found, leases = await read_with_leases(connected, address(order))
            classes = await staking.read_classes(connected)
            return found, leases, classes, (await connected.clock()).unix_timestamp

    found, leases, classes, now = asyncio.run(read())
    if as_json:
        shown = order_tables.order_json(found, classes, now)
        write({"at": now, "order": shown, "leases": [order_tables.lease_json(e, found, now) for e in leases]})
        return
    tables.show(order_tables.terms(found, classes, now))
    tables.show(order_tables.money(found, leases, now))
    if leases:
        tables.show(order_tables.leases(found, leases, now))


@app.command()
@answers(leasing.OrderReceipts)
def receipt(
    order: OrderArgument,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """What an order came to, closed or not: escrowed, paid to whom, fees, given back; every payment."""
    with needs("keeper", "ionet order receipt"):
        from keeper.cli.history import order_receipt  # noqa: PLC0415 - a database, for this alone

    order_receipt(address(order), as_json, chain)


@app.command()
@signs
async def extend(
    session: Session,
    order: OrderArgument,
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="hours to add to each lease")],
    device: DeviceOption = None,
) -> None:
    """Add hours to running leases, at their price.

    Example: ionet order extend ORDER --hours 3
    """
    config = await config_of(session.chain)
    found, leases = await read_with_leases(session.chain, address(order))
    running = [e for e in leases if e.status == LeaseStatus.RUNNING and session.now < e.stop]
    chosen = _chosen(running, device, "runs")
    await _carry_out_first(session, lambda leases: plans.extend(config, found, leases, hours), chosen)


@app.command()
@signs
async def end(session: Session, order: OrderArgument, device: DeviceOption = None) -> None:
    """End leases: as their renter, or as the supplier or worker of the devices."""
    await end_leases(session, order, device)


async def end_leases(session: Session, order: str, device: list[str] | None) -> None:
    """End those leases of an order that whoever acts may, all or those of some devices."""
    caller = session.address
    config = await config_of(session.chain)
    found, leases = await read_with_leases(session.chain, address(order))
    live = [lease for lease in leases if lease.status != LeaseStatus.ENDED]
    if caller != found.renter:
        live = [lease for lease in live if caller in (lease.supplier, lease.worker)]
    chosen = _chosen(live, device, "is yours to end")
    devices = await staking.read_devices(session.chain)

    def of(leases: list[Lease]) -> Plan:
        return plans.end(config, found, leases, devices, caller, session.now)

    await _carry_out_first(session, of, chosen)


@app.command()
@signs
async def cancel(session: Session, order: OrderArgument) -> None:
    """Stop taking devices and take back what is free; existing leases go on."""
    config = await config_of(session.chain)
    found, _ = await read_with_leases(session.chain, address(order))
    currency = found.terms.currency
    vault, fees = await session.chain.accounts([found.vault, config.fees(currency)])
    payable = is_payable(fees, None, config.mint(currency))
    await session.carry_out(plans.cancel(config, found, session.now, balance(vault), fees_payable=payable))


@app.command()
@answers(leasing.Parked)
def parked(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """Money that is set aside, as its payee's account was closed, frozen or handed over."""

    async def read() -> tuple[Config, list[Parked]]:
        async with connect(options.settings(chain).chain) as connected:
            return await config_of(connected), await orders.read_parked(connected)

    config, found = asyncio.run(read())
    if as_json:
        write({"parked": [order_tables.parked_json(config, each) for each in found]})
    else:
        tables.show(order_tables.parked(config, found))


@app.command("pay-parked")
@signs
async def pay_parked(
    session: Session, wallet: Annotated[str, typer.Argument(help="whose money it is")]
) -> None:
    """Pay what is set aside for a wallet, once its account is good again; anybody may."""
    owner = address(wallet)
    config = await config_of(session.chain)
    found = [each for each in await orders.read_parked(session.chain) if each.wallet == owner]
    if not found:
        raise UserError(f"nothing is set aside for {owner}; see ionet order parked")
    for each in found:
        await session.carry_out(plans.pay_parked(config, each))


# -- shared with the devices' commands ---------------------------------------------------------


async def config_of(chain: Chain) -> Config:
    """Read the program's config; raises ChainError when orders was never set up."""
    config = await orders.read_config(chain)
    if config is None:
        raise ChainError("orders is not set up on this chain: ionet deploy, then ionet genesis")
    return config


async def lease_of(chain: ChainReader, at: Pubkey) -> Lease:
    """Read a lease by its address; raises ChainError when there is none."""
    (account,) = await chain.accounts([at])
    if account is None or account.owner != orders.PROGRAM.address:
        raise ChainError(f"there is no lease {at}: it was closed or never existed; see ionet order show")
    try:
        lease = orders.parse_lease(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no lease ({error}); see ionet order show") from error
    if lease.address != at:
        raise ChainError(f"the node answers with another lease than {at}: ask one that you trust")
    return lease


def _read_quote(context: typer.Context, path: Path) -> Offer:
    """Read a quote; raises QuoteInvalid, and UserError when something is named that it has, too."""
    for name in TERMS:
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            option = name.rstrip("_").replace("_", "-")
            raise UserError(f"--quote has all of the order's terms: leave --{option} out, or the quote")
    try:
        return Offer.decode(path.read_bytes())
    except OSError as error:
        raise QuoteInvalid(f"{path} can't be read: {why(error)}") from error


def _named(option: str, value: Named | None) -> Named:
    if value is None:
        raise typer.BadParameter("name it, or a --quote", param_hint=f"'--{option}'")
    return value


def _chosen(leases: list[Lease], devices: list[str] | None, what: str) -> list[Lease]:
    """The leases of these devices, or all; raises UserError when one isn't there."""
    by_device = {lease.device: lease for lease in leases}
    wanted = [address(each) for each in devices] if devices else list(by_device)
    for each in wanted:
        if each not in by_device:
            raise UserError(f"no lease of {each} {what}; see ionet order show")
    if not wanted:
        raise UserError(f"no lease of this order {what}; see ionet order show")
    return [by_device[each] for each in wanted]


async def _carry_out_first(session: Session, of: Callable[[list[Lease]], Plan], chosen: list[Lease]) -> None:
    """Carry out the plan of the first leases, as many as fit into a transaction, and say what is left."""
    plan, count = fitting(lambda count: of(chosen[:count]), len(chosen), session.payer.pubkey())
    await session.carry_out(plan)
    if left := len(chosen) - count:
        session.say(f"{left} more don't fit into this transaction: run the command again for them.")
