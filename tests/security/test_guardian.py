"""Another guardian comes in two steps with a notice between them, in every program; the notice stays a day.

The guardian is who can veto what an admin proposes: a stolen admin's key must not be rid of it first.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import buyback, orders, staking
from tests.programs.buyback.world import USDC_MINT
from tests.programs.world import DAY, HOUR, World
from tests.security.buyback import stages as buyback_stages
from tests.security.every import SUBJECTS, on_every_program, with_params
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, HEIR, address, do
from tests.security.staking.calls import PARAMS

ADMIN, GUARDIAN, MALLORY, BOB = (address(name) for name in ("admin", "guardian", "mallory", "bob"))
NEXT = address(DEPUTY)
NOTICE = 7 * DAY
NOBODY = SYSTEM_PROGRAM


def pause(program: str, world: World, guardian: Pubkey) -> str | None:
    """Whether somebody can pause, or why not."""
    return refused(world, SUBJECTS[program].pause(world, guardian, 1, DAY))


@on_every_program
def test_nobody_becomes_guardian_at_once(program: str) -> None:
    """From the proposal to the last second of the notice the old one has all its powers, the new one none."""
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    for _ in ("at once", "at the last second"):
        assert refused(world, its.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
        assert pause(program, world, NEXT) == "NotGuardian"
        do(world, its.client.set_pause(GUARDIAN, 1, world.chain.now() + 1))
        assert its.config(world).guardian == GUARDIAN
        world.chain.warp_to(its.config(world).guardian_at - 1)
    assert its.config(world).pending_guardian == NEXT
    world.chain.advance(1)
    do(world, its.client.set_pause(GUARDIAN, 0, 0), its.client.accept_guardian(NEXT))
    found = its.config(world)
    assert (found.guardian, found.pending_guardian, found.guardian_at) == (NEXT, NOBODY, 0)
    assert pause(program, world, GUARDIAN) == "NotGuardian"
    do(world, its.client.set_pause(NEXT, 1, world.chain.now() + DAY))
    assert refused(world, its.client.accept_guardian(NEXT)) == "NotPendingGuardian"


@on_every_program
def test_the_notice_is_seven_days(program: str) -> None:
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    assert its.config(world).guardian_at == world.chain.now() + NOTICE


@on_every_program
def test_an_admin_can_not_do_both_steps_in_one_transaction(program: str) -> None:
    """Not even for itself."""
    its = SUBJECTS[program]
    world = its.begin()
    steps = its.client.propose_guardian(ADMIN, ADMIN), its.client.accept_guardian(ADMIN)
    assert refused(world, *steps) == "GuardianNoticeNotOver"
    assert its.config(world).guardian_at == 0


@on_every_program
@pytest.mark.parametrize("name", ["admin", "guardian", "mallory", HEIR])
def test_nobody_else_accepts(program: str, name: str) -> None:
    """Neither before nor after its time, and least of all where nobody is proposed."""
    its = SUBJECTS[program]
    world = its.begin()
    accept = its.client.accept_guardian(address(name))
    assert refused(world, accept) == "NotPendingGuardian"
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    assert refused(world, accept) == "NotPendingGuardian"
    world.chain.advance(NOTICE)
    assert refused(world, accept) == "NotPendingGuardian"


@on_every_program
def test_only_the_admin_proposes(program: str) -> None:
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_admin(ADMIN, address(HEIR)))
    for name in ("guardian", "mallory", HEIR, DEPUTY):
        call = its.client.propose_guardian(address(name), address(name))
        assert refused(world, call) == "NotAdmin"


@on_every_program
def test_a_replaced_proposal_is_gone_and_the_notice_begins_anew(program: str) -> None:
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, BOB))
    world.chain.advance(NOTICE - 1)
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(1)
    assert refused(world, its.client.accept_guardian(BOB)) == "NotPendingGuardian"
    assert refused(world, its.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
    world.chain.advance(NOTICE - 2)
    assert refused(world, its.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
    world.chain.advance(1)
    do(world, its.client.accept_guardian(NEXT))


@on_every_program
def test_somebody_proposed_long_ago_is_no_way_round_the_notice(program: str) -> None:
    """A proposal whose notice is over doesn't pass it on to another one, nor to the same name again."""
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(NOTICE)
    for pending in (MALLORY, NEXT):
        do(world, its.client.propose_guardian(ADMIN, pending))
        assert refused(world, its.client.accept_guardian(pending)) == "GuardianNoticeNotOver"


@on_every_program
def test_a_withdrawn_proposal_can_not_be_accepted(program: str) -> None:
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    do(world, its.client.propose_guardian(ADMIN, NOBODY))
    found = its.config(world)
    assert (found.pending_guardian, found.guardian_at) == (NOBODY, 0)
    world.chain.advance(NOTICE)
    assert refused(world, its.client.accept_guardian(NEXT)) == "NotPendingGuardian"
    assert its.config(world).guardian == GUARDIAN


