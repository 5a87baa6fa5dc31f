"""Random actions of the roles that every program has, and of parameters that change after a notice."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from solders.pubkey import Pubkey

from tests.model.schedule import DAY
from tests.model.state import U32, U64, ZERO, Address
from tests.programs.sequences import RandomActs
from tests.programs.side_by_side import ADMIN, GUARDIAN, MALLORY


class RoleActs(RandomActs):
    """Admin, guardian and pause; ``client`` has the program's instructions."""

    client: ModuleType
    successors: tuple[Address, ...] = ADMIN, GUARDIAN
    masks: tuple[int, ...] = 0, 0, 0, 1, 2, 3
    pauses: tuple[int, ...]
    """For how long, in seconds."""

    @property
    def model(self) -> Any:
        raise NotImplementedError

    @property
    def config(self) -> Any:
        raise NotImplementedError

    @property
    def now(self) -> int:
        raise NotImplementedError

    def propose_admin(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        to = self.choose(self.choose(*self.successors), self.choose(*self.successors), ZERO)
        instruction = self.client.propose_admin(Pubkey(admin), Pubkey(to))
        self.act("propose_admin", lambda: self.model.propose_admin(admin, to), instruction, admin)

    def accept_admin(self) -> None:
        pending = self.config.pending_admin
        signer = self.mostly(pending if pending != ZERO else self.choose(MALLORY, ZERO), MALLORY)
        instruction = self.client.accept_admin(Pubkey(signer))
        self.act("accept_admin", lambda: self.model.accept_admin(signer), instruction, signer)

    def propose_guardian(self) -> None:
        admin = self.mostly(self.config.admin, MALLORY)
        to = self.mostly(self.choose(*self.successors), ZERO)
        instruction = self.client.propose_guardian(Pubkey(admin), Pubkey(to))
        self.act("propose_guardian", lambda: self.model.propose_guardian(admin, to), instruction, admin)

    def accept_guardian(self) -> None:
        pending = self.config.pending_guardian
        signer = self.mostly(pending if pending != ZERO else self.choose(MALLORY, ZERO), MALLORY)
        instruction = self.client.accept_guardian(Pubkey(signer))
        self.act("accept_guardian", lambda: self.model.accept_guardian(signer), instruction, signer)

    def set_pause(self) -> None:
        guardian = self.mostly(self.config.guardian, MALLORY)
        mask = self.mostly(self.choose(*self.masks), 4, U32)
        lasting = self.now + self.choose(*self.pauses)
        until = self.mostly(lasting, 0, self.now, self.now + 7 * DAY + 1, U64)
        instruction = self.client.set_pause(Pubkey(guardian), mask, until)
        self.act("set_pause", lambda: self.model.set_pause(guardian, mask, until), instruction, guardian)


class ParamActs(RoleActs):
    """Parameters between proposal and effect, too."""

    def cancel_params(self) -> None:
        guardian = self.mostly(self.config.guardian, MALLORY)
        instruction = self.client.cancel_params(Pubkey(guardian))
        self.act("cancel_params", lambda: self.model.cancel_params(guardian), instruction, guardian)

    def apply_params(self) -> None:
        self.act("apply_params", self.model.apply_params, self.client.apply_params())
