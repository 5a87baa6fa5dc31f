"""Five operators' services and their jobs, two of them liars: three come to the same, whatever these do.

Everything is real but the clock: services that exchange over HTTP, files, databases, postings, attestations.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from keeper.chain import Event
from keeper.clients import staking
from keeper.clients.staking import Attestation, BlockStatus
from keeper.db import Database
from keeper.jobs.blocks import AGAIN_SECONDS, ATTEST_SECONDS, attest_hours, finalise_blocks
from keeper.jobs.port import Direct
from keeper.operator.hours import HourState
from keeper.operator.intake import PING_SECONDS
from keeper.operator.operator import Operator
from keeper.operator.store import evidence_name
from keeper.operator.waves import Held, State, Taken
from keeper.pow.anchored import EVIDENCE_SECONDS, PostKind
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.peers import Peers
from keeper.rewards.rows import OBSERVATION, Hour, Work, class_rows, field_rows
from keeper.rewards.work import WorkFolder
from keeper.tables import keys
from tests.keeper.operator.network import ADDRESS, Device, Net, held, say
from tests.keeper.operator.serving import serving
from tests.keeper.rewards.seen import publish_rows
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START

HONEST, LIARS = range(3), range(3, 5)
WORKERS = "worker a", "worker b", "worker c", "worker late"
HOUR_1 = START + HOUR
GHOST = b"\x67" * 32
"""A hash of a file that nobody has."""


class Five(StakingWorld):
    """Five operators, three of whom must agree."""

    number, threshold = 5, 3


class Member:
    """An operator with its service, its database and its job."""

    def __init__(self, net: Net, number: int, empty: Path) -> None:
        self.net, self.number = net, number
        self.folder = net.folder / f"operator{number}"
        self.rewards = net.folder / f"rewards{number}"
        self.folder.mkdir()
        shutil.copy(empty, self.folder / "keeper.db")
        self.key = net.world.operators[number]
        self.port = Direct(net.world.chain, self.key, structlog.get_logger())
        self._served = AsyncExitStack()

    async def start(self) -> None:
        """Begin, or go on from what is on the disk."""
        self.operator: Operator = await self.net.operator(self.number, folder=self.folder / "pow")
        self.url, _ = await self._served.enter_async_context(serving(self.operator))
        self.database = Database(f"sqlite:///{self.folder}/keeper.db")
        self.history = History(self.net.world.chain, self.database)
        await self.history.prepare()
        self.work = WorkFolder(self.folder / "pow", self.net.profiles)

    async def stop(self, *, killed: bool = False) -> None:
        """End it: what isn't on the disk is gone where it is killed."""
        await self._served.aclose()
        await self.operator.collecting._peers.close()
        self.operator.desk.book.close() if killed else self.operator.close()
        await self.database.close()

    def hears(self, members: Sequence[Member]) -> None:
        """From now on it asks these for files."""
        urls = [each.url for each in members if each is not self]
        self.operator.collecting._peers = Peers(urls, clock=self.net.monotonic)

    async def attest(self, peers: Sequence[str] = ()) -> list[Event]:
        """Run the job once."""
        return await attest_hours(
            self.port, folder=self.rewards, work=self.work, history=self.history, peers=peers
        )

    def hash(self, hour: int = 1) -> str:
        """Of the manifest that it published."""
        return publication.read_manifest(self.rewards, hour).hash


