"""Stakes as pure functions of a device's account and of time, as the program computes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from keeper.resources import constants

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

_CONSTANTS = constants("staking")
MIN_STAKE: int = _CONSTANTS["MIN_STAKE"]
"""Minimum stake of a processor whose multiplier is at most 1, base units."""
MULTIPLIER_UNIT: int = _CONSTANTS["MULTIPLIER_UNIT"]
"""A multiplier of 1, in hundredths."""
BAR: int = _CONSTANTS["BAR"]
"""A device's first bar, seconds; each in a row is twice as long as the one before."""
MAX_BAR: int = _CONSTANTS["MAX_BAR"]
"""No bar is longer, seconds."""
MIN_REWARD_BPS: int = _CONSTANTS["MIN_REWARD_BPS"]
"""A co-staker's share of a device's rewards is at least this, basis points."""
MAX_CO_STAKE_BPS: int = _CONSTANTS["MAX_CO_STAKE_BPS"]
"""A co-stake is at most this part of the device's minimum, basis points."""
MAX_CO_STAKES: int = _CONSTANTS["MAX_CO_STAKES"]
"""Co-stakes that a wallet holds at a time."""
CLEAR: int = _CONSTANTS["CLEAR"]
"""So much served since the last strike, and strikes are forgotten, seconds."""


class CoStakeState(IntEnum):
    """Where a co-stake stands on chain."""

    NONE = 0
    ACTIVE = 1
    WAITING = 2
    COOLING = 3


class OfferState(StrEnum):
    """What people are shown about an offer, in the network's own words."""

    SUFFICIENT_WAITING = "Sufficient (Waiting for Co-Staker)"
    INSUFFICIENT_WAITING = "Insufficient (Waiting for Co-Staker)"
    ACTIVE = "Sufficient (Active Co-Staking)"
    WAIT_PERIOD = "Sufficient (Wait Period)"
    UNSTAKED = "Co-Staker Unstaked (In Wait Period)"
    COOLDOWN = "In Cooldown"
    WITHDRAWN = "Co-Staker Withdrawn"
    CLOSED = "Offer Closed"


@dataclass(frozen=True, slots=True)
class CoStake:
    """A co-staker's part of a device's stake: base units, unix seconds, basis points."""

    staker: Pubkey
    amount: int
    until: int
    reward_bps: int
    state: int

    def counts(self, now: int) -> bool:
        """Whether it counts for the device: active, or waiting with the wait not over."""
        return self.state == CoStakeState.ACTIVE or (self.state == CoStakeState.WAITING and now < self.until)


def minimum(multiplier: int, processors: int) -> int:
    """``200 IO * max(1, multiplier) * processors``, the multiplier in hundredths; base units."""
    return MIN_STAKE // MULTIPLIER_UNIT * max(MULTIPLIER_UNIT, multiplier) * processors


def next_bar(strikes: int, served_since: int) -> int:
    """For how long one more strike bars a device, seconds.

    ``strikes`` is what the device has, ``served_since`` what it served since the last of them, seconds.
    """
    in_a_row = 0 if served_since >= CLEAR else strikes
    return min(BAR << min(in_a_row, MAX_BAR.bit_length()), MAX_BAR)


def counted(own: int, co: CoStake, now: int) -> int:
    """Stake that counts at ``now``, base units."""
    return own + (co.amount if co.counts(now) else 0)


def overflow(own: int, co: CoStake, least: int, now: int) -> int:
    """Own stake that the supplier may take out at once, base units; ``least`` is the device's minimum.

    Beside a co-stake that counts, half of the minimum stays.
    """
    all_ = counted(own, co, now)
    kept = least - least // 2 if all_ > own else 0
    return max(0, min(all_ - least, own - kept))


def settled(co: CoStake, leaving: CoStake, cooldown: int, now: int) -> tuple[CoStake, CoStake]:
    """The two co-stakes as the program writes them down at ``now``: a wait that is over is a cooldown.

    The first is the device's co-staker's, the second that of one who has left; ``cooldown`` in seconds.
    """
    if co.state == CoStakeState.WAITING and now >= co.until:
        co = replace(co, state=CoStakeState.COOLING, until=co.until + cooldown)
    if co.state == CoStakeState.COOLING and leaving.state == CoStakeState.NONE:
        co, leaving = leaving, co
    return co, leaving


def supplier_state(own: int, offer: int, co: CoStake, least: int, now: int) -> OfferState:
    """What the supplier is shown: ``least`` is the device's minimum.

    An open offer comes before a co-staker who leaves, as it is what the supplier acts on.
    """
    if offer:
        enough = counted(own, co, now) >= least
        return OfferState.SUFFICIENT_WAITING if enough else OfferState.INSUFFICIENT_WAITING
    if co.state == CoStakeState.ACTIVE:
        return OfferState.ACTIVE
    if co.state == CoStakeState.WAITING and now < co.until:
        return OfferState.WAIT_PERIOD if counted(own, co, now) >= least else OfferState.UNSTAKED
    return OfferState.CLOSED


def co_staker_state(co: CoStake, now: int) -> OfferState:
    """What a co-staker is shown about its own part, withdrawn once nothing of it is left."""
    if co.state == CoStakeState.NONE:
        return OfferState.WITHDRAWN
    if co.state == CoStakeState.ACTIVE:
        return OfferState.ACTIVE
    return OfferState.UNSTAKED if co.counts(now) else OfferState.COOLDOWN
