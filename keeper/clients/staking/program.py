"""The staking program's addresses, constants and error numbers."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.loader import program_data_address
from keeper.chain.program import Program

PROGRAM = Program.load("staking")
ORDERS = Program.load("orders").address
"""The program that leases devices."""
CONFIG = PROGRAM.pda("stake", "config")
STAKE_VAULT = PROGRAM.pda("stake", "stake_vault")
REWARD_AUTHORITY = PROGRAM.pda("claim", "reward_authority")
PROGRAM_DATA = program_data_address(PROGRAM.address)
KEPT_ROOTS: int = PROGRAM.constants["KEPT_ROOTS"]
MAX_OPERATORS: int = PROGRAM.constants["MAX_OPERATORS"]
MAX_PROCESSORS: int = PROGRAM.constants["MAX_PROCESSORS"]
MAX_TIER: int = PROGRAM.constants["MAX_TIER"]
DEVICE_DEPOSIT: int = PROGRAM.constants["DEVICE_DEPOSIT"]
SMALL_CLAIM: int = PROGRAM.constants["SMALL_CLAIM"]
MAX_POSTS: int = PROGRAM.constants["MAX_POSTS"]
MAX_HOURS_AHEAD: int = PROGRAM.constants["MAX_HOURS_AHEAD"]
PAUSE_REWARDS: int = PROGRAM.constants["PAUSE_REWARDS"]

ERROR = {each.name: each.code for each in PROGRAM.errors.values()}
"""The program's error numbers by name."""


def class_address(number: int) -> Pubkey:
    """A class."""
    return PROGRAM.pda("add_class", "class", id=number)


def device_address(worker: Pubkey) -> Pubkey:
    """A worker's device."""
    return PROGRAM.pda("register_device", "device", worker=worker)


def wallet_address(owner: Pubkey) -> Pubkey:
    """A wallet's account."""
    return PROGRAM.pda("open_wallet", "wallet", owner=owner)


def block_address(hour: int) -> Pubkey:
    """An hour's reward block."""
    return PROGRAM.pda("attest", "block", hour=hour)


def prices_address(hour: int) -> Pubkey:
    """The operators' table of an hour's price steps; the hour is unix time over 3,600."""
    return PROGRAM.pda("vote_prices", "prices", hour=hour)


def post_address(operator: Pubkey) -> Pubkey:
    """The count of what an operator has posted in an hour."""
    return PROGRAM.pda("post", "counter", operator=operator)


def slash_address(device: Pubkey, evidence: bytes) -> Pubkey:
    """The proposal to slash a device for a piece of evidence."""
    return PROGRAM.pda("vote_slash", "slash", device=device, evidence=evidence)
