"""Who may do what: every other role in a signer's place, the admin handed over in two steps, events."""

import pytest
from solders.instruction import AccountMeta, Instruction

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.chain.program import EVENT_TAG
from tests.security.every import SUBJECTS, on_every_instruction, on_every_program
from tests.security.matrix import Case
from tests.security.outcomes import refused, rehearsed, undone
from tests.security.people import HEIR, LABELS, OPERATORS, PEOPLE, WORKERS, address, do
from tests.security.subject import Subject

ADMIN, GUARDIAN, MALLORY, NEXT = (address(name) for name in ("admin", "guardian", "mallory", HEIR))
NOBODY = SYSTEM_PROGRAM
EVERYBODY = [name for name in (*PEOPLE, *OPERATORS, *WORKERS, *LABELS) if name != "elsewhere"]


def signers(its: Subject, instruction: str) -> list[str]:
    """The slots that sign."""
    matrix = its.matrix
    return [slot for slot in matrix.slots(instruction) if matrix.is_flagged(instruction, slot, "signer")]


@on_every_instruction({"nobody need sign it": lambda its, name: not signers(its, name)}, slot=signers)
def test_another_role_is_not_enough(program: str, instruction: str, slot: str) -> None:
    """Everybody else who is somebody here, whatever their own role, is told what a stranger is told.

    The admin is no guardian, an operator no admin, an heir nothing yet, nobody's row the admin's.
    """
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    own = {meta.pubkey for meta in call.accounts}
    others = [name for name in EVERYBODY if address(name) not in own]
    error = its.expectations.expected(Case(instruction, slot, "stranger"))
    wanted = {name: error for name in others} | its.shared.get((instruction, slot), {})
    with undone(world):
        for name in others:
            # Who can't pay is told so first.
            world.chain.airdrop(address(name), 10**12)
        calls = {name: its.matrix.put(instruction, **{slot: address(name)}) for name in others}
        found = {name: rehearsed(world, each) and refused(world, each) for name, each in calls.items()}
    assert found == wanted


@on_every_program
def test_whoever_shares_a_slot_is_told_something_else(program: str) -> None:
    """What is said of others must not be what a stranger is told."""
    its = SUBJECTS[program]
    for (instruction, slot), others in its.shared.items():
        assert slot in signers(its, instruction)
        assert its.expectations.expected(Case(instruction, slot, "stranger")) not in others.values()


# -- the admin -------------------------------------------------------------------------------


@on_every_program
def test_the_admin_is_handed_over_in_two_steps(program: str) -> None:
    its = SUBJECTS[program]
    world, accept = its.scene("accept_admin")
    propose = its.client.propose_admin
    assert its.config(world).pending_admin == NEXT
    with undone(world):
        assert refused(world, propose(NEXT, MALLORY)) == "NotAdmin", "a proposal alone gives no right"
        for name in ("admin", "guardian", "mallory"):
            assert refused(world, its.client.accept_admin(address(name))) == "NotPendingAdmin"
        do(world, accept)
        found = its.config(world)
        assert (found.admin, found.pending_admin) == (NEXT, NOBODY)
        assert refused(world, accept) == "NotPendingAdmin"
        do(world, propose(NEXT, ADMIN))
        do(world, its.client.accept_admin(ADMIN))
        assert its.config(world).admin == ADMIN


@on_every_program
@pytest.mark.parametrize(("role", "error"), [("admin", "NotAdmin"), ("guardian", "NotGuardian")])
def test_who_had_a_role_has_nothing_left(program: str, role: str, error: str) -> None:
    """Each call that succeeds here, or could in any stage, as it needs the role and the config alone."""
    its = SUBJECTS[program]
    world, accept = its.scene(f"accept_{role}")
    alone = {role, "config", "event_authority", "program"}
    calls = [
        its.matrix.valid(name)
        for name in its.program.instructions
        if role in (slots := its.matrix.slots(name)) and name != "initialize"
        if its.matrix.world(name) is world or set(slots) == alone
    ]
    assert calls
    with undone(world):
        do(world, accept)
        for call in calls:
            assert refused(world, call) == error


@on_every_program
def test_a_withdrawn_proposal_can_not_be_accepted(program: str) -> None:
    its = SUBJECTS[program]
    world, accept = its.scene("accept_admin")
    with undone(world):
        do(world, its.client.propose_admin(ADMIN, NOBODY))
        assert refused(world, accept) == "NotPendingAdmin"
        assert its.config(world).admin == ADMIN


@on_every_program
def test_the_roles_do_not_touch_each_other(program: str) -> None:
    """Another admin leaves the guardian where it is, and the other way round."""
    its = SUBJECTS[program]
    for role, other in (("admin", "guardian"), ("guardian", "admin")):
        world, accept = its.scene(f"accept_{role}")
        with undone(world):
            before = its.config(world)
            do(world, accept)
            after = its.config(world)
            assert getattr(after, role) != getattr(before, role)
            for field in (other, f"pending_{other}"):
                assert getattr(after, field) == getattr(before, field)


# -- events ----------------------------------------------------------------------------------


@on_every_program
def test_nobody_else_can_send_our_events(program: str) -> None:
    """The framework's event instruction, called from outside: the authority signs for us alone."""
    its = SUBJECTS[program]
    world, _ = its.scene("set_pause")
    data = EVENT_TAG + bytes(100)
    for accounts, error in (
        ([AccountMeta(its.program.event_authority, False, False)], "MissingRequiredSignature"),
        ([AccountMeta(MALLORY, True, False)], "InvalidSeeds"),
        ([], "NotEnoughAccountKeys"),
    ):
        assert refused(world, Instruction(its.program.address, data, accounts)) == error
