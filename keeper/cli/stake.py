"""``ionet stake``: what a supplier has staked on devices: put in, take out, and when."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.signing import Session, signs
from keeper.cli.terms import class_number
from keeper.clients import staking
from keeper.clients.staking import Class
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.economy.staking import minimum
from keeper.errors import UserError
from keeper.rewards import publication
from keeper.rewards.estimate import Candidate, Estimate, earned
from keeper.terminal import stakes as stake_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.wallet import stakes
from keeper.wallet.stakes import Staked, read_all_staked, read_staked

app = typer.Typer(help="Stakes: put IO on a device, take it out again.", no_args_is_help=True)

DeviceArgument = Annotated[str, typer.Argument(help="the device's address")]
ToOption = Annotated[
    str | None,
    typer.Option(
        help="another token account of the owner, a week after its own one couldn't be paid",
        show_default="the owner's associated account",
    ),
]
WalletOption = Annotated[str | None, typer.Option(help="whose stakes", show_default="your key's")]
FolderOption = Annotated[
    Path | None, typer.Option("--dir", help="folder of published hours", show_default="IONET_REWARDS")
]


@app.command()
@answers(looking.Stakes)
def show(
    wallet: WalletOption = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """All that a wallet has staked: on its own devices and as a co-staker, with dates."""
    settings = options.settings(chain, keypair)
    owner = address(wallet) if wallet else settings.signer().pubkey()

    async def read() -> list[Staked]:
        async with connect(settings.chain) as connected:
            return await read_all_staked(connected)

    found = [
        each
        for each in asyncio.run(read())
        if owner in {each.device.supplier, each.device.co.staker, each.device.leaving.staker}
    ]
    if as_json:
        write(stake_tables.as_json(found, owner))
    elif not found:
        tables.console.print(
            f"{owner} has staked nothing. ionet device register makes a device and stakes on it, ionet "
            "co-stake offers lists devices that look for a co-staker.",
            soft_wrap=True,
        )
    else:
        for table in stake_tables.of_wallet(found, owner):
            tables.show(table)


@app.command()
@signs
async def add(
    session: Session,
    device: DeviceArgument,
    amount: Annotated[str, typer.Argument(help="IO, such as 250.5")],
) -> None:
    """Put IO on a device of yours."""
    found = await read_staked(session.chain, address(device), session.now)
    await session.carry_out(stakes.add(found, parse(amount, Currency.IO)))


@app.command()
@signs
async def unstake(session: Session, device: DeviceArgument) -> None:
    """Begin the cooldown of all that is staked on a device of yours; it earns nothing from then on."""
    found = await read_staked(session.chain, address(device), session.now)
    await session.carry_out(stakes.unstake(found))


@app.command()
@signs
async def withdraw(session: Session, device: DeviceArgument, to: ToOption = None) -> None:
    """Pay a stake whose cooldown is over to the device's supplier; anybody may."""
    found = await read_staked(session.chain, address(device), session.now)
    place = address(to) if to else None
    await session.carry_out(stakes.withdraw(found, session.payer.pubkey(), place))


@app.command()
@signs
async def overflow(
    session: Session,
    device: DeviceArgument,
    amount: Annotated[str | None, typer.Argument(help="IO, such as 250.5", show_default="all of it")] = None,
) -> None:
    """Take out what is staked above the minimum, at once."""
    found = await read_staked(session.chain, address(device), session.now)
    await session.carry_out(stakes.overflow(found, parse(amount, Currency.IO) if amount else None))


@app.command()
@answers(looking.Estimate)
def estimate(
    class_: Annotated[str, typer.Option("--class", help="the class's name, such as 'RTX 4090'")],
    processors: Annotated[
        int, typer.Option(min=1, max=staking.MAX_PROCESSORS, help="processors of the device")
    ] = 1,
    tier: Annotated[
        int, typer.Option(min=1, max=staking.MAX_TIER, help="connectivity tier as measured, 4 is best")
    ] = 1,
    hired: Annotated[bool, typer.Option("--hired", help="as if it were leased all the time")] = False,
    hours: Annotated[int, typer.Option(min=1, help="published hours that are computed again")] = 24,
    folder: FolderOption = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a device would have earned in the last published hours, had it been there and done all it must.

    The rule is computed again with one device more. What comes depends on who else is there then.
    """
    settings = options.settings(chain)
    place = folder or settings.rewards
    numbers = publication.published_hours(place)[-hours:]
    if not numbers:
        raise UserError(f"no hour is published in {place}: --dir (or IONET_REWARDS) names the folder")

    async def read() -> tuple[Class, int]:
        async with connect(settings.chain) as connected:
            classes = await staking.read_classes(connected)
            of_class = classes[class_number(classes, class_)]
            return of_class, (await connected.clock()).unix_timestamp

    of_class, now = asyncio.run(read())
    device = Candidate(of_class.id, processors, tier, hired)
    found = Estimate(
        {number: earned(place, number, device) for number in numbers},
        minimum(of_class.multiplier_at(now), processors),
    )
    if as_json:
        write(stake_tables.estimate_json(found))
    else:
        tables.show(stake_tables.estimated(found))
