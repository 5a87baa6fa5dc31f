"""Amounts as people write them, exactly: decimals in, base units out, and back."""

from __future__ import annotations

import re

from keeper.economy.orders import CONSTANTS, Currency
from keeper.economy.supply import IO_DECIMALS
from keeper.errors import UserError

DECIMALS: dict[Currency, int] = {Currency.IO: IO_DECIMALS, Currency.USDC: CONSTANTS["USDC_DECIMALS"]}
U64_MAX = 2**64 - 1
U64_DIGITS = len(str(U64_MAX))


class AmountError(UserError):
    """A text that is not an amount, or one that can't be paid exactly."""


def parse(text: str, currency: Currency) -> int:
    """Read a decimal such as ``1250.5`` as base units; raises AmountError for what can't be paid exactly.

    Commas are refused: ``2,5`` is two and a half to some and twenty-five to others.
    """
    digits, name = DECIMALS[currency], currency.name
    found = re.fullmatch(r"(\d+)(?:\.(\d+))?", text, re.ASCII)
    if not found:
        raise AmountError(f"{text!r} is not an amount of {name}: write digits with a point, such as 1250.5")
    whole, fraction = found[1].lstrip("0"), found[2] or ""
    if len(fraction.rstrip("0")) > digits:
        raise AmountError(f"{text} {name} can't be paid exactly: {name} has {digits} decimals")
    units = whole + fraction[:digits].ljust(digits, "0")
    if len(units) > U64_DIGITS or int(units) > U64_MAX:
        raise AmountError(f"{text} {name} is more than an account can hold")
    return int(units)


def show(amount: int, currency: Currency) -> str:
    """Write base units with all decimals and thousands separators."""
    digits = DECIMALS[currency]
    whole, fraction = divmod(amount, 10**digits)
    return f"{whole:,}.{fraction:0{digits}}"
