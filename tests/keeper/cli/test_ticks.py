"""``ionet market replay`` and ``why``: what operators published, posted and matched, beside the rule."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.cli import ticks
from keeper.cli.options import settings
from keeper.clients import orders, staking
from keeper.clients.orders import Order
from keeper.economy.calendar import unix_hour
from keeper.economy.classes import ClassPrices
from keeper.economy.orders import TICK, tick_ends, turn_opens
from keeper.market import files
from keeper.market.files import MATCHES
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME, Manifest
from keeper.market.snapshot import Snapshot
from keeper.market.steps import StepTable
from keeper.pow.anchored import PostKind
from keeper.pow.profiles import read_profiles
from keeper.rewards import publication
from keeper.rewards.rows import Work
from tests.keeper.cli.test_market import words
from tests.keeper.jobs.market import Operator, come_to, next_tick
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import START, another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED
from tests.programs.orders.world import HOUR, IO, TERMS, USDC, OrdersWorld
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import key

CLUSTER = 100
"""A class that no proof of work is known for: its devices take part without."""
ON = ("--chain", "test.chain")
DIR = ("--dir", "market")


@pytest.fixture
def world() -> OrdersWorld:
    """Two free devices of such a class, ``one`` for longer than ``two``."""
    world = OrdersWorld.ready()
    admin = world.admin.pubkey()
    prices = ClassPrices(2 * IO, 1, 1_000 * IO, USDC, 1, 1_000 * USDC)
    world.do(staking.add_class(admin, CLUSTER, "Cluster", 100, 0, 0, prices), signers=[world.admin])
    number = staking.class_address(CLUSTER)
    opens_at = staking.parse_class(world.account(number).data).opens_at
    world.chain.warp_to(max(world.chain.now(), opens_at))
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier, device_class=CLUSTER)
        world.chain.advance(600)
    return world


def tick_of(order: Order) -> int:
    return order.created_at // TICK + 1


def opened(world: OrdersWorld, number: int = 1, **changed: object) -> Order:
    return world.order(
        key("renter"), number, **{"terms": replace(TERMS, classes=(CLUSTER,)), "devices": 1, **changed}
    )


def state_of(world: OrdersWorld, tick: int) -> Snapshot:
    world.chain.save(Path("test.chain"))

    async def read() -> Snapshot:
        async with ticks.sources(settings("test.chain"), None) as (found, _):
            return await found.state(tick)

    return asyncio.run(read())


def publish(world: OrdersWorld, tick: int, operator: int | None = None) -> Snapshot:
    """Let a tick's leader do what it must but match: files, and their hash on chain."""
    number = tick % 3 if operator is None else operator
    who, folder = world.operators[number], MarketFolder(Path("market"))
    world.chain.warp_to(max(world.chain.now(), turn_opens(tick, number, 3)))
    state = state_of(world, tick)
    folder.write(tick, files.write(state, who.pubkey(), folder.base(tick)))
    post(world, tick, number)
    return state


def post(world: OrdersWorld, tick: int, operator: int, slot: int | None = None) -> None:
    who = world.operators[operator]
    manifest = Manifest.decode(MarketFolder(Path("market")).files(tick)[NAME])
    at = manifest.slot if slot is None else slot
    world.do(staking.post(who.pubkey(), tick, PostKind.BATCH, at, manifest.hash), signers=[who])


def matched(world: OrdersWorld, order: Order, name: str, tick: int, operator: int | None = None) -> None:
    who = world.operators[tick % 3 if operator is None else operator]
    device = world.read_device(name)
    world.do(orders.match_device(who.pubkey(), order, device, tick), signers=[who])


def over(world: OrdersWorld, tick: int) -> None:
    """The tick can't be matched any more, and that is final and saved."""
    world.chain.warp_to(max(world.chain.now(), tick_ends(tick) + 60))
    world.chain.save(Path("test.chain"))


def replay(ionet, tick: int, *more: object) -> tuple[int, str]:
    code, out, err = ionet("market", "replay", "--tick", tick, *more)
    return code, words(out + err)


def told(world: OrdersWorld, number: int) -> str:
    return str(world.operators[number].pubkey())


def device_of(name: str) -> str:
    return str(staking.device_address(key(name).pubkey()))


# -- a tick --------------------------------------------------------------------------------------


