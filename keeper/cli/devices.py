"""``ionet device``: what suppliers lease out, for how much at least, and how they take orders."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from solders.pubkey import Pubkey

from keeper.chain import Chain
from keeper.chain.connect import connect
from keeper.cli import device_life, device_terms, options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.device_terms import AskIo, AskUsdc, WorkerMayEnd
from keeper.cli.money import KeylessOption
from keeper.cli.options import ChainOption, address
from keeper.cli.orders import config_of
from keeper.cli.signing import Session, signs
from keeper.cli.terms import class_number, country_code
from keeper.clients import orders, staking
from keeper.clients.orders import Config, Lease, Order
from keeper.clients.orders.whole import read_with_leases
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy.calendar import moment
from keeper.economy.money import parse, show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.staking import CoStake, minimum
from keeper.errors import UserError
from keeper.market.accepting import payee, refused
from keeper.market.matching import suppliers_from
from keeper.settings.keys import read_private_keypair
from keeper.terminal import devices as device_tables
from keeper.terminal import tables
from keeper.terminal.answers import leasing
from keeper.wallet import devices, openings, plans
from keeper.wallet.plan import Plan
from keeper.wallet.receivers import require_wallet
from keeper.wallet.stakes import read_device

app = typer.Typer(help="Lease devices out: register, price, take orders.", no_args_is_help=True)
app.add_typer(device_terms.app)
app.add_typer(device_life.app)

WorkerOption = Annotated[Path, typer.Option(help="key file of the device's worker")]
NO_STAKE = CoStake(NOBODY, 0, 0, 0, 0)


@app.command()
@signs
async def register(  # noqa: PLR0913, PLR0917 - an option for each of a device's properties
    session: Session,
    worker: Annotated[Path, typer.Option(help="key file of the machine's own key")],
    class_: Annotated[str, typer.Option("--class", help="the class's name, such as 'RTX 4090'")],
    country: Annotated[str, typer.Option(help="where it is, such as CH")],
    processors: Annotated[
        int, typer.Option(min=1, max=staking.MAX_PROCESSORS, help="processors that it has")
    ] = 1,
    tier: Annotated[int, typer.Option(min=1, max=staking.MAX_TIER, help="connectivity tier, 4 is best")] = 1,
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    worker_may_end: Annotated[bool, WorkerMayEnd] = False,
    payout: Annotated[str | None, typer.Option(help="wallet that is paid", show_default="yours")] = None,
    stake: Annotated[
        str | None, typer.Option(help="IO to stake", show_default="the minimum; 0: none")
    ] = None,
    keyless: KeylessOption = False,
) -> None:
    """Register a device under your key and stake on it.

    Example: ionet device register --worker worker.json --class "RTX 4090" --country CH
    """
    machine = read_private_keypair(worker)
    if machine.pubkey() == session.address:
        raise UserError(
            "a machine's key is its own, as whoever rents it may come to read it: make one with ionet key "
            "new, and pass it with --worker"
        )
    to = address(payout) if payout else session.address
    about = await require_wallet(session.chain, to, keyless=keyless) if payout else ()
    classes = await staking.read_classes(session.chain)
    of_class = classes[class_number(classes, class_)]
    least = minimum(of_class.multiplier_at(session.now), processors)
    device = Device(
        terminated=False,
        slash_pending=False,
        device_class=of_class.id,
        processors=processors,
        tier=tier,
        country=country_code(country),
        worker=machine.pubkey(),
        supplier=session.address,
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
        registered_at=session.now,
        lease=NOBODY,
        hired_seconds=0,
        leases_done=0,
        leases_failed=0,
        disputes=0,
        changed_at=session.now,
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
    has_wallet = await staking.read_wallet(session.chain, to) is not None
    plan = devices.registration(device, amount, least, has_wallet)
    later = devices.about_class(of_class, processors, session.now)
    asks = device_tables.about_asks(device, of_class, session.now)
    plan = replace(plan, notes=(*plan.notes, *later, *about, *asks))
    await session.carry_out(plan, machine)


@app.command()
@signs
async def accept(
    session: Session,
    order: Annotated[str, typer.Argument(help="the order's address")],
    worker: WorkerOption,
) -> None:
    """Accept an order that an operator has matched with your device: its hours begin.

    Example: ionet device accept ORDER --worker worker.json
    """
    machine, chain = read_private_keypair(worker), session.chain
    at = staking.device_address(machine.pubkey())
    config = await config_of(chain)
    found, lease = await _order_and_lease(chain, order, at)
    if lease is None:
        await read_device(chain, at)
        raise UserError(f"no operator has matched {at} to this order; its supplier may: ionet device take")
    if lease.status != LeaseStatus.MATCHED:
        raise _has_lease(at)
    (account,) = await chain.accounts([payee(config, found, lease)])
    if hindrance := refused(config, found, lease, account, (await chain.clock()).unix_timestamp):
        raise UserError(hindrance.reason)
    await session.carry_out(plans.accept(config, found, lease, session.payer.pubkey()), machine)


@app.command()
@signs
async def take(
    session: Session,
    order: Annotated[str, typer.Argument(help="the order's address")],
    worker: WorkerOption,
) -> None:
    """Take an order that no operator has matched with your device: matched and accepted in one transaction.

    By the device's supplier, once operators have had their own time for it, at the network's price.

    Example: ionet device take ORDER --worker worker.json
    """
    machine, chain = read_private_keypair(worker), session.chain
    at = staking.device_address(machine.pubkey())
    config = await config_of(chain)
    found, lease = await _order_and_lease(chain, order, at)
    if lease and lease.status == LeaseStatus.MATCHED:
        raise UserError(f"an operator has matched {at} to this order: ionet device accept accepts it")
    if lease:
        raise _has_lease(at)
    of_device = await read_device(chain, at)
    of_class = (await staking.read_classes(chain))[of_device.device_class]
    plan = _taken(config, found, of_device, of_class, session.address, session.now)
    await session.carry_out(plan, machine)


@app.command("list")
@answers(leasing.Devices)
def list_(
    supplier: Annotated[str | None, typer.Option(help="only this supplier's")] = None,
    class_: Annotated[str | None, typer.Option("--class", help="only of this class, by its name")] = None,
    free: Annotated[bool, typer.Option("--free", help="only those that can be leased now")] = False,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Devices, their asks, their leases and their record."""
    owner = address(supplier) if supplier else None

    async def read() -> tuple[dict[Pubkey, Device], dict[int, Class], dict[Pubkey, Lease], int]:
        async with connect(options.settings(chain).chain) as connected:
            found, classes = await staking.read_devices(connected), await staking.read_classes(connected)
            leases = await orders.read_leases(connected)
            now = (await connected.clock()).unix_timestamp
        kind = class_number(classes, class_) if class_ else None
        chosen = {
            at: each
            for at, each in found.items()
            if owner in (None, each.supplier)
            and kind in (None, each.device_class)
            and (
                not free
                or device_tables.status(each, classes[each.device_class], leases, now) == device_tables.FREE
            )
        }
        return chosen, classes, leases, now

    found, classes, leases, now = asyncio.run(read())
    if as_json:
        write({"at": now, "devices": device_tables.as_json(found, classes, leases, now)})
    else:
        tables.show(device_tables.devices(found, classes, leases, now))


