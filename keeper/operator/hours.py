"""An hour's end: answers to pings and openings are written down and posted; old hours are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from itertools import repeat

import numpy as np
from solders.pubkey import Pubkey

from keeper.chain import ChainError, Commitment
from keeper.economy.calendar import DAY, HOUR
from keeper.operator.book import Opened
from keeper.operator.collecting import listed
from keeper.operator.desk import Desk
from keeper.operator.line import Line, transfers
from keeper.operator.posting import Key, post
from keeper.operator.progress import is_complete
from keeper.operator.store import (
    DAYS_FAILED,
    DAYS_PASSED,
    DAYS_SAMPLED,
    evidence_name,
    pings_name,
    transfers_name,
)
from keeper.pow import files
from keeper.pow.anchored import EVIDENCE_SECONDS, Posting, PostKind
from keeper.pow.codes import Code

SAMPLE = 100
HOURS_BACK = 2


class HourState(StrEnum):
    """How far an hour has come."""

    WRITTEN = "written"
    POSTED = "posted"
    LATE = "late"


class Hours:
    """Ends hours."""

    def __init__(self, desk: Desk, line: Line, is_over: Callable[[int], bool]) -> None:
        """``is_over`` says whether all waves and pings of an hour are final."""
        self._desk, self._line, self._is_over = desk, line, is_over
        self._forgotten = -1

    def save_answers(self) -> None:
        """Have the book keep who has answered pings."""
        for asked in self._desk.intake.pings.values():
            if asked.unsaved:
                self._desk.book.put_answers(zip(repeat(asked.ping.seed), asked.unsaved))
                asked.unsaved.clear()

    async def step(self) -> None:
        """Write and post what is due. Raises StoreUnusable, BookUnusable."""
        desk = self._desk
        self.save_answers()
        try:
            now = (await desk.chain.clock(Commitment.CONFIRMED)).unix_timestamp
            hour = desk.network.hour_of(now)
            if hour >= 0:
                await desk.attend(hour)
                desk.hour = hour
            for number in range(max(0, hour - HOURS_BACK), hour):
                if desk.attended(number):
                    await self._end(number, now)
        except ChainError as error:
            desk.log.warning("pow.hour_waits", reason=str(error))
            return
        if hour != self._forgotten:
            self._forget(hour)
            self._forgotten = hour

    async def _end(self, hour: int, now: int) -> None:
        desk = self._desk
        state, digest = desk.book.hour(hour) or (None, b"")
        if state in (HourState.POSTED, HourState.LATE) or not self._is_over(hour):
            return
        waves = [each for each in desk.intake.waves.values() if each.wave.hour == hour]
        if not all(is_complete(desk, each) for each in waves):
            return
        if state is None:
            digest = await self._write(hour)
            state = HourState.WRITTEN
            desk.book.put_hour(hour, state, digest)
            desk.book.save()
        key = Key(desk.operator, hour, PostKind.EVIDENCE, 0)
        if now < desk.network.start_of(hour) + EVIDENCE_SECONDS:
            posted: Posting | None = await post(desk.port, desk.postings, key, digest)
        else:
            await desk.postings.refresh(desk.operator)
            posted = desk.postings.first.get(key)
        end = desk.network.start_of(hour) + EVIDENCE_SECONDS
        in_time = posted is not None and posted.at < end and posted.hash == digest
        desk.metrics.posts.labels("evidence", "in_time" if in_time else "late").inc()
        desk.book.put_hour(hour, HourState.POSTED if in_time else HourState.LATE, digest)
        desk.book.save()
        if in_time:
            desk.log.info("pow.evidence_posted", hour=hour)
        else:
            desk.log.error("pow.evidence_late", hour=hour)

    async def _write(self, hour: int) -> bytes:
        desk = self._desk
        pings, fleet = desk.book.pings(hour), (await desk.fleet(hour)).devices
        # Who wasn't listening for half of the pings hasn't asked anybody: it can't tell who was there.
        listened = 2 * desk.book.heard(hour) > len(pings)
        devices = fleet if listened else ()
        answered = np.zeros((len(pings), len(devices)), bool)
        place = {device: number for number, device in enumerate(devices)}
        for number, ping in enumerate(pings):
            for device in desk.book.answers(ping.seed) & place.keys():
                answered[number, place[device]] = True
        asked = np.array(devices, files.KEY)
        slots_of_pings = [each.slot for each in pings]
        written = files.write_pings(asked, slots_of_pings, answered)
        pings_hash = desk.store.write(hour, pings_name(desk.operator), written)
        measured = files.Transfers(self._line.carries, files.transfer_rows(transfers(desk, hour)))
        transfers_hash = desk.store.write(hour, transfers_name(desk.operator), measured.write())
        openings = _owed(listed(desk.book.openings(hour)), set(fleet))
        desk.store.settle(each.sha256 for each in openings)
        # By the book, as a service that comes back late has no such wave in work.
        slots = {each.wave.seed: each.wave.slot for each in desk.book.waves(hour)}
        rows = files.evidence_rows(
            (slots[each.seed], Pubkey(each.device), each.root, each.sha256, each.bytes) for each in openings
        )
        evidence = files.Evidence(pings_hash, transfers_hash, rows).write()
        digest = desk.store.write(hour, evidence_name(desk.operator), evidence)
        desk.log.info(
            "pow.evidence_written",
            hour=hour,
            openings=len(rows),
            pings=len(pings),
            transfers=len(measured.rows),
        )
        return digest

    def _forget(self, hour: int) -> None:
        """Delete what is kept no longer."""
        desk = self._desk
        desk.book.forget_answers(hour - HOURS_BACK)
        # Hours that are further back than openings are kept are looked at by nobody.
        desk.postings.forget(hour - DAYS_PASSED * DAY // HOUR)
        for old in desk.book.hours():
            age = (hour - old) * HOUR // DAY
            if age < DAYS_PASSED:
                break
            for opened in desk.book.openings(old):
                if age >= _kept_days(opened.sha256, opened.code):
                    desk.store.drop_opening(opened.sha256)
                    desk.book.drop_opening(opened)
            if age >= DAYS_FAILED:
                desk.book.forget(old)
                desk.store.forget(old)
        # Also those that this service never watched: the files of an hour that was taken over are there.
        for old in desk.store.hours():
            if (hour - old) * HOUR // DAY >= DAYS_FAILED:
                desk.store.forget(old)
        desk.forget_fleets(hour - HOURS_BACK)
        for seed, held in list(desk.intake.waves.items()):
            if held.wave.hour < hour - HOURS_BACK:
                del desk.intake.waves[seed]
        for seed, asked in list(desk.intake.pings.items()):
            if asked.ping.hour < hour - HOURS_BACK:
                del desk.intake.pings[seed]
        desk.book.save()


def _owed(openings: Iterable[Opened], devices: Collection[bytes]) -> list[Opened]:
    """Of openings those of an hour's ``devices``, and of a device's roots in a wave two.

    So a file is never longer than counts, however many roots somebody signs to be opened here.
    """
    found: dict[tuple[bytes, bytes], list[Opened]] = {}
    for each in sorted(openings, key=lambda opened: opened.root):
        if each.device in devices:
            found.setdefault((each.seed, each.device), []).append(each)
    return [each for mine in found.values() for each in mine[: files.ROOTS]]


def _kept_days(digest: bytes, code: int | None) -> int:
    """For how many days an opening is kept."""
    if code == Code.WORK_WRONG:
        return DAYS_FAILED
    if code != Code.PASS:
        return DAYS_PASSED
    return DAYS_SAMPLED if int.from_bytes(digest[:8], "little") % SAMPLE == 0 else DAYS_PASSED
