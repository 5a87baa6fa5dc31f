"""``ionet pow``: what proofs of work show, and where they invite a lie."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.progress import Progress

from keeper.chain import Chain
from keeper.chain.connect import connect
from keeper.chain.http import PeerError
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.indexed import database
from keeper.cli.options import U32_MAX, ChainOption, address, settings
from keeper.clients import staking, tokenomics
from keeper.economy.calendar import moment, month_start
from keeper.economy.classes import read_classes
from keeper.errors import UserError
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.pow.classes import pairs, read_capabilities
from keeper.pow.profiles import read_profiles
from keeper.pow.profiles_by_hour import known_or_beside, read_profiles_by_hour
from keeper.pow.record import HourRecord
from keeper.resources import CLASS_TABLE
from keeper.rewards import audit
from keeper.rewards.fetch import compare, fetch_from_any
from keeper.rewards.held import HeldFiles
from keeper.rewards.history import History
from keeper.rewards.peers import Peers
from keeper.rewards.publication import PublicationError, read_manifest
from keeper.rewards.work import network_of
from keeper.settings import Settings
from keeper.terminal import pow as shown
from keeper.terminal.answers import working
from keeper.terminal.tables import console, progress_of, show

app = typer.Typer(help="Proof of work: what it shows of devices.", no_args_is_help=True)


@app.callback()
def proof_of_work() -> None:
    """Proof of work: what it shows of devices."""


@app.command()
@answers(working.Profiles)
def profiles(
    table: Annotated[
        Path | None, typer.Option(help="file with a table of profiles", show_default="the one that holds now")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What each class computes in a wave, how fast, and what it must keep free for that while it is hired."""
    now = int(time.time())
    by_hour = read_profiles_by_hour(settings().profiles)
    found = read_profiles(table) if table else by_hour.at(now)
    names = {row.id: row.name for row in read_classes()}
    if as_json:
        rows = [{**asdict(each), "memory": each.memory} for each in found.values()]
        write({"sha256": found.hash.hex(), "profiles": rows})
        return
    show(shown.work(found.values(), names))
    console.print(f"SHA-256 of the table: {found.hash.hex()}")
    for since, later in by_hour.tables if table is None else ():
        if since > now:
            console.print(f"From {moment(since)} on another one holds: {later.hash.hex()}")


@app.command()
@answers(working.Pairs)
def classes(
    table: Annotated[
        Path,
        typer.Option(help="file with a class table", show_default="io.net's, which comes with the keeper"),
    ] = CLASS_TABLE,
    as_json: JsonOption = False,
) -> None:
    """Cards that earn more under a weaker class's name: a proof shows what a device can do at least."""
    found = pairs(read_classes(table), read_capabilities())
    if as_json:
        write({"pairs": [asdict(each) for each in found]})
        return
    if found:
        show(shown.lies(found))
    console.print(shown.words(found))


