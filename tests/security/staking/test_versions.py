"""An account of another layout is refused by everything that reads it, also where it is only read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.chain import Account
from tests.security.outcomes import refused, rehearsed, undone
from tests.security.staking.expectations import OTHER_CLASS
from tests.security.staking.subject import SUBJECT

AT = 8
"""Where an account's version is: behind its discriminator."""


def with_version(account: Account, version: int) -> Account:
    return replace(account, data=account.data[:AT] + bytes([version]) + account.data[AT + 1 :])


OURS = {"config", "class", "device", "wallet", "payout", "block", "slash", "prices", "counter"}
NOT_READ = {(name, "class") for name in OTHER_CLASS[:5]}
"""What shares its accounts with instructions that do."""
BY_HAND = {("register_device", "class"): "UnknownClass"}
"""What reads an account itself, so that it can say more."""
SLOTS = [
    (instruction, slot)
    for instruction in SUBJECT.program.instructions
    for slot in SUBJECT.matrix.slots(instruction)
    if slot in OURS and (instruction, slot) not in NOT_READ
]


@pytest.mark.parametrize(("instruction", "slot"), SLOTS)
@pytest.mark.parametrize("version", [1, 3])
def test_an_account_of_another_layout_is_refused(instruction: str, slot: str, version: int) -> None:
    world, call = SUBJECT.scene(instruction)
    where = SUBJECT.matrix.account_of(instruction, slot)
    there = world.chain.get(where)
    if there is None:
        assert SUBJECT.matrix.is_created(instruction, slot)
        return
    assert there.data[AT] == SUBJECT.program.constants["ACCOUNT_VERSION"] == 2
    with undone(world, where):
        world.chain.set_account(where, with_version(there, version))
        error = BY_HAND.get((instruction, slot), "UnknownVersion")
        assert (rehearsed(world, call) and refused(world, call)) == error
