"""Reward blocks and claims in the reference model."""

from __future__ import annotations

from hashlib import sha256

from tests.model import schedule
from tests.model.schedule import HOUR
from tests.model.staking.base import PAUSE_REWARDS, StakingLedger
from tests.model.staking.state import (
    AGREED,
    BLOCK_OPEN,
    FINAL,
    SMALL_CLAIM,
    Block,
    Said,
    Wallet,
)
from tests.model.state import REWARD_VAULT, Address, Event, require, wallet

KEPT = 48
"""Final roots that pay, and hours that can be attested ahead of the next to be final."""


class Blocks(StakingLedger):
    """What operators say, and what follows."""

    # -- blocks ----------------------------------------------------------------------------------

    def attest(self, operator: Address, hour: int, said: Said) -> Event | list[Event]:
        config = self._config()
        number = self._operator(operator)
        require(config.next_hour <= hour < config.next_hour + KEPT, "HourOutOfRange")
        economy = self.economy.config
        assert economy is not None
        require(economy.launched, "NotLaunched")
        require(schedule.hours_ended(economy.start_month, self.now) > hour, "HourNotEnded")
        most = schedule.emitted(economy.start_month, hour + 1)
        require(config.final_total <= said.total <= most, "TotalOutOfRange")
        block = self.blocks.get(hour) or Block(hour, operator, config.revision)
        standing = self._standing(block.said, block.revision)
        reopened = block.status == AGREED and not self._can_be_final(block, standing)
        require(block.status == BLOCK_OPEN or reopened, "AlreadyAgreed")
        self.blocks[hour] = block
        block.status, block.agreed_at = BLOCK_OPEN, 0
        block.said, block.revision = {**standing, number: said}, config.revision
        conflict = any(each != said for each in block.said.values())
        agreed = self._is_quorum(block.said, said)
        if agreed:
            block.status, block.agreed_at, block.agreed = AGREED, self.now, said
        attested = {
            "hour": hour,
            "operator": operator,
            "root": said.root,
            "total": said.total,
            "devices": said.devices,
            "data_hash": said.data_hash,
            "conflict": conflict,
            "agreed": agreed,
            "at": self.now,
        }
        if reopened:
            return [self._reopened(hour), ("Attested", attested)]
        return "Attested", attested

    def veto_block(self, guardian: Address, hour: int) -> Event:
        config = self._config()
        block = self._block(hour)
        require(guardian == config.guardian, "NotGuardian")
        require(block.status != FINAL, "ChallengeOver")
        require(block.status == AGREED, "NotAgreed")
        self._reset(block)
        block.vetoes += 1
        return "BlockVetoed", {"hour": hour, "root": block.agreed.root, "vetoes": block.vetoes}

    def finalise(self, hour: int) -> Event:
        config = self._config()
        block = self._block(hour)
        self._require_running(PAUSE_REWARDS)
        require(block.status == AGREED, "NotAgreed")
        standing = self._standing(block.said, block.revision)
        if not self._can_be_final(block, standing):
            block.status, block.agreed_at = BLOCK_OPEN, 0
            block.said, block.revision = standing, config.revision
            return self._reopened(hour)
        require(self.now >= block.agreed_at + config.params.challenge_window, "ChallengeOpen")
        require(hour == config.next_hour, "BlockOutOfOrder")
        economy = self.economy.config
        assert economy is not None
        if economy.emitted < block.agreed.total:
            self.economy.emit()
        block.status, block.said, block.revision = FINAL, standing, config.revision
        config.next_hour, config.final_total = hour + 1, block.agreed.total
        said = block.agreed
        return "BlockFinalised", {
            "hour": hour,
            "root": said.root,
            "total": said.total,
            "devices": said.devices,
            "data_hash": said.data_hash,
        }

    def close_block(self, payer: Address, hour: int) -> Event:
        config = self._config()
        block = self._block(hour)
        require(payer == block.payer, "NotRentPayer")
        require(hour + KEPT < config.next_hour, "BlockStillKept")
        del self.blocks[hour]
        return "BlockClosed", {"hour": hour}

    def claim(self, hour: int, owner: Address, lifetime: int, proof: bytes, *, signed: bool = False) -> Event:
        config = self._config()
        block, holder = self._block(hour), self._wallet(owner)
        self._require_tokens(wallet(owner))
        require(block.status == FINAL and hour + KEPT >= config.next_hour, "RootNotClaimable")
        hashed = leaf(self.program, self.economy.mint, owner, lifetime)
        require(schedule.proves(block.agreed.root, hashed, proof), "InvalidProof")
        require(lifetime > holder.claimed, "NothingToClaim")
        most = (block.agreed.total - holder.opened_total) * config.params.wallet_share_bps // 10_000
        require(most > holder.claimed, "WalletLimit")
        wanted = min(lifetime, most) - holder.claimed
        reserved, amount = self._of_the_hour(holder, wanted, signed)
        # A quorum that lies about the sum of its leaves can't pay more than it said.
        require(config.claimed + amount <= config.final_total, "InvariantViolated")
        clock = max(self.now // HOUR, config.claim_hour)
        if clock > config.claim_hour:
            config.claim_hour, config.claimed_in_hour, config.reserve_in_hour = clock, 0, 0
        if reserved and holder.claim_hour != clock:
            holder.claim_hour, holder.claimed_in_hour = clock, 0
        holder.claimed += amount
        holder.claimed_in_hour += reserved
        config.claimed += amount
        config.claimed_in_hour += amount
        config.reserve_in_hour += reserved
        self._move(REWARD_VAULT, wallet(owner), amount)
        return "RewardClaimed", {
            "wallet": owner,
            "amount": amount,
            "claimed": holder.claimed,
            "hour": hour,
            "claim_hour": config.claim_hour,
            "claimed_in_hour": config.claimed_in_hour,
            "reserve": reserved,
            "reserve_in_hour": config.reserve_in_hour,
        }

    def _of_the_hour(self, holder: Wallet, wanted: int, signed: bool) -> tuple[int, int]:
        """What a claim draws from the reserve of this hour, and all that it is paid."""
        config = self._config()
        fresh = self.now // HOUR > config.claim_hour
        clock = max(self.now // HOUR, config.claim_hour)
        paid, drawn = (0, 0) if fresh else (config.claimed_in_hour, config.reserve_in_hour)
        own = holder.claimed_in_hour if holder.claim_hour == clock else 0
        # Nothing is left, too, when the limit was lowered below what was paid already.
        left = max(0, config.params.claim_limit - paid)
        reserve = min(left, max(0, config.params.claim_limit // 2 - drawn))
        small = min(wanted, SMALL_CLAIM - own, reserve) if signed else 0
        rest = min(wanted - small, left - reserve)
        require(small + rest > 0, "ClaimLimit")
        return small, small + rest

    def _can_be_final(self, block: Block, standing: dict[int, Said]) -> bool:
        """Whether enough operators still attest what was agreed, and no earlier hour came to more."""
        return self._is_quorum(standing, block.agreed) and block.agreed.total >= self._config().final_total

    def _reopened(self, hour: int) -> Event:
        return "BlockReopened", {"hour": hour, "revision": self._config().revision}

    def _reset(self, block: Block) -> None:
        block.status, block.agreed_at, block.said = BLOCK_OPEN, 0, {}


def leaf(program: bytes, mint: bytes, owner: bytes, lifetime: int) -> bytes:
    """A wallet's leaf: tag 0, program, mint, wallet, lifetime amount (u64)."""
    return sha256(b"\x00" + program + mint + owner + lifetime.to_bytes(8, "little")).digest()
