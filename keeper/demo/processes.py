"""Worker processes of the demo: each holds some machines' keys, and is told what time it is."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver, get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import uvloop

from keeper.clients import staking
from keeper.demo.checks import DemoFailed
from keeper.demo.crew import Crew, Line, Told
from keeper.demo.fleet import Machine
from keeper.demo.pipes import Asked, Clerk, PipedLine, Wire
from keeper.demo.quiet import quiet_log
from keeper.pow.quiet import one_thread
from keeper.worker.sources import Operators

END_SECONDS = 10.0
"""Until a process that was told to end is ended."""
LOOK_SECONDS = 0.2
"""How often it is looked whether a process that is waited for is there at all."""
GARBAGE = 20_000
"""Objects more than before after which it is looked for such that nobody needs."""
READY = "ready"
PRELOADED = (
    *("__main__", __name__, "keeper.cli.main", "keeper.demo.midlife"),
    *("httpcore2", "anyio._backends._asyncio", "numpy.random", "truststore"),
)
"""What processes are forked with: the others would be loaded late, by each of them.

The command is one of them, as each runs the script again that began it all, which takes it from there.
"""


@dataclass(frozen=True, slots=True)
class Post:
    """What a process needs to know."""

    machines: Sequence[Machine]
    operators: int
    """How many there are."""
    urls: Sequence[str]
    """The operators'; without any it asks them through its pipe."""
    folder: Path
    genesis: bytes


class Heard(NamedTuple):
    """There is something to ask operators for; and what time it is."""

    now: int


def work(post: Post, pipe: connection.Connection) -> None:
    """A worker process: runs until its pipe is closed; tells of what ends it otherwise."""
    # Whoever started it ends it: an interrupt at the terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_all()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(post, pipe))
    except Exception:  # Whatever it is, a process of its own can only tell.
        pipe.send(traceback.format_exc())


async def _work(post: Post, pipe: connection.Connection) -> None:
    log, stop = quiet_log(), asyncio.Event()
    async with httpx.AsyncClient(verify=False) as http:
        machines = {each.address: each for each in post.machines}
        wire = Wire(pipe)
        lines: list[Line] = [Line(url, http, machines) for url in post.urls]
        # Hours pass in seconds here: whoever pauses for a second between two questions holds all of it up.
        sources = [Operators(lines, post.genesis, bytes(staking.PROGRAM.address), log, pause=0)]
        if not lines:
            # Through the pipe it is told when there is something to ask for.
            lines, sources = [PipedLine(wire, number, machines) for number in range(post.operators)], []
        crew = Crew(post.machines, lines, sources, post.folder, post.genesis, log)
        begun = asyncio.Event()

        async def be(told: Told) -> None:
            crew.now = told.now
            begun.set()
            await crew.be(told)
            pipe.send(READY)

        def read() -> None:
            try:
                said = pipe.recv()
            except (EOFError, ConnectionResetError):  # The latter where something was on its way.
                begun.set()
                stop.set()
                return
            if isinstance(said, Told):
                start(be(said))
            elif isinstance(said, Heard):
                start(crew.hear(said.now))
            else:
                wire.hear(said)

        def start(work: Coroutine[Any, Any, None]) -> None:
            task = asyncio.create_task(work)
            tasks.add(task)
            task.add_done_callback(ended)

        def ended(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            if not task.cancelled() and (error := task.exception()):
                pipe.send("".join(traceback.format_exception(error)))

        tasks: set[asyncio.Task[None]] = set()

        _reading(pipe, read)
        try:
            # Before, it doesn't know what time it is, and operators speak of this day already.
            await begun.wait()
            await crew.agent.run(stop)
        finally:
            asyncio.get_running_loop().remove_reader(pipe.fileno())
            crew.store.close()


class _Process:
    """One of them, and this end of its pipe."""

    def __init__(
        self,
        process: BaseProcess,
        pipe: connection.Connection,
        clerk: Clerk | None,
        moved: asyncio.Event,
    ) -> None:
        """It has been started; ``clerk`` answers it where it doesn't use HTTP, and then ``moved`` is set."""
        self.process, self.pipe = process, pipe
        self._moved = moved
        self.failed = ""
        self.ready = asyncio.Event()
        self._clerk = clerk
        self._tasks: set[asyncio.Task[None]] = set()
        _reading(pipe, self._read)

    def close(self) -> None:
        """Have it end."""
        asyncio.get_running_loop().remove_reader(self.pipe.fileno())
        self.pipe.close()

    def _read(self) -> None:
        try:
            said = self.pipe.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self.pipe.fileno())
            self.failed = self.failed or "a worker process ended by itself"
            said = READY  # Nobody waits for it.
            self._moved.set()
        if said == READY:
            self.ready.set()
        elif isinstance(said, str):
            self.failed = f"a worker process ended:\n{said}"
        else:
            task = asyncio.create_task(self._answer(said))
            self._tasks.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.failed = "".join(traceback.format_exception(error))
        self._moved.set()

    async def _answer(self, asked: list[Asked]) -> None:
        assert self._clerk is not None
        answers = await self._clerk.answer(asked)
        if not self.pipe.closed:
            self.pipe.send(answers)


