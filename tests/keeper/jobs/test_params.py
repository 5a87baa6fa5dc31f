"""The job that applies parameters: before the notice, after it, twice, dropped by the guardian, overtaken."""

from __future__ import annotations

from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from keeper.chain import Event
from keeper.clients import buyback, orders, staking
from keeper.jobs.params import apply_params
from keeper.jobs.port import Direct
from tests.keeper.jobs.test_tokenomics import overtaken
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import DAY, World

LOG = structlog.get_logger()


@pytest.fixture
def world() -> OrdersWorld:
    """A network in which parameters of three programs wait for their notice."""
    world = OrdersWorld.ready()
    admin = world.admin.pubkey()
    params = world.staking_config().params
    for proposal in (
        orders.propose_params(admin, orders.Params(accept_window=900)),
        buyback.propose_params(admin, buyback.Params(max_lot=5_000 * 10**6)),
        staking.propose_params(admin, replace(params, max_slash_bps=1_000)),
    ):
        world.do(proposal, signers=[world.admin])
    return world


async def job(world: World) -> list[Event]:
    return await apply_params(Direct(world.chain, world.payer, LOG))


async def test_all_programs_parameters_hold_once_their_notice_is_over(world: OrdersWorld) -> None:
    world.chain.advance(7 * DAY - 1)
    assert await job(world) == []
    world.chain.advance(1)
    with capture_logs() as logs:
        assert [each.name for each in await job(world)] == ["ParamsApplied"] * 3
    said = {each["program"]: each["changed"] for each in logs}
    assert said == {
        "staking": {"max_slash_bps": "1000"},
        "buyback": {"max_lot": "5000000000"},
        "orders": {"accept_window": "900"},
    }
    assert world.orders_config().params.accept_window == 900
    assert world.staking_config().params.max_slash_bps == 1_000
    assert await job(world) == []


async def test_what_the_guardian_dropped_is_not_applied(world: OrdersWorld) -> None:
    world.do(orders.cancel_params(world.guardian.pubkey()), signers=[world.guardian])
    world.chain.advance(7 * DAY)
    assert len(await job(world)) == 2
    assert world.orders_config().params.accept_window == 600


async def test_another_keeper_was_faster(world: OrdersWorld) -> None:
    world.chain.advance(7 * DAY)
    assert await job(overtaken(world)) == []
    assert world.orders_config().params.accept_window == 900


async def test_nothing_is_set_up_yet() -> None:
    assert await job(World.launched()) == []
