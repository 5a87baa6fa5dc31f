"""One keeper acts at a time: leases, claims, and leaders that don't know yet that they are none."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from random import Random
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from keeper.db import Database, DatabaseUnusable, Leader, NotLeader
from keeper.db.leader import BEATS, LEASE_SECONDS
from keeper.db.tables import CHAIN, LEADERSHIP
from tests.keeper.conftest import POOLED_TOO
from tests.keeper.postgres import Server

pytestmark = POOLED_TOO

BEAT = LEASE_SECONDS / BEATS
SECOND = 1.0
"""The lease of real processes."""
PATIENCE = 60


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Pair(NamedTuple):
    one: Leader
    two: Leader
    clock: Clock


@asynccontextmanager
async def leading(url: str, *names: str, clock: Clock) -> AsyncIterator[list[Leader]]:
    """Keepers on one database, as in several processes."""
    async with AsyncExitStack() as stack:
        found = []
        for name in names:
            database = Database(url)
            stack.push_async_callback(database.close)
            found.append(Leader(database, name, clock=clock))
            stack.push_async_callback(found[-1].resign)
        yield found


@pytest.fixture
async def pair(new_database: Callable[[], str]) -> AsyncIterator[Pair]:
    clock = Clock()
    async with leading(new_database(), "one", "two", clock=clock) as (one, two):
        yield Pair(one, two, clock)


async def write(leader: Leader, genesis: str) -> None:
    async with leader._database.transaction() as connection:
        await leader.fence(connection)
        await connection.execute(sa.delete(CHAIN))
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash=genesis))


async def written(leader: Leader) -> str | None:
    async with leader._database.reading() as connection:
        found: str | None = await connection.scalar(sa.select(CHAIN.c.genesis_hash))
        return found


async def until_it_leads(leader: Leader) -> None:
    while not await leader.lead():
        await asyncio.sleep(0.02)


# -- the lease ---------------------------------------------------------------------------------------


async def test_one_leads_until_it_resigns(pair: Pair) -> None:
    one, two, _ = pair
    assert await one.lead()
    assert await one.lead()
    assert not await two.lead()
    assert (one.epoch, two.epoch, two.other) == (1, None, "one")
    await one.resign()
    assert not one.leads
    assert await two.lead()
    assert not await one.lead()
    assert (one.epoch, two.epoch, one.other) == (None, 2, "two")


async def test_only_the_leader_writes(pair: Pair) -> None:
    one, two, _ = pair
    with pytest.raises(NotLeader):
        await write(one, "before anybody leads")
    await one.lead()
    await two.lead()
    await write(one, "one")
    with pytest.raises(NotLeader, match="two no longer acts"):
        await write(two, "two")
    assert await written(one) == "one"


async def test_who_renews_in_time_is_not_replaced(pair: Pair) -> None:
    one, two, clock = pair
    for _ in range(3 * BEATS):
        assert await one.lead()
        assert not await two.lead()
        assert two.other == "one"
        clock.now += BEAT
    async with one._database.reading() as connection:
        row = (await connection.execute(sa.select(LEADERSHIP))).one()
    assert (row.epoch, row.holder, row.beat) == (1, "one", 3 * BEATS - 1)


async def test_who_does_not_renew_is_replaced_after_a_lease_and_fenced(pair: Pair) -> None:
    """Both believe that they lead; the older claim writes nothing."""
    one, two, clock = pair
    await one.lead()
    await write(one, "one")
    assert not await two.lead()
    clock.now += LEASE_SECONDS - 0.001
    assert not await two.lead()
    assert two.pause == BEAT / 4, "the next look is when the lease is over"
    clock.now += 0.001
    assert two.other is None, "nobody leads"
    assert await two.lead()
    assert (one.epoch, two.epoch) == (1, 2)
    with pytest.raises(NotLeader):
        await write(one, "one again")
    assert (one.epoch, one.leads) == (None, False), "it knows at once"
    await write(two, "two")
    assert await written(two) == "two"
    assert not await one.lead()
    clock.now += LEASE_SECONDS
    assert await one.lead(), "and leads again like any other"
    assert one.epoch == 3


async def test_a_leader_stops_believing_a_beat_before_others_may_take_over(pair: Pair) -> None:
    one, two, clock = pair
    await one.lead()
    await two.lead()
    clock.now += LEASE_SECONDS - BEAT - 0.001
    assert one.leads
    clock.now += 0.001
    assert not one.leads
    assert not await two.lead()
    assert await one.lead(), "nobody has taken over: it goes on"
    assert one.epoch == 1
    assert not await two.lead()


async def test_one_of_several_takes_over(new_database: Callable[[], str]) -> None:
    """What all of them saw at the same moment, free or over, the first of them takes."""
    clock = Clock()
    async with leading(new_database(), *"abcd", clock=clock) as leaders:
        for epoch in (1, 2):
            assert [await each.lead() for each in leaders if epoch > 1 and not each.leads].count(True) == 0
            clock.now += LEASE_SECONDS
            others = [each for each in leaders if each.epoch is None]
            done = await asyncio.gather(*(each.lead() for each in others))
            assert done.count(True) == 1
            assert [each.epoch for each in others if each.leads] == [epoch]


async def test_never_do_two_lead_and_never_nobody_for_long(new_database: Callable[[], str]) -> None:
    """Three that sleep, wake and resign as they like; machines' clocks only have to go equally fast."""
    random, clock = Random(7), Clock()
    silence, epochs = 0.0, list[int]()
    async with leading(new_database(), "a", "b", "c", clock=clock) as leaders:
        awake = [True, True, True]
        for _ in range(200):
            seconds = random.choice([0.1, 1.0, BEAT])
            clock.now += seconds
            which = random.randrange(3)
            if random.random() < 0.1:
                awake[which] = not awake[which]
            elif random.random() < 0.02:
                await leaders[which].resign()
            for each, is_awake in zip(leaders, awake, strict=True):
                if is_awake:
                    await each.lead()
                assert [other.leads for other in leaders].count(True) <= 1
            led = next((each for each in leaders if each.leads), None)
            silence = 0.0 if led or not any(awake) else silence + seconds
            assert silence <= LEASE_SECONDS + BEAT
            if led and led.epoch is not None and led.epoch not in epochs:
                epochs.append(led.epoch)
                for each in leaders:
                    if each is led:
                        await write(each, each.holder)
                    else:
                        with pytest.raises(NotLeader):
                            await write(each, each.holder)
    assert epochs == sorted(epochs) and len(epochs) > 5


