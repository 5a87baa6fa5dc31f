"""A day kept by real keeper processes, behind a node that kills them when told; and what came of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from keeper.chain import Event, TransactionRecord
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.clients import programs
from keeper.db import Database
from keeper.db.tables import ACCOUNTS, ATTEMPT_INTENTS, ATTEMPTS, COMPARISONS, HALTS, INTENTS
from keeper.indexer.ledger import rebuild_views
from keeper.sender.intents import AttemptState
from tests.keeper.faults import child
from tests.keeper.faults.child import Point
from tests.keeper.faults.day import DayWorld, steps, write_settings
from tests.keeper.faults.whole import looked_up
from tests.keeper.forks import forks
from tests.keeper.indexer.busy import expected, indexed

PROGRAMS = tuple(programs.PROGRAMS.values())
ONCE = ["keeper", "run", "--once"]
QUESTION, ANSWER = "question", "answer"
"""Kinds of points: before the node takes a question, and after it has done what was asked."""
SECONDS = 1_200
"""A pass that takes longer hangs."""


class Reaper:
    """Stands where a proxy's mischief does: counts the keeper's questions, and kills it at one."""

    def __init__(self, at: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.process: BaseProcess | None = None
        self.die: Point | None = None
        self._at = at

    async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        job = self._at.read_text()
        self.counts[job] += 1
        dies = self.die is not None and self.die.reached(job, self.counts[job])
        if dies and self.die and self.die.kind == QUESTION:
            self._kill()
            raise ConnectionError
        answer = await ask()
        if dies:
            self._kill()
            raise ConnectionError
        return answer

    def _kill(self) -> None:
        assert self.process is not None and self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.die = None


Accounts = dict[str, tuple[int, str]]


@dataclass
class Outcome:
    """What a day came to: equal for equal days, however often the keeper was killed."""

    accounts: Accounts
    """Lamports and data of every account of the programs, and of every token account and mint."""
    events: list[str]
    """All events of all programs with their times; sorted, as the order within a moment is nobody's."""
    files: dict[str, bytes]
    """Everything under the keeper's rewards, unfinished things, too."""
    rows: list[str]
    """The same events, as the database has them."""
    folded: list[tuple[str, ...]]
    """The accounts that the database makes of them."""
    intents: dict[str, str]
    """State by key."""


