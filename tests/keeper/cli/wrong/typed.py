"""What is typed, and what is said of it; the words that the tables share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from keeper.economy.calendar import month_start, parse_month
from tests.programs.buyback.world import USDC_MINT
from tests.programs.world import key

FUTURE = month_start(parse_month("2090-01"))
NOBODY = str(key("nobody").pubkey())
GONE = "http://127.0.0.1:9"
"""Where no node answers."""
MANY = "9" * 5_000
OPERATORS = " ".join(f"--operator {key(f'operator {number}').pubkey()}" for number in range(3))
"""Those of the chain in the house."""


class Wrong(NamedTuple):
    """What is typed, with which settings; what it ends with (2 for usage), and what is said, in part."""

    typed: str
    said: str
    settings: Mapping[str, str] = MappingProxyType({})
    code: int = 1


def usage(typed: str, said: str) -> Wrong:
    return Wrong(typed, said, code=2)


ON = "--chain test.chain"
AS_RENTER = f"{ON} --keypair renter.json"
AS_SUPPLIER = f"{ON} --keypair supplier.json"
CANCEL = "order cancel {order}"
CREATE = "order create --class 'rtx 4090' --price 3 --currency io --hours 10 --processors 4"
REGISTER = "device register --worker one.json --class 'rtx 4090' --country DE"
FOUND = "genesis --yes --beneficiaries people.json --guardian {guardian} {operators}"
GENESIS = f"{FOUND} --usdc-mint {USDC_MINT}"
AS_ADMIN = f"{ON} --keypair admin.json"
AS_GUARDIAN = f"{ON} --keypair guardian.json"