class Group:
    """All five."""

    def __init__(self, net: Net, empty: Path) -> None:
        self.net = net
        self.members = [Member(net, number, empty) for number in range(5)]
        self.honest = [self.members[number] for number in HONEST]

    def connect(self) -> None:
        """Honest operators ask each other; what liars have they get where these hand it."""
        for each in self.members:
            each.hears(self.honest)

    async def restart(self, number: int) -> None:
        """As after a kill."""
        member = self.members[number]
        await member.stop(killed=True)
        await member.start()
        await member.operator.step()
        self.connect()

    async def tick(self, seconds: int = 10) -> None:
        """Operators look at the chain, and devices answer pings; later looks would be too late for a wave."""
        self.net.world.chain.advance(seconds)
        for member in self.members:
            await member.operator.watch()
            intake = member.operator.desk.intake
            now = self.net.monotonic()
            fresh = {seed: each for seed, each in intake.pings.items() if now - each.seen <= PING_SECONDS}
            for seed, asked in fresh.items():
                for device in self.net.devices:
                    if bytes(device.account) not in asked.answered:
                        intake.ping(device.pong(seed), ADDRESS, now)

    async def until(self, wave: Held, state: State) -> None:
        """Let time pass until all have come so far with a wave."""
        while {held(each.operator, wave.wave).state for each in self.members} != {state}:
            await self.tick()
            for member in self.members:
                await member.operator.step()
            assert self.net.world.chain.now() < wave.wave.time + 300

    async def hand(self, liar: int, honest: int) -> None:
        """A liar answers one honest operator, once."""
        to = self.members[honest]
        await to.operator.collecting._peers.close()
        to.hears([*self.honest, self.members[liar]])
        await to.operator.collecting.exchange()
        await to.operator.collecting._peers.close()
        to.hears(self.honest)

    async def round(self, number: int, hands: Callable[[], Any] | None = None) -> list[str]:
        """A round of attestations: exchange, what liars do at the last moment, and what each published."""
        chain = self.net.world.chain
        chain.warp_to(max(chain.now(), HOUR_1 + ATTEST_SECONDS + number * AGAIN_SECONDS))
        for member in self.honest:
            await member.operator.step()
        if hands:
            await hands()
        for member in self.honest:
            await member.attest()
        return [member.hash() for member in self.honest]


@asynccontextmanager
async def group_of(net: Net, empty: Path) -> AsyncIterator[Group]:
    group = Group(net, empty)
    for each in group.members:
        await each.start()
    group.connect()
    try:
        yield group
    finally:
        for each in group.members:
            await each.stop()


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path, WORKERS, Five.ready(challenge_window=60))


async def first_hour(net: Net, group: Group) -> None:
    """Everybody worked in hour 0 but the late one, who was there; it is final, and the same for all."""
    world = net.world
    history = group.members[0].history
    world.chain.warp_to(START + EVIDENCE_SECONDS)
    assert await history.knows(START + EVIDENCE_SECONDS)
    past = await history.hour(START)
    rows = np.zeros(len(past.devices), OBSERVATION)
    rows["device"] = np.sort(keys(list(past.devices)))
    rows["up_since"], rows["online"] = START - DAY, 1
    late = bytes(net.devices[-1].account)
    rows["work"] = [Work.MISSING if bytes(each) == late else Work.PASSED for each in rows["device"]]
    hour = Hour(0, START, 0)
    given = field_rows(past.devices, rows, past.hired)
    for member in group.honest:
        manifest = publish_rows(member.rewards, hour, given, class_rows(past.classes, START))
    for record in world.attest(0, manifest.attestation, world.operators[:3]):
        assert record.error is None
    world.chain.advance(world.staking_config().params.challenge_window)
    world.do(staking.finalise(0))


def commit_to(net: Net, member: Member, wave: Held, device: Device) -> None:
    proof = device.prove(wave.wave, net.profiles)
    assert isinstance(say(member.operator, device.commit(wave.wave, proof.root)), Taken)


def open_to(net: Net, member: Member, wave: Held, device: Device) -> None:
    operator = member.operator
    data = device.opening(held(operator, wave.wave), net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert operator.desk.intake.bind(expected, data[96:]) is None
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))


def lie(liar: Member, wave: Held, late: Device) -> None:
    """Who was late wasn't, and everybody else was: whatever this operator's clock says."""
    mine = held(liar.operator, wave.wave)
    for device, taken in mine.taken.items():
        for each in taken:
            each.ms = 1 if device == bytes(late.account) else 2**32 - 1


