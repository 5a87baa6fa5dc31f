"""Staking's accounts in the reference model, field by field as on chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from tests.model.schedule import DAY, HOUR, IO
from tests.model.state import ZERO, Address, Tokens

STAKE_VAULT = Tokens("stakes")
MAX_OPERATORS = 12
NOTHING = bytes(32)

NONE, ACTIVE, WAITING, COOLING = range(4)
"""A co-stake's states."""
BLOCK_OPEN, AGREED, FINAL = range(3)
VOTING, PENDING, VETOED, EXECUTED = range(4)
"""A slash's states."""
PAID_IN_IO, PAID_IN_USDC = "io", "usdc"
"""Currencies, as they end the names of a class's fields."""
CURRENCIES = PAID_IN_IO, PAID_IN_USDC
DONE, FAILED, DISPUTED, NEVER_SERVED = range(4)
"""What becomes of a lease."""
WAVE, EVIDENCE, BATCH = range(1, 4)
"""What an operator posts."""

MAX_PRICE = 10**15
"""Of a processor for an hour, base units."""
MAX_STEP = 1_250
"""Most that a price moves in an hour, basis points."""
STALE = 24 * HOUR
"""After so long without a step a price binds no more, seconds."""
PRICE_NOTICE = 20 * 60
"""So long before it holds a step is applied at the latest, seconds."""
BAR, MAX_BAR = HOUR, 24 * HOUR
"""For how long a device isn't let after a lease that it broke off: the first time, and at most, seconds."""
CLEAR = 24 * HOUR
"""So much served after a strike clears a device of all of them, seconds."""
SMALL_CLAIM = 1_000 * IO
"""Most that a wallet takes of the reserve in an hour, base units."""
REVOTE = 24 * HOUR
"""So long nothing goes out after a slash was decided or voided, seconds."""
LATE = 7 * DAY
"""Stake that nobody could pay for so long may go to any account of its owner, seconds."""
MAX_POSTS = 512
"""An operator's postings in an hour."""


@dataclass(frozen=True)
class Params:
    """What the admin sets."""

    operators: tuple[Address, ...]
    threshold: int
    cooldown: int = 14 * DAY
    co_stake_wait: int = 7 * DAY
    challenge_window: int = 3_600
    appeal: int = 30 * DAY
    notice: int = 7 * DAY
    claim_limit: int = 100_000 * IO
    max_slash_bps: int = 2_000
    wallet_share_bps: int = 10_000

    def fields(self) -> dict[str, object]:
        """As the chain has it, with the list of operators filled up."""
        unused = MAX_OPERATORS - len(self.operators)
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__},
            "operators": [*self.operators, *[ZERO] * unused],
            "operator_count": len(self.operators),
            "_pad": bytes(2),
        }


@dataclass
class StakingConfig:
    """The root account."""

    admin: Address
    guardian: Address
    params: Params
    lease_authority: Address = ZERO
    pending_admin: Address = ZERO
    pending_guardian: Address = ZERO
    guardian_at: int = 0
    pause_mask: int = 0
    pause_until: int = 0
    staked: int = 0
    slashed: int = 0
    final_total: int = 0
    claimed: int = 0
    next_hour: int = 0
    revision: int = 0
    pending: Params | None = None
    pending_at: int = 0
    claim_hour: int = 0
    claimed_in_hour: int = 0
    reserve_in_hour: int = 0
    slot_since: list[int] = field(default_factory=lambda: [0] * MAX_OPERATORS)

    def stands(self, slot: int, revision: int) -> bool:
        """Whether a slot's key is the one that it had at ``revision``: then its vote counts."""
        return self.slot_since[slot] <= revision


@dataclass(frozen=True)
class Prices:
    """What a processor costs for an hour in each currency at first, and its bounds, base units."""

    price_io: int = 0
    low_io: int = 0
    high_io: int = 0
    price_usdc: int = 0
    low_usdc: int = 0
    high_usdc: int = 0


@dataclass(frozen=True)
class Bounds:
    """What a class's prices stay between, base units."""

    low_io: int = 0
    high_io: int = 0
    low_usdc: int = 0
    high_usdc: int = 0


