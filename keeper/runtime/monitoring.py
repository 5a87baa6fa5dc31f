"""What monitoring asks a keeper: ``/health``, ``/ready`` and ``/metrics``.

``/health`` is 200 while the keeper looks around: one that doesn't needs a restart. ``/ready`` is 200
while it does its work and 503 with the reasons otherwise: a restart won't help, somebody has to look.
``/metrics`` is for Prometheus. What the last two tell is as of FRESH_SECONDS ago at most: where the keeper's
last look is older, it looks before it answers, which takes LOOK_SECONDS at most, once for all who ask.
Nothing here changes anything, and nothing is secret; there is no access control either.
"""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keeper.chain.errors import AnotherChain
from keeper.runtime.keeper import Keeper
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
