"""An account has one address: nobody makes a second one of the same seeds at another bump.

A second lease of a device for an order would be hidden from whoever derives its address, a second record
would hide money from its payee; a second block of an hour, a second slash for the same evidence, a second
table of prices would have votes of their own.
"""

from __future__ import annotations

from solders.pubkey import Pubkey

from tests.security.bumps import other_bumps
from tests.security.every import SUBJECTS, on_every_instruction, on_every_program
from tests.security.outcomes import refused
from tests.security.test_prefunded import creates_nothing


@on_every_program
def test_these_are_the_seeds(program: str) -> None:
    its = SUBJECTS[program]
    for instruction, slots in its.created.items():
        for slot, seeds in slots.items():
            there, _ = Pubkey.find_program_address(seeds, its.program.address)
            assert its.matrix.account_of(instruction, slot) == there, (instruction, slot)


@on_every_instruction(
    {"it creates no account": creates_nothing}, slot=lambda its, instruction: its.created[instruction]
)
def test_no_second_account_of_the_same_seeds(program: str, instruction: str, slot: str) -> None:
    its = SUBJECTS[program]
    world = its.matrix.world(instruction)
    others = list(other_bumps(its.created[instruction][slot], its.program.address))
    assert len(others) > 5
    for other in others:
        assert world.chain.get(other) is None
        assert refused(world, its.matrix.put(instruction, **{slot: other})) == "InvalidSeeds"
