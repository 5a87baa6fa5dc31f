"""An operator that was down for hours has what still matters soon after it is back."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from keeper.chain import ChainUnreachable
from keeper.clients import staking
from keeper.clients.staking import BlockStatus
from keeper.db import Database
from keeper.jobs.blocks import attest_hours
from keeper.jobs.port import Direct
from keeper.operator import behind, collecting
from keeper.operator.behind import AGAIN_SECONDS, MOST_HOURS
from keeper.operator.book import Opened
from keeper.operator.claims import Due
from keeper.operator.hours import HourState
from keeper.operator.operator import Operator
from keeper.operator.waves import Taken
from keeper.pow.codes import Code
from keeper.rewards.history import History
from keeper.rewards.peers import Peers
from keeper.rewards.publication import read_manifest, read_record
from keeper.rewards.work import WorkFolder
from tests.keeper.operator.network import ADDRESS, Net, say
from tests.keeper.operator.serving import serving
from tests.keeper.rewards.hours import PowHours, profiles_in
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START

__all__ = ["database"]

DOWN = range(1, 7)
"""The hours of which the third operator has nothing."""


@pytest.fixture
def hours(tmp_path: Path) -> PowHours:
    return PowHours(tmp_path, StakingWorld.ready(), ("worker a", "worker b"), profiles_in(tmp_path))


@pytest.fixture
def net(hours: PowHours, tmp_path: Path) -> Net:
    """The same world, for services."""
    made = Net(tmp_path, (), hours.world)
    made.profiles = hours.profiles
    return made


async def two_work(hours: PowHours) -> None:
    """Two of three operators have the files of six hours; then it is the seventh."""
    for hour in DOWN:
        wave = await hours.to_wave(hour)
        for device in hours.devices:
            hours.says(wave, device)
        hours.seal(wave, [0, 1])
        for device in hours.devices:
            await hours.opens(wave, device, [0, 1])
        await hours.end(hour, [0, 1])
    hours.world.chain.warp_to(START + 7 * HOUR + 1_000)


async def attest(hours: PowHours, history: History, number: int) -> Path:
    """An operator's keeper puts together what its folder has, and attests; returns where that is."""
    port = Direct(hours.world.chain, hours.world.operators[number], structlog.get_logger())
    rewards = hours.folder / f"rewards{number}"
    work = WorkFolder(hours.folder / f"operator{number}", hours.profiles)
    await attest_hours(port, folder=rewards, work=work, history=history)
    return rewards


async def look(net: Net, operator: Operator, rounds: int) -> list[int]:
    """Rounds of an exchange; returns how many openings of earlier hours it has after each."""
    counts = []
    for _ in range(rounds):
        await net.go(5, operator)
        counts.append(sum(len(operator.desk.book.openings(hour)) for hour in DOWN[:-1]))
    return counts


async def test_down_for_six_hours_it_attests_the_same_as_the_others(
    hours: PowHours, net: Net, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(hours.world.chain, database)
    await history.prepare()
    await two_work(hours)
    hours.write(hours.folder / "operator0")
    theirs = await attest(hours, history, 0)

    monkeypatch.setattr(collecting, "MOST_PAST", 1)
    first = await net.operator(0)
    async with serving(first) as (url, _):
        back = await net.operator(2, peers=[url])
        # One opening a round, the first hour first; after a kill it goes on from what it has.
        assert await look(net, back, 2) == [0, 1]
        assert b"\nionet_pow_hours_behind 6.0\n" in back.figures()
        back.desk.book.close()
        await back.collecting._peers.close()
        back = await net.operator(2, peers=[url])
        with capture_logs() as logs:
            assert await look(net, back, 15) == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9, 10, 10]
        done = [each["hour"] for each in logs if each["event"] == "pow.caught_up"]
        assert done == [1, 2, 3, 4, 5]
        await back.collecting._peers.close()
    for hour in DOWN:
        assert first.desk.store.listing(hour) == back.desk.store.listing(hour)
        assert {each.code for each in back.desk.book.openings(hour)} == {Code.PASS}
        # Of hours in which it wasn't there it says nothing itself.
        assert not back.desk.attended(hour)
    ours = await attest(hours, history, 2)
    for hour in DOWN:
        mine, other = read_manifest(ours, hour), read_manifest(theirs, hour)
        assert mine == other
        assert len(read_record(ours, mine).evidence) == 2
    blocks = await staking.read_hours(hours.world.chain, DOWN)
    assert {each.status for each in blocks.values()} == {BlockStatus.AGREED}
    assert len(blocks) == len(DOWN)


