"""Sites that are served on a thread of their own while a browser looks at them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from keeper.api.limits import Limits
from keeper.budgets import Rate
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node
from keeper.localnet.server import served
from keeper.runtime.listen import listen

LIMITS = Limits(questions=Rate(10_000, 1_000), proofs=Rate(10_000, 1_000))
"""However slow the machine is: what takes long counts as more questions."""
LOCAL = "127.0.0.1"
Found = TypeVar("Found")


@contextmanager
def running(start: Callable[[AsyncExitStack], Awaitable[Found]]) -> Iterator[Found]:
    """What ``start`` began, and left to the stack, until the end."""
    begun: list[Found] = []
    ready, over, loop = threading.Event(), asyncio.Event(), asyncio.new_event_loop()

    async def run() -> None:
        try:
            async with AsyncExitStack() as stack:
                begun.append(await start(stack))
                ready.set()
                await over.wait()
        finally:
            ready.set()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    try:
        ready.wait()
        yield begun[0]
    finally:
        if begun:
            loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@asynccontextmanager
async def node(saved: Path) -> AsyncIterator[str]:
    """A node before a saved chain, whose clock stands still; gives its URL."""
    chain = LocalChain.load(saved)
    chain.set_speed(0)
    listener = listen(LOCAL, 0, "")
    async with served(Node(chain), [listener]):
        yield f"http://{LOCAL}:{listener.getsockname()[1]}"
