"""``ionet device``: what suppliers lease out, at which price, and how they take orders."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainError, Signer
from keeper.chain.connect import connect
from keeper.chain.program import UnexpectedData
from keeper.chain.token import create_associated
from keeper.cli import options
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.orders import class_number, config_of, country_code, read_order
from keeper.cli.signing import DryRunOption, YesOption, carry_out
from keeper.clients import orders, staking, tokenomics
from keeper.clients.orders import Lease, Order
from keeper.clients.staking import NOBODY, Class, Device
from keeper.economy.calendar import HOUR
from keeper.economy.money import parse, show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.staking import CoStake, counted, minimum
from keeper.economy.supply import io
from keeper.errors import UserError
from keeper.settings.keys import read_private_keypair
from keeper.terminal import tables
from keeper.terminal.tables import plain
from keeper.wallet import plans
from keeper.wallet.plans import Plan

app = typer.Typer(help="Lease devices out: register, price, take orders.", no_args_is_help=True)

AskIo = Annotated[
    str | None, typer.Option("--ask-io", help="IO for a processor and hour; 0: not for lease in IO")
]
AskUsdc = Annotated[
    str | None, typer.Option("--ask-usdc", help="USDC for a processor and hour; 0: not for lease in USDC")
]
WorkerOption = Annotated[Path | None, typer.Option("--worker", help="key file of the device's worker")]
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
    payout: Annotated[str | None, typer.Option(help="wallet that is paid [default: yours]")] = None,
    stake: Annotated[str | None, typer.Option(help="IO to stake [default: the minimum; 0: none]")] = None,
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
            )
            amount = parse(stake, Currency.IO) if stake is not None else least
            has_wallet = await staking.read_wallet(connected, to) is not None
            plan = _registration(device, amount, has_wallet)
            await carry_out(
                connected, plan, [supplier, machine], fees=settings.fees, dry_run=dry_run, yes=yes
            )

    asyncio.run(work())


@app.command()
def ask(
    device: Annotated[str, typer.Argument(help="the device's address")],
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Change what a device asks for a processor and hour; an ask that isn't given stays."""
    settings = options.settings(chain, keypair)
    supplier = settings.signer()

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            found = await _read_device(connected, address(device))
            asks = {
                "ask_io": found.ask_io if ask_io is None else parse(ask_io, Currency.IO),
                "ask_usdc": found.ask_usdc if ask_usdc is None else parse(ask_usdc, Currency.USDC),
            }
            change = staking.change_device(found, tier=found.tier, country=found.country, **asks)
            io_, usdc = show(asks["ask_io"], Currency.IO), show(asks["ask_usdc"], Currency.USDC)
            note = f"From now on it asks for {io_} IO or {usdc} USDC; running leases keep their price."
            plan = Plan((change,), notes=(note,))
            await carry_out(connected, plan, [supplier], fees=settings.fees, dry_run=dry_run, yes=yes)

    asyncio.run(work())


@app.command()
def accept(
    order: Annotated[str, typer.Argument(help="the order's address")],
    worker: WorkerOption = None,
    device: Annotated[str | None, typer.Option(help="the device's address, without --worker")] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
) -> None:
    """Take an order: match your own device to it, accept as its worker, or both in one transaction.

    With --worker the machine accepts; a device that no operator has matched is matched first, by your key.
    With --device alone it is only matched, and its worker has ten minutes to accept.
    """
    settings = options.settings(chain, keypair)
    payer = settings.signer()
    machine = read_private_keypair(worker) if worker else None
    if (machine is None) == (device is None):
        raise UserError("name the device by its worker's key file (--worker), or by its address (--device)")
    at = staking.device_address(machine.pubkey()) if machine else address(device or "")

    async def work() -> None:
        async with connect(settings.chain, live=True, keep=not dry_run) as connected:
            config = await config_of(connected)
            found, leases = await read_order(connected, address(order))
            of_device = await _read_device(connected, at)
            lease = next((each for each in leases if each.device == at), None)
            now = (await connected.clock()).unix_timestamp
            first: tuple[Instruction, ...] = ()
            if lease is None:
                lease, first = _matched(found, of_device, payer, now)
            elif machine is None or lease.status != LeaseStatus.MATCHED:
                raise UserError(f"{at} has a lease of this order already; see ionet order show")
            minutes = found.accept_window // 60
            note = f"Its worker {of_device.worker} has {minutes} minutes to accept, or the lease lapses."
            plan = Plan(first, notes=(note,))
            signers: list[Signer] = [payer]
            if machine:
                accepted = plans.accept(config, found, lease, payer.pubkey())
                plan = Plan((*first, *accepted.instructions), accepted.movements, accepted.notes)
                signers.append(machine)
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
            and (not free or device_status(each, classes[each.device_class], leases, now) == FREE)
        }
        return table(chosen, classes, leases, now)

    tables.show(asyncio.run(read()))


