"""The loop: starts at once, keeps going through failures, ends when told, in the order of its work."""

import asyncio
import time
from collections import Counter
from itertools import pairwise

import pytest
from solders.system_program import TransferParams, transfer
from structlog.testing import capture_logs

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.rpc import RpcChain
from keeper.clients import tokenomics
from keeper.db import Database, Leader
from keeper.jobs import registry
from keeper.jobs.port import do_all
from keeper.runtime import loop
from keeper.runtime.operation import SWEEP
from keeper.sender import Action
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

    def start(world: World, *, names=("emission",), chain=None, every=0.02, wakers=None, intervals=None):
        stop = asyncio.Event()
        chosen = {name: registry.ALL[name] for name in names}
        keeper = new_keeper(chain or world.chain, world.payer, database, chosen)
        run = loop.run(keeper, every=every, stop=stop, intervals=intervals, wakers=wakers)
        running = asyncio.create_task(run)
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


async def test_a_job_that_sends_nothing_is_not_waited_for(started, monkeypatch):
    entered, cut_off = asyncio.Event(), []

    async def slow(port):
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.append(True)

    monkeypatch.setitem(registry.ALL, "emission", slow)
    running, stop, keeper = started(World.launched())
    await entered.wait()
    stop.set()
    await running
    assert cut_off == [True]
    assert keeper.health["emission"].failures == 0


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

        def ended(name, outcome):
            return figure(keeper, "ionet_job_runs_total", keeper_job=name, outcome=outcome)

        # None is under way at that moment: a stop cuts it off, and it isn't counted.
        await until(
            lambda: (
                runs["vesting"] >= 30
                and ended("vesting", "ok") == runs["vesting"]
                and ended("emission", "failed") == runs["emission"]
            )
        )
        assert 2 <= runs["emission"] <= runs["vesting"] // 3
        health = keeper.health["emission"]
        assert (health.failures, health.reason) == (runs["emission"], "ZeroDivisionError: a defect")
        assert figure(keeper, "ionet_job_failures_in_a_row", keeper_job="emission") == runs["emission"]
        stop.set()
        await running


async def test_jobs_run_side_by_side_each_once_at_a_time(started, monkeypatch):
    running_now, most = Counter(), Counter()
    begun, runs, together = [], Counter(), asyncio.Event()

    def slow(name):
        async def job(port):
            begun.append((name, asyncio.get_running_loop().time()))
            running_now[name] += 1
            most[name] = max(most[name], running_now[name])
            most["all"] = max(most["all"], running_now.total())
            if running_now.total() == 2:
                together.set()
            await together.wait()
            await asyncio.sleep(0.2)
            running_now[name] -= 1
            runs[name] += 1
            return []

        return job

    for name in ("emission", "vesting"):
        monkeypatch.setitem(registry.ALL, name, slow(name))
    with capture_logs():
        running, stop, _ = started(World.launched(), names=("emission", "vesting"))
        await until(lambda: min(runs["emission"], runs["vesting"]) >= 2)
        stop.set()
        await running
    assert most == {"emission": 1, "vesting": 1, "all": 2}
    for name in runs:
        times = [at for each, at in begun if each == name]
        assert all(later - earlier >= 0.2 for earlier, later in pairwise(times)), "what was missed runs once"


async def test_the_sweep_comes_before_all_others(database, monkeypatch):
    order = []
    names = ("leases", SWEEP, "emission")

    def job(name):
        async def run(port):
            await asyncio.sleep(0.05 if name == SWEEP else 0)
            order.append(name)
            return []

        return run

    for name in names:
        monkeypatch.setitem(registry.ALL, name, job(name))
    world = World.launched()
    keeper = new_keeper(world.chain, world.payer, database, {name: registry.ALL[name] for name in names})
    monkeypatch.setitem(keeper.jobs, SWEEP, job(SWEEP))
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(keeper, every=3_000, stop=stop))
    await until(lambda: len(order) == 3)
    stop.set()
    await running
    assert order[0] == SWEEP


@pytest.mark.parametrize("step", [-3_600, 365 * 86_400], ids=["an hour back", "a year forward"])
async def test_a_step_of_this_machines_clock_changes_nothing(started, monkeypatch, step):
    """Neither a pause nor a burst: the interval is kept from one start to the next."""
    ran, real = [], time.time

    async def job(port):
        ran.append(asyncio.get_running_loop().time())
        return []

    monkeypatch.setitem(registry.ALL, "emission", job)
    began = asyncio.get_running_loop().time()
    running, stop, _ = started(World.launched(), every=0.02)
    await until(lambda: len(ran) == 5)
    monkeypatch.setattr(time, "time", lambda: real() + step)
    await until(lambda: len(ran) >= 15)
    stop.set()
    await running
    assert all(at - began >= 0.02 * number - 0.001 for number, at in enumerate(ran))


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


