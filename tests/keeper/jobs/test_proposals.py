"""Votes to slash: for what an hour's final files prove; once, by each operator, and by nobody else."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from keeper.chain import Event
from keeper.clients import staking
from keeper.clients.staking import Slash, SlashStatus
from keeper.db import Database
from keeper.jobs.blocks import ATTEST_SECONDS, attest_hours, finalise_blocks
from keeper.jobs.port import Direct
from keeper.jobs.proposals import SLASH_BPS, Docket, propose_slashes
from keeper.jobs.slashes import execute_slashes
from keeper.operator.operator import Operator
from keeper.operator.waves import Held
from keeper.pow.prove import prove
from keeper.rewards import publication
from keeper.rewards.hired import Term
from keeper.rewards.history import History
from keeper.rewards.offences import Kind
from keeper.rewards.proofs import offence_path, read_offence
from keeper.rewards.rows import Work
from keeper.rewards.work import WorkFolder
from tests.keeper.operator.network import ADDRESS, Device, Net, say
from tests.keeper.pow.cheats import Spoiling
from tests.keeper.runtime.conftest import database
from tests.programs.world import DAY, HOUR, START

__all__ = ["database"]

LOG = structlog.get_logger()
OTHER_ROOT = bytes([1]) * 32


@dataclass
class Case:
    """A network in whose hour 1 a device signed two roots; its block is final, and nobody has voted."""

    net: Net
    folder: Path
    database: Database
    liar: Device

    def operator(self, number: int) -> Keypair:
        return self.net.world.operators[number]

    def docket(self, number: int) -> Docket:
        """An operator's, which a restarted keeper has anew."""
        history = History(self.net.world.chain, self.database)
        return Docket(self.folder / f"rewards{number}", self.folder / "files", self.net.profiles, history)

    async def propose(self, number: int) -> list[Event]:
        """Run an operator's job."""
        port = Direct(self.net.world.chain, self.operator(number), LOG)
        return await propose_slashes(port, docket=self.docket(number))

    async def slashes(self) -> list[Slash]:
        return await staking.read_slashes(self.net.world.chain)

    def device(self) -> staking.Device:
        return self.net.world.read_device(self.liar.name)


async def attested(net: Net, folder: Path, database: Database) -> None:
    """Let two operators attest what has ended."""
    for number in (0, 1):
        await attest_hours(
            Direct(net.world.chain, net.world.operators[number], LOG),
            folder=folder / f"rewards{number}",
            work=WorkFolder(folder / "files", net.profiles),
            history=History(net.world.chain, database),
        )


async def final_hour(net: Net, folder: Path, database: Database) -> None:
    """Let hours 0 and 1 be attested by two operators, and become final."""
    chain = net.world.chain
    chain.warp_to(START + HOUR + ATTEST_SECONDS + 60)
    await attested(net, folder, database)
    chain.advance(HOUR)
    assert len(await finalise_blocks(Direct(chain, net.world.payer, LOG))) == 2


@pytest.fixture
async def case(tmp_path: Path, database: Database) -> Case:
    net = Net(tmp_path)
    operators = [await net.operator(number) for number in (0, 1)]
    wave = await net.until_wave(*operators)
    for device in net.devices:
        proof = device.prove(wave.wave, net.profiles)
        for operator in operators:
            say(operator, device.commit(wave.wave, proof.root))
    liar = net.devices[0]
    # One root to one operator, another to the other: each has one, and no idea.
    held = operators[1].desk.intake.waves[wave.wave.seed]
    del held.taken[bytes(liar.account)]
    say(operators[1], liar.commit(wave.wave, OTHER_ROOT))
    await net.go(140, *operators)
    net.world.chain.warp_to(START + 2 * HOUR + 75)
    await net.go(100, *operators)
    for number, operator in enumerate(operators):
        operator.close()
        shutil.copytree(tmp_path / f"operator{number}", tmp_path / "files", dirs_exist_ok=True)
    await History(net.world.chain, database).prepare()
    return Case(net, tmp_path, database, liar)


