"""Pages and an API on a network of one's own, on an index of it that a process of its own keeps."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import uvicorn

from keeper.cli.api import serving
from keeper.cli.localnet_child import started
from keeper.cli.options import make_folder
from keeper.db.visitors import Visitors
from keeper.settings import Settings

LOOK_SECONDS = 1
"""How often the index looks for what is new: the node is beside it."""
LOG = "web.log"
EXPLORER = "https://explorer.solana.com/{tx,address}/{id}"
"""It asks the node itself, from the visitor's browser."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The network's end is this one's end.
        yield


def address_of(listener: socket.socket) -> str:
    """Where a browser finds pages that are served on a socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


@asynccontextmanager
async def pages_on(
    url: str,
    rewards: Path,
    folder: Path,
    listener: socket.socket | None,
    environment: Mapping[str, str],
) -> AsyncIterator[None]:
    """Serve pages of the network at ``url`` meanwhile, on a socket that listens; none for None.

    ``environment`` is what the index's process has beside the network's settings.

    Hours that are published in the folder ``rewards`` come with them, so that rewards can be claimed. Who
    asks before all is indexed waits.
    """
    if listener is None:
        yield
        return
    chosen = _settings(url, rewards, folder)
    with (folder / LOG).open("wb") as log:
        running = asyncio.create_task(_serve(chosen, listener, log, environment))
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _serve(
    chosen: Settings, listener: socket.socket, log: BinaryIO, environment: Mapping[str, str]
) -> None:
    """Index what there is, then go on with that and serve it, until this is cancelled."""
    child: Process | None = None
    server: uvicorn.Server | None = None
    try:
        # A server refuses a database that nobody has filled yet.
        child = await _indexing(chosen, log, environment)
        await child.wait()
        child = await _indexing(chosen, log, environment, "--follow")
        server = _Server(serving(chosen, Visitors(chosen.database)))
        await server.serve(sockets=[listener])
    finally:
        if child is not None and child.returncode is None:
            child.terminate()
            await child.wait()
        if server is not None:
            await server.shutdown([listener])


async def _indexing(chosen: Settings, log: BinaryIO, environment: Mapping[str, str], *more: str) -> Process:
    """The index's process, with these settings."""
    own = {
        "IONET_CHAIN": chosen.chain,
        "IONET_DATABASE": chosen.database,
        "IONET_REWARDS": str(chosen.rewards),
        "IONET_CHECK_SECONDS": str(LOOK_SECONDS),
    }
    return await started("index", "--no-compare", *more, environment={**environment, **own}, log=log)


def _settings(url: str, rewards: Path, folder: Path) -> Settings:
    make_folder(folder)
    database = (folder / "web.db").resolve()
    for each in folder.glob(f"{database.name}*"):
        each.unlink()  # what an earlier one knows is of another chain
    given = {
        "chain": url,
        "database": f"sqlite:///{database}",
        "rewards": rewards.resolve(),
        "web_node": url,
        # Notices are on the node's own port, too.
        "web_notices": url.replace("http", "ws", 1),
        "web_explorer": f"{EXPLORER}?cluster=custom&customUrl={quote(url, safe='')}",
    }
    return Settings.model_validate(given)
