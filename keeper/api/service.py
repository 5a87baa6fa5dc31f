"""The read-only API: ``/api/v1``, its description at ``/api/openapi.json``.

It reads the keeper's index and the folders that are published, holds no key, and asks no node.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from keeper.api import app as files
from keeper.api import problems
from keeper.api.headers import Headed
from keeper.api.index import Index
from keeper.api.limits import Limited, Limits
from keeper.api.routes import actions as acts
from keeper.api.routes import (
    activity,
    audit,
    blocks,
    buyback,
    classes,
    days,
    devices,
    found,
    market,
    network,
    offers,
    orders,
    seasons,
    slashes,
    wallets,
)
from keeper.api.stream import Stream
from keeper.db import Database

PREFIX = "/api/v1"
ROUTERS = tuple(
    each.router
    for each in (
        *(network, days, audit, seasons, classes, market, devices, offers, slashes, blocks, wallets),
        *(orders, buyback, activity, found),
    )
)


def application(
    database: Database,
    clock: Callable[[], float] = time.time,
    *,
    rewards: Path | None = None,
    market: Path | None = None,
    actions: str | None = None,
    lag_slots: int | None = None,
) -> FastAPI:
    """The API on a database, a :class:`keeper.db.visitors.Visitors`, which is closed with it.

    What is published in the folders ``rewards`` and ``market`` (:mod:`keeper.api.app`) is served with it.
    ``actions`` is the site's public URL, without a slash at its end: with it there are Solana Actions.
    An index that is behind by more than ``lag_slots`` isn't answered from.
    """

    @asynccontextmanager
    async def closing(app: FastAPI) -> AsyncIterator[None]:
        yield
        await database.close()

    app = FastAPI(
        title="The network's figures",
        version=version("ionet"),
        description=__doc__,
        openapi_url="/api/openapi.json",
        # Their pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=closing,
        responses=problems.RESPONSES,
    )
    app.state.index = Index(database, clock, lag_slots)
    app.state.stream = Stream(app.state.index)
    app.state.rewards = rewards
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    if actions is not None:
        app.state.actions = actions
        app.include_router(acts.router)
    if rewards is not None:
        app.router.routes.extend(files.application(rewards, market).routes)
    return app


def guarded(
    app: FastAPI, limits: Limits | None = None, refusal: problems.Refusal = problems.problem
) -> ASGIApp:
    """The API behind its limits, for pages of any origin; ``refusal`` tells people what is above them."""
    chosen = limits or Limits()
    limited = Limited(app, chosen, refusal=refusal)
    # Outside, so that a page may read why it is refused.
    asked_by_pages = CORSMiddleware(
        limited,
        allow_origins=["*"],
        allow_methods=["GET"],
        expose_headers=["etag", "link", "retry-after", "x-ionet-slot"],
    )

    async def whole(scope: Scope, receive: Receive, send: Send) -> None:
        # Actions take more than GET, and say so themselves.
        is_action = scope["type"] == "http" and scope["path"].startswith(problems.ACTIONS)
        await (limited if is_action else asked_by_pages)(scope, receive, send)

    return Headed(whole, chosen.trusted)
