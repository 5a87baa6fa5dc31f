"""``ionet cluster connect``, and what a renter does with its cluster from there: jobs and their logs."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from solders.pubkey import Pubkey

from keeper.cli import options
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.ending import end_when_idle
from keeper.cli.extras import needs
from keeper.cli.options import ChainOption, KeypairOption, address
from keeper.cli.orders import OrderArgument
from keeper.errors import UserError
from keeper.terminal.answers import renting
from keeper.terminal.tables import console, errors, show

if TYPE_CHECKING:
    from keeper.renter import Cluster, Job, Moved
    from keeper.renter.door import Status

PORTS = 1 << 16
JOBS_PORT = 8_265
HEAD = "head"
NodeOption = Annotated[str, typer.Option(help="a node's device, its address in the cluster, or head")]
JobArgument = Annotated[str, typer.Argument(help="the job's name")]


class JobNotSucceeded(UserError):
    """A job that was waited for, and that didn't end well."""


def connect(
    order: OrderArgument,
    jobs: Annotated[
        int, typer.Option(min=0, max=PORTS - 1, help="the port here of jobs and the dashboard, 0 for any")
    ] = JOBS_PORT,
    port: Annotated[
        list[str] | None,
        typer.Option(
            help="HERE:THERE, a port of 127.0.0.1 and the head's, repeat for each", show_default="none"
        ),
    ] = None,
    egress: Annotated[
        bool | None,
        typer.Option(
            "--egress/--no-egress",
            help="ask for a way out to the hosts that suppliers allow, or for none any more",
            show_default="as it was asked for last, at first none",
        ),
    ] = None,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
) -> None:
    """Be connected to an order's cluster until Ctrl+C: its jobs and dashboard are on a port here.

    It may begin as soon as the order is there, posts the renter's KEY, and waits. Other commands use it.

    Example: ionet cluster connect ORDER --port 9000:9000
    """
    with needs("compute", "ionet cluster connect"):
        from keeper.renter.cluster import stay_connected  # noqa: PLC0415 - WireGuard's keys, for this alone
        from keeper.renter.place import Place  # noqa: PLC0415

    at, settings = address(order), options.settings(chain, keypair)
    ports = {JOBS_PORT: jobs, **dict(map(_ports, port or ()))}
    place = Place(at)
    told: list[Status] = []

    def tell(status: Status) -> None:
        if status.connected and not any(each.connected for each in told):
            for line in (
                f"export RAY_ADDRESS=http://127.0.0.1:{status.ports[JOBS_PORT]}",
                "export RAY_AUTH_MODE=token",
                f"export RAY_AUTH_TOKEN_PATH={place.token_file}",
            ):
                print(line, flush=True)
        told.append(status)
        _tell(status)

    async def stay() -> None:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        await stay_connected(place, settings, ports, tell, egress)

    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(stay())


@answers(renting.JobStarted)
def submit(
    order: OrderArgument,
    command: Annotated[
        list[str], typer.Argument(help="behind --, what the job runs, such as python train.py")
    ],
    working_dir: Annotated[
        Path | None,
        typer.Option(help="a folder that the job gets a copy of and runs in", show_default="none"),
    ] = None,
    wheel: Annotated[
        list[Path] | None,
        typer.Option(help="a wheel that the job can import, repeat for each", show_default="none"),
    ] = None,
    env: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE, repeat for each", show_default="none")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="print what it prints until it is over")
    ] = False,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a job on an order's cluster, and print its name; it goes on when this machine is away.

    Example: ionet cluster submit ORDER --working-dir . -- python train.py
    """
    variables = dict(map(_variable, env or ()))
    if working_dir is not None:
        options.require_folders(working_dir)
    with _cluster("submit", order, chain, keypair) as cluster:
        name = cluster.submit(command, working_dir=working_dir, wheels=wheel or (), variables=variables)
        if as_json:
            write({"order": order, "job": name})
        else:
            print(name, flush=True)
        if follow:
            if not as_json:
                _follow(cluster, name)
            _require_success(cluster.wait(name))


@answers(renting.ClusterJobs)
def jobs(
    order: OrderArgument,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """All jobs of an order's cluster, the newest first."""
    with _cluster("jobs", order, chain, keypair) as cluster, cluster.jobs() as head:
        found = head.list()
    from keeper.terminal import renting as tables  # noqa: PLC0415 - as above

    if as_json:
        write({"order": order, "jobs": [tables.job_as_json(each) for each in found]})
    else:
        show(tables.jobs(address(order), found))


