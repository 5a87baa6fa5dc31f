"""Three operators with keys, observations, files and databases of their own, some of whom lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from structlog.testing import capture_logs

from keeper import tables
from keeper.chain import TransactionFailed
from keeper.clients import staking
from keeper.clients.staking import Attestation, BlockStatus
from keeper.db import Database
from keeper.economy.supply import IO
from keeper.jobs.blocks import ATTEST_SECONDS
from keeper.jobs.names import ATTEST
from keeper.jobs.port import Job
from keeper.rewards import publication, recomputed
from keeper.rewards.history import History
from keeper.rewards.rows import OBSERVATION
from keeper.runtime import wiring
from keeper.runtime.keeper import JobOutcome, Keeper
from keeper.runtime.readiness import reasons
from keeper.runtime.wiring import chosen_jobs
from keeper.settings import Settings
from keeper.tables import keys
from tests.keeper.rewards.seen import seen_in
from tests.keeper.runtime.keepers import events_of, figure, new_keeper
from tests.programs.staking.world import StakingWorld, reward_tree
from tests.programs.world import DAY, HOUR, START, finish, key

WORKERS = ("worker a", "worker b")

DUE = START + ATTEST_SECONDS - HOUR
"""So many hours after this that many can be attested."""


@pytest.fixture
def world() -> StakingWorld:
    """Two suppliers with a device each, staked since before the first hour; all signatures are checked."""
    world = StakingWorld.ready(verify_signatures=True)
    for name in WORKERS:
        supplier = world.earner(f"supplier of {name}", 10_000 * IO)
        world.do(staking.stake(world.device(name, supplier), 1_000 * IO), signers=[supplier])
    world.earner("liar's friend")
    return world


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen of devices is in tables: what is under test is how operators agree."""
    monkeypatch.setattr(wiring, "WorkFolder", seen_in)


def configured(names: list[str], rewards: Path, observations: Path, history: History) -> dict[str, Job]:
    """Jobs of a keeper that never bids."""
    return chosen_jobs(Settings(rewards=rewards, pow=observations), names, history)


class Operator:
    """A keeper that can be restarted, with all that is its own."""

    def __init__(self, world: StakingWorld, number: int, folder: Path, empty: Path) -> None:
        self.world, self.number = world, number
        self.signer = world.operators[number]
        self.observations, self.rewards = folder / "observations", folder / "rewards"
        self.observations.mkdir(parents=True)
        shutil.copy(empty, folder / "keeper.db")
        self.database = Database(f"sqlite:///{folder}/keeper.db")
        self.job: Job | None = None
        self.keeper = self._new()

    def _new(self) -> Keeper:
        names = [ATTEST, "blocks"]
        self.history = History(self.world.chain, self.database)
        chosen = configured(names, self.rewards, self.observations, self.history)
        if self.job:
            chosen[ATTEST] = self.job
        return new_keeper(
            self.world.chain,
            self.signer,
            self.database,
            chosen,
            rewards=self.rewards,
            name=f"operator {self.number}",
        )

    def lies(self, job: Job) -> None:
        """From now on it attests whatever ``job`` does."""
        self.job = job
        self.keeper = self._new()

    async def restart(self) -> None:
        """As after a kill: what isn't in files is gone."""
        await self.stop()
        self.keeper = self._new()

    async def stop(self) -> None:
        await self.keeper.resign()
        await self.database.close()

    def observe(self, hour: int, worked: tuple[str, ...] = WORKERS) -> None:
        """Write what it saw in an hour."""
        rows = np.zeros(len(WORKERS), OBSERVATION)
        rows["device"] = keys([staking.device_address(key(each).pubkey()) for each in WORKERS])
        rows["up_since"], rows["online"] = START - DAY, 1
        rows["work"] = [name in worked for name in WORKERS]
        rows = rows[np.argsort(rows["device"])]
        (self.observations / f"{hour}.csv").write_bytes(b"".join(tables.encode(rows)))

    async def attest(self) -> JobOutcome | None:
        return await self.keeper.run_job(ATTEST)

    async def finalise(self) -> JobOutcome | None:
        return await self.keeper.run_job("blocks")


@pytest.fixture
async def operators(world, tmp_path, empty_sqlite):
    found = [Operator(world, n, tmp_path / f"operator {n}", empty_sqlite) for n in range(3)]
    for each in found:
        await each.history.prepare()
    yield found
    for each in found:
        await each.stop()


