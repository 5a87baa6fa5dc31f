"""``ionet localnet``: a network of one's own, with a node that any client can talk to."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from keeper.chain.errors import ChainNotSaved
from keeper.cli import localnet_crew as crew
from keeper.cli.localnet_child import environment_of_others, started
from keeper.cli.localnet_crew import MAX_WORKERS
from keeper.cli.localnet_web import address_of, pages_on
from keeper.cli.options import make_folder
from keeper.demo import beginning
from keeper.errors import UserError
from keeper.localnet.chain import MAX_SPEED, LocalChain
from keeper.localnet.faults import Faults, read_faults
from keeper.localnet.node import Node, treasury_in
from keeper.localnet.server import served
from keeper.runtime.listen import listen
from keeper.settings import PORTS
from keeper.terminal import localnet as shown
from keeper.terminal.tables import console

FOLDER, DEMO = Path("out/localnet"), Path("out/demo")
KEPT, EARLY = "network.chain", "early.chain"
KEYS = "keys"
LOOPBACK = "127.0.0.1", "::1", "localhost"
SAVE_SECONDS = 60
WORKED_SPEED = 120
"""What passes where devices prove while nobody has anything to do."""


class State(StrEnum):
    """What a network begins with."""

    EARLY = "early"
    MID = "mid"
    END = "end"


def localnet(  # noqa: PLR0913, PLR0917 - an option for each
    chain: Annotated[
        Path | None, typer.Option("--chain", help="a saved chain's file", show_default="by --state")
    ] = None,
    state: Annotated[
        State | None,
        typer.Option(
            help="early: after genesis; mid: devices, orders and rewards of make demo; end: 20 years later",
            show_default="mid, early before any demo",
        ),
    ] = None,
    rpc: Annotated[
        str, typer.Option(help="HOST:PORT where it listens; notices are there and on the next port")
    ] = "127.0.0.1:8899",
    speed: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=MAX_SPEED,
            help="seconds that pass on it in one of yours; with workers at most, as far as they keep up",
            show_default=f"1; {WORKED_SPEED} with workers",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="save what happens, and go on from it next time")
    ] = False,
    keeper: Annotated[
        bool, typer.Option("--keeper", help="run a keeper on it: what is due gets done")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=0,
            max=MAX_WORKERS,
            help="devices that prove their work, and operators; begins early",
        ),
    ] = 0,
    web: Annotated[
        int | None,
        typer.Option(min=0, max=PORTS - 1, help="port of pages and an API on it", show_default="none"),
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="what goes wrong, such as drop=0.1,delay=2; also stale, expire, seed")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="listen where others reach it; no airdrops and faucets then")
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(help="folder of people's keys", show_default="keys beside the chain")
    ] = None,
    folder: Annotated[Path, typer.Option(help="folder for what it keeps")] = FOLDER,
) -> None:
    """Run a network of one's own until Ctrl+C: a node for any client, and keys of people with money."""
    host, port = _place(rpc, public=public)
    wrong = read_faults(faults) if faults is not None else Faults()
    otherwise = "is another network running? Name another place by --rpc 127.0.0.1:9899"
    listeners = [listen(host, port, otherwise)]
    if port:
        listeners.append(listen(host, port + 1, f"notices need this port: {otherwise}"))
    pages = None if web is None else listen(host, web, "name another port by --web")
    if workers and (chain is not None or state not in (None, State.EARLY)):
        raise UserError("--workers begins a network of its own: leave --chain out, and any --state but early")
    begins = State.EARLY if workers and not (keep and (folder / KEPT).exists()) else state
    source, kept_in, people = _source(chain, begins, folder, keep=keep, keys=keys)
    if source.name == EARLY:
        crew.forget(folder)
    with Progress(console=console, transient=True) as progress:
        progress.add_task(f"reading {source}", total=None)
        loaded = LocalChain.load(source)
    at_work = asyncio.run(crew.prepare(loaded, people, workers)) if workers else None
    loaded.set_speed((WORKED_SPEED if workers else 1) if speed is None else speed)
    node = Node(loaded, treasury_in(people), public=public, kept=keep, faults=wrong)
    rewards = crew.published_in(folder) if at_work else people.parent / "rewards/operator-1"
    url = f"http://{f'[{host}]' if ':' in host else host}:{listeners[0].getsockname()[1]}"

    async def work() -> None:
        stop = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        async with (
            served(node, listeners),
            _keeper_on(url, people, folder, wanted=keeper),
            crew.working(url, people, folder, at_work, environment_of_others()) as parts,
            pages_on(url, rewards, folder, pages, environment_of_others()),
        ):
            found = shown.Found(url, source, kept_in, people, wrong, public, tuple(parts))
            for table in await shown.opening(found, node):
                console.print(table, soft_wrap=True)
            if pages is not None:
                console.print(f"Pages of it: {address_of(pages)}", soft_wrap=True)
            while not stop.is_set():
                try:
                    await asyncio.wait_for(stop.wait(), SAVE_SECONDS)
                except TimeoutError:
                    if kept_in:
                        with suppress(ChainNotSaved):  # said at the end, when it is saved aside
                            loaded.save(kept_in)

    import uvloop  # noqa: PLC0415 - as the extra brings it

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())
    if kept_in:
        _save(loaded, kept_in)


