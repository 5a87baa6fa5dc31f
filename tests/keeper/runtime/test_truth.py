"""Whatever goes wrong: the next answer of /ready says so, in five seconds, and the next one that it is over.

Each row breaks something under a keeper that is ready, and mends it again. Before each answer the keeper's
last look is made old: whoever asks then gets a new one.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from solders.system_program import TransferParams, transfer

from keeper.chain.rpc import RpcChain
from keeper.clients import tokenomics
from keeper.db import Database, Leader
from keeper.db.tables import HALTS, WATERMARKS
from keeper.jobs.port import Port
from keeper.runtime.keeper import LOOK_SECONDS, JobOutcome, Keeper
from keeper.runtime.monitoring import FRESH_SECONDS, application
from keeper.runtime.serving import served
from tests.keeper.chain.bad_answers import error
from tests.keeper.chain.mischief import Knobs, Mischief
from tests.keeper.chain.reply import Reply
from tests.keeper.chain.rpc_node import RpcNode, through
from tests.keeper.postgres import Server
from tests.keeper.runtime.keepers import new_keeper
from tests.keeper.runtime.test_monitoring import get
from tests.programs.world import World, key

EVERY = 20.0
SLOW = 5
"""A machine may be so much slower than one on which nothing else runs."""


class Panic(BaseException):
    """What a library's native code raises."""


class Site:
    """A keeper at work behind a node, on a database, asked over HTTP."""

    def __init__(self, world: World, node: RpcNode, chain: RpcChain, database: Database) -> None:
        self.world, self.node, self.chain, self.database = world, node, chain, database
        self.now = 0.0
        self.leader = Leader(database, "a keeper", clock=lambda: self.now)
        self.other = Leader(database, "another", clock=lambda: self.now)
        self.failure: BaseException | None = None
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        jobs = {"work": self.job}
        self.keeper: Keeper = new_keeper(chain, world.payer, database, jobs, leader=self.leader)
        self.held: Any = None
        self.port = 0

    async def job(self, port: Port) -> list[Any]:
        await self.goes_on.wait()
        if self.failure:
            raise self.failure
        return []

    async def ready(self) -> dict[str, str]:
        """The reasons why it isn't, as it says within its time."""
        self.keeper.looked_at -= FRESH_SECONDS
        began = time.monotonic()
        status, text = await get(self.port, "/ready")
        assert time.monotonic() - began < SLOW * (FRESH_SECONDS + LOOK_SECONDS)
        found: dict[str, str] = json.loads(text)["reasons"]
        assert status == (503 if found else 200)
        assert await get(self.port, "/health") == (200, '{"alive":true}'), "a restart wouldn't help"
        return found


@asynccontextmanager
async def at_work(database: Database) -> AsyncIterator[Site]:
    world = World.launched()
    node = RpcNode(world.chain)
    async with through(node) as chain:
        found = Site(world, node, chain, database)
        async with served(application(found.keeper, EVERY), "127.0.0.1", 0, "IONET_HTTP") as found.port:
            yield found
            await found.keeper.resign()


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    async with at_work(database) as found:
        yield found


class Always:
    """A node that has one answer to all questions, or to those of one method."""

    def __init__(self, say: Callable[[Any], Reply], method: str = "") -> None:
        self._say, self._method = say, method

    async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes | Reply:
        if self._method in ("", question["method"]):
            return self._say(question)
        return await ask()


# -- what goes wrong ----------------------------------------------------------------------------------


def says(say: Callable[[Any], Reply], method: str = "") -> Callable[[Site], Awaitable[None]]:
    async def begin(site: Site) -> None:
        site.node.mischief = Always(say, method)

    return begin


async def good_node(site: Site) -> None:
    if isinstance(site.node.mischief, Mischief):
        site.node.mischief.over.set()
    site.node.mischief = None


async def silent(site: Site) -> None:
    site.node.mischief = Mischief(0, Knobs(silence=1, silent_seconds=600))


async def down(site: Site) -> None:
    await site.node.stop()


async def up(site: Site) -> None:
    await site.node.start(int(site.node.url.rpartition(":")[2]))


async def a_minute_later(site: Site) -> None:
    await good_node(site)
    for gate in site.chain._asker._gates.values():
        gate.opens_at -= 60


async def stands_still(site: Site) -> None:
    site.keeper.moved_at -= 61


async def goes_on(site: Site) -> None:
    site.world.chain.advance(1)


