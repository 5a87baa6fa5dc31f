"""``ionet device``: the terms that a device is leased at; all of them are signed, whichever are changed."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from keeper.cli.options import address
from keeper.cli.signing import Session, signs
from keeper.cli.stake import DeviceArgument
from keeper.cli.terms import country_code
from keeper.clients import staking
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.terminal import devices as device_tables
from keeper.wallet import devices
from keeper.wallet.devices import Typed
from keeper.wallet.plan import Plan
from keeper.wallet.stakes import read_device

app = typer.Typer()

AskIo = Annotated[
    str | None,
    typer.Option("--ask-io", help="the least IO for a processor and hour; 0: not for lease in IO"),
]
AskUsdc = Annotated[
    str | None,
    typer.Option("--ask-usdc", help="the least USDC for a processor and hour; 0: not for lease in USDC"),
]
WorkerMayEnd = typer.Option(
    "--worker-ends/--worker-keeps",
    help="whether the machine's own key, which whoever rents it may come to read, ends running leases, too",
)
TierOption = Annotated[
    int | None,
    typer.Option(min=1, max=staking.MAX_TIER, help="connectivity tier, 4 is best", show_default="as it is"),
]
CountryOption = Annotated[
    str | None, typer.Option(help="the country that it is in, such as CH", show_default="as it is")
]


@app.command()
@signs
async def ask(
    session: Session,
    device: DeviceArgument,
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    worker_may_end: Annotated[bool | None, WorkerMayEnd] = None,
    tier: TierOption = None,
    country: CountryOption = None,
) -> None:
    """Change the least that a device is leased for; what isn't given stays.

    A device is leased at its class's price, never below its ask. All terms are signed, so that with --yes a
    node has no say in them: there all of them have to be typed.
    """
    await _change(session, device, _typed(ask_io, ask_usdc, worker_may_end, tier, country))


@app.command()
@signs
async def change(
    session: Session,
    device: DeviceArgument,
    tier: TierOption = None,
    country: CountryOption = None,
    ask_io: AskIo = None,
    ask_usdc: AskUsdc = None,
    worker_may_end: Annotated[bool | None, WorkerMayEnd] = None,
) -> None:
    """State another connectivity tier or country for a device of yours; what isn't given stays.

    All terms are signed, as with ionet device ask.
    """
    await _change(session, device, _typed(ask_io, ask_usdc, worker_may_end, tier, country))


@app.command()
@signs
async def pause(session: Session, device: DeviceArgument) -> None:
    """Take a device off the market with the machine's own key; only its supplier brings it back."""
    found = await read_device(session.chain, address(device))
    await session.carry_out(Plan((staking.pause_device(found),), notes=(device_tables.OFF_MARKET,)))


def _typed(
    ask_io: str | None,
    ask_usdc: str | None,
    worker_may_end: bool | None,
    tier: int | None,
    country: str | None,
) -> Typed:
    return Typed(
        tier=tier,
        country=country_code(country) if country else None,
        ask_io=None if ask_io is None else parse(ask_io, Currency.IO),
        ask_usdc=None if ask_usdc is None else parse(ask_usdc, Currency.USDC),
        worker_may_end=worker_may_end,
    )


async def _change(session: Session, device: str, typed: Typed) -> None:
    found = await read_device(session.chain, address(device))
    missing = devices.untyped(found, typed)
    if session.node and session.yes and missing:
        raise UserError(
            "a device's terms are signed all at once, and --yes signs none that only a node has told: "
            f"compare what {session.node} says, and type it: {missing}"
        )
    plan = devices.change(found, typed, session.node or "the saved chain")
    after = replace(found, **{name: value for name, value in asdict(typed).items() if value is not None})
    of_class = (await staking.read_classes(session.chain))[found.device_class]
    asks = (
        *device_tables.about_asks(after, of_class, session.now),
        *device_tables.about_change(found, after),
    )
    await session.carry_out(replace(plan, notes=(*plan.notes, *asks)))