def says(world: StakingWorld, liar: Operator, change: Callable[[Attestation], Attestation]) -> None:
    """Let an operator attest something else than what it computed."""

    async def job(port):
        folder = liar.rewards.parent / "the truth"
        true = configured([ATTEST], folder, liar.observations, liar.history)[ATTEST]

        async def lie(actions):
            hour = int(max(folder.iterdir(), key=lambda each: int(each.name)).name)
            said = change(publication.read_manifest(folder, hour).attestation)
            instructions = (staking.attest(port.payer, hour, said),)
            return await port.do([replace(actions[0], key="a lie", instructions=instructions)])

        return await true(SimpleNamespace(chain=port.chain, payer=port.payer, log=port.log, do=lie))

    liar.lies(job)


def steals(world: StakingWorld, liar: Operator) -> None:
    """All of the hour to a friend."""
    friend = key("liar's friend").pubkey()

    def change(said: Attestation) -> Attestation:
        return replace(said, root=reward_tree({friend: said.total}).root)

    says(world, liar, change)


def misstates_the_total(world: StakingWorld, liar: Operator) -> None:
    says(world, liar, lambda said: replace(said, total=said.total - 1))


def misstates_the_devices(world: StakingWorld, liar: Operator) -> None:
    says(world, liar, lambda said: replace(said, devices=said.devices + 1))


def hides_its_files(world: StakingWorld, liar: Operator) -> None:
    says(world, liar, lambda said: replace(said, data_hash=b"h" * 32))


def saw_other_things(world: StakingWorld, liar: Operator) -> None:
    """A block that follows from what it says it saw, and published so."""
    liar.observe(0, worked=WORKERS[:1])


def block(world: StakingWorld, hour: int) -> staking.Block:
    return finish(staking.read_hours(world.chain, [hour]))[hour]


def paid(world: StakingWorld) -> list[int]:
    names = [*(f"supplier of {name}" for name in WORKERS), "liar's friend"]
    return [world.balance(key(name).pubkey()) for name in names]


@pytest.mark.parametrize("turn", [0, 1], ids=["liar first", "liar second"])
@pytest.mark.parametrize(
    "lie", [steals, misstates_the_total, misstates_the_devices, hides_its_files, saw_other_things]
)
async def test_one_lies_and_two_are_enough(world, operators, lie, turn):
    for each in operators:
        each.observe(0)
    liar = operators[2]
    lie(world, liar)
    world.chain.warp_to(DUE + HOUR)
    honest = operators[:2]
    order = [*honest[:turn], liar, *honest[turn:]]
    for each in order:
        assert await each.attest() is JobOutcome.OK

    found = block(world, 0)
    truth = recomputed.verify(honest[0].rewards, 0)
    assert recomputed.verify(honest[1].rewards, 0) == truth
    assert (found.status, found.root.hex(), found.data_hash.hex()) == (
        BlockStatus.AGREED,
        truth.root,
        truth.hash,
    )
    said = found.vote(world.staking_config(), liar.signer.pubkey())
    assert said and said != truth.attestation.hash, "the lie is on chain, signed"

    for each in honest:
        with capture_logs() as logs:
            for _ in range(2):
                await each.keeper.look()
        conflicts = [log for log in logs if log["event"] == "block.conflict"]
        operator = str(liar.signer.pubkey())
        assert conflicts == [
            {
                "event": "block.conflict",
                "log_level": "error",
                "hour": 0,
                "operator": operator,
                "said": said.hex(),
            }
        ], "once, and about nobody else"
        assert figure(each.keeper, "ionet_block_conflicts_total", operator=operator) == 1
        assert figure(each.keeper, "ionet_block_hour", stage="attested") == 0
        assert figure(each.keeper, "ionet_block_hour", stage="final") == -1

    before = paid(world)
    world.chain.advance(HOUR)
    assert await liar.finalise() is JobOutcome.OK, "even a liar finalises what the others agreed on"
    assert block(world, 0).status == BlockStatus.FINAL
    assert world.staking_config().final_total == truth.total
    await honest[0].keeper.look()
    assert figure(honest[0].keeper, "ionet_block_hour", stage="final") == 0

    friend = key("liar's friend").pubkey()
    stolen = staking.claim(0, friend, truth.total, reward_tree({friend: truth.total}).proof(0))
    with pytest.raises(TransactionFailed):
        await world.chain.send([stolen], [world.payer])
    assert paid(world) == before, "nothing is paid by a lie"
    for name in WORKERS:
        supplier = key(f"supplier of {name}").pubkey()
        mine = publication.claimable(honest[0].rewards, 0, supplier)
        world.do(staking.claim(0, supplier, mine.lifetime, mine.proof))
    gained = [after - had for after, had in zip(paid(world), before, strict=True)]
    assert gained[2] == 0 and min(gained[:2]) > 0 and sum(gained) == truth.total


