"""``ionet order``: order compute, watch it, extend it, end it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainError, Signer
from keeper.chain.connect import connect
from keeper.chain.fees import FeePolicy
from keeper.chain.program import UnexpectedData
from keeper.chain.token import balance, is_payable
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import DryRunOption, YesOption, carry_out
from keeper.clients import orders, staking
from keeper.clients.orders import Config, Lease, Order, Parked, Terms
from keeper.clients.staking import Class
from keeper.economy import orders as economy
from keeper.economy.money import U64_MAX, parse
from keeper.economy.orders import MAX_HOURS, Currency, LeaseStatus
from keeper.errors import UserError
from keeper.market import quotes
from keeper.terminal import orders as order_tables
from keeper.terminal import quotes as quote_tables
from keeper.terminal import tables
from keeper.terminal.tables import console
from keeper.wallet import plans
from keeper.wallet.checks import fitting
from keeper.wallet.plans import Plan

app = typer.Typer(help="Rent compute: orders, their leases and their money.", no_args_is_help=True)

COUNTRY_LETTERS = 2

OrderArgument = Annotated[str, typer.Argument(help="the order's address")]
DeviceOption = Annotated[
    list[str] | None,
    typer.Option("--device", help="a device of the order, repeat for each", show_default="all"),
]


class Unit(StrEnum):
    """Currencies as they are typed."""

    IO = "io"
    USDC = "usdc"


class Urgency(StrEnum):
    """How soon an order is wanted, in the order of the program's numbers."""

    ORDINARY = "ordinary"
    SOON = "soon"
    NOW = "now"


@app.command()
def create(  # noqa: PLR0913, PLR0917 - an option for each term
    class_: Annotated[list[str], typer.Option("--class", help="name of a class, repeat for each of up to 8")],
    currency: Annotated[Unit, typer.Option(help="what the order is paid in")],
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="of every device")],
    price: Annotated[
        str | None,
        typer.Option(
            help="the most for a processor and hour, such as 0.35", show_default="the dearest class's price"
        ),
    ] = None,
    devices: Annotated[int, typer.Option(min=1, max=orders.MAX_DEVICES)] = 1,
    min_devices: Annotated[
        int, typer.Option(min=1, max=orders.MAX_DEVICES, help="all or nothing: none runs before so many can")
    ] = 1,
    processors: Annotated[
        int, typer.Option(min=1, max=staking.MAX_PROCESSORS, help="that each device has")
    ] = 1,
    tier: Annotated[int, typer.Option(min=1, max=staking.MAX_TIER, help="lowest connectivity tier")] = 1,
    country: Annotated[list[str] | None, typer.Option(help="such as CH, repeat for each; none: any")] = None,
    colocated: Annotated[bool, typer.Option("--colocated", help="all devices in one country")] = False,
    urgency: Annotated[
        Urgency, typer.Option(help="a place further ahead, for a fee on top that is shown before you sign")
    ] = Urgency.ORDINARY,
    number: Annotated[
        int | None,
        typer.Option(min=0, max=U64_MAX, help="your number for the order", show_default="the time"),
    ] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Open an order: the most that it can cost goes into a vault of its own."""
    unit = Currency[currency.name]
    settings = options.settings(chain, keypair)
    renter = settings.signer()
    countries = tuple(map(country_code, country or ()))
    _require_at_most(orders.MAX_CLASSES, "classes", class_)
    _require_at_most(orders.MAX_COUNTRIES, "countries", countries)
    if min_devices > devices:
        raise UserError(f"an order for {devices} never has {min_devices}: name as many --devices at least")

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            classes = await staking.read_classes(connected)
            numbers = tuple(class_number(classes, each) for each in class_)
            now = (await connected.clock()).unix_timestamp
            until = now + config.params.match_window
            found = [quotes.quote(classes[each], unit, now, until) for each in numbers]
            terms = Terms(
                price=quotes.limit(found) if price is None else parse(price, unit),
                hours=hours,
                devices=devices,
                processors=processors,
                classes=numbers,
                currency=unit,
                min_tier=tier,
                urgency=economy.Urgency[urgency.name],
                colocated=colocated,
                countries=countries,
                min_devices=min_devices,
            )
            plan = plans.create(config, renter.pubkey(), now if number is None else number, terms)
            bps = config.params.renter_bps(unit, terms.urgency)
            console.print(quote_tables.leases(found, terms, bps))
            plan = replace(plan, notes=(*plan.notes, *quote_tables.notes(found, terms, bps, now)))
            await carry_out(connected, plan, [renter], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command("list")
def list_(
    renter: Annotated[str | None, typer.Option(help="only this renter's")] = None,
    chain: ChainOption = None,
) -> None:
    """All orders that are open or have leases."""
    owner = address(renter) if renter else None

    async def read() -> tuple[list[Order], int]:
        async with connect(options.settings(chain).chain) as connected:
            found = await orders.read_orders(connected)
            return list(found.values()), (await connected.clock()).unix_timestamp

    found, now = asyncio.run(read())
    mine = [order for order in found if owner in (None, order.renter)]
    tables.show(order_tables.orders(mine, now))


@app.command()
def show(order: OrderArgument, chain: ChainOption = None) -> None:
    """An order: what was asked for, where its money is, its leases."""

    async def read() -> tuple[Order, list[Lease], dict[int, Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            found, leases = await read_order(connected, address(order))
            classes = await staking.read_classes(connected)
            return found, leases, classes, (await connected.clock()).unix_timestamp

    found, leases, classes, now = asyncio.run(read())
    console.print(order_tables.terms(found, classes, now))
    console.print(order_tables.money(found, leases, now))
    if leases:
        tables.show(order_tables.leases(found, leases, now))


@app.command()
def extend(
    order: OrderArgument,
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="to add")],
    device: DeviceOption = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Add hours to running leases, at their price."""
    settings = options.settings(chain, keypair)
    renter = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, leases = await read_order(connected, address(order))
            now = (await connected.clock()).unix_timestamp
            running = [e for e in leases if e.status == LeaseStatus.RUNNING and now < e.stop]
            chosen = _chosen(running, device, "runs")

            def of(leases: list[Lease]) -> Plan:
                return plans.extend(config, found, leases, hours)

            await _carry_out_first(
                connected, of, chosen, renter, fees=settings.fees, dry_run=dry_run, yes=yes
            )

    asyncio.run(work())


