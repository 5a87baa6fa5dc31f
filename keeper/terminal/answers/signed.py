"""What commands answer that sign."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Count,
    Currency,
    Lamports,
    Signature,
    Slot,
    Time,
    Words,
)

Moved = TypedDict(
    "Moved", {"from": Address, "to": Address, "amount": Amount, "currency": Currency, "why": Words}
)
"""Tokens that go from one token account to another."""


class Rent(TypedDict):
    """What a new account holds, so that it stays."""

    account: Address
    payer: Address
    lamports: Lamports
    back: Words
    """When it comes back."""


class Returned(TypedDict):
    """What an account held that is closed."""

    account: Address
    to: Address
    lamports: Lamports


class Sent(TypedDict):
    """A transaction: all that it moves."""

    signature: Signature | None
    """None where nothing was sent: a dry run, or a transaction for somebody else to sign."""
    slot: Slot | None
    tokens: list[Moved]
    fee_payer: Address
    fee: Lamports
    rents: list[Rent]
    returned: list[Returned]
    notes: list[Words]
    """What it means: dates, what can't be undone, what goes on record."""
    transaction: NotRequired[str]
    """With --output base64: the unsigned transaction."""


class Transactions(TypedDict):
    """What was signed and sent, or would be with --dry-run."""

    transactions: list[Sent]


class Deployed(TypedDict):
    """A program, and what putting it on chain takes."""

    name: str
    program: Address
    change: str
    """new, upgrade or none: what is done."""
    bytes: Count
    stays: Lamports
    buffer: Lamports
    """Needed meanwhile; comes back at once."""
    transactions: Count
    fee: Lamports


class Deployment(TypedDict):
    """The programs of a chain, and what they cost."""

    authority: Address
    sent: bool
    needed: Lamports
    """What whoever deploys must have at first."""
    programs: list[Deployed]


class Founded(TypedDict):
    """A genesis: its answers, and whether they are on chain."""

    sent: bool
    guardian: Address
    operators: list[Address]
    usdc_mint: Address
    emission_begins: Time
