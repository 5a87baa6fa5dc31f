"""A transaction's error as one line, an instruction's index and a number."""

from __future__ import annotations

from typing import Any

from solders.transaction_status import (
    InstructionErrorCustom,
    TransactionErrorInstructionError,
)


def describe(error: Any) -> tuple[str, int | None, int | None]:
    """Return (reason, index of the instruction, program's own error number) of a solders error.

    Both kinds of chain report with the same types: ``TransactionErrorInstructionError`` around an
    ``InstructionError...``, or a bare ``TransactionErrorFieldless``.
    """
    if not isinstance(error, TransactionErrorInstructionError):
        return _name(error), None, None
    cause = error.err
    if isinstance(cause, InstructionErrorCustom):
        return f"instruction {error.index}: custom error {cause.code}", error.index, cause.code
    return f"instruction {error.index}: {_name(cause)}", error.index, None


def _name(error: Any) -> str:
    name = str(error).rpartition(".")[2]
    return name.removeprefix("TransactionError").removeprefix("InstructionError")
