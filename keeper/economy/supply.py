"""The figures of the IO supply, base units (8 decimals); the programs' constants, read from the IDL."""

from __future__ import annotations

from keeper.resources import constants

_CONSTANTS = constants("tokenomics")

IO_DECIMALS: int = _CONSTANTS["IO_DECIMALS"]
IO: int = 10**IO_DECIMALS
"""Base units in one IO."""
MILLION = 1_000_000 * IO
"""Base units in a million IO."""
GENESIS_SUPPLY: int = _CONSTANTS["GENESIS_SUPPLY"]
EMISSION_TOTAL: int = _CONSTANTS["EMISSION_TOTAL"]
MAX_SUPPLY: int = _CONSTANTS["MAX_SUPPLY"]
EMISSION_MONTHS: int = _CONSTANTS["EMISSION_MONTHS"]
BPS = 10_000
"""Basis points in a whole."""


def io(amount: int, decimals: int = IO_DECIMALS) -> str:
    """Write base units as IO with thousands separators: exact at 8 decimals, cut off below that."""
    whole, fraction = divmod(abs(amount), IO)
    digits = f"{fraction:0{IO_DECIMALS}}"[:decimals]
    shown = f"{whole:,}.{digits}" if decimals else f"{whole:,}"
    return f"-{shown}" if amount < 0 else shown
