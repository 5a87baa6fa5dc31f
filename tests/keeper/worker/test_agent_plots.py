"""An agent whose waves are about the plot in its memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.residency import plot_claim, verify_plots
from keeper.pow.seeds import epoch_seed, open_seed
from keeper.worker.client import EpochAt, News
from keeper.worker.state import State
from keeper.worker.work import Device
from tests.keeper.worker.agents import (
    HASH,
    SEED,
    SLOT,
    is_receipted,
    newest,
    no_pauses,
    until,
    verdict,
)
from tests.keeper.worker.conftest import PROFILE, WORKER, Bench
from tests.keeper.worker.operators import (
    DAY,
    GENESIS,
    PROGRAM,
    blockhash,
    device_of,
    opened,
    wave,
)

__all__ = ["no_pauses"]


async def test_a_residency_wave_is_made_over_the_days_plot(bench: Bench) -> None:
    day = 1_800_057_600
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: day + 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, day),)))
        await agent.settle()
        agent.hear(News(SLOT, (at,)))
        await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
        assert newest(agent).state is State.OPENED
    (opening,) = bench.services[0].openings
    (commit,) = bench.services[0].commits
    assert commit.message.kind is WaveKind.RESIDENCY
    drawn = open_seed(SEED, SLOT + 150, blockhash(SLOT + 150))
    residency = PROFILE.residency
    claimed = plot_claim(drawn, residency, opening.device, opening.root, 1, opening.blob)
    assert verify_plots(SEED, epoch_seed(GENESIS, PROGRAM, 5, HASH), residency, [claimed]) == [Code.PASS]


async def test_a_clock_that_is_wrong_takes_no_other_days_plot(bench: Bench) -> None:
    """Passes over it would be wrong work, for which a device is slashed; the product is a soft failure."""
    at = wave(SLOT, WaveKind.RESIDENCY, time=DAY + 3_600)
    device, before = bench.device, DAY - 86_400
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: DAY - 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, before),)))
        await agent.settle()
        assert agent.works.has_plot(device, before)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}


@pytest.mark.parametrize("filled", [True, False])
async def test_where_sources_differ_on_the_days_first_block_there_is_no_plot(
    filled: bool, bench: Bench, logged
) -> None:
    """A node that lies would have the device do wrong work, and be slashed for it."""
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: DAY + 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, bytes(32), DAY),)))
        if filled:
            await agent.settle()
            assert agent.works.has_plot(bench.device, DAY)
        agent.hear(News(10, (EpochAt(5, HASH, DAY),)))
        agent.hear(News(10, (EpochAt(5, HASH, DAY), EpochAt(5, bytes(32), DAY))))
        await agent.settle()
        assert not agent.works.has_plot(bench.device, DAY)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}
    assert [each["event"] for each in logged].count("worker.epoch_differs") == 1


async def test_where_the_memory_test_isnt_measured_it_makes_the_product(bench: Bench, logged) -> None:
    """That is what is asked of it: passes over its plot would be no answer."""
    day = 1_800_057_600
    at = wave(SLOT, WaveKind.RESIDENCY)
    assert PROFILE.residency is not None
    profile = replace(PROFILE, residency=replace(PROFILE.residency, measured=False))
    device = Device(device_of(WORKER), profile, 1, WORKER)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: day + 3_600.0, devices=[device]) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, day),)))
        await agent.settle()
        assert not agent.works.has_plot(device, day)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}
    assert "worker.no_plot" not in {each["event"] for each in logged}


async def test_without_the_plot_it_makes_the_product(bench: Bench, logged) -> None:
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent() as agent:
        agent.hear(News(SLOT, (at,)))
        await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
    assert bench.services[0].commits[0].message.kind is WaveKind.PRODUCT
    assert verdict(bench.services[0], opened(SLOT)) is Code.PASS
    assert "worker.no_plot" in [each["event"] for each in logged]
