"""A lease served, on an embedded chain: every state, every way out of it, and what it pays."""

from __future__ import annotations

from pathlib import Path

import pytest

from keeper.clients import orders
from keeper.compute.bodies import Beat, Kind, Serving, View
from keeper.compute.states import AgentState
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import EndReason, LeaseStatus
from keeper.market.accepting import Hindrance
from tests.keeper.worker.hiring import (
    ACTIVE,
    DRAINING,
    IDLE,
    JOINING,
    PREPARING,
    RESTARTING,
    Field,
    HiredSite,
    close,
    lease,
    reach,
)
from tests.programs.world import key

YEAR = 365 * DAY


async def test_a_device_prepares_accepts_joins_and_is_gone(field: Field, logged) -> None:
    world, one = field.world, field.sites["one"]
    assert field.states() == [IDLE, IDLE]
    order = world.order(key("renter"), devices=1)
    world.match(order, "one")
    await one.look()
    await one.hired.turn()
    assert one.state is PREPARING
    assert one.newest("one").status == LeaseStatus.MATCHED
    await field.turns(1)
    assert field.said(order) == [Kind.KEY]
    await field.turns(3)
    assert lease(field, order).status == LeaseStatus.RUNNING
    assert one.state is ACTIVE
    assert one.host.calls == ["keep only nothing", "open", "head"]
    assert [field.said(order, each) for each in range(3)] == [[Kind.KEY, Kind.JOINED, Kind.VIEW]] * 3
    assert await one.beat() == 3
    (beat,) = await field.boards[0].beats(order.address)
    assert isinstance(beat.message.body, Beat)
    assert (beat.message.body.serving, beat.message.body.node) == (Serving.ACTIVE, one.host.id)
    world.end(order, "one", key("renter"))
    await field.turns(2)
    assert one.state is IDLE
    assert one.host.calls[-2:] == ["close", "end"]
    assert one.hired.service.private == b""
    assert await one.beat() is None
    assert list(one.host.folder.iterdir()) == []


@pytest.mark.parametrize("ahead", [-700.0, 700.0, 2.5 * YEAR])
async def test_a_lease_is_by_the_chains_clock_whatever_the_machines(tmp_path: Path, ahead: float) -> None:
    """Ten minutes are all that a device has to accept: a chain that is further off must not look too late."""
    found = Field(tmp_path, ["one"])
    found.sites["one"] = one = HiredSite(
        found.world, tmp_path / "off", "one", found.cloud, found.boards, ahead
    )
    await found.begin()
    order = found.world.order(key("renter"), devices=1)
    found.world.match(order, "one")
    await found.turns(4)
    assert (one.state, lease(found, order).status) == (ACTIVE, LeaseStatus.RUNNING)
    found.world.chain.warp_to(lease(found, order).stop - 60)
    await found.turns(2)
    assert one.state is ACTIVE
    found.world.chain.warp_to(lease(found, order).stop)
    await found.turns(2)
    assert one.state is IDLE
    await close(found)


async def test_two_devices_and_their_renter_are_one_cluster(field: Field) -> None:
    world = field.world
    order = world.order(key("renter"))
    for name in field.sites:
        world.match(order, name)
    await field.turns(6)
    assert field.states() == [ACTIVE, ACTIVE]
    one, two = (field.sites[name].host for name in ("one", "two"))
    assert one.node.token == two.node.token
    assert {one.node.is_head, two.node.is_head} == {True, False}
    assert [len(each.others) for each in (one, two)] == [1, 1]
    views = [each.body for each in field.boards[1].said(order.address) if isinstance(each.body, View)]
    assert [row.alive for row in views[-1].seen] == [True, True]