@dataclass
class Kept:
    """A world, its node, and the folder and database of the keeper."""

    world: DayWorld
    folder: Path
    url: str
    questions: list[Counter[str]] = field(default_factory=list)
    steps: list[Counter[str]] = field(default_factory=list)
    accounts: list[Accounts] = field(default_factory=list)
    reaper: Reaper = field(init=False)

    @classmethod
    async def started(cls, folder: Path, url: str, hours: int, **settings: object) -> Kept:
        """The world a moment before its first hour; nobody has kept anything."""
        world = DayWorld.started()
        await world.node.start()
        world.observe(folder / "observations", hours)
        write_settings(folder, world.keeper, world.node.url, url, **settings)
        kept = cls(world, folder, url)
        kept.reaper = Reaper(folder / child.AT)
        world.node.mischief = kept.reaper
        return kept

    def start(
        self, arguments: Sequence[str], die: Point | None = None, clock: int | None = None
    ) -> BaseProcess:
        """Fork a keeper."""
        (self.folder / child.AT).write_text(child.START)
        at_step = die if die and die.kind == child.STEP else None
        process = forks().Process(target=child.main, args=(str(self.folder), [*arguments], at_step, clock))
        self.reaper.counts = Counter()
        self.reaper.die = None if at_step else die
        process.start()
        self.reaper.process = process
        return process

    async def once(self, die: Point | None = None, clock: int | None = None) -> bool:
        """Let a keeper do one pass; whether it was killed. Anything else than a good end is an error."""
        process = self.start(ONCE, die, clock)
        await asyncio.to_thread(process.join, SECONDS)
        assert process.exitcode in (0, -signal.SIGKILL), (process.exitcode, self.log()[-2_000:])
        if process.exitcode:
            await self._forgotten()
            return True
        self.questions.append(self.reaper.counts)
        self.steps.append(Counter(json.loads((self.folder / child.COUNTS).read_text())))
        return False

    async def _forgotten(self) -> None:
        """A server notices that a client is gone, and lets its locks go, a moment later."""
        url = make_url(self.url)
        if url.get_backend_name() == "sqlite":
            return
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid != pg_backend_pid()"
        plain = url.render_as_string(hide_password=False)
        async with await psycopg.AsyncConnection.connect(plain, autocommit=True) as connection:
            while True:
                row = await (await connection.execute(others, (url.database,))).fetchone()
                if row == (0,):
                    return
                await asyncio.sleep(0.005)

    async def whole_day(self, hours: Sequence[int], skew: int | None = None) -> Outcome:
        """Keep it undisturbed, with this machine's clock ``skew`` seconds ahead of the chain's if given."""
        for hour, before in steps(hours):
            self.world.come_to(hour, before)
            assert not await self.once(clock=None if skew is None else self.world.chain.now() + skew)
            self.accounts.append(await self.owned())
            if hour != hours[-1]:
                await self.world.second_operator(self.folder)
        return await self.outcome()

    def log(self) -> str:
        """What keepers logged."""
        return (self.folder / "log").read_text()

    def logged(self, *levels: str) -> list[dict[str, Any]]:
        """The log's lines of some levels."""
        lines = [json.loads(line) for line in self.log().splitlines()]
        return [line for line in lines if line["level"] in levels]

    def sent(self) -> list[TransactionRecord]:
        """The keeper's transactions that the chain executed."""
        me = self.world.keeper.pubkey()
        return [each for each in self.world.chain.transactions() if each.signers[0] == me]

    async def owned(self) -> Accounts:
        """See :class:`Outcome`."""
        accounts: Accounts = {}
        for program in (*(each.address for each in PROGRAMS), TOKEN_PROGRAM):
            found = await self.world.chain.program_accounts(program)
            accounts |= {str(at): (account.lamports, account.data.hex()) for at, account in found.items()}
        return accounts

    async def outcome(self) -> Outcome:
        """Everything, after what must hold of any day was checked; the node hangs up."""
        chain, database = self.world.chain, Database(self.url)
        assert [each.logs for each in self.sent() if each.error] == [], "nothing is sent that is refused"
        rows: list[str] = []
        for program in PROGRAMS:
            have, there = await indexed(database, program), expected(chain, program)  # type: ignore[arg-type]
            assert have == there, "nothing lost, nothing twice, in its order"
            rows += [
                f"{place.time} {_text(event)}" for place, event in zip(have.places, have.events, strict=True)
            ]
        views = await looked_up(database)
        for program in PROGRAMS:
            await rebuild_views(database, program, lambda *_: None)
        assert await looked_up(database) == views, "as if made in one piece"
        async with database.reading() as connection:
            assert (await connection.execute(sa.select(HALTS))).all() == []
            compared = (await connection.execute(sa.select(COMPARISONS))).all()
            assert all(row.differences == row.views == [] for row in compared)
            folded = (await connection.execute(sa.select(ACCOUNTS))).all()
            intents = (await connection.execute(sa.select(INTENTS))).all()
            done = (
                await connection.execute(
                    sa.select(ATTEMPT_INTENTS.c.intent)
                    .join(ATTEMPTS, ATTEMPTS.c.signature == ATTEMPT_INTENTS.c.signature)
                    .where(ATTEMPTS.c.state.in_([AttemptState.LANDED, AttemptState.FINAL]))
                )
            ).scalars()
            landed = Counter(done)
            signed = (await connection.execute(sa.select(ATTEMPTS.c.signature, ATTEMPTS.c.state))).all()
        await database.close()
        assert landed == Counter(row.id for row in intents), "each action landed once"
        on_chain = {str(each.signature) for each in self.sent()}
        good = {row.signature for row in signed if row.state == AttemptState.FINAL}
        assert on_chain == good, "all that is on chain was written down before, and the rest never landed"
        await self.world.node.stop()
        events = [
            f"{record.time} {_text(event)}"
            for program in PROGRAMS
            for record in chain.transactions()
            for event in program.events(record)
        ]
        rewards = self.folder / "rewards"
        return Outcome(
            accounts=await self.owned(),
            events=sorted(events),
            files={
                str(path.relative_to(rewards)): path.read_bytes() if path.is_file() else b""
                for path in sorted(rewards.rglob("*"))
            },
            rows=sorted(rows),
            folded=sorted(tuple(map(str, row)) for row in folded),
            intents={row.key: row.state for row in intents},
        )


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed day comes to: at its end, and after the keeper's pass at each hour.

    With how many questions and steps each job takes at each hour.
    """

    outcome: Outcome
    accounts: list[Accounts]
    questions: list[Counter[str]]
    steps: list[Counter[str]]


_days: dict[tuple[int, ...], Undisturbed] = {}


async def undisturbed(hours: Sequence[int], folder: Path) -> Undisturbed:
    """The same for everybody in this process who asks."""
    if tuple(hours) not in _days:
        kept = await Kept.started(folder, f"sqlite:///{folder}/keeper.db", hours[-1])
        outcome = await kept.whole_day(hours)
        _days[tuple(hours)] = Undisturbed(outcome, kept.accounts, kept.questions, kept.steps)
    return _days[tuple(hours)]


def _text(event: Event) -> str:
    return f"{event.name} {sorted((name, str(value)) for name, value in event.fields.items())}"
