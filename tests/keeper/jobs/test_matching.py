"""The job of matching with three operators: in turn, for a dead one, killed, refused, late, not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from keeper.chain import ChainUnreachable
from keeper.clients import orders, staking
from keeper.clients.orders import PAUSE_MATCHING
from keeper.economy import emission
from keeper.economy.orders import REACH, TICK, Currency
from keeper.jobs import matching
from keeper.jobs.matching import match_tick
from keeper.jobs.names import MATCHING
from keeper.jobs.port import Direct
from keeper.market import files
from keeper.market.due import Match, due
from keeper.market.folder import MarketFolder
from keeper.rewards.rows import OBSERVATION, Hour, Work, class_rows, field_rows
from keeper.runtime.keeper import JobOutcome
from keeper.runtime.rehearsal import rehearse
from keeper.sender import Stopped
from keeper.tables import keys
from tests.keeper.jobs.market import Operator, come_to, leader, leases, next_tick, postings, three
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.runtime.keepers import events_of, indexed
from tests.programs.orders.world import IO, USDC, OrdersWorld
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import HOUR, START, START_MONTH, key

WORKERS = ("one", "two", "three", "four")
LOG = structlog.get_logger()
AFTER = 14
"""Seconds after which a tick has its first block here, where one is made every 12.8 seconds."""


@pytest.fixture
def world() -> OrdersWorld:
    """Four devices of one supplier, a renter."""
    world = OrdersWorld.ready()
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in WORKERS:
        world.let(name, supplier)
    return world


@pytest.fixture
async def operators(world: OrdersWorld, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[list[Operator]]:
    async with three(world, tmp_path, empty_sqlite) as found:
        yield found


def written(operator: Operator) -> list[int]:
    return operator.folder.ticks(0, 1 << 30)


def require_replay(*operators: Operator) -> None:
    """Every tick that was written gives the same bytes again."""
    for each in operators:
        for tick in written(each):
            each.folder.replay(tick)


async def test_the_leader_matches_and_nobody_does_it_again(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    order = world.order(key("renter"))
    tick = next_tick(world)
    first = operators[leader(world, tick)]
    world.chain.warp_to(tick * TICK + 15)
    for each in operators:
        assert await each.match() == [], "nobody's turn"
    come_to(world, tick)
    made = await first.match()
    assert {of for of, _ in made} == {str(order.address)}
    assert len(made) == 2
    assert await first.match() == []
    assert written(first) == [tick]
    manifest = first.folder.read(tick).manifest
    assert postings(world) == [(first.number, tick, manifest.hash)]
    assert {each.rate for each in leases(world)} == {2 * 10**8 * 4}
    for place in (1, 2):
        come_to(world, tick, place)
        other = operators[(tick + place) % 3]
        assert await other.match() == []
        assert written(other) == []
    require_replay(first)


async def test_a_dead_leaders_substitute_matches_the_same(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    world.order(key("renter"))
    tick = next_tick(world)
    dead, second, third = (operators[(tick + place) % 3] for place in range(3))
    come_to(world, tick, 1)
    assert await third.match() == []
    assert len(await second.match()) == 2
    come_to(world, tick, 2)
    assert await third.match() == []
    # The leader comes back late, and finds nothing left.
    world.chain.warp_to(tick * TICK + REACH)
    assert await dead.match() == []
    assert [each[:2] for each in postings(world)] == [(second.number, tick)]
    assert (written(dead), written(third)) == ([], [])
    require_replay(second)


async def test_a_substitute_goes_on_where_a_leader_stopped(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    order = world.order(key("renter"), devices=4)
    tick = next_tick(world)
    first, second = (operators[(tick + place) % 3] for place in range(2))
    come_to(world, tick)
    device = world.read_device("three")
    found = await first.matcher.states.at(tick)
    assert found is not None
    world.do(orders.match_device(first.signer.pubkey(), order, device, tick), signers=[first.signer])
    come_to(world, tick, 1)
    assert len(await second.match()) == 3
    matches = second.folder.read(tick).matches
    assert len(matches) == 4, "the batch is the tick's, not what was left of it"
    assert len(leases(world)) == 4


async def test_from_tick_to_tick_what_is_written_goes_on_from_the_hours_first(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    ticks = []
    for number in range(1, 5):
        world.order(key("renter"), number, devices=1)
        ticks.append(next_tick(world))
        come_to(world, ticks[-1])
        assert len(await operators[leader(world, ticks[-1])].match()) == 1
    by_operator = {n: [tick for tick in ticks if leader(world, tick) == n] for n in range(3)}
    for each in operators:
        assert written(each) == by_operator[each.number]
        require_replay(each)
    twice = next(each for each in operators if len(written(each)) == 2)
    first, second = (twice.folder.read(tick).manifest for tick in written(twice))
    assert first.base is None
    assert second.base is not None
    assert second.base.tick == first.tick
    assert first.files["devices.csv"].rows == 4
    assert 0 < second.files["devices.csv"].rows < 4


async def test_a_match_takes_its_device_from_the_next_ticks_batch(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """The second order is opened in the second before the tick: what the first one has isn't there for it."""
    world.order(key("renter"), 1, devices=3)
    tick = next_tick(world)
    come_to(world, tick)
    assert len(await operators[leader(world, tick)].match()) == 3
    late = world.order(key("renter"), 2, devices=3)
    come_to(world, tick + 1)
    made = await operators[leader(world, tick + 1)].match()
    assert [of for of, _ in made] == [str(late.address)]
    come_to(world, tick + 2)
    assert await operators[leader(world, tick + 2)].match() == []
    assert written(operators[leader(world, tick + 2)]) == []


