"""Roles that every program has, and parameters that change after a notice, in the reference models."""

from __future__ import annotations

from typing import Any

from tests.model.schedule import DAY
from tests.model.state import ZERO, Address, Event, require


class AdminRoles:
    """Admin, guardian and pause."""

    def _config(self) -> Any:
        raise NotImplementedError

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

    def set_guardian(self, admin: Address, guardian: Address) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        require(guardian != ZERO, "ZeroAddress")
        before, config.guardian = config.guardian, guardian
        return "GuardianChanged", {"from": before, "to": guardian}

    def _pause(self, guardian: Address, mask: int, until: int, now: int) -> None:
        config = self._config()
        require(guardian == config.guardian, "NotGuardian")
        # Each program has two bits.
        require(mask in range(4), "PauseMaskInvalid")
        require(until - now <= 7 * DAY, "PauseTooLong")
        config.pause_mask, config.pause_until = mask, until


class ParamRoles(AdminRoles):
    """Parameters with a revision, too."""

    @property
    def now(self) -> int:
        """The chain's clock."""
        raise NotImplementedError

    def _check(self, params: Any) -> None:
        """Refuses what is out of the protocol's bounds."""
        raise NotImplementedError

    def set_pause(self, guardian: Address, mask: int, until: int) -> Event:
        self._pause(guardian, mask, until, self.now)
        return "PauseSet", {"mask": mask, "until": until}

    def propose_params(self, admin: Address, params: Any) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        self._check(params)
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