@dataclass
class Class:
    """A class of processors; multipliers in hundredths, prices of a processor and hour in base units."""

    id: int
    name: bytes
    multiplier: int
    pool: int
    kind: int
    pending_multiplier: int = 0
    pending_at: int = 0
    price_io: int = 0
    price_usdc: int = 0
    low_io: int = 0
    high_io: int = 0
    low_usdc: int = 0
    high_usdc: int = 0
    next_low_io: int = 0
    next_high_io: int = 0
    next_low_usdc: int = 0
    next_high_usdc: int = 0
    bounds_at: int = 0
    opens_at: int = 0
    next_io: int = 0
    next_usdc: int = 0
    price_hour: int = 0

    def multiplier_at(self, now: int) -> int:
        """The one in force."""
        return self.pending_multiplier if 0 < self.pending_at <= now else self.multiplier

    @property
    def step_at(self) -> int:
        """When the last step holds."""
        return (self.price_hour + 2) * HOUR if self.price_hour else 0

    def bounds_of(self, currency: str, now: int) -> tuple[int, int]:
        """The bounds in force."""
        waiting = "next_" if 0 < self.bounds_at <= now else ""
        low, high = (getattr(self, f"{waiting}{end}_{currency}") for end in ("low", "high"))
        return low, high

    def price_of(self, currency: str, now: int) -> int:
        """The price in force: what has come into force is taken in the order of its time."""
        price: int = getattr(self, f"price_{currency}")
        step: int = getattr(self, f"next_{currency}")
        for at, is_bounds in sorted(((self.step_at, False), (self.bounds_at, True))):
            if 0 < at <= now:
                # What holds from the same second on counts for what comes after it.
                low, high = self.bounds_of(currency, at if is_bounds else at - 1)
                price = max(low, min(high, price)) if is_bounds else moved(price, step, low, high)
        return price

    def is_stale(self, now: int) -> bool:
        """Whether its price was voted once, and then not for so long that it binds no more."""
        return self.price_hour > 0 and now >= self.step_at + STALE

    def fold(self, now: int) -> None:
        """Write down what has come into force."""
        prices = {currency: self.price_of(currency, now) for currency in CURRENCIES}
        bounds = {currency: self.bounds_of(currency, now) for currency in CURRENCIES}
        for currency in CURRENCIES:
            setattr(self, f"price_{currency}", prices[currency])
            for end, bound in zip(("low", "high"), bounds[currency], strict=True):
                setattr(self, f"{end}_{currency}", bound)
        if 0 < self.bounds_at <= now:
            self.bounds_at = 0
            for name in Bounds.__dataclass_fields__:
                setattr(self, f"next_{name}", 0)
        if self.step_at <= now:
            self.next_io = self.next_usdc = 0


def moved(price: int, step: int, low: int, high: int) -> int:
    """A price after a step in basis points: up it is rounded up, down it is rounded down; 0 stays 0."""
    if not price:
        return 0
    after = price * (1 + Fraction(step, 10_000))
    return max(low, 1, min(high, ceil(after) if step > 0 else floor(after)))


@dataclass
class CoStake:
    """Somebody's part of a device's stake."""

    staker: Address = ZERO
    amount: int = 0
    until: int = 0
    reward_bps: int = 0
    state: int = NONE


@dataclass
class Device:
    """A device and what is staked on it."""

    worker: Address
    supplier: Address
    payout: Address
    class_id: int
    processors: int
    tier: int
    country: bytes
    ask_io: int
    ask_usdc: int
    registered_at: int = 0
    terminated: bool = False
    slash_pending: bool = False
    own: int = 0
    own_cooling: int = 0
    own_until: int = 0
    offer: int = 0
    offer_reward_bps: int = 0
    co: CoStake = field(default_factory=CoStake)
    leaving: CoStake = field(default_factory=CoStake)
    sufficient_since: int = 0
    lease: Address = ZERO
    hired_seconds: int = 0
    leases_done: int = 0
    leases_failed: int = 0
    disputes: int = 0
    changed_at: int = 0
    barred_until: int = 0
    leases: int = 0
    served_at_strike: int = 0
    last_order: Address = ZERO
    last_order_at: int = 0
    frozen_until: int = 0
    strikes: int = 0
    worker_may_end: int = 0

    def counted(self, now: int) -> int:
        """Stake that counts: the own one, and a co-stake until its wait is over."""
        waits = self.co.state == WAITING and now < self.co.until
        return self.own + (self.co.amount if self.co.state == ACTIVE or waits else 0)

    def overflow(self, minimum: int, now: int) -> int:
        """What the supplier may take out: beside a co-stake that counts, half of the minimum stays."""
        counted = self.counted(now)
        kept = minimum - minimum // 2 if counted > self.own else 0
        return max(0, min(counted - minimum, self.own - kept))

    def owed(self) -> int:
        """All that belongs to stakers."""
        return self.own + self.own_cooling + self.co.amount + self.leaving.amount


@dataclass
class Wallet:
    """A wallet that earns."""

    wallet: Address
    opened_total: int
    co_stakes: int = 0
    claimed: int = 0
    claim_hour: int = 0
    claimed_in_hour: int = 0


@dataclass(frozen=True)
class Said:
    """What an operator says about an hour."""

    root: bytes
    total: int
    devices: int
    data_hash: bytes


@dataclass
class Block:
    """An hour's reward block; ``said`` by the operators' numbers."""

    hour: int
    payer: Address
    revision: int
    status: int = BLOCK_OPEN
    vetoes: int = 0
    agreed_at: int = 0
    said: dict[int, Said] = field(default_factory=dict)
    agreed: Said = field(default_factory=lambda: Said(NOTHING, 0, 0, NOTHING))


@dataclass
class Slash:
    """A proposal to slash a device; ``votes`` are the parts voted for, by the operators' numbers."""

    device: Address
    evidence: bytes
    revision: int
    bps: int = 0
    status: int = VOTING
    votes: dict[int, int] = field(default_factory=dict)
    appeal_until: int = 0
    frozen_until: int = 0
    burned: int = 0
    registered_at: int = 0
    appeal: bytes = NOTHING


@dataclass
class PriceTable:
    """An hour's table of steps; ``said`` are the roots by the operators' numbers."""

    hour: int
    payer: Address
    revision: int
    agreed: bool = False
    root: bytes = NOTHING
    said: dict[int, bytes] = field(default_factory=dict)


@dataclass
class Posts:
    """How much an operator has posted in an hour of the clock."""

    operator: Address
    hour: int = 0
    count: int = 0
