"""``ionet admin``: propose, and have it hold after its notice; the guardian can drop it until then."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer

from keeper.cli.guardian import ClassArgument, ProgramArgument
from keeper.cli.options import address
from keeper.cli.signing import Session, signs
from keeper.cli.terms import class_number
from keeper.clients import staking
from keeper.clients.staking import Class
from keeper.economy.classes import (
    MAX_MULTIPLIER,
    MAX_PRICE,
    NAME_BYTES,
    Bounds,
    ClassPrices,
    Pool,
    ProcessorKind,
)
from keeper.economy.money import parse, show
from keeper.economy.orders import Currency
from keeper.economy.staking import MULTIPLIER_UNIT
from keeper.errors import UserError
from keeper.wallet import openings, roles
from keeper.wallet.plan import NothingToDo, Plan
from keeper.wallet.roles import Governed, read_governed

app = typer.Typer(help="The admin's: propose changes; they hold after a notice.", no_args_is_help=True)

_AssignmentArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME=VALUE", help="as ionet network --json has it, such as cooldown=1209600; several at once"
    ),
]
_WhoArgument = Annotated[str, typer.Argument(help="the address of who takes over")]


class PoolName(StrEnum):
    """Pools as they are typed."""

    ENTERPRISE = "enterprise"
    COMMUNITY = "community"


class KindName(StrEnum):
    """Kinds of processors as they are typed."""

    GPU = "gpu"
    CPU = "cpu"
    APPLE = "apple"


@app.command()
@signs
async def propose(session: Session, program: ProgramArgument, assignment: _AssignmentArgument) -> None:
    """Propose other parameters of a program; what isn't named stays.

    Example: ionet admin propose staking cooldown=1209600 notice=604800
    """
    at = await read_governed(session.chain, program)
    given = {}
    for each in assignment:
        name, equals, value = each.partition("=")
        if not equals or name in given:
            raise UserError(f"{each!r} is no NAME=VALUE, or {name} is there twice")
        given[name] = value
    await session.carry_out(roles.propose_params(at, session.address, given))


@app.command("apply")
@signs
async def apply_(session: Session, program: ProgramArgument) -> None:
    """Put proposed parameters into force once their notice is over; anybody may."""
    await session.carry_out(roles.apply_params(await read_governed(session.chain, program)))


@app.command()
@signs
async def offer(session: Session, program: ProgramArgument, who: _WhoArgument) -> None:
    """Offer the admin's role of a program."""
    at = await read_governed(session.chain, program)
    await session.carry_out(roles.propose_admin(at, session.address, address(who)))


@app.command()
@signs
async def accept(session: Session, program: ProgramArgument) -> None:
    """Take the admin's role of a program over."""
    at = await read_governed(session.chain, program)
    await session.carry_out(roles.accept_admin(at, session.address))


@app.command("propose-guardian")
@signs
async def propose_guardian(session: Session, program: ProgramArgument, who: _WhoArgument) -> None:
    """Name the next guardian of a program; it accepts after the notice."""
    at = await read_governed(session.chain, program)
    await session.carry_out(roles.propose_guardian(at, session.address, address(who)))


@app.command("add-class")
@signs
async def add_class(
    session: Session,
    name: Annotated[str, typer.Argument(help="what the card or processor calls itself")],
    pool: Annotated[PoolName, typer.Option(help="the pool that its rewards come from")],
    kind: Annotated[KindName, typer.Option(help="what kind of processor it is")],
    multiplier: Annotated[str, typer.Option(help="with two decimals at most, such as 1.25")],
    price_io: Annotated[
        str | None, typer.Option(help="first price in IO", show_default="not for lease in IO")
    ] = None,
    price_usdc: Annotated[
        str | None, typer.Option(help="first price in USDC", show_default="not for lease in USDC")
    ] = None,
) -> None:
    """Add a class of processors; it opens after the notice.

    Its prices stay between a tenth of the first one and ten times as much: admin change-bounds.

    Example: ionet admin add-class "RTX 5090" --pool community --kind gpu --multiplier 2.5 --price-io 1.5
    """
    at = await read_governed(session.chain, "staking")
    at.require_admin(session.address)
    classes = await staking.read_classes(session.chain)
    if name.lower() in {each.name.lower() for each in classes.values()}:
        raise UserError(f"there is a class {name} already: ionet admin change-class, or change-bounds")
    if not 0 < len(name.encode()) <= NAME_BYTES or not name.isprintable():
        raise UserError(f"a class's name has 1 to {NAME_BYTES} bytes, all of them printable")
    prices = ClassPrices(*_first(price_io, Currency.IO), *_first(price_usdc, Currency.USDC))
    number, value = max(classes, default=-1) + 1, _hundredths(multiplier)
    notes = (
        f"Class {number}, {name}: multiplier {value / MULTIPLIER_UNIT:g}, open {_after(at)}",
        *(_at_first(prices, currency) for currency in Currency),
        "Its devices earn once operators' tables have a profile of what it computes in a wave.",
    )
    call = staking.add_class(
        session.address, number, name, value, Pool[pool.name], ProcessorKind[kind.name], prices
    )
    await session.carry_out(Plan((call,), notes=notes, openings=(openings.class_(number, session.address),)))


