"""A transaction's error as one line, an instruction's index and a number."""

from __future__ import annotations

from typing import Any

from solders.transaction_status import (
    InstructionErrorCustom,
    TransactionErrorInstructionError,
)

LONGEST = 200
"""Characters of somebody else's words that are repeated."""
INDEXES, CODES = range(2**8), range(2**32)
"""What instructions' indexes and programs' error numbers can be."""

Failure = tuple[str, int | None, int | None]
"""The reason, the index of the instruction that it came from, and the program's own error number."""


def describe(error: Any) -> Failure:
    """Describe a solders error: an embedded chain's.

    That is a ``TransactionErrorInstructionError`` around an ``InstructionError...``, or a bare
    ``TransactionErrorFieldless``.
    """
    if not isinstance(error, TransactionErrorInstructionError):
        return _name(error), None, None
    cause = error.err
    if isinstance(cause, InstructionErrorCustom):
        return _custom(error.index, cause.code)
    return f"instruction {error.index}: {_name(cause)}", error.index, None


def describe_json(error: Any) -> Failure:
    """Describe a node's error, in the same words; whatever else it is, it is a failure, with its own text."""
    inside = error.get("InstructionError") if isinstance(error, dict) else None
    match inside:
        case [index, cause] if type(index) is int and index in INDEXES:
            code = cause.get("Custom") if isinstance(cause, dict) else None
            if type(code) is int and code in CODES:
                return _custom(index, code)
            return f"instruction {index}: {_words(cause)}", index, None
    return _words(error), None, None


def printable(text: str) -> str:
    """Somebody else's text as a part of one line of ours, and of a database's."""
    return "".join(each if each.isprintable() else "?" for each in text[:LONGEST])


def _custom(index: int, code: int) -> Failure:
    return f"instruction {index}: custom error {code}", index, code


def _name(error: Any) -> str:
    name = str(error).rpartition(".")[2]
    return name.removeprefix("TransactionError").removeprefix("InstructionError")


def _words(error: Any) -> str:
    """As Rust writes an enum: ``Name``, ``Name(value)``, ``Name { field: value }``."""
    if isinstance(error, dict) and len(error) == 1:
        ((name, value),) = error.items()
        if isinstance(value, dict):
            inside = ", ".join(f"{key}: {each}" for key, each in value.items())
            return printable(f"{name} {{ {inside} }}")
        return printable(f"{name}({value})")
    return printable(str(error)) or "unknown"
