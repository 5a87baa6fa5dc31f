"""A refused transaction in words: which of our programs refused, and why."""

from __future__ import annotations

from keeper.chain import TransactionFailed
from keeper.clients import buyback, orders, staking, tokenomics

PROGRAMS = {each.PROGRAM.address: each.PROGRAM for each in (tokenomics, staking, buyback, orders)}


def explain(failure: TransactionFailed) -> str:
    """Name the program and its error; the chain's own words for any other refusal."""
    record = failure.record
    if failure.code is None or record.failed_instruction is None:
        return str(failure)
    program = PROGRAMS.get(record.programs[record.failed_instruction])
    if program is None:
        return str(failure)
    error = program.error(failure.code)
    return f"{program.name}: {error.name}: {error.message}"
