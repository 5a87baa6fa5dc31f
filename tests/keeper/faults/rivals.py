"""Two keeper processes that compete for one lease, and what is done to them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from keeper.db import Database
from keeper.db.tables import ATTEMPTS, INTENTS
from keeper.runtime.operation import COMPARE
from keeper.sender.intents import AttemptState, IntentState
from tests.keeper.chain.mischief import Mischief
from tests.keeper.faults import child
from tests.keeper.forks import forks

LEASE = 4.0
"""Seconds: a frozen leader is replaced after so many."""
SILENCE = 3.0
"""Seconds that a node may be silent."""
QUIET_SECONDS = 20
"""Nobody asks for longer: it is time to do something in any case."""
HTTP_OK = 200
END_SECONDS = 60
"""A keeper that takes longer to end hangs."""
DONE_SECONDS = 600
"""A network on which all isn't done by then is stuck."""
IDLE_LOOKS = 60
"""Two a second: a leader that hasn't run all jobs by then isn't one any more."""
RUNS = 2
"""So many good runs of each job in which nothing is sent any more show that nothing is left."""
KILL, TERMINATE, FREEZE, RESTART_BOTH = "SIGKILL", "SIGTERM", "SIGSTOP", "SIGKILL of both"
DEFECTS = {"job.failed", "loop.failed", "waker.failed", "leadership.failed", "keeper.halted"}
"""What must not be logged, whatever happens."""
GENTLY = 0, -signal.SIGTERM
"""Exit codes after SIGTERM: one that is still opening everything ends as by a kill."""
DEEDS = (KILL, KILL, TERMINATE, TERMINATE, FREEZE, FREEZE, RESTART_BOTH)


@dataclass
class Rival:
    """A keeper with a folder of its own."""

    folder: Path
    process: BaseProcess | None = None

    def start(self) -> None:
        """Fork it."""
        target = (str(self.folder), ["keeper", "run"], None, None, LEASE, SILENCE)
        self.process = forks().Process(target=child.main, args=target)
        self.process.start()

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None and self.process.pid is not None
        os.kill(self.process.pid, number)

    async def ended(self) -> int | None:
        """Wait for its end; returns its exit code."""
        assert self.process is not None
        await asyncio.to_thread(self.process.join, END_SECONDS)
        return self.process.exitcode

    def logged(self) -> list[dict[str, Any]]:
        """All lines of its log; what was killed may have left half of one."""
        lines: list[dict[str, Any]] = []
        log = self.folder / "log"
        for line in log.read_text().splitlines() if log.exists() else []:
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines

    def tail(self) -> str:
        """The end of its log."""
        return (self.folder / "log").read_text()[-4_000:]

    async def get(self, path: str) -> tuple[int, str]:
        """What it answers over HTTP; status 0 when it doesn't."""
        ports = [line["port"] for line in self.logged() if line["event"] == "http.listening"]
        if not ports:
            return 0, ""

        def ask() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{ports[-1]}{path}", timeout=30) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()
            except (OSError, ValueError):
                return 0, ""

        return await asyncio.to_thread(ask)

    async def runs(self) -> dict[str, float]:
        """Good runs so far by job; of one that doesn't answer none."""
        status, text = await self.get("/metrics")
        jobs = json.loads((await self.get("/ready"))[1] or "{}").get("jobs", {})
        if status != HTTP_OK or not jobs:
            return {}
        return dict.fromkeys(jobs, 0.0) | {
            sample.labels["keeper_job"]: sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "ionet_job_runs_total" and sample.labels["outcome"] == "ok"
        }


