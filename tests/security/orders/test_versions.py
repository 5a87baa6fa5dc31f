"""An account of another layout, staking's too, is refused by everything that reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keeper.chain import Account
from tests.security.orders.subject import SUBJECT
from tests.security.outcomes import refused, rehearsed, undone

AT = 8
"""Where an account's version is: behind its discriminator."""
READ = {"config", "order", "lease", "fault", "record", "class", "device", "staking_config"}
NOT_THERE = {
    ("initialize", "config"),
    ("create_order", "order"),
    ("match_device", "lease"),
    ("park_pay", "record"),
    ("park_fees", "record"),
    # Gone, as it has to be.
    ("close_fault", "lease"),
}
SLOTS = [
    (instruction, slot)
    for instruction in SUBJECT.program.instructions
    for slot in SUBJECT.matrix.slots(instruction)
    if slot in READ and (instruction, slot) not in NOT_THERE
]


def with_version(account: Account, version: int) -> Account:
    return replace(account, data=account.data[:AT] + bytes([version]) + account.data[AT + 1 :])


@pytest.mark.parametrize(("instruction", "slot"), SLOTS)
@pytest.mark.parametrize("version", [1, 3])
def test_an_account_of_another_layout_is_refused(instruction: str, slot: str, version: int) -> None:
    world, call = SUBJECT.scene(instruction)
    where = SUBJECT.matrix.account_of(instruction, slot)
    there = world.account(where)
    assert there.data[AT] == SUBJECT.program.constants["ACCOUNT_VERSION"] == 2
    with undone(world, where):
        world.chain.set_account(where, with_version(there, version))
        assert (rehearsed(world, call) and refused(world, call)) == "UnknownVersion"


@pytest.mark.parametrize(("instruction", "slot"), sorted(NOT_THERE))
def test_what_is_left_out_is_not_there(instruction: str, slot: str) -> None:
    world, _ = SUBJECT.scene(instruction)
    assert world.chain.get(SUBJECT.matrix.account_of(instruction, slot)) is None