async def test_operators_vote_once_for_what_is_final(case: Case) -> None:
    assert await case.propose(0) == []  # Nothing is published.
    await final_hour(case.net, case.folder, case.database)
    (first,) = await case.propose(0)
    assert (first.name, first.fields["pending"]) == ("SlashVoted", False)
    assert await case.propose(0) == []
    (slash,) = await case.slashes()
    assert (slash.device, slash.status) == (case.liar.account, SlashStatus.VOTING)
    offence = read_offence(case.folder / "rewards0", slash.evidence)
    assert (offence.kind, offence.worker) == (Kind.CONFLICT, case.liar.worker.pubkey())
    assert OTHER_ROOT in {act.commit.message.root for act in offence.acts}
    with capture_logs() as logs:
        (second,) = await case.propose(1)
    assert (second.fields["bps"], second.fields["pending"]) == (SLASH_BPS, True)
    assert [each["event"] for each in logs] == ["slash.voted"]
    path = offence_path(slash.evidence)
    files = {(case.folder / f"rewards{number}" / path).read_bytes() for number in (0, 1)}
    assert files == {offence.encode()}
    # It is pending: neither the third nor a restarted one adds to it.
    for number in (0, 1, 2):
        assert await case.propose(number) == []
    assert case.device().slash_pending


async def test_before_an_hour_is_final_nobody_votes(case: Case) -> None:
    case.net.world.chain.warp_to(START + HOUR + ATTEST_SECONDS + 60)
    await attested(case.net, case.folder, case.database)
    assert await case.propose(0) == []
    assert await case.slashes() == []


async def test_whoever_is_no_operator_votes_not(case: Case) -> None:
    await final_hour(case.net, case.folder, case.database)
    port = Direct(case.net.world.chain, case.net.world.payer, LOG)
    assert await propose_slashes(port, docket=case.docket(0)) == []


async def test_after_a_veto_nobody_votes_again(case: Case) -> None:
    await final_hour(case.net, case.folder, case.database)
    for number in (0, 1):
        await case.propose(number)
    (slash,) = await case.slashes()
    world = case.net.world
    veto = staking.veto_slash(world.guardian.pubkey(), case.device(), slash.evidence)
    world.do(veto, signers=[world.guardian])
    for number in (0, 1, 2):
        assert await case.propose(number) == []
    assert [each.status for each in await case.slashes()] == [SlashStatus.VETOED]