async def all_lamports_spent(site: Site) -> None:
    payer = site.world.payer
    lamports = site.world.chain.get(payer.pubkey()).lamports  # type: ignore[union-attr]
    give = TransferParams(
        from_pubkey=payer.pubkey(), to_pubkey=key("thief").pubkey(), lamports=lamports - 10_000_000
    )
    site.world.do(transfer(give))


async def lamports_sent(site: Site) -> None:
    site.world.chain.airdrop(site.world.payer.pubkey(), 10**10)


async def nobody_leads(site: Site) -> None:
    site.now += 60
    site.keeper.leader.lead = _never  # type: ignore[method-assign]


async def _never() -> bool:
    return False


async def leads_again(site: Site) -> None:
    del site.keeper.leader.lead  # type: ignore[method-assign]


async def halted(site: Site) -> None:
    async with site.database.transaction() as connection:
        await connection.execute(sa.insert(HALTS).values(program="staking", reason="differs", since=0))


async def resumed(site: Site) -> None:
    async with site.database.transaction() as connection:
        await connection.execute(sa.delete(HALTS))


async def far_behind(site: Site) -> None:
    site.world.chain.advance(1_000)
    address = str(tokenomics.PROGRAM.address)
    mark = {"program": "tokenomics", "address": address, "version": 0, "final_slot": 0, "confirmed_slot": 0}
    mark |= {"anchor_slot": -1, "floor_slot": -1, "target_complete": False, "folded_slot": -1}
    async with site.database.transaction() as connection:
        await connection.execute(sa.insert(WATERMARKS).values(hour_slot=-1, updated_at=0, **mark))


async def caught_up(site: Site) -> None:
    async with site.database.transaction() as connection:
        await connection.execute(sa.update(WATERMARKS).values(final_slot=site.world.chain.newest_slot()))


def fails(failure: BaseException) -> Callable[[Site], Awaitable[None]]:
    async def begin(site: Site) -> None:
        site.failure = failure
        for _ in range(3):
            await site.keeper.run_job("work")

    return begin


async def works_again(site: Site) -> None:
    site.failure = None
    await site.keeper.run_job("work")


async def hangs(site: Site) -> None:
    site.goes_on.clear()
    site.held = asyncio.create_task(site.keeper.run_job("work"))
    while site.keeper.health["work"].running_since is None:
        await asyncio.sleep(0)
    site.keeper.health["work"].running_since -= 901


async def comes_to_an_end(site: Site) -> None:
    site.goes_on.set()
    await site.held


TOO_MANY = Reply(b"Too many requests", 429, {"retry-after": "60"})
ANOTHER = {"jsonrpc": "2.0", "result": "4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZAMdL4VZHirAn"}

ROWS: dict[str, tuple[Callable[[Site], Awaitable[None]], str, str, Callable[[Site], Awaitable[None]]]] = {
    "node down": (down, "chain", "answer", up),
    "node silent": (silent, "chain", "the chain hasn't answered for 3 seconds", good_node),
    "node limits for long": (says(lambda _: TOO_MANY), "chain", "limits", a_minute_later),
    "node talks nonsense": (says(lambda _: Reply(b"<html>")), "chain", "makes no sense", good_node),
    "node refuses": (says(lambda asked: error(asked, {"code": -32010})), "chain", "refused", good_node),
    "node behind": (says(lambda asked: error(asked, {"code": -32005})), "chain", "can't answer", good_node),
    "node stands still": (stands_still, "chain", "the node has been at slot", goes_on),
    "node of another chain": (
        says(lambda asked: Reply(json.dumps({**ANOTHER, "id": asked["id"]}).encode()), "getGenesisHash"),
        "chain",
        "another chain",
        good_node,
    ),
    "no lamports": (all_lamports_spent, "balance", "send", lamports_sent),
    "nobody leads": (nobody_leads, "leader", "no keeper leads", leads_again),
    "halted": (halted, "mismatch", "staking: differs", resumed),
    "index behind": (far_behind, "index", "tokenomics by", caught_up),
    "a job fails": (fails(ValueError("no")), "jobs", "work", works_again),
    "a job panics": (fails(Panic("no")), "jobs", "work", works_again),
    "a job hangs": (hangs, "hanging", "work", comes_to_an_end),
}


@pytest.mark.parametrize("row", ROWS)
async def test_it_says_so_and_that_it_is_over(site: Site, row: str) -> None:
    begin, name, words, end = ROWS[row]
    assert await site.ready() == {}
    await begin(site)
    found = await site.ready()
    assert set(found) == {name}
    assert words in found[name]
    await end(site)
    assert await site.ready() == {}


