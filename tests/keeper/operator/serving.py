"""An operator's service over real sockets, beside a test that moves its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from keeper.operator.clusters.office import Office
from keeper.operator.operator import Operator
from keeper.operator.running import served
from keeper.runtime.listen import listen


@asynccontextmanager
async def serving(operator: Operator, office: Office | None = None) -> AsyncIterator[tuple[str, int]]:
    """Serve it; gives its URL and its port."""
    listener = listen("127.0.0.1", 0, "")
    port = listener.getsockname()[1]
    async with served(operator, listener, office):
        yield f"http://127.0.0.1:{port}", port
