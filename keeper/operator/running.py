"""A service that runs: HTTP, and the operator's parts beside each other until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette

from keeper.chain import ChainReader
from keeper.chain.connect import refresh
from keeper.clients import staking, tokenomics
from keeper.compute.liveness import GRID_SECONDS
from keeper.economy.calendar import month_start
from keeper.errors import UserError
from keeper.operator.clusters.office import Office
from keeper.operator.connections import bounded
from keeper.operator.operator import Operator
from keeper.operator.service import application
from keeper.pow.clock import Network
from keeper.rewards import work

WATCH_SECONDS, WORK_SECONDS, VERIFY_SECONDS, EXCHANGE_SECONDS = 0.4, 0.5, 1.0, 10.0
"""How often each part looks; a wave's time is as exact as the first of these, for everybody alike."""
ORDERS_SECONDS = 5.0
"""How often it is looked who is in which order: so long a member may have to wait until it is known."""
KEEP_ALIVE_SECONDS = 30
BACKLOG = 4_096
"""Connections that wait to be accepted: all workers come at once."""


class NotAnOperator(UserError):
    """The key is no operator of this network, or there is none."""


async def network_of(chain: ChainReader) -> Network:
    """The network on a chain; raises NotAnOperator where there is none."""
    economy = await tokenomics.read_config(chain)
    if economy is None or not economy.launched:
        raise NotAnOperator("no network is launched on this chain: --chain (or IONET_CHAIN) names another")
    return await work.network_of(chain, month_start(economy.start_month))


async def require_operator(chain: ChainReader, key: object) -> None:
    """Raise NotAnOperator for a key that may not post."""
    config = await staking.read_config(chain)
    if config is None or key not in config.params.operators:
        raise NotAnOperator(f"{key} is no operator of this network: what it posts is refused")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        """Leave signals to whoever runs this."""
        yield


@asynccontextmanager
async def served(operator: Operator, listener: Any, office: Office | None = None) -> AsyncIterator[None]:
    """Serve an operator's HTTP side on a socket that listens; with an ``office``, clusters' board, too."""
    app: Starlette = application(operator, await operator.desk.chain.genesis_hash(), office)
    gate = operator.desk.intake.gate
    config = uvicorn.Config(
        app,
        http=bounded(gate),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        forwarded_allow_ips=sorted(gate.limits.trusted),
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        operator.desk.news.close()
        if office is not None:
            office.release()
        server.should_exit = True
        await running


async def run(operator: Operator, stop: asyncio.Event, office: Office | None = None) -> None:
    """Run the operator's parts until ``stop``. Raises StoreUnusable, BookUnusable."""

    async def watch() -> None:
        refresh(operator.desk.chain)
        await operator.watch()

    parts: list[tuple[float, Callable[[], Awaitable[Any]]]] = [
        (WATCH_SECONDS, watch),
        (WORK_SECONDS, operator.work),
        (VERIFY_SECONDS, operator.collecting.verify),
        (EXCHANGE_SECONDS, operator.collecting.exchange),
    ]
    if office is not None:
        parts += [(ORDERS_SECONDS, office.refresh), (ORDERS_SECONDS, office.tidy)]
        parts.append((GRID_SECONDS, office.knock))
    async with asyncio.TaskGroup() as group:
        for seconds, part in parts:
            group.create_task(_again(seconds, part, stop))


async def _again(seconds: float, part: Callable[[], Awaitable[Any]], stop: asyncio.Event) -> None:
    while not stop.is_set():
        await part()
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue
