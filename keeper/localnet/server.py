"""The node over HTTP and websocket, on one port and on the next, where clients look for notices."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from keeper.localnet.node import Node
from keeper.localnet.ring import TICK_SECONDS
from keeper.localnet.rpc import respond
from keeper.localnet.sockets import Sockets
from keeper.patience import Patient, PatientSocket

MAX_BODY = 128 * 1024
"""Bytes of a question, or of a batch of them."""
MAX_CONNECTIONS = 1_000
"""More are told to come back later."""
BODY_SECONDS = 30.0
"""For a question to arrive."""
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "POST, GET, OPTIONS",
    "access-control-max-age": "86400",
}


def application(node: Node, sockets: Sockets) -> Starlette:
    """What is served; questions are answered one after the other, as the chain executes them."""

    async def question(request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight(request)
        if not request.headers.get("content-type", "").startswith("application/json"):
            text = "Supplied content type is not allowed. Content-Type: application/json is required"
            return PlainTextResponse(text, 415, CORS)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("the question didn't arrive", 408, _CLOSE)
        if body is None:
            return PlainTextResponse(f"a question has at most {MAX_BODY} bytes", 413, _CLOSE)
        return Response(await respond(node, body), media_type="application/json", headers=CORS)

    async def about(request: Request) -> Response:
        return PlainTextResponse(
            "A Solana network of one's own: POST JSON-RPC here, or open a websocket.\n", headers=CORS
        )

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok", headers=CORS)

    return Starlette(
        routes=[
            Route("/", question, methods=["POST", "OPTIONS"]),
            Route("/", about, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            WebSocketRoute("/", sockets.serve),
        ]
    )


@asynccontextmanager
async def served(node: Node, listeners: list[socket.socket]) -> AsyncIterator[None]:
    """Serve meanwhile, on sockets that listen, and let the chain's time pass."""
    sockets = Sockets(node)
    config = uvicorn.Config(
        application(node, sockets),
        http=_Patient,
        ws=PatientSocket,
        ws_max_size=MAX_BODY,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=listeners))
    ticking = asyncio.create_task(_tick(node, sockets))
    try:
        yield
    finally:
        ticking.cancel()
        await sockets.close()
        server.should_exit = True
        await running


class _Patient(Patient):
    # Longer than for a question to arrive, which is answered.
    seconds = BODY_SECONDS + 10


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this."""
        yield


_CLOSE = CORS | {"connection": "close"}


async def _tick(node: Node, sockets: Sockets) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        node.chain.tick()
        sockets.slot()


async def _body(request: Request) -> bytes | None:
    """The whole body; None as soon as it is known to be too long."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _preflight(request: Request) -> Response:
    """What a browser asks before it asks: clients send headers of their own, such as solana-client."""
    headers = dict(CORS)
    headers["access-control-allow-headers"] = request.headers.get(
        "access-control-request-headers", "content-type, solana-client"
    )
    if request.headers.get("access-control-request-private-network") == "true":
        headers["access-control-allow-private-network"] = "true"
    return Response(status_code=204, headers=headers)