@answers(renting.JobLogs)
def logs(
    order: OrderArgument,
    job: JobArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the job is over")] = False,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a job has printed; with --follow also what it prints until it is over, and then how it ended."""
    with _cluster("logs", order, chain, keypair) as cluster:
        if follow and not as_json:
            _follow(cluster, job)
        found = cluster.wait(job) if follow else cluster.job(job)
        if as_json:
            write({"order": order, "job": job, "state": str(found.status), "logs": cluster.logs(job)})
        elif not follow:
            _print(cluster.logs(job))
        if follow:
            _require_success(found)


@answers(renting.JobStopped)
def stop(
    order: OrderArgument,
    job: JobArgument,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a job: its processes are told to, and killed if they don't."""
    with _cluster("stop", order, chain, keypair) as cluster, cluster.jobs() as head:
        stopped = head.stop(job)
    if as_json:
        write({"order": order, "job": job, "stopped": stopped})
    else:
        console.print(f"{job} is told to end" if stopped else f"{job} doesn't run", markup=False)


@answers(renting.FilesMoved)
def put(
    order: OrderArgument,
    source: Annotated[Path, typer.Argument(help="a file or a folder here")],
    to: Annotated[str, typer.Argument(help="a folder of the node's /data, which is made")] = ".",
    node: NodeOption = HEAD,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a file or a folder to a node's /data, where it is until the lease ends; links aren't sent.

    Example: ionet cluster put ORDER data.csv
    """
    with _cluster("put", order, chain, keypair) as cluster:
        _say_moved(order, cluster.put(source, to, node), as_json)


@answers(renting.FilesMoved)
def get(
    order: OrderArgument,
    source: Annotated[str, typer.Argument(help="a file or a folder of the node's /data")],
    to: Annotated[Path, typer.Argument(help="a folder here, in which it gets its own name")] = Path(),
    node: NodeOption = HEAD,
    most: Annotated[int, typer.Option(min=1, help="GiB that are taken at most")] = 64,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a file or a folder of a node's /data; nothing is written but below its name.

    Example: ionet cluster get ORDER results .
    """
    if not to.is_dir():
        raise UserError(f"{to} is no folder: make it first")
    with _cluster("get", order, chain, keypair) as cluster:
        _say_moved(order, cluster.get(source, to, node, most << 30), as_json)


def shell(
    order: OrderArgument,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="behind --, a command in place of a shell", show_default="a shell"),
    ] = None,
    node: NodeOption = HEAD,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
) -> None:
    """Work in a shell on a node, in this terminal; it ends with the connection.

    Example: ionet cluster shell ORDER -- nproc
    """
    with _cluster("shell", order, chain, keypair) as cluster:
        code = cluster.shell(shlex.join(command or ()), node)
    raise typer.Exit(code if code >= 0 else 128 - code)


@answers(renting.ClusterFigures)
def metrics(
    order: OrderArgument,
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each node's machine uses, and the store of objects; asked of the nodes themselves."""
    with _cluster("metrics", order, chain, keypair) as cluster:
        found = cluster.figures()
    from keeper.terminal import renting as tables  # noqa: PLC0415 - as above

    if as_json:
        rows = [tables.figures_as_json(address, each) for address, each in found.items()]
        write({"order": order, "nodes": rows})
    else:
        show(tables.figures(address(order), found))


def jobs_running(order: Pubkey) -> int | None:
    """How many jobs run on a cluster; None where nothing here is connected to it."""
    try:
        from keeper.renter import Cluster, HeadError, NotConnected  # noqa: PLC0415 - as above
        from keeper.renter.place import Place  # noqa: PLC0415
    except ModuleNotFoundError:
        return None
    try:
        with Cluster(Place(order)).jobs() as head:
            return sum(not each.status.is_over for each in head.list())
    except (HeadError, NotConnected):
        return None


def add_to(app: typer.Typer) -> None:
    """Make them commands of ``ionet cluster``."""
    for each in (connect, submit, jobs, logs, stop, put, get, shell, metrics):
        app.command()(each)
    app.command("end-when-idle")(end_when_idle)


# -- inside --------------------------------------------------------------------------------------


@contextmanager
def _cluster(name: str, order: str, chain: str | None, keypair: Path | None) -> Iterator[Cluster]:
    """The cluster by the connection that there is, or by one for this command."""
    with needs("compute", f"ionet cluster {name}"):
        from keeper.renter import connect as connected  # noqa: PLC0415 - as above
    at: Pubkey = address(order)
    with connected(at, options.settings(chain, keypair), tell=_tell) as cluster:
        yield cluster


def _say_moved(order: str, found: Moved, as_json: bool) -> None:
    if as_json:
        write({"order": order, "files": found.files, "bytes": found.bytes})
    else:
        console.print(f"{found.files:,} files, {found.bytes:,} bytes", markup=False, highlight=False)


def _tell(status: Status) -> None:
    line = "connected" if status.connected else f"{status.state}: {status.why}"
    errors.print(line, soft_wrap=True, markup=False, highlight=False)
    if status.away:
        errors.print(f"away: {status.away}", soft_wrap=True, markup=False, highlight=False)


def _follow(cluster: Cluster, job: str) -> None:
    with cluster.jobs() as head:
        for piece in head.follow(job):
            _print(piece)


def _print(text: str) -> None:
    from keeper.terminal.renting import on_terminal  # noqa: PLC0415 - as above

    sys.stdout.write(on_terminal(text) if os.isatty(1) else text)
    sys.stdout.flush()


def _require_success(found: Job) -> None:
    from keeper.renter import State  # noqa: PLC0415 - as above
    from keeper.renter.jobs import printable  # noqa: PLC0415

    if found.status is not State.SUCCEEDED:
        raise JobNotSucceeded(f"{found.name} is {found.status}: {printable(found.message or 'no reason')}")


def _ports(text: str) -> tuple[int, int]:
    here, _, there = text.partition(":")
    numbers = [int(each) for each in (here, there) if each.isascii() and each.isdigit() and len(each) < 6]  # noqa: PLR2004 - 65535
    if len(numbers) != 2 or not all(0 < each < PORTS for each in numbers):  # noqa: PLR2004
        raise UserError(f"{text!r} names no ports: write --port HERE:THERE, such as 9000:9000")
    return numbers[1], numbers[0]


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UserError(f"{text!r} is no variable: write --env NAME=VALUE")
    return name, value
