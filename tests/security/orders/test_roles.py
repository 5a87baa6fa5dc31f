"""Roles, pauses and addresses of orders: who may do what, what a pause stops, what can't be blocked."""

from __future__ import annotations

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.chain.program import EVENT_TAG
from keeper.clients import orders as client
from keeper.clients.orders import PAUSE_MATCHING, PAUSE_ORDERS, Params
from keeper.economy.supply import IO
from tests.programs.world import DAY, World
from tests.security.orders import stages
from tests.security.orders.calls import CALLS
from tests.security.orders.stages import (
    FREE,
    PLACE,
    RATE,
    RUNNING,
    WAITING,
    accept,
    config,
    create,
    end,
    extend,
    fee,
    hold,
    lease,
    match,
    moved,
    order,
    refund,
    settle,
    stage,
)
from tests.security.orders.substitution import MATRIX
from tests.security.outcomes import refused, rehearsed
from tests.security.people import DEPUTY, HEIR, OPERATORS, address, do
from tests.security.prefunded import AMOUNTS, assert_created, fund

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
LONGEST = client.PROGRAM.constants["MAX_PAUSE"]
STOPPED_BY = {
    "create_order": PAUSE_ORDERS,
    "extend_lease": PAUSE_ORDERS,
    "match_device": PAUSE_MATCHING,
    "accept_lease": PAUSE_MATCHING,
}
"""Money that comes in, and devices that are taken; everything else goes on, every way out above all."""


def paused(world: World, mask: int, seconds: int = LONGEST) -> World:
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + seconds))
    return world


# -- pause -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0, PAUSE_ORDERS, PAUSE_MATCHING, PAUSE_ORDERS | PAUSE_MATCHING])
@pytest.mark.parametrize("name", ["matching", "serving", "done"])
def test_a_pause_stops_nobody_on_the_way_out(name: str, mask: int) -> None:
    world = paused(stages.STAGES[name](), mask)
    calls = {each: call for each, call in CALLS.items() if call.stage == name}
    found = {each: rehearsed(world, call.build(world)) for each, call in calls.items()}
    assert found == {each: "Paused" if STOPPED_BY.get(each, 0) & mask else None for each in calls}
    for each, error in found.items():
        assert error is None or refused(world, calls[each].build(world)) == error


def test_everybody_gets_out_while_everything_is_paused() -> None:
    """Renewed for as long as you like: leases lapse, end, are paid and closed, orders give all back."""
    world = paused(stages.matching(), PAUSE_ORDERS | PAUSE_MATCHING)
    do(world, stages.cancel(world), end(world, "carol", WAITING))
    assert moved(world, refund(world))["carol"] == 3 * PLACE - 10 * RATE - fee(10 * RATE)
    world.chain.advance(3 * 3_600)
    do(world, end(world, "carol"))
    world.chain.advance(LONGEST - 3 * 3_600 - 1)
    paused(world, PAUSE_ORDERS | PAUSE_MATCHING)
    assert moved(world, settle(world))["vault"] == -3 * RATE - fee(10 * RATE)
    do(world, client.close_lease(lease(world)), client.close_lease(lease(world, WAITING)))
    assert moved(world, stages.close(world)) == {"vault": -7 * RATE, "carol": 7 * RATE}


@pytest.mark.parametrize(("mask", "name"), [(PAUSE_ORDERS, "create_order"), (PAUSE_ORDERS, "extend_lease")])
def test_a_pause_lapses_to_the_second(mask: int, name: str) -> None:
    world = stages.STAGES[CALLS[name].stage]()
    paused(world, mask, 60)
    world.chain.advance(59)
    assert refused(world, CALLS[name].build(world)) == "Paused"
    world.chain.advance(1)
    do(world, CALLS[name].build(world))


