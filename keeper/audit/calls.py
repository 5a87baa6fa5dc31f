"""A transaction's calls in the order of their execution, each with who made it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.whole import Signed


class Call(NamedTuple):
    """An instruction: the transaction's own, which is signed, or one that a program made under it.

    ``caller`` made it, None for the transaction's own; ``outer`` is the index of that, ``inner`` the call's
    place among those made under it, as events have it, and None for the transaction's own.
    """

    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes
    outer: int
    inner: int | None
    caller: Call | None


def calls_of(record: TransactionRecord, signed: Signed) -> list[Call]:
    """All calls of a transaction that ended well; the nesting was checked when it was read."""
    return list(_calls(record, signed))


def _calls(record: TransactionRecord, signed: Signed) -> Iterator[Call]:
    transaction = signed.transaction()
    keys = [*transaction.message.account_keys, *signed.writable, *signed.readonly]
    groups: dict[int, list[int]] = {}
    for at, each in enumerate(record.inner):
        groups.setdefault(each.outer, []).append(at)
    for outer, instruction in enumerate(transaction.message.instructions):
        accounts = tuple(keys[each] for each in bytes(instruction.accounts))
        own = Call(keys[instruction.program_id_index], accounts, bytes(instruction.data), outer, None, None)
        yield own
        stack = [own]
        for inner, at in enumerate(groups.get(outer, ())):
            made = record.inner[at]
            del stack[made.stack_height - 1 :]
            call = Call(made.program, made.accounts, made.data, outer, inner, stack[-1])
            stack.append(call)
            yield call