def post(net: Net, number: int, kind: PostKind, slot: int, digest: bytes) -> None:
    signer = net.world.operators[number]
    net.world.do(staking.post(signer.pubkey(), 1, kind, slot, digest), signers=[signer])


class Killed(BaseException):
    """The process ended here."""


async def killed_before_posting(group: Group, number: int, seconds: int) -> None:
    """A file is sealed, and the service ends before anything of it is on chain; then it starts again."""
    desk = group.members[number].operator.desk

    async def dies(*_: object) -> None:
        raise Killed

    desk.postings.refresh = dies  # type: ignore[method-assign]
    for _ in range(0, seconds, 5):
        await group.tick()
        for member in group.members:
            try:
                await member.operator.work()
            except Killed:
                states = [each.state for each in desk.intake.waves.values()]
                assert State.SEALED in states
                await group.restart(number)
                return
    raise AssertionError("nothing was posted")


async def in_wave(group: Group, number: int, restarted: Sequence[int | None]) -> Held:
    """The hour's ``number``-th wave, from its block to the last opening.

    ``restarted`` are the operators that are killed while it is open, sealed, closed, drawn, and collected.
    """
    net = group.net
    *punctual, late = net.devices
    first = group.members[0].operator
    while len(found := [each for each in first.desk.intake.waves.values() if each.wave.hour == 1]) < number:
        await group.tick()
    wave = max(found, key=lambda each: each.wave.slot)
    assert wave.wave.kind is WaveKind.PRODUCT
    net.world.chain.advance(5)
    for member in group.members:
        for device in punctual:
            commit_to(net, member, held(member.operator, wave.wave), device)
    net.world.chain.advance(15)
    for member in group.members:
        commit_to(net, member, held(member.operator, wave.wave), late)
    lie(group.members[3], wave, late)
    while_open, sealed, closed, drawn, collected = restarted
    if while_open is not None:
        await group.restart(while_open)
    # The last one claims a file that nobody gets, before its service would post one.
    post(net, 4, PostKind.WAVE, wave.wave.slot, GHOST)
    if sealed is not None:
        await killed_before_posting(group, sealed, 60)
    await group.until(wave, State.CLOSED)
    if closed is not None:
        await group.restart(closed)
    await group.until(wave, State.DRAWN)
    # Each device reaches one operator, and one of them a liar, too.
    for member, device in zip(group.honest, punctual, strict=True):
        open_to(net, member, wave, device)
    open_to(net, group.members[3], wave, punctual[0])
    if drawn is not None:
        await group.restart(drawn)
    await group.until(wave, State.COLLECTED)
    if collected is not None:
        await group.restart(collected)
    return wave


async def to_evidence(group: Group, *, restarted: int | None, answered: bool = True) -> None:
    """To the end of the hour and of the time for evidence; the last liar posts its own too late.

    ``answered`` says whether operators listen until then, and devices answer pings, which takes its time.
    """
    chain = group.net.world.chain
    if not answered:
        chain.warp_to(HOUR_1 + HOUR - 60)
    while chain.now() < HOUR_1 + HOUR + 30:
        await group.tick()
    if restarted is not None:
        await killed_while_written(group, restarted)
    states: set[str] = set()
    while states != {HourState.POSTED}:
        assert chain.now() < HOUR_1 + EVIDENCE_SECONDS
        for member in group.members[:4]:
            await member.operator.step()
        states = {(each.operator.desk.book.hour(1) or ("",))[0] for each in group.members[:4]}
        chain.advance(0 if states == {HourState.POSTED} else 40)
    if restarted is not None:
        await group.restart(restarted)
    chain.warp_to(HOUR_1 + EVIDENCE_SECONDS)
    await group.members[4].operator.step()
    data = group.members[4].operator.desk.store.read(1, evidence_name(group.members[4].key.pubkey()))
    post(group.net, 4, PostKind.EVIDENCE, 0, sha256(data or b"").digest())


