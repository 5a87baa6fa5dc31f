"""Another guardian comes in two steps with a notice between them, in every program; the notice stays a day.

The guardian is who can veto what an admin proposes: a stolen admin's key must not be rid of it first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest
from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import buyback, orders, staking, tokenomics
from tests.programs.buyback.world import USDC_MINT
from tests.programs.world import DAY, HOUR, World
from tests.security.buyback import stages as buyback_stages
from tests.security.orders import stages as orders_stages
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, HEIR, OPERATORS, address, do
from tests.security.staking import stages as staking_stages
from tests.security.tokenomics import stages

ADMIN, GUARDIAN, MALLORY, BOB = (address(name) for name in ("admin", "guardian", "mallory", "bob"))
NEXT = address(DEPUTY)
NOTICE = 7 * DAY
NOBODY = SYSTEM_PROGRAM
STAKING_PARAMS = staking.Params(tuple(map(address, OPERATORS)), 2)


@dataclass(frozen=True)
class Case:
    """A program: its client, where it is initialised and nothing proposed, other parameters than those."""

    client: ModuleType
    begin: Callable[[], World]
    params: Any = None

    def config(self, world: World) -> Any:
        """The program's config."""
        return self.client.parse_config(world.account(self.client.CONFIG).data)

    def pause(self, world: World, guardian: Pubkey) -> str | None:
        """Whether somebody can pause, or why not."""
        return refused(world, self.client.set_pause(guardian, 1, world.chain.now() + DAY))


def _orders(params: orders.Params = orders.Params()) -> World:  # noqa: B008 - it is frozen
    world = orders_stages.empty()
    do(world, orders.initialize(ADMIN, GUARDIAN, orders_stages.USDC_MINT, params))
    return world


def _staking(params: staking.Params) -> World:
    world = staking_stages.empty()
    do(world, staking.initialize(ADMIN, GUARDIAN, params))
    return world


CASES = {
    "tokenomics": Case(tokenomics, stages.launched),
    "staking": Case(staking, staking_stages.initialized, replace(STAKING_PARAMS, threshold=3)),
    "orders": Case(orders, _orders, orders.Params(renter_fee_bps=50)),
    "buyback": Case(buyback, buyback_stages.initialized, buyback.Params(duration=2 * DAY)),
}
WITH_PARAMS = [name for name, case in CASES.items() if case.params]
each = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
each_with_params = pytest.mark.parametrize("case", [CASES[name] for name in WITH_PARAMS], ids=WITH_PARAMS)


