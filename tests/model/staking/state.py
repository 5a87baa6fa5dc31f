"""Staking's accounts in the reference model, field by field as on chain."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.model.schedule import DAY, IO
from tests.model.state import ZERO, Address, Tokens

STAKE_VAULT = Tokens("stakes")
MAX_OPERATORS = 12
NOTHING = bytes(32)

NONE, ACTIVE, WAITING, COOLING = range(4)
"""A co-stake's states."""
BLOCK_OPEN, AGREED, FINAL = range(3)
VOTING, PENDING, VETOED, EXECUTED = range(4)
"""A slash's states."""


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


@dataclass
class Class:
    """A class of processors; multipliers in hundredths."""

    id: int
    name: bytes
    multiplier: int
    pool: int
    kind: int
    pending_multiplier: int = 0
    pending_at: int = 0

    def multiplier_at(self, now: int) -> int:
        """The one in force."""
        return self.pending_multiplier if 0 < self.pending_at <= now else self.multiplier


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
    burned: int = 0
    appeal: bytes = NOTHING