@on_every_program
def test_an_admin_that_changes_leaves_the_proposal_to_the_next(program: str) -> None:
    """The roles don't touch each other: the next admin can withdraw what the last one proposed."""
    its = SUBJECTS[program]
    world = its.begin()
    heir = address(HEIR)
    do(world, its.client.propose_guardian(ADMIN, MALLORY), its.client.propose_admin(ADMIN, heir))
    do(world, its.client.accept_admin(heir))
    assert its.config(world).pending_guardian == MALLORY
    do(world, its.client.propose_guardian(heir, NOBODY))
    world.chain.advance(NOTICE)
    assert refused(world, its.client.accept_guardian(MALLORY)) == "NotPendingGuardian"


# -- what the guardian is there for --------------------------------------------------------------


@with_params
def test_the_old_guardian_still_drops_what_a_stolen_key_proposes(program: str) -> None:
    """Guardian and parameters proposed in one transaction: the veto lasts longer than the parameters wait."""
    its = SUBJECTS[program]
    world = its.begin()
    steal = its.client.propose_guardian(ADMIN, MALLORY), its.client.propose_params(ADMIN, its.params)
    do(world, *steal)
    found = its.config(world)
    assert found.guardian_at == found.pending_at
    world.chain.warp_to(found.guardian_at - 1)
    assert refused(world, its.client.apply_params()) == "NoticeNotOver"
    do(world, its.client.cancel_params(GUARDIAN))
    # Proposed again in the last second, they wait for as long as the first ones did.
    do(world, its.client.propose_params(ADMIN, its.params))
    world.chain.advance(1)
    do(world, its.client.accept_guardian(MALLORY))
    assert refused(world, its.client.cancel_params(GUARDIAN)) == "NotGuardian"
    assert refused(world, its.client.apply_params()) == "NoticeNotOver"
    assert its.config(world).pending_at == found.pending_at - 1 + NOTICE
    world.chain.advance(NOTICE - 2)
    assert refused(world, its.client.apply_params()) == "NoticeNotOver"
    assert its.config(world).params != its.params


@with_params
def test_another_guardian_brings_no_proposal_forward(program: str) -> None:
    its = SUBJECTS[program]
    world = its.begin()
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(NOTICE - HOUR)
    do(world, its.client.propose_params(ADMIN, its.params))
    before = its.config(world)
    world.chain.advance(HOUR)
    do(world, its.client.accept_guardian(NEXT))
    after = its.config(world)
    assert (after.pending, after.pending_at) == (before.pending, before.pending_at)
    assert refused(world, its.client.apply_params()) == "NoticeNotOver"
    do(world, its.client.cancel_params(NEXT))


# -- the notice itself ---------------------------------------------------------------------------


@with_params
@pytest.mark.parametrize("notice", [0, 1, HOUR, DAY - 1])
def test_the_notice_can_not_be_lowered_below_a_day(program: str, notice: int) -> None:
    """In one step or in two: a day stays a day."""
    its = SUBJECTS[program]
    world = its.begin()
    lowered = replace(its.params, notice=notice)
    assert refused(world, its.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    do(world, its.client.propose_params(ADMIN, replace(its.params, notice=DAY)))
    # What may be proposed follows from the notice in force, not from one that waits.
    assert refused(world, its.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    world.chain.advance(NOTICE)
    do(world, its.client.apply_params())
    assert refused(world, its.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    do(world, its.client.propose_guardian(ADMIN, MALLORY))
    assert its.config(world).guardian_at == world.chain.now() + DAY


QUICK = 10
QUICK_STARTS = {
    "staking": staking.initialize(ADMIN, GUARDIAN, replace(PARAMS, notice=QUICK)),
    "orders": orders.initialize(ADMIN, GUARDIAN, USDC_MINT, orders.Params(notice=QUICK)),
}


@pytest.mark.parametrize("program", QUICK_STARTS)
def test_a_test_network_keeps_its_short_notice(program: str) -> None:
    """It can make it longer, never shorter, and what was made a day stays one."""
    its = SUBJECTS[program]
    world = its.stages["empty"]()
    do(world, QUICK_STARTS[program])

    def propose(notice: int) -> str | None:
        return refused(world, its.client.propose_params(ADMIN, replace(its.params, notice=notice)))

    assert propose(QUICK - 1) == "ParamsInvalid"
    do(world, its.client.propose_params(ADMIN, replace(its.params, notice=QUICK)))
    world.chain.advance(QUICK)
    do(world, its.client.apply_params())
    do(world, its.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(QUICK)
    do(world, its.client.accept_guardian(NEXT))
    for notice in (HOUR, DAY):
        do(world, its.client.propose_params(ADMIN, replace(its.params, notice=notice)))
        world.chain.advance(HOUR)
        do(world, its.client.apply_params())
        assert propose(notice - 1) == "ParamsInvalid"


def test_buyback_is_not_even_initialised_with_less() -> None:
    world = buyback_stages.empty()
    short = buyback.Params(notice=DAY - 1)
    call = buyback.initialize(ADMIN, GUARDIAN, USDC_MINT, short)
    assert refused(world, call) == "ParamsInvalid"
