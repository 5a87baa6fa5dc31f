"""What a refused transaction is called, and that it changed nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account, TransactionRecord
from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM
from keeper.clients import tokenomics
from keeper.clients.programs import BY_ADDRESS
from tests.programs.world import World, finish
from tests.security.people import do, signers
from tests.security.tokens import TOKEN_2022

TOKEN_ERRORS = {
    0: "NotRentExempt",
    1: "InsufficientFunds",
    3: "MintMismatch",
    4: "OwnerMismatch",
    16: "MintCannotFreeze",
    11: "NonNativeHasBalance",
    17: "AccountFrozen",
}
SYSTEM_ERRORS = {0: "AccountAlreadyInUse", 1: "LackOfLamports"}
"""The numbers of two other programs; they start at 0, ours and the framework's at 2,000 and 6,000."""
OTHERS = {
    str(TOKEN_PROGRAM): ("Token", TOKEN_ERRORS),
    str(TOKEN_2022): ("Token", TOKEN_ERRORS),
    str(SYSTEM_PROGRAM): ("System", SYSTEM_ERRORS),
}

OWNERS = (SYSTEM_PROGRAM, TOKEN_PROGRAM, TOKEN_2022, *BY_ADDRESS)

Accounts = dict[Pubkey, Account]
NOTHING = Account(0, b"", SYSTEM_PROGRAM)
"""What is at an address where no account is."""


def outcome(record: TransactionRecord) -> str | None:
    """The error's name, with the program before it when that is neither ours nor the framework; or None."""
    if record.error is None:
        return None
    if record.code is None:
        return record.error.rpartition(": ")[2]
    # The innermost program that failed comes first.
    failed = next(m[1] for line in record.logs if (m := re.match(r"Program (\w+) failed", line)))
    if failed in OTHERS:
        program, names = OTHERS[failed]
        return f"{program}.{names[record.code]}"
    return BY_ADDRESS.get(Pubkey.from_string(failed), tokenomics.PROGRAM).error(record.code).name


def accounts(world: World, *named: Pubkey) -> Accounts:
    """Every account that a program could write, and ``named``; without the fee payer, who pays anyway."""
    found: Accounts = {}
    for owner in OWNERS:
        found.update(finish(world.chain.program_accounts(owner)))
    found.update({each: account for each in named if (account := world.chain.get(each))})
    found.pop(world.payer.pubkey(), None)
    return found


def refused(world: World, *instructions: Instruction) -> str | None:
    """The error's name of a transaction, signed by all it names; refused, it must have changed nothing."""
    named = [meta.pubkey for each in instructions for meta in each.accounts]
    before = accounts(world, *named)
    result = outcome(world.send(*instructions, signers=signers(*instructions)))
    if result is not None:
        assert accounts(world, *named) == before, f"refused ({result}), yet something changed"
    return result


def rehearsed(world: World, *instructions: Instruction) -> str | None:
    """What a transaction would come to, without executing it."""
    people = [each for each in signers(*instructions) if each != world.payer]
    return outcome(finish(world.chain.simulate(instructions, [world.payer, *people])))


@contextmanager
def undone(world: World, *named: Pubkey) -> Iterator[Accounts]:
    """Whatever is done inside is undone at the end, the clock included: a stage serves many tests.

    Gives :func:`accounts` as they are before.
    """
    before, now = accounts(world, *named), world.chain.now()
    try:
        yield dict(before)
    finally:
        after = accounts(world, *named)
        for each in before.keys() | after.keys():
            if before.get(each) != after.get(each):
                world.chain.set_account(each, before.get(each, NOTHING))
        world.chain.warp_to(now)
        assert accounts(world, *named) == before


def effect(world: World, *instructions: Instruction) -> dict[Pubkey, Account | None]:
    """What calls in one transaction make of the accounts: those that change, as they are afterwards.

    It is undone again.
    """
    with undone(world) as before:
        do(world, *instructions)
        after = accounts(world)
    changed = (each for each in before.keys() | after.keys() if before.get(each) != after.get(each))
    return {each: after.get(each) for each in changed}
