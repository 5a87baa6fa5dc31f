"""``ionet market``: what leases cost, what there is, and whether operators matched by the rule."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from keeper.chain import ChainReader
from keeper.chain.connect import connect
from keeper.cli import failures, options, terms
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import U32_MAX, ChainOption, address
from keeper.cli.orders import config_of
from keeper.cli.simulate import simulate
from keeper.clients import orders, staking
from keeper.clients.staking import Class
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency
from keeper.errors import UserError
from keeper.market import offers, quotes
from keeper.market.book import Book, book, read_in_turn
from keeper.market.findings import Verdict
from keeper.market.folder import MarketFolder
from keeper.market.limits import Limit, limits
from keeper.market.participants import Accounts
from keeper.market.steps import Counted, StepTable
from keeper.terminal import market as shown
from keeper.terminal import ticks as tick_tables
from keeper.terminal.answers import trading
from keeper.terminal.quotes import served_by
from keeper.terminal.records import in_words
from keeper.terminal.tables import console, progress_of, show

MOST_HOURS = 24 * 30

app = typer.Typer(help="The market: prices, quotes, who gets what, and why.", no_args_is_help=True)
app.command()(simulate)

ClassOption = Annotated[
    str | None, typer.Option("--class", help="only of this class, by its name", show_default="all")
]
FolderOption = Annotated[
    Path | None,
    typer.Option("--dir", help="an operator's published folder of the market", show_default="none"),
]
RewardsOption = Annotated[
    Path | None,
    typer.Option(
        "--rewards", help="folder of published hours: who passed its work", show_default="IONET_REWARDS"
    ),
]


class StepsNowhere(UserError):
    """Past steps were asked for, and nothing was named that has them."""


@app.command()
@answers(trading.Prices)
def price(
    class_: ClassOption = None,
    currency: Annotated[terms.Unit | None, typer.Option(help="only in this one", show_default="both")] = None,
    hours: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_HOURS, help="steps of so many past hours: with --dir or --explain"),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="count the last hour's samples again, or those of --hours, from the chain's events; with "
            "--class each of them",
        ),
    ] = False,
    folder: FolderOption = None,
    rewards: RewardsOption = None,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """The price in force of each class, what is announced and from when on, its bounds, how old it is.

    Past steps are in an operator's published tables (--dir); what they follow from is in the chain's events
    (--explain), which takes its time without a keeper's database.
    """
    if hours and not (folder or explain):
        raise StepsNowhere(
            "past steps aren't in the chain's accounts: --dir names an operator's folder of them, or "
            "--explain computes them again"
        )
    chosen = options.settings(chain)

    async def read() -> tuple[list[Class], int]:
        async with connect(chosen.chain) as connected:
            classes = await staking.read_classes(connected)
            return _chosen(classes, class_), (await connected.clock()).unix_timestamp

    found, now = asyncio.run(read())
    wanted = [Currency[currency.name]] if currency else list(Currency)
    prices = [quotes.outlook(each, unit, now) for each in found for unit in wanted]
    published = _published(folder, now, hours or 1) if folder else []
    counted: list[Counted] = []
    if explain:
        with needs("keeper", "ionet market price --explain"):
            from keeper.cli import ticks  # noqa: PLC0415 - the database, which a price needs only here

        counted = ticks.samples(chosen, rewards, hours or 1)
    if as_json:
        write(
            {
                "prices": [shown.price_row(each) for each in prices],
                "published": [shown.steps_row(each, found) for each in published],
                "samples": [shown.samples_row(*each, found, wanted) for each in counted],
            }
        )
        return
    show(shown.prices(prices, now))
    for line in shown.announced_bounds(prices):
        console.print(line, soft_wrap=True)
    console.print(shown.certain(now), soft_wrap=True)
    if published:
        show(shown.steps(published, found, wanted))
    for each in counted:
        show(shown.samples(*each, found, wanted))
        for unit in wanted if class_ else ():
            show(shown.twelve(each[0], found[0], unit))
    if counted:
        console.print(shown.FORMULA, soft_wrap=True)


@app.command()
@answers(offers.Offer)
def quote(  # noqa: PLR0913, PLR0917 - an option for each term
    class_: Annotated[list[str], terms.CLASSES],
    currency: Annotated[terms.Unit, terms.CURRENCY],
    hours: Annotated[int, terms.HOURS],
    devices: terms.DevicesOption = 1,
    min_devices: terms.MinDevicesOption = 1,
    processors: terms.ProcessorsOption = 1,
    tier: terms.TierOption = 1,
    country: terms.CountryOption = None,
    colocated: terms.ColocatedOption = False,
    urgency: terms.UrgencyOption = terms.Urgency.ORDINARY,
    as_json: Annotated[bool, typer.Option("--json", help="what ionet order create --quote takes")] = False,
    chain: ChainOption = None,
) -> None:
    """What an order of these terms costs with each urgency, until when that is exact, and what is free.

    Example: ionet market quote --class "RTX 4090" --currency usdc --hours 4 --devices 2
    """

    async def read() -> tuple[offers.Offer, list[Limit]]:
        async with connect(options.settings(chain).chain, live=True, keep=False) as connected:
            config = await config_of(connected)
            classes = await staking.read_classes(connected)
            asked = terms.terms_of(
                classes,
                class_,
                currency,
                hours,
                devices=devices,
                min_devices=min_devices,
                processors=processors,
                tier=tier,
                country=country or (),
                colocated=colocated,
                urgency=urgency,
            )
            now = (await connected.clock()).unix_timestamp
            asked = offers.priced(asked, classes, now)
            there = await staking.read_devices(connected)
            network = await connected.genesis_hash()
            offer = offers.offer(network, asked, classes, there, config.params, now)
            return offer, limits(asked, there.values(), classes, now)

    found, left = asyncio.run(read())
    if as_json:
        write(asdict(found))
        return
    show(shown.classes(found))
    show(shown.costs(found))
    for each in (*shown.about(found), *served_by(left, found.terms.terms)):
        console.print(each, soft_wrap=True)


@app.command("book")
@answers(trading.Book)
def book_(class_: ClassOption = None, as_json: JsonOption = False, chain: ChainOption = None) -> None:
    """What is free, willing and hired by class, tier and country, and the open orders, the oldest first."""

    async def read() -> tuple[Book, Mapping[int, Class], int]:
        async with connect(options.settings(chain).chain) as connected:
            accounts = await _accounts(connected)
            now = (await connected.clock()).unix_timestamp
            number = terms.class_number(accounts.classes, class_) if class_ else None
            return book(accounts, now, number), accounts.classes, now

    found, classes, now = asyncio.run(read())
    if as_json:
        write(shown.book_row(found, classes))
        return
    show(shown.supply(found, classes, now))
    show(shown.waiting(found, classes))
    console.print(shown.WORK_UNKNOWN, soft_wrap=True)


@app.command()
@answers(trading.ReplayedAll | trading.Replayed)
def replay(
    tick: Annotated[
        int | None, typer.Option(min=1, max=U32_MAX, help="a tick's number: unix time over 30")
    ] = None,
    hour: Annotated[
        int | None,
        typer.Option(min=1, max=U32_MAX, help="an hour's number, unix time over 3,600: its steps"),
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="every tick and every hour that operators spoke of on chain")
    ] = False,
    folders: Annotated[
        list[Path] | None,
        typer.Option(
            "--dir",
            help="an operator's published folder of the market; with --all repeat for each",
            show_default="none",
        ),
    ] = None,
    rewards: RewardsOption = None,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """Compute a tick's batch or an hour's steps again, and name the first thing that differs.

    With --dir alone a tick is computed from its own files. Without, or with --chain as well, it is made from
    the chain's events, and compared with what operators posted and matched. Exit code 0: the same, 1:
    different, 2: something is missing that it takes to say so.
    """
    if (tick is not None) + (hour is not None) + all_ != 1:
        raise typer.BadParameter("name one of them", param_hint="'--tick' / '--hour' / '--all'")
    if not all_ and len(folders or ()) > 1:
        raise typer.BadParameter("several only with --all", param_hint="'--dir'")
    chosen, folder = options.settings(chain), next(iter(folders or ()), None)
    with needs("keeper", "ionet market replay"):
        from keeper.cli import ticks  # noqa: PLC0415 - the database, which quotes do without
    on_chain = chain is not None or folder is None
    try:
        if all_:
            with _progress(as_json) as advanced:
                all_found = ticks.replay_all(chosen, folders or (), rewards, advanced)
        else:
            found = ticks.replay(chosen, folder, rewards, tick=tick, hour=hour or 0, on_chain=on_chain)
            all_found = [found]
    except UserError as error:
        failures.show(error, as_json=as_json)
        raise typer.Exit(int(Verdict.MISSING)) from error
    if as_json:
        rows = list(map(tick_tables.replayed_row, all_found))
        write({"replayed": rows} if all_ else rows[0])
    else:
        for line in tick_tables.replayed_all(all_found) if all_ else tick_tables.replayed(all_found[0]):
            console.print(line, soft_wrap=True)
    verdicts = {each.finding.verdict for each in all_found}
    for verdict in (Verdict.DIFFERENT, Verdict.MISSING):
        if verdict in verdicts:
            raise typer.Exit(int(verdict))


@app.command()
@answers(trading.Why)
def why(
    device: Annotated[str, typer.Argument(help="the device's address")],
    tick: Annotated[int, typer.Option(min=1, max=U32_MAX, help="a tick's number: unix time over 30")],
    folder: FolderOption = None,
    rewards: RewardsOption = None,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """Why a device was taken in a tick or wasn't: what kept it away, its place, what became of each order.

    By an operator's files with --dir, else by the chain's events.

    Example: ionet market why DEVICE --tick 59000000 --dir market
    """
    at, chosen = address(device), options.settings(chain)
    with needs("keeper", "ionet market why"):
        from keeper.cli import ticks  # noqa: PLC0415 - the database, which quotes do without
    found, record = ticks.why(chosen, folder, rewards, at, tick)
    if as_json:
        write(tick_tables.why_row(found, tick, record))
        return
    for line in (*tick_tables.about(found, tick), *([in_words(record)] if record else [])):
        console.print(line, soft_wrap=True)
    table = tick_tables.chances(found)
    if table.row_count:
        show(table)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        yield progress_of(progress, "ticks and hours computed again")


def _published(folder: Path, now: int, hours: int) -> list[StepTable]:
    """The steps that are published of the last hours that are over; raises StepsNowhere."""
    place, last = MarketFolder(folder), now // HOUR
    found = [place.steps(hour) for hour in range(last - hours, last) if place.has_steps(hour)]
    if not found:
        raise StepsNowhere(f"{folder} has no steps of the last {hours} hours: --dir names another folder")
    return found


async def _accounts(chain: ChainReader) -> Accounts:
    return read_in_turn(
        await staking.read_devices(chain),
        await staking.read_classes(chain),
        await orders.read_leases(chain),
        await orders.read_orders(chain),
    )


def _chosen(classes: dict[int, Class], name: str | None) -> list[Class]:
    return [classes[terms.class_number(classes, name)]] if name else list(classes.values())
