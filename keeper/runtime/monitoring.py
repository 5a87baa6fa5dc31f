"""What monitoring asks a keeper: ``/health``, ``/ready`` and ``/metrics``.

``/health`` is 200 while the keeper looks around: one that doesn't needs a restart. ``/ready`` is 200
while it does its work and 503 with the reasons otherwise: a restart won't help, somebody has to look.
``/metrics`` is for Prometheus. What the last two tell is as of FRESH_SECONDS ago at most: where the keeper's
last look is older, it looks before it answers, which takes LOOK_SECONDS at most, once for all who ask.
Nothing here changes anything, and nothing is secret; there is no access control either.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keeper.chain.errors import AnotherChain
from keeper.runtime.keeper import Keeper
from keeper.runtime.listen import listen
from keeper.runtime.readiness import is_alive, report

UNAVAILABLE = 503
FRESH_SECONDS = 2.0
"""A look that is no older will do."""


def application(keeper: Keeper, every: float) -> Starlette:
    """Answer for a keeper that looks around every ``every`` seconds."""

    async def health(request: Request) -> Response:
        alive = is_alive(keeper, every)
        return JSONResponse({"alive": alive}, 200 if alive else UNAVAILABLE)

    async def fresh() -> None:
        # Of a chain's file that is another's by now the keeper's loop makes an end.
        with suppress(AnotherChain):
            await keeper.look_if_older(FRESH_SECONDS)

    async def ready(request: Request) -> Response:
        await fresh()
        found = report(keeper)
        return JSONResponse(found, 200 if found["ready"] else UNAVAILABLE)

    async def metrics(request: Request) -> Response:
        await fresh()
        return Response(keeper.metrics.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    return Starlette(routes=[Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the keeper."""
        yield


@asynccontextmanager
async def served(app: Starlette, host: str, port: int) -> AsyncIterator[int]:
    """Serve ``app`` meanwhile, beside whatever else the loop runs; yields the port (0 asks for any).

    Raises ListenRefused.
    """
    listener = listen(host, port, "set IONET_HTTP to another address, or to off")
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
        listener.close()
