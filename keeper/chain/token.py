"""SPL Token from the client's side: the few instructions and fields that the network needs."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain.framework import (
    ASSOCIATED_TOKEN_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_PROGRAM,
    associated_token_address,
)
from keeper.chain.program import UnexpectedData
from keeper.chain.records import Account

_CREATE_IDEMPOTENT = 1
_TRANSFER = 3
_MINT_TO = 7
_BURN = 8
_FREEZE, _THAW = 10, 11
_TRANSFER_CHECKED = 12
_INITIALIZE_MINT = 20
MINT_SIZE = 82
"""Bytes of a mint's account."""
ACCOUNT_SIZE = 165
"""Bytes of a token account."""
STATE = 108
"""Where a token account has its state."""
_INITIALISED = 1
"""The state of one that exists and isn't frozen."""
_ACCOUNT = struct.Struct("<32s32sQ")
_MINT = struct.Struct("<I32sQBBI32s")


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account's main fields; ``amount`` in base units."""

    mint: Pubkey
    owner: Pubkey
    amount: int


@dataclass(frozen=True, slots=True)
class Mint:
    """A mint's fields; an authority is None once given up; ``supply`` in base units."""

    authority: Pubkey | None
    supply: int
    decimals: int
    freeze_authority: Pubkey | None


def read_token_account(data: bytes) -> TokenAccount:
    """Read a token account; raises UnexpectedData when it is too short to be one."""
    mint, owner, amount = _unpacked(_ACCOUNT, data, "token account")
    return TokenAccount(Pubkey(mint), Pubkey(owner), amount)


def balance(account: Account | None) -> int:
    """Base units in a token account; 0 where there is none, though anybody may send lamports there."""
    return read_token_account(account.data).amount if account and account.owner == TOKEN_PROGRAM else 0


def is_payable(account: Account | None, owner: Pubkey | None, mint: Pubkey) -> bool:
    """Whether ``mint``'s tokens can be paid into an account: there, not frozen, ``owner``'s where given."""
    if account is None or account.owner != TOKEN_PROGRAM or len(account.data) != ACCOUNT_SIZE:
        return False
    found = read_token_account(account.data)
    return account.data[STATE] == _INITIALISED and found.mint == mint and owner in (None, found.owner)


def read_mint(data: bytes) -> Mint:
    """Read a mint; raises UnexpectedData when it is too short to be one."""
    has_authority, authority, supply, decimals, _, has_freeze, freeze = _unpacked(_MINT, data, "mint")
    return Mint(
        Pubkey(authority) if has_authority else None, supply, decimals, Pubkey(freeze) if has_freeze else None
    )


def create_associated(payer: Pubkey, wallet: Pubkey, mint: Pubkey) -> Instruction:
    """Create the associated token account of ``wallet``; does nothing when it exists."""
    accounts = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(associated_token_address(wallet, mint), is_signer=False, is_writable=True),
        *(AccountMeta(key, False, False) for key in (wallet, mint, SYSTEM_PROGRAM, TOKEN_PROGRAM)),
    ]
    return Instruction(ASSOCIATED_TOKEN_PROGRAM, bytes([_CREATE_IDEMPOTENT]), accounts)


def initialize_mint(
    mint: Pubkey, authority: Pubkey, decimals: int, freezer: Pubkey | None = None
) -> Instruction:
    """Make a mint of a fresh account of ``MINT_SIZE`` bytes; only ``freezer`` can freeze any."""
    freezing = b"\0" if freezer is None else b"\1" + bytes(freezer)
    data = struct.pack("<BB32s", _INITIALIZE_MINT, decimals, bytes(authority)) + freezing
    return Instruction(TOKEN_PROGRAM, data, [AccountMeta(mint, is_signer=False, is_writable=True)])


def mint_to(mint: Pubkey, to: Pubkey, authority: Pubkey, amount: int) -> Instruction:
    """Mint ``amount`` base units to a token account."""
    return _of_amount(_MINT_TO, mint, to, authority, amount)


def transfer(source: Pubkey, to: Pubkey, owner: Pubkey, amount: int) -> Instruction:
    """Move ``amount`` base units between token accounts."""
    return _of_amount(_TRANSFER, source, to, owner, amount)


def transfer_checked(
    source: Pubkey, mint: Pubkey, to: Pubkey, owner: Pubkey, amount: int, decimals: int
) -> Instruction:
    """The same, refused by the token program where ``mint`` isn't both accounts' or has other decimals."""
    accounts = [
        AccountMeta(source, is_signer=False, is_writable=True),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(to, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, struct.pack("<BQB", _TRANSFER_CHECKED, amount, decimals), accounts)


def burn(source: Pubkey, mint: Pubkey, owner: Pubkey, amount: int) -> Instruction:
    """Burn ``amount`` base units directly on the token program."""
    return _of_amount(_BURN, source, mint, owner, amount)


def freeze(account: Pubkey, mint: Pubkey, freezer: Pubkey) -> Instruction:
    """Stop a token account, as its mint's freezer: nothing can be sent from it or to it."""
    return _of_freezer(_FREEZE, account, mint, freezer)


def thaw(account: Pubkey, mint: Pubkey, freezer: Pubkey) -> Instruction:
    """Let a frozen token account go on."""
    return _of_freezer(_THAW, account, mint, freezer)


def _of_freezer(tag: int, account: Pubkey, mint: Pubkey, freezer: Pubkey) -> Instruction:
    accounts = [
        AccountMeta(account, is_signer=False, is_writable=True),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(freezer, is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, bytes([tag]), accounts)


def _unpacked(form: struct.Struct, data: bytes, what: str) -> tuple[Any, ...]:
    if len(data) < form.size:
        raise UnexpectedData(f"not a {what}: it has {len(data)} bytes, at least {form.size} are needed")
    return form.unpack_from(data)


def _of_amount(tag: int, one: Pubkey, other: Pubkey, authority: Pubkey, amount: int) -> Instruction:
    """An instruction that changes two accounts by an amount and that an authority signs."""
    accounts = [
        AccountMeta(one, is_signer=False, is_writable=True),
        AccountMeta(other, is_signer=False, is_writable=True),
        AccountMeta(authority, is_signer=True, is_writable=False),
    ]
    return Instruction(TOKEN_PROGRAM, struct.pack("<BQ", tag, amount), accounts)
