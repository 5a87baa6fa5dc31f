"""Slashes in the reference model."""

from __future__ import annotations

from tests.model.staking.base import StakingLedger
from tests.model.staking.state import (
    EXECUTED,
    NOTHING,
    PENDING,
    REVOTE,
    STAKE_VAULT,
    VETOED,
    VOTING,
    Device,
    Slash,
)
from tests.model.state import Address, Event, require


class Slashes(StakingLedger):
    """What operators vote for, and what follows."""

    def vote_slash(self, operator: Address, device: Address, evidence: bytes, bps: int) -> Event:
        config = self._config()
        machine = self._device(device)
        number = self._operator(operator)
        key = device, evidence
        slash = self.slashes.get(key) or Slash(
            device, evidence, config.revision, registered_at=machine.registered_at
        )
        require(slash.registered_at == machine.registered_at, "DeviceReplaced")
        require(1 <= bps <= config.params.max_slash_bps, "SlashInvalid")
        require(slash.status == VOTING, "SlashState")
        before = self._standing(slash.votes, slash.revision)
        votes = {**before, number: bps}
        pending = self._is_quorum(votes, bps)
        require(pending or before.get(number) != bps, "AlreadyVoted")
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
        voided = slash.status == VOTING and slash.frozen_until > 0
        require(voided or slash.status == PENDING, "SlashState")
        require(self.now < (slash.frozen_until if voided else slash.appeal_until), "AppealOver")
        slash.status = VETOED
        # What another slash froze, or holds, stays.
        if not voided:
            machine.slash_pending = False
        if machine.frozen_until == slash.frozen_until:
            machine.frozen_until = 0
        self._freeze(machine, self.now + REVOTE)
        return "SlashVetoed", {
            "device": device,
            "evidence": evidence,
            "frozen_until": machine.frozen_until,
        }

    def execute_slash(self, device: Address, class_id: int, evidence: bytes) -> Event:
        config = self._config()
        self._class(class_id)
        machine, slash = self._device(device), self._slash(device, evidence)
        minimum = self._minimum(machine, class_id)
        require(slash.status == PENDING, "SlashState")
        votes = self._standing(slash.votes, slash.revision)
        if not self._is_quorum(votes, slash.bps):
            frozen_until = max(slash.appeal_until, self.now + REVOTE)
            slash.status, slash.bps, slash.appeal_until, slash.appeal = VOTING, 0, 0, NOTHING
            slash.votes, slash.revision, slash.frozen_until = votes, config.revision, frozen_until
            machine.slash_pending = False
            self._freeze(machine, frozen_until)
            named = {"device": device, "evidence": evidence, "revision": config.revision}
            return "SlashVoided", {**named, "frozen_until": frozen_until}
        require(self.now >= slash.appeal_until, "AppealOpen")
        slash.votes, slash.revision = votes, config.revision
        bps = slash.bps
        self._settle(machine)
        before = machine.owed()
        machine.own -= machine.own * bps // 10_000
        machine.own_cooling -= machine.own_cooling * bps // 10_000
        machine.co.amount -= machine.co.amount * bps // 10_000
        machine.leaving.amount -= machine.leaving.amount * bps // 10_000
        machine.slash_pending = False
        self._freeze(machine, self.now + REVOTE)
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
            "frozen_until": machine.frozen_until,
        }

    def _freeze(self, machine: Device, until: int) -> None:
        """Nothing staked on a device goes out until then: operators may bring other evidence."""
        machine.frozen_until = max(machine.frozen_until, until)

    def _slash(self, device: Address, evidence: bytes) -> Slash:
        require((device, evidence) in self.slashes, "AccountMissing")
        return self.slashes[device, evidence]
