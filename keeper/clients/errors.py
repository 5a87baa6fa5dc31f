"""A refused transaction in words: which of our programs refused, and why."""

from __future__ import annotations

import re

from solders.pubkey import Pubkey

from keeper.chain import TransactionFailed, TransactionRecord
from keeper.clients.programs import BY_ADDRESS

FAILED = re.compile(r"Program (\w+) failed: ")
"""The runtime's own line; what a program logs begins otherwise."""


def explain(failure: TransactionFailed) -> str:
    """Name the program and its error; the chain's own words for any other refusal."""
    record = failure.record
    if failure.code is None or record.failed_instruction is None:
        return str(failure)
    program = BY_ADDRESS.get(_refuser(record, record.failed_instruction))
    if program is None:
        return str(failure)
    error = program.error(failure.code)
    return f"{program.name}: {error.name}: {error.message}"


def _refuser(record: TransactionRecord, instruction: int) -> Pubkey:
    """Whose error number it is: a program that another one called is the first to fail in the logs."""
    found = (FAILED.match(line) for line in record.logs)
    return next((Pubkey.from_string(each[1]) for each in found if each), record.programs[instruction])
