"""The orders program's addresses, constants and error numbers."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.loader import program_data_address
from keeper.chain.program import Program

PROGRAM = Program.load("orders")
CONFIG = PROGRAM.pda("settle", "config")
LEASE_AUTHORITY = PROGRAM.pda("end_lease", "lease_authority")
PROGRAM_DATA = program_data_address(PROGRAM.address)
PAUSE_ORDERS: int = PROGRAM.constants["PAUSE_ORDERS"]
PAUSE_MATCHING: int = PROGRAM.constants["PAUSE_MATCHING"]
MAX_CLASSES: int = PROGRAM.constants["MAX_CLASSES"]
MAX_DEVICES: int = PROGRAM.constants["MAX_DEVICES"]
MAX_COUNTRIES: int = PROGRAM.constants["MAX_COUNTRIES"]

ERROR = {each.name: each.code for each in PROGRAM.errors.values()}
"""The program's error numbers by name."""


def order_address(renter: Pubkey, number: int) -> Pubkey:
    """A renter's order."""
    return PROGRAM.pda("create_order", "order", renter=renter, id=number)


def vault_address(order: Pubkey) -> Pubkey:
    """An order's token account."""
    return PROGRAM.pda("create_order", "vault", order=order)


def lease_address(order: Pubkey, device: Pubkey) -> Pubkey:
    """The lease of a device to an order."""
    return PROGRAM.pda("match_device", "lease", order=order, device=device)


def parked_vault_address(mint: Pubkey) -> Pubkey:
    """Where money in a mint waits whose payee can't be paid: an account like any wallet's."""
    return associated_token_address(CONFIG, mint)


def parked_address(destination: Pubkey) -> Pubkey:
    """The record of what waits for a token account."""
    return PROGRAM.pda("park_fees", "record", destination=destination)


def fault_address(lease: Pubkey, evidence: bytes, good_hours: int) -> Pubkey:
    """The votes on a lease for a piece of evidence."""
    return PROGRAM.pda("vote_fault", "fault", lease=lease, evidence=evidence, good_hours=good_hours)
