"""A renter's cluster for scripts, notebooks and the command line: ``with connect(order) as cluster``.

It uses the connection that another process of the same user has, such as ``ionet cluster connect``, and else
has one of its own for as long as the block lasts.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.chain.connect import connect as open_chain
from keeper.compute.looking import QUIET, boards_of
from keeper.compute.node import JOBS
from keeper.compute.proxy import VARIABLES
from keeper.errors import UserError
from keeper.renter.connection import Connection
from keeper.renter.door import Status, ask_status, open_way
from keeper.renter.figures import Figures, FiguresWrong, scrape, way_out
from keeper.renter.files import MOST_BYTES, Moved, get, put
from keeper.renter.helping import helper
from keeper.renter.inside import Wire
from keeper.renter.jobs import NO_VARIABLES, Job, Jobs
from keeper.renter.packing import pack_folder, pack_wheels
from keeper.renter.place import NotConnected, Place
from keeper.renter.shell import shell
from keeper.settings import Settings, read_settings

CONNECT_SECONDS = 600.0
HOST = "127.0.0.1"
HEAD = "head"


class NotConnectedInTime(UserError):
    """A cluster whose head didn't answer while somebody waited."""


class NodeUnknown(UserError):
    """A node that the cluster doesn't have."""


class Cluster:
    """What can be done with a cluster that something here is connected to."""

    def __init__(self, place: Place) -> None:
        """Use the connection that there is; raises NotConnected."""
        self._place = place
        self.status()

    def status(self) -> Status:
        """How the connection stands; raises NotConnected."""
        return ask_status(self._place)

    @contextmanager
    def jobs(self) -> Iterator[Jobs]:
        """The head's jobs, as it is now; raises NotConnected."""
        status = self.status()
        if not status.connected:
            raise NotConnected(f"the cluster is {status.state}: {status.why}")
        found = Jobs(f"http://{HOST}:{status.ports[JOBS]}", self._place.token())
        try:
            yield found
        finally:
            found.close()

    def submit(
        self,
        command: Sequence[str],
        *,
        working_dir: Path | None = None,
        wheels: Sequence[Path] = (),
        variables: Mapping[str, str] = NO_VARIABLES,
        name: str | None = None,
    ) -> str:
        """Start a command as a job, in a copy of ``working_dir``; its name, which is made up without one.

        Where a way out is asked for, it is told by variables where that is, unless it is given others.

        Raises PackingRefused, JobRefused, HeadError, NotConnected.
        """
        out = VARIABLES if self.status().egress else {}
        folder = pack_folder(working_dir) if working_dir is not None else None
        unpacked = pack_wheels(wheels) if wheels else None
        with self.jobs() as jobs:
            return jobs.submit(
                name or new_name(),
                shlex.join(command),
                working_dir=folder,
                wheels=unpacked,
                variables={**out, **variables},
            )

    def job(self, name: str) -> Job:
        """A job as it is now; raises JobUnknown, HeadError, NotConnected."""
        with self.jobs() as jobs:
            return jobs.get(name)

    def wait(self, name: str) -> Job:
        """A job once it is over; raises JobUnknown, HeadError, NotConnected."""
        with self.jobs() as jobs:
            return jobs.wait(name)

    def logs(self, name: str) -> str:
        """What a job has printed so far; raises JobUnknown, HeadError, NotConnected."""
        with self.jobs() as jobs:
            return jobs.logs(name)

    def put(self, source: Path, to: str = ".", node: str = HEAD) -> Moved:
        """Send a file or a folder into a folder of a node's /data; raises TransferFailed, NodeSilent."""
        with self._helper(node, "put") as wire:
            return put(wire, source, to)

    def get(self, source: str, to: Path = Path(), node: str = HEAD, most: int = MOST_BYTES) -> Moved:
        """Take a file or a folder of a node's /data into a folder here, ``most`` bytes at most.

        A node that lies writes below that name alone. Raises TransferFailed, NodeSilent.
        """
        with self._helper(node, "get") as wire:
            return get(wire, source, to, most)

    def shell(self, command: str = "", node: str = HEAD) -> int:
        """A shell on a node in this terminal, or a command in one; its exit code. Raises NodeSilent."""
        with self._helper(node, "shell") as wire:
            return shell(wire, command)

    def figures(self) -> dict[str, Figures | FiguresWrong]:
        """Each node's figures by its address in the cluster, or why it gives none; raises NotConnected."""
        found: dict[str, Figures | FiguresWrong] = {}
        status, opens = self.status(), partial(open_way, self._place)
        for _, address, _ in status.nodes:
            node = IPv4Address(address)
            try:
                out = way_out(opens, node) if status.egress else None
                found[address] = replace(scrape(opens, node), way_out=out)
            except NotConnected as error:
                found[address] = FiguresWrong(str(error))
            except FiguresWrong as error:
                found[address] = error
        return found

    def address(self, node: str) -> IPv4Address:
        """A node by its device, its address in the cluster, or ``head``; raises NodeUnknown."""
        for number, (device, address, _) in enumerate(self.status().nodes):
            if node in (device, address) or (node == HEAD and number == 0):
                return IPv4Address(address)
        raise NodeUnknown(f"the cluster has no node {node}: ionet cluster status lists them")

    @contextmanager
    def _helper(self, node: str, what: str) -> Iterator[Wire]:
        address = self.address(node)
        with self.jobs() as jobs, helper(self._place, jobs, address, new_name(f"ionet-{what}")) as wire:
            yield wire