async def test_taking_over_waits_for_a_write_under_way(pair: Pair) -> None:
    one, two, clock = pair
    await one.lead()
    await two.lead()
    async with one._database.transaction() as connection:
        await one.fence(connection)
        clock.now += LEASE_SECONDS
        taking = asyncio.create_task(two.lead())
        await asyncio.sleep(0.2)
        assert not taking.done()
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash="one"))
    assert await asyncio.wait_for(taking, PATIENCE)
    assert await written(two) == "one"
    with pytest.raises(NotLeader):
        await write(one, "late")


async def test_renewing_does_not_wait_for_writes(pair: Pair) -> None:
    """A long transaction of the sender's costs nobody the lease; on SQLite writers take turns."""
    one, _, clock = pair
    if one._database.is_sqlite:
        pytest.skip("one writer at a time")
    await one.lead()
    async with one._database.transaction() as connection:
        await one.fence(connection)
        clock.now += LEASE_SECONDS - BEAT
        assert not one.leads
        assert await asyncio.wait_for(one.lead(), PATIENCE)
    assert one.epoch == 1


async def test_who_waited_for_another_writer_has_renewed_afterwards(pair: Pair) -> None:
    """A big batch of the index: the loop goes on, and the lease counts from when the beat was written."""
    one, two, clock = pair
    await one.lead()
    await two.lead()
    clock.now += BEAT
    async with two._database.transaction() as connection:
        await connection.execute(sa.update(LEADERSHIP).values(holder="one"))
        renewing = asyncio.create_task(one.lead())
        await asyncio.sleep(0.2)
        assert not renewing.done()
        clock.now += LEASE_SECONDS - 3 * BEAT
        assert one.leads
    assert await asyncio.wait_for(renewing, PATIENCE)
    assert not await two.lead()
    clock.now += LEASE_SECONDS - BEAT - 0.001
    assert (one.leads, one.epoch) == (True, 1)


