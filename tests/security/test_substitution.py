"""The account-substitution matrix: every slot of every instruction, given every wrong account.

All of it follows from the IDL, so that an instruction or an account that is new there fails here
until it has a valid call, a kind, and an expectation.
"""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.framework import associated_token_address
from keeper.clients.programs import BY_ADDRESS
from tests.programs.world import World
from tests.security.every import EVERY, SUBJECTS, on_every_instruction, on_every_program
from tests.security.matrix import CHANGES, PURSE, VERSION, Case
from tests.security.outcomes import effect, refused, rehearsed, undone
from tests.security.people import IMPOSTOR, KEYS, OTHER_TOKENS
from tests.security.subject import Subject
from tests.security.tokens import OWNER, TOKEN_2022, token_accounts, vaults

DOUBLED = {"withdraw_overflow"}
"""Its supplier signs, and is the owner that the stake goes to."""


@on_every_instruction()
def test_the_valid_call_succeeds(program: str, instruction: str) -> None:
    assert rehearsed(*SUBJECTS[program].scene(instruction)) is None


@on_every_instruction(slot=lambda its, instruction: its.matrix.slots(instruction))
def test_no_other_account_will_do(program: str, instruction: str, slot: str) -> None:
    its = SUBJECTS[program].expectations
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


@on_every_instruction()
def test_no_stranger_takes_a_persons_place_with_a_purse_of_its_own(program: str, instruction: str) -> None:
    """A wallet and its token accounts agree with each other: what they must agree with is a record.

    The stranger's are the associated ones, and hold as much.
    """
    its = SUBJECTS[program]
    found, wanted = {}, {}
    for slot, tokens in purses(its, instruction).items():
        world, _ = its.scene(instruction)
        case = Case(instruction, slot, PURSE)
        wanted[slot] = its.expectations.expected(case)
        stranger = its.matrix.replacement(Case(instruction, slot, "stranger"), world)
        held = {each: its.matrix.account_of(instruction, each) for each in tokens}
        with undone(world):
            put = {slot: stranger}
            for each, account in held.items():
                put[each] = associated_token_address(stranger, token_accounts(world)[account].mint)
                old = world.account(account)
                data = old.data[:OWNER] + bytes(stranger) + old.data[OWNER + 32 :]
                world.chain.set_account(put[each], Account(old.lamports, data, old.owner))
            call = its.matrix.put(instruction, **put)
            found[slot] = rehearsed(world, call) and refused(world, call)
        if found[slot] is None:
            assert (instruction, slot, PURSE) in its.expectations.legitimate, slot
    assert found == wanted


def purses(its: Subject, instruction: str) -> dict[str, list[str]]:
    """The slots of people who own token accounts in the valid call, with the slots of these."""
    world, call = its.scene(instruction)
    held = token_accounts(world)
    slots = dict(zip(its.matrix.slots(instruction), (meta.pubkey for meta in call.accounts), strict=True))
    owned = {
        slot: [each for each, tokens in slots.items() if tokens in held and held[tokens].owner == person]
        for slot, person in slots.items()
        if person in KEYS
    }
    return {slot: tokens for slot, tokens in owned.items() if tokens}


def test_there_are_purses_in_every_program_to_take() -> None:
    taken = {(name, each) for name, each in EVERY if purses(SUBJECTS[name], each)}
    assert {name for name, _ in taken} == SUBJECTS.keys()
    assert ("tokenomics", "close_season") in taken


@on_every_instruction()
def test_an_account_of_another_version_is_refused(program: str, instruction: str) -> None:
    """Its fields may lie elsewhere: whoever reads one looks at the version, also where nothing is written."""
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    found, wanted = {}, {}
    for slot, meta in zip(its.matrix.slots(instruction), call.accounts, strict=True):
        old = world.chain.get(meta.pubkey)
        if old is None or old.owner not in BY_ADDRESS:
            continue
        later = old.data[:8] + bytes([old.data[8] + 1]) + old.data[9:]
        wanted[slot] = its.expectations.expected(Case(instruction, slot, VERSION))
        with undone(world, meta.pubkey):
            world.chain.set_account(meta.pubkey, Account(old.lamports, later, old.owner))
            found[slot] = refused(world, call)
    assert found == wanted


