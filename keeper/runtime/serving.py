"""A small server beside whatever else the loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from keeper.runtime.listen import listen


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this."""
        yield


@asynccontextmanager
async def served(app: ASGIApp, host: str, port: int, setting: str) -> AsyncIterator[int]:
    """Serve ``app`` meanwhile, beside whatever else the loop runs; yields the port (0 asks for any).

    Raises ListenRefused, which names the ``setting``.
    """
    listener = listen(host, port, f"set {setting} to another address, or to off")
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