def test_a_pause_of_matching_lapses_to_the_second() -> None:
    world = paused(stages.matching(), PAUSE_MATCHING, 60)
    world.chain.advance(59)
    for call in (match(world, FREE), accept(world, WAITING)):
        assert refused(world, call) == "Paused"
    world.chain.advance(1)
    do(world, match(world, FREE), accept(world, WAITING))


@pytest.mark.parametrize(
    ("mask", "longer", "error"),
    [(4, 0, "PauseMaskInvalid"), (2**32 - 1, 0, "PauseMaskInvalid"), (1, 1, "PauseTooLong")],
)
def test_what_a_pause_may_be(mask: int, longer: int, error: str) -> None:
    world = stage("matching")
    until = world.chain.now() + LONGEST + longer
    assert refused(world, client.set_pause(GUARDIAN, mask, until)) == error


# -- roles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["guardian", "mallory", OPERATORS[0]])
def test_the_admins_own(name: str) -> None:
    who = address(name)
    for call in (
        client.propose_params(who, Params()),
        client.propose_admin(who, who),
        client.propose_guardian(who, who),
    ):
        assert refused(stage("matching"), call) == "NotAdmin"


@pytest.mark.parametrize("name", ["admin", "mallory", OPERATORS[0]])
def test_the_guardians_own(name: str) -> None:
    """The admin can neither pause nor hold; the guardian, in turn, proposes nothing and moves no token."""
    world, who = stage("serving"), address(name)
    for call in (
        client.cancel_params(who),
        client.set_pause(who, 1, world.chain.now() + DAY),
        hold(world, guardian=name),
    ):
        assert refused(world, call) == "NotGuardian"


def test_a_role_is_handed_over_in_two_steps() -> None:
    world = stages.ready()
    heir = address(HEIR)
    assert refused(world, client.accept_admin(MALLORY)) == "NotPendingAdmin"
    assert refused(world, client.propose_guardian(heir, MALLORY)) == "NotAdmin"
    do(world, client.accept_admin(heir))
    assert refused(world, client.propose_admin(ADMIN, ADMIN)) == "NotAdmin"
    assert refused(world, client.accept_admin(heir)) == "NotPendingAdmin"
    # The next admin can replace the proposal of the one before: then the notice begins anew.
    do(world, client.propose_guardian(heir, MALLORY))
    world.chain.advance(7 * DAY)
    do(world, client.accept_guardian(MALLORY))
    assert refused(world, client.cancel_params(GUARDIAN)) == "NotGuardian"
    do(world, client.cancel_params(MALLORY))


def test_a_withdrawn_proposal_can_not_be_accepted() -> None:
    world = stages.ready()
    do(world, client.propose_admin(ADMIN, SYSTEM_PROGRAM))
    assert refused(world, client.accept_admin(address(HEIR))) == "NotPendingAdmin"
    assert config(world).admin == ADMIN


def test_a_replaced_guardian_holds_nothing() -> None:
    world = stages.ready()
    world.chain.advance(7 * DAY)
    do(world, client.accept_guardian(address(DEPUTY)), create())
    stages.run(world, RUNNING)
    assert refused(world, hold(world)) == "NotGuardian"
    do(world, hold(world, guardian=DEPUTY))


def test_a_change_takes_its_notice_and_can_be_dropped() -> None:
    world = stages.ready()
    other = Params(renter_fee_bps=50)
    start = world.chain.now()
    world.chain.warp_to(config(world).pending_at - 1)
    assert world.chain.now() - start == 7 * DAY - 1
    assert refused(world, client.apply_params()) == "NoticeNotOver"
    do(world, client.cancel_params(GUARDIAN))
    world.chain.advance(1)
    for call in (client.apply_params(), client.cancel_params(GUARDIAN)):
        assert refused(world, call) == "NothingProposed"
    assert (config(world).params, config(world).revision) == (Params(), 0)
    do(world, client.propose_params(ADMIN, other))
    world.chain.advance(DAY)
    # A new proposal starts the notice anew.
    do(world, client.propose_params(ADMIN, other))
    world.chain.advance(7 * DAY - 1)
    assert refused(world, client.apply_params()) == "NoticeNotOver"
    world.chain.advance(1)
    do(world, client.apply_params())
    assert (config(world).params, config(world).revision) == (other, 1)
    assert refused(world, client.apply_params()) == "NothingProposed"