async def test_what_is_agreed_on_isnt_fetched_and_what_is_missing_is_asked_for_again(
    hours: PowHours, net: Net, database: Database
) -> None:
    history = History(hours.world.chain, database)
    await history.prepare()
    await two_work(hours)
    hours.write(hours.folder / "operator0")
    hours.write(hours.folder / "operator1")
    await attest(hours, history, 0)
    await attest(hours, history, 1)
    back = await net.operator(2)
    back.collecting._peers = asked = Asked()
    await look(net, back, 2)
    # Whatever is agreed on, the hour before this one is looked at.
    assert asked.hours() == {6}
    # The guardian has its doubts about one of them, which is open again.
    guardian = hours.world.guardian
    hours.world.do(staking.veto_block(guardian.pubkey(), 3), signers=[guardian])
    await look(net, back, 3)
    assert asked.hours() == {3, 6}
    once = asked.of(3)
    await look(net, back, int(AGAIN_SECONDS / 5) - 3)
    assert asked.of(3) == once == 4
    await look(net, back, 3)
    assert asked.of(3) == 2 * once


async def test_a_node_that_lacks_an_hours_blocks_has_the_others(
    hours: PowHours, net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two_work(hours)
    true = behind.read_hour

    async def lacks(chain, network, hour):
        if hour == 1:
            raise ChainUnreachable("the node has no such block any more")
        return await true(chain, network, hour)

    monkeypatch.setattr(behind, "read_hour", lacks)
    back = await net.operator(2)
    back.collecting._peers = asked = Asked()
    with capture_logs() as logs:
        await look(net, back, 8)
    waits = [each for each in logs if each["event"] == "pow.behind_waits"]
    assert [each["hour"] for each in waits] == [1]
    # Hour 0 had no wave that anybody has a file of.
    assert asked.hours() == {2, 3, 4, 5, 6}


async def test_how_far_back(net: Net) -> None:
    """A week: right openings of earlier hours aren't kept by anybody."""
    back = await net.operator(2)
    net.world.chain.warp_to(START + (MOST_HOURS + 100) * HOUR)
    assert await back.collecting.behind.first(net.world.chain.now()) == 100
    assert MOST_HOURS == 168


async def test_openings_of_waves_that_nobody_looks_at_hold_up_no_others(
    net: Net, hours: PowHours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left over from before it was down: of an hour that is agreed on, no roots are read any more."""
    net.devices = hours.devices
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    proof = net.devices[0].prove(wave.wave, net.profiles)
    assert isinstance(say(operator, net.devices[0].commit(wave.wave, proof.root)), Taken)
    await net.go(70, operator)
    monkeypatch.setattr(collecting, "MOST", 1)
    operator.desk.book.put_opening(Opened(bytes(32), bytes(32), bytes(32), -1, bytes(32), 1, None))
    data = net.devices[0].opening(wave, net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert isinstance(expected, Due)
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))
    assert await operator.collecting.verify() == 1
    assert [each.code for each in operator.desk.book.openings(1)] == [Code.PASS]


async def test_back_hours_after_it_took_openings_it_writes_down_what_it_has_too_late(
    net: Net, hours: PowHours
) -> None:
    """It was there for a part of the hour, and its waves are older than those that are watched again."""
    net.devices = hours.devices
    operator = await net.operator(0)
    wave = await net.until_wave(operator)
    device = net.devices[0]
    proof = device.prove(wave.wave, net.profiles)
    assert isinstance(say(operator, device.commit(wave.wave, proof.root)), Taken)
    await net.go(70, operator)
    data = device.opening(wave, net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert isinstance(expected, Due)
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))
    await net.go(5, operator)
    operator.desk.book.close()
    net.world.chain.warp_to(START + 3 * HOUR + 100)
    back = await net.operator(0)
    with capture_logs() as logs:
        await net.go(10, back)
    assert [each["hour"] for each in logs if each["event"] == "pow.evidence_late"] == [1]
    assert back.desk.book.hour(1)[0] == HourState.LATE  # type: ignore[index]


class Asked(Peers):
    """Peers that have nothing, and what they were asked."""

    def __init__(self) -> None:
        super().__init__([])
        self.paths: list[str] = []

    async def fetch(self, path: str, digest: bytes, most: int) -> bytes | None:
        """Nothing."""
        self.paths.append(path)
        return None

    def hours(self) -> set[int]:
        """The hours whose files were asked for."""
        return {int(path.split("/")[3]) for path in self.paths}

    def of(self, hour: int) -> int:
        """How often files of an hour were asked for."""
        return sum(path.startswith(f"/pow/hours/{hour}/") for path in self.paths)
