"""``ionet market replay --tick``: what operators published, posted and matched, beside the rule."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from keeper.clients import staking
from keeper.economy.orders import turn_opens
from keeper.market import files
from keeper.market.files import MATCHES
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME, Manifest
from keeper.pow.anchored import PostKind
from tests.keeper.cli.ticking import (
    DIR,
    ON,
    device_of,
    matched,
    opened,
    over,
    post,
    publish,
    replay,
    state_of,
    tick_of,
    told,
    world,
)
from tests.programs.orders.world import HOUR, IO
from tests.programs.world import key

__all__ = ["world"]


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
