"""The jobs of blocks, slashes and price votes: due, not due, twice, beside others, when something differs."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from solders.keypair import Keypair
from structlog.testing import capture_logs

from keeper.clients import staking, tokenomics
from keeper.clients.staking import Attestation, BlockStatus
from keeper.db import Database
from keeper.db.tables import INTENTS
from keeper.economy.supply import IO
from keeper.jobs.blocks import ATTEST_SECONDS, attest_hours, finalise_blocks
from keeper.jobs.port import Direct
from keeper.jobs.prices import keep_prices
from keeper.jobs.slashes import execute_slashes
from keeper.jobs.tokenomics import count_burns
from keeper.rewards import publication, recomputed
from keeper.rewards.rows import OBSERVATION
from keeper.tables import keys
from tests.keeper.jobs.test_tokenomics import overtaken
from tests.keeper.rewards.seen import Seen
from tests.keeper.runtime.keepers import indexed, new_keeper
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START, World, finish, key
from tests.security.tokens import freeze_anyway

LOG = structlog.get_logger()

DUE = START + ATTEST_SECONDS - HOUR
"""So many hours after this that many can be attested."""


async def observe(hour: int) -> np.ndarray:
    rows = np.zeros(1, OBSERVATION)
    rows["device"] = keys([staking.device_address(key("worker").pubkey())])
    rows["up_since"], rows["online"], rows["work"] = START - DAY, 1, 1
    return rows


@pytest.fixture
def world() -> StakingWorld:
    """A device that is staked since before the first hour; parameters change after an hour's notice."""
    world = StakingWorld.ready(notice=HOUR)
    supplier = world.earner("supplier", 10_000 * IO)
    device = world.device("worker", supplier)
    world.do(staking.stake(device, 1_000 * IO), signers=[supplier])
    return world


async def attest(world: StakingWorld, folder: Path, operator: int = 0, **changed):
    async with indexed(world.chain, folder / f"operator-{operator}.db") as history:
        options = {
            "folder": folder / f"operator-{operator}",
            "work": Seen(observe),
            "history": history,
            **changed,
        }
        return await attest_hours(Direct(world.chain, world.operators[operator], LOG), **options)


def nothing_needed(folder: Path) -> dict[str, Any]:
    """Options of a job that stops before it reads anything."""
    return {"folder": folder, "work": Seen(observe), "history": None}


def block(world: StakingWorld, hour: int) -> staking.Block:
    return finish(staking.read_hours(world.chain, [hour]))[hour]


def events_of(logs: list) -> list[str]:
    return [each["event"] for each in logs]


async def test_sol_that_a_stranger_sent_to_where_a_block_will_be_stops_no_hour(
    world: StakingWorld, tmp_path: Path
) -> None:
    """Any key's next address can be told in advance, and what it takes to be there is a tenth of a cent."""
    world.chain.warp_to(DUE + HOUR)
    world.chain.airdrop(staking.block_address(0), 1_000_000)
    assert finish(staking.read_hours(world.chain, [0])) == {}
    events = await attest(world, tmp_path)
    assert [each.name for each in events] == ["Attested"]
    assert block(world, 0).hour == 0


async def test_three_keepers_make_a_block(world, tmp_path):
    for operator in range(3):
        assert await attest(world, tmp_path, operator) == [], "no hour has ended"
    world.chain.warp_to(DUE + HOUR)
    assert len(await attest(world, tmp_path, 0)) == 1
    assert await attest(world, tmp_path, 0) == [], "it has said so already"
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    (event,) = await attest(world, tmp_path, 1)
    assert (event.fields["agreed"], event.fields["conflict"]) == (True, False)
    assert await attest(world, tmp_path, 2) == [], "enough have"
    hashes = {publication.read_manifest(tmp_path / f"operator-{n}", 0).hash for n in range(3)}
    assert len(hashes) == 1
    world.chain.advance(HOUR - 1)
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    (event,) = await finalise_blocks(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["hour"]) == ("BlockFinalised", 0)
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    manifest = recomputed.verify(tmp_path / "operator-0", 0)
    assert block(world, 0).root.hex() == manifest.root
    assert manifest.paid == manifest.pot == world.staking_config().final_total > 0


