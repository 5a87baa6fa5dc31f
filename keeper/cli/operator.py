"""``ionet operator``: the challenge service of an operator; its votes are in :mod:`keeper.cli.votes`,
matches and postings in :mod:`keeper.cli.by_hand`."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop

from keeper.chain.connect import connect
from keeper.chain.http import http_client
from keeper.cli import by_hand, votes
from keeper.cli.options import ChainOption, KeypairOption, settings
from keeper.clients import orders
from keeper.compute.client import Board
from keeper.compute.wire import Network as Compute
from keeper.errors import UserError
from keeper.jobs.port import Direct
from keeper.operator import running
from keeper.operator.clusters.knocking import Knocking
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.relaying import Relaying
from keeper.operator.descriptors import require_descriptors
from keeper.operator.limits import Limits
from keeper.operator.metrics import Metrics, application
from keeper.operator.operator import Operator
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.pow.verification import Cluster, Processes, Verifier
from keeper.rewards.peers import Peers
from keeper.runtime import logs
from keeper.runtime.listen import listen
from keeper.runtime.serving import served
from keeper.settings import Settings

MBIT = 125_000
"""Bytes."""

app = typer.Typer(
    help="An operator's challenge service; its votes, matches and postings by hand.", no_args_is_help=True
)
app.add_typer(votes.app)
app.add_typer(by_hand.app)


@app.command()
def serve(
    chain: ChainOption = None,
    keypair: KeypairOption = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help="verify on this Ray cluster", show_default="a process a core"
        ),
    ] = None,
) -> None:
    """Take devices' commits, openings and answers to pings; seal, post, exchange and verify them.

    Needs an operator's key: it signs receipts and posts hashes. Where it listens is IONET_POW_HTTP, what it
    keeps is in IONET_POW, whom it exchanges files with in IONET_PEERS. After SIGTERM the next start goes on.
    """
    chosen = settings(chain, keypair)
    if chosen.pow is None:
        raise UserError("where proofs of work are kept is not set: IONET_POW names the folder")
    logs.configure(chosen.log)
    # Before there is a loop: it starts threads of its own, and says at once when there is no cluster.
    verifier: Verifier = Cluster(ray) if ray else Processes()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(chosen, chosen.pow, verifier))
    finally:
        verifier.close()


async def _serve(chosen: Settings, folder: Path, verifier: Verifier) -> None:
    signer, log = chosen.signer(), structlog.get_logger()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with connect(chosen.chain, live=True) as chain:
        network = await running.network_of(chain)
        await running.require_operator(chain, signer.pubkey())
        require_descriptors(chosen.pow_connections)
        host, port = chosen.pow_listen
        listener = listen(host, port, "set IONET_POW_HTTP to another address")
        metrics = Metrics()
        peers = Peers(
            [str(each) for each in chosen.peers],
            lambda peer, reason: log.warning("pow.peer_failed", peer=peer, reason=reason),
            asked=metrics.asked,
        )
        profiles = read_profiles_by_hour(chosen.profiles)
        service = Operator(
            Direct(chain, signer, log, chosen.fees),
            signer,
            network,
            profiles,
            folder,
            verifier,
            peers,
            limits=Limits(connections=chosen.pow_connections),
            carries=chosen.pow_line * MBIT,
            metrics=metrics,
        )
        compute = Compute(network.genesis, orders.PROGRAM.address)
        office = Office(chain, compute, signer, folder, log, metrics)
        try:
            async with http_client() as http, AsyncExitStack() as stack:
                boards = [Board(str(each), compute, http) for each in chosen.peers]
                office.knocking = Knocking(boards, signer, log)
                office.prober.waves = service.stills
                if chosen.relay_listen:
                    rate = chosen.relay_rate * MBIT
                    office.links = Relaying(*chosen.relay_listen, compute, rate, log, metrics)
                    await stack.enter_async_context(office.links.running())
                if chosen.pow_figures:
                    app = application(service.figures)
                    port = await stack.enter_async_context(
                        served(app, *chosen.pow_figures, "IONET_POW_METRICS")
                    )
                    log.info("pow.figures", host=chosen.pow_figures[0], port=port)
                await stack.enter_async_context(running.served(service, listener, office))
                log.info(
                    "pow.serving",
                    operator=str(signer.pubkey()),
                    host=host,
                    port=listener.getsockname()[1],
                    folder=str(folder),
                    profiles=profiles.hash.hex(),
                    peers=len(chosen.peers),
                )
                await running.run(service, stop, office)
        finally:
            service.close()
            office.close()
            await peers.close()
            log.info("pow.stopped")
