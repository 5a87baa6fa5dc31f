"""Attacks on whose turn it is: operators out of turn, too early, too late; suppliers in operators' time."""

from __future__ import annotations

import pytest

from keeper.clients import orders as client
from keeper.clients import staking
from tests.programs.world import DAY, World
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_IO,
    EXCLUSIVE,
    FIRST,
    FREE,
    REACH,
    RUNNING,
    TICK,
    TURN,
    WINDOW,
    create,
    device,
    lease,
    match,
    order,
    put,
    take,
)
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do


def at_tick(world: World) -> int:
    """Open an order in the last second before a tick; the tick."""
    tick = world.chain.now() // TICK + 2
    world.chain.warp_to(TICK * tick - 1)
    do(world, create())
    return tick


def turn(world: World, operator: int, tick: int) -> str | None:
    """What an operator is told that matches a tick."""
    call = client.match_device(address(OPERATORS[operator]), order(world), device(world, FREE), tick)
    return refused(world, call)


@pytest.mark.parametrize("substitute", [0, 1, 2])
def test_a_turn_begins_to_the_second(substitute: int) -> None:
    """The leader of tick T is operator T mod n; each substitute's turn opens six seconds later."""
    world = stages.ready()
    tick = at_tick(world)
    operator = (tick + substitute) % 3
    opens = TICK * tick + FIRST + TURN * substitute
    world.chain.warp_to(opens - 1)
    assert turn(world, operator, tick) == "NotYourTurn"
    world.chain.advance(1)
    assert turn(world, operator, tick) is None
    assert lease(world, FREE).payer == address(OPERATORS[operator])


@pytest.mark.parametrize("operator", [0, 1, 2])
def test_a_tick_ends_to_the_second_for_everybody(operator: int) -> None:
    world = stages.ready()
    tick = at_tick(world)
    world.chain.warp_to(TICK * tick + REACH + 1)
    assert turn(world, operator, tick) == "NotYourTurn"
    world.chain.advance(-1)
    assert turn(world, operator, tick) is None


def test_a_tick_of_before_the_order_is_not_its_own() -> None:
    """Nobody matches an order from a snapshot that it can't be in: its second, too, is before it."""
    world = stages.ready()
    tick = world.chain.now() // TICK + 2
    world.chain.warp_to(TICK * tick)
    do(world, create())
    world.chain.advance(FIRST + 2 * TURN)
    for operator in range(3):
        for early in (tick, tick - 1):
            assert turn(world, operator, early) == "TickTooEarly"


@pytest.mark.parametrize("tick", [0, 1, 2**32 - 1])
def test_a_tick_far_away(tick: int) -> None:
    world = stages.opened()
    for operator in range(3):
        assert turn(world, operator, tick) in {"TickTooEarly", "NotYourTurn", "NotMatcher"}


def test_a_rogue_operator_waits_for_its_turn() -> None:
    """Alone it takes a third of the ticks' first picks; the others' it can have when they leave them."""
    world = stages.ready()
    tick = at_tick(world)
    rogue = (tick + 2) % 3
    for second in range(FIRST + 2 * TURN):
        world.chain.warp_to(TICK * tick + second)
        assert turn(world, rogue, tick) == "NotYourTurn"
    world.chain.advance(1)
    assert turn(world, rogue, tick) is None


def test_who_is_no_operator_has_no_turn() -> None:
    world = stages.opened()
    for name in ("mallory", "admin", "guardian", "carol"):
        assert refused(world, match(world, FREE, matcher=name)) == "NotMatcher"


def test_turns_follow_the_list_in_force() -> None:
    """An operator that leaves has no turn any more, whoever comes in has its slot's."""
    world = stages.ready()
    left = staking.Params((address(OPERATORS[0]), address("bob"), address(OPERATORS[2])), 2)
    do(world, staking.propose_params(address("admin"), left))
    world.chain.advance(7 * DAY)
    do(world, staking.apply_params())
    stages.open_order(world)
    assert turn(world, 1, stages.tick(world)) == "NotMatcher"
    call = client.match_device(address("bob"), order(world), device(world, FREE), stages.tick(world))
    do(world, call)


# -- suppliers -----------------------------------------------------------------------------------


def test_suppliers_wait_until_operators_had_their_time() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE - 1)
    assert refused(world, *take(world, FREE)) == "ExclusiveTime"
    world.chain.advance(1)
    do(world, *take(world, FREE))
    assert lease(world, FREE).accepted_at == world.chain.now()


def test_operators_match_on_after_their_exclusive_time() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE + 60)
    do(world, match(world, FREE))


def test_a_supplier_has_until_the_orders_last_second() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(WINDOW - 1)
    late = take(world, FREE)
    assert refused(world, *late) is None
    world = stages.ready()
    do(world, create())
    world.chain.advance(WINDOW)
    assert refused(world, *late) == "MatchingOver"


def test_the_worker_signs_its_suppliers_match() -> None:
    """A supplier alone could take a place with a machine that is off."""
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE)
    call, _ = take(world, FREE)
    assert refused(world, stages.unsigned(call, "worker")) == "WorkerMustSign"
    assert refused(world, call) is None


def test_another_worker_signs_for_no_device() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE)
    call, _ = take(world, FREE)
    assert refused(world, put(call, worker=address(RUNNING))) == "NotWorker"


def test_another_supplier_takes_nobodys_device() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE)
    call, _ = take(world, FREE)
    assert refused(world, put(call, matcher=address("bob"))) == "NotMatcher"


def test_an_operator_with_a_device_may_do_as_suppliers_do() -> None:
    """In its turn as an operator, later as anybody; never early as a supplier."""
    world = stages.ready()
    keys = (address("alice"), *map(address, OPERATORS[1:]))
    do(world, staking.propose_params(address("admin"), staking.Params(keys, 2)))
    world.chain.advance(7 * DAY)
    do(world, staking.apply_params(), create())
    assert refused(world, *take(world, FREE)) == "ExclusiveTime"
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, FREE))


def test_a_rate_is_the_same_whoever_matches() -> None:
    world = stages.ready()
    do(world, create())
    world.chain.advance(EXCLUSIVE)
    do(world, *take(world, FREE), match(world, RUNNING))
    assert lease(world, FREE).rate == lease(world, RUNNING).rate == 4 * ASK_IO