async def test_hours_that_were_missed_are_made_up_for(world, tmp_path):
    world.chain.warp_to(DUE + 5 * HOUR)
    for operator in (0, 1):
        events = await attest(world, tmp_path, operator)
        assert [each.fields["hour"] for each in events] == [0, 1, 2, 3, 4]
    world.chain.advance(HOUR)
    assert len(await finalise_blocks(Direct(world.chain, world.payer, LOG))) == 5


async def test_old_blocks_are_closed_and_their_rent_returned(world, tmp_path):
    payer = world.operators[0].pubkey()
    for hour in range(50):
        world.chain.warp_to(DUE + (hour + 2) * HOUR)
        for operator in (0, 1):
            await attest(world, tmp_path, operator)
        await finalise_blocks(Direct(world.chain, world.payer, LOG))
    world.chain.advance(HOUR)
    before = world.account(payer).lamports
    events = await finalise_blocks(Direct(world.chain, world.payer, LOG))
    assert [(each.name, each.fields["hour"]) for each in events][-1] == ("BlockClosed", 2)
    assert world.account(payer).lamports > before
    hours = [each.hour for each in await staking.read_blocks(world.chain)]
    assert (hours[0], world.staking_config().next_hour) == (3, 51)


async def test_nothing_was_observed(world, tmp_path):
    async def nothing(hour: int) -> None:
        return None

    world.chain.warp_to(DUE + HOUR)
    with capture_logs() as logs:
        assert await attest(world, tmp_path, work=Seen(nothing)) == []
    assert events_of(logs) == ["block.not_final_yet"]
    assert not list(tmp_path.rglob("*.json"))


