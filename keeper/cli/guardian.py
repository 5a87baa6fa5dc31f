"""``ionet guardian``: stop, hold, veto; all of it lapses, and none of it moves a token."""

from __future__ import annotations

from typing import Annotated

import typer

from keeper.cli.options import U32_MAX, address
from keeper.cli.orders import lease_of
from keeper.cli.season import season_of
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument
from keeper.cli.terms import class_number
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.staking import Class
from keeper.economy.calendar import HOUR, moment
from keeper.economy.money import show
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.terminal.classes import waiting
from keeper.wallet import roles
from keeper.wallet.plan import NothingToDo, Plan
from keeper.wallet.roles import read_governed
from keeper.wallet.stakes import read_device

app = typer.Typer(help="The guardian's: stop, hold back, veto.", no_args_is_help=True)

ProgramArgument = Annotated[str, typer.Argument(help="tokenomics, staking, buyback or orders")]
ClassArgument = Annotated[str, typer.Argument(help="the class's name")]
MAX_HOURS = 7 * 24
"""Of a pause, and of a hold."""
SHA256_BYTES = 32


@app.command()
@signs
async def pause(
    session: Session,
    program: ProgramArgument,
    operation: Annotated[
        list[str], typer.Argument(help="what to stop, such as staking; ionet network lists them")
    ],
    hours: Annotated[int, typer.Option(min=1, max=MAX_HOURS, help="for how long")] = 24,
) -> None:
    """Stop operations of a program; they go on by themselves after at most seven days.

    Example: ionet guardian pause orders matching --hours 12
    """
    at = await read_governed(session.chain, program)
    await session.carry_out(roles.pause(at, session.address, operation, hours))


@app.command()
@signs
async def lift(session: Session, program: ProgramArgument) -> None:
    """End a pause before its time."""
    await session.carry_out(roles.lift(await read_governed(session.chain, program), session.address))


@app.command("veto-block")
@signs
async def veto_block(
    session: Session,
    hour: Annotated[int, typer.Argument(min=0, max=U32_MAX, help="by hours since emission began")],
) -> None:
    """Veto an hour's reward block before it is final; the operators attest it anew."""
    (await read_governed(session.chain, "staking")).require_guardian(session.address)
    if hour not in await staking.read_hours(session.chain, [hour]):
        raise UserError(
            f"there is no block of emission hour {hour}: nobody has attested it, or later ones took its place"
        )
    note = f"What operators agreed on for emission hour {hour} is void: they attest it anew."
    await session.carry_out(Plan((staking.veto_block(session.address, hour),), notes=(note,)))


@app.command("veto-slash")
@signs
async def veto_slash(
    session: Session,
    device: DeviceArgument,
    evidence: Annotated[str, typer.Argument(help="the evidence's SHA-256, as ionet slash show has it")],
) -> None:
    """Veto a slash before its appeal is over: this evidence never slashes the device."""
    (await read_governed(session.chain, "staking")).require_guardian(session.address)
    found, proof = await read_device(session.chain, address(device)), digest(evidence)
    voted = {(each.device, each.evidence) for each in await staking.read_slashes(session.chain)}
    if (address(device), proof) not in voted:
        raise UserError("nobody has voted to slash this device for this evidence; see ionet slash show")
    call = staking.veto_slash(session.address, found, proof)
    note = (
        "This evidence can't be used against the device any more. Its stakes stay where they are for a day."
    )
    await session.carry_out(Plan((call,), notes=(note,)))


@app.command()
@signs
async def hold(
    session: Session,
    lease: Annotated[str, typer.Argument(help="the lease's address, as ionet order show has it")],
    hours: Annotated[int, typer.Option(min=0, max=MAX_HOURS, help="how long from now on; 0 ends the hold")],
) -> None:
    """Hold a lease's unpaid money back, once, or let it go before its time.

    Example: ionet guardian hold LEASE --hours 48
    """
    (await read_governed(session.chain, "orders")).require_guardian(session.address)
    found = await lease_of(session.chain, address(lease))
    until = session.now + hours * HOUR
    note = (
        f"Nobody is paid of this lease until {moment(until)}; then settling goes on, and all of it is due."
        if hours
        else "Settling goes on at once. This lease can't be held again."
    )
    await session.carry_out(Plan((orders.hold_lease(session.address, found, until),), notes=(note,)))


@app.command("cancel-params")
@signs
async def cancel_params(session: Session, program: ProgramArgument) -> None:
    """Drop a program's proposed parameters before they hold."""
    await session.carry_out(roles.cancel_params(await read_governed(session.chain, program), session.address))


@app.command("cancel-class")
@signs
async def cancel_class(session: Session, class_: ClassArgument) -> None:
    """Drop a class's changes before they hold; one that isn't open yet never opens."""
    (await read_governed(session.chain, "staking")).require_guardian(session.address)
    of_class = await _class(session, class_)
    dropped = waiting(of_class, session.now)
    if not dropped:
        raise NothingToDo(f"nothing of {of_class.name} waits; ionet class list tells what does")
    note = f"{of_class.name}: {'; '.join(dropped)}: dropped."
    await session.carry_out(Plan((staking.cancel_class(session.address, of_class.id),), notes=(note,)))


@app.command("cancel-price")
@signs
async def cancel_price(session: Session, class_: ClassArgument) -> None:
    """Drop a class's announced price steps before they hold."""
    (await read_governed(session.chain, "staking")).require_guardian(session.address)
    of_class = await _class(session, class_)
    if of_class.step_at <= session.now:
        raise NothingToDo(f"no step of {of_class.name} waits; ionet market price tells which do")
    note = f"The step of {of_class.name} from {moment(of_class.step_at)} on is dropped: its prices stay."
    await session.carry_out(Plan((staking.cancel_price(session.address, of_class.id),), notes=(note,)))


@app.command("cancel-season")
@signs
async def cancel_season(
    session: Session, season: Annotated[int, typer.Argument(min=0, max=U32_MAX, help="the season's number")]
) -> None:
    """Veto an airdrop season before its claims open; its IO goes back to who funded it."""
    (await read_governed(session.chain, "tokenomics")).require_guardian(session.address)
    await season_of(session.chain, season)
    note = (
        f"Nobody can claim of season {season}; its IO goes back to its funder, by ionet keeper once seasons."
    )
    await session.carry_out(Plan((tokenomics.cancel_season(session.address, season),), notes=(note,)))


@app.command("cancel-first-price")
@signs
async def cancel_first_price(session: Session) -> None:
    """Drop the first auction's announced price before the auction starts."""
    at = await read_governed(session.chain, "buyback")
    at.require_guardian(session.address)
    if not at.config.first_price:
        raise NothingToDo("no first price is announced; ionet buyback show tells when one is")
    price = show(at.config.first_price, Currency.IO)
    note = (
        f"The first price of {price} IO for a USDC is dropped: no auction starts before another is announced."
    )
    await session.carry_out(Plan((buyback.cancel_first_price(session.address),), notes=(note,)))


@app.command()
@signs
async def accept(session: Session, program: ProgramArgument) -> None:
    """Take the guardian's role of a program over, once its notice is over."""
    at = await read_governed(session.chain, program)
    await session.carry_out(roles.accept_guardian(at, session.address))


async def _class(session: Session, name: str) -> Class:
    classes = await staking.read_classes(session.chain)
    return classes[class_number(classes, name)]


def digest(text: str) -> bytes:
    """A SHA-256 as it is typed. Raises UserError."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != SHA256_BYTES:
        raise UserError(f"{text!r} is no SHA-256: 64 digits and letters from a to f")
    return found