async def killed_while_written(group: Group, number: int) -> None:
    desk = group.members[number].operator.desk

    async def dies(*_: object) -> None:
        raise Killed

    desk.postings.refresh = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await group.members[number].operator.step()
    assert desk.book.hour(1)[0] == HourState.WRITTEN  # type: ignore[index]
    await group.restart(number)


def rewards(member: Member) -> dict[str, int]:
    """What hour 1 pays each device, by its name."""
    manifest = publication.read_manifest(member.rewards, 1)
    table = publication.read_table(member.rewards, manifest, "rewards.csv")
    by_device = {bytes(row["device"]).ljust(32, b"\0"): int(row["reward"]) for row in table}
    return {each.name: by_device[bytes(each.account)] for each in member.net.devices}


async def attest_lies(group: Group) -> None:
    """Both liars attest the same thing, which pays a friend of theirs."""
    for number in LIARS:
        said = Attestation(b"\x01" * 32, 10**9, 4, b"\x02" * 32)
        signer = group.net.world.operators[number]
        record = group.net.world.send(staking.attest(signer.pubkey(), 1, said), signers=[signer])
        assert record.error is None, record.logs


async def test_three_honest_of_five_come_to_the_same(net: Net, empty_sqlite: Path) -> None:
    """Withheld files are handed to one of them just before a round, one in each; all are killed at times."""
    async with group_of(net, empty_sqlite) as group:
        await first_hour(net, group)
        for each in group.members:
            await each.operator.step()
        first = await in_wave(group, 1, [None, 1, 2, 0, 1])
        spot = await in_wave(group, 2, [0, None, None, None, 2])
        await to_evidence(group, restarted=1)
        await attest_lies(group)

        with capture_logs() as logs:
            hashes = [await group.round(0, lambda: group.hand(3, 0))]
            assert len(set(hashes[0])) == 2
            await group.members[1].stop(killed=True)
            await group.members[1].start()
            await group.members[1].operator.step()
            group.connect()
            hashes.append(await group.round(1))
            hashes.append(await group.round(2))
            await group.restart(2)
        # Files are handed on to all once one honest operator has them.
        assert len(set(hashes[2])) == 1
        assert "block.differs" not in {each["event"] for each in logs}
        block = (await staking.read_hours(net.world.chain, [1]))[1]
        assert block.status == BlockStatus.AGREED
        assert block.data_hash.hex() == hashes[2][0]

        record = publication.read_record(
            group.members[0].rewards, publication.read_manifest(group.members[0].rewards, 1)
        )
        keys_of = [str(each.key.pubkey()) for each in group.members]
        # One was killed and has no times of the spot wave, a ghost is no file, what is late counts nowhere.
        assert record.included[str(first.wave.slot)].keys() == set(keys_of[:4])
        assert record.included[str(spot.wave.slot)].keys() == set(keys_of[1:4])
        assert record.evidence.keys() == set(keys_of[:4])
        assert [each.void for each in record.waves] == [False, False]
        verdicts = publication.read_table(
            group.members[0].rewards, publication.read_manifest(group.members[0].rewards, 1), "verdicts.csv"
        )
        late = bytes(net.devices[-1].account)
        for row in verdicts:
            assert row["code"] == (Code.LATE if bytes(row["device"]) == late else Code.PASS)

        net.world.chain.advance(60)
        await finalise_blocks(group.members[0].port)
        assert (await staking.read_config(net.world.chain)).next_hour == 2  # type: ignore[union-attr]
        paid = rewards(group.members[2])
        *punctual, lazy = (paid[each.name] for each in net.devices)
        assert (len(set(punctual)), lazy) == (1, 0)
        assert punctual[0] > 0