async def test_whoever_takes_over_does_at_once_what_is_done_rarely(started, database):
    """A comparison of the accounts, every hour: not an hour after the takeover."""
    world = World.launched()
    world.chain.warp_to(START + HOUR)
    beside = Database(database.url.render_as_string(hide_password=False))
    other = Leader(beside, "another")
    assert await other.lead()
    running, stop, keeper = started(world, intervals={"emission": 3_600.0})
    await asyncio.sleep(0.2)
    assert (keeper.leads, world.config().emitted_hours) == (False, 0)
    await other.resign()
    await beside.close()
    await until(lambda: world.config().emitted_hours == 1)
    assert keeper.leads
    world.chain.advance(HOUR)
    await asyncio.sleep(0.2)
    assert world.config().emitted_hours == 1, "the next time is an hour later"
    stop.set()
    await running


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


class Panic(BaseException):
    """As a panic in a library's native code comes: it is no Exception."""


async def test_a_waker_that_panics_wakes_again(started, monkeypatch):
    ran, asked = [], []

    async def job(port):
        ran.append(True)
        return []

    async def waker():
        asked.append(True)
        if len(asked) <= 2:
            raise Panic("the decoder")
        if len(asked) > 3:
            await asyncio.Event().wait()

    monkeypatch.setitem(registry.ALL, "emission", job)
    monkeypatch.setattr(loop, "WAKER_SECONDS", 0.01)
    with capture_logs() as logs:
        running, stop, _ = started(World.launched(), every=3_000, wakers={"emission": waker})
        await until(lambda: len(ran) == 2)
        stop.set()
        await running
    failed = [each for each in logs if each["event"] == "waker.failed"]
    assert [(each["job"], each["reason"]) for each in failed] == [("emission", "Panic: the decoder")] * 2
    assert len(ran) == 2, "once at the start, and once woken"


async def test_a_job_that_panics_has_failed(started, monkeypatch):
    runs = Counter()

    def job(name, failure=None):
        async def run(port):
            runs[name] += 1
            if failure:
                raise failure
            return []

        return run

    monkeypatch.setitem(registry.ALL, "emission", job("emission", Panic("the decoder")))
    monkeypatch.setitem(registry.ALL, "vesting", job("vesting"))
    with capture_logs() as logs:
        running, stop, keeper = started(World.launched(), names=("emission", "vesting"))
        await until(lambda: runs["emission"] >= 3 and runs["vesting"] > 3)
        stop.set()
        await running
    assert keeper.health["emission"].failures == runs["emission"]
    assert keeper.health["emission"].reason == "Panic: the decoder"
    assert [each["event"] for each in logs if each.get("job") == "emission"] == ["job.failed"] * runs[
        "emission"
    ]


async def test_looking_around_that_fails_goes_on(started, monkeypatch):
    world, looks = World.launched(), []
    running, stop, keeper = started(world)
    look = type(keeper).look

    async def failing(self):
        looks.append(True)
        if len(looks) == 2:
            raise Panic("a defect")
        await look(self)

    monkeypatch.setattr(type(keeper), "look", failing)
    with capture_logs() as logs:
        await until(lambda: len(looks) == 4)
        stop.set()
        await running
    assert [each["what"] for each in logs if each["event"] == "loop.failed"] == ["look"]


async def test_a_notice_does_not_cut_a_back_off_short(started, monkeypatch):
    begun, ended = [], []

    async def job(port):
        begun.append(asyncio.get_running_loop().time())
        try:
            raise ZeroDivisionError("a defect")
        finally:
            ended.append(asyncio.get_running_loop().time())

    async def waker():
        """There is always something new."""

    monkeypatch.setitem(registry.ALL, "emission", job)
    with capture_logs():
        running, stop, _ = started(World.launched(), every=0.05, wakers={"emission": waker})
        await until(lambda: len(begun) >= 4)
        stop.set()
        await running
    waits = [later - earlier for earlier, later in zip(ended, begun[1:], strict=False)]
    assert [wait >= loop.backoff(0.05, failures) - 0.001 for failures, wait in enumerate(waits, start=1)] == [
        True
    ] * len(waits)


async def test_one_long_job_holds_up_no_other(started, monkeypatch):
    """Emission has its turn after one transaction of another job, which has thousands to send."""
    world, sent = World.launched(), []
    world.chain.warp_to(START + HOUR)
    world.chain.airdrop(world.payer.pubkey(), 10**12)

    async def due():
        return True

    async def long(port):
        pay = [
            transfer(TransferParams(from_pubkey=port.payer, to_pubkey=port.payer, lamports=n))
            for n in range(9_000)
        ]
        actions = [Action(f"long:{n}", (each,), due) for n, each in enumerate(pay)]
        sent.append(len(world.chain.transactions()))
        return await do_all(port, tokenomics.PROGRAM, actions)

    monkeypatch.setitem(registry.ALL, "leases", long)
    with capture_logs() as logs:
        running, stop, keeper = started(world, names=("leases", "emission"), every=3_000)
        await until(lambda: world.config().emitted_hours == 1, seconds=60)
        packs = len(world.chain.transactions()) - sent[0] - 1
        assert keeper.health["leases"].running_since is not None, "it is still at it"
        stop.set()
        await running
    rest = len(world.chain.transactions()) - sent[0] - 1 - packs
    assert packs <= 3, "those that were sent while emission read what is due"
    assert rest <= 1, "at the stop one transaction more at most"
    assert logs[-1]["event"] == "keeper.stopped"
    assert keeper.health["leases"].failures == 0, "to be stopped is no failure"