async def test_beside_the_living_one_settles_at_its_next_beat(new_database: Callable[[], str]) -> None:
    url = new_database()
    ours, theirs = Database(url), Database(url)
    one, two = (Leader(each, name, lease=SECOND) for each, name in ((ours, "one"), (theirs, "two")))
    assert await one.settle()

    async def keep() -> None:
        while True:
            await one.lead()
            await asyncio.sleep(one.pause)

    keeping = asyncio.create_task(keep())
    assert not await asyncio.wait_for(two.settle(), PATIENCE)
    keeping.cancel()
    await asyncio.wait([keeping])
    # A process that was killed leaves the row like this: nobody renews it.
    assert await asyncio.wait_for(two.settle(), PATIENCE)
    assert two.epoch == 2
    for each in (ours, theirs):
        await each.close()


# -- what takes it away ----------------------------------------------------------------------------------


async def change(leader: Leader, statement: sa.Executable) -> None:
    async with leader._database.transaction() as connection:
        await connection.execute(statement)


@pytest.mark.parametrize(
    "by_hand",
    [sa.delete(LEADERSHIP), sa.update(LEADERSHIP).values(epoch=7), sa.update(LEADERSHIP).values(claim=None)],
    ids=["row deleted", "epoch raised", "freed"],
)
async def test_a_row_that_was_changed_by_hand(pair: Pair, by_hand: sa.Executable) -> None:
    """Let go of at the first write or the next beat; won again without waiting, as nobody else has it."""
    one, two, clock = pair
    for notice in (write(one, "late"), None):
        assert await one.lead()
        await write(one, "one")
        before = one.epoch
        await change(one, by_hand)
        if notice:
            with pytest.raises(NotLeader):
                await notice
            assert not one.leads
        else:
            clock.now += BEAT
        assert await one.lead()
        assert one.epoch is not None and before is not None
        await write(one, "one")
        assert not await two.lead()


async def test_another_claim_by_hand(pair: Pair) -> None:
    one, _, clock = pair
    await one.lead()
    await change(one, sa.update(LEADERSHIP).values(epoch=2, claim="x", holder="another"))
    clock.now += BEAT
    assert not await one.lead()
    assert (one.epoch, one.other) == (None, "another")
    clock.now += LEASE_SECONDS
    assert await one.lead()
    assert one.epoch == 3


async def test_an_epoch_that_comes_a_second_time(pair: Pair) -> None:
    """A backup that was put back, a replica without the last commits: the claim is another all the same."""
    one, two, clock = pair
    await one.lead()
    async with one._database.reading() as connection:
        backup = (await connection.execute(sa.select(LEADERSHIP))).mappings().one()
    await one.resign()
    assert await two.lead()
    await change(one, sa.update(LEADERSHIP).values(dict(backup)))
    clock.now += LEASE_SECONDS
    assert await one.lead()
    assert (one.epoch, two.epoch) == (2, 2)
    with pytest.raises(NotLeader):
        await write(two, "two")
    await write(one, "one")


@contextmanager
def no_disk() -> Iterator[None]:
    """No file grows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def no_server(server: Server) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


async def test_without_its_database_nobody_leads(pair: Pair, request: pytest.FixtureRequest) -> None:
    """A disk that is full, or a server that is restarted: over by the clock, and on again by itself."""
    one, two, clock = pair
    await one.lead()
    await two.lead()
    sqlite = one._database.is_sqlite
    clock.now += BEAT
    with no_disk() if sqlite else no_server(request.getfixturevalue("postgres")):
        for _ in range(2):
            with pytest.raises(DatabaseUnusable):
                await one.lead()
        with pytest.raises(DatabaseUnusable):
            await write(one, "lost")
        assert one.leads, "nobody else can have taken over yet"
        clock.now += LEASE_SECONDS - 2 * BEAT
        assert not one.leads
    assert await until(one.lead)
    assert one.epoch == 1
    await write(one, "one")
    assert not await until(two.lead)


async def until(ask: Callable[[], Awaitable[bool]]) -> bool:
    """Ask until the database answers: a pooler tells of a server that is gone once for each session."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await ask()
            except DatabaseUnusable:
                await asyncio.sleep(0.05)