async def test_on_another_chain_no_job_does_anything(site: Site) -> None:
    assert await site.ready() == {}
    begin, _, words, end = ROWS["node of another chain"]
    await begin(site)
    await site.ready()
    site.goes_on.clear()
    assert await site.keeper.run_job("work") is JobOutcome.FAILED, "it isn't even begun"
    assert words in (site.keeper.health["work"].reason or "")
    site.goes_on.set()
    await end(site)
    assert await site.ready() == {}
    assert await site.keeper.run_job("work") is JobOutcome.OK


# -- databases ----------------------------------------------------------------------------------------


async def test_a_file_that_is_moved_away_and_back(site: Site, tmp_path: Path) -> None:
    file = site.database.file
    assert file is not None
    assert await site.ready() == {}
    file.rename(tmp_path / "away")
    assert "was moved away" in (await site.ready())["database"]
    file.touch()
    assert "or replaced" in (await site.ready())["database"]
    (tmp_path / "away").rename(file)
    assert await site.ready() == {}


async def test_a_file_that_another_process_locks(site: Site) -> None:
    """It can still be read: that nobody leads any more is what is wrong with it."""
    assert await site.ready() == {}
    other = Database(str(site.database.url))
    async with other.transaction():
        site.now += site.leader.lease / 4
        assert "locked" in (await site.ready())["database"]
    assert await site.ready() == {}
    await other.close()


@pytest.fixture
async def on_a_server(postgres: Server, new_postgres: Callable[[], str]) -> AsyncIterator[Site]:
    database = Database(new_postgres())
    async with at_work(database) as found:
        yield found
    await database.close()


async def test_a_server_that_is_gone_and_back(on_a_server: Site, postgres: Server) -> None:
    assert await on_a_server.ready() == {}
    postgres.stop()
    try:
        assert "database" in await on_a_server.ready()
    finally:
        postgres.start()
    assert await on_a_server.ready() == {}


async def test_a_server_that_is_frozen(on_a_server: Site, postgres: Server) -> None:
    """The chain's half isn't held up by it: of the node that is down as well it tells, too."""
    assert await on_a_server.ready() == {}
    postgres.signal(signal.SIGSTOP)
    try:
        assert "hasn't answered for 3 seconds" in (await on_a_server.ready())["database"]
        await down(on_a_server)
        assert set(await on_a_server.ready()) == {"database", "chain"}
        await up(on_a_server)
        assert set(await on_a_server.ready()) == {"database"}
    finally:
        postgres.signal(signal.SIGCONT)
    assert await on_a_server.ready() == {}


# -- several keepers, clocks, the loop --------------------------------------------------------------


async def test_another_keeper_leads(site: Site) -> None:
    """That one stands by is no reason to be called; who leads is said, and for how long that is known."""
    assert await site.ready() == {}
    site.now += 60
    assert not await site.other.lead(), "it watches for a lease first"
    site.now += 60
    assert await site.other.lead()
    assert await site.ready() == {}
    found = json.loads((await get(site.port, "/ready"))[1])
    assert (found["leads"], found["leader"]) == (False, "another")
    await site.other.resign()
    assert await site.ready() == {}
    found = json.loads((await get(site.port, "/ready"))[1])
    assert (found["leads"], found["leader"]) == (True, "a keeper")


@pytest.mark.parametrize("step", [-3_600, 366 * 86_400], ids=["an hour back", "a year forward"])
async def test_the_machine_s_clock_is_stepped(site: Site, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await site.ready() == {}
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert await site.ready() == {}


async def test_a_loop_that_stands_still_answers_nothing_and_then_well(site: Site) -> None:
    """No answer is what a health check takes for dead; that it was long ago is not held against it."""
    assert await site.ready() == {}

    def ask() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{site.port}/health", timeout=0.5) as answer:
                return str(answer.status)
        except OSError:
            return "no answer"

    asking = asyncio.get_running_loop().run_in_executor(None, ask)
    time.sleep(1.5)  # noqa: ASYNC251 - that is what is tested
    assert await asking == "no answer"
    assert await site.ready() == {}


async def test_who_asks_often_makes_it_look_once(site: Site) -> None:
    await site.ready()
    asked = len(site.node.calls)
    for _ in range(20):
        await get(site.port, "/ready")
        site.keeper.looked_at += 0.01
    assert len(site.node.calls) == asked
    site.keeper.looked_at -= FRESH_SECONDS + 1
    await asyncio.gather(*(get(site.port, "/ready") for _ in range(5)))
    assert len(site.node.calls) == 2 * asked
