"""A device whose line is cut for ten minutes, and one whose head has another version of the runtime."""

from __future__ import annotations

import pytest
import structlog

from keeper.clients import orders
from keeper.compute import runtime
from keeper.compute.bodies import Beat, Kind, Serving
from keeper.economy.orders import EndReason, LeaseStatus
from tests.keeper.worker.hiring import ACTIVE, IDLE, JOINING, RESTARTING, Field, HiredSite, lease
from tests.programs.world import key

CUT_SECONDS = 600
STEP = 6
"""Seconds of the chain's clock for each turn."""


async def hired(field: Field, devices: int) -> orders.Order:
    """An order with so many nodes that are alive."""
    order = field.world.order(key("renter"), devices=devices)
    for name in ("one", "two")[:devices]:
        field.world.match(order, name)
        await field.turns(4)
    return order


async def cut(field: Field, one: HiredSite) -> int:
    """Ten minutes in which no board is reached and Ray's node gives up; how many BEATs were heard."""
    heard = 0
    for each in field.boards:
        each.away = True
    one.host.dies = one.host.ended = "its command ended with 1"
    for _ in range(CUT_SECONDS // STEP):
        heard += await one.beat() or 0
        await one.turn()
        field.world.chain.advance(STEP)
    for each in field.boards:
        each.away = False
    one.host.dies = ""
    return heard


async def test_a_line_that_comes_back_after_ten_minutes_finds_its_lease_and_serves_on(field: Field) -> None:
    """Operators were cut off as well, so nobody was found lost; its supplier loses nothing."""
    order = await hired(field, 1)
    one = field.sites["one"]
    assert one.state is ACTIVE
    private = one.hired.service.private
    assert await cut(field, one) == 0
    assert one.state is RESTARTING, "it tries on: alone its nodes start"
    await field.turns(12)
    assert one.state is ACTIVE and one.hired.service.private == private
    assert await one.beat() == 3
    assert field.said(order).count(Kind.KEY) == 1
    assert lease(field, order).status == LeaseStatus.RUNNING


async def test_a_line_that_comes_back_after_its_lease_was_ended_leaves_nothing(field: Field) -> None:
    """It was found lost meanwhile: the chain's word wins, and the device is free for the next lease."""
    order = await hired(field, 1)
    one = field.sites["one"]
    found = lease(field, order)
    await cut(field, one)
    for operator in field.world.operators[:2]:
        vote = orders.vote_fault(operator.pubkey(), found, bytes(32), 0)
        field.world.do(vote, signers=[operator])
    assert lease(field, order).reason == EndReason.FAULT
    await field.turns(5)
    assert (one.state, one.host.address, list(one.host.folder.iterdir())) == (IDLE, None, [])
    assert await one.beat() is None


async def test_a_member_of_another_version_than_its_head_says_so_beats_and_joins_once_updated(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is at fault for the other's: no lease ends by it, and no operator finds one lost."""
    order = field.world.order(key("renter"), devices=2)
    field.world.match(order, "one")
    await field.turns(4)
    with monkeypatch.context() as older:
        older.setattr(runtime, "identity", lambda: b"\x07" * 32)
        field.world.match(order, "two")
        with structlog.testing.capture_logs() as logs:
            await field.turns(2 * CUT_SECONDS // STEP)
    one, two = field.sites["one"], field.sites["two"]
    assert (one.state, two.state) == (ACTIVE, JOINING)
    assert two.host.calls.count("try alone") >= 1, "its device was tried, and is sound"
    assert two.host.node is None and await two.beat() == 3
    reasons = {each["reason"] for each in logs if each["event"] == "worker.ticket_refused"}
    assert reasons == {"the ticket is for another runtime: one of both has an old version of ionet"}
    said = [each.message.body for each in await field.boards[0].beats(order.address)]
    serving = {each.number: each.serving for each in said if isinstance(each, Beat)}
    assert Serving.JOINING in serving.values()
    assert [lease(field, order, name).status for name in ("one", "two")] == [LeaseStatus.RUNNING] * 2
    two = await field.again("two")
    await field.turns(8)
    assert (one.state, two.state) == (ACTIVE, ACTIVE)
