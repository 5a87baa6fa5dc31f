"""``ionet device``: what suppliers lease out, for how much at least, and how they take orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainError, Signer
from keeper.chain.connect import connect
from keeper.chain.program import UnexpectedData
from keeper.chain.token import create_associated
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.orders import config_of, read_order
from keeper.cli.signing import DryRunOption, YesOption, carry_out
from keeper.cli.terms import class_number, country_code
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Config, Lease, Order
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy.money import parse, show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.staking import CoStake, minimum
from keeper.errors import UserError
from keeper.market.matching import suppliers_from
from keeper.settings.keys import read_private_keypair
from keeper.terminal import devices as device_tables
from keeper.terminal import tables
from keeper.terminal.orders import moment
from keeper.wallet import plans
from keeper.wallet.plans import Plan

app = typer.Typer(help="Lease devices out: register, price, take orders.", no_args_is_help=True)

AskIo = Annotated[
    str | None,
    typer.Option("--ask-io", help="the least IO for a processor and hour; 0: not for lease in IO"),
]
AskUsdc = Annotated[
    str | None,
    typer.Option("--ask-usdc", help="the least USDC for a processor and hour; 0: not for lease in USDC"),
]
WorkerMayEnd = typer.Option(
    "--worker-may-end/--worker-may-not-end",
    help="whether the machine's own key, which whoever rents it may come to read, ends running leases, too",
)
WorkerOption = Annotated[Path, typer.Option(help="key file of the device's worker")]
NO_STAKE = CoStake(NOBODY, 0, 0, 0, 0)


@app.command()
def register(  # noqa: PLR0913, PLR0917 - an option for each of a device's properties
    worker: Annotated[Path, typer.Option(help="key file of the machine's own key")],
    class_: Annotated[str, typer.Option("--class", help="the class's name, such as 'RTX 4090'")],
    country: Annotated[str, typer.Option(help="where it is, such as CH")],
    processors: Annotated[int, typer.Option(min=1, max=staking.MAX_PROCESSORS)] = 1,
    tier: Annotated[int, typer.Option(min=1, max=staking.MAX_TIER, help="connectivity")] = 1,
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    worker_may_end: Annotated[bool, WorkerMayEnd] = False,
    payout: Annotated[str | None, typer.Option(help="wallet that is paid", show_default="yours")] = None,
    stake: Annotated[
        str | None, typer.Option(help="IO to stake", show_default="the minimum; 0: none")
    ] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Register a device under your key and stake on it."""
    settings = options.settings(chain, keypair)
    supplier, machine = settings.signer(), read_private_keypair(worker)
    to = address(payout) if payout else supplier.pubkey()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            classes = await staking.read_classes(connected)
            of_class = classes[class_number(classes, class_)]
            now = (await connected.clock()).unix_timestamp
            least = minimum(of_class.multiplier_at(now), processors)
            device = Device(
                terminated=False,
                slash_pending=False,
                device_class=of_class.id,
                processors=processors,
                tier=tier,
                country=country_code(country),
                worker=machine.pubkey(),
                supplier=supplier.pubkey(),
                payout=to,
                ask_io=parse(ask_io or "0", Currency.IO),
                ask_usdc=parse(ask_usdc or "0", Currency.USDC),
                own=0,
                own_cooling=0,
                own_until=0,
                offer=0,
                offer_reward_bps=0,
                co=NO_STAKE,
                leaving=NO_STAKE,
                sufficient_since=0,
                registered_at=now,
                lease=NOBODY,
                hired_seconds=0,
                leases_done=0,
                leases_failed=0,
                disputes=0,
                changed_at=now,
                barred_until=0,
                frozen_until=0,
                leases=0,
                served_at_strike=0,
                last_order=NOBODY,
                last_order_at=0,
                strikes=0,
                worker_may_end=worker_may_end,
            )
            amount = parse(stake, Currency.IO) if stake is not None else least
            has_wallet = await staking.read_wallet(connected, to) is not None
            plan = _registration(device, amount, has_wallet, device_tables.about_asks(device, of_class, now))
            await carry_out(
                connected, plan, [supplier, machine], fees=settings.fees, dry_run=dry_run, yes=yes
            )

    asyncio.run(work())