async def test_who_is_no_operator(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    with capture_logs() as logs:
        assert await attest_hours(Direct(world.chain, Keypair(), LOG), **nothing_needed(tmp_path)) == []
    assert events_of(logs) == ["blocks.not_an_operator"]


async def test_before_there_is_anything(tmp_path):
    world = World.launched()
    with capture_logs() as logs:
        assert await attest_hours(Direct(world.chain, world.payer, LOG), **nothing_needed(tmp_path)) == []
    assert events_of(logs) == ["blocks.not_initialised"]
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    assert await count_burns(Direct(World().chain, world.payer, LOG)) == []


async def test_others_agreed_on_something_else(world, tmp_path):
    """An operator who computed another block says so and stops: its next hours would differ, too."""
    world.chain.warp_to(DUE + 2 * HOUR)
    world.attest(0, Attestation(b"r" * 32, 1, 1, bytes(32)))
    with capture_logs() as logs:
        assert await attest(world, tmp_path, 2) == []
    assert events_of(logs) == ["block.published", "block.differs"]
    assert block(world, 0).root == b"r" * 32


async def test_a_vetoed_block_is_attested_again(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    guardian = world.guardian
    world.do(staking.veto_block(guardian.pubkey(), 0), signers=[guardian])
    for operator in (0, 1):
        assert len(await attest(world, tmp_path, operator)) == 1
    assert block(world, 0).status == BlockStatus.AGREED


async def test_an_hour_before_that_is_missing(world, tmp_path):
    """A keeper that joins late, saw nothing and knows no peer says what it needs."""

    async def saw(hour: int) -> np.ndarray | None:
        return await observe(hour) if hour else None

    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    world.chain.advance(HOUR)
    await finalise_blocks(Direct(world.chain, world.payer, LOG))
    with capture_logs() as logs:
        assert await attest(world, tmp_path, 2, work=Seen(saw)) == []
    assert events_of(logs) == ["block.not_final_yet", "block.unpublished"]
    assert "IONET_PEERS" in logs[1]["reason"]
    assert [each.fields["hour"] for each in await attest(world, tmp_path, 2)] == [1], "or makes it up"
    hashes = {publication.read_manifest(tmp_path / f"operator-{n}", 0).hash for n in (0, 2)}
    assert len(hashes) == 1


async def test_a_pause_delays_finality(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    guardian, until = world.guardian, world.chain.now() + DAY
    world.do(staking.set_pause(guardian.pubkey(), staking.PAUSE_REWARDS, until), signers=[guardian])
    world.chain.advance(DAY - 1)
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    assert len(await finalise_blocks(Direct(world.chain, world.payer, LOG))) == 1


async def test_while_emission_is_paused_what_needs_it_is_not_due(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    guardian, until = world.guardian, world.chain.now() + DAY
    world.do(tokenomics.set_pause(guardian.pubkey(), tokenomics.PAUSE_EMISSION, until), signers=[guardian])
    world.chain.advance(DAY - 1)
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    assert len(await finalise_blocks(Direct(world.chain, world.payer, LOG))) == 1


async def test_a_block_that_is_refused_ends_the_run(world, database):
    """Its intent waits longer each time and is parked in the end; the job goes on to the next run."""
    first, second = (Attestation(bytes([n]) * 32, total, 1, b"d" * 32) for n, total in ((1, 50), (2, 100)))
    freeze_anyway(world, tokenomics.REWARD_VAULT)
    world.chain.warp_to(DUE + 2 * HOUR)
    for hour, said in enumerate((first, second)):
        for operator in world.operators[:2]:
            world.do(staking.attest(operator.pubkey(), hour, said), signers=[operator])
    world.chain.advance(HOUR)
    keeper = new_keeper(world.chain, world.payer, database, {"blocks": finalise_blocks})
    for _ in range(12):
        await asyncio.wait_for(keeper.run_job("blocks"), 20)
        world.chain.advance(600)
    await keeper.resign()
    (row,) = await parked(database)
    assert row.key.startswith("block:0:finalise:")
    assert row.reason == "a token account is frozen", "emission that the root needs can't come in"
    assert [block(world, hour).status for hour in (0, 1)] == [BlockStatus.AGREED] * 2


async def parked(database: Database) -> list[sa.Row[Any]]:
    async with database.reading() as connection:
        return list(await connection.execute(sa.select(INTENTS).filter_by(state="parked")))


async def test_an_operator_that_takes_its_word_back_and_says_it_again(world, tmp_path, database):
    work = 1

    async def observe_work(hour: int) -> np.ndarray:
        rows = await observe(hour)
        rows["work"] = work
        return rows

    world.chain.warp_to(DUE + HOUR)
    said = []
    async with indexed(world.chain, tmp_path / "index.db") as history:
        job = partial(attest_hours, folder=tmp_path / "rewards", work=Seen(observe_work), history=history)
        keeper = new_keeper(world.chain, world.operators[0], database, {"attest": job})
        for seen in (1, 2, 1):
            work = seen
            shutil.rmtree(tmp_path / "rewards", ignore_errors=True)
            await keeper.run_job("attest")
            terms = finish(staking.read_config(world.chain))
            said.append(block(world, 0).vote(terms, world.operators[0].pubkey()))
        await keeper.resign()
    assert said[0] == said[2] != said[1]


async def test_finality_beside_another_keeper(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    world.chain.advance(HOUR)
    overtaken(world)
    with capture_logs() as logs:
        assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    assert events_of(logs) == ["keeper.others_were_faster"]
    assert block(world, 0).status == BlockStatus.FINAL


async def test_slashes_are_carried_out_and_counted(world):
    device, evidence = world.read_device("worker"), b"e" * 32
    for operator in world.operators[:2]:
        world.do(staking.vote_slash(operator.pubkey(), device, evidence, 2_000), signers=[operator])
    world.chain.advance(30 * DAY - 1)
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    assert await count_burns(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    (event,) = await execute_slashes(Direct(world.chain, world.payer, LOG))
    assert event.fields["burned"] == 200 * IO
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    (event,) = await count_burns(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["amount"]) == ("BurnsCounted", 200 * IO)
    assert await count_burns(Direct(world.chain, world.payer, LOG)) == []
    assert (await tokenomics.read_supply(world.chain)).burned == 200 * IO


EVIDENCE = b"e" * 32


def vote(world: StakingWorld, *operators: Keypair) -> None:
    """Vote to take a fifth of the worker's stakes."""
    device = world.read_device("worker")
    for operator in operators:
        world.do(staking.vote_slash(operator.pubkey(), device, EVIDENCE, 2_000), signers=[operator])


def apply(world: StakingWorld, operators: Sequence[Keypair]) -> None:
    """Put a list of operators in force, an hour later."""
    changed = replace(world.staking_config().params, operators=tuple(each.pubkey() for each in operators))
    world.do(staking.propose_params(world.admin.pubkey(), changed), signers=[world.admin])
    world.chain.advance(HOUR)
    world.do(staking.apply_params())


async def test_a_change_of_parameters_alone_voids_nothing(world):
    vote(world, *world.operators[:2])
    apply(world, world.operators)
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(30 * DAY - HOUR)
    (event,) = await execute_slashes(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["burned"]) == ("Slashed", 200 * IO)


async def test_a_slash_that_lost_its_operators_is_voided(world):
    """Once; the stakes stay frozen until its own appeal would have ended, and nobody has to free them."""
    first, second, third = world.operators
    vote(world, first, second)
    apply(world, [world.person("heir"), second, third])
    with capture_logs() as logs:
        (event,) = await execute_slashes(Direct(world.chain, world.payer, LOG))
    assert (event.name, events_of(logs)) == ("SlashVoided", ["slash.voided"])
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    device = world.read_device("worker")
    assert (device.slash_pending, device.frozen_until) == (False, world.chain.now() - HOUR + 30 * DAY)
    world.chain.warp_to(device.frozen_until)
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []


async def test_a_voided_slash_burns_after_new_votes_and_an_appeal_of_their_own(world):
    """By a keeper that remembers that it has voided it."""
    first, second, third = world.operators
    vote(world, first, second)
    apply(world, [world.person("heir"), second, third])
    await execute_slashes(Direct(world.chain, world.payer, LOG))
    vote(world, third)
    world.chain.advance(30 * DAY - 1)
    assert await execute_slashes(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    (event,) = await execute_slashes(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["burned"]) == ("Slashed", 200 * IO)


async def test_a_block_that_lost_its_operators_is_opened_and_attested_again(world, tmp_path):
    """What those who stayed attested stands: one more is enough."""
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    apply(world, [world.person("heir"), *world.operators[1:]])
    with capture_logs() as logs:
        (event,) = await finalise_blocks(Direct(world.chain, world.payer, LOG))
    assert (event.name, events_of(logs)) == ("BlockReopened", ["block.reopened"])
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []
    events = await attest(world, tmp_path, 2)
    assert [each.fields["agreed"] for each in events if each.fields["hour"] == 0] == [True]
    world.chain.advance(HOUR)
    assert "BlockFinalised" in [e.name for e in await finalise_blocks(Direct(world.chain, world.payer, LOG))]


async def test_an_operator_opens_a_block_again_by_attesting_it(world, tmp_path):
    world.chain.warp_to(DUE + HOUR)
    for operator in (0, 1):
        await attest(world, tmp_path, operator)
    apply(world, [world.person("heir"), *world.operators[1:]])
    with capture_logs() as logs:
        events = await attest(world, tmp_path, 2)
    names = [each.name for each in events if each.fields["hour"] == 0]
    assert names == ["BlockReopened", "Attested"]
    assert "block.reopened" in events_of(logs)
    assert block(world, 0).status == BlockStatus.AGREED


async def test_a_block_that_can_never_become_final_is_opened_again(world):
    """An hour before it became final with a higher total."""
    world.chain.warp_to(DUE + 2 * HOUR)
    for hour, total in ((0, 100), (1, 50)):
        world.attest(hour, Attestation(bytes([hour]) * 32, total, 1, b"d" * 32))
    world.chain.advance(HOUR)
    events = await finalise_blocks(Direct(world.chain, world.payer, LOG))
    assert [(each.name, each.fields["hour"]) for each in events] == [
        ("BlockFinalised", 0),
        ("BlockReopened", 1),
    ]
    assert await finalise_blocks(Direct(world.chain, world.payer, LOG)) == []


async def test_votes_for_prices_are_closed_once_their_steps_hold(world):
    hour = START // HOUR
    world.chain.warp_to(START + HOUR)
    payer = world.operators[0]
    voting = staking.vote_prices(payer.pubkey(), hour, b"r" * 32)
    world.do(voting, signers=[payer])
    before = world.account(payer.pubkey()).lamports
    world.chain.warp_to(START + 2 * HOUR - 1)
    assert await keep_prices(Direct(world.chain, world.payer, LOG), folder=None) == []
    world.chain.advance(1)
    (event,) = await keep_prices(Direct(world.chain, world.payer, LOG), folder=None)
    assert (event.name, event.fields["hour"]) == ("PricesClosed", hour)
    assert world.account(payer.pubkey()).lamports > before
    assert await keep_prices(Direct(world.chain, world.payer, LOG), folder=None) == []