async def test_matches_go_several_to_a_transaction(world: OrdersWorld, operators: list[Operator]) -> None:
    world.order(key("renter"), devices=4)
    tick = next_tick(world)
    come_to(world, tick)
    before = len(world.chain.transactions())
    assert len(await operators[leader(world, tick)].match()) == 4
    sent = world.chain.transactions()[before:]
    assert [each.programs.count(orders.PROGRAM.address) for each in sent] == [0, 4], "a posting, four matches"


# -- currencies, gangs, countries ------------------------------------------------------------------


async def test_both_currencies_in_one_tick(world: OrdersWorld, operators: list[Operator]) -> None:
    in_io = world.order(key("renter"), 1, devices=1)
    in_usdc = world.order(key("renter"), 2, devices=2, currency=Currency.USDC, price=3 * USDC)
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    made = await first.match()
    assert sorted(of for of, _ in made) == sorted([str(in_io.address)] + 2 * [str(in_usdc.address)])
    rates = {each.order: each.rate for each in leases(world)}
    assert rates == {in_io.address: 2 * IO * 4, in_usdc.address: 1 * USDC * 4}
    require_replay(first)


async def test_a_gang_is_matched_whole_or_not_at_all(world: OrdersWorld, operators: list[Operator]) -> None:
    large = world.order(key("renter"), 1, devices=5, min_devices=5)
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    assert await first.match() == []
    assert (written(first), leases(world)) == ([], [])
    small = world.order(key("renter"), 2, devices=3, min_devices=3)
    come_to(world, tick + 1)
    made = await operators[leader(world, tick + 1)].match()
    assert [of for of, _ in made] == 3 * [str(small.address)]
    assert world.read_order(key("renter"), 1).gang_until == 0 == large.gang_until


def in_country(world: OrdersWorld, name: str, country: str) -> None:
    device = world.read_device(name)
    change = staking.change_device(
        device, tier=device.tier, country=country, ask_io=device.ask_io, ask_usdc=device.ask_usdc
    )
    world.do(change, signers=[key("supplier")])
    world.chain.advance(1)


async def test_a_colocated_order_gets_one_country(world: OrdersWorld, operators: list[Operator]) -> None:
    in_country(world, "one", "AT")
    order = world.order(key("renter"), devices=3, colocated=True)
    tick = next_tick(world)
    come_to(world, tick)
    made = await operators[leader(world, tick)].match()
    swiss = {str(staking.device_address(key(name).pubkey())) for name in WORKERS[1:]}
    assert {device for _, device in made} == swiss
    assert world.read_order(key("renter")).country == b"CH"
    assert order.country == b"\0\0"


# -- what fails --------------------------------------------------------------------------------------


