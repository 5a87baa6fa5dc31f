"""The accounts of buyback in the reference model."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.model.state import ZERO, Address, Tokens

USDC = 10**6
IO_VAULT = USDC_VAULT = Tokens("fees")
"""What orders' model calls its fees, of each currency: both models can share purses."""
OPEN, SOLD, UNSOLD, VOID = range(4)


@dataclass(frozen=True)
class Params:
    """What the admin sets."""

    max_lot: int = 10_000 * USDC
    min_lot: int = 100 * USDC
    min_price: int = 10**6
    duration: int = 86_400
    notice: int = 7 * 86_400
    start_bps: int = 20_000
    floor_bps: int = 5_000

    def fields(self) -> dict[str, Any]:
        """As the chain has them."""
        return {**vars(self), "_pad": bytes(2)}


@dataclass
class BuybackConfig:
    """The root account, field by field as on chain."""

    admin: Address
    guardian: Address
    params: Params
    pending_admin: Address = ZERO
    pending_guardian: Address = ZERO
    guardian_at: int = 0
    pending: Params | None = None
    pending_at: int = 0
    open: bool = False
    void: bool = False
    pause_mask: int = 0
    pause_until: int = 0
    fees_io: int = 0
    fees_usdc: int = 0
    burned_fees: int = 0
    burned_auctions: int = 0
    usdc_sold: int = 0
    reference_price: int = 0
    anchor_price: int = 0
    waiting_since: int = 0
    started: int = 0
    sold: int = 0
    unsold: int = 0
    next_share_bps: int = 625
    first_price: int = 0
    first_price_at: int = 0
    revision: int = 0


@dataclass(frozen=True)
class Scene:
    """What an auction started from, for the invariants: the program keeps none of it."""

    params: Params
    whole: int
    """Base units of a whole lot: what the vault held, at most the largest lot."""
    anchor: int
    unpaid: Fraction
    """How far the floors fell, as a part, with the auctions since the last sale that nobody took."""
    sold_bps: int
    """The last sale's share, 0 before the first."""


@dataclass
class Auction:
    """An auction, field by field as on chain."""

    number: int
    lot: int
    start_price: int
    floor_price: int
    started_at: int
    ends_at: int
    status: int = OPEN
    closed_at: int = 0
    price: int = 0
    cost: int = 0
    bidder: Address = ZERO
    share_bps: int = 0