@app.command()
def end(
    order: OrderArgument,
    device: DeviceOption = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """End leases: as their renter, or as the supplier or worker of the devices."""
    settings = options.settings(chain, keypair)
    caller = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, leases = await read_order(connected, address(order))
            live = [lease for lease in leases if lease.status != LeaseStatus.ENDED]
            if caller.pubkey() != found.renter:
                live = [lease for lease in live if caller.pubkey() in (lease.supplier, lease.worker)]
            chosen = _chosen(live, device, "is yours to end")
            now = (await connected.clock()).unix_timestamp
            devices = await staking.read_devices(connected)

            def of(leases: list[Lease]) -> Plan:
                return plans.end(config, found, leases, devices, caller.pubkey(), now)

            await _carry_out_first(
                connected, of, chosen, caller, fees=settings.fees, dry_run=dry_run, yes=yes
            )

    asyncio.run(work())


@app.command()
def cancel(
    order: OrderArgument,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Stop taking devices and take back what is free; existing leases go on."""
    settings = options.settings(chain, keypair)
    renter = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, _ = await read_order(connected, address(order))
            currency = found.terms.currency
            vault, fees = await connected.accounts([found.vault, config.fees(currency)])
            now = (await connected.clock()).unix_timestamp
            payable = is_payable(fees, None, config.mint(currency))
            plan = plans.cancel(config, found, now, balance(vault), fees_payable=payable)
            await carry_out(connected, plan, [renter], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command()
def parked(chain: ChainOption = None) -> None:
    """Money that is set aside, as its payee's account was closed, frozen or handed over."""

    async def read() -> tuple[Config, list[Parked]]:
        async with connect(options.settings(chain).chain) as connected:
            return await config_of(connected), await orders.read_parked(connected)

    config, found = asyncio.run(read())
    tables.show(order_tables.parked(config, found))


@app.command("pay-parked")
def pay_parked(
    wallet: Annotated[str, typer.Argument(help="whose money it is")],
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Pay what is set aside for a wallet, once its account is good again; anybody may."""
    settings = options.settings(chain, keypair)
    payer, owner = settings.signer(), address(wallet)

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found = [each for each in await orders.read_parked(connected) if each.wallet == owner]
            if not found:
                raise UserError(f"nothing is set aside for {owner}; see ionet order parked")
            for each in found:
                plan = plans.pay_parked(config, each)
                await carry_out(connected, plan, [payer], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


# -- shared with the devices' commands ---------------------------------------------------------


async def config_of(chain: Chain) -> Config:
    """Read the program's config; raises ChainError when orders was never set up."""
    config = await orders.read_config(chain)
    if config is None:
        raise ChainError("orders is not set up on this chain: ionet deploy, then ionet genesis")
    return config


async def read_order(chain: Chain, at: Pubkey) -> tuple[Order, list[Lease]]:
    """Read an order and its leases as they are now; raises ChainError when it isn't there."""
    leases = await orders.read_leases(chain)
    (account,) = await chain.accounts([at])
    if account is None or account.owner != orders.PROGRAM.address:
        raise ChainError(f"there is no order {at}: it was closed or never existed; see ionet order list")
    try:
        order = orders.parse_order(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no order ({error}); see ionet order list") from error
    return order, [lease.begun(order) for lease in order_tables.by_order(leases, at)]


def class_number(classes: dict[int, Class], name: str) -> int:
    """A class's number by its name; raises UserError naming classes like it."""
    for each in classes.values():
        if each.name.lower() == name.lower():
            return each.id
    if not classes:
        raise UserError("this chain has no classes yet: ionet genesis writes them")
    alike = [each.name for each in classes.values() if name.lower() in each.name.lower()]
    raise UserError(f"no class is called {name!r}; there are {', '.join(alike or _names(classes))}")


def country_code(text: str) -> str:
    """A country's two letters; raises UserError. Whether it exists is not checked here."""
    if len(text) != COUNTRY_LETTERS or not (text.isascii() and text.isalpha()):
        raise UserError(f"{text!r} is no country: write its two letters, such as CH")
    return text


def _require_at_most(most: int, what: str, found: Sequence[str]) -> None:
    if len(found) > most:
        raise UserError(f"an order takes at most {most} {what}, not {len(found)}")


def _names(classes: dict[int, Class]) -> list[str]:
    return [each.name for each in classes.values()]


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


async def _carry_out_first(
    chain: Chain,
    of: Callable[[list[Lease]], Plan],
    chosen: list[Lease],
    signer: Signer,
    *,
    fees: FeePolicy,
    dry_run: bool,
    yes: bool,
) -> None:
    """Carry out the plan of the first leases, as many as fit into a transaction, and say what is left."""
    plan, count = fitting(lambda count: of(chosen[:count]), len(chosen), signer.pubkey())
    await carry_out(chain, plan, [signer], fees=fees, dry_run=dry_run, yes=yes)
    if left := len(chosen) - count:
        console.print(f"{left} more don't fit into this transaction: run the command again for them.")
