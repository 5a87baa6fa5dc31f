"""Attacks on orders by terms that change under them: when a device's terms are as old as they look."""

from __future__ import annotations

import pytest

from keeper.clients import staking as client
from keeper.economy.supply import IO
from tests.programs.world import DAY, World
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.staking import stages
from tests.security.staking.slashing import ALICE, MALLORY
from tests.security.staking.stages import GPU, device

SAME = {"tier": 4, "country": "CH", "ask_io": IO, "ask_usdc": 7}


def stated() -> World:
    """Alice's device, whose terms are a day old."""
    world = stages.staked()
    do(world, client.change_device(device(world, "worker"), **SAME))
    world.chain.advance(DAY)
    return world


def change(world: World, **changed: object) -> bool:
    """Whether a change makes the terms new ones."""
    before = device(world, "worker").changed_at
    world.chain.advance(1)
    do(world, client.change_device(device(world, "worker"), **{**SAME, **changed}))
    after = device(world, "worker").changed_at
    assert after in (before, world.chain.now())
    return after != before


@pytest.mark.parametrize(
    "changed",
    [
        {"tier": 3},
        {"country": "DE"},
        {"ask_io": IO + 1},
        {"ask_io": IO - 1},
        {"ask_usdc": 6},
        {"ask_usdc": 2**64 - 1},
        {"ask_io": 0, "ask_usdc": 6},
        {"country": "DE", "ask_io": 0, "ask_usdc": 0},
    ],
)
def test_other_terms_are_new_ones(changed: dict[str, object]) -> None:
    """The fault: an ask, or a country, was changed for one transaction and back. Back, they are new again."""
    world = stated()
    assert change(world, **changed)
    assert change(world)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ask_io": 0},
        {"ask_usdc": 0},
        {"ask_io": 0, "ask_usdc": 0},
        {"worker_may_end": True},
        {"worker_may_end": True, "ask_io": 0},
    ],
)
def test_who_leaves_the_market_changes_no_terms(changed: dict[str, object]) -> None:
    """Whoever takes an ask away gains nothing over those who have one."""
    assert not change(stated(), **changed)


def test_who_comes_back_to_the_market_has_new_terms() -> None:
    world = stated()
    assert not change(world, ask_io=0)
    assert change(world)


def test_a_new_device_has_new_terms() -> None:
    world = stages.staked()
    world.chain.advance(DAY)
    found = stages.register(world, "empty worker")
    assert found.changed_at == found.registered_at == world.chain.now()


# -- the worker's key, which lies on a machine that others use -------------------------------------


def test_a_worker_takes_its_device_off_the_market() -> None:
    world = stated()
    before = device(world, "worker")
    do(world, client.pause_device(before))
    found = device(world, "worker")
    assert (found.ask_io, found.ask_usdc) == (0, 0)
    assert found.changed_at == before.changed_at
    names = before.__dataclass_fields__.keys() - {"ask_io", "ask_usdc"}
    assert all(getattr(found, name) == getattr(before, name) for name in names)


def test_a_workers_key_does_nothing_else() -> None:
    world = stated()
    one = device(world, "worker")
    worker = address("worker")
    for call, error in (
        (client.change_device(one, **SAME), "NotSupplier"),
        (client.stake(one, 1), "NotSupplier"),
        (client.unstake(one), "NotSupplier"),
        (client.terminate_device(one), "NotSupplier"),
        (client.set_payout(one, MALLORY), "NotSupplier"),
        (client.withdraw_overflow(one, 1), "NotSupplier"),
        (client.open_offer(one, 1, 500), "NotSupplier"),
    ):
        metas = [
            type(meta)(worker, meta.is_signer, meta.is_writable) if meta.is_signer else meta
            for meta in call.accounts
        ]
        other = type(call)(call.program_id, bytes(call.data), metas)
        assert refused(world, other) == error


@pytest.mark.parametrize("name", ["alice", "bob", "bob's worker", "operator 0", "guardian"])
def test_nobody_else_pauses_a_device(name: str) -> None:
    """Not even its supplier, who changes the asks itself."""
    world = stages.stage("staked")
    call = client.PROGRAM.instruction(
        "pause_device", worker=address(name), device=client.device_address(address("worker"))
    )
    assert refused(world, call) == "NotWorker"


def test_a_terminated_device_is_not_paused() -> None:
    world = stages.staked()
    one = device(world, "worker")
    do(world, client.terminate_device(one))
    assert refused(world, client.pause_device(one)) == "DeviceTerminated"


def test_a_leased_device_is_paused_and_its_lease_goes_on() -> None:
    world = stages.leased()
    do(world, client.pause_device(device(world, "worker")))
    found = device(world, "worker")
    assert (found.ask_io, found.lease) == (0, stages.LEASE)


@pytest.mark.parametrize("flag", [2, 255])
def test_a_consent_that_is_neither_yes_nor_no(flag: int) -> None:
    world = stages.stage("staked")
    terms = {"tier": 4, "country": b"CH", "ask_io": 0, "ask_usdc": 0, "worker_may_end": flag}
    named = {"device": client.device_address(address("worker")), "class": client.class_address(GPU)}
    changed = client.PROGRAM.instruction("change_device", terms, supplier=ALICE, **named)
    assert refused(world, changed) == "FlagInvalid"
    registered = client.PROGRAM.instruction(
        "register_device",
        {**terms, "processors": 1},
        supplier=ALICE,
        worker=address("new worker"),
        payout=client.wallet_address(ALICE),
        **{"class": client.class_address(GPU)},
    )
    assert refused(world, registered) == "FlagInvalid"


def test_consent_is_off_unless_it_is_given() -> None:
    """The key lies on the machine that a renter uses: it ends no lease as its supplier would by default."""
    world = stages.staked()
    assert not device(world, "worker").worker_may_end
    do(world, client.change_device(device(world, "worker"), **SAME, worker_may_end=True))
    assert device(world, "worker").worker_may_end
    # Whoever changes something else leaves it as it is.
    do(world, client.change_device(device(world, "worker"), **SAME))
    assert device(world, "worker").worker_may_end