def test_a_tick_is_the_same_from_its_files_from_the_chain_and_from_both(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    matched(world, order, "one", tick)
    over(world, tick)
    rows = f"tick {tick}: 2 devices, 1 orders, 1 matches."
    assert replay(ionet, tick, *DIR) == (0, f"{rows} The same, to the last byte.")
    said = f"{rows} On chain: 1 posted a batch, 1 matches were made. The same, to the last byte."
    assert replay(ionet, tick, *ON) == (0, said)
    assert replay(ionet, tick, *DIR, *ON) == (0, said)
    code, out, _ = ionet("market", "replay", "--tick", tick, *DIR, *ON, "--json")
    assert code == 0
    assert json.loads(out) == {
        "tick": tick,
        "hour": None,
        "verdict": "same",
        "what": "",
        "culprit": None,
        "files": True,
        "devices": 2,
        "orders": 1,
        "matches": 1,
        "posted": 1,
        "on_chain": 1,
        "skipped": 0,
        "announced": None,
        "root": None,
        "steps": [],
    }


def test_a_later_tick_of_the_hour_goes_on_from_the_first(ionet, world):
    world.chain.warp_to((world.chain.now() // HOUR + 1) * HOUR)
    first = opened(world)
    publish(world, tick_of(first), 0)
    matched(world, first, "one", tick_of(first), 0)
    world.chain.advance(300)
    second = opened(world, 2)
    tick = tick_of(second)
    publish(world, tick, 0)
    matched(world, second, "two", tick, 0)
    over(world, tick)
    assert Manifest.decode(MarketFolder(Path("market")).files(tick)[NAME]).base is not None
    for where in (DIR, ON, (*DIR, *ON)):
        code, said = replay(ionet, tick, *where)
        assert (code, "The same" in said) == (0, True), said
    shutil.rmtree(Path("market") / files.folder(tick_of(first)))
    code, said = replay(ionet, tick, *DIR)
    assert (code, f"Open: tick {tick_of(first)} isn't in market" in said) == (2, True)


def test_a_match_that_was_skipped_is_nobodys_fault(ionet, world):
    order = opened(world)
    publish(world, tick_of(order))
    over(world, tick_of(order))
    code, said = replay(ionet, tick_of(order), *DIR, *ON)
    assert (code, "0 matches were made, 1 were skipped. The same" in said) == (0, True)


def test_a_line_that_differs_is_named(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    state = publish(world, tick)
    over(world, tick)
    folder, who = MarketFolder(Path("market")), world.operators[tick % 3].pubkey()
    batch = folder.read(tick)
    lying = batch.matches.copy()
    lying["device"] = [bytes(staking.device_address(key("two").pubkey()))]
    folder.write(tick, files.encode(state, lying, who))
    code, said = replay(ionet, tick, *DIR)
    assert code == 1
    line = f"{order.address},{device_of('two')},{2 * IO}"
    gives = f"{order.address},{device_of('one')},{2 * IO}"
    assert f"tick {tick}: 2 devices, 1 orders, 1 matches. Different: {who}'s {MATCHES}: " in said
    assert f": line 2 is '{line}', but the rule gives '{gives}'." in said


def test_files_of_another_state_than_the_chain_s_are_found_out(ionet, world):
    """They follow from themselves; the chain's events say otherwise."""
    order = opened(world)
    tick = tick_of(order)
    state = publish(world, tick)
    over(world, tick)
    folder, who = MarketFolder(Path("market")), world.operators[tick % 3].pubkey()
    devices = state.devices.copy()
    two = devices["device"] == bytes(staking.device_address(key("two").pubkey()))
    devices["idle_since"][two] += 100
    folder.write(tick, files.write(replace(state, devices=devices), who))
    assert replay(ionet, tick, *DIR)[0] == 0
    code, said = replay(ionet, tick, *DIR, *ON)
    assert (code, f"Different: {who}'s devices.csv: line" in said) == (1, True)


def test_a_hash_that_isnt_the_one_that_was_posted(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    state = publish(world, tick)
    over(world, tick)
    folder, leader = MarketFolder(Path("market")), tick % 3
    other = (leader + 1) % 3
    folder.write(tick, files.write(state, world.operators[other].pubkey()))
    code, said = replay(ionet, tick, *DIR, *ON)
    assert (code, f"Open: {told(world, other)} posted no batch of the tick" in said) == (2, True)


def test_an_operator_that_posts_something_else(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    who = world.operators[leader].pubkey()
    world.chain.warp_to(turn_opens(tick, leader, 3))
    state = state_of(world, tick)
    folder = MarketFolder(Path("market"))
    folder.write(tick, files.write(state, who))
    call = staking.post(who, tick, PostKind.BATCH, state.slot, bytes(32))
    world.do(call, signers=[world.operators[leader]])
    over(world, tick)
    code, said = replay(ionet, tick, *DIR, *ON)
    stated = folder.read(tick).manifest.hash.hex()
    assert (code, f"SHA-256 is {stated}, but {who} posted {'00' * 32}." in said) == (1, True)
    code, said = replay(ionet, tick, *ON)
    assert (code, f"Open: {who} posted {'00' * 32}, but the rule gives {stated}" in said) == (2, True)
    assert "its files say where it differs, name them by --dir" in said


def test_an_operator_that_posts_another_slot(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    who = world.operators[leader].pubkey()
    world.chain.warp_to(turn_opens(tick, leader, 3))
    state = state_of(world, tick)
    MarketFolder(Path("market")).write(tick, files.write(state, who))
    post(world, tick, leader, slot=state.slot - 1)
    over(world, tick)
    code, said = replay(ionet, tick, *DIR, *ON)
    posted = f"{who} posted slot {state.slot - 1}"
    assert (code, f"{posted}, but the manifest has {state.slot}" in said) == (1, True)
    code, said = replay(ionet, tick, *ON)
    assert (code, f"{posted}, but the tick's is {state.slot}" in said) == (1, True)


def test_a_match_against_the_rule(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    matched(world, order, "two", tick)
    over(world, tick)
    for where in (ON, (*DIR, *ON)):
        code, said = replay(ionet, tick, *where)
        wrong = f"{told(world, tick % 3)} matched {device_of('two')} to {order.address}"
        assert (code, f"{wrong}, to which the rule gives {device_of('one')}." in said) == (1, True)


def test_a_match_without_a_batch(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    world.chain.warp_to(turn_opens(tick, leader, 3))
    matched(world, order, "one", tick)
    folder = MarketFolder(Path("market"))
    folder.write(tick, files.write(state_of(world, tick), world.operators[leader].pubkey()))
    over(world, tick)
    for where in (ON, (*DIR, *ON)):
        code, said = replay(ionet, tick, *where)
        assert (code, f"{told(world, leader)} matched in the tick, and never posted its batch" in said) == (
            1,
            True,
        )


def test_what_is_missing(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    over(world, tick)
    assert replay(ionet, tick, *DIR) == (
        2,
        f"tick {tick}: 0 devices, 0 orders, 0 matches. Open: tick {tick} isn't in market: no matches, or its "
        "files weren't fetched.",
    )
    code, said = replay(ionet, tick, *ON)
    assert (code, "Open: no operator posted a batch of the tick." in said) == (2, True)
    code, said = replay(ionet, tick - 10, *ON)
    assert (code, "0 orders, 0 matches. On chain: 0 posted" in said) == (0, True), "none was due"
    code, said = replay(ionet, tick + 10**6, *ON)
    assert (code, f"error: tick {tick + 10**6} isn't over, or not final yet" in said) == (2, True)


# -- an hour -------------------------------------------------------------------------------------


def test_an_hour_s_steps(ionet, world):
    supplier = key("supplier")
    world.let("gpu", supplier, device_class=GPU_CLASS)
    begins = (world.chain.now() // HOUR + 1) * HOUR
    order = world.order(key("renter"), 5, devices=1, hours=3)
    world.run(order, "gpu")
    hour = begins // HOUR
    world.chain.warp_to(begins + HOUR + 60)
    world.chain.save(Path("test.chain"))
    rule = StepTable(hour, {GPU_CLASS: (156, 156), 2: (0, 0), CLUSTER: (0, 0)})
    code, out, err = ionet("market", "replay", "--hour", hour, *ON)
    said = words(out)
    assert code == 2, err
    assert f"{unix_hour(hour)}: steps of 3 classes, 1 of them not 0; root {rule.root.hex()}." in said
    assert f"Open: the chain has no vote on the steps of hour {hour}" in said
    for number, root in ((0, rule.root), (1, rule.root)):
        who = world.operators[number]
        world.do(staking.vote_prices(who.pubkey(), hour, root), signers=[who])
        world.chain.save(Path("test.chain"))
        code, out, _ = ionet("market", "replay", "--hour", hour, *ON)
        assert code == (0 if number else 2)
        assert ("operators haven't agreed on the steps" in words(out)) == (number == 0)
    assert "The same, to the last byte." in words(out)
    MarketFolder(Path("market")).write_steps(StepTable(hour, {**rule.steps, 2: (5, 0)}))
    code, out, _ = ionet("market", "replay", "--hour", hour, *DIR, *ON)
    stated = "class 2: +5 bps in IO, +0 bps in USDC published"
    assert (code, f"Different: {stated}, but the rule gives +0 bps in IO, +0 bps in USDC." in words(out)) == (
        1,
        True,
    )
    code, out, _ = ionet("market", "replay", "--hour", hour - 1, *DIR, *ON)
    assert (code, "Open: market/prices/" in words(out)) == (2, True)
    code, out, err = ionet("market", "replay", "--hour", hour + 1, *ON)
    assert (code, f"{unix_hour(hour + 1)} isn't over, or not final yet" in words(err)) == (2, True)


def test_operators_that_agree_on_other_steps(ionet, world):
    hour = world.chain.now() // HOUR - 1
    for who in world.operators[:2]:
        world.do(staking.vote_prices(who.pubkey(), hour, bytes([1]) * 32), signers=[who])
    world.chain.save(Path("test.chain"))
    code, out, _ = ionet("market", "replay", "--hour", hour, *ON)
    assert (code, f"Different: operators agreed on the root {'01' * 32}" in words(out)) == (1, True)


def test_what_a_step_follows_from(ionet, world):
    supplier = key("supplier")
    world.let("gpu", supplier, device_class=GPU_CLASS)
    begins = (world.chain.now() // HOUR + 1) * HOUR
    world.run(world.order(key("renter"), 5, devices=1, hours=3), "gpu")
    world.chain.warp_to(begins + HOUR + 60)
    world.chain.save(Path("test.chain"))
    asked = ("market", "price", "--explain", "--class", "rtx 4090", "--currency", "io", *ON)
    code, out, err = ionet(*asked)
    assert code == 0, err
    assert "RTX 4090 IO 48 0 0 10,000 4 +156" in words(out)
    assert "RTX 4090 in IO, sample by sample" in words(out)
    assert " 12 4 0 0 4 " in words(out)
    assert "The price stands still at 7,000" in words(out)
    _, out, _ = ionet(*asked, "--hours", 2, "--json")
    before, last = json.loads(out)["samples"]
    assert (before["hour"], last["hour"]) == (begins // HOUR - 1, begins // HOUR)
    samples = last["classes"][0].pop("samples")
    hired = [0, 0, 0, 4, 0, 0, 0, 0]
    assert samples == 12 * [{"hired": hired, "idle": 8 * [0], "unmet": 0, "size": 4}], "by processor count"
    assert last["classes"] == [
        {
            "class": GPU_CLASS,
            "currency": "io",
            "hired": 48,
            "idle": 0,
            "unmet": 0,
            "used": 10_000,
            "processors": 4,
            "step": 156,
        }
    ]


# -- all of them ---------------------------------------------------------------------------------


def test_all_ticks_and_hours_that_operators_spoke_of(ionet, world):
    begins = (world.chain.now() // HOUR + 1) * HOUR
    world.chain.warp_to(begins + 60)
    hour = begins // HOUR - 1
    table = StepTable(hour, {GPU_CLASS: (0, 0), 2: (0, 0), CLUSTER: (0, 0)})
    for who in world.operators[:2]:
        world.do(staking.vote_prices(who.pubkey(), hour, table.root), signers=[who])
    world.do(staking.apply_price(CLUSTER, hour, 0, 0, table.proof(CLUSTER)))
    wrong = opened(world)
    publish(world, tick_of(wrong))
    matched(world, wrong, "two", tick_of(wrong))
    world.chain.advance(60)
    right = opened(world, 2)
    publish(world, tick_of(right))
    matched(world, right, "one", tick_of(right))
    over(world, tick_of(right))
    who = told(world, tick_of(wrong) % 3)
    differs = (
        f"tick {tick_of(wrong)}: 2 devices, 1 orders, 1 matches. On chain: 1 posted a batch, 1 matches were "
        f"made. Different: {who} matched {device_of('two')} to {wrong.address}, to which the rule gives "
        f"{device_of('one')}."
    )
    for where in (ON, (*DIR, *ON)):
        code, out, err = ionet("market", "replay", "--all", *where)
        assert (code, out.splitlines()) == (
            1,
            [
                differs,
                "2 batches of 2 ticks, 2 matches on chain: 1 batches are the same, to the last byte.",
                "1 hours' steps, 1 prices on chain: 1 are the same, to the last byte.",
            ],
        ), err
    code, out, _ = ionet("market", "replay", "--all", "--json", *ON)
    rows = json.loads(out)["replayed"]
    assert [each["verdict"] for each in rows] == ["different", "same", "same"]
    assert [(each["tick"], each["hour"], each["announced"]) for each in rows[1:]] == [
        (tick_of(right), None, None),
        (None, hour, 1),
    ]


def test_a_chain_of_which_operators_said_nothing(ionet, world):
    world.chain.save(Path("test.chain"))
    assert ionet("market", "replay", "--all", *ON)[:2] == (
        0,
        "The chain has no batch, and no vote for steps.\n",
    )


# -- why -----------------------------------------------------------------------------------------


def test_why_a_device_was_taken_or_not(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    over(world, tick)
    for where in (DIR, ON):
        code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *where)
        assert code == 0, err
        assert "place 1 of 2 of its class and number of processors." in words(out)
        assert f"Order {order.address} took it, at 2.00000000 IO for a processor and hour." in words(out)
        code, out, err = ionet("market", "why", device_of("two"), "--tick", tick, *where)
        assert code == 0, err
        assert "place 2 of 2" in words(out)
        assert "No order took it: 1 of 1 open orders could have had it." in words(out)
        assert f"{order.address} 1 1 it took devices that come first, or cost less" in words(out)


@pytest.mark.parametrize("ends", ["served", "broken off"])
def test_what_a_weight_follows_from(ionet, world, ends):
    """By the chain alone: files have the weight, and not what became of leases."""
    order = opened(world, hours=24)
    world.run(order, "one")
    world.chain.advance(2 * HOUR if ends == "broken off" else 24 * HOUR)
    caller = key("supplier") if ends == "broken off" else world.payer
    assert world.end(order, "one", caller).error is None
    late = opened(world, 2)
    tick = tick_of(late)
    publish(world, tick)
    over(world, tick)
    terms = {
        "served": ("1.000", "0.000", {"good": 1_000, "bad": 0, "bound": 7_411, "weight": 8_705}),
        "broken off": ("0.083", "1.000", {"good": 83, "bad": 1_000, "bound": 3_108, "weight": 6_554}),
    }
    good, bad, record = terms[ends]
    code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *ON)
    assert code == 0, err
    assert f"{good} days of leases whose fees were paid, and {bad} failures" in words(out)
    assert f"its waiting weighs {record['weight'] / 100:.2f} %." in words(out)
    assert (
        json.loads(ionet("market", "why", device_of("one"), "--tick", tick, *ON, "--json")[1])["record"]
        == record
    )
    assert "Its record" not in ionet("market", "why", device_of("one"), "--tick", tick, *DIR)[1]


def test_orders_of_other_devices_are_counted_and_not_listed(ionet, world):
    other = opened(world, 1, processors=2)
    opened(world, 3, price=2 * IO - 1)
    mine = opened(world, 2, countries=("AT",))
    tick = tick_of(mine)
    over(world, tick)
    code, out, err = ionet("market", "why", device_of("one"), "--tick", tick, *ON)
    assert code == 0, err
    assert "No order took it: 0 of 2 open orders could have had it." in words(out)
    assert f"{mine.address} 1 0 another country" in words(out)
    assert str(other.address) not in out
    _, out, _ = ionet("market", "why", device_of("one"), "--tick", tick, *ON, "--json")
    listed = {each["order"]: each["unfit"] for each in json.loads(out)["orders"]}
    assert listed == {str(other.address): ["processors"], str(mine.address): ["country"]}, (
        "below the price none takes part"
    )


def test_why_for_programs(ionet, world):
    order = opened(world)
    tick = tick_of(order)
    publish(world, tick)
    waited = tick * TICK - world.read_device("one").changed_at
    _, out, _ = ionet("market", "why", device_of("one"), "--tick", tick, *DIR, "--json")
    assert json.loads(out) == {
        "tick": tick,
        "device": device_of("one"),
        "out": [],
        "place": 1,
        "count": 2,
        "seconds": waited,
        "weight": 8_584,
        "record": None,
        "taken_by": str(order.address),
        "price": str(2 * IO),
        "currency": "io",
        "orders": [
            {
                "order": str(order.address),
                "open": 1,
                "minimum": 1,
                "got": 1,
                "unfit": [],
                "outcome": "took",
            }
        ],
    }


def test_why_a_device_took_no_part(ionet, world):
    world.let("gpu", key("supplier"), device_class=GPU_CLASS)
    order = opened(world)
    matched_by = tick_of(order)
    over(world, matched_by)
    code, out, err = ionet("market", "why", device_of("gpu"), "--tick", matched_by, *ON)
    assert code == 0, err
    said = f"It took no part in tick {matched_by}: it hadn't passed its proof of work in the newest hour"
    assert said in words(out)
    code, _, err = ionet("market", "why", device_of("nobody"), "--tick", matched_by, *ON)
    assert (code, f"there is no device {device_of('nobody')} at tick" in words(err)) == (1, True)


# -- who passed its work -------------------------------------------------------------------------


def test_the_files_of_the_hour_that_operators_agreed_on_are_needed(ionet, world):
    """Without them nobody knows which devices passed; a batch that guesses is none."""
    payout = world.let("gpu", key("supplier"), device_class=GPU_CLASS).payout
    world.block(0, {payout: 1})
    order = opened(world)
    tick = tick_of(order)
    over(world, tick)
    for arguments, expected in ((("replay",), 2), (("why", device_of("gpu")), 1)):
        code, _, err = ionet("market", *arguments, "--tick", tick, *ON)
        assert (code, "hour 0 is not in rewards" in words(err)) == (expected, True), err


def test_a_device_passes_by_the_files_that_operators_agreed_on(ionet, world):
    for name in ("gpu", "slow"):
        world.let(name, key("supplier"), device_class=GPU_CLASS)
    device = bytes(staking.device_address(key("gpu").pubkey()))
    seen = [replace(another(1, work=int(Work.PASSED)), device=device)]
    manifest = publish_rows(Path("hours"), publication.Hour(0, START, EMITTED), rows(seen), classes())
    said = staking.Attestation(
        bytes.fromhex(manifest.root), manifest.total, manifest.devices, bytes.fromhex(manifest.hash)
    )
    for record in world.attest(0, said):
        assert record.error is None, world.error(record)
    order = world.order(key("renter"), 1, devices=1)
    tick = tick_of(order)
    over(world, tick)
    for name, expected in (("gpu", f"Order {order.address} took it"), ("slow", "it hadn't passed its proof")):
        code, out, err = ionet("market", "why", device_of(name), "--tick", tick, "--rewards", "hours", *ON)
        assert (code, expected in words(out)) == (0, True), (out, err)


# -- what an operator's keeper does --------------------------------------------------------------


def test_what_an_operators_job_publishes_posts_and_matches_is_replayed(ionet, world, tmp_path, empty_sqlite):
    """Two ticks of an hour by the same operator: the second goes on from the first."""
    world.chain.warp_to((world.chain.now() // HOUR + 1) * HOUR)
    made = asyncio.run(_matched(world, tmp_path / "operator", empty_sqlite))
    over(world, made[-1])
    folder = MarketFolder(tmp_path / "operator" / "market")
    assert [folder.read(each).manifest.base is None for each in made] == [True, False]
    posted = "1 posted a batch, 1 matches were made. The same, to the last byte."
    for tick in made:
        for where in (ON, ("--dir", folder.path, *ON)):
            code, said = replay(ionet, tick, *where)
            assert (code, posted in said) == (0, True), said


async def _matched(world: OrdersWorld, folder: Path, empty: Path) -> list[int]:
    """Let the job match an order in each of two ticks whose leader the operator is."""
    operator, made = Operator(world, 0, folder, empty, read_profiles().classes), []
    await operator.history.prepare()
    for number in (1, 2):
        opened(world, number)
        tick = next_tick(world)
        tick += -tick % 3
        come_to(world, tick)
        assert len(await operator.match()) == 1
        made.append(tick)
    await operator.stop()
    return made