FREE = "free"


def device_status(device: Device, of_class: Class, leases: dict[Pubkey, Lease], now: int) -> str:
    """A device's status, in words."""
    if device.terminated:
        return "terminated"
    if device.slash_pending:
        return "slash pending"
    if device.lease != NOBODY:
        lease = leases.get(device.lease)
        runs = lease is not None and lease.status == LeaseStatus.RUNNING
        return "hired" if runs else "matched"
    if counted(device.own, device.co, now) < device.minimum(of_class, now):
        return "stake too small"
    return FREE if device.ask_io or device.ask_usdc else "not for lease"


def table(
    devices: dict[Pubkey, Device], classes: dict[int, Class], leases: dict[Pubkey, Lease], now: int
) -> Table:
    """A line for each device, the cheapest of a class first."""
    columns = (
        "device",
        "status",
        "class",
        "place",
        "ask IO",
        "ask USDC",
        "stake IO",
        "hours hired",
        "done",
        "failed",
    )
    found = plain("Devices", *columns)
    for column in (1, 2, 3):
        found.columns[column].justify = "left"
    rows = sorted(devices.items(), key=lambda row: (row[1].device_class, row[1].ask_io, bytes(row[0])))
    for at, each in rows:
        of_class = classes[each.device_class]
        found.add_row(
            str(at),
            device_status(each, of_class, leases, now),
            f"{each.processors} x {of_class.name}",
            f"{each.country}, tier {each.tier}",
            show(each.ask_io, Currency.IO),
            show(each.ask_usdc, Currency.USDC),
            io(counted(each.own, each.co, now), 0),
            f"{each.hired_seconds // HOUR:,}",
            f"{each.leases_done:,}",
            f"{each.leases_failed:,}",
        )
    return found


def _registration(device: Device, amount: int, has_wallet: bool) -> Plan:
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
        )
    )
    note = f"The device is {staking.device_address(device.worker)}."
    if not amount:
        return Plan(
            tuple(instructions), notes=(note, "Without its minimum stake it earns and leases nothing.")
        )
    staked = plans.stake(device, amount)
    return Plan((*instructions, *staked.instructions), staked.movements, (note,))


def _matched(order: Order, device: Device, payer: Signer, now: int) -> tuple[Lease, tuple[Instruction, ...]]:
    """The lease that the supplier's own match makes, and the match; raises UserError for any other signer."""
    if payer.pubkey() != device.supplier:
        raise UserError(
            f"no operator has matched the device to this order; only its supplier {device.supplier} can do "
            "so now: pass its key file with --keypair"
        )
    instruction, lease = plans.match(order, device, payer.pubkey(), now)
    return lease, (instruction,)


async def _read_device(chain: Chain, at: Pubkey) -> Device:
    (account,) = await chain.accounts([at])
    if account is None or account.owner != staking.PROGRAM.address:
        raise ChainError(f"there is no device {at}; see ionet device list")
    try:
        return staking.parse_device(account.data)
    except UnexpectedData as error:
        raise ChainError(f"{at} is no device ({error}); see ionet device list") from error
