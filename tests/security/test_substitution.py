"""The account-substitution matrix: every slot of every instruction, given every wrong account.

All of it follows from the IDL, so that an instruction or an account that is new there fails here
until it has a valid call, a kind, and an expectation.
"""

import pytest
from solders.instruction import AccountMeta, Instruction

from keeper.chain import Account
from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.programs.world import World
from tests.security import stages
from tests.security.calls import CALLS, claim
from tests.security.expectations import DEFAULTS, EXCEPTIONS, LEGITIMATE, expected
from tests.security.outcomes import accounts, refused, rehearsed
from tests.security.stages import CLOSED, ENDED, OTHER_TOKENS, RUNNING, address, do, stage
from tests.security.substitution import (
    CHANGES,
    ELSEWHERE,
    KINDS,
    Case,
    cases,
    changed,
    planted,
    slots,
    valid,
)

SLOTS = [(name, slot) for name in PROGRAM.instructions for slot in slots(name)]
NOTHING = Account(0, b"", SYSTEM_PROGRAM)


def world_of(instruction: str) -> World:
    return stage(CALLS[instruction].stage)


def prepare(case: Case) -> tuple[World, Instruction]:
    world = world_of(case.instruction)
    world.chain.set_account(ELSEWHERE, planted(case, world) or NOTHING)
    return world, changed(case, world)


@pytest.mark.parametrize("instruction", PROGRAM.instructions)
def test_the_valid_call_succeeds(instruction: str) -> None:
    assert rehearsed(world_of(instruction), valid(instruction)) is None


@pytest.mark.parametrize(("instruction", "slot"), SLOTS)
def test_no_other_account_will_do(instruction: str, slot: str) -> None:
    found, wanted = {}, {}
    for case in cases(instruction, slot):
        world, call = prepare(case)
        wanted[case.change] = expected(case)
        if wanted[case.change] is None:
            assert (instruction, slot, case.change) in LEGITIMATE, f"{case} succeeds without a reason"
        # What succeeds is only rehearsed: the stage is for all cases.
        found[case.change] = rehearsed(world, call) and refused(world, call)
    assert found == wanted


def test_every_reason_is_of_a_case_that_succeeds() -> None:
    """A case that is refused by now must not be excused any more."""
    assert [excused for excused in LEGITIMATE if expected(Case(*excused)) is not None] == []


def test_the_matrix_is_complete() -> None:
    names = {slot for _, slot in SLOTS}
    assert CALLS.keys() == PROGRAM.instructions.keys()
    assert KINDS.keys() == names
    assert DEFAULTS.keys() == names
    assert EXCEPTIONS.keys() <= set(SLOTS)
    assert all(set(errors) == set(CHANGES) for errors in DEFAULTS.values())
    for name, listed in PROGRAM.instructions.items():
        flags = [(each.get("signer", False), each.get("writable", False)) for each in listed]
        assert [(meta.is_signer, meta.is_writable) for meta in valid(name).accounts] == flags
        assert len(listed) == len({meta.pubkey for meta in valid(name).accounts}), "two slots, one account"
        flags_removed = sum(signer + writable for signer, writable in flags)
        count = sum(len(cases(name, slot)) for slot in slots(name))
        assert count == len(listed) * (len(CHANGES) + len(listed) - 1) + flags_removed


@pytest.mark.parametrize("instruction", PROGRAM.instructions)
def test_a_call_needs_all_its_accounts(instruction: str) -> None:
    world, call = world_of(instruction), valid(instruction)
    for length in range(len(call.accounts)):
        cut = Instruction(call.program_id, call.data, call.accounts[:length])
        assert refused(world, cut) == "NotEnoughAccountKeys"


@pytest.mark.parametrize("instruction", PROGRAM.instructions)
def test_a_call_needs_all_its_arguments(instruction: str) -> None:
    world, call = world_of(instruction), valid(instruction)
    for length in {*range(9), len(call.data) // 2, len(call.data) - 1} - {len(call.data)}:
        cut = Instruction(call.program_id, bytes(call.data)[:length], call.accounts)
        if length < len(call.data):
            assert refused(world, cut) == "InvalidInstructionData", length


@pytest.mark.parametrize("instruction", PROGRAM.instructions)
def test_extra_accounts_change_nothing(instruction: str) -> None:
    """Vaults passed behind a call's own accounts, writable: it succeeds, and leaves them alone."""
    world = stages.STAGES[CALLS[instruction].stage]()
    call = valid(instruction)
    own = {meta.pubkey for meta in call.accounts}
    vaults = [client.GENESIS_VAULT, client.REWARD_VAULT, client.season_vault_address(RUNNING)]
    extra = [each for each in (*vaults, OTHER_TOKENS.pubkey(), client.CONFIG) if each not in own]
    before = accounts(world)
    metas = [*call.accounts, *(AccountMeta(each, False, True) for each in extra)]
    do(world, Instruction(call.program_id, call.data, metas))
    after = accounts(world)
    touched = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    assert touched <= own


OTHER_SETS = {
    "another wallet's claim": lambda: claim(RUNNING, "bob"),
    "another allocation": lambda: client.release(5, address("launchpool")),
    "a page of a closed season": lambda: client.close_claim_page(CLOSED, 0, address("alice")),
    "another season": lambda: client.close_season(ENDED, address("admin")),
}


@pytest.mark.parametrize("name", OTHER_SETS)
def test_a_whole_other_set_is_another_call(name: str) -> None:
    """Accounts that fit each other succeed: nothing is tied to the first of a kind."""
    assert rehearsed(stage("running"), OTHER_SETS[name]()) is None
