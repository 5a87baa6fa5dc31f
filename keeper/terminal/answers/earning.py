"""What commands answer about rewards, slashes and the buyback."""

from __future__ import annotations

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Bps,
    Count,
    EmissionHour,
    Hash,
    Slot,
    Time,
    Words,
)


class HourOfReceipt(TypedDict):
    """What a wallet earned in an hour."""

    hour: EmissionHour
    start: Time
    earned: Amount
    lifetime: Amount


class RewardReceipt(TypedDict):
    """What a wallet earned by the published files, newest hour first."""

    wallet: Address
    by_hour: EmissionHour
    hours: list[HourOfReceipt]


class RewardProof(TypedDict):
    """What a wallet has earned in all, and the proof that it is under the hour's root."""

    hour: EmissionHour
    wallet: Address
    lifetime: int
    lifetime_text: Amount
    """The same, for readers whose numbers end at 2^53."""
    root: Hash
    proof: list[Hash]
    """Siblings from the leaf upwards."""


class OfPool(TypedDict):
    """What a pool's devices got in an hour."""

    pool: str
    devices: Count
    succeeded: Count
    failed: Count
    missed: Count
    score: Count
    rewards: Amount


class Rewarded(TypedDict):
    """A device's reward in an hour."""

    device: Address
    score: Count
    normalised: int
    """Thousandths."""
    reward: Amount
    co_staker: Amount
    """What of it is the co-staker's."""


class RewardBlock(TypedDict):
    """What a block paid, by its published files."""

    hour: EmissionHour
    start: Time
    devices: Count
    succeeded: Count
    failed: Count
    missed: Count
    pot: Amount
    """Could be paid."""
    paid: Amount
    carried: Amount
    """To the next hour."""
    total: Amount
    """Ever paid by then."""
    root: Hash
    sha256: Hash
    """Of its manifest."""
    pools: list[OfPool]
    not_paid: dict[str, Count]
    """Devices by reason; one may have several."""
    most_rewarded: list[Rewarded]


class RewardVerified(TypedDict):
    """A block that was computed again, every byte equal; else it is an error."""

    hour: EmissionHour
    start: Time
    devices: Count
    on_chain: bool
    """Whether root, total and hash were compared with the chain's, too."""


class RewardFetched(TypedDict):
    """A block's files that were kept, as they are on chain."""

    hour: EmissionHour
    start: Time
    devices: Count
    folder: str


class Act(TypedDict):
    """A root that a worker signed for a wave."""

    slot: Slot
    root: Hash


class Slash(TypedDict):
    """A slash, and what its evidence proves."""

    device: Address
    evidence: Hash
    status: str
    bps: Bps
    """Part of the stakes; 0 until operators agree."""
    votes: list[Bps]
    """By operator; 0 for none."""
    appeal_until: Time
    proven: bool
    problem: Words
    kind: str | None
    acts: list[Act]


class Slashes(TypedDict):
    """Slashes of a device, or one by its evidence."""

    slashes: list[Slash]


class Auction(TypedDict):
    """An auction of USDC for IO."""

    number: Count
    status: str
    """open, sold or unsold."""
    lot: Amount
    started_at: Time
    ends_at: Time
    closed_at: Time
    start_price: Amount
    """IO per USDC."""
    floor_price: Amount
    price_now: Amount | None
    """Of an open one that isn't over."""
    cost_now: Amount | None
    price: Amount | None
    """It was sold at."""
    cost: Amount | None
    """IO that were burned for it."""
    bidder: Address | None


class Buyback(TypedDict):
    """Fees, auctions and burns."""

    at: Time
    io_vault: Amount
    usdc_vault: Amount
    burned_fees: Amount
    burned_auctions: Amount
    usdc_sold: Amount
    sold: Count
    unsold: Count
    reference_price: Amount
    """IO per USDC; 0 before the first auction is over."""
    anchor_price: Amount
    first_price: Amount
    next_start: Time
    next_prices: list[Amount] | None
    """What the next auction falls from and to; None before there is a price."""
    auctions: list[Auction]
    """The newest first."""