# -- killed anywhere -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PREPARING, JOINING, ACTIVE, RESTARTING, DRAINING])
async def test_killed_in_any_state_it_goes_on_and_says_nothing_twice(state: AgentState, field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, state)
    assert one.state is state
    private = one.hired.service.private
    again = await field.again("one")
    await field.turns(8)
    keys = [each for each in field.said(order) if each is Kind.KEY]
    if state is DRAINING:
        assert (again.state, again.host.calls[-1]) == (IDLE, "end")
        assert list(again.host.folder.iterdir()) == []
        return
    assert again.state is ACTIVE
    assert (again.hired.service.private, keys) == (private, [Kind.KEY])
    assert lease(field, order).status == LeaseStatus.RUNNING
    field.world.end(order, "one", key("renter"))
    await field.turns(2)
    assert (again.state, list(again.host.folder.iterdir())) == (IDLE, [])


async def test_what_a_killed_process_has_left_is_deleted(field: Field) -> None:
    one = field.sites["one"]
    (one.host.folder / "an earlier lease").touch()
    again = await field.again("one")
    assert list(again.host.folder.iterdir()) == []


# -- the chain's word ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PREPARING, JOINING, ACTIVE, RESTARTING])
async def test_a_lease_that_is_over_is_gone_at_the_next_look(state: AgentState, field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, state)
    field.world.end(order, "one", key("renter"))
    await one.look()
    await one.hired.turn()
    assert one.state is DRAINING
    await one.hired.settle()
    await one.hired.turn()
    assert (one.state, one.host.address, list(one.host.folder.iterdir())) == (IDLE, None, [])


async def test_a_lease_ends_by_its_time_though_nobody_has_written_it(field: Field) -> None:
    order = field.world.order(key("renter"), devices=1, hours=1)
    one = await reach(field, order, ACTIVE)
    field.world.chain.warp_to(lease(field, order).stop)
    await field.turns(1)
    assert one.state is IDLE
    assert lease(field, order).status == LeaseStatus.RUNNING


async def test_files_that_stay_keep_a_device_from_the_next_lease(field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, DRAINING)
    await field.turns(3)
    assert one.state is DRAINING
    one.host.stays = False
    await field.turns(2)
    assert one.state is IDLE


# -- what fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("free_to_end", "reason"), [(True, EndReason.DECLINED), (False, EndReason.NONE)])
async def test_what_cannot_be_prepared_is_declined_or_lapses(
    free_to_end: bool, reason: EndReason, tmp_path: Path
) -> None:
    field = Field(tmp_path, ["one"], may_end=free_to_end)
    await field.begin()
    one = field.sites["one"]
    one.host.fails = "no namespaces any more"
    order = field.world.order(key("renter"), devices=1)
    field.world.match(order, "one")
    await field.turns(2)
    assert one.newest("one").hindrance.code == "sandbox"
    field.world.chain.advance(8 * 60)
    await field.turns(3)
    found = lease(field, order)
    assert (one.state, found.reason) == (IDLE, reason)
    assert found.status == (LeaseStatus.ENDED if free_to_end else LeaseStatus.MATCHED)
    one.host.fails = ""
    await field.turns(2)
    assert one.state is IDLE, "what was given up isn't taken up again"
    await close(field)


async def test_a_node_that_dies_is_started_again_after_growing_pauses(field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, ACTIVE)
    first = one.host.id
    for pause in (5, 15, 45):
        one.host.ended, one.host.dies = "its command ended with 1", "it ends again" if pause < 45 else ""
        await one.turn(2)
        assert one.state is RESTARTING
        field.world.chain.advance(pause - 1)
        await one.turn()
        assert one.host.node is None
        field.world.chain.advance(1)
        await one.look()
        await one.hired.turn()
        await one.hired.settle()
        assert one.host.node is not None
    await one.turn(2)
    assert (one.state, one.host.id != first) == (ACTIVE, True)
    assert one.hired.service.agent.tries == 0


async def fail(field: Field, order: orders.Order) -> HiredSite:
    """A node that dies until there are no tries left."""
    one = await reach(field, order, ACTIVE)
    one.host.dies = one.host.ended = "its command ended with 1"
    for _ in range(12):
        await one.turn(2)
        field.world.chain.advance(46)
    return one