@dataclass
class Rivals:
    """Both, with what was done to them so far."""

    both: list[Rival]
    url: str
    """Of their database."""
    mischief: Mischief
    """Before their node."""
    pace: tuple[int, int] = 20, 400
    """Questions to the node between one thing that is done to them and the next: they get as far on a slow
    machine as on a fast one."""
    done: Counter[str] = field(default_factory=Counter)

    @classmethod
    def copied(cls, first: Path, url: str, mischief: Mischief) -> Rivals:
        """Two with the settings and observations in folder ``first``."""
        second = first.with_name(f"{first.name}-rival")
        shutil.copytree(first, second)
        return cls([Rival(first), Rival(second)], url, mischief)

    def start(self) -> None:
        """Start both."""
        for each in self.both:
            each.start()

    async def next(self, random: Random) -> None:
        """After a while, do one thing to one of them; one that has ended is started again."""
        await self._asked(random.randint(*self.pace))
        deed, one = random.choice(DEEDS), random.choice(self.both)
        self.restart_ended()
        self.done[deed] += 1
        if deed == FREEZE:
            one.kill(signal.SIGSTOP)
            await asyncio.sleep(random.uniform(0.5, 2) * LEASE)
            one.kill(signal.SIGCONT)
            return
        for each in self.both if deed == RESTART_BOTH else [one]:
            each.kill(signal.SIGTERM if deed == TERMINATE else signal.SIGKILL)
            assert await each.ended() in (GENTLY if deed == TERMINATE else (-signal.SIGKILL,)), each.tail()
            each.start()

    async def _asked(self, number: int) -> None:
        """Wait for so many questions to the node."""
        end = self.mischief.asked + number
        with suppress(TimeoutError):
            async with asyncio.timeout(QUIET_SECONDS):
                while self.mischief.asked < end:
                    await asyncio.sleep(0.02)

    def restart_ended(self) -> None:
        """As whatever looks after services does: one ends where nobody answers at its start."""
        for each in self.both:
            assert each.process is not None
            if not each.process.is_alive():
                assert each.process.exitcode == 1, each.tail()
                self.done["started again, as it had ended"] += 1
                each.start()

    async def anew(self) -> None:
        """End both and start them again: the next leader compares at once instead of in an hour."""
        self.restart_ended()
        await self.stop()
        self.start()

    async def do_all(self) -> None:
        """Let them do all that is due now."""
        async with asyncio.timeout(DONE_SECONDS):
            while not await self._idle():
                self.restart_ended()
                await asyncio.sleep(0.5)

    async def finish(self) -> None:
        """See that they have nothing left to do and say that they are well; end them."""
        await self.do_all()
        for each in self.both:
            status, text = await each.get("/ready")
            assert status == HTTP_OK, text
            assert (await each.get("/health"))[0] == HTTP_OK
        await self.stop()

    async def stop(self) -> None:
        """End both."""
        for each in self.both:
            each.kill(signal.SIGTERM)
            assert await each.ended() in GENTLY, each.tail()

    def kill(self) -> None:
        """Leave nobody behind."""
        for each in self.both:
            if each.process is not None and each.process.is_alive():
                each.kill(signal.SIGKILL)

    async def _idle(self) -> bool:
        """Whether all jobs of the leader have run well without having had anything to do."""
        for each in self.both:
            before, sent = await each.runs(), await self._sent()
            for _ in range(IDLE_LOOKS if before else 0):
                if await self.open() or await self._sent() != sent:
                    return False
                now = await each.runs()
                # The comparison has an interval of its own: the leader makes one as it starts.
                often = all(now.get(job, 0) >= before[job] + RUNS for job in before if job != COMPARE)
                if often and now.get(COMPARE, 0):
                    return True
                await asyncio.sleep(0.5)
        return False

    async def open(self) -> Counter[str]:
        """Actions and transactions that are under way, or were given up, by their states."""
        database = Database(self.url)
        ended = IntentState.LANDED, IntentState.SUPERSEDED
        try:
            async with database.reading() as connection:
                intents = (await connection.execute(sa.select(INTENTS.c.state))).scalars()
                found = Counter(f"intent {state}" for state in intents if state not in ended)
                attempts = (await connection.execute(sa.select(ATTEMPTS.c.state))).scalars()
                under_way = AttemptState.LIVE, AttemptState.LANDED
                found.update(f"attempt {state}" for state in attempts if state in under_way)
        finally:
            await database.close()
        return found

    async def _sent(self) -> int:
        database = Database(self.url)
        try:
            async with database.reading() as connection:
                return int(await connection.scalar(sa.select(sa.func.count()).select_from(ATTEMPTS)) or 0)
        finally:
            await database.close()

    def told(self) -> Counter[str]:
        """How often each event was logged."""
        return Counter(line["event"] for each in self.both for line in each.logged())
