"""Everybody computes operators' ticks again: who differs is named, who doesn't is left in peace."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import structlog
from solders.pubkey import Pubkey
from structlog.testing import capture_logs
from structlog.typing import FilteringBoundLogger

from keeper.api.app import application
from keeper.chain.http import PeerError
from keeper.clients import orders, staking
from keeper.economy.orders import TICK
from keeper.market import files
from keeper.market.assignment import assign
from keeper.market.facts import Facts
from keeper.market.fetch import fetch_tick
from keeper.market.files import TICKS_A_DAY
from keeper.market.findings import Replayed, Verdict
from keeper.market.folder import OTHERS, REPLAYED, MarketFolder
from keeper.market.manifest import NAME
from keeper.market.replay import Sources, of_tick
from keeper.market.snapshot import Snapshot
from keeper.market.states import States
from keeper.market.watch import AFTER, AHEAD, MOST_KEPT, Outcome, Watch
from keeper.pow.anchored import PostKind
from keeper.runtime.market import MarketFigures
from keeper.runtime.metrics import Metrics
from keeper.runtime.serving import served
from tests.keeper.jobs.market import Operator, come_to, leader, next_tick, three
from tests.keeper.market.ticks import tick as state_of
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import HOUR, START, key

LOG: FilteringBoundLogger = structlog.get_logger()
FRIEND = "friend"
"""The rogue operator's: it comes last by the rule."""


@pytest.fixture
def world() -> OrdersWorld:
    """Three devices, the last one the friend's, and a renter."""
    world = OrdersWorld.ready(now=START - HOUR)
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier)
        world.chain.advance(600)
    world.let(FRIEND, world.supplier("rogue's friend"))
    world.chain.warp_to(START + HOUR)
    return world


