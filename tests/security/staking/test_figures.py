"""The figures of events, each compared with what happened: an index has nothing but them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solders.instruction import Instruction

from keeper.clients import staking as client
from keeper.economy.orders import LeaseOutcome
from keeper.economy.supply import IO
from tests.model.staking.state import NEVER_SERVED
from tests.programs.world import DAY, HOUR, START, World
from tests.security.people import do, signers
from tests.security.staking import stages
from tests.security.staking.slashing import ALICE, BOB, CAROL, GUARDIAN, MALLORY, shared, slash, vote
from tests.security.staking.stages import (
    EVIDENCE,
    GPU,
    LEASE,
    MINIMUM,
    OFFER,
    ORDER,
    REWARD_BPS,
    STEPS,
    apply_price,
    device,
    free_device,
    lease_device,
    record_lease,
    vote_prices,
)

ROOT = Path(__file__).parents[3]


def event(world: World, call: Instruction) -> tuple[str, dict[str, Any]]:
    """The one event of a call that succeeds."""
    record = world.send(call, signers=signers(call))
    assert record.error is None, world.error(record)
    (found,) = client.PROGRAM.events(record)
    return found.name, found.fields


def test_what_a_slash_took_of_each_stake() -> None:
    """Own, cooling, the co-stake of now and the one before it: each by its part, rounded down."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.leave_co_stake(one, CAROL), client.stake(one, 7))
    do(world, client.open_offer(one, OFFER - 7, REWARD_BPS))
    do(world, client.take_offer(one, MALLORY, OFFER - 7, REWARD_BPS))
    vote(world, "bob's worker", bps=333)
    world.chain.warp_to(slash(world, "bob's worker").appeal_until)
    supply, held = world.supply(), world.tokens(client.STAKE_VAULT)
    name, fields = event(world, client.execute_slash(one, EVIDENCE))
    left = {
        "own": MINIMUM - OFFER + 7,
        "own_cooling": 0,
        "co": OFFER - 7,
        "leaving": OFFER,
    }
    kept = {slot: amount - amount * 333 // 10_000 for slot, amount in left.items()}
    burned = sum(left.values()) - sum(kept.values())
    assert (name, fields) == (
        "Slashed",
        {
            "device": client.device_address(one.worker),
            "evidence": EVIDENCE,
            "bps": 333,
            "burned": burned,
            **kept,
            "frozen_until": world.chain.now() + DAY,
        },
    )
    found = device(world, "bob's worker")
    assert (found.own, found.own_cooling) == (kept["own"], 0)
    assert (found.co.amount, found.leaving.amount) == (kept["co"], kept["leaving"])
    assert supply - world.supply() == held - world.tokens(client.STAKE_VAULT) == burned
    assert slash(world, "bob's worker").burned == burned


def test_a_slash_of_a_co_stake_whose_wait_is_over() -> None:
    """Nobody has written the end of its wait down: it is slashed as one that cools, and no longer counts."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.leave_co_stake(one, CAROL))
    left_at = world.chain.now()
    vote(world, "bob's worker")
    world.chain.warp_to(slash(world, "bob's worker").appeal_until)
    before = device(world, "bob's worker")
    assert (before.co.amount, before.leaving.amount) == (OFFER, 0)
    assert before.sufficient_since == START
    name, fields = event(world, client.execute_slash(one, EVIDENCE))
    assert name == "Slashed"
    figures = {slot: fields[slot] for slot in ("own", "own_cooling", "co", "leaving", "burned")}
    assert figures == {
        "own": (MINIMUM - OFFER) * 9 // 10,
        "own_cooling": 0,
        "co": 0,
        "leaving": OFFER * 9 // 10,
        "burned": MINIMUM // 10,
    }
    found = device(world, "bob's worker")
    assert (found.co.amount, found.leaving.amount) == (0, OFFER * 9 // 10)
    # Its cooldown runs from the wait's end on, which was long before.
    assert found.leaving.until == left_at + 21 * DAY
    assert found.sufficient_since == 0
    held = world.balance(CAROL)
    world.chain.advance(DAY)
    do(world, client.withdraw_co_stake(one, CAROL))
    assert world.balance(CAROL) - held == OFFER * 9 // 10


def test_an_offer_that_is_taken() -> None:
    world = stages.staked()
    one = device(world, "bob's worker")
    world.chain.advance(17)
    take = client.take_offer(one, CAROL, OFFER, REWARD_BPS)
    assert event(world, take) == (
        "CoStaked",
        {
            "device": client.device_address(one.worker),
            "staker": CAROL,
            "amount": OFFER,
            "reward_bps": REWARD_BPS,
            "replaced": client.NOBODY,
            "sufficient_since": START + 17,
        },
    )
    do(world, client.leave_co_stake(one, CAROL), client.open_offer(one, OFFER, 500))
    world.chain.advance(DAY)
    _, fields = event(world, client.take_offer(one, MALLORY, OFFER, 500))
    assert (fields["staker"], fields["replaced"], fields["reward_bps"]) == (MALLORY, CAROL, 500)
    # Without a gap between the two it is sufficient since the first.
    assert fields["sufficient_since"] == START + 17
    # Once the wait is over nobody is replaced any more: the cooldown runs by itself.
    do(world, client.leave_co_stake(one, MALLORY), client.open_offer(one, OFFER, 500))
    world.chain.advance(21 * DAY)
    do(world, client.withdraw_co_stake(one, CAROL))
    _, fields = event(world, client.take_offer(one, ALICE, OFFER, 500))
    assert fields["replaced"] == client.NOBODY
    assert fields["sufficient_since"] == world.chain.now()
    assert BOB not in (fields["staker"], fields["replaced"])


def test_a_step_that_is_announced() -> None:
    world = stages.initialized()
    for hour, before in ((START // HOUR + 24, (2 * IO, 10**6)), (START // HOUR + 25, (225_000_000, 966_700))):
        world.chain.warp_to((hour + 1) * HOUR + 5)
        assert vote_prices(world) == hour
        assert event(world, apply_price(GPU, hour)) == (
            "PriceApplied",
            {
                "class": GPU,
                "hour": hour,
                "step_io": STEPS[GPU][0],
                "step_usdc": STEPS[GPU][1],
                "price_io": before[0],
                "price_usdc": before[1],
                "at": world.chain.now(),
            },
        )


def test_a_lease_from_its_beginning_to_what_is_found_later() -> None:
    world = stages.staked()
    one = device(world, "worker")
    where = client.device_address(one.worker)
    assert event(world, lease_device(one)) == (
        "DeviceLeased",
        {"device": where, "lease": LEASE, "order": ORDER, "opened_at": START, "number": 1},
    )
    counted = {"hired_seconds": 7, "leases_done": 1, "leases_failed": 0, "disputes": 0}
    assert event(world, free_device(one, seconds=7)) == (
        "DeviceFreed",
        {
            "device": where,
            "lease": LEASE,
            "outcome": LeaseOutcome.DONE,
            **counted,
            "strikes": 0,
            "barred_until": 0,
        },
    )
    do(world, lease_device(one, order=ALICE))
    _, fields = event(world, free_device(one, seconds=9, outcome=NEVER_SERVED, strike=1))
    assert fields == {
        "device": where,
        "lease": LEASE,
        "outcome": NEVER_SERVED,
        **counted,
        "strikes": 1,
        "barred_until": world.chain.now() + HOUR,
    }
    found = {"hired_seconds": 2, "leases_done": 0, "leases_failed": 1, "disputes": 0}
    assert event(world, record_lease(one, seconds_back=5)) == (
        "LeaseRecorded",
        {"device": where, "outcome": LeaseOutcome.FAILED, **found},
    )


def test_a_voided_slash_and_its_veto() -> None:
    world = stages.staked()
    for name in ("carol", "bob"):
        world.person(name)
    one = device(world, "worker")
    vote(world, "worker")
    until = slash(world, "worker").appeal_until
    terms = client.Params(tuple(map(stages.address, ("operator 2", "carol", "bob"))), 2)
    do(world, client.propose_params(stages.address("admin"), terms))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())
    named = {"device": client.device_address(one.worker), "evidence": EVIDENCE}
    assert event(world, client.execute_slash(one, EVIDENCE)) == (
        "SlashVoided",
        {**named, "revision": 1, "frozen_until": until},
    )
    assert event(world, client.veto_slash(GUARDIAN, one, EVIDENCE)) == (
        "SlashVetoed",
        {**named, "frozen_until": world.chain.now() + DAY},
    )


def test_records_that_stay_keep_the_rent_that_the_document_says() -> None:
    world = stages.running()
    do(world, client.post(operator := stages.address("operator 0"), 7, 3, 9, b"h" * 32))
    said = (ROOT / "docs/protocol.md").read_text()
    for record in (
        client.wallet_address(ALICE),
        client.slash_address(client.device_address(stages.address("slashed worker")), EVIDENCE),
        client.post_address(operator),
    ):
        assert f"({world.account(record).lamports:,}" in said
