"""Admin, guardian, pause and parameters in the reference models: one behaviour for all programs.

programs/common/src/roles.rs is the programs'; its vectors are played on this one, too. Refusals come in
the programs' order: who calls, then what is proposed, then when.
"""

from __future__ import annotations

from typing import Any

from tests.model.schedule import DAY
from tests.model.state import U32, U64, ZERO, Address, Event, require

MAX_PAUSE = 7 * DAY
MIN_NOTICE = DAY


def require_somebody(*addresses: Address) -> None:
    """Offices that begin are filled."""
    require(ZERO not in addresses, "ZeroAddress")


class AdminRoles:
    """Admin, guardian and pause."""

    def _config(self) -> Any:
        raise NotImplementedError

    def _clock(self) -> int:
        """The chain's clock."""
        raise NotImplementedError

    def _guardian_notice(self) -> int:
        """How long another guardian is announced: as long as parameters are, where there are any."""
        notice: int = self._config().params.notice
        return notice

    def _require_running(self, operations: int) -> None:
        """None of the operations is stopped: a pause lapses by itself."""
        config = self._config()
        require(not config.pause_mask & operations or self._clock() >= config.pause_until, "Paused")

    def propose_admin(self, admin: Address, pending: Address) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        config.pending_admin = pending
        return "AdminProposed", {"admin": admin, "pending": pending}

    def accept_admin(self, successor: Address) -> Event:
        config = self._config()
        require(successor == config.pending_admin, "NotPendingAdmin")
        require(successor != ZERO, "NothingProposed")
        before, config.admin, config.pending_admin = config.admin, successor, ZERO
        return "AdminChanged", {"from": before, "to": successor}

    def propose_guardian(self, admin: Address, pending: Address) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        at = self._clock() + self._guardian_notice()
        require(at <= U64, "Overflow")
        at = at if pending != ZERO else 0
        config.pending_guardian, config.guardian_at = pending, at
        return "GuardianProposed", {"guardian": config.guardian, "pending": pending, "at": at}

    def accept_guardian(self, successor: Address) -> Event:
        config = self._config()
        require(successor == config.pending_guardian, "NotPendingGuardian")
        require(self._clock() >= config.guardian_at, "GuardianNoticeNotOver")
        require(successor != ZERO, "NothingProposed")
        before, config.guardian = config.guardian, successor
        config.pending_guardian, config.guardian_at = ZERO, 0
        return "GuardianChanged", {"from": before, "to": successor}

    def set_pause(self, guardian: Address, mask: int, until: int) -> Event:
        config = self._config()
        require(guardian == config.guardian, "NotGuardian")
        now = self._clock()
        # Each program has two bits.
        require(mask in range(4), "PauseMaskInvalid")
        require(until - now <= MAX_PAUSE, "PauseTooLong")
        config.pause_mask, config.pause_until = mask, until
        return "PauseSet", {"mask": mask, "until": until}


class ParamRoles(AdminRoles):
    """Parameters with a revision, too."""

    @property
    def now(self) -> int:
        """The chain's clock."""
        raise NotImplementedError

    def _clock(self) -> int:
        return self.now

    def _check(self, params: Any) -> None:
        """Refuses what is out of the protocol's bounds."""
        raise NotImplementedError

    def propose_params(self, admin: Address, params: Any) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        self._check(params)
        # Whoever has it can't make it shorter than a day.
        require(params.notice >= min(config.params.notice, MIN_NOTICE), "ParamsInvalid")
        at = self.now + config.params.notice
        require(at <= U64, "Overflow")
        config.pending, config.pending_at = params, at
        return "ParamsProposed", {"params": params.fields(), "at": at}

    def cancel_params(self, guardian: Address) -> Event:
        config = self._config()
        require(guardian == config.guardian, "NotGuardian")
        require(config.pending_at > 0, "NothingProposed")
        config.pending_at = 0
        return "ParamsCancelled", {"revision": config.revision}

    def apply_params(self) -> Event:
        config = self._config()
        require(config.pending_at > 0, "NothingProposed")
        require(self.now >= config.pending_at, "NoticeNotOver")
        require(config.revision < U32, "Overflow")
        config.params, config.pending_at = config.pending, 0
        config.revision += 1
        return "ParamsApplied", {"revision": config.revision}