async def test_a_liar_who_comes_late_is_told_and_refused(world, operators):
    for each in operators:
        each.observe(0)
    saw_other_things(world, operators[2])
    world.chain.warp_to(DUE + HOUR)
    for each in operators[:2]:
        await each.attest()
    agreed = block(world, 0)
    with capture_logs() as logs:
        await operators[2].attest()
    assert "block.differs" in events_of(logs)
    own = publication.read_manifest(operators[2].rewards, 0).attestation
    forced = staking.attest(operators[2].signer.pubkey(), 0, own)
    with pytest.raises(TransactionFailed):
        await world.chain.send([forced], [operators[2].signer])
    assert block(world, 0) == agreed


async def test_two_lie_differently_and_nothing_is_final_until_two_agree(world, operators):
    honest, thief, mistaken = operators
    for hour in range(6):
        for each in operators:
            each.observe(hour)
    steals(world, thief)
    saw_other_things(world, mistaken)
    world.chain.warp_to(DUE + HOUR)
    for each in operators:
        assert await each.attest() is JobOutcome.OK
    assert block(world, 0).status == BlockStatus.OPEN
    with capture_logs() as logs:
        await honest.keeper.look()
    liars = {str(each.signer.pubkey()) for each in (thief, mistaken)}
    assert {each["operator"] for each in logs if each["event"] == "block.conflict"} == liars

    before = paid(world)
    world.chain.advance(6 * HOUR)
    for each in operators:
        assert await each.finalise() is JobOutcome.OK
    assert block(world, 0).status == BlockStatus.OPEN and world.staking_config().final_total == 0
    await honest.keeper.look()
    assert "6 hours could be final and are not" in reasons(honest.keeper)["blocks"]
    assert figure(honest.keeper, "ionet_final_lag_hours") == 6
    assert paid(world) == before

    # Whoever was wrong looks again, removes what it had published, and says so.
    mistaken.observe(0)
    shutil.rmtree(mistaken.rewards)
    await mistaken.restart()
    await mistaken.attest()
    found = block(world, 0)
    assert (found.status, found.root.hex()) == (
        BlockStatus.AGREED,
        recomputed.verify(honest.rewards, 0).root,
    )
    world.chain.advance(HOUR)
    await honest.finalise()
    assert block(world, 0).status == BlockStatus.FINAL


@pytest.mark.parametrize("lost", [False, True], ids=["files kept", "files lost"])
async def test_a_keeper_that_is_restarted_in_between_goes_on(world, operators, lost):
    first, second, _ = operators
    for hour in range(4):
        for each in (first, second):
            each.observe(hour)
    for hour in range(4):
        world.chain.warp_to(DUE + (hour + 1) * HOUR)
        await first.attest()
        if hour == 1:  # it has published and attested an hour that nobody agreed on yet
            await first.restart()
            if lost:
                shutil.rmtree(first.rewards / "1")
            await first.attest()
            manifest = recomputed.verify(first.rewards, 1)
            vote = block(world, 1).vote(world.staking_config(), first.signer.pubkey())
            assert vote == manifest.attestation.hash, "the same block, from the same observations"
        if hour == 2:
            await second.restart()
        await second.attest()
        assert block(world, hour).status == BlockStatus.AGREED
        await second.finalise()
    world.chain.advance(HOUR)
    await first.finalise()
    assert world.staking_config().next_hour == 4
    await first.keeper.look()
    assert figure(first.keeper, "ionet_transactions", keeper_job="blocks", state="final") == 1
    assert figure(first.keeper, "ionet_transactions", keeper_job="attest", state="final") == 4
