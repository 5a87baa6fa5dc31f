"""Accounts as typed records: a dataclass takes the fields of its own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from solders.pubkey import Pubkey

from keeper.chain import Chain, Memcmp
from keeper.chain.program import Program

T = TypeVar("T")


def record(kind: type[T], values: Mapping[str, Any]) -> T:
    """Make a dataclass of ``kind`` from an account's fields."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # every kind is a dataclass
    return kind(**{name: values[name] for name in names})


async def accounts_of(chain: Chain, program: Program, kind: str) -> dict[Pubkey, bytes]:
    """Read the bytes of every account of one kind, by its address."""
    filters = [Memcmp(0, program.discriminator(kind))]
    found = await chain.program_accounts(program.address, matches=filters)
    return {address: account.data for address, account in found.items()}