@pytest.fixture
async def operators(world: OrdersWorld, tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[list[Operator]]:
    async with three(world, tmp_path, empty_sqlite) as found:
        yield found


def watch_of(who: Operator, peers: tuple[str, ...] = ()) -> Watch:
    """What an operator's keeper has after a start."""
    ledgers = who.history.ledgers
    passed = who.passed or (lambda _: ())
    states = States(who.world.chain, Facts(ledgers), who.profiles, passed)
    return Watch(who.folder, Sources(states, ledgers), peers)


async def looked(watch: Watch) -> list[tuple[int | None, Verdict]]:
    """What it finds until there is nothing left; it looks at an hour at a time."""
    found, before = [], -1
    while watch.reached != before:
        before = watch.reached
        found += [(each.tick, each.finding.verdict) for each in await watch.look(LOG)]
    return found


def later(world: OrdersWorld, tick: int) -> None:
    """All of a tick is final, and old enough."""
    world.chain.warp_to(tick * TICK + AFTER + 1)


async def honest(world: OrdersWorld, operators: list[Operator], number: int = 1) -> int:
    """A tick with a match by the rule."""
    world.order(key("renter"), number, devices=1)
    tick = next_tick(world)
    come_to(world, tick)
    assert len(await operators[leader(world, tick)].match()) == 1
    return tick


async def favoured(
    world: OrdersWorld, operators: list[Operator], number: int = 1, *, stated: dict[str, object] | None = None
) -> tuple[int, Operator]:
    """A tick in which the leader takes its friend's device first: it had waited longest, it says.

    ``stated`` is what it changes in its manifest.
    """
    order = world.order(key("renter"), number, devices=1)
    tick = next_tick(world)
    come_to(world, tick)
    rogue = operators[leader(world, tick)]
    state = await rogue.matcher.states.at(tick)
    assert state is not None
    devices = state.devices.copy()
    its = devices["device"] == bytes(staking.device_address(key(FRIEND).pubkey())).rstrip(b"\0")
    devices["idle_since"][its] = 0
    devices["changed_at"][its] = 1
    lie = replace(state, devices=devices)
    content = dict(files.encode(lie, assign(lie), rogue.signer.pubkey()))
    if stated:
        content[NAME] = json.dumps(
            {**json.loads(content[NAME]), **stated}, sort_keys=True, separators=(",", ":")
        ).encode()
    rogue.folder.write(tick, content)
    post(world, rogue, tick, state.slot, content[NAME])
    call = orders.match_device(rogue.signer.pubkey(), order, world.read_device(FRIEND), tick)
    world.do(call, signers=[rogue.signer])
    return tick, rogue


def post(world: OrdersWorld, who: Operator, tick: int, slot: int, manifest: bytes) -> None:
    digest = sha256(manifest).digest()
    world.do(staking.post(who.signer.pubkey(), tick, PostKind.BATCH, slot, digest), signers=[who.signer])


def another(operators: list[Operator], than: Operator) -> Operator:
    return next(each for each in operators if each is not than)


async def test_ticks_by_the_rule_are_the_same_for_everybody_without_a_file(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    watch = watch_of(operators[0])
    assert await looked(watch) == [], "who begins, begins with now"
    ticks = [await honest(world, operators, number) for number in (1, 2)]
    world.chain.warp_to(ticks[-1] * TICK + AFTER - 1)
    assert (ticks[-1], Verdict.SAME) not in await looked(watch), "it isn't old enough"
    later(world, ticks[-1])
    await looked(watch)
    assert (watch.outcomes, sum(watch.against.values())) == ({Outcome.SAME: 2}, 0)
    assert set(watch.against) <= {each.signer.pubkey() for each in operators}
    assert watch.reached == ticks[-1] == operators[0].folder.replayed()
    assert await looked(watch) == []


async def test_who_is_killed_goes_on_where_it_was(world: OrdersWorld, operators: list[Operator]) -> None:
    watch = watch_of(operators[0])
    await looked(watch)
    first = await honest(world, operators, 1)
    later(world, first)
    assert await looked(watch) == [(first, Verdict.SAME)]
    second = await honest(world, operators, 2)
    later(world, second)
    assert await looked(watch_of(operators[0])) == [(second, Verdict.SAME)]


async def test_a_rogue_operator_is_named_with_tick_and_row_and_its_files_are_kept(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    tick, rogue = await favoured(world, operators)
    who = another(operators, rogue)
    who.folder.note_replayed(tick - 1)
    async with served(application(rogue.folder.path, rogue.folder.path), "127.0.0.1", 0, "") as port:
        later(world, tick)
        watch = watch_of(who, (f"http://127.0.0.1:{port}",))
        with capture_logs() as told:
            assert await looked(watch) == [(tick, Verdict.DIFFERENT)]
    (error,) = [each for each in told if each["log_level"] == "error"]
    assert (error["event"], error["tick"], error["file"]) == ("tick.different", tick, "devices.csv")
    assert error["operator"] == str(rogue.signer.pubkey())
    friend = str(staking.device_address(key(FRIEND).pubkey()))
    assert error["found"].startswith(friend) and error["expected"].startswith(friend)
    lines = rogue.folder.files(tick)["devices.csv"].decode().split("\n")
    assert lines[error["row"] - 1] == error["found"]
    assert watch.against[rogue.signer.pubkey()] == 1
    # It takes its files back: anybody whom they are passed on to sees the same.
    shutil.rmtree(rogue.folder.path)
    kept = MarketFolder(who.folder.path / OTHERS / str(rogue.signer.pubkey()))
    again = await by(watch, tick, kept)
    assert again.finding.verdict is Verdict.DIFFERENT
    assert again.finding.culprit is not None and again.finding.culprit.vouched


async def by(watch: Watch, tick: int, folder: MarketFolder) -> Replayed:
    return await of_tick(tick, watch.there, await watch.there.events(), folder)


async def test_one_that_withholds_its_files_is_named_for_the_match_that_the_rule_does_not_give(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    tick, rogue = await favoured(world, operators)
    who = another(operators, rogue)
    who.folder.note_replayed(tick - 1)
    later(world, tick)
    watch = watch_of(who)
    with capture_logs() as told:
        await watch.look(LOG)
    assert watch.outcomes == {Outcome.UNEXPLAINED: 1}
    (error,) = [each for each in told if each["log_level"] == "error"]
    assert (error["event"], error["operator"]) == ("tick.unexplained", str(rogue.signer.pubkey()))
    assert str(staking.device_address(key(FRIEND).pubkey())) in error["found"]
    assert str(staking.device_address(key("one").pubkey())) in error["expected"]


async def test_stating_other_rules_explains_no_match(world: OrdersWorld, operators: list[Operator]) -> None:
    """A version that nobody has: its files can't be judged, and what it matched still isn't the rule's."""
    tick, rogue = await favoured(world, operators, stated={"rule": 99})
    who = another(operators, rogue)
    who.folder.note_replayed(tick - 1)
    async with served(application(rogue.folder.path, rogue.folder.path), "127.0.0.1", 0, "") as port:
        later(world, tick)
        watch = watch_of(who, (f"http://127.0.0.1:{port}",))
        await watch.look(LOG)
    assert (watch.outcomes, watch.against[rogue.signer.pubkey()]) == ({Outcome.UNEXPLAINED: 1}, 1)


async def test_a_posting_alone_accuses_nobody_and_a_lying_peer_does_neither(
    world: OrdersWorld, operators: list[Operator], tmp_path: Path
) -> None:
    """An honest operator wrote a tick, was killed before it posted it, and its next one goes on from that."""
    world.order(key("renter"), 1, devices=1)
    lost = next_tick(world)
    come_to(world, lost)
    honest_one = operators[leader(world, lost)]
    state = await honest_one.matcher.states.at(lost)
    assert state is not None
    honest_one.folder.write(lost, files.write(state, honest_one.signer.pubkey()))
    tick = lost + 3
    come_to(world, tick)
    assert len(await honest_one.match()) == 1
    who = another(operators, honest_one)
    who.folder.note_replayed(tick - 1)
    later(world, tick)
    alone = watch_of(who)
    await alone.look(LOG)
    assert (alone.outcomes, sum(alone.against.values())) == ({Outcome.OPEN: 1}, 0)
    # A peer has files in its name, which it never posted: they aren't taken for its own.
    liar = MarketFolder(tmp_path / "liar")
    lie = {**honest_one.folder.files(tick), "matches.csv": b"order,device,price\n"}
    liar.write(tick, lie)
    who.folder.note_replayed(tick - 1)
    async with served(application(liar.path, liar.path), "127.0.0.1", 0, "") as port:
        deceived = watch_of(who, (f"http://127.0.0.1:{port}",))
        await deceived.look(LOG)
    assert (deceived.outcomes, sum(deceived.against.values())) == ({Outcome.OPEN: 1}, 0)
    # Nor are those that its tick goes on from, of which it vouches for the devices alone.
    state, friend = state_without(state), honest_one.signer.pubkey()
    forged = files.write(state, friend)
    bases = {
        "other devices": forged,
        "no table": {**honest_one.folder.files(lost), "orders.csv": b"order\n"},
        "a table of its own": in_manifest({**honest_one.folder.files(lost), "orders.csv": b"order\n"}),
    }
    for name, base in bases.items():
        liar = MarketFolder(tmp_path / name)
        liar.write(tick, honest_one.folder.files(tick))
        liar.write(lost, base)
        who.folder.note_replayed(tick - 1)
        async with served(application(liar.path, liar.path), "127.0.0.1", 0, "") as port:
            deceived = watch_of(who, (f"http://127.0.0.1:{port}",))
            await deceived.look(LOG)
        assert (deceived.outcomes, sum(deceived.against.values())) == ({Outcome.OPEN: 1}, 0), name
    # With its own ones all is the same.
    who.folder.note_replayed(tick - 1)
    path = honest_one.folder.path
    async with served(application(path, path), "127.0.0.1", 0, "") as port:
        informed = watch_of(who, (f"http://127.0.0.1:{port}",))
        await informed.look(LOG)
    assert (informed.outcomes, sum(informed.against.values())) == ({Outcome.SAME: 1}, 0)
    assert not (who.folder.path / OTHERS).exists()


async def test_files_that_no_state_explains_are_not_read(
    world: OrdersWorld, operators: list[Operator], tmp_path: Path
) -> None:
    """Who posts gigabytes keeps nobody busy: what a tick's files may have follows from one's own state."""
    tick = await honest(world, operators)
    state = await operators[0].matcher.states.at(tick)
    assert state is not None
    most = files.room(state)
    content = files.write(state, operators[0].signer.pubkey())
    assert most["devices.csv"] == files.ROOM + 2 * len(content["devices.csv"])
    huge = in_manifest({**content, "orders.csv": content["orders.csv"] + b"x" * most["orders.csv"]})
    for name, it, wrong in (("huge", huge, "names orders.csv with 66,340 bytes"), ("right", content, None)):
        place = MarketFolder(tmp_path / name)
        place.write(tick, it)
        digest = sha256(it[NAME]).digest()
        async with served(application(place.path, place.path), "127.0.0.1", 0, "") as port:
            asked = fetch_tick(f"http://127.0.0.1:{port}", tick, digest, most)
            if wrong is None:
                assert await asked == {tick: it}
                continue
            with pytest.raises(PeerError, match=wrong):
                await asked


def state_without(state: Snapshot) -> Snapshot:
    """A state whose first device is another one's."""
    devices = state.devices.copy()
    devices["supplier"][0] = bytes(key("a stranger").pubkey())
    return replace(state, devices=devices)


def in_manifest(content: dict[str, bytes]) -> dict[str, bytes]:
    """A tick's files with a manifest that names the ``orders.csv`` among them."""
    stated = json.loads(content[NAME])
    data = content["orders.csv"]
    stated["files"]["orders.csv"] = {"sha256": sha256(data).hexdigest(), "bytes": len(data), "rows": 0}
    return {**content, NAME: json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()}


async def test_an_operator_that_posts_files_in_anothers_name_is_named_itself(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """Its manifest says that an honest one wrote the lie."""
    order = world.order(key("renter"), devices=1)
    tick = next_tick(world)
    come_to(world, tick)
    rogue = operators[leader(world, tick)]
    who = another(operators, rogue)
    framed = next(each for each in operators if each not in {rogue, who})
    state = await rogue.matcher.states.at(tick)
    assert state is not None
    lie = files.write(state_without(state), framed.signer.pubkey())
    rogue.folder.write(tick, lie)
    post(world, rogue, tick, state.slot, lie[NAME])
    call = orders.match_device(rogue.signer.pubkey(), order, world.read_device("one"), tick)
    world.do(call, signers=[rogue.signer])
    who.folder.note_replayed(tick - 1)
    path = rogue.folder.path
    async with served(application(path, path), "127.0.0.1", 0, "") as port:
        later(world, tick)
        watch = watch_of(who, (f"http://127.0.0.1:{port}",))
        (found,) = await watch.look(LOG)
    assert (watch.outcomes, +watch.against) == ({Outcome.DIFFERENT: 1}, {rogue.signer.pubkey(): 1})
    culprit = found.finding.culprit
    assert culprit is not None and culprit.vouched
    assert culprit.found == str(framed.signer.pubkey())
    assert (who.folder.path / OTHERS / str(rogue.signer.pubkey())).exists()


async def test_an_operator_that_posts_nothing_is_named_at_once(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    order = world.order(key("renter"), devices=1)
    tick = next_tick(world)
    come_to(world, tick)
    rogue = operators[leader(world, tick)]
    call = orders.match_device(rogue.signer.pubkey(), order, world.read_device(FRIEND), tick)
    world.do(call, signers=[rogue.signer])
    who = another(operators, rogue)
    who.folder.note_replayed(tick - 1)
    later(world, tick)
    (found,) = await watch_of(who).look(LOG)
    assert found.finding.what == f"{rogue.signer.pubkey()} matched in the tick, and never posted its batch"


async def test_a_cursor_ahead_of_the_chain_is_said_and_begun_anew(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    """A folder of another network, or from before the chain was begun anew: else it would look at nothing."""
    folder = operators[0].folder
    newest = (world.chain.now() - AFTER) // TICK
    folder.note_replayed(newest + AHEAD)
    with capture_logs() as told:
        assert await watch_of(operators[0]).look(LOG) == []
    assert (told, folder.replayed()) == ([], newest + AHEAD), "a node may be behind another"
    folder.note_replayed(newest + AHEAD + 1)
    with capture_logs() as told:
        await watch_of(operators[0]).look(LOG)
    (warning,) = [each for each in told if each["log_level"] == "warning"]
    found = warning["event"], warning["done"], warning["newest"]
    assert found == ("ticks.cursor_ahead", newest + AHEAD + 1, newest)
    assert folder.replayed() == newest


async def test_who_was_away_for_a_day_looks_at_the_last_one(
    world: OrdersWorld, operators: list[Operator]
) -> None:
    folder = operators[0].folder
    newest = (world.chain.now() - AFTER) // TICK
    folder.note_replayed(newest - TICKS_A_DAY - 100)
    with capture_logs() as told:
        await watch_of(operators[0]).look(LOG)
    (warning,) = [each for each in told if each["log_level"] == "warning"]
    left = newest - TICKS_A_DAY
    assert (warning["event"], warning["first"], warning["last"]) == ("ticks.not_replayed", left - 99, left)
    reached = folder.replayed()
    assert reached is not None and left < reached < newest, "an hour at a time"
    for unreadable in (b"", b"tomorrow\n"):
        (folder.path / REPLAYED).write_bytes(unreadable)
        assert folder.replayed() is None


def test_evidence_is_bounded(tmp_path: Path) -> None:
    """Who lies all day fills no disk."""
    found, kept = MarketFolder(tmp_path / "found"), MarketFolder(tmp_path / "kept")
    rogue = Pubkey.new_unique()
    for tick in range(1, MOST_KEPT + 10):
        found.write(tick, plain(tick, rogue))
        kept.keep(rogue, tick, found, MOST_KEPT)
    assert len(MarketFolder(kept.path / OTHERS / str(rogue)).ticks(0, 100)) == MOST_KEPT


def plain(tick: int, operator: Pubkey) -> dict[str, bytes]:
    """A tick without a device."""
    return files.write(replace(state_of([], []), tick=tick), operator)


def test_figures_have_what_was_found(tmp_path: Path) -> None:
    """An operator that did nothing wrong has a series, too, so that an increase is seen."""
    watch, metrics, rogue = Watch(MarketFolder(tmp_path), None), Metrics(), Pubkey.new_unique()  # type: ignore[arg-type]
    figures = MarketFigures(metrics, None, watch)
    series = f'ionet_ticks_against_rule_total{{operator="{rogue}"}}'
    watch.against.update({rogue: 0})
    figures.saw(0, None)
    text = metrics.text().decode()
    assert f"{series} 0.0" in text and "ionet_replayed_tick_age_seconds -1.0" in text
    watch.against[rogue] += 2
    watch.outcomes[Outcome.DIFFERENT] += 2
    watch.reached = 10
    for _ in range(2):
        figures.saw(10 * TICK + 700, None)
    text = metrics.text().decode()
    assert f"{series} 2.0" in text and "ionet_replayed_tick_age_seconds 700.0" in text
    assert 'ionet_ticks_replayed_total{outcome="different"} 2.0' in text
