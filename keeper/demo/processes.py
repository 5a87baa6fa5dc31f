"""Worker processes of the demo: each holds some machines' keys and speaks to operators over HTTP alone."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2 as httpx

from keeper.clients import staking
from keeper.demo.checks import DemoFailed
from keeper.demo.crew import Crew, Line, Told
from keeper.demo.fleet import Machine
from keeper.demo.quiet import quiet_log
from keeper.operator.quiet import one_thread
from keeper.worker.sources import Operators

END_SECONDS = 10.0
"""Until a process that was told to end is ended."""
READY = "ready"


@dataclass(frozen=True, slots=True)
class Post:
    """What a process needs to know."""

    machines: Sequence[Machine]
    urls: Sequence[str]
    folder: Path
    genesis: bytes


def work(post: Post, pipe: connection.Connection) -> None:
    """A worker process: runs until its pipe is closed; tells of what ends it otherwise."""
    # Whoever started it ends it: an interrupt at the terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(_work(post, pipe))
    except Exception:  # Whatever it is, a process of its own can only tell.
        pipe.send(traceback.format_exc())


async def _work(post: Post, pipe: connection.Connection) -> None:
    log, stop = quiet_log(), asyncio.Event()
    async with httpx.AsyncClient(verify=False) as http:
        machines = {each.address: each for each in post.machines}
        lines = [Line(url, http, machines) for url in post.urls]
        source = Operators(lines, post.genesis, bytes(staking.PROGRAM.address), log)
        crew = Crew(post.machines, lines, [source], post.folder, post.genesis, log)

        begun = asyncio.Event()

        async def be(told: Told) -> None:
            crew.now = told.now
            begun.set()
            await crew.be(told)
            pipe.send(READY)

        def hear() -> None:
            try:
                tasks.append(asyncio.create_task(be(pipe.recv())))
            except EOFError:
                begun.set()
                stop.set()

        tasks: list[asyncio.Task[None]] = []

        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.fileno(), hear)
        try:
            # Before, it doesn't know what time it is, and operators speak of this day already.
            await begun.wait()
            await crew.agent.run(stop)
        finally:
            loop.remove_reader(pipe.fileno())
            crew.store.close()


class Processes:
    """All of them, and a pipe to each."""

    def __init__(self) -> None:
        """None is started."""
        self._running: list[tuple[BaseProcess, connection.Connection]] = []

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)

    def start(self, posts: Sequence[Post]) -> None:
        """Start a process for each."""
        context = _context()
        one_thread()
        for post in posts:
            mine, its = context.Pipe()
            process = context.Process(target=work, args=(post, its), daemon=True)  # type: ignore[attr-defined]
            process.start()
            its.close()
            self._running.append((process, mine))

    async def be(self, told: Told) -> None:
        """Have all take it from there, and wait until they have. Raises DemoFailed."""
        for _, pipe in self._running:
            pipe.send(told)
        for _, pipe in self._running:
            while not pipe.poll():
                await asyncio.sleep(0.005)
                self.check(told=False)
            self._read(pipe)

    def check(self, *, told: bool = True) -> None:
        """Raise DemoFailed with what a process says that ended."""
        for process, pipe in self._running:
            if told and pipe.poll():
                self._read(pipe)
            if process.exitcode is not None and not pipe.poll():
                raise DemoFailed(f"a worker process ended by itself, with status {process.exitcode}")

    def end(self) -> None:
        """Let them end; whoever doesn't is ended."""
        for _, pipe in self._running:
            pipe.close()
        for process, _ in self._running:
            process.join(END_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        self._running.clear()

    def _read(self, pipe: connection.Connection) -> None:
        try:
            said = pipe.recv()
        except EOFError:
            raise DemoFailed("a worker process ended by itself") from None
        if said != READY:
            raise DemoFailed(f"a worker process ended:\n{said}")


@contextmanager
def processes() -> Iterator[Processes]:
    """Processes that end with this block, however it ends."""
    found = Processes()
    try:
        yield found
    finally:
        found.end()


def _context() -> BaseContext:
    """Forked from a server that has imported all that they need, where there is such a thing."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context: Any = get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__])
    found: BaseContext = context
    return found
