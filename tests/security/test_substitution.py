"""The account-substitution matrix: every slot of every instruction, given every wrong account.

All of it follows from the IDL, so that an instruction or an account that is new there fails here
until it has a valid call, a kind, and an expectation.
"""

import pytest
from solders.instruction import AccountMeta, Instruction

from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.security.buyback.expectations import EXPECTATIONS as BUYBACK
from tests.security.matrix import CHANGES, Case
from tests.security.orders.expectations import EXPECTATIONS as ORDERS
from tests.security.outcomes import accounts, refused, rehearsed
from tests.security.people import OTHER_TOKENS, address, do
from tests.security.staking.expectations import EXPECTATIONS as STAKING
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import CALLS, claim
from tests.security.tokenomics.expectations import EXPECTATIONS
from tests.security.tokenomics.stages import CLOSED, ENDED, RUNNING, stage
from tests.security.tokenomics.substitution import valid

PROGRAMS = {"tokenomics": EXPECTATIONS, "staking": STAKING, "buyback": BUYBACK, "orders": ORDERS}
DOUBLED = {"withdraw_overflow"}
"""Its supplier signs, and is the owner that the stake goes to."""
CALLABLE = [(name, each) for name, its in PROGRAMS.items() for each in its.matrix.program.instructions]
SLOTS = [(name, each, slot) for name, each in CALLABLE for slot in PROGRAMS[name].matrix.slots(each)]


@pytest.mark.parametrize(("program", "instruction"), CALLABLE)
def test_the_valid_call_succeeds(program: str, instruction: str) -> None:
    matrix = PROGRAMS[program].matrix
    assert rehearsed(matrix.world(instruction), matrix.valid(instruction)) is None


@pytest.mark.parametrize(("program", "instruction", "slot"), SLOTS)
def test_no_other_account_will_do(program: str, instruction: str, slot: str) -> None:
    its = PROGRAMS[program]
    found, wanted = {}, {}
    for case in its.matrix.cases(instruction, slot):
        world, call = its.matrix.prepare(case)
        wanted[case.change] = its.expected(case)
        if wanted[case.change] is None:
            excused = (instruction, slot, case.change) in its.legitimate
            assert excused, f"{case} succeeds without a reason"
        # What succeeds is only rehearsed: the stage is for all cases.
        found[case.change] = rehearsed(world, call) and refused(world, call)
    assert found == wanted


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_reason_is_of_a_case_that_succeeds(program: str) -> None:
    """A case that is refused by now must not be excused any more."""
    its = PROGRAMS[program]
    assert [excused for excused in its.legitimate if its.expected(Case(*excused)) is not None] == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_matrix_is_complete(program: str) -> None:
    its = PROGRAMS[program]
    matrix, instructions = its.matrix, its.matrix.program.instructions
    slots = {(name, slot) for name in instructions for slot in matrix.slots(name)}
    names = {slot for _, slot in slots}
    assert matrix.calls.keys() == instructions.keys()
    assert matrix.kinds.keys() == names
    assert its.defaults.keys() == names
    assert its.exceptions.keys() <= slots
    assert all(set(errors) == set(CHANGES) for errors in its.defaults.values())
    for name, listed in instructions.items():
        flags = [(each.get("signer", False), each.get("writable", False)) for each in listed]
        metas = matrix.valid(name).accounts
        assert [(meta.is_signer, meta.is_writable) for meta in metas] == flags
        doubled = name in DOUBLED
        assert len(listed) == len({meta.pubkey for meta in metas}) + doubled, "two slots, one account"
        flags_removed = sum(signer + writable for signer, writable in flags)
        count = sum(len(matrix.cases(name, slot)) for slot in matrix.slots(name))
        assert count == len(listed) * (len(CHANGES) + len(listed) - 1) + flags_removed


@pytest.mark.parametrize(("program", "instruction"), CALLABLE)
def test_a_call_needs_all_its_accounts(program: str, instruction: str) -> None:
    matrix = PROGRAMS[program].matrix
    world, call = matrix.world(instruction), matrix.valid(instruction)
    for length in range(len(call.accounts)):
        cut = Instruction(call.program_id, call.data, call.accounts[:length])
        assert refused(world, cut) == "NotEnoughAccountKeys"


@pytest.mark.parametrize(("program", "instruction"), CALLABLE)
def test_a_call_needs_all_its_arguments(program: str, instruction: str) -> None:
    matrix = PROGRAMS[program].matrix
    world, call = matrix.world(instruction), matrix.valid(instruction)
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