async def test_a_device_at_fault_ends_its_lease_and_is_paid_for_whole_hours(free: Field) -> None:
    field, world = free, free.world
    order = world.order(key("renter"), devices=1)
    world.match(order, "one")
    await field.turns(4)
    begun = lease(field, order).start
    world.chain.warp_to(begun + HOUR + 600)
    one = field.sites["one"]
    one.host.sound = False
    one.host.dies = one.host.ended = "its command ended with 1"
    for _ in range(12):
        await one.turn(2)
        world.chain.advance(46)
    found = lease(field, order)
    assert (one.state, found.reason, found.stop) == (IDLE, EndReason.SUPPLIER, begun + HOUR)
    assert field.said(order)[-1] is Kind.BYE
    assert await one.beat() is None


async def test_without_leave_to_end_it_the_device_is_silent(field: Field, logged) -> None:
    field.sites["one"].host.sound = False
    order = field.world.order(key("renter"), devices=1)
    one = await fail(field, order)
    assert (one.state, lease(field, order).status) == (IDLE, LeaseStatus.RUNNING)
    assert await one.beat() is None
    assert [each["event"] for each in logged].count("worker.lease_unserved") == 1


async def test_who_makes_nodes_fail_gets_no_hour_for_nothing(free: Field) -> None:
    """A device that starts a node when it is alone goes on, in an empty folder, while it is hired."""
    order = free.world.order(key("renter"), devices=1)
    one = await fail(free, order)
    assert (one.state, lease(free, order).status) == (RESTARTING, LeaseStatus.RUNNING)
    assert {"try alone", "clear"} <= set(one.host.calls)
    assert await one.beat() == 3
    one.host.dies = ""
    for _ in range(3):
        await one.turn(2)
        free.world.chain.advance(46)
    assert one.state is ACTIVE


async def test_a_head_that_is_lost_is_replaced_with_another_token(field: Field) -> None:
    world = field.world
    order = world.order(key("renter"))
    world.match(order, "one")
    await field.turns(3)
    world.match(order, "two")
    await field.turns(5)
    assert field.states() == [ACTIVE, ACTIVE]
    two = field.sites["two"]
    before = two.host.node
    assert not before.is_head
    world.end(order, "one", key("renter"))
    await field.turns(4)
    assert field.states() == [IDLE, ACTIVE]
    assert (two.host.node.is_head, two.host.node.token != before.token) == (True, True)


async def test_a_head_that_begins_anew_is_joined_anew(field: Field) -> None:
    world = field.world
    order = world.order(key("renter"))
    world.match(order, "one")
    await field.turns(3)
    world.match(order, "two")
    await field.turns(5)
    one, two = (field.sites[name] for name in ("one", "two"))
    token = two.host.node.token
    one.host.ended = "its command ended with 1"
    await field.turns(8)
    assert field.states() == [ACTIVE, ACTIVE]
    assert one.host.node.token == two.host.node.token != token


# -- what the machine lacks ------------------------------------------------------------------------


async def test_a_machine_that_can_make_no_sandbox_leaves_the_market(tmp_path: Path, logged) -> None:
    field = Field(tmp_path, ["one"])
    one = field.sites["one"]
    one.host.lack = Hindrance("unfit", "bwrap isn't installed")
    order = field.world.order(key("renter"), devices=1)
    await field.begin()
    assert one.state is AgentState.BLOCKED
    field.world.match(order, "one")
    await field.turns(3)
    device = field.world.read_device("one")
    assert (device.ask_io, device.ask_usdc) == (0, 0)
    assert [each["event"] for each in logged].count("worker.off_market") == 1
    assert lease(field, order).status == LeaseStatus.MATCHED
    one.host.lack = None
    field.world.chain.advance(60)
    await field.turns(1)
    assert one.state is not AgentState.BLOCKED
    await close(field)
