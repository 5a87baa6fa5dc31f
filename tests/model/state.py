"""The reference model's accounts, token accounts, events and refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Address = bytes
"""32 bytes; people, programs and mints alike."""
ZERO: Address = bytes(32)
Event = tuple[str, dict[str, Any]]
"""An event's name and fields, addresses as bytes."""

U32 = 2**32 - 1
U64 = 2**64 - 1
OPEN, CANCELLED, CLOSED = 0, 1, 2


class Refused(Exception):
    """An instruction was refused and changed nothing.

    ``name`` is the program's error name, or what stands for an error of the framework or of another
    program: AccountMissing, AccountInUse, InvalidAccountData (a token account of somebody else),
    and the token program's InsufficientFunds and OwnerMismatch.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def require(condition: bool, name: str) -> None:
    """Refuse with ``name`` unless the condition holds."""
    if not condition:
        raise Refused(name)


class Tokens(NamedTuple):
    """A token account for IO, by what it is and whose.

    Kinds: ``wallet`` (an owner's associated account), ``spare`` (a second account of an owner),
    ``genesis`` and ``rewards`` (the vaults), ``season`` (a season's vault, ``of`` its number).
    """

    kind: str
    of: Address | int = 0

    @property
    def owner(self) -> Address | None:
        """The wallet that can move the tokens; None for vaults."""
        return self.of if isinstance(self.of, bytes) else None


class PageKey(NamedTuple):
    """Which season's which page."""

    season: int
    page: int


GENESIS_VAULT = Tokens("genesis")
REWARD_VAULT = Tokens("rewards")


def wallet(owner: Address) -> Tokens:
    """The associated token account of ``owner``."""
    return Tokens("wallet", owner)


def season_vault(season: int) -> Tokens:
    """The vault of a season."""
    return Tokens("season", season)


@dataclass
class Config:
    """The root account, field by field as on chain."""

    admin: Address
    guardian: Address
    staking_program: Address
    pending_admin: Address = ZERO
    pending_guardian: Address = ZERO
    guardian_at: int = 0
    launched: bool = False
    pause_mask: int = 0
    pause_until: int = 0
    allocations: int = 0
    allocated: int = 0
    released: int = 0
    emitted: int = 0
    emitted_hours: int = 0
    burned: int = 0
    launched_at: int = 0
    start_month: int = 0


@dataclass
class Allocation:
    """A row of the genesis table."""

    id: int
    label: bytes
    beneficiary: Address
    amount: int
    tge_bps: int
    cliff_months: int
    tranches: int
    pending_beneficiary: Address = ZERO
    released: int = 0


@dataclass
class Season:
    """An airdrop season."""

    season: int
    root: bytes
    data_hash: bytes
    leaves: int
    pools: list[int]
    claim_start: int
    claim_end: int
    funder: Address
    total: int
    status: int = OPEN
    claims: int = 0
    claimed: int = 0
    returned: int = 0


@dataclass
class Page:
    """A page of claim bits: who paid for it, and the leaves claimed, counted from the page's first."""

    payer: Address
    claimed: set[int] = field(default_factory=set)
