"""``ionet rewards``: reward blocks from their published files, without trusting whoever published them."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from keeper.chain import Chain
from keeper.chain.connect import connect
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.extras import needs
from keeper.cli.options import U32_MAX, ChainOption, address, settings
from keeper.cli.signing import Session, signs
from keeper.clients import staking
from keeper.clients.staking import Block, BlockStatus
from keeper.economy.calendar import emission_hour, moment
from keeper.economy.supply import io
from keeper.errors import UserError
from keeper.market.folder import FolderUnusable
from keeper.rewards import earnings, publication, recomputed
from keeper.rewards.fetch import compare, fetch_from_any
from keeper.rewards.publication import Manifest, PublicationError
from keeper.runtime.listen import listen
from keeper.settings import PORTS
from keeper.terminal import rewards as shown
from keeper.terminal import tables
from keeper.terminal.answers import earning
from keeper.terminal.tables import console, plain
from keeper.wallet import claims
from keeper.wallet.roles import read_governed

app = typer.Typer(help="Reward blocks: what was published, and whether it is right.", no_args_is_help=True)

HourOption = Annotated[
    int | None,
    typer.Option(
        min=0, max=U32_MAX, help="the block, by hours since emission began", show_default="the newest"
    ),
]
WalletOption = Annotated[str, typer.Option(help="the wallet that earned")]
FolderOption = Annotated[
    Path | None, typer.Option("--dir", help="folder of published hours", show_default="IONET_REWARDS")
]


@app.command()
@answers(earning.RewardBlock)
def show(hour: HourOption = None, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """What a block paid: by pool, by reason for what wasn't paid, and the devices that got most."""
    place, number = _which(folder, hour)
    manifest = publication.read_manifest(place, number)
    devices = publication.read_table(place, manifest, "rewards.csv")
    if as_json:
        write(shown.block_json(manifest, devices))
        return
    for table in shown.block(manifest, devices):
        tables.show(table)