class Processes:
    """All of them, and a pipe to each."""

    def __init__(self) -> None:
        """None is started."""
        self._running: list[_Process] = []
        self._moved = asyncio.Event()

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)

    def start(self, posts: Sequence[Post], clerk: Clerk | None = None) -> None:
        """Start a process for each; ``clerk`` answers those whose posts have no URLs."""
        forking = context()
        one_thread()
        for post in posts:
            mine, its = forking.Pipe()
            process = forking.Process(target=work, args=(post, its), daemon=True)  # type: ignore[attr-defined]
            process.start()
            its.close()
            self._running.append(_Process(process, mine, clerk, self._moved))

    async def be(self, told: Told) -> None:
        """Have all take it from there, and wait until they have. Raises DemoFailed."""
        for each in self._running:
            each.ready.clear()
            each.pipe.send(told)
        for each in self._running:
            while not each.ready.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(each.ready.wait(), LOOK_SECONDS)
                self.check()

    def hear(self, now: int) -> None:
        """Tell all that there is news."""
        for each in self._running:
            each.pipe.send(Heard(now))

    async def moved(self, seconds: float) -> None:
        """Wait until one has been answered through its pipe or has ended, so many seconds at most."""
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), seconds)

    def check(self) -> None:
        """Raise DemoFailed with what a process says that ended."""
        for each in self._running:
            if each.failed:
                raise DemoFailed(each.failed)

    def end(self) -> None:
        """Let them end; whoever doesn't is ended."""
        for each in self._running:
            each.close()
        for each in self._running:
            each.process.join(END_SECONDS)
            if each.process.is_alive():
                each.process.kill()
                each.process.join()
        self._running.clear()


@contextmanager
def processes() -> Iterator[Processes]:
    """Processes that end with this block, however it ends."""
    found = Processes()
    try:
        yield found
    finally:
        found.end()


def keep_all() -> None:
    """Let the garbage collector skip what is there by now, as it stays; nearly all that comes stays, too."""
    gc.freeze()
    gc.set_threshold(GARBAGE)


def import_beside() -> None:
    """Begin to import what processes are forked with, beside what this one does until it needs them."""
    one_thread()
    if context().get_start_method() == "forkserver":
        forkserver.ensure_running()


def _reading(pipe: connection.Connection, read: Callable[[], None]) -> None:
    """Have something called whenever a message comes."""
    asyncio.get_running_loop().add_reader(pipe.fileno(), read)
    # uvloop takes that away, and a message in several pieces would be read in part.
    os.set_blocking(pipe.fileno(), True)


def context() -> BaseContext:
    """Forked from a server that has imported all that they need, where there is such a thing."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context: Any = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    found: BaseContext = context
    return found
