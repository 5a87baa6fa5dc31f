"""Taking over an hour that others agreed on, once it is found right with this operator's own eyes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from keeper.chain.http import PeerError
from keeper.clients.staking import Block
from keeper.errors import why
from keeper.jobs.port import Port
from keeper.pow.clock import Network
from keeper.rewards.fetch import fetch_from_any
from keeper.rewards.history import History
from keeper.rewards.observed import observations
from keeper.rewards.peers import Peers
from keeper.rewards.publication import (
    FILES,
    MANIFEST,
    FolderUnusable,
    Manifest,
    read_observed,
    read_record,
    whole_or_not,
)
from keeper.rewards.publishing import publish
from keeper.rewards.rows import Hour, class_rows, field_rows
from keeper.rewards.work import Work

ASIDE = ".adopt"
"""Where an hour of others is looked at, beside the published ones."""


async def adopt(
    port: Port,
    *,
    folder: Path,
    hour: Hour,
    block: Block,
    peers: Sequence[str],
    work: Work,
    network: Network,
    history: History,
) -> str | None:
    """Take over an hour that k operators agreed on, in place of this one's own; or say why not.

    Its ``pow.json`` says which files it was made of. Those are taken from here and from peers, and the whole
    hour is computed again from them, the chain and the hour before: it is taken over if every byte is the
    agreed one's. So operators who had one file more or less than others go on, and k who lie don't make
    anybody follow. The files are kept, as this operator's own are. Raises PublicationError.
    """

    def refused(host: str, reason: str) -> None:
        port.log.warning("block.peer_refused", hour=hour.number, peer=host, reason=reason)

    def hasnt(peer: str, error: PeerError) -> None:
        refused(httpx.URL(peer).host, str(error))

    with _aside(folder, hour.number) as aside:
        found = await fetch_from_any(peers, aside, hour.number, block, hasnt)
        if found is None:
            return "no peer has the hour's files as they are on chain"
        record = read_record(aside, found[1])
        past, before = await history.hour(hour.start), read_observed(folder, hour.number)
        others = Peers(peers, refused)
        try:
            again = await work.again(port.chain, network, past, before, record, others.fetch)
        finally:
            await others.close()
        if again is None:
            return "the chain doesn't say all of the hour"
        seen = again.work
        rows = field_rows(past.devices, observations(seen.observed), past.hired)
        manifest = publish(aside, hour, seen, rows, class_rows(past.classes, hour.start))
        if manifest.hash != block.data_hash.hex():
            return _difference(found[1], manifest)
        # A vote to slash is made from them, perhaps days later and by another process.
        await asyncio.to_thread(work.keep, hour.number, again.files)
        with whole_or_not(folder, hour.number) as part:
            for name in (*FILES, MANIFEST):
                (aside / str(hour.number) / name).rename(part / name)
    host = httpx.URL(found[0]).host
    port.log.warning("block.adopted", hour=hour.number, peer=host, root=manifest.root, paid=manifest.paid)
    return None


def _difference(agreed: Manifest, here: Manifest) -> str:
    """Which files come out otherwise; the first of them is the one that others follow from."""
    names = [name for name in FILES if agreed.files[name] != here.files[name]]
    return f"by the files that it names, {names[0] if names else MANIFEST} comes out otherwise"


@contextmanager
def _aside(folder: Path, number: int) -> Iterator[Path]:
    """An empty folder beside the hours, in which the hour before can be read."""
    aside = folder / ASIDE
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        if number:
            (aside / str(number - 1)).symlink_to((folder / str(number - 1)).resolve())
    except OSError as error:
        raise FolderUnusable(f"{aside} can't be written: {why(error)}") from error
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
