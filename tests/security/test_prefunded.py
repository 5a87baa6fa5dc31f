"""Somebody sends lamports to an address before the program creates an account there: it still can.

A creation that asks the system program for a new account alone fails then, and anybody could stop a
season, an order or the launch with one lamport.
"""

from tests.security.every import SUBJECTS, on_every_instruction, on_every_program
from tests.security.outcomes import undone
from tests.security.people import do
from tests.security.prefunded import AMOUNTS, assert_created, fund
from tests.security.subject import Subject


def creates_nothing(its: Subject, instruction: str) -> bool:
    return instruction not in its.created


@on_every_program
def test_these_are_all_the_accounts_that_the_program_creates(program: str) -> None:
    its = SUBJECTS[program]
    found = {
        (name, slot)
        for name in its.program.instructions
        for slot in its.matrix.slots(name)
        if its.matrix.is_created(name, slot)
    }
    assert found == {(name, slot) for name, slots in its.created.items() for slot in slots}


@on_every_instruction(
    {"it creates no account": creates_nothing},
    slot=lambda its, instruction: its.created[instruction],
    amount=lambda *_: AMOUNTS,
)
def test_lamports_in_advance_stop_nothing(program: str, instruction: str, slot: str, amount: str) -> None:
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    where = its.matrix.account_of(instruction, slot)
    assert_created(world, call, where, amount, deposit=its.deposits.get(slot, 0))


@on_every_instruction({"it creates no account": creates_nothing})
def test_all_of_a_calls_accounts_at_once(program: str, instruction: str) -> None:
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    addresses = [its.matrix.account_of(instruction, slot) for slot in its.created[instruction]]
    with undone(world):
        for each in addresses:
            fund(world, each, 1)
        do(world, call)
        assert world.account(addresses[0]).owner == its.program.address
