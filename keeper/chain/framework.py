"""What the Anchor framework and the token programs fix for all programs: error numbers and addresses."""

from __future__ import annotations

from functools import lru_cache

from solders.pubkey import Pubkey

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM_PROGRAM = Pubkey.default()
UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")

WELL_KNOWN = {
    "token_program": TOKEN_PROGRAM,
    "system_program": SYSTEM_PROGRAM,
    "associated_token_program": ASSOCIATED_TOKEN_PROGRAM,
}
"""Accounts that an instruction's account name alone identifies."""

ERRORS = {
    2000: ("ConstraintMut", "an account that must be writable is read-only"),
    2001: ("ConstraintHasOne", "an account is not the one another account names"),
    2003: ("ConstraintRaw", "a condition on the accounts doesn't hold"),
    2005: ("ConstraintRentExempt", "an account is not rent exempt"),
    2007: ("ConstraintExecutable", "an account that must be a program isn't"),
    2011: ("ConstraintClose", "an account can't be closed into itself"),
    2012: ("ConstraintAddress", "an account's address is not the recorded one"),
    2013: ("ConstraintZero", "an account that must be empty isn't"),
    2019: ("ConstraintSpace", "an account has another size"),
    2020: ("ConstraintAccountIsNone", "an optional account is needed here"),
    2040: ("ConstraintDuplicateMutableAccount", "the same writable account was given twice"),
}
"""The framework's own numbers (anchor-lang 2.0.0-rc.2, ``ErrorCode``): name and message."""

MAX_COMPUTE_UNITS = 1_400_000
"""The most that a transaction may compute; both chains ask for it: the default is 200,000 a call."""
LAMPORTS = 10**9
"""Lamports in a SOL."""


def sol(lamports: int) -> str:
    """Lamports as SOL, exactly."""
    whole, part = divmod(lamports, LAMPORTS)
    return f"{whole}.{part:09}".rstrip("0").rstrip(".")


@lru_cache(maxsize=1 << 14)
def derived_address(seeds: tuple[bytes, ...], program: Pubkey) -> tuple[Pubkey, int]:
    """Derive a program's address, and its bump, from seeds; most are asked for again and again."""
    return Pubkey.find_program_address(seeds, program)


def associated_token_address(wallet: Pubkey, mint: Pubkey) -> Pubkey:
    """Derive the token account of ``wallet`` for ``mint`` that everyone looks for first."""
    seeds = bytes(wallet), bytes(TOKEN_PROGRAM), bytes(mint)
    return derived_address(seeds, ASSOCIATED_TOKEN_PROGRAM)[0]