@app.command()
def ask(
    device: Annotated[str, typer.Argument(help="the device's address")],
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    worker_may_end: Annotated[bool | None, WorkerMayEnd] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Change the least that a device is leased for; what isn't given stays.

    A device is leased at its class's price, never below its ask.
    """
    settings = options.settings(chain, keypair)
    supplier = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            found = await _read_device(connected, address(device))
            asked = replace(
                found,
                ask_io=found.ask_io if ask_io is None else parse(ask_io, Currency.IO),
                ask_usdc=found.ask_usdc if ask_usdc is None else parse(ask_usdc, Currency.USDC),
                worker_may_end=found.worker_may_end if worker_may_end is None else worker_may_end,
            )
            of_class = (await staking.read_classes(connected))[found.device_class]
            now = (await connected.clock()).unix_timestamp
            change = staking.change_device(
                found,
                tier=found.tier,
                country=found.country,
                ask_io=asked.ask_io,
                ask_usdc=asked.ask_usdc,
                worker_may_end=asked.worker_may_end,
            )
            notes = (
                *device_tables.about_asks(asked, of_class, now),
                *device_tables.about_change(found, asked),
            )
            plan = Plan((change,), notes=notes)
            await carry_out(connected, plan, [supplier], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command()
def pause(
    device: Annotated[str, typer.Argument(help="the device's address")],
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Take a device off the market with the machine's own key; only its supplier brings it back."""
    settings = options.settings(chain, keypair)
    machine = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            found = await _read_device(connected, address(device))
            plan = Plan((staking.pause_device(found),), notes=(device_tables.OFF_MARKET,))
            await carry_out(connected, plan, [machine], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command()
def accept(
    order: Annotated[str, typer.Argument(help="the order's address")],
    worker: WorkerOption,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Accept an order that an operator has matched with your device: its hours begin."""
    settings = options.settings(chain, keypair)
    payer, machine = settings.signer(), read_private_keypair(worker)
    at = staking.device_address(machine.pubkey())

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, lease = await _order_and_lease(connected, order, at)
            if lease is None:
                await _read_device(connected, at)
                raise UserError(
                    f"no operator has matched {at} to this order; its supplier may: ionet device take"
                )
            if lease.status != LeaseStatus.MATCHED:
                raise _has_lease(at)
            plan = plans.accept(config, found, lease, payer.pubkey())
            await carry_out(connected, plan, [payer, machine], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command()
def take(
    order: Annotated[str, typer.Argument(help="the order's address")],
    worker: WorkerOption,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Take an order that no operator has matched with your device: matched and accepted in one transaction.

    By the device's supplier, once operators have had their own time for it, at the network's price.
    """
    settings = options.settings(chain, keypair)
    supplier, machine = settings.signer(), read_private_keypair(worker)
    at = staking.device_address(machine.pubkey())

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, lease = await _order_and_lease(connected, order, at)
            if lease and lease.status == LeaseStatus.MATCHED:
                raise UserError(f"an operator has matched {at} to this order: ionet device accept accepts it")
            if lease:
                raise _has_lease(at)
            of_device = await _read_device(connected, at)
            of_class = (await staking.read_classes(connected))[of_device.device_class]
            now = (await connected.clock()).unix_timestamp
            plan = _taken(config, found, of_device, of_class, supplier, now)
            signers = [supplier, machine]
            await carry_out(connected, plan, signers, fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command("list")
def list_(
    supplier: Annotated[str | None, typer.Option(help="only this supplier's")] = None,
    class_: Annotated[str | None, typer.Option("--class", help="only of this class")] = None,
    free: Annotated[bool, typer.Option("--free", help="only those that can be leased now")] = False,
    chain: ChainOption = None,
) -> None:
    """Devices, their asks, their leases and their record."""
    owner = address(supplier) if supplier else None

    async def read() -> Table:
        async with connect(options.settings(chain).chain) as connected:
            devices, classes = await staking.read_devices(connected), await staking.read_classes(connected)
            leases = await orders.read_leases(connected)
            now = (await connected.clock()).unix_timestamp
        kind = class_number(classes, class_) if class_ else None
        chosen = {
            at: each
            for at, each in devices.items()
            if owner in (None, each.supplier)
            and kind in (None, each.device_class)
            and (
                not free
                or device_tables.status(each, classes[each.device_class], leases, now) == device_tables.FREE
            )
        }
        return device_tables.devices(chosen, classes, leases, now)

    tables.show(asyncio.run(read()))


def _registration(device: Device, amount: int, has_wallet: bool, notes: tuple[str, ...]) -> Plan:
    """Open the payout's wallet and IO account where they are missing, register, stake."""
    payer = device.supplier
    instructions = [create_associated(payer, device.payout, tokenomics.MINT)]
    if not has_wallet:
        instructions.append(staking.open_wallet(payer, device.payout))
    instructions.append(
        staking.register_device(
            payer,
            device.worker,
            device.payout,
            device.device_class,
            processors=device.processors,
            tier=device.tier,
            country=device.country,
            ask_io=device.ask_io,
            ask_usdc=device.ask_usdc,
            worker_may_end=device.worker_may_end,
        )
    )
    notes = (f"The device is {staking.device_address(device.worker)}.", *notes)
    if not amount:
        return Plan(
            tuple(instructions), notes=(*notes, "Without its minimum stake it earns and leases nothing.")
        )
    staked = plans.stake(device, amount)
    return Plan((*instructions, *staked.instructions), staked.movements, notes)


async def _order_and_lease(chain: Chain, order: str, device: Pubkey) -> tuple[Order, Lease | None]:
    """An order by its address, and the lease that a device has of it; None for none. Raises UserError."""
    found, leases = await read_order(chain, address(order))
    return found, next((each for each in leases if each.device == device), None)


def _has_lease(device: Pubkey) -> UserError:
    return UserError(f"{device} has a lease of this order already; see ionet order show")


def _taken(config: Config, order: Order, device: Device, of_class: Class, payer: Signer, now: int) -> Plan:
    """Match the supplier's own device and accept for its worker; raises UserError when only operators may."""
    if payer.pubkey() != device.supplier:
        raise UserError(
            f"only the device's supplier {device.supplier} takes an order for it: pass its key file with "
            "--keypair"
        )
    begins = suppliers_from(order)
    if begins is None:
        raise UserError(
            "only operators match this order: it wants several devices or none, or all in one country that "
            "isn't chosen yet"
        )
    if now < begins:
        raise UserError(
            f"until {moment(begins)} only operators match this order: wait for them, or run this command "
            "again then"
        )
    match, lease = plans.match(order, device, of_class, payer.pubkey(), now)
    accepted = plans.accept(config, order, lease, payer.pubkey())
    if not lease.rate:
        # The chain's own trial says why it can't be.
        return Plan((match, *accepted.instructions))
    price = show(lease.rate // order.terms.processors, order.terms.currency)
    note = f"It is leased at {price} {order.terms.currency.name} for a processor and hour."
    return Plan((match, *accepted.instructions), accepted.movements, (note, *accepted.notes))


async def _read_device(chain: Chain, at: Pubkey) -> Device:
    (account,) = await chain.accounts([at])
    if account is None or account.owner != staking.PROGRAM.address:
        raise ChainError(f"there is no device {at}; see ionet device list")
    try:
        return staking.parse_device(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no device ({error}); see ionet device list") from error