async def _order_and_lease(chain: Chain, order: str, device: Pubkey) -> tuple[Order, Lease | None]:
    """An order by its address, and the lease that a device has of it; None for none. Raises UserError."""
    found, leases = await read_with_leases(chain, address(order))
    return found, next((each for each in leases if each.device == device), None)


def _has_lease(device: Pubkey) -> UserError:
    return UserError(f"{device} has a lease of this order already; see ionet order show")


def _taken(config: Config, order: Order, device: Device, of_class: Class, payer: Pubkey, now: int) -> Plan:
    """Match the supplier's own device and accept for its worker; raises UserError when only operators may."""
    if payer != device.supplier:
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
    match, lease = plans.match(order, device, of_class, payer, now)
    accepted = plans.accept(config, order, lease, payer)
    at = staking.device_address(device.worker)
    opened = (openings.lease(order, at, payer), *accepted.openings)
    if not lease.rate:
        # The chain's own trial says why it can't be.
        return Plan((match, *accepted.instructions), openings=opened)
    price = show(lease.rate // order.terms.processors, order.terms.currency)
    note = f"It is leased at {price} {order.terms.currency.name} for a processor and hour."
    notes = (note, *accepted.notes)
    return Plan((match, *accepted.instructions), accepted.movements, notes, openings=opened)