def new_name(what: str = "job") -> str:
    """A job's name that no other has."""
    return f"{what}-{secrets.token_hex(6)}"


@contextmanager
def connect(
    order: str | Pubkey,
    settings: Settings | None = None,
    *,
    seconds: float = CONNECT_SECONDS,
    tell: Callable[[Status], None] = lambda _: None,
    egress: bool | None = None,
) -> Iterator[Cluster]:
    """Be connected to an order's cluster meanwhile; ``settings`` are those of IONET_* unless given.

    ``egress`` is whether a way out is asked for, None: as it was. A connection that there is stays as it is.

    Raises NotConnectedInTime, and what :meth:`keeper.renter.connection.Connection.run` does. ``tell`` is
    called when something changes while it waits.
    """
    at = Pubkey.from_string(order) if isinstance(order, str) else order
    place = Place(at)
    try:
        cluster = Cluster(place)
    except NotConnected:
        with _own(place, settings or read_settings(), seconds, tell, egress):
            yield Cluster(place)
    else:
        yield cluster


async def stay_connected(
    place: Place,
    settings: Settings,
    ports: Mapping[int, int],
    tell: Callable[[Status], None],
    egress: bool | None = None,
) -> None:
    """Be connected until this is cancelled: see :meth:`keeper.renter.connection.Connection.run`."""
    if not settings.operators:
        raise UserError("IONET_OPERATORS names no operator: a cluster is reached by their boards and relays")
    async with open_chain(settings.chain) as chain, boards_of(settings.operators, chain) as boards:
        await Connection(place, chain, boards, settings.signer(), QUIET, ports, tell, egress).run()


@contextmanager
def _own(
    place: Place,
    settings: Settings,
    seconds: float,
    tell: Callable[[Status], None],
    egress: bool | None,
) -> Iterator[None]:
    """A connection in a thread of this process."""
    ready, last, failed = threading.Event(), [""], list[BaseException]()
    stop: list[Callable[[], object]] = []

    def told(status: Status) -> None:
        last[0] = f"{status.state}: {status.why}"
        tell(status)
        if status.connected:
            ready.set()

    async def stay() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        stop.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await stay_connected(place, settings, {}, told, egress)

    def run() -> None:
        try:
            asyncio.run(stay())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="ionet-cluster", daemon=True)
    thread.start()
    try:
        in_time = ready.wait(seconds)
        if failed:
            raise failed[0]
        if not in_time:
            raise NotConnectedInTime(f"the cluster can't be reached after {seconds:g} seconds; {last[0]}")
        yield
    finally:
        for each in stop:
            if thread.is_alive():
                each()
        thread.join()
