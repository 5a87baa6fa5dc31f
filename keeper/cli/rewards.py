"""``ionet rewards``: reward blocks from their published files, without trusting whoever published them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.table import Table
from solders.pubkey import Pubkey

from keeper.api.app import application
from keeper.chain.token import create_associated
from keeper.cli.options import ChainOption, KeypairOption
from keeper.cli.tables import console, plain
from keeper.clients import staking, tokenomics
from keeper.deploy import read_keypair
from keeper.economy.classes import Pool
from keeper.economy.supply import io
from keeper.rewards import publication
from keeper.rewards.publication import Manifest, PublicationError
from keeper.rewards.rows import text
from keeper.rewards.rule import POINT_PARTS, Reason, Status
from keeper.services.connect import connect
from keeper.settings import Settings

app = typer.Typer(help="Reward blocks: what was published, and whether it is right.", no_args_is_help=True)

HourOption = Annotated[
    int | None, typer.Option(help="the block, by hours since emission began [default: the newest]")
]
WalletOption = Annotated[str, typer.Option(help="the wallet that earned")]
FolderOption = Annotated[
    Path | None, typer.Option("--dir", help="folder of published hours [default: IONET_REWARDS]")
]
TOP = 10


@app.command()
def show(hour: HourOption = None, folder: FolderOption = None) -> None:
    """What a block paid: by pool, by reason for what wasn't paid, and the devices that got most."""
    place, number = _which(folder, hour)
    manifest = publication.read_manifest(place, number)
    devices = publication.read_table(place, manifest, "rewards.csv")
    console.print(_totals(manifest))
    pools = plain("By pool", "pool", "devices", "succeeded", "failed", "missed", "score", "rewards IO")
    for pool in Pool:
        mine = devices[devices["pool"] == pool]
        counts = [f"{(mine['status'] == each).sum():,}" for each in reversed(Status)]
        scores = int(mine["score"][mine["status"] == Status.SUCCEEDED].sum())
        pools.add_row(
            pool.name.capitalize(), f"{len(mine):,}", *counts, f"{scores:,}", io(int(mine["reward"].sum()))
        )
    console.print(pools)
    reasons = plain("Not paid", "reason", "devices")
    for reason in Reason:
        if count := int((devices["reasons"] & reason.value != 0).sum()):
            reasons.add_row((reason.name or "").lower().replace("_", " "), f"{count:,}")
    console.print(reasons)
    best = devices[(-devices["reward"].astype("i8")).argsort(kind="stable")[:TOP]]
    table = plain("Most rewarded", "device", "score", "normalised", "reward IO", "to the co-staker IO")
    for device, row in zip(text(best["device"]), best, strict=True):
        whole, part = divmod(int(row["normalised"]), POINT_PARTS)
        table.add_row(
            device,
            f"{row['score']:,}",
            f"{whole:,}.{part:03}",
            io(int(row["reward"])),
            io(int(row["co_staker"])),
        )
    console.print(table)


@app.command()
def proof(
    wallet: WalletOption,
    hour: HourOption = None,
    folder: FolderOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """What a wallet can claim and the proof for it, from the published files alone."""
    place, number = _which(folder, hour)
    found = publication.claimable(place, number, Pubkey.from_string(wallet))
    if as_json:
        print(json.dumps(found.json()))
        return
    table = plain(f"Claim by the root of hour {number}", "", "")
    table.add_row("wallet", wallet)
    table.add_row("earned in its life, IO", io(found.lifetime))
    table.add_row("root", found.root.hex())
    for level, sibling in enumerate(found.json()["proof"]):
        table.add_row(f"proof, level {level}", sibling)
    console.print(table)


@app.command()
def verify(
    hour: HourOption = None,
    folder: FolderOption = None,
    chain: ChainOption = None,
) -> None:
    """Compute a block again from its inputs and compare every byte; with --chain, its root on chain, too."""
    place, number = _which(folder, hour)
    manifest = publication.verify(place, number)
    console.print(f"hour {number}: {manifest.devices:,} devices computed again, every byte equal")
    if chain:
        asyncio.run(_compare_with_chain(chain, manifest))
        console.print("root, total and data hash are those on chain")


@app.command()
def claim(
    wallet: WalletOption,
    hour: HourOption = None,
    folder: FolderOption = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
) -> None:
    """Pay a wallet what it has earned and not got; whoever calls this pays the fee."""
    place, number = _which(folder, hour)
    owner = Pubkey.from_string(wallet)
    found = publication.claimable(place, number, owner)
    settings = Settings()
    payer = read_keypair((keypair or settings.keypair).expanduser())

    async def work() -> int:
        async with connect(chain or settings.chain, live=True) as connected:
            instructions = [
                create_associated(payer.pubkey(), owner, tokenomics.MINT),
                staking.claim(number, owner, found.lifetime, found.proof),
            ]
            record = await connected.send(instructions, [payer])
            (event,) = staking.PROGRAM.events(record)
            return int(event.fields["amount"])

    console.print(f"{io(asyncio.run(work()))} IO paid to {wallet}")


@app.command()
def serve(
    folder: FolderOption = None,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on")] = 8080,
) -> None:
    """Serve published blocks and proofs over HTTP."""
    place = folder or Settings().rewards
    if not place.is_dir():
        raise PublicationError(f"{place} is no folder: --dir (or IONET_REWARDS) names where blocks are")
    uvicorn.run(application(place), host=host, port=port, log_level="warning")


def _which(folder: Path | None, hour: int | None) -> tuple[Path, int]:
    """The folder and the hour that are meant."""
    place = folder or Settings().rewards
    if hour is not None:
        return place, hour
    hours = publication.published_hours(place)
    if not hours:
        raise PublicationError(f"no hour is published in {place}: --dir (or IONET_REWARDS) names the folder")
    return place, hours[-1]


async def _compare_with_chain(chain: str, manifest: Manifest) -> None:
    async with connect(chain) as connected:
        block = (await staking.read_hours(connected, [manifest.hour])).get(manifest.hour)
    if block is None:
        raise PublicationError(
            f"hour {manifest.hour} is not on chain: nobody attested it, or its account was closed"
        )
    said = manifest.attestation
    for name in ("root", "total", "devices", "data_hash"):
        if (there := getattr(block, name)) != (ours := getattr(said, name)):
            raise PublicationError(f"hour {manifest.hour}: {name} on chain is {there!r}, published {ours!r}")


def _totals(manifest: Manifest) -> Table:
    table = plain(f"Reward block of hour {manifest.hour}", "", "")
    table.add_row("devices", f"{manifest.devices:,}")
    for name in ("succeeded", "failed", "missed"):
        table.add_row(f"  {name}", f"{getattr(manifest, name):,}")
    for name, amount in (
        ("could be paid, IO", manifest.pot),
        ("paid, IO", manifest.paid),
        ("carried to the next hour, IO", manifest.carried),
        ("all ever paid, IO", manifest.total),
    ):
        table.add_row(name, io(amount))
    table.add_row("root", manifest.root)
    table.add_row("manifest's SHA-256, on chain", manifest.hash)
    return table
