"""``ionet api``: the network's figures over HTTP, read only."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from keeper.api.service import application, guarded
from keeper.chain.rpc import websocket_url
from keeper.cli import options
from keeper.db.visitors import Visitors
from keeper.errors import UserError
from keeper.patience import Patient
from keeper.runtime.listen import listen
from keeper.settings import PORTS, Settings
from keeper.settings.explorer import Explorer
from keeper.terminal.tables import console
from keeper.web import app as pages

CONNECTIONS = 512
"""Open at a time; what is above is told to come again."""

GRACE = 3
"""Seconds that answers under way have at the end."""

app = typer.Typer(help="The network's figures over HTTP, read only.", no_args_is_help=True)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=PORTS - 1, help="port to listen on")] = 8080,
) -> None:
    """Serve the index of IONET_DATABASE as pages and an API, with what is in IONET_REWARDS and IONET_MARKET.

    It writes nothing, asks no node and holds no key. What it can be asked is in /api/openapi.json.
    """
    chosen = options.settings()
    database = Visitors(chosen.database)
    _require(database)
    listener = listen(host, port, "--host and --port name another place")
    place = f"http://{host}:{listener.getsockname()[1]}"
    console.print(f"{place}/api/v1/network", soft_wrap=True)
    console.print(f"{place}/ has pages for people", soft_wrap=True)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(serving(chosen, database)).run(sockets=[listener])


def serving(chosen: Settings, database: Visitors) -> uvicorn.Config:
    """Pages and the API on a database, by these settings."""
    rewards = chosen.rewards if chosen.rewards.is_dir() else None
    market = chosen.market if chosen.market and chosen.market.is_dir() else None
    actions = None if chosen.actions is None else str(chosen.actions).rstrip("/")
    service = application(
        database, rewards=rewards, market=market, actions=actions, lag_slots=chosen.lag_slots
    )
    explorer = None if chosen.web_explorer is None else Explorer(chosen.web_explorer)
    pages.install(service, node_of(chosen), explorer)
    return uvicorn.Config(
        guarded(service, refusal=pages.refusal_of(service, node_of(chosen))),
        http=Patient,
        # Who asks is found out by the limits.
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        limit_concurrency=CONNECTIONS,
        server_header=False,
        # Who listens to /stream never ends by itself.
        timeout_graceful_shutdown=GRACE,
    )


def node_of(chosen: Settings) -> tuple[str, str] | None:
    """Where browsers ask a node, and hear from it; None where pages only show."""
    if chosen.web_node is None:
        return None
    url = str(chosen.web_node)
    return url, str(chosen.web_notices or websocket_url(url))


def _require(database: Visitors) -> None:
    """Refuse a database with nothing in it. Raises UserError."""

    async def exists() -> bool:
        try:
            return await database.exists()
        finally:
            await database.close()

    if not asyncio.run(exists()):
        raise UserError(
            f"{database.name}, which IONET_DATABASE names, has no index: ionet keeper run, or ionet index, "
            "fills it"
        )
