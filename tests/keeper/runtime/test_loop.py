"""The loop: starts at once, keeps going through failures, ends when told, in the order of its work."""

import asyncio

import pytest
from structlog.testing import capture_logs

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.jobs import registry
from keeper.runtime import loop
from tests.keeper.runtime.keepers import events_of, figure, new_keeper
from tests.programs.world import HOUR, START, World


async def until(condition, seconds=10.0):
    """Wait for something that the loop does on its own."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the loop didn't do it")


@pytest.fixture
async def started(database):
    """Starts loops; those that a test leaves running, as it failed, end before their database does."""
    all_: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    def start(world: World, *, names=("emission",), chain=None, every=0.02, wakers=None):
        stop = asyncio.Event()
        chosen = {name: registry.ALL[name] for name in names}
        keeper = new_keeper(chain or world.chain, world.payer, database, chosen)
        running = asyncio.create_task(loop.run(keeper, every=every, stop=stop, wakers=wakers))
        all_.append((running, stop))
        return running, stop, keeper

    yield start
    for running, stop in all_:
        stop.set()
        await asyncio.wait([running], timeout=10)


async def test_hours_are_emitted_as_they_end_until_it_is_told_to_stop(started):
    world = World.launched()
    world.chain.warp_to(START)
    with capture_logs() as logs:
        running, stop, _ = started(world, names=("emission", "vesting", "seasons"))
        for hour in range(1, 4):
            world.chain.advance(HOUR)
            await until(lambda hour=hour: world.config().emitted_hours == hour)
        stop.set()
        await running
    events = events_of(logs)
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


async def test_a_defect_in_one_job_stops_neither_it_nor_the_others(started):
    world = World.launched()
    world.chain.__class__ = Failing
    world.chain.failure = ZeroDivisionError("a defect")
    world.chain.warp_to(START + HOUR)
    with capture_logs() as logs:
        running, stop, _ = started(world, names=("seasons", "emission"))
        await until(lambda: any(each["event"] == "job.failed" for each in logs))
        world.chain.failure = None
        await until(lambda: world.config().emitted_hours == 1)
        stop.set()
        await running
    failed = next(each for each in logs if each["event"] == "job.failed")
    assert (failed["job"], failed["log_level"]) == ("emission", "error")


async def test_a_node_that_nobody_runs_is_reported_and_the_loop_goes_on(started):
    world = World.launched()
    chain = RpcChain("http://127.0.0.1:9")
    with capture_logs() as logs:
        running, stop, _ = started(world, chain=chain)
        await until(lambda: sum(each.get("job") == "emission" for each in logs) >= 2)
        stop.set()
        await running
    await chain.close()
    assert logs[-1]["event"] == "keeper.stopped"


async def test_the_job_under_way_is_finished_before_it_stops(started, monkeypatch):
    world = World.launched()
    entered, release, finished = asyncio.Event(), asyncio.Event(), []

    async def slow(port):
        entered.set()
        await release.wait()
        finished.append(True)
        return []

    monkeypatch.setitem(registry.ALL, "emission", slow)
    running, stop, _ = started(world)
    await entered.wait()
    stop.set()
    await asyncio.sleep(0.05)
    assert not running.done()
    release.set()
    await running
    assert finished == [True]


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 20), (1, 40), (2, 80), (3, 160), (4, 300), (5, 300), (10_000, 300)]
)
def test_a_failing_job_waits_twice_as_long_each_time_up_to_five_minutes(failures, seconds):
    assert loop.backoff(20, failures) == seconds


def test_a_job_that_runs_rarely_is_not_hurried_by_its_failures():
    assert loop.backoff(3_600, 4) == 3_600


async def test_a_failing_job_is_put_off_while_the_others_go_on(started, monkeypatch):
    runs = {"emission": 0, "vesting": 0}

    def counting(name, failure):
        async def job(port):
            runs[name] += 1
            if failure:
                raise failure
            return []

        return job

    monkeypatch.setitem(registry.ALL, "emission", counting("emission", ZeroDivisionError("a defect")))
    monkeypatch.setitem(registry.ALL, "vesting", counting("vesting", None))
    with capture_logs():
        running, stop, keeper = started(World.launched(), names=("emission", "vesting"))
        await until(lambda: runs["vesting"] >= 30)
        stop.set()
        await running
    assert 2 <= runs["emission"] <= runs["vesting"] // 3
    health = keeper.health["emission"]
    assert (health.failures, health.reason) == (runs["emission"], "ZeroDivisionError: a defect")
    assert figure(keeper, "ionet_job_failures_in_a_row", keeper_job="emission") == runs["emission"]
    assert figure(keeper, "ionet_job_runs_total", keeper_job="emission", outcome="failed") == runs["emission"]
    assert figure(keeper, "ionet_job_runs_total", keeper_job="vesting", outcome="ok") == runs["vesting"]


async def test_no_two_runs_overlap_and_what_was_missed_meanwhile_runs_once(started, monkeypatch):
    running_now, most, runs = 0, 0, 0

    async def slow(port):
        nonlocal running_now, most, runs
        running_now, runs = running_now + 1, runs + 1
        most = max(most, running_now)
        await asyncio.sleep(0.2)
        running_now -= 1
        return []

    for name in ("emission", "vesting"):
        monkeypatch.setitem(registry.ALL, name, slow)
    with capture_logs():
        running, stop, _ = started(World.launched(), names=("emission", "vesting"))
        await until(lambda: runs >= 4)
        stop.set()
        await running
    assert (most, runs) == (1, 4), "0.02 s apart they would have been due twenty times as often"


async def test_whoever_stops_lets_another_lead_at_once(started, database):
    world = World.launched()
    running, stop, keeper = started(world)
    await until(lambda: keeper.leads)
    other = new_keeper(world.chain, world.admin, database, {})
    assert not await other.lead()
    stop.set()
    await running
    assert await other.lead()
    await other.resign()


async def test_a_waker_runs_its_job_before_its_time(started, monkeypatch):
    ran, called = [], asyncio.Event()

    async def job(port):
        ran.append(True)
        return []

    async def waker():
        await called.wait()
        called.clear()

    monkeypatch.setitem(registry.ALL, "emission", job)
    running, stop, _ = started(World.launched(), every=3_000, wakers={"emission": waker})
    for times in range(1, 4):
        await until(lambda times=times: len(ran) == times)
        called.set()
    await until(lambda: len(ran) == 4)
    stop.set()
    await running
    called.set()
    await asyncio.sleep(0.05)
    assert len(ran) == 4
