"""Roles that every program has, and parameters that change after a notice, in the reference models."""

from __future__ import annotations

from typing import Any

from tests.model.schedule import DAY
from tests.model.state import ZERO, Address, Event, require


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

    def propose_admin(self, admin: Address, pending: Address) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        config.pending_admin = pending
        return "AdminProposed", {"admin": admin, "pending": pending}

    def accept_admin(self, successor: Address) -> Event:
        config = self._config()
        require(successor == config.pending_admin, "NotPendingAdmin")
        before, config.admin, config.pending_admin = config.admin, successor, ZERO
        return "AdminChanged", {"from": before, "to": successor}

    def propose_guardian(self, admin: Address, pending: Address) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        at = self._clock() + self._guardian_notice()
        at = at if pending != ZERO else 0
        config.pending_guardian, config.guardian_at = pending, at
        return "GuardianProposed", {"guardian": config.guardian, "pending": pending, "at": at}

    def accept_guardian(self, successor: Address) -> Event:
        config = self._config()
        require(successor == config.pending_guardian, "NotPendingGuardian")
        require(self._clock() >= config.guardian_at, "GuardianNoticeNotOver")
        before, config.guardian = config.guardian, successor
        config.pending_guardian, config.guardian_at = ZERO, 0
        return "GuardianChanged", {"from": before, "to": successor}

    def _pause(self, guardian: Address, mask: int, until: int) -> Event:
        config = self._config()
        require(guardian == config.guardian, "NotGuardian")
        now = self._clock()
        # Each program has two bits.
        require(mask in range(4), "PauseMaskInvalid")
        require(until - now <= 7 * DAY, "PauseTooLong")
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

    def set_pause(self, guardian: Address, mask: int, until: int) -> Event:
        return self._pause(guardian, mask, until)

    def propose_params(self, admin: Address, params: Any) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        self._check(params)
        # Whoever has it can't make it shorter than a day.
        require(params.notice >= min(config.params.notice, DAY), "ParamsInvalid")
        config.pending, config.pending_at = params, self.now + config.params.notice
        return "ParamsProposed", {"params": params.fields(), "at": config.pending_at}

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
        assert config.pending is not None
        config.params, config.pending_at = config.pending, 0
        config.revision += 1
        return "ParamsApplied", {"revision": config.revision}