async def test_a_lease_excuses_its_own_device(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    await final_hour(case.net, case.folder, case.database)
    for device, votes in ((case.net.devices[0], 0), (case.net.devices[1], 1)):

        async def leases(history: History, device: Device = device) -> list[Term]:
            return [Term(device.account, 3, START)]

        monkeypatch.setattr(History, "leases", leases)
        assert len(await case.propose(0)) == votes


async def test_an_ex_renter_with_the_workers_key_burns_nobodys_stake(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It signs a second root a month after its lease. That costs the device pay, as it costs a cheat."""
    await final_hour(case.net, case.folder, case.database)

    async def leases(history: History) -> list[Term]:
        return [Term(case.liar.account, 1, START - 30 * DAY, START - 30 * DAY + HOUR)]

    monkeypatch.setattr(History, "leases", leases)
    for number in (0, 1, 2):
        assert await case.propose(number) == []
    assert await case.slashes() == []
    rewards = case.folder / "rewards0"
    seen = publication.read_table(rewards, publication.read_manifest(rewards, 1), "observed.csv")
    works = {Pubkey(bytes(row["device"]).ljust(32, b"\0")): Work(row["work"]) for row in seen}
    assert works[case.liar.account] == Work.FAILED


async def test_ending_a_device_saves_no_stake_of_it(case: Case) -> None:
    """What it signed is known to its supplier hours before anybody votes."""
    world, device = case.net.world, case.device()
    supplier = world.person(f"supplier of {case.liar.name}")
    ended = [staking.terminate_device(device), staking.unstake(device)]
    for call in ended:
        world.do(call, signers=[supplier])
    await final_hour(case.net, case.folder, case.database)
    for number in (0, 1):
        assert len(await case.propose(number)) == 1
    (slash,) = await case.slashes()
    assert (slash.device, slash.status) == (case.liar.account, SlashStatus.PENDING)
    before = case.device()
    assert (before.terminated, before.own, before.slash_pending) == (True, 0, True)
    world.chain.warp_to(slash.appeal_until)
    (burned,) = await execute_slashes(Direct(world.chain, world.payer, LOG))
    assert burned.fields["burned"] == before.own_cooling * SLASH_BPS // 10_000 > 0


def open_to(net: Net, operator: Operator, wave: Held, number: int) -> None:
    """Hand an opening in, without a socket."""
    own = operator.desk.intake.waves[wave.wave.seed]
    data = net.devices[number].opening(own, net.profiles)
    expected = operator.desk.intake.expected(data[:96], len(data), ADDRESS, net.monotonic())
    assert operator.desk.intake.bind(expected, data[96:]) is None
    operator.collecting.keep(expected, data[96:], operator.desk.store.put_opening(data[96:]))


async def wrong_hour(net: Net, operators: list[Operator], hour: int) -> None:
    """An hour in which a device commits to a wrong product and opens it, and its end."""
    device = net.devices[0]
    while not (found := [each for each in operators[0].desk.intake.waves.values() if each.wave.hour == hour]):
        await net.go(5, *operators)
    wave = found[0]

    def spoil(c: Any) -> None:
        c[:] += 1

    device.proofs[wave.wave.seed] = prove(Spoiling(spoil), wave.wave.seed, device.account, net.profiles[0], 1)
    for operator in operators:
        say(operator, device.commit(wave.wave, device.proofs[wave.wave.seed].root))
    await net.go(75, *operators)
    for operator in operators:
        open_to(net, operator, wave, 0)
    await net.go(70, *operators)
    net.world.chain.warp_to(START + (hour + 1) * HOUR + 75)
    await net.go(100, *operators)


async def test_wrong_work_takes_two_waves(tmp_path: Path, database: Database) -> None:
    net = Net(tmp_path)
    operators = [await net.operator(number) for number in (0, 1)]
    for operator in operators:
        await operator.step()
    case = Case(net, tmp_path, database, net.devices[0])
    await History(net.world.chain, database).prepare()
    for hour in (1, 2):
        await wrong_hour(net, operators, hour)
    for number in (0, 1):
        shutil.copytree(tmp_path / f"operator{number}", tmp_path / "files", dirs_exist_ok=True)
    for hour, votes in ((1, 0), (2, 1)):
        # Of hour 2 nothing is final yet when hour 1 is.
        net.world.chain.warp_to(max(net.world.chain.now(), START + hour * HOUR + ATTEST_SECONDS))
        await attested(net, tmp_path, database)
        net.world.chain.advance(HOUR)
        await finalise_blocks(Direct(net.world.chain, net.world.payer, LOG))
        assert net.world.staking_config().next_hour == hour + 1
        assert len(await case.propose(0)) == votes
    (slash,) = await case.slashes()
    offence = read_offence(tmp_path / "rewards0", slash.evidence)
    assert (offence.kind, offence.device) == (Kind.WRONG_WORK, net.devices[0].account)
    assert len(await case.propose(1)) == 1
    assert [each.status for each in await case.slashes()] == [SlashStatus.PENDING]


async def test_files_that_are_gone_prove_nothing(case: Case) -> None:
    await final_hour(case.net, case.folder, case.database)
    shutil.rmtree(case.folder / "files" / "1")
    with capture_logs() as logs:
        assert await case.propose(0) == []
    assert [each["event"] for each in logs] == ["slash.unproven"]
    assert await case.slashes() == []
