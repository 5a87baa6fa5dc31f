"""Accounts as typed records: a dataclass takes the fields of its own names."""

from __future__ import annotations

from collections.abc import Mapping
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


async def accounts_of(chain: ChainReader, program: Program, kind: str) -> dict[Pubkey, bytes]:
    """Read the bytes of every account of one kind, by its address."""
    filters = [Memcmp(0, program.discriminator(kind))]
    found = await chain.program_accounts(program.address, matches=filters)
    return {address: account.data for address, account in found.items()}