def test_an_order_keeps_the_terms_of_its_opening() -> None:
    """Fees, windows and lag of the day it was opened, whatever the admin changes later."""
    world = stages.ready()
    dear = Params(1, 1, 0, DAY, 100, 100, 500)
    do(world, client.propose_params(ADMIN, dear))
    world.chain.advance(7 * DAY)
    do(world, create())
    opened = order(world)
    do(world, client.apply_params())
    world.chain.advance(5 * 60)
    stages.run(world, RUNNING)
    assert lease(world).held == 10 * RATE + fee(10 * RATE)
    assert moved(world, extend(world))["carol"] == -RATE - fee(RATE)
    world.chain.advance(4 * 3_600)
    assert moved(world, settle(world)) == {
        "vault": -2 * RATE - fee(2 * RATE),
        "alice": 2 * RATE - fee(2 * RATE),
        "fees": 2 * fee(2 * RATE),
    }
    do(world, create(number=2))
    later = order(world, number=2)
    assert (opened.renter_fee_bps, later.renter_fee_bps) == (25, 100)
    assert later.deposit == 3 * (120 * IO + fee(120 * IO, 100))


# -- addresses ---------------------------------------------------------------------------------

CREATED = [(name, slot) for name in CALLS for slot in MATRIX.slots(name) if MATRIX.is_created(name, slot)]


def test_these_are_all_the_accounts_that_the_program_creates() -> None:
    """And the fault of a first vote: see test_faults.py."""
    assert set(CREATED) == {
        ("initialize", "config"),
        ("create_order", "order"),
        ("create_order", "vault"),
        ("match_device", "lease"),
    }


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("name", "slot"), CREATED)
def test_lamports_in_advance_stop_nothing(name: str, slot: str, amount: str) -> None:
    where, valid = MATRIX.account_of(name, slot), MATRIX.valid(name)
    assert_created(stages.STAGES[CALLS[name].stage], lambda _: valid, where, amount)


def test_all_of_an_orders_addresses_at_once() -> None:
    world = stages.matching()
    for slot in ("order", "vault"):
        fund(world, MATRIX.account_of("create_order", slot), 1)
    do(world, MATRIX.valid("create_order"))
    assert order(world, number=7).deposit == 3 * PLACE


@pytest.mark.parametrize("slot", ["order", "vault", "lease"])
def test_lamports_given_to_an_account_are_nobodys_gain_but_the_rent_payers(slot: str) -> None:
    world = stages.done()
    where: Pubkey = {
        "order": order(world, number=2).address,
        "vault": order(world, number=2).vault,
        "lease": lease(world).address,
    }[slot]
    world.chain.airdrop(where, IO)
    call = client.close_lease(lease(world)) if slot == "lease" else stages.close(world, number=2)
    payer = address(OPERATORS[0]) if slot == "lease" else address("carol")
    accounts = [where] if slot == "lease" else [order(world, number=2).address, order(world, number=2).vault]
    rents = sum(world.account(each).lamports for each in accounts)
    before = world.account(payer).lamports
    do(world, call)
    assert world.account(payer).lamports - before == rents > IO


def test_nobody_else_can_send_our_events() -> None:
    """The framework's event instruction, called from outside: the authority signs for the program alone."""
    data = EVENT_TAG + bytes(100)
    for accounts, error in (
        ([AccountMeta(client.PROGRAM.event_authority, False, False)], "MissingRequiredSignature"),
        ([AccountMeta(MALLORY, True, False)], "InvalidSeeds"),
        ([], "NotEnoughAccountKeys"),
    ):
        call = Instruction(client.PROGRAM.address, data, accounts)
        assert refused(stage("matching"), call) == error
