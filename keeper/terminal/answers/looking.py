"""What commands answer about a network, its supply and its wallets."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from keeper.terminal.answers.kinds import (
    Address,
    Amount,
    Bps,
    ClassNumber,
    Count,
    Currency,
    Hash,
    Lamports,
    OfClass,
    Seconds,
    Signature,
    Slot,
    Time,
    Words,
)


class Interface(TypedDict):
    """A program's interface on chain, where explorers look for it."""

    address: Address
    state: Literal["none", "same", "other"]
    """Whether it is this version's."""


class Governed(TypedDict):
    """A program: who governs it, and what is in force."""

    program: Address
    admin: Address
    pending_admin: Address | None
    guardian: Address
    pending_guardian: Address | None
    guardian_at: Time
    paused: list[str]
    """The operations that are stopped."""
    pause_until: Time
    params: dict[str, str]
    """As they are on chain, and as ionet admin propose takes them."""
    proposed: dict[str, str]
    """What differs in the parameters that wait."""
    proposed_from: Time | None
    contact: dict[str, str]
    """Whom its binary says to tell of a hole, by the names of security.txt."""
    interface: Interface


Network = dict[str, Governed]
"""By the program's name."""


class OwingVault(TypedDict):
    """A vault of the protocol."""

    vault: Address
    name: str
    currency: Currency
    owed: Amount
    """What is recorded as somebody's."""
    held: Amount
    """What is in it: as much at least, or the command fails."""
    missing: Amount


class Supply(TypedDict):
    """Where all IO is; the mint's supply is genesis + emitted - burned, or ``difference`` isn't 0."""

    at: Time
    supply: Amount
    circulating: Amount
    seasons: Amount
    """In airdrop seasons, not claimed yet."""
    rewards: Amount
    """Emitted, in the reward vault."""
    locked: Amount
    """Vesting."""
    genesis: Amount
    emitted: Amount
    burned: Amount
    difference: Amount
    """genesis + emitted - burned - supply."""
    hours_to_emit: Count
    """Hours that have ended and aren't emitted yet."""
    vaults: list[OwingVault]


class EmissionMonth(TypedDict):
    """A month of the emission."""

    month: str
    hours: Count
    emitted: Amount
    first_block: Amount
    """What its first hour emits."""
    cumulative: Amount


class Emission(TypedDict):
    """All 240 months."""

    months: list[EmissionMonth]


class Holdings(TypedDict):
    """What a wallet has."""

    wallet: Address
    lamports: Lamports
    io: Amount
    usdc: Amount | None
    """None on a chain without USDC."""
    staked: Amount
    cooling: Amount


class Class(TypedDict):
    """A class of processors; stake and prices are of one processor."""

    id: ClassNumber
    name: str
    pool: str
    kind: str
    """gpu or cpu."""
    multiplier: int
    """Hundredths."""
    minimum: Amount
    price_io: Amount
    price_usdc: Amount
    opens_at: Time
    pending_multiplier: int
    pending_at: Time
    bounds_at: Time


class Classes(TypedDict):
    """All classes."""

    classes: list[Class]


class Season(TypedDict):
    """An airdrop season."""

    season: Count
    status: str
    total: Amount
    claimed: Amount
    returned: Amount
    """Paid back after its end."""
    leaves: Count
    """Wallets that get something."""
    claims: Count
    root: Hash
    points: Hash
    """SHA-256 of the published points."""
    claim_start: Time
    claim_end: Time


class Seasons(TypedDict):
    """All seasons."""

    seasons: list[Season]


class SeasonPublished(TypedDict):
    """A season whose points are where they are served from."""

    season: Count
    wallets: Count
    """That get something."""
    file: str
    """The points."""


class Allocation(TypedDict):
    """A row of the genesis table."""

    allocation: str
    beneficiary: Address
    amount: Amount
    free: Amount
    """By now, with what was paid."""
    paid: Amount


class Allocations(TypedDict):
    """The genesis table."""

    allocations: list[Allocation]


class Event(TypedDict):
    """Something that happened; its fields are the program's, 64-bit ones as text (see its IDL)."""

    slot: Slot
    time: Time | None
    signature: Signature
    program: str
    event: str
    currency: Currency | None
    fields: dict[str, Any]
    fee: Lamports | None
    """Of the transaction; None where it isn't known."""
    words: Words
    place: str
    """What --before takes to go on after it."""


class History(TypedDict):
    """A page of what happened around an address, newest first."""

    address: Address
    events: list[Event]
    before: str | None
    """What --before takes for the next page; None at the end."""


class OwnStake(OfClass):
    """A device of a wallet, and what is staked on it."""

    device: Address
    own: Amount
    counted: Amount
    """Own and co-stake, as far as they count."""
    minimum: Amount
    overflow: Amount
    """Can be taken out at once."""
    cooling: Amount
    cooling_until: Time
    offer: Amount
    """What a co-staker is asked for; 0 for none."""
    offer_reward_bps: Bps
    slash_pending: bool
    frozen_until: Time


class CoStake(OfClass):
    """A wallet's stake on somebody else's device."""

    device: Address
    amount: Amount
    reward_bps: Bps
    state: str
    until: Time


class Stakes(TypedDict):
    """All that a wallet has staked."""

    wallet: Address
    devices: list[OwnStake]
    co_stakes: list[CoStake]


class CoStakeOffer(OfClass):
    """A device that looks for a co-staker."""

    device: Address
    processors: Count
    amount: Amount
    reward_bps: Bps
    missing: Amount
    """What its supplier has to stake more before it can be taken."""
    hired_seconds: Seconds
    leases_done: Count
    leases_failed: Count


class CoStakeOffers(TypedDict):
    """All devices that look for a co-staker."""

    offers: list[CoStakeOffer]


class Estimate(TypedDict):
    """What a device would have earned, had it been there."""

    hours: dict[str, Amount]
    """By emission hour."""
    total: Amount
    daily: Amount
    stake: Amount
    yearly_bps: Bps
    """A year like these hours, of the stake."""


class Gift(TypedDict):
    """What a faucet gave."""

    wallet: Address
    lamports: Lamports
    io: Amount
    usdc: Amount


class Clock(TypedDict):
    """A running localnet's time."""

    time: Time
    slot: Slot
    speed: float
    """Seconds that pass on it in one of yours."""


class Key(TypedDict):
    """A key that was made."""

    address: Address
    file: str


class Chain(TypedDict):
    """A chain that was made."""

    file: str
    founder: Address
    """Has the SOL, and is the programs' upgrade authority."""
    lamports: Lamports
    programs: bool