@app.command()
@answers(working.HourVerified)
def verify(
    hour: Annotated[int, typer.Option(min=0, max=U32_MAX, help="the hour, counted since emission began")],
    device: Annotated[str | None, typer.Option(help="verify openings of this device alone")] = None,
    sample: Annotated[
        int | None, typer.Option(min=0, help="verify so many openings of a wave, chosen by their hashes")
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option("--from", help="URL of whoever serves files", show_default="IONET_PEERS"),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="folder of published hours", show_default="IONET_REWARDS")
    ] = None,
    files: Annotated[
        Path | None, typer.Option("--pow", help="folder of operators' files", show_default="IONET_POW")
    ] = None,
    blocks: Annotated[
        bool, typer.Option("--blocks/--no-blocks", help="read blocks from the node, or believe pow.json")
    ] = True,
    as_json: JsonOption = False,
    chain: ChainOption = None,
) -> None:
    """Compute an hour again from the chain and operators' files, and name the first thing that differs.

    Reads the chain's whole history of the programs, unless there is a keeper's database: that takes its time.
    """
    chosen = settings(chain)
    urls = peers or [str(each) for each in chosen.peers]
    number = address(device) if device else None
    held = files or chosen.pow

    tables = read_profiles_by_hour(chosen.profiles)

    async def work() -> tuple[audit.Audit, bool]:
        async with AsyncExitStack() as stack:
            connected = await stack.enter_async_context(connect(chosen.chain))
            place = Path(stack.enter_context(TemporaryDirectory()))
            await _gather(connected, place, folder or chosen.rewards, hour, urls)
            published = audit.read(place, hour)
            start = await _start(connected)
            network = await network_of(connected, start)
            history = await _history(stack, chosen, connected, place)
            past_start = network.start_of(hour)
            if not await history.knows(past_start + EVIDENCE_SECONDS):
                raise UserError(f"hour {hour} isn't over, or not final yet")
            past = await history.hour(past_start)
            here = HeldFiles(held or place / "nothing", hour)
            by_hour = known_or_beside(tables, published.record.profiles, held or place)
            peers = Peers(urls, _failed)
            stack.push_async_callback(peers.close)
            show_progress = stack.enter_context(_progress(as_json))
            result = await audit.audit(
                connected,
                network,
                past,
                published,
                by_hour,
                here,
                peers.fetch,
                audit.Sampled(published, number, sample, show_progress),
                blocks=blocks,
            )
            if held:
                _tell_damaged(held, published.record, here)
            return result, by_hour is tables

    result, is_own = asyncio.run(work())
    if as_json:
        found = asdict(result.finding) if result.finding else None
        words = {"hour": hour, "blocks": blocks, "known_profiles": is_own, "verified": result.verified}
        write({**words, "finding": found})
    else:
        if not blocks:
            console.print(shown.NO_BLOCKS)
        if not is_own:
            console.print(shown.OTHER_PROFILES)
        console.print(shown.outcome(hour, result))
    if result.finding:
        raise typer.Exit(1)


async def _gather(chain: Chain, place: Path, folder: Path, hour: int, urls: Sequence[str]) -> None:
    """Have an hour and the one before in ``place``, as they are on chain; raises PublicationError."""
    wanted = [each for each in (hour - 1, hour) if each >= 0]
    known = await staking.read_hours(chain, wanted)
    for each in wanted:
        here = folder / str(each)
        block = known.get(each)
        if here.exists():
            (place / str(each)).symlink_to(here.resolve())
        elif block is None or await fetch_from_any(urls, place, each, block, _refused) is None:
            raise PublicationError(
                f"hour {each} isn't in {folder}, and nobody serves it as it is on chain: --dir or --from"
            )
    block = known.get(hour)
    if block is None:
        raise PublicationError(f"hour {hour} is not on chain: nobody attested it, or its account was closed")
    compare(read_manifest(place, hour), block)


def _tell_damaged(folder: Path, record: HourRecord, held: HeldFiles) -> None:
    """Name the files of a folder that aren't what they should be."""
    for name, stated, found in audit.differing(record, held):
        path = folder / str(record.hour) / name
        print(f"{path}: its SHA-256 is {found}, but the hour names {stated}", file=sys.stderr)
    for path, digest in held.damaged.items():
        print(f"{path}: its SHA-256 is {digest.hex()}, not its name", file=sys.stderr)


async def _start(chain: Chain) -> int:
    economy = await tokenomics.read_config(chain)
    if economy is None or not economy.launched:
        raise UserError("no network is launched on this chain: --chain (or IONET_CHAIN) names another")
    return month_start(economy.start_month)


async def _history(stack: AsyncExitStack, chosen: Settings, chain: Chain, place: Path) -> History:
    """What was on chain, by the index."""
    history = History(chain, await database(stack, chosen, place, chain), keeps=False)
    await history.prepare()
    return history


def _refused(peer: str, error: PeerError) -> None:
    _failed(urlsplit(peer).hostname or "", str(error))


def _failed(host: str, reason: str) -> None:
    print(f"{host}: {reason}", file=sys.stderr)


@contextmanager
def _progress(quiet: bool) -> Iterator[audit.Progress]:
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        yield progress_of(progress, "openings verified")