async def test_sol_that_a_stranger_sent_to_where_a_lease_will_be_keeps_no_device_from_its_order(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Who gets which device can be computed as soon as the tick begins."""
    order = world.order(key("renter"), devices=1)
    tick = next_tick(world)
    for each in ("one", "two", "three", "four"):
        device = staking.device_address(key(each).pubkey())
        world.chain.airdrop(orders.lease_address(order.address, device), 1_000_000)
    come_to(world, tick)
    assert len(await operators[leader(world, tick)].match()) == 1


async def test_a_device_that_is_paused_after_the_tick_is_set_aside(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Nothing is sent for it that would be refused; the others are matched, and the next tick sees it."""
    world.order(key("renter"), devices=4)
    tick = next_tick(world)
    world.chain.warp_to(tick * TICK + AFTER)
    world.do(staking.pause_device(world.read_device("two")), signers=[key("two")])
    come_to(world, tick)
    first = operators[leader(world, tick)]
    with capture_logs() as logs:
        made = await first.match()
    assert len(made) == 3
    assert "action.refused" not in events_of(logs)
    assert len(first.folder.read(tick).matches) == 4
    assert world.read_device("two").lease == staking.NOBODY
    assert await first.match() == []
    come_to(world, tick + 1)
    assert await operators[leader(world, tick + 1)].match() == []
    require_replay(*operators)


async def test_an_order_that_was_cancelled_after_the_tick_is_left_out(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    order, kept = world.order(key("renter"), 1), world.order(key("renter"), 2)
    tick = next_tick(world)
    world.chain.warp_to(tick * TICK + AFTER)
    world.do(orders.cancel_order(order), signers=[key("renter")])
    come_to(world, tick)
    first = operators[leader(world, tick)]
    with capture_logs() as logs:
        made = await first.match()
    assert [of for of, _ in made] == 2 * [str(kept.address)]
    assert "action.refused" not in events_of(logs)
    assert len(first.folder.read(tick).matches) == 4


async def test_what_is_left_of_a_gang_is_not_matched(world: OrdersWorld) -> None:
    gang = world.order(key("renter"), 1, devices=3, min_devices=3)
    single = world.order(key("renter"), 2, devices=2)
    devices = [world.read_device(name) for name in WORKERS]
    classes, now = await staking.read_classes(world.chain), world.chain.now()
    whole = [Match(gang, each, classes[each.device_class]) for each in devices[:3]]
    assert due(whole, now) == whole
    two = [Match(single, each, classes[each.device_class]) for each in (devices[1], devices[3])]
    for gone in (
        replace(devices[1], lease=gang.address),
        replace(devices[1], ask_io=0, ask_usdc=0),
        replace(devices[1], changed_at=gang.created_at),
    ):
        broken = [whole[0], replace(whole[1], device=gone), whole[2]]
        assert due([*broken, replace(two[0], device=gone), two[1]], now) == two[1:]
    # One that is filled, or has the others already, takes what there is.
    filled = replace(gang, taken=2, gang_until=now + 600)
    assert due([replace(whole[0], order=filled)], now) != []
    assert due(whole, gang.match_until) == []


async def test_a_gap_in_the_index_gives_no_batch(
    world: OrdersWorld, operators: list[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.order(key("renter"))
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]

    async def behind(*_: Any, **__: Any) -> None:
        raise ChainUnreachable("the node is behind")

    with monkeypatch.context() as patched:
        patched.setattr(world.chain, "signatures", behind)
        assert await first.run(MATCHING) is JobOutcome.FAILED
    assert (written(first), postings(world), leases(world)) == ([], [], [])
    assert len(await first.match()) == 2


async def test_while_matching_is_paused_nothing_is_sent(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    world.order(key("renter"))
    guardian = world.guardian
    pause = orders.set_pause(guardian.pubkey(), PAUSE_MATCHING, world.chain.now() + HOUR)
    world.do(pause, signers=[guardian])
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    assert await first.match() == []
    assert (written(first), postings(world)) == ([], [])


async def test_somebody_else_matches_nothing(world: OrdersWorld, operators: list[Operator]) -> None:
    matcher = operators[0].matcher
    with capture_logs() as logs:
        port = Direct(world.chain, world.payer, LOG)
        assert await match_tick(port, matcher=matcher) == []
    assert events_of(logs) == ["matching.not_an_operator"]


async def test_a_rehearsal_says_what_would_be_sent(world: OrdersWorld, operators: list[Operator]) -> None:
    world.order(key("renter"), devices=4)
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    job = partial(match_tick, matcher=first.matcher)
    found = await rehearse(job, world.chain, first.signer, LOG)
    names = [[call.name for call in each.calls] for each in found.transactions]
    assert names == [["post"], 4 * ["match_device"]]
    assert found.stopped is None
    assert (postings(world), leases(world)) == ([], [])


# -- killed ------------------------------------------------------------------------------------------


def dies(*_: Any, **__: Any) -> None:
    raise Stopped


@pytest.mark.parametrize("step", ["assigned", "half written", "written", "posted", "half matched"])
async def test_an_operator_that_is_killed_goes_on_with_the_same_bytes(
    world: OrdersWorld, operators: list[Operator], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    world.order(key("renter"), 1, devices=1)
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    before = await undisturbed(first, tick)
    with monkeypatch.context() as patched:
        patched.setattr(*where_to_die(first, step))
        with pytest.raises(Stopped):
            await first.run(MATCHING)
    await first.restart()
    world.chain.advance(3)
    await first.match()
    assert len(leases(world)) == 1
    assert first.folder.files(tick) == before
    assert postings(world) == [(first.number, tick, first.folder.read(tick).manifest.hash)]
    await first.restart()
    assert await first.match() == [], "and nothing twice"
    assert len(postings(world)) == len(leases(world)) == 1
    require_replay(first)


async def undisturbed(operator: Operator, tick: int) -> dict[str, bytes]:
    """The files that a tick has."""
    found = await operator.matcher.states.at(tick)
    assert found is not None
    return files.write(found, operator.signer.pubkey(), operator.folder.base(tick))


def where_to_die(operator: Operator, step: str) -> tuple[Any, str, Any]:
    match step:
        case "assigned":
            return files, "encode", dies
        case "half written":
            return MarketFolder, "write", half_written
        case "written":
            return matching, "_posted", dies
        case "posted":
            return matching, "_make", dies
        case _:
            return operator.keeper.log, "info", dies


def half_written(folder: MarketFolder, tick: int, content: dict[str, bytes]) -> None:
    part = folder.path / str(tick // 2_880) / f".{tick}.part"
    part.mkdir(parents=True)
    (part / "devices.csv").write_bytes(content["devices.csv"][:100])
    raise Stopped


async def test_what_was_posted_with_other_files_is_not_matched(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """As when another machine of this operator, with the same database, has posted and is gone."""
    world.order(key("renter"))
    tick = next_tick(world)
    come_to(world, tick)
    first = operators[leader(world, tick)]
    found = await first.matcher.states.at(tick)
    assert found is not None
    elsewhere = files.write(replace(found, devices=found.devices[:0]), first.signer.pubkey())
    first.folder.write(tick, elsewhere)
    manifest = first.folder.read(tick).manifest

    async def posts(port: Any) -> list[Any]:
        assert await matching._posted(port, first.folder, manifest)
        return []

    first.keeper.jobs = {**first.keeper.jobs, MATCHING: posts}
    assert await first.run(MATCHING) is JobOutcome.OK
    first.folder.drop(tick)
    await first.restart()
    with capture_logs() as logs:
        assert await first.match() == []
    assert "tick.posted_otherwise" in events_of(logs)
    assert (written(first), leases(world)) == ([], [])
    come_to(world, tick, 1)
    assert len(await operators[(tick + 1) % 3].match()) == 2


# -- proof of work -------------------------------------------------------------------------------------


async def publish(world: OrdersWorld, folder: Path, passed: tuple[str, ...]) -> None:
    """Operators agree on hour 0, in which these devices passed; its files are in ``folder``."""
    async with indexed(world.chain, folder.parent / "index.db") as history:
        assert await history.knows(START + HOUR)
        past = await history.hour(START)
    seen = np.zeros(len(passed), OBSERVATION)
    seen["device"] = np.sort(keys([staking.device_address(key(name).pubkey()) for name in passed]))
    seen["work"] = Work.PASSED
    hour = Hour(0, START, emission.cumulative(START_MONTH, 1))
    manifest = publish_rows(folder, hour, field_rows(past.devices, seen), class_rows(past.classes, START))
    world.attest(0, manifest.attestation)


async def test_devices_of_a_class_with_a_profile_must_have_passed(
    world: OrdersWorld, tmp_path: Path, empty_sqlite: Path
) -> None:
    first = Operator(world, 0, tmp_path / "operator 0", empty_sqlite, frozenset({GPU_CLASS}))
    await first.history.prepare()

    async def matched(number: int) -> tuple[JobOutcome | None, int]:
        world.order(key("renter"), number, devices=4)
        tick = next_tick(world)
        come_to(world, tick, -tick % 3)
        outcome = await first.run(MATCHING)
        return outcome, sum(each.name == "LeaseMatched" for each in first.last)

    assert await matched(1) == (JobOutcome.OK, 0), "before there is an hour nobody has passed"
    world.chain.warp_to(START + HOUR)
    await publish(world, tmp_path / "elsewhere", ("one", "three"))
    assert await matched(2) == (JobOutcome.FAILED, 0), "without its files nobody knows who has"
    assert "hour 0 is not in" in str(first.keeper.health[MATCHING].reason)
    (tmp_path / "elsewhere").rename(first.rewards)
    assert await matched(3) == (JobOutcome.OK, 2)
    leased = {each.device for each in leases(world)}
    assert leased == {staking.device_address(key(name).pubkey()) for name in ("one", "three")}
    require_replay(first)
    manifest = first.rewards / "0" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"missed":', b'"missed":1'))
    await first.restart()
    assert (await matched(4))[0] is JobOutcome.FAILED
    assert "isn't the one that operators agreed on" in str(first.keeper.health[MATCHING].reason)
    await first.stop()
