"""Accounts as typed records: a dataclass takes the fields of its own names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from solders.pubkey import Pubkey

from keeper.chain import ChainReader, Memcmp
from keeper.chain.program import Program

T = TypeVar("T")


def record(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make a dataclass of ``kind`` from an account's fields."""
    names = _names(kind)  # type: ignore[arg-type]  # mypy takes no class for hashable
    return kind(**{name: values[name] for name in names})


@cache
def _names(kind: type[Any]) -> list[str]:
    return [field.name for field in fields(kind)]


async def data_at(chain: ChainReader, program: Program, addresses: Sequence[Pubkey]) -> list[bytes | None]:
    """Read the bytes of a program's accounts at these addresses, None where it has none.

    Anybody can send SOL to where an account will be made: until then what stands there is the system
    program's, and empty.
    """
    found = await chain.accounts(addresses)
    return [each.data if each and each.owner == program.address else None for each in found]


async def accounts_of(chain: ChainReader, program: Program, kind: str, *more: Memcmp) -> dict[Pubkey, bytes]:
    """Read the bytes of every account of one kind that matches what is given as well, by its address."""
    filters = [Memcmp(0, program.discriminator(kind)), *more]
    found = await chain.program_accounts(program.address, matches=filters)
    return {address: account.data for address, account in found.items()}
