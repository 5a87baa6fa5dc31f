"""``ionet season``: airdrop seasons: who gets what, and the claim."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from keeper.chain import ChainReader
from keeper.chain.connect import connect
from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.options import U32_MAX, ChainOption, address
from keeper.cli.signing import Session, signs
from keeper.clients import tokenomics
from keeper.clients.records import data_at
from keeper.clients.tokenomics import PAGE_CLAIMS, Season
from keeper.economy.calendar import day
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.economy.seasons import POOLS
from keeper.errors import UserError, why
from keeper.rewards import seasons as published
from keeper.terminal import seasons as season_tables
from keeper.terminal import tables
from keeper.terminal.answers import looking
from keeper.wallet import seasons
from keeper.wallet.roles import read_governed

PoolOption = Annotated[str, typer.Option(help="IO for this pool, such as 1000.5")]

app = typer.Typer(help="Airdrop seasons: what there is, and claims.", no_args_is_help=True)


@app.command()
@answers(looking.Seasons)
def show(chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """All seasons: what was put in, what was claimed, and until when claims are open."""

    async def read() -> tuple[list[Season], int]:
        async with connect(options.settings(chain).chain) as connected:
            return await tokenomics.read_seasons(connected), (await connected.clock()).unix_timestamp

    found, now = asyncio.run(read())
    if as_json:
        write({"seasons": [season_tables.as_json(each) for each in found]})
    elif not found:
        tables.console.print("There is no season yet.")
    else:
        tables.show(season_tables.seasons(found, now))


@app.command()
@signs
async def claim(
    session: Session,
    season: Annotated[int, typer.Argument(min=0, max=U32_MAX, help="the season's number")],
    points: Annotated[Path, typer.Option(help="the season's published file of points")],
    wallet: Annotated[str | None, typer.Option(help="whose claim", show_default="your key's")] = None,
) -> None:
    """Pay a wallet what it got in a season, by the published points; anybody may.

    Example: ionet season claim 1 --points points.csv
    """
    found = await season_of(session.chain, season)
    owner = address(wallet) if wallet else session.address
    shares = seasons.distribution(found, _content(points))
    mine = shares.claim(owner)
    if mine is None:
        raise UserError(f"{owner} got nothing in season {season}: it has no points in that file")
    at = tokenomics.claim_page_address(season, mine.index // PAGE_CLAIMS)
    (page,) = await data_at(session.chain, tokenomics.PROGRAM, [at])
    plan = seasons.claim(found, shares, mine, session.payer.pubkey(), page, session.now)
    await session.carry_out(plan)


@app.command("open")
@signs
async def open_(
    session: Session,
    season: Annotated[int, typer.Argument(min=0, max=U32_MAX, help="the season's number")],
    points: Annotated[Path, typer.Option(help="file of wallet,pool,points, which you publish")],
    start: Annotated[str, typer.Option(help="when claims open, such as 2027-01-31")],
    end: Annotated[str, typer.Option(help="the day at whose beginning claims end")],
    gpu: PoolOption = "0",
    cpu: PoolOption = "0",
    creators: PoolOption = "0",
) -> None:
    """Publish a season and fund it from your account (admin); the guardian can veto it until claims open.

    Example: ionet season open 4 --points p.csv --start 2027-01-31 --end 2027-05-01 --gpu 9000
    """
    (await read_governed(session.chain, "tokenomics")).require_admin(session.address)
    pools = dict(zip(POOLS, (parse(each, Currency.IO) for each in (gpu, cpu, creators)), strict=True))
    plan = seasons.open_(session.address, season, pools, _content(points), day(start), day(end))
    await session.carry_out(plan)


@app.command()
@answers(looking.SeasonPublished)
def publish(
    season: Annotated[int, typer.Argument(min=0, max=U32_MAX, help="the season's number")],
    points: Annotated[Path, typer.Option(help="the season's file of points")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="folder that is served", show_default="IONET_REWARDS")
    ] = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a season's points where ionet api serve and ionet rewards serve find them, with everybody's proofs.

    Nothing is written unless the points are the season's, and its root on chain follows from them.

    Example: ionet season publish 1 --points points.csv
    """
    content, chosen = _content(points), options.settings(chain)

    async def read() -> Season:
        async with connect(chosen.chain) as connected:
            return await season_of(connected, season)

    found = seasons.distribution(asyncio.run(read()), content)
    place = folder or chosen.rewards
    published.publish(place, found, content)
    file, wallets = place / published.points_path(season), len(found.claims)
    if as_json:
        write({"season": season, "wallets": wallets, "file": str(file)})
        return
    tables.console.print(f"{file}: season {season}, {wallets:,} wallets", soft_wrap=True, markup=False)


def _content(points: Path) -> bytes:
    try:
        return points.read_bytes()
    except OSError as error:
        raise UserError(f"{points} can't be read: {why(error)}") from error


async def season_of(chain: ChainReader, number: int) -> Season:
    """A season by its number. Raises UserError."""
    found = {each.season: each for each in await tokenomics.read_seasons(chain)}
    if number not in found:
        numbers = ", ".join(map(str, found)) or "none"
        raise UserError(f"there is no season {number}; there are {numbers}")
    return found[number]
