"""``ionet operator match`` and ``post``: what an operator's services do, by hand, and what is refused."""

from __future__ import annotations

import base64
import json
import shutil
from io import StringIO
from pathlib import Path

import pytest
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.clients import orders, staking
from keeper.economy.calendar import HOUR, month_start
from keeper.economy.orders import LeaseStatus, turn_opens
from keeper.market import files
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME
from keeper.operator.posting import posted_since
from keeper.operator.store import evidence_name, pings_name, wave_name
from keeper.pow.anchored import EVIDENCE_SECONDS, Posting, PostKind
from keeper.pow.clock import OPEN_AFTER
from keeper.pow.files import WAVE_MAGIC, Evidence, evidence_rows
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed, later
from tests.keeper.cli.ticking import DIR, ON, device_of, opened, over, publish, replay, tick_of, with_devices
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import START_MONTH, finish, key

MATCH = ("operator", "match")
POST = ("operator", "post")


@pytest.fixture
def world(tmp_path: Path) -> OrdersWorld:
    """Two free devices, a renter, three operators, and their keys."""
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    with_devices(world)
    for name in ("renter", "guardian"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    for number, operator in enumerate(world.operators):
        (tmp_path / f"operator {number}.json").write_text(json.dumps(list(bytes(operator))))
    return world


def to_turn(world: OrdersWorld, tick: int, operator: int) -> None:
    """The operator's turn begins, on the saved chain."""
    world.chain.warp_to(turn_opens(tick, operator, len(world.operators)))
    world.chain.save(CHAIN)


def postings(world: OrdersWorld, operator: Pubkey) -> list[Posting]:
    return finish(posted_since(world.chain, operator, 0))


# -- matches -----------------------------------------------------------------------------------


def test_a_match_of_the_rule_is_made_with_its_batch_and_every_replay_agrees(world, by: Typed, ionet) -> None:
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    to_turn(world, tick, leader)
    typed = (*MATCH, order.address, device_of("one"), *DIR)
    said = by(f"operator {leader}", *typed, "--dry-run")
    assert f"It is a match of tick {tick}" in said and "the lease's account" in said
    assert "Tokens that move: none" in said
    assert not Path("market").exists(), "a dry run publishes nothing"
    vault = world.tokens(orders.vault_address(order.address))
    by(f"operator {leader}", *typed, "--yes")
    (lease,) = finish(orders.read_leases(world.chain)).values()
    operator = world.operators[leader].pubkey()
    assert (lease.status, lease.payer, lease.order) == (LeaseStatus.MATCHED, operator, order.address)
    assert world.tokens(orders.vault_address(order.address)) == vault, "a match pays nobody"
    (posted,) = postings(world, operator)
    batch = MarketFolder(Path("market")).read(tick).manifest
    assert (posted.kind, posted.number, posted.hash) == (PostKind.BATCH, tick, batch.hash)
    assert "takes no more devices" in by(f"operator {leader}", *typed, "--yes", ends=1)
    over(world, tick)
    for where in (DIR, ON, (*DIR, *ON)):
        code, told = replay(ionet, tick, *where)
        assert (code, "The same, to the last byte" in told) == (0, True), told


def test_a_match_is_written_for_somebody_else_to_sign(world, ionet) -> None:
    """No key is here: what is printed alone, signed by the operator, makes the match and posts its batch."""
    order = opened(world)
    tick = tick_of(order)
    to_turn(world, tick, tick % 3)
    operator = world.operators[tick % 3]
    typed = (*MATCH, order.address, device_of("one"), *DIR, "--output", "base64", "--chain", CHAIN)
    code, out, err = ionet(*typed, "--signer", operator.pubkey())
    assert code == 0, err
    transaction = VersionedTransaction.from_bytes(base64.b64decode(out))
    assert world.chain.submit(VersionedTransaction(transaction.message, [operator])).error is None
    (lease,) = finish(orders.read_leases(world.chain)).values()
    assert (lease.status, lease.payer) == (LeaseStatus.MATCHED, operator.pubkey())
    (posted,) = postings(world, operator.pubkey())
    assert posted.hash == MarketFolder(Path("market")).read(tick).manifest.hash


def test_nobody_chooses_by_hand_either(world, by: Typed) -> None:
    order = opened(world)
    tick = tick_of(order)
    to_turn(world, tick, tick % 3)
    said = by(f"operator {tick % 3}", *MATCH, order.address, device_of("two"), *DIR, "--yes", ends=1)
    assert (
        f"the rule gives {order.address} {device_of('one')} in tick {tick}, and not {device_of('two')}"
        in said
    )
    assert not Path("market").exists() and not finish(orders.read_leases(world.chain))


def test_files_that_are_published_and_posted_are_gone_on_from(world, by: Typed) -> None:
    """As after a keeper that was killed between its posting and its matches."""
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    publish(world, tick)
    other = (leader + 1) % 3
    to_turn(world, tick, other)
    typed = (*MATCH, order.address, device_of("one"), *DIR, "--yes")
    said = by(f"operator {other}", *typed, ends=1)
    assert f"is {world.operators[leader].pubkey()}'s: name your own folder by --dir" in said
    by(f"operator {leader}", *typed)
    assert len(finish(orders.read_leases(world.chain))) == 1
    assert len(postings(world, world.operators[leader].pubkey())) == 1


def test_one_of_several_places(world, by: Typed) -> None:
    order = opened(world, devices=2)
    tick = tick_of(order)
    to_turn(world, tick, tick % 3)
    typed = (*MATCH, order.address, device_of("two"), *DIR, "--yes")
    by(f"operator {tick % 3}", *typed)
    assert f"{device_of('two')} is matched by now" in by(f"operator {tick % 3}", *typed, ends=1)
    (lease,) = finish(orders.read_leases(world.chain)).values()
    assert str(lease.device) == device_of("two")


def test_another_batch_than_the_one_that_was_posted_isnt_matched_from(world, by: Typed) -> None:
    order = opened(world)
    tick = tick_of(order)
    operator = world.operators[tick % 3]
    to_turn(world, tick, tick % 3)
    call = staking.post(operator.pubkey(), tick, PostKind.BATCH, 7, bytes(32))
    world.do(call, signers=[operator])
    world.chain.save(CHAIN)
    typed = (*MATCH, order.address, device_of("one"), *DIR, "--yes")
    assert f"you have posted another batch of tick {tick}" in by(f"operator {tick % 3}", *typed, ends=1)


def test_only_in_turn_and_only_by_operators(world, by: Typed) -> None:
    order = opened(world)
    world.chain.save(CHAIN)
    typed = (*MATCH, order.address, device_of("one"), "--yes")
    assert "is no operator of this network" in by("renter", *typed, *DIR, ends=1)
    assert "--dir, or IONET_MARKET, names the folder" in by("operator 0", *typed, ends=1)
    assert "your first turn to match" in by("operator 0", *typed, *DIR, ends=1)
    by("guardian", "guardian", "pause", "orders", "matching", "--yes")
    assert "the guardian has stopped matching" in by("operator 0", *typed, *DIR, ends=1)


def test_a_no_to_the_question_takes_the_files_back(world, by: Typed, monkeypatch) -> None:
    order = opened(world)
    tick = tick_of(order)
    to_turn(world, tick, tick % 3)
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    by(f"operator {tick % 3}", *MATCH, order.address, device_of("one"), *DIR, ends=1)
    assert not MarketFolder(Path("market")).has(tick)
    assert not finish(orders.read_leases(world.chain))


# -- postings ----------------------------------------------------------------------------------


def test_a_batch_is_posted_once(world, by: Typed) -> None:
    order = opened(world)
    tick = tick_of(order)
    leader = tick % 3
    publish(world, tick)
    world.chain.save(CHAIN)
    manifest = Path("market") / files.folder(tick) / NAME
    assert f"the batch of tick {tick} is posted already" in by(f"operator {leader}", *POST, manifest, ends=1)
    other = (leader + 1) % 3
    assert "whoever published a file posts it" in by(f"operator {other}", *POST, manifest, "--yes", ends=1)
    assert "is no operator" in by("renter", *POST, manifest, "--yes", ends=1)
    over(world, tick)
    said = by(f"operator {leader}", *POST, manifest, "--yes", ends=1)
    assert f"the batch of tick {tick} could be posted until" in said and "would count for nothing" in said


def test_evidence_and_waves_are_posted_by_their_names(world, by: Typed) -> None:
    world.chain.save(CHAIN)
    operator = world.operators[0].pubkey()
    hour = (world.chain.now() - month_start(START_MONTH)) // HOUR
    folder = Path("pow") / str(hour)
    folder.mkdir(parents=True)
    evidence = folder / evidence_name(operator)
    evidence.write_bytes(Evidence(bytes(32), bytes(32), evidence_rows([])).write())
    said = by("operator 0", *POST, evidence, "--yes")
    assert f"you had the evidence of hour {hour} with SHA-256" in said and "the counter of postings" in said
    assert f"the evidence of hour {hour} is posted already" in by(
        "operator 0", *POST, evidence, "--yes", ends=1
    )
    evidence.write_bytes(Evidence(bytes(32), bytes([1] * 32), evidence_rows([])).write())
    assert "you have posted another file of the evidence" in by(
        "operator 0", *POST, evidence, "--yes", ends=1
    )
    slot = finish(world.chain.clock()).slot
    wave = folder / wave_name(slot, operator)
    wave.write_bytes(WAVE_MAGIC + bytes(4))
    by("operator 0", *POST, wave, "--yes")
    found = {(each.kind, each.number, each.slot) for each in postings(world, operator)}
    assert found == {(PostKind.EVIDENCE, hour, 0), (PostKind.WAVE, hour, slot)}
    old = folder / wave_name(slot - OPEN_AFTER, operator)
    shutil.copy(wave, old)
    assert "could be posted before slot" in by("operator 0", *POST, old, "--yes", ends=1)
    later(world, EVIDENCE_SECONDS)
    assert f"the evidence of hour {hour} could be posted until" in by("operator 0", *POST, evidence, ends=1)


def test_what_nobody_posts(world, by: Typed) -> None:
    world.chain.save(CHAIN)
    operator = world.operators[0].pubkey()
    for name, content, said in (
        (f"5/{pings_name(operator)}", b"", "is nothing that operators post"),
        (f"x/{evidence_name(operator)}", b"", "is nothing that operators post"),
        ("5/other.bin", b"", "is nothing that operators post"),
        (f"5/{evidence_name(operator)}", b"what", "EVIDENCE file"),
        (
            f"{10**8}/{evidence_name(operator)}",
            Evidence(bytes(32), bytes(32), evidence_rows([])).write(),
            "hasn't come",
        ),
        (f"5/{wave_name(1, operator)}", b"what", "WAVE file"),
        ("5/manifest.json", b"{}", "manifest"),
    ):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        assert said in by("operator 0", *POST, path, "--yes", ends=1), name
    assert "can't be read" in by("operator 0", *POST, "nowhere", "--yes", ends=1)