@on_every_program
def test_every_account_begins_with_its_version(program: str) -> None:
    fields = SUBJECTS[program].program.account_fields
    assert fields
    assert {kind: (first["name"], first["type"]) for kind, (first, *_) in fields.items()} == dict.fromkeys(
        fields, ("version", "u8")
    )


@on_every_program
def test_every_reason_is_of_a_case_that_succeeds(program: str) -> None:
    """A case that is refused by now must not be excused any more."""
    its = SUBJECTS[program].expectations
    assert [excused for excused in its.legitimate if its.expected(Case(*excused)) is not None] == []


@on_every_program
def test_the_matrix_is_complete(program: str) -> None:
    its = SUBJECTS[program].expectations
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
        # An optional account that a call leaves out is the program.
        left_out = [each for each in listed if each.get("optional", False)]
        assert all(matrix.account_of(name, each["name"]) == matrix.program.address for each in left_out)
        doubled = (name in DOUBLED) + len(left_out)
        assert len(listed) == len({meta.pubkey for meta in metas}) + doubled, "two slots, one account"
        flags_removed = sum(signer + writable for signer, writable in flags)
        count = sum(len(matrix.cases(name, slot)) for slot in matrix.slots(name))
        assert count == len(listed) * (len(CHANGES) + len(listed) - 1) + flags_removed


@on_every_program
def test_every_call_is_in_some_stage(program: str) -> None:
    its = SUBJECTS[program]
    assert {call.stage for call in its.matrix.calls.values()} <= its.stages.keys()


@on_every_instruction()
def test_a_call_needs_all_its_accounts(program: str, instruction: str) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    for length in range(len(call.accounts)):
        cut = Instruction(call.program_id, call.data, call.accounts[:length])
        assert refused(world, cut) == "NotEnoughAccountKeys"


@on_every_instruction()
def test_a_call_needs_all_its_arguments(program: str, instruction: str) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    for length in {*range(9), len(call.data) // 2, len(call.data) - 1} - {len(call.data)}:
        cut = Instruction(call.program_id, bytes(call.data)[:length], call.accounts)
        if length < len(call.data):
            assert refused(world, cut) == "InvalidInstructionData", length


@on_every_instruction()
def test_extra_accounts_change_nothing(program: str, instruction: str) -> None:
    """Every vault and config there is, passed behind a call's own accounts, writable: the same happens.

    One at a time: the packet of the largest call holds no more.
    """
    world, call = SUBJECTS[program].scene(instruction)
    plain = effect(world, call)
    assert plain, "a call that does nothing shows nothing"
    configs = [its.client.CONFIG for its in SUBJECTS.values() if its.is_initialised(world)]
    own = {meta.pubkey for meta in call.accounts}
    extra = [each for each in (*vaults(world), *configs, OTHER_TOKENS.pubkey()) if each not in own]
    assert extra
    for each in extra:
        metas = [*call.accounts, AccountMeta(each, False, True)]
        assert effect(world, Instruction(call.program_id, call.data, metas)) == plain


@on_every_instruction()
def test_another_program_in_a_programs_place(program: str, instruction: str) -> None:
    """One of the attacker's that says yes to everything without doing it, and the newer token program."""
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    slots = its.matrix.slots(instruction)
    called = [slot for slot, meta in zip(slots, call.accounts, strict=True) if executable(world, meta.pubkey)]
    assert "program" in called
    for slot in called:
        error = its.expectations.expected(Case(instruction, slot, "stranger"))
        assert error is not None or (instruction, slot, "stranger") in its.expectations.legitimate
        for other in (IMPOSTOR, TOKEN_2022):
            put = its.matrix.put(instruction, **{slot: other})
            assert (rehearsed(world, put) and refused(world, put)) == error, slot


def executable(world: World, address: Pubkey) -> bool:
    found = world.chain.get(address)
    return found is not None and found.executable
