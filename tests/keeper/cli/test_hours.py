"""``ionet market replay`` of hours' steps and of all that operators spoke of; what their keepers do."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from keeper.clients import staking
from keeper.economy.calendar import unix_hour
from keeper.market.folder import MarketFolder
from keeper.market.steps import StepTable
from keeper.pow.profiles import read_profiles
from tests.keeper.cli.test_market import words
from tests.keeper.cli.ticking import (
    CLUSTER,
    DIR,
    ON,
    device_of,
    matched,
    opened,
    over,
    publish,
    replay,
    tick_of,
    told,
    world,
)
from tests.keeper.jobs.market import Operator, come_to, next_tick
from tests.programs.orders.world import HOUR, OrdersWorld
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import key

__all__ = ["world"]


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