@app.command()
@answers(earning.RewardProof)
def proof(
    wallet: WalletOption,
    hour: HourOption = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a wallet can claim and the proof for it, from the published files alone."""
    place, number = _which(folder, hour)
    found = publication.claimable(place, number, address(wallet))
    if as_json:
        write(found.json())
        return
    table = plain(f"Claim by the root of emission hour {number}", "", "")
    table.add_row("wallet", wallet)
    table.add_row("earned, IO", io(found.lifetime))
    table.add_row("root", found.root.hex())
    for level, sibling in enumerate(found.json()["proof"]):
        table.add_row(f"level {level}", sibling)
    tables.show(table)


@app.command()
@answers(earning.RewardVerified)
def verify(
    hour: HourOption = None,
    folder: FolderOption = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a block again from its inputs and compare every byte; with --chain, its root on chain, too."""
    place, number = _which(folder, hour)
    manifest = recomputed.verify(place, number)
    if chain:
        asyncio.run(_compare_with_chain(settings(chain).chain, manifest))
    if as_json:
        write({**_of_hour(manifest), "on_chain": chain is not None})
        return
    named = emission_hour(number, manifest.start)
    console.print(f"{named}: {manifest.devices:,} devices computed again, every byte equal", soft_wrap=True)
    if chain:
        console.print("root, total and data hash are those on chain")


@app.command()
@answers(earning.RewardReceipt)
def receipt(
    wallet: WalletOption,
    limit: Annotated[int, typer.Option(min=1, help="hours to show, newest first")] = 24,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a wallet earned, hour by hour, by the published files; ionet history shows what it was paid."""
    place, owner = folder or settings().rewards, address(wallet)
    hours = publication.published_hours(place)
    if not hours:
        raise PublicationError(f"no hour is published in {place}: --dir (or IONET_REWARDS) names the folder")
    found = list(islice(earnings.earned(place, owner, hours), limit))
    if not found:
        raise PublicationError(f"{wallet} has earned nothing by emission hour {hours[-1]}")
    if as_json:
        rows = [
            {
                "hour": each.hour,
                "start": each.start,
                "earned": str(each.earned),
                "lifetime": str(each.lifetime),
            }
            for each in found
        ]
        write({"wallet": wallet, "by_hour": hours[-1], "hours": rows})
        return
    table = plain(
        f"What {wallet} earned by emission hour {hours[-1]}", "hour", "from", "earned IO", "in all IO"
    )
    for each in found:
        table.add_row(f"{each.hour:,}", moment(each.start), io(each.earned), io(each.lifetime))
    tables.show(table)


@app.command("fetch")
@answers(earning.RewardFetched)
def fetch_hour(
    peers: Annotated[
        list[str] | None,
        typer.Option("--from", help="URL of whoever serves it", show_default="IONET_PEERS"),
    ] = None,
    hour: Annotated[
        int | None,
        typer.Option(min=0, max=U32_MAX, help="the block", show_default="the last final one"),
    ] = None,
    folder: FolderOption = None,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Get a block's files from an operator's service; kept only if they are what the chain says."""
    chosen = settings(chain)
    place = folder or chosen.rewards
    urls = peers or [str(each) for each in chosen.peers]
    if not urls:
        raise UserError("no peer to ask: --from (or IONET_PEERS) names who serves blocks")

    async def work() -> Manifest:
        async with connect(chosen.chain) as connected:
            number = hour if hour is not None else await _last_final(connected)
            block = await _block(connected, number)
            if block.status == BlockStatus.OPEN:
                raise PublicationError(f"operators haven't agreed on emission hour {number} yet")
        refusals: list[str] = []
        found = await fetch_from_any(
            urls, place, number, block, lambda peer, why: refusals.append(f"{urlsplit(peer).hostname}: {why}")
        )
        if found is None:
            raise PublicationError(
                f"nobody has emission hour {number} as it is on chain: {'; '.join(refusals)}"
            )
        return found[1]

    manifest = asyncio.run(work())
    if as_json:
        write({**_of_hour(manifest), "folder": str(place)})
        return
    named = emission_hour(manifest.hour, manifest.start)
    console.print(f"{named} is in {place}, as on chain: {manifest.devices:,} devices", soft_wrap=True)


@app.command()
@signs
async def claim(
    session: Session, wallet: WalletOption, hour: HourOption = None, folder: FolderOption = None
) -> None:
    """Pay a wallet what it has earned and not been paid yet; anybody may.

    All claims in an hour share one limit: what is not paid now can be claimed later. With the wallet's own
    key, 1,000 IO of it in each hour don't depend on what others claim.
    """
    place, number = _which(folder, hour)
    found = publication.claimable(place, number, address(wallet))
    config = (await read_governed(session.chain, "staking")).config
    account = await staking.read_wallet(session.chain, found.wallet)
    block = (await staking.read_hours(session.chain, [number])).get(number)
    await session.carry_out(claims.claim(config, account, block, found, session.address, session.now))


@app.command()
def serve(
    folder: FolderOption = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=PORTS - 1, help="port to listen on")] = 8080,
) -> None:
    """Serve published blocks and proofs over HTTP, and IONET_MARKET with them."""
    place = folder or settings().rewards
    if not place.is_dir():
        raise PublicationError(f"{place} is no folder: --dir (or IONET_REWARDS) names where blocks are")
    market = settings().market
    if market is not None and not market.is_dir():
        raise FolderUnusable(f"{market} is no folder: IONET_MARKET names where ticks and steps are")
    with needs("keeper", "ionet rewards serve"):
        import uvicorn  # noqa: PLC0415 - a server, for this alone

        from keeper.api.app import application  # noqa: PLC0415

    listener = listen(host, port, "--host and --port name another place")
    # Hours that an earlier version published have no index of their wallets: that takes seconds for each.
    threading.Thread(target=_index, args=(place,), daemon=True).start()
    server = uvicorn.Server(uvicorn.Config(application(place, market), log_level="warning", lifespan="off"))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def _index(place: Path) -> None:
    """Write the indexes that lack, newest hour first, and say what was wrong with any."""
    for hour in reversed(publication.published_hours(place)):
        try:
            earnings.index(place, hour)
        except PublicationError as error:
            console.print(f"no proofs of emission hour {hour}: {error}", soft_wrap=True, markup=False)


def _which(folder: Path | None, hour: int | None) -> tuple[Path, int]:
    """The folder and the hour to read, by default the settings' folder and its newest hour."""
    place = folder or settings().rewards
    if hour is not None:
        return place, hour
    hours = publication.published_hours(place)
    if not hours:
        raise PublicationError(f"no hour is published in {place}: --dir (or IONET_REWARDS) names the folder")
    return place, hours[-1]


async def _compare_with_chain(chain: str, manifest: Manifest) -> None:
    async with connect(chain) as connected:
        compare(manifest, await _block(connected, manifest.hour))


async def _block(chain: Chain, hour: int) -> Block:
    block = (await staking.read_hours(chain, [hour])).get(hour)
    if block is None:
        raise PublicationError(
            f"emission hour {hour} is not on chain: nobody attested it, or its account was closed"
        )
    return block


async def _last_final(chain: Chain) -> int:
    config = await staking.read_config(chain)
    if config is None or config.next_hour == 0:
        raise PublicationError("no block is final yet")
    return config.next_hour - 1


def _of_hour(manifest: Manifest) -> dict[str, int]:
    return {"hour": manifest.hour, "start": manifest.start, "devices": manifest.devices}
