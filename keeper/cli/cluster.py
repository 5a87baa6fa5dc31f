"""``ionet cluster``: what has become of an order's devices, by the chain and by operators' boards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from keeper.chain.connect import connect
from keeper.chain.http import http_client
from keeper.cli import options, renting
from keeper.cli.answering import JsonOption, answers, write
from keeper.cli.cluster_demo import demo
from keeper.cli.options import ChainOption, address
from keeper.cli.orders import OrderArgument
from keeper.clients import staking
from keeper.clients.staking import Config
from keeper.compute.boards import Boards
from keeper.compute.looking import boards_of, look, network_of
from keeper.compute.states import ClusterState
from keeper.compute.verdicts import FAULTS, HASH, Evidence, VerdictError, fetch, held, repeat
from keeper.compute.view import Cluster
from keeper.compute.wire import Network
from keeper.errors import UserError
from keeper.terminal import clusters, tables
from keeper.terminal.answers import leasing
from keeper.terminal.tables import errors

LOOK_SECONDS = 3.0

app = typer.Typer(help="Clusters: what has become of an order's devices.", no_args_is_help=True)
renting.add_to(app)
app.command()(demo)


class NotReadyInTime(UserError):
    """A cluster that wasn't ready while somebody waited."""


@app.command()
@answers(leasing.Cluster)
def status(order: OrderArgument, chain: ChainOption = None, as_json: JsonOption = False) -> None:
    """An order's cluster: its state, why it waits, and each node, by the chain and operators' boards.

    Boards are those of the operators in IONET_OPERATORS; one is enough, and those that are away are named.
    """
    at, settings = address(order), options.settings(chain)

    async def read() -> tuple[Cluster, Boards]:
        async with connect(settings.chain) as connected, boards_of(settings.operators, connected) as boards:
            return (await look(connected, boards, at)).cluster, boards

    found, boards = asyncio.run(read())
    _show(found, boards, as_json)


@app.command()
@answers(leasing.Cluster)
def wait(
    order: OrderArgument,
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="how many seconds, at most")] = 1_800,
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Wait until an order's cluster is ready, saying what it waits for; fails where it can't become so."""
    at, settings = address(order), options.settings(chain)

    async def until_ready() -> tuple[Cluster, Boards]:
        async with connect(settings.chain) as connected, boards_of(settings.operators, connected) as boards:
            if not boards.boards:
                raise UserError("IONET_OPERATORS names no operator: only their boards tell when it is ready")
            ends, told = time.monotonic() + seconds, ""
            while True:
                found = (await look(connected, boards, at)).cluster
                line = f"{found.state}: {found.why}" if found.why else str(found.state)
                if found.state is ClusterState.READY:
                    return found, boards
                if line != told and not as_json:
                    errors.print(line, soft_wrap=True, markup=False)
                told = line
                if found.state is ClusterState.ENDED:
                    raise NotReadyInTime(f"the cluster won't be ready: {found.why}")
                if time.monotonic() + LOOK_SECONDS > ends:
                    raise NotReadyInTime(f"the cluster isn't ready after {seconds} seconds; {line}")
                await asyncio.sleep(LOOK_SECONDS)

    found, boards = asyncio.run(until_ready())
    _show(found, boards, as_json)


@app.command()
@answers(leasing.FaultVerdict)
def verdict(
    evidence: Annotated[
        str,
        typer.Argument(
            help="the verdict's hash, which IONET_PEERS are asked for; or an operator's URL of it, "
            "https://.../rewards/faults/HASH; or a folder faults/HASH",
            metavar="EVIDENCE",
        ),
    ],
    chain: ChainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a fault's verdict anew from what operators signed: whose signatures count is read from the chain.

    Fails unless it is the one that it is named by, which operators have voted under.
    """
    settings = options.settings(chain)
    urls = _urls(evidence, settings.peers)

    async def read() -> tuple[Config, Network, Evidence]:
        async with connect(settings.chain) as connected:
            found = await staking.read_config(connected)
            if found is None:
                raise UserError("staking is not set up on this chain: ionet deploy, then ionet genesis")
            return found, await network_of(connected), await _fetch(urls) if urls else held(Path(evidence))

    config, network, shown = asyncio.run(read())
    about, found = shown.about, repeat(shown, config.params.operators, config.params.threshold, network)
    if as_json:
        write(clusters.verdict_as_json(about, found))
    else:
        tables.show(clusters.verdict(about, found))


def _urls(named: str, peers: Sequence[object]) -> list[str]:
    """Where a verdict may be had: its URL, or that of its hash at each peer; nowhere for a folder."""
    if named.startswith(("http://", "https://")):
        return [named]
    if not HASH.fullmatch(named) or Path(named).is_dir():
        return []
    if not peers:
        raise UserError("IONET_PEERS names no operator that could have it: give its URL, or a folder")
    return [f"{str(each).rstrip('/')}/rewards/{FAULTS}/{named}" for each in peers]


async def _fetch(urls: Sequence[str]) -> Evidence:
    """A verdict's files from the first that has them."""
    failed = []
    async with http_client() as http:
        for each in urls:
            try:
                return await fetch(http, each)
            except VerdictError as error:
                failed.append(str(error))
    raise VerdictError("; ".join(failed))


def _show(found: Cluster, boards: Boards, as_json: bool) -> None:
    jobs = renting.jobs_running(found.order)
    if as_json:
        write(clusters.as_json(found, boards.away, jobs))
        return
    tables.show(clusters.nodes(found))
    lines = [found.why] if found.why else []
    lines += [] if jobs is None else [f"connected; jobs that run: {jobs}"]
    lines += [f"away: {reason}" for reason in boards.away.values()]
    if not boards.boards:
        lines.append("IONET_OPERATORS names no operator: what devices say isn't known")
    for line in lines:
        tables.console.print(line, soft_wrap=True, markup=False)