async def test_connections_that_are_killed_take_nothing_away(pair: Pair, postgres: Server) -> None:
    one, two, clock = pair
    if one._database.is_sqlite:
        pytest.skip("it has none")
    await one.lead()
    await two.lead()
    for _ in range(2):
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        clock.now += BEAT
        assert await until(one.lead)
        assert not await until(two.lead)
        assert one.leads
    assert one.epoch == 1


# -- real processes ------------------------------------------------------------------------------------

CHILD = """
import asyncio, os, signal, sys
import sqlalchemy as sa
import keeper.db.database
from keeper.db import Database, DatabaseError, Leader, NotLeader
from keeper.db.tables import CHAIN

url, how = sys.argv[1:]
keeper.db.database.IDLE_SECONDS = 1

async def write(leader, freeze):
    async with leader._database.transaction() as connection:
        await leader.fence(connection)
        if freeze:
            os.kill(os.getpid(), signal.SIGSTOP)
        await connection.execute(sa.insert(CHAIN).values(id=1, genesis_hash="child"))

async def main():
    leader = Leader(Database(url), "child", lease=1.0)
    print(await leader.lead(), flush=True)
    if how == "killed":
        await asyncio.sleep(600)
    elif how == "frozen":
        os.kill(os.getpid(), signal.SIGSTOP)
        print(leader.leads, flush=True)
    try:
        await write(leader, freeze=how == "frozen while it writes")
        print("written", flush=True)
    except (DatabaseError, NotLeader) as error:
        print(type(error).__name__, flush=True)
    while not await leader.lead():
        await asyncio.sleep(0.02)
    print(leader.epoch, flush=True)
    await leader.resign()

asyncio.run(main())
"""


@contextmanager
def child(url: str, how: str) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """A process that leads, and what it says next."""
    process = subprocess.Popen([sys.executable, "-c", CHILD, url, how], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout
    try:
        assert said.readline() == "True\n"
        yield process, lambda: said.readline().strip()
    finally:
        process.kill()
        process.wait()
        said.close()


@asynccontextmanager
async def challenger(url: str) -> AsyncIterator[Leader]:
    database = Database(url)
    leader = Leader(database, "parent", lease=SECOND)
    yield leader
    await leader.resign()
    await database.close()


async def test_a_killed_leader_is_succeeded(new_database: Callable[[], str]) -> None:
    url = new_database()
    with child(url, "killed") as (process, _):
        async with challenger(url) as leader:
            assert not await leader.lead()
            process.kill()
            process.wait()
            await asyncio.wait_for(until_it_leads(leader), PATIENCE)
            assert leader.epoch == 2


@pytest.mark.parametrize("how", ["frozen", "frozen while it writes"])
async def test_a_frozen_leader_is_replaced_and_fenced_when_it_wakes(
    new_database: Callable[[], str], how: str
) -> None:
    """SIGSTOP: its connections and, on a server, its locks live on. Nothing of it is written afterwards."""
    url = new_database()
    if how != "frozen" and url.startswith("sqlite"):
        pytest.skip("the file's lock is its own until it goes on: see keeper.db.leader")
    with child(url, how) as (process, said):
        _, status = await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        async with challenger(url) as leader:
            await asyncio.wait_for(until_it_leads(leader), PATIENCE)
            assert leader.epoch == 2
            process.send_signal(signal.SIGCONT)
            if how == "frozen":
                assert await asyncio.to_thread(said) == "False", "its clock went on"
                assert await asyncio.to_thread(said) == "NotLeader"
            else:
                assert await asyncio.to_thread(said) == "DatabaseUnusable"
            assert await written(leader) is None
        assert await asyncio.to_thread(said) == "3", "it leads again once it is free"
