"""Tokenomics' accounts, as its model keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.model.state import OPEN, ZERO, Address, Tokens


class PageKey(NamedTuple):
    """Which season's which page."""

    season: int
    page: int


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

    def has_ended(self, now: int) -> bool:
        """It pays no claim any more."""
        return self.status != OPEN or now >= self.claim_end


@dataclass
class Page:
    """A page of claim bits: who paid for it, and the leaves claimed, counted from the page's first."""

    payer: Address
    claimed: set[int] = field(default_factory=set)
