"""The same call twice: in two transactions, and in one."""

import pytest

from keeper.chain import ChainError
from tests.security.every import SUBJECTS, named, on_every_instruction, on_every_program
from tests.security.outcomes import accounts, refused, undone
from tests.security.people import do

TOO_LARGE = (("staking", "initialize"), ("staking", "propose_params"))


@on_every_program
def test_each_instruction_is_in_one_of_the_tables(program: str) -> None:
    its = SUBJECTS[program]
    tables = [*its.once, *its.idle, *its.again]
    assert sorted(tables) == sorted(its.program.instructions)


@on_every_instruction()
def test_a_second_time_in_a_transaction_of_its_own(program: str, instruction: str) -> None:
    """Refused; or, where a reason is given, nothing changes any more, or the same happens again."""
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    with undone(world):
        do(world, call)
        once = accounts(world)
        assert refused(world, call) == its.once.get(instruction)
        assert (accounts(world) != once) == (instruction in its.again)


@on_every_instruction({"two of it are larger than a packet": named(*TOO_LARGE)})
def test_twice_in_one_transaction(program: str, instruction: str) -> None:
    """The first of the two is undone with the second, and can still be done."""
    its = SUBJECTS[program]
    world, call = its.scene(instruction)
    with undone(world):
        assert refused(world, call, call) == its.once.get(instruction)
        if instruction in its.once:
            do(world, call)


@pytest.mark.parametrize(("program", "instruction"), TOO_LARGE)
def test_two_of_it_are_larger_than_a_packet(program: str, instruction: str) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    with pytest.raises(ChainError, match="a packet holds"):
        refused(world, call, call)