def _save(loaded: LocalChain, kept_in: Path) -> None:
    """Save what happened at the end; where somebody else has written the file meanwhile, beside it."""
    try:
        loaded.save(kept_in)
    except ChainNotSaved as error:
        aside = kept_in.with_name(f"{kept_in.name}.localnet")
        loaded.save(aside)
        raise UserError(f"{error}. What happened here is in {aside}") from error
    console.print(f"Saved in {kept_in}: --keep goes on from it.", soft_wrap=True)


def _place(rpc: str, *, public: bool) -> tuple[str, int]:
    host, _, port = rpc.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) >= 2**16 - 1:
        raise UserError(f"{rpc!r} is no place to listen: write HOST:PORT, such as 127.0.0.1:8899")
    if host not in LOOPBACK and not public:
        raise UserError(
            f"others may reach {host}: with --public that is allowed, and airdrops, faucets and the clock's "
            "commands are off then"
        )
    return host, int(port)


def _source(
    chain: Path | None, state: State | None, folder: Path, *, keep: bool, keys: Path | None
) -> tuple[Path, Path | None, Path]:
    """The chain's file, where it is saved at the end, if it is, and the folder of keys."""
    if chain is not None and state is not None:
        raise UserError("--chain names a chain, --state one of ours: name one of them")
    if chain is not None:
        return chain, chain if keep else None, keys or chain.parent / KEYS
    kept_in = folder / KEPT if keep else None
    if kept_in and kept_in.exists():
        if state is not None:
            raise UserError(f"{kept_in} is gone on from: without --state, or delete it to begin anew")
        return kept_in, kept_in, keys or folder / KEYS
    mid, end = DEMO / "mid.chain", DEMO / "network.chain"
    if state is State.END and not end.exists():
        raise UserError(f"there is no {end} yet: run make demo, a minute or two, or --state early")
    if state is State.END or (state in (None, State.MID) and mid.exists()):
        source = end if state is State.END else mid
        return source, kept_in, keys or DEMO / KEYS
    if state is State.MID:
        raise UserError(f"there is no {mid} yet: run make demo, a minute or two, or --state early")
    return _early(folder), kept_in, keys or folder / KEYS


def _early(folder: Path) -> Path:
    """A network after genesis, made anew each time: it takes a second."""
    make_folder(folder)
    path = folder / EARLY
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("genesis, people, a device", total=len(beginning.STEPS))
        asyncio.run(beginning.begin(path, lambda: progress.advance(task)))
    beginning.write_keys(folder / KEYS)
    return path


@asynccontextmanager
async def _keeper_on(url: str, people: Path, folder: Path, *, wanted: bool) -> AsyncIterator[None]:
    """Run a keeper meanwhile, in a process of its own."""
    if not wanted:
        yield
        return
    environment = _settings_of_keeper(url, people, folder)
    with (folder / "keeper.log").open("w") as log:
        child = await started("keeper", "run", environment=environment, log=log)
        try:
            yield
        finally:
            if child.returncode is None:
                child.terminate()
            await child.wait()


def _settings_of_keeper(url: str, people: Path, folder: Path) -> dict[str, str]:
    """The environment of a keeper on this network, and none of this machine's own settings."""
    key = people / "keeper.json"
    if not key.exists():
        raise UserError(f"there is no {key} for a keeper to sign with: name a folder with one by --keys")
    make_folder(folder)
    database = (folder / "keeper.db").resolve()
    database.unlink(missing_ok=True)  # what an earlier keeper remembers is of another chain
    own = {
        "IONET_CHAIN": url,
        "IONET_KEYPAIR": str(key.resolve()),
        "IONET_DATABASE": f"sqlite:///{database}",
        "IONET_HTTP": "off",
        "IONET_CHECK_SECONDS": "2",
    }
    return {**environment_of_others(), **own}
