"""Reward blocks, claims and slashes in the reference model."""

from __future__ import annotations

from hashlib import sha256

from tests.model import schedule
from tests.model.schedule import HOUR
from tests.model.staking.base import PAUSE_REWARDS, StakingLedger
from tests.model.staking.state import (
    AGREED,
    BLOCK_OPEN,
    EXECUTED,
    FINAL,
    NOTHING,
    PENDING,
    STAKE_VAULT,
    VETOED,
    VOTING,
    Block,
    Said,
    Slash,
)
from tests.model.state import REWARD_VAULT, Address, Event, require, wallet

KEPT = 48
"""Final roots that pay, and hours that can be attested ahead of the next to be final."""


class Blocks(StakingLedger):
    """What operators say, and what follows."""

    # -- blocks ----------------------------------------------------------------------------------

    def attest(self, operator: Address, hour: int, said: Said) -> Event:
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
        stale = block.revision != config.revision
        require(stale or block.status == BLOCK_OPEN, "AlreadyAgreed")
        self.blocks[hour] = block
        if stale:
            self._reset(block)
            block.revision = config.revision
        block.said[number] = said
        conflict = any(each != said for each in block.said.values())
        agreed = sum(each == said for each in block.said.values()) >= config.params.threshold
        if agreed:
            block.status, block.agreed_at, block.agreed = AGREED, self.now, said
        return "Attested", {
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
        require(block.revision == config.revision, "StaleConfig")
        require(self.now >= block.agreed_at + config.params.challenge_window, "ChallengeOpen")
        require(hour == config.next_hour, "BlockOutOfOrder")
        require(block.agreed.total >= config.final_total, "TotalOutOfRange")
        economy = self.economy.config
        assert economy is not None
        if economy.emitted < block.agreed.total:
            self.economy.emit()
        block.status = FINAL
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

    def claim(self, hour: int, owner: Address, lifetime: int, proof: bytes) -> Event:
        config = self._config()
        block, holder = self._block(hour), self._wallet(owner)
        self._require_tokens(owner)
        require(block.status == FINAL and hour + KEPT >= config.next_hour, "RootNotClaimable")
        hashed = leaf(self.program, self.economy.mint, owner, lifetime)
        require(schedule.proves(block.agreed.root, hashed, proof), "InvalidProof")
        require(lifetime > holder.claimed, "NothingToClaim")
        most = (block.agreed.total - holder.opened_total) * config.params.wallet_share_bps // 10_000
        require(most > holder.claimed, "WalletLimit")
        clock = self.now // HOUR
        paid = config.claimed_in_hour if clock <= config.claim_hour else 0
        require(paid < config.params.claim_limit, "ClaimLimit")
        amount = min(min(lifetime, most) - holder.claimed, config.params.claim_limit - paid)
        # A quorum that lies about the sum of its leaves can't pay more than it said.
        require(config.claimed + amount <= config.final_total, "InvariantViolated")
        holder.claimed += amount
        config.claimed += amount
        config.claim_hour, config.claimed_in_hour = max(clock, config.claim_hour), paid + amount
        self._move(REWARD_VAULT, wallet(owner), amount)
        return "RewardClaimed", {
            "wallet": owner,
            "amount": amount,
            "claimed": holder.claimed,
            "hour": hour,
            "claim_hour": config.claim_hour,
            "claimed_in_hour": config.claimed_in_hour,
        }

    # -- slashes ---------------------------------------------------------------------------------

    def vote_slash(self, operator: Address, device: Address, evidence: bytes, bps: int) -> Event:
        config = self._config()
        machine = self._device(device)
        number = self._operator(operator)
        key = device, evidence
        slash = self.slashes.get(key) or Slash(device, evidence, config.revision)
        require(1 <= bps <= config.params.max_slash_bps, "SlashInvalid")
        require(slash.status == VOTING, "SlashState")
        votes = slash.votes if slash.revision == config.revision else {}
        require(votes.get(number) != bps, "AlreadyVoted")
        votes = {**votes, number: bps}
        pending = list(votes.values()).count(bps) >= config.params.threshold
        require(not (pending and machine.slash_pending), "SlashPending")
        self.slashes[key] = slash
        slash.votes, slash.revision = votes, config.revision
        if pending:
            slash.status, slash.bps = PENDING, bps
            slash.appeal_until = self.now + config.params.appeal
            machine.slash_pending = True
        return "SlashVoted", {
            "device": device,
            "evidence": evidence,
            "bps": bps,
            "operator": operator,
            "pending": pending,
            "appeal_until": slash.appeal_until,
        }

    def appeal_slash(self, supplier: Address, device: Address, evidence: bytes, statement: bytes) -> Event:
        machine, slash = self._device(device), self._slash(device, evidence)
        require(supplier == machine.supplier, "NotSupplier")
        require(slash.status == PENDING, "SlashState")
        require(self.now < slash.appeal_until, "AppealOver")
        require(statement != NOTHING, "SlashInvalid")
        slash.appeal = statement
        return "SlashAppealed", {"device": device, "evidence": evidence, "statement": statement}

    def veto_slash(self, guardian: Address, device: Address, evidence: bytes) -> Event:
        machine, slash = self._device(device), self._slash(device, evidence)
        require(guardian == self._config().guardian, "NotGuardian")
        require(slash.status == PENDING, "SlashState")
        require(self.now < slash.appeal_until, "AppealOver")
        slash.status, machine.slash_pending = VETOED, False
        return "SlashVetoed", {"device": device, "evidence": evidence}

    def execute_slash(self, device: Address, class_id: int, evidence: bytes) -> Event:
        config = self._config()
        self._class(class_id)
        machine, slash = self._device(device), self._slash(device, evidence)
        minimum = self._minimum(machine, class_id)
        require(slash.status == PENDING, "SlashState")
        if slash.revision != config.revision:
            self.slashes[device, evidence] = Slash(device, evidence, config.revision)
            machine.slash_pending = False
            return "SlashVoided", {"device": device, "evidence": evidence, "revision": config.revision}
        require(self.now >= slash.appeal_until, "AppealOpen")
        bps = slash.bps
        self._settle(machine)
        before = machine.owed()
        machine.own -= machine.own * bps // 10_000
        machine.own_cooling -= machine.own_cooling * bps // 10_000
        machine.co.amount -= machine.co.amount * bps // 10_000
        machine.leaving.amount -= machine.leaving.amount * bps // 10_000
        machine.slash_pending = False
        self._refresh(machine, minimum)
        burned = before - machine.owed()
        slash.status, slash.burned = EXECUTED, burned
        config.slashed += burned
        config.staked -= burned
        self.economy.tokens[STAKE_VAULT] -= burned
        self.economy.supply -= burned
        return "Slashed", {
            "device": device,
            "evidence": evidence,
            "bps": bps,
            "burned": burned,
            "own": machine.own,
            "own_cooling": machine.own_cooling,
            "co": machine.co.amount,
            "leaving": machine.leaving.amount,
        }

    # -- shared ----------------------------------------------------------------------------------

    def _operator(self, key: Address) -> int:
        operators = self._config().params.operators
        require(key in operators, "NotOperator")
        return operators.index(key)

    def _slash(self, device: Address, evidence: bytes) -> Slash:
        require((device, evidence) in self.slashes, "AccountMissing")
        return self.slashes[device, evidence]

    def _reset(self, block: Block) -> None:
        block.status, block.agreed_at, block.said = BLOCK_OPEN, 0, {}


def leaf(program: bytes, mint: bytes, owner: bytes, lifetime: int) -> bytes:
    """A wallet's leaf: tag 0, program, mint, wallet, lifetime amount (u64)."""
    return sha256(b"\x00" + program + mint + owner + lifetime.to_bytes(8, "little")).digest()
