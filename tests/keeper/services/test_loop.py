"""The loop: starts at once, keeps going through failures, ends when told, in the order of its work."""

import asyncio

import structlog
from solana.rpc.async_api import AsyncClient
from structlog.testing import capture_logs

from keeper.chain import EmbeddedChain, RpcChain
from keeper.services import jobs, loop
from tests.programs.world import HOUR, START, World

LOG = structlog.get_logger()


async def until(condition, seconds=10.0):
    """Wait for something that the loop does on its own."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the loop didn't do it")


def started(world: World, *, names=("emission",), chain=None):
    stop = asyncio.Event()
    chosen = {name: jobs.ALL[name] for name in names}
    running = asyncio.create_task(
        loop.run(chain or world.chain, world.payer, jobs=chosen, every=0.02, log=LOG, stop=stop)
    )
    return running, stop


async def test_hours_are_emitted_as_they_end_until_it_is_told_to_stop():
    world = World.launched()
    world.chain.warp_to(START)
    with capture_logs() as logs:
        running, stop = started(world, names=("emission", "vesting", "seasons"))
        for hour in range(1, 4):
            world.chain.advance(HOUR)
            await until(lambda hour=hour: world.config().emitted_hours == hour)
        stop.set()
        await running
    events = [each["event"] for each in logs]
    assert (events[0], events[-1]) == ("keeper.started", "keeper.stopped")
    assert events.count("emission.emitted") == 3
    world.chain.advance(HOUR)
    await asyncio.sleep(0.1)
    assert world.config().emitted_hours == 3, "after the stop nothing runs"


class Failing(EmbeddedChain):
    """A chain that a test can make fail."""

    failure: Exception | None = None

    async def accounts(self, addresses):
        if self.failure:
            raise self.failure
        return await super().accounts(addresses)


async def test_a_defect_in_one_job_stops_neither_it_nor_the_others():
    world = World.launched()
    world.chain.__class__ = Failing
    world.chain.failure = ZeroDivisionError("a defect")
    world.chain.warp_to(START + HOUR)
    with capture_logs() as logs:
        running, stop = started(world, names=("seasons", "emission"))
        await until(lambda: any(each["event"] == "job.failed" for each in logs))
        world.chain.failure = None
        await until(lambda: world.config().emitted_hours == 1)
        stop.set()
        await running
    failed = next(each for each in logs if each["event"] == "job.failed")
    assert (failed["job"], failed["log_level"]) == ("emission", "error")


async def test_a_node_that_nobody_runs_is_reported_and_the_loop_goes_on():
    world = World.launched()
    chain = RpcChain(AsyncClient("http://127.0.0.1:9"))
    with capture_logs() as logs:
        running, stop = started(world, chain=chain)
        await until(lambda: sum(each["event"] == "chain.unreachable" for each in logs) >= 2)
        stop.set()
        await running
    await chain.close()
    assert logs[-1]["event"] == "keeper.stopped"


async def test_the_job_under_way_is_finished_before_it_stops(monkeypatch):
    world = World.launched()
    entered, release, finished = asyncio.Event(), asyncio.Event(), []

    async def slow(chain, payer, log):
        entered.set()
        await release.wait()
        finished.append(True)
        return []

    monkeypatch.setitem(jobs.ALL, "emission", slow)
    running, stop = started(world)
    await entered.wait()
    stop.set()
    await asyncio.sleep(0.05)
    assert not running.done()
    release.set()
    await running
    assert finished == [True]
