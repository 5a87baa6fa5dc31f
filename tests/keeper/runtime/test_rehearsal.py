"""Dry runs: what would be sent, in words; nothing changes on chain or in files."""

from functools import partial
from pathlib import Path

import pytest
import structlog

from keeper.clients import staking, tokenomics
from keeper.economy.supply import IO
from keeper.jobs import registry
from keeper.jobs.blocks import attest_hours
from keeper.runtime.rehearsal import copied, describe, rehearse
from keeper.sender import Action
from tests.keeper.jobs.test_blocks import DUE, attest, observe
from tests.keeper.rewards.seen import Seen
from tests.keeper.runtime.keepers import indexed
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, World, key

LOG = structlog.get_logger()


@pytest.fixture
def world() -> World:
    world = World.launched()
    world.chain.warp_to(DUE + HOUR)
    return world


def everything(world: World) -> object:
    """All that a transaction could change."""
    return world.chain.newest_slot(), len(world.chain.transactions()), world.account(world.payer.pubkey())


async def test_nothing_is_due():
    found = await rehearse(registry.ALL["emission"], World.launched().chain, key("payer"), LOG)
    assert (found.transactions, found.stopped) == ([], None)


async def test_what_emission_would_send(world):
    before = everything(world)
    found = await rehearse(registry.ALL["emission"], world.chain, world.payer, LOG)
    assert everything(world) == before
    (transaction,) = found.transactions
    assert transaction.refusal is None and found.stopped is None
    (call,) = transaction.calls
    assert (call.program, call.name, call.arguments) == ("tokenomics", "emit", {})
    assert ("config", tokenomics.CONFIG) in call.accounts
    record = world.do(tokenomics.emit())
    assert transaction.compute_units == record.compute_units > 0


async def test_vesting_shows_each_payment_with_its_arguments(world):
    found = await rehearse(registry.ALL["vesting"], world.chain, world.payer, LOG)
    (transaction,) = found.transactions
    assert transaction.refusal is None
    paying = [each for each in transaction.calls if each.program == "tokenomics"]
    assert [each.name for each in paying] == ["release"] * 3
    allocations = [dict(each.accounts)["allocation"] for each in paying]
    assert allocations == [tokenomics.allocation_address(number) for number in (3, 4, 5)]
    foreign = transaction.calls[0]
    assert foreign.program == "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL" and foreign.arguments == {}


async def test_a_refusal_is_told_in_the_programs_words(world):
    async def still_due():
        return True

    async def wrong(port):
        await port.do([Action("emit", (tokenomics.emit(),), still_due)])
        await port.do([Action("launch", (tokenomics.launch(port.payer, 1),), still_due)])
        raise AssertionError("a refused transaction has no effects to go on from")

    found = await rehearse(wrong, world.chain, world.payer, LOG)
    assert [each.refusal is None for each in found.transactions] == [True, False]
    assert found.stopped == found.transactions[1].refusal
    assert found.stopped and found.stopped.startswith("tokenomics: ")


async def test_a_payer_without_lamports(world):
    found = await rehearse(registry.ALL["emission"], world.chain, key("nobody gave me lamports"), LOG)
    assert found.stopped and found.transactions[0].refusal == found.stopped


async def test_blocks_are_computed_and_neither_published_nor_attested(tmp_path: Path):
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 10_000 * IO)
    world.do(staking.stake(world.device("worker", supplier), 1_000 * IO), signers=[supplier])
    world.chain.warp_to(DUE + HOUR)
    await attest(world, tmp_path)
    world.chain.advance(HOUR)
    folder = tmp_path / "operator-0"
    with copied(folder) as copy:
        async with indexed(world.chain, tmp_path / "operator-0.db") as history:
            job = partial(attest_hours, folder=copy, work=Seen(observe), history=history)
            found = await rehearse(job, world.chain, world.operators[0], LOG)
        assert (copy / "1/manifest.json").exists(), "the hour before was there to go on from"
    (transaction,) = found.transactions
    (call,) = transaction.calls
    assert (call.name, call.arguments["hour"], transaction.refusal) == ("attest", 1, None)
    assert isinstance(call.arguments["root"], str) and len(call.arguments["root"]) == 64
    assert [path.name for path in folder.iterdir()] == ["0"] and not copy.exists()
    assert 1 not in await staking.read_hours(world.chain, [1])


async def test_a_job_that_waits_for_its_own_effect_ends(tmp_path: Path):
    """It would send the same for ever, as nothing changes."""
    world = StakingWorld.ready()
    world.chain.warp_to(START + 3 * HOUR)
    for hour in (0, 1):
        world.attest(hour, staking.Attestation(b"r" * 32, 0, 0, bytes(32)))
    world.chain.advance(HOUR)
    found = await rehearse(registry.ALL["blocks"], world.chain, world.payer, LOG)
    (transaction,) = found.transactions
    assert dict(transaction.calls[0].accounts)["block"] == staking.block_address(0)
    assert found.stopped == "what comes next depends on the effect of these"


def test_data_that_is_no_instruction_of_the_program():
    instruction = tokenomics.emit()
    changed = type(instruction)(instruction.program_id, b"\xff" * 9, instruction.accounts)
    call = describe(changed)
    assert (call.program, call.name) == (str(tokenomics.PROGRAM.address), "ff" * 9)
