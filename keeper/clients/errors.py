"""A refused transaction in words: which of our programs refused, and why."""

from __future__ import annotations

import re

from solders.pubkey import Pubkey

from keeper.chain import TransactionFailed, TransactionRecord
from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM
from keeper.clients.programs import BY_ADDRESS

FAILED = re.compile(r"Program (\w+) failed: ")
"""The runtime's own line; what a program logs begins differently."""
OTHERS: dict[Pubkey, dict[int, str]] = {
    SYSTEM_PROGRAM: {
        0: "an account that this would create is there already",
        1: "the key that pays has too few lamports: send it SOL",
    },
    TOKEN_PROGRAM: {1: "a token account holds too little", 17: "a token account is frozen"},
}
"""What errors of programs that aren't ours mean."""


def explain(failure: TransactionFailed) -> str:
    """Name the program and its error; the chain's own words for any other refusal."""
    record = failure.record
    if failure.code is None or record.failed_instruction is None:
        return str(failure)
    refuser = _refuser(record, record.failed_instruction)
    if failure.code in (words := OTHERS.get(refuser, {})):
        return words[failure.code]
    program = BY_ADDRESS.get(refuser)
    if program is None:
        return str(failure)
    error = program.error(failure.code)
    return f"{program.name}: {error.name}: {error.message}"


def _refuser(record: TransactionRecord, instruction: int) -> Pubkey:
    """Whose error number it is: a program that another one called is the first to fail in the logs."""
    found = (FAILED.match(line) for line in record.logs)
    return next((Pubkey.from_string(each[1]) for each in found if each), record.programs[instruction])
