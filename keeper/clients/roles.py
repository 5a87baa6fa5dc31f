"""Instructions that several programs share: the admin's and the guardian's, the parameters'."""

from __future__ import annotations

from typing import Any, Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Program


class Params(Protocol):
    """A program's parameters."""

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        ...


class Roles:
    """The admin and the guardian of one program."""

    def __init__(self, program: Program) -> None:
        """Build the instructions of ``program``."""
        self._program = program

    def set_pause(self, guardian: Pubkey, mask: int, until: int) -> Instruction:
        """Stop operations until ``until``, or lift the stop with a mask of 0."""
        return self._program.instruction("set_pause", {"mask": mask, "until": until}, guardian=guardian)

    def propose_admin(self, admin: Pubkey, pending: Pubkey) -> Instruction:
        """Name the next admin."""
        return self._program.instruction("propose_admin", {"pending": pending}, admin=admin)

    def accept_admin(self, new_admin: Pubkey) -> Instruction:
        """Take the admin role over."""
        return self._program.instruction("accept_admin", new_admin=new_admin)

    def propose_guardian(self, admin: Pubkey, pending: Pubkey) -> Instruction:
        """Name another guardian."""
        return self._program.instruction("propose_guardian", {"pending": pending}, admin=admin)

    def accept_guardian(self, new_guardian: Pubkey) -> Instruction:
        """Take the guardian role over, once the notice is over."""
        return self._program.instruction("accept_guardian", new_guardian=new_guardian)


class ParamsRoles(Roles):
    """Those of a program whose parameters change after a notice."""

    def propose_params(self, admin: Pubkey, params: Params) -> Instruction:
        """Propose parameters."""
        return self._program.instruction("propose_params", {"params": params.fields()}, admin=admin)

    def cancel_params(self, guardian: Pubkey) -> Instruction:
        """Drop the proposed parameters."""
        return self._program.instruction("cancel_params", guardian=guardian)

    def apply_params(self) -> Instruction:
        """Put the proposed parameters into force."""
        return self._program.instruction("apply_params")
