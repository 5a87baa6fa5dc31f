"""``ionet cluster demo``, whole: operators, two agents with Ray in sandboxes, five jobs, the money."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Any, ClassVar

import httpx2 as httpx
import psutil

from keeper.cli import cluster_stage
from keeper.cli.cluster_stage import JOBS, PICTURE, Result, Stage, Starts, shown
from keeper.compute import runtime
from keeper.demo import beginning
from keeper.renter import Cluster
from tests.keeper.cli.test_renting import example
from tests.keeper.compute import sandboxing
from tests.keeper.compute.sandboxing import USER
from tests.keeper.compute.test_cluster import installed
from tests.keeper.renter.wheels import numpy_wheel

__all__ = ["installed"]


def runs(cluster: Cluster) -> bool:
    """Whether a job isn't over."""
    with cluster.jobs() as jobs:
        return not all(each.status.is_over for each in jobs.list())


class Killing(Stage):
    """Its operators are ended by kill -9 beside the lease, each in the middle of a job: one is there."""

    KILLED: ClassVar = {2: ("operator-1", ""), 4: ("operator-2", "operator-1")}
    """Whom before which job is over, and who is started again before."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.children: dict[str, tuple[Process, Mapping[str, str]]] = {}
        self.done = 0

    @asynccontextmanager
    async def _process(
        self, name: str, environment: Mapping[str, str], starts: Starts
    ) -> AsyncIterator[Process]:
        async with super()._process(name, environment, starts) as child:
            self.children[name] = child, environment
            yield child

    async def _job(self, cluster: Cluster, name: str, arguments: Sequence[str]) -> str:
        self.done += 1
        out, back = self.KILLED.get(self.done, ("", ""))
        if back:
            await self._start(back)
        job = asyncio.create_task(super()._job(cluster, name, arguments))
        if out:
            while not await asyncio.to_thread(runs, cluster):
                assert not job.done(), job
            await self._kill(out)
        return await job

    async def _kill(self, name: str) -> None:
        child, _ = self.children[name]
        below = psutil.Process(child.pid).children(recursive=True)
        assert below, "its relay"
        child.kill()
        await child.wait()
        await asyncio.to_thread(psutil.wait_procs, below)

    async def _start(self, name: str) -> None:
        _, environment = self.children[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.children[name] = await cluster_stage._operator(name, environment, log), environment
        board = f"http://{environment['IONET_POW_HTTP']}/compute/board"
        async with httpx.AsyncClient(trust_env=False) as http:
            while True:
                with suppress(httpx.HTTPError):
                    (await http.get(board)).raise_for_status()
                    return
                await asyncio.sleep(0.1)

    async def end(self) -> None:
        """End whom :meth:`_start` started."""
        for child, _ in self.children.values():
            if child.returncode is None:
                child.terminate()
                await child.wait()


def test_an_order_of_the_demos_is_really_served(
    installed: runtime.Runtime, tmp_path: Path, monkeypatch
) -> None:
    """On a network at its beginning, with the same people; agents as tests have them, so as root, too.

    That operators are killed meanwhile costs nobody anything.
    """
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setenv("HOME", str(tmp_path))
    chain, keys = tmp_path / "early.chain", tmp_path / "keys"
    asyncio.run(beginning.begin(chain))
    beginning.write_keys(keys)
    before, told = chain.read_bytes(), []
    with ExitStack() as stack:
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ionet-test-")))
        if USER:
            os.chown(files, USER, USER)

        async def agent(name: str, given: Mapping[str, str], log: IO[Any]) -> Process:
            command = ["-m", "tests.keeper.compute.agent_child", given["IONET_PROFILES"], str(files / name)]
            # As root a sandbox is made by a real fork, at which OpenBLAS ends its threads: a product that
            # another thread is in would wait for them for ever. It has none but its own here.
            own = {"IONET_RUNTIMES": str(installed.folder.parent), "OPENBLAS_NUM_THREADS": "1"}
            environment = {**given, **own}
            return await asyncio.create_subprocess_exec(
                sys.executable, *command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

        stage = Killing(chain, keys, tmp_path / "cluster", numpy_wheel(), told.append, agent)
        stage.folder.mkdir()

        async def run() -> Result:
            try:
                return await stage.run()
            finally:
                await stage.end()

        found = asyncio.run(run())
        assert stage.children["operator-2"][0].returncode == -signal.SIGKILL
        assert not [each for folder in files.iterdir() for each in folder.iterdir()]
    assert chain.read_bytes() == before
    # Jobs: what they print is what the same functions come to here, and the picture is that.
    assert [name for name, _, _ in found.jobs] == [name for name, _, _ in JOBS]
    header, strip = b"P6 320 240 255\n", example("render").strip(320, 240, 0, 240)
    assert (stage.folder / PICTURE).read_bytes() == header + strip
    assert found.jobs[-1][2] == f"PICTURE /data/{PICTURE} {len(header) + len(strip)}"
    assert found.jobs[1][2].startswith("RIGHT ") and found.jobs[3][2].startswith("STEPS ")
    assert len(found.nodes) == 2
    assert not any(sandboxing.alive(address) for _, address in found.nodes)
    # An hour of two devices at 0.3 IO, with fees of a quarter of a percent: the renter's on all four hours.
    assert [(each.whose, each.ruled) for each in found.parts] == [
        ("renter", -60_600_000),
        ("supplier", 59_850_000),
        ("fees", 750_000),
    ]
    jobs, money = shown(found)
    assert jobs.row_count == len(JOBS)
    assert [str(each) for each in money.columns[3].cells] == ["-0.60600000", "+0.59850000", "+0.00750000"]
    assert told[-1] == "hours later the keeper has paid, and closed the order"
