"""Published folders over HTTP, from real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from keeper.api.app import application


@contextmanager
def serving(folder: Path, market: Path | None = None) -> Iterator[str]:
    """Serve what is published in a folder meanwhile; gives the URL."""
    server = uvicorn.Server(uvicorn.Config(application(folder, market), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
