"""Attacks on what somebody has signed: a stranger chooses the moment at which it lands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import Instruction

from keeper.clients import orders as client
from keeper.economy.orders import EndReason
from tests.programs.world import DAY, HOUR, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    FREE,
    IN_USDC,
    RATE,
    RUNNING,
    TERMS,
    USDC,
    WAITING,
    config,
    create,
    end,
    extend,
    fee,
    lease,
    match,
    moved,
    open_order,
    order,
    purses,
    run,
    settle,
    take,
)
from tests.security.orders.subject import IN_USE
from tests.security.orders.test_prices import announced
from tests.security.outcomes import refused
from tests.security.people import address, do

SHOWN = 6_300_000
"""The fee on 120 USDC of service that a renter in a hurry was shown."""
PAID_BEFORE = 13_200_000
"""What it paid when parameters that were due were applied in front of its order."""


def dearer(world: World) -> None:
    """Every fee of a renter at its bound, due and not applied."""
    found = replace(config(world).params, renter_fee_bps=100, usdc_fee_bps=500, now_fee_bps=500)
    do(world, client.propose_params(address("admin"), found))
    world.chain.advance(8 * DAY)


def test_no_renter_pays_another_fee_than_it_was_shown() -> None:
    """Its limit is what it was shown: it opens its order anew, or not at all."""
    asked = replace(IN_USDC, devices=1, hours=10, urgency=2)
    for in_front in (False, True):
        world = stages.ready()
        dearer(world)
        shown = asked.deposit(config(world).params)
        assert shown == 120 * USDC + SHOWN
        signed = create("mallory", terms=asked, max_deposit=shown)
        before = world.tokens(stages.usdc("mallory"))
        if in_front:
            do(world, client.apply_params())
            assert refused(world, signed) == "DepositAboveLimit"
            dear = create("mallory", terms=asked)
            do(world, dear)
            assert before - world.tokens(stages.usdc("mallory")) == 120 * USDC + PAID_BEFORE
            continue
        do(world, signed)
        assert before - world.tokens(stages.usdc("mallory")) == shown


@pytest.mark.parametrize(
    ("limit", "error"), [(0, "DepositAboveLimit"), (-1, "DepositAboveLimit"), (None, None)]
)
def test_a_limit_is_kept_to_the_base_unit(limit: int | None, error: str | None) -> None:
    world = stages.stage("ready")
    deposit = TERMS.deposit(config(world).params)
    assert deposit == 3 * stages.PLACE
    most = deposit if limit is None else deposit + limit if limit else 0
    assert refused(world, create(max_deposit=most)) == error


EXTENDED = 5 * RATE + fee(15 * RATE) - fee(10 * RATE)
"""What five hours more of carol's lease cost, as she was shown."""
DEARER = RATE * 9 // 8
"""What the device costs for an hour after a step of its class's price."""


def replaced() -> tuple[World, dict[int, Instruction]]:
    """A supplier breaks carol's lease off and takes her order anew at the price that has risen since.

    The lease has the address of the one before. Beside the world, by their limit: the extensions that carol
    has signed for that one.
    """
    world = stages.ready()
    holds = announced(world)
    open_order(world)
    run(world, RUNNING)
    shown = lease(world).extension(5)
    signed = {each: extend(world, 5, max_amount=each) for each in (shown, stages.NO_LIMIT)}
    do(world, end(world, "alice"), client.close_lease(lease(world)))
    # Meanwhile others who come and don't accept keep the order's matching open: each has 20 minutes more.
    for worker, minutes in ((WAITING, 18), (FREE, 46)):
        world.chain.warp_to(holds - HOUR + minutes * stages.MINUTE)
        do(world, match(world, worker))
        world.chain.advance(stages.ACCEPT)
        do(world, end(world, "mallory", worker))
    world.chain.warp_to(holds + 3 * stages.MINUTE)
    # No device serves the same order twice in a row: it has been at another in between.
    open_order(world, "mallory")
    do(world, match(world, RUNNING, "mallory"))
    gone = end(world, "mallory", RUNNING, "mallory")
    do(world, gone, client.close_lease(lease(world, RUNNING, "mallory")))
    do(world, *take(world, RUNNING))
    return world, signed


def test_no_renter_extends_another_lease_than_it_was_shown() -> None:
    """Without a limit, what was signed for one lease would have bought hours of the dearer one."""
    world, signed = replaced()
    shown, unlimited = signed.values()
    assert list(signed) == [EXTENDED, stages.NO_LIMIT]
    assert (lease(world).rate, refused(world, shown)) == (DEARER, "ExtensionAboveLimit")
    paid = moved(world, unlimited)["vault"]
    assert paid == 5 * DEARER + fee(15 * DEARER) - fee(10 * DEARER) > EXTENDED


@pytest.mark.parametrize(
    ("limit", "error"), [(0, "ExtensionAboveLimit"), (-1, "ExtensionAboveLimit"), (None, None)]
)
def test_an_extensions_limit_is_kept_to_the_base_unit(limit: int | None, error: str | None) -> None:
    most = EXTENDED if limit is None else EXTENDED + limit if limit else 0
    assert refused(stages.stage("matching"), extend(stages.stage("matching"), 5, max_amount=most)) == error


def test_who_extends_again_by_a_lie_about_the_first_pays_once() -> None:
    """What was signed for the hours of before is refused, whatever it may cost, and so are fewer hours."""
    world = stages.ready()
    open_order(world)
    run(world, RUNNING)
    signed, shorter = extend(world, 5), extend(world, 3)
    assert moved(world, signed)["vault"] == EXTENDED
    assert refused(world, signed) == refused(world, shorter) == "NotAsExpected"
    assert lease(world).hours == 15
    assert refused(world, extend(world, 5)) is None


def test_the_same_number_is_no_second_order() -> None:
    world = stages.ready()
    signed = create()
    do(world, signed)
    held = purses(world)
    for second in (signed, create(devices=1)):
        assert refused(world, second) == IN_USE
    assert purses(world) == held


def test_a_withdrawal_that_the_worker_overtakes() -> None:
    """Signed while the lease waited, it lands on one that runs: the bound is an early end's, an hour and the
    fee on a day more; nobody gains more by it than by accepting a moment sooner."""
    costs = {}
    for overtaken in (False, True):
        world = stages.ready()
        open_order(world, devices=1, hours=100)
        do(world, match(world, RUNNING))
        signed = end(world, "carol")
        if overtaken:
            do(world, stages.accept(world, RUNNING))
        do(world, signed)
        reason = EndReason.RENTER if overtaken else EndReason.WITHDRAWN
        assert lease(world).reason == reason
        world.chain.advance(3 * HOUR)
        if overtaken:
            assert moved(world, settle(world))["alice"] == RATE - fee(RATE)
        found = order(world)
        costs[overtaken] = found.paid + found.fees
    assert costs == {False: stages.HOUR_FEE, True: RATE + fee(25 * RATE)}