def _first(price: str | None, currency: Currency) -> tuple[int, int, int]:
    """A first price and its bounds: a tenth of it, and ten times as much."""
    if not price:
        return 0, 0, 0
    found = parse(price, currency)
    if not found or found * 10 > MAX_PRICE:
        raise UserError(
            f"a first price is above 0 and {show(MAX_PRICE // 10, currency)} {currency.name} at most"
        )
    return found, max(1, found // 10), found * 10


def _at_first(prices: ClassPrices, currency: Currency) -> str:
    price, low, high = (
        (prices.price_io, prices.low_io, prices.high_io)
        if currency == Currency.IO
        else (prices.price_usdc, prices.low_usdc, prices.high_usdc)
    )
    if not price:
        return f"It isn't for lease in {currency.name}."
    first, least, most = (show(amount, currency) for amount in (price, low, high))
    return (
        f"A processor and hour costs {first} {currency.name} at first, and then between {least} and {most}."
    )


@app.command("change-class")
@signs
async def change_class(
    session: Session,
    class_: ClassArgument,
    multiplier: Annotated[str, typer.Option(help="with two decimals at most, such as 1.25")],
) -> None:
    """Change a class's multiplier after the notice: what its devices earn, and must stake.

    Example: ionet admin change-class "RTX 4090" --multiplier 1.25
    """
    at, of_class = await _class(session, class_)
    value = _hundredths(multiplier)
    note = (
        f"{of_class.name}: multiplier {of_class.multiplier_at(session.now) / MULTIPLIER_UNIT:g} -> "
        f"{value / MULTIPLIER_UNIT:g} {_after(at)}"
    )
    await session.carry_out(Plan((staking.change_class(session.address, of_class.id, value),), notes=(note,)))


@app.command("change-bounds")
@signs
async def change_bounds(
    session: Session,
    class_: ClassArgument,
    low_io: Annotated[str | None, typer.Option(help="the lowest price in IO")] = None,
    high_io: Annotated[str | None, typer.Option(help="the highest price in IO")] = None,
    low_usdc: Annotated[str | None, typer.Option(help="the lowest price in USDC")] = None,
    high_usdc: Annotated[str | None, typer.Option(help="the highest price in USDC")] = None,
) -> None:
    """Change what a class's prices stay between, after the notice; what isn't named stays."""
    at, of_class = await _class(session, class_)
    given = {
        "low_io": parse(low_io, Currency.IO) if low_io else None,
        "high_io": parse(high_io, Currency.IO) if high_io else None,
        "low_usdc": parse(low_usdc, Currency.USDC) if low_usdc else None,
        "high_usdc": parse(high_usdc, Currency.USDC) if high_usdc else None,
    }
    bounds: Bounds = replace(
        of_class.bounds, **{name: value for name, value in given.items() if value is not None}
    )
    if bounds == of_class.bounds:
        raise NothingToDo(f"these are the bounds of {of_class.name}; name another --low-io, --high-usdc, ...")
    notes = tuple(
        f"{of_class.name}, a processor and hour in {currency.name}: {_between(of_class.bounds, currency)} -> "
        f"{_between(bounds, currency)} {_after(at)}"
        for currency in Currency
        if bounds.of(currency) != of_class.bounds.of(currency)
    )
    await session.carry_out(Plan((staking.change_bounds(session.address, of_class.id, bounds),), notes=notes))


def _between(bounds: Bounds, currency: Currency) -> str:
    return " to ".join(show(amount, currency) for amount in bounds.of(currency))


async def _class(session: Session, name: str) -> tuple[Governed, Class]:
    at = await read_governed(session.chain, "staking")
    at.require_admin(session.address)
    classes = await staking.read_classes(session.chain)
    return at, classes[class_number(classes, name)]


def _after(at: Governed) -> str:
    return f"after the notice of {at.config.params.notice // 3_600} hours, unless the guardian drops it."


def _hundredths(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,2})?", text, re.ASCII):
        raise UserError(f"{text!r} is no multiplier: write it with two decimals at most, such as 1.25")
    found = int(Decimal(text) * MULTIPLIER_UNIT)
    if found > MAX_MULTIPLIER:
        raise UserError(f"a multiplier is at most {MAX_MULTIPLIER / MULTIPLIER_UNIT:g}")
    return found
