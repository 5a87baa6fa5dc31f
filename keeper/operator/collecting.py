"""Openings and other operators' files: fetched by hash, bound, verified, and kept with their codes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainError, Commitment
from keeper.clients import staking
from keeper.operator.behind import About, Behind
from keeper.operator.book import Opened
from keeper.operator.claims import Due, due, is_drawn
from keeper.operator.desk import Desk
from keeper.operator.posting import Key
from keeper.operator.sealing import prepare
from keeper.operator.store import evidence_name, pings_name, transfers_name, wave_name
from keeper.operator.waves import POST_BEFORE, Held, State
from keeper.pow import files
from keeper.pow.anchored import EVIDENCE_SECONDS, Posting, PostKind
from keeper.pow.codes import Code
from keeper.pow.codes_file import opening_key
from keeper.pow.messages import Commit
from keeper.pow.profiles import Profile
from keeper.pow.verification import BATCH, Batch, Verifier
from keeper.rewards.peers import AT_ONCE, Peers

HOURS_BACK = 2
MOST = 1_024
"""Openings that are verified in a step."""
SLACK = 2
"""So many times the devices that this process has seen at a time an hour may have had."""
MOST_PAST = 512
"""Openings of an earlier hour that are fetched in a round, which are ten seconds apart: half of what peers
give an address, so that the hours of now come first here and there. 12,500 take four minutes."""


class Collecting:
    """What comes after the waves' own steps."""

    def __init__(self, desk: Desk, peers: Peers, verifier: Verifier) -> None:
        """Fetch from ``peers``, verify by ``verifier``."""
        self._desk, self._peers, self._verifier = desk, peers, verifier
        self._operators: set[Pubkey] = set()
        self._verifying = asyncio.Lock()
        self.behind = Behind(desk)
        self._past: dict[bytes, Held] = {}
        """The waves of the earlier hour that is looked at, by their seeds."""
        self._asked: set[bytes] = set()
        """Hashes of its openings that were asked for, since it is looked at."""
        self._left: int | None = None
        """How many more of these are asked for in this round; None for an hour of now."""
        self._whole: dict[tuple[Key, bytes], int] = {}
        """EVIDENCE files all of which was here, by key and hash, and how much the folder had lost by then."""

    # -- openings ------------------------------------------------------------------------------

    def keep(self, expected: Due, blob: bytes, digest: bytes, code: Code | None = None) -> None:
        """Note an opening whose blob is in the folder."""
        commit = expected.commit
        hour = self._wave(commit.wave_seed).wave.hour
        opened = Opened(commit.wave_seed, bytes(commit.device), commit.root, hour, digest, len(blob), code)
        self._desk.book.put_opening(opened)

    async def verify(self) -> int:
        """Verify what waits, and return how many openings that were."""
        async with self._verifying:
            return await self._verify()

    async def _verify(self) -> int:
        desk = self._desk
        groups: dict[tuple[bytes, Any], list[tuple[Opened, Due, bytes]]] = defaultdict(list)
        hours = {each.wave.hour for each in (*desk.intake.waves.values(), *self._past.values())}
        for opened in desk.book.unverified(hours, MOST):
            found = self._due(opened)
            blob = desk.store.opening(opened.sha256)
            if isinstance(found, Due) and blob is not None:
                groups[opened.seed, found.owed.work].append((opened, found, blob))
        batches: list[Batch] = []
        chunks: list[list[Opened]] = []
        for (seed, work), group in groups.items():
            held = self._wave(seed)
            for at in range(0, len(group), BATCH):
                chunk = group[at : at + BATCH]
                claims: Any = [found.owed.claim(blob) for _, found, blob in chunk]
                batches.append(Batch(seed, held.epoch_seed or b"", work, claims))
                chunks.append([opened for opened, _, _ in chunk])
        if not batches:
            return 0
        try:
            with desk.metrics.seconds.time():
                codes = await self._verifier.run(batches)
        except (BrokenProcessPool, OSError) as error:
            desk.log.error("pow.verification_failed", reason=str(error) or type(error).__name__)
            return 0
        known: dict[int, list[tuple[bytes, Code]]] = defaultdict(list)
        for done, results in zip(chunks, codes, strict=True):
            for opened, code in zip(done, results, strict=True):
                desk.book.put_code(opened, code)
                key = opening_key(opened.seed, opened.device, opened.root, opened.sha256)
                known[opened.hour].append((key, code))
                desk.verified(code)
                if code is not Code.PASS:
                    slot, device = self._wave(opened.seed).wave.slot, str(Pubkey(opened.device))
                    desk.log.warning("pow.work_wrong", device=device, slot=slot, code=code.name)
        desk.book.save()
        for hour, new in known.items():
            desk.store.remember(hour, new)
        return sum(map(len, chunks))

    def _wave(self, seed: bytes) -> Held:
        """A wave of an hour of now, or of the earlier one that is looked at; raises KeyError."""
        return self._desk.intake.waves.get(seed) or self._past[seed]

    def _due(self, opened: Opened) -> Due | None:
        held = self._desk.intake.waves.get(opened.seed) or self._past.get(opened.seed)
        if held is None or held.opening is None or not held.prepared:
            return None
        commit = held.roots.get(opened.device, {}).get(opened.root)
        return due(held, commit, self._profile(held, commit)) if commit else None

    def _profile(self, held: Held, commit: Commit) -> Profile:
        """Of a commit that was found to be to work that there is in its wave."""
        return self._desk.profiles.at(held.wave.time)[commit.profile]

    # -- others' files -------------------------------------------------------------------------

    async def exchange(self) -> None:
        """Fetch what others have posted and this folder lacks. What fails is tried again the next time."""
        try:
            await self._exchange()
        except ChainError as error:
            self._desk.log.warning("pow.exchange_waits", reason=str(error))
        self._desk.book.save()

    async def _exchange(self) -> None:
        desk = self._desk
        if desk.watched_from is None:
            return
        config = await staking.read_config(desk.chain)
        # One that was replaced meanwhile has posted what counts, too.
        self._operators.update(config.params.operators if config else ())
        for operator in sorted(self._operators, key=bytes):
            await desk.postings.refresh(operator)
        now = (await desk.chain.clock(Commitment.CONFIRMED)).unix_timestamp
        hour = desk.network.hour_of(now)
        recent = range(max(desk.watched_from, hour - HOURS_BACK), hour + 1)
        self._whole = {named: lost for named, lost in self._whole.items() if named[0].hour in recent}
        for number in recent:
            # What is in WAVE files says which openings EVIDENCE files can be about: these come first.
            for key, posted in sorted(desk.postings.of_hour(number).items(), key=_in_turn):
                waves = [each for each in desk.intake.waves.values() if each.wave.hour == number]
                await self._fetch(key, posted, About(number, waves, len(desk.book.pings(number))))
        if about := await self.behind.turn(now, recent.start):
            await self._catch_up(about)

    async def _catch_up(self, about: About) -> None:
        """Fetch what is lacking of an earlier hour, so much now and the rest in the next rounds."""
        desk = self._desk
        self._past = {each.wave.seed: each for each in about.waves}
        self._left = MOST_PAST
        try:
            for key, posted in sorted(desk.postings.of_hour(about.hour).items(), key=_in_turn):
                await self._fetch(key, posted, about)
            is_done = self._left > 0
        finally:
            self._left = None
        unverified = desk.book.unverified([about.hour], MOST)
        if not is_done or any(self._due(each) for each in unverified):
            return  # The next round goes on; what was learned of the hour is what these are verified by.
        if self._asked:
            missing = sum(not desk.store.has_opening(each) for each in self._asked)
            openings = len(self._asked) - missing
            desk.log.info("pow.caught_up", hour=about.hour, openings=openings, missing=missing)
        self._past, self._asked = {}, set()
        self.behind.done(about.hour)

    async def _fetch(self, key: Key, posted: Posting, about: About) -> None:
        desk = self._desk
        fleet = await desk.fleet(key.hour)
        # Whatever counts must be fetched, by who looks late, too: at the hour's start there may have been
        # more devices than there are now, as accounts are closed.
        most = max(len(fleet.devices), SLACK * desk.most_devices)
        if key.kind == PostKind.WAVE:
            of = [each for each in about.waves if each.wave.slot == key.slot and each.state is not State.VOID]
            if of and posted.now_slot < key.slot + POST_BEFORE:
                name = wave_name(key.slot, key.operator)
                if await self._file(key.hour, name, posted.hash, files.wave_limit(most)):
                    await asyncio.to_thread(desk.learn, of[0], name, fleet.devices)
        elif key.kind == PostKind.EVIDENCE and posted.at < desk.network.start_of(key.hour) + EVIDENCE_SECONDS:
            if self._whole.get((key, posted.hash)) == desk.store.lost:
                return
            name = evidence_name(key.operator)
            limit = files.evidence_limit(most, len(about.waves))
            await self._file(key.hour, name, posted.hash, limit)
            lost = desk.store.lost
            if (data := desk.store.read(key.hour, name)) and await self._evidence(key, data, about, most):
                self._whole[key, posted.hash] = lost

    async def _file(self, hour: int, name: str, digest: bytes, most: int) -> bool:
        """Whether a file was fetched now."""
        desk = self._desk
        if desk.store.has(hour, name):
            return False
        data = await self._peers.fetch(f"/pow/hours/{hour}/{name}", digest, most)
        if data is None:
            return False
        desk.store.write(hour, name, data)
        desk.log.info("pow.file_fetched", hour=hour, name=name, bytes=len(data))
        return True

    async def _evidence(self, key: Key, data: bytes, about: About, devices: int) -> bool:
        """Fetch what an EVIDENCE file is about, as far as it can be right; whether all was here already."""
        desk = self._desk
        try:
            evidence = files.Evidence.read(data)
        except files.FileError:
            return False
        limit = max(1, files.pings_limit(about.pings, devices))
        await self._file(key.hour, pings_name(key.operator), evidence.pings, limit)
        limit = files.transfers_limit(devices)
        await self._file(key.hour, transfers_name(key.operator), evidence.transfers, limit)
        by_slot = {each.wave.slot: each for each in about.waves if each.opening is not None}
        lacking = [row for row in evidence.rows if not desk.store.has_opening(files.whole_key(row["blob"]))]
        names = pings_name(key.operator), transfers_name(key.operator)
        if not lacking and all(desk.store.has(key.hour, each) for each in names):
            return True
        for held in by_slot.values() if lacking else ():
            if not held.prepared:
                await prepare(desk, held)
        wanted = self._now(self._wanted(row, by_slot) for row in lacking)
        # A file of which something can't be had counts for nothing: who names openings that nobody has
        # doesn't make others ask each other for all of them, round after round.
        while some := list(islice(wanted, AT_ONCE)):
            if not all(await asyncio.gather(*(self._opening(*each) for each in some))):
                break
        return False

    def _now(self, wanted: Iterable[tuple[Due, bytes] | None]) -> Iterator[tuple[Due, bytes]]:
        """Those that are fetched in this round: of an earlier hour so many, and each once in a look."""
        for each in wanted:
            if each is None:
                continue
            if self._left is not None:
                if not self._left or each[1] in self._asked:
                    continue
                self._left -= 1
                self._asked.add(each[1])
            yield each

    def _wanted(self, row: Any, by_slot: dict[int, Held]) -> tuple[Due, bytes] | None:
        """What a row of an EVIDENCE file is about and the blob's hash, if it can be right and isn't here."""
        desk = self._desk
        device, root, digest = (files.whole_key(row[name]) for name in ("device", "root", "blob"))
        held = by_slot.get(int(row["slot"]))
        commit = held.roots.get(device, {}).get(root) if held else None
        if held is None or commit is None or not is_drawn(held, device, commit.kind):
            return None
        if desk.store.has_opening(digest):
            return None
        # By what was signed: the device may not be there any more, and its opening is owed all the same.
        found = due(held, commit, self._profile(held, commit))
        return (found, digest) if found.owed.length == row["length"] else None

    async def _opening(self, expected: Due, digest: bytes) -> bool:
        """Fetch an opening; returns whether somebody had it."""
        blob = await self._peers.fetch(f"/pow/openings/{digest.hex()}", digest, expected.owed.length)
        if blob is None or len(blob) != expected.owed.length:
            return False
        self._desk.store.put_opening(blob)
        self.keep(expected, blob, digest, expected.owed.bind(blob))
        return True


def _in_turn(each: tuple[Key, Posting]) -> tuple[int, bytes, int]:
    key, _ = each
    return key.kind, bytes(key.operator), key.slot


def listed(openings: Iterable[Opened]) -> list[Opened]:
    """Those that an operator stands for: under their roots, whatever the product turned out to be."""
    return [each for each in openings if each.code in (None, Code.PASS, Code.WORK_WRONG)]