@each
def test_nobody_becomes_guardian_at_once(case: Case) -> None:
    """From the proposal to the last second of the notice the old one has all its powers, the new one none."""
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    for _ in ("at once", "at the last second"):
        assert refused(world, case.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
        assert case.pause(world, NEXT) == "NotGuardian"
        do(world, case.client.set_pause(GUARDIAN, 1, world.chain.now() + 1))
        assert case.config(world).guardian == GUARDIAN
        world.chain.warp_to(case.config(world).guardian_at - 1)
    assert case.config(world).pending_guardian == NEXT
    world.chain.advance(1)
    do(world, case.client.set_pause(GUARDIAN, 0, 0), case.client.accept_guardian(NEXT))
    found = case.config(world)
    assert (found.guardian, found.pending_guardian, found.guardian_at) == (NEXT, NOBODY, 0)
    assert case.pause(world, GUARDIAN) == "NotGuardian"
    do(world, case.client.set_pause(NEXT, 1, world.chain.now() + DAY))
    assert refused(world, case.client.accept_guardian(NEXT)) == "NotPendingGuardian"


@each
def test_the_notice_is_seven_days(case: Case) -> None:
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    assert case.config(world).guardian_at == world.chain.now() + NOTICE


@each
def test_an_admin_can_not_do_both_steps_in_one_transaction(case: Case) -> None:
    """Not even for itself."""
    world = case.begin()
    steps = case.client.propose_guardian(ADMIN, ADMIN), case.client.accept_guardian(ADMIN)
    assert refused(world, *steps) == "GuardianNoticeNotOver"
    assert case.config(world).guardian_at == 0


@each
@pytest.mark.parametrize("name", ["admin", "guardian", "mallory", HEIR])
def test_nobody_else_accepts(case: Case, name: str) -> None:
    """Neither before nor after its time, and least of all where nobody is proposed."""
    world = case.begin()
    accept = case.client.accept_guardian(address(name))
    assert refused(world, accept) == "NotPendingGuardian"
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    assert refused(world, accept) == "NotPendingGuardian"
    world.chain.advance(NOTICE)
    assert refused(world, accept) == "NotPendingGuardian"


@each
def test_only_the_admin_proposes(case: Case) -> None:
    world = case.begin()
    do(world, case.client.propose_admin(ADMIN, address(HEIR)))
    for name in ("guardian", "mallory", HEIR, DEPUTY):
        call = case.client.propose_guardian(address(name), address(name))
        assert refused(world, call) == "NotAdmin"


@each
def test_a_replaced_proposal_is_gone_and_the_notice_begins_anew(case: Case) -> None:
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, BOB))
    world.chain.advance(NOTICE - 1)
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(1)
    assert refused(world, case.client.accept_guardian(BOB)) == "NotPendingGuardian"
    assert refused(world, case.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
    world.chain.advance(NOTICE - 2)
    assert refused(world, case.client.accept_guardian(NEXT)) == "GuardianNoticeNotOver"
    world.chain.advance(1)
    do(world, case.client.accept_guardian(NEXT))


@each
def test_somebody_proposed_long_ago_is_no_way_round_the_notice(case: Case) -> None:
    """A proposal whose notice is over doesn't pass it on to another one, nor to the same name again."""
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(NOTICE)
    for pending in (MALLORY, NEXT):
        do(world, case.client.propose_guardian(ADMIN, pending))
        assert refused(world, case.client.accept_guardian(pending)) == "GuardianNoticeNotOver"


@each
def test_a_withdrawn_proposal_can_not_be_accepted(case: Case) -> None:
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    do(world, case.client.propose_guardian(ADMIN, NOBODY))
    found = case.config(world)
    assert (found.pending_guardian, found.guardian_at) == (NOBODY, 0)
    world.chain.advance(NOTICE)
    assert refused(world, case.client.accept_guardian(NEXT)) == "NotPendingGuardian"
    assert case.config(world).guardian == GUARDIAN


@each
def test_an_admin_that_changes_leaves_the_proposal_to_the_next(case: Case) -> None:
    """The roles don't touch each other: the next admin can withdraw what the last one proposed."""
    world = case.begin()
    heir = address(HEIR)
    do(world, case.client.propose_guardian(ADMIN, MALLORY), case.client.propose_admin(ADMIN, heir))
    do(world, case.client.accept_admin(heir))
    assert case.config(world).pending_guardian == MALLORY
    do(world, case.client.propose_guardian(heir, NOBODY))
    world.chain.advance(NOTICE)
    assert refused(world, case.client.accept_guardian(MALLORY)) == "NotPendingGuardian"


# -- what the guardian is there for --------------------------------------------------------------


@each_with_params
def test_the_old_guardian_still_drops_what_a_stolen_key_proposes(case: Case) -> None:
    """Guardian and parameters proposed in one transaction: the veto lasts longer than the parameters wait."""
    world = case.begin()
    steal = case.client.propose_guardian(ADMIN, MALLORY), case.client.propose_params(ADMIN, case.params)
    do(world, *steal)
    found = case.config(world)
    assert found.guardian_at == found.pending_at
    world.chain.warp_to(found.guardian_at - 1)
    assert refused(world, case.client.apply_params()) == "NoticeNotOver"
    do(world, case.client.cancel_params(GUARDIAN))
    # Proposed again in the last second, they wait for as long as the first ones did.
    do(world, case.client.propose_params(ADMIN, case.params))
    world.chain.advance(1)
    do(world, case.client.accept_guardian(MALLORY))
    assert refused(world, case.client.cancel_params(GUARDIAN)) == "NotGuardian"
    assert refused(world, case.client.apply_params()) == "NoticeNotOver"
    assert case.config(world).pending_at == found.pending_at - 1 + NOTICE
    world.chain.advance(NOTICE - 2)
    assert refused(world, case.client.apply_params()) == "NoticeNotOver"
    assert case.config(world).params != case.params


@each_with_params
def test_another_guardian_brings_no_proposal_forward(case: Case) -> None:
    world = case.begin()
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(NOTICE - HOUR)
    do(world, case.client.propose_params(ADMIN, case.params))
    before = case.config(world)
    world.chain.advance(HOUR)
    do(world, case.client.accept_guardian(NEXT))
    after = case.config(world)
    assert (after.pending, after.pending_at) == (before.pending, before.pending_at)
    assert refused(world, case.client.apply_params()) == "NoticeNotOver"
    do(world, case.client.cancel_params(NEXT))


# -- the notice itself ---------------------------------------------------------------------------


@each_with_params
@pytest.mark.parametrize("notice", [0, 1, HOUR, DAY - 1])
def test_the_notice_can_not_be_lowered_below_a_day(case: Case, notice: int) -> None:
    """In one step or in two: a day stays a day."""
    world = case.begin()
    lowered = replace(case.params, notice=notice)
    assert refused(world, case.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    do(world, case.client.propose_params(ADMIN, replace(case.params, notice=DAY)))
    # What may be proposed follows from the notice in force, not from one that waits.
    assert refused(world, case.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    world.chain.advance(NOTICE)
    do(world, case.client.apply_params())
    assert refused(world, case.client.propose_params(ADMIN, lowered)) == "ParamsInvalid"
    do(world, case.client.propose_guardian(ADMIN, MALLORY))
    assert case.config(world).guardian_at == world.chain.now() + DAY


QUICK = 10
QUICK_CASES = {
    "staking": Case(
        staking,
        lambda: _staking(replace(STAKING_PARAMS, notice=QUICK)),
        replace(STAKING_PARAMS, threshold=3),
    ),
    "orders": Case(orders, lambda: _orders(orders.Params(notice=QUICK)), orders.Params(renter_fee_bps=50)),
}


@pytest.mark.parametrize("case", QUICK_CASES.values(), ids=list(QUICK_CASES))
def test_a_test_network_keeps_its_short_notice(case: Case) -> None:
    """It can make it longer, never shorter, and what was made a day stays one."""
    world = case.begin()

    def propose(notice: int) -> str | None:
        return refused(world, case.client.propose_params(ADMIN, replace(case.params, notice=notice)))

    assert propose(QUICK - 1) == "ParamsInvalid"
    do(world, case.client.propose_params(ADMIN, replace(case.params, notice=QUICK)))
    world.chain.advance(QUICK)
    do(world, case.client.apply_params())
    do(world, case.client.propose_guardian(ADMIN, NEXT))
    world.chain.advance(QUICK)
    do(world, case.client.accept_guardian(NEXT))
    for notice in (HOUR, DAY):
        do(world, case.client.propose_params(ADMIN, replace(case.params, notice=notice)))
        world.chain.advance(HOUR)
        do(world, case.client.apply_params())
        assert propose(notice - 1) == "ParamsInvalid"


def test_buyback_is_not_even_initialised_with_less() -> None:
    world = buyback_stages.empty()
    short = buyback.Params(notice=DAY - 1)
    call = buyback.initialize(ADMIN, GUARDIAN, USDC_MINT, short)
    assert refused(world, call) == "ParamsInvalid"
