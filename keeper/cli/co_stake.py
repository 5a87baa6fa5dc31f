"""``ionet co-stake``: stake on somebody else's device for a share of what it earns."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

import typer

from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import ChainOption, address
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument, ToOption
from keeper.cli.terms import class_number
from keeper.clients import staking
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.terminal import stakes as stake_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.wallet import stakes
from keeper.wallet.stakes import Staked, read_all_staked, read_staked

app = typer.Typer(help="Co-stakes: stake on somebody else's device.", no_args_is_help=True)

StakerOption = Annotated[
    str | None, typer.Option(help="whose co-stake it is", show_default="your key's wallet")
]


@app.command()
@answers(looking.CoStakeOffers)
def offers(
    class_: Annotated[str | None, typer.Option("--class", help="only of this class, by its name")] = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Devices that look for a co-staker: what they ask for, what they share, how they stand."""

    async def read() -> tuple[list[Staked], int | None]:
        async with connect(options.settings(chain).chain) as connected:
            kind = class_number(await staking.read_classes(connected), class_) if class_ else None
            return await read_all_staked(connected), kind

    every, kind = asyncio.run(read())
    found = [each for each in every if each.device.offer and kind in (None, each.of_class.id)]
    if as_json:
        write({"offers": [stake_tables.offer_json(each) for each in found]})
    elif not found:
        tables.console.print("No device looks for a co-staker now.")
    else:
        tables.show(stake_tables.offers(found))


@app.command()
@signs
async def offer(
    session: Session,
    device: DeviceArgument,
    share: Annotated[str, typer.Option(help="of the rewards, in per cent, such as 25 or 12.5")],
    amount: Annotated[
        str | None, typer.Option(help="IO that the co-staker stakes", show_default="half of the minimum")
    ] = None,
) -> None:
    """Look for a co-staker for a device of yours.

    Example: ionet co-stake offer DEVICE --share 25 --amount 400
    """
    found = await read_staked(session.chain, address(device), session.now)
    asked = parse(amount, Currency.IO) if amount else None
    await session.carry_out(stakes.offer(found, asked, _basis_points(share)))


@app.command("withdraw-offer")
@signs
async def withdraw_offer(session: Session, device: DeviceArgument) -> None:
    """Withdraw an offer that nobody took."""
    found = await read_staked(session.chain, address(device), session.now)
    await session.carry_out(stakes.withdraw_offer(found))


@app.command()
@signs
async def take(session: Session, device: DeviceArgument) -> None:
    """Take a device's offer: your IO goes on it, and you earn its share from now on."""
    found = await read_staked(session.chain, address(device), session.now)
    wallet = await staking.read_wallet(session.chain, session.address)
    await session.carry_out(stakes.take(found, session.address, wallet))


@app.command()
@signs
async def leave(session: Session, device: DeviceArgument) -> None:
    """Begin to leave a co-stake of yours."""
    found = await read_staked(session.chain, address(device), session.now)
    await session.carry_out(stakes.leave(found, session.address))


@app.command()
@signs
async def withdraw(
    session: Session, device: DeviceArgument, staker: StakerOption = None, to: ToOption = None
) -> None:
    """Pay a co-stake whose cooldown is over to its owner; anybody may."""
    found = await read_staked(session.chain, address(device), session.now)
    owner, place = address(staker) if staker else session.address, address(to) if to else None
    await session.carry_out(stakes.withdraw_co_stake(found, owner, session.payer.pubkey(), place))


def _basis_points(text: str) -> int:
    """Per cent as they are typed, as basis points, exactly. Raises UserError."""
    found = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,2})0*)?", text, re.ASCII)
    if not found:
        raise UserError(f"{text!r} is no share: write per cent with two decimals at most, such as 12.5")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
