"""What the tests of every instruction know about a program: one description in each program's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.program import Program
from tests.programs.world import World
from tests.security.matrix import Matrix
from tests.security.refusals import Expectations

Stops = Mapping[str, int]
"""By the program that is paused: the bits of a pause that stop an instruction."""


Seeds = tuple[bytes, ...]
"""What an account's address is derived from, beside its program and bump."""


class Purse(NamedTuple):
    """A slot for somebody's token account, and whose it is in the valid call."""

    slot: str
    owner: str


@dataclass(frozen=True, eq=False)
class Subject:
    """A program, and what is said of its instructions by name."""

    client: ModuleType
    expectations: Expectations
    """Of the matrix of accounts, which holds the valid call of each instruction."""
    stages: Mapping[str, Callable[[], World]]
    begin: Callable[[], World]
    """Initialised, nothing proposed."""
    stopped_by: Mapping[str, Stops]
    """Money that comes in, and whatever else a pause stops; everything else goes on."""
    once: Mapping[str, str]
    """What can be done once: the error of the same call after it."""
    idle: Mapping[str, str]
    """What succeeds again and changes nothing then, and why that is right."""
    again: Mapping[str, str]
    """What does the same once more, and why that is right."""
    created: Mapping[str, Mapping[str, Seeds]]
    """The seeds of the accounts that an instruction's valid call makes, by slot, its program's own first."""
    paid: Mapping[str, Purse] = field(default_factory=dict)
    """Who is paid, where the account must be the owner's associated one."""
    handed: Mapping[str, str] = field(default_factory=dict)
    """What is said of a payee's account that was handed to a stranger, where it isn't what is said of a
    stranger's own."""
    spent: Mapping[str, Purse] = field(default_factory=dict)
    """Whose tokens are spent, from whichever of the owner's accounts for that mint."""
    received: Mapping[str, Purse] = field(default_factory=dict)
    """Who is paid, into whatever account the call names."""
    misdirected: Mapping[str, str] = field(default_factory=dict)
    """Where only a recorded account is paid: what any other one is told."""
    blocked: Mapping[str, str] = field(default_factory=dict)
    """Where a payee's account is looked at only to be paid: what is said of one that is not there, frozen or
    somebody else's."""
    shared: Mapping[tuple[str, str], Mapping[str, str | None]] = field(default_factory=dict)
    """By instruction and signer's slot: others who may sign there, or what else they are told."""
    gifts: Mapping[str, str] = field(default_factory=dict)
    """Where tokens that somebody gave to a vault show, and why that is right."""
    deposits: Mapping[str, int] = field(default_factory=dict)
    """Lamports on top of the rent, by the slot of the account that is made with them."""
    params: Any = None
    """Other parameters than those of ``begin``, where a program has parameters."""

    @property
    def program(self) -> Program:
        """The program by its IDL."""
        return self.expectations.matrix.program

    @property
    def matrix(self) -> Matrix:
        """The accounts of its calls."""
        return self.expectations.matrix

    def scene(self, instruction: str) -> tuple[World, Instruction]:
        """The one world in which an instruction's valid call succeeds, and the call."""
        return self.matrix.world(instruction), self.matrix.valid(instruction)

    def config(self, world: World) -> Any:
        """The program's config."""
        return self.client.parse_config(world.account(self.client.CONFIG).data)

    def is_initialised(self, world: World) -> bool:
        """Whether the program has its config."""
        return world.chain.get(self.client.CONFIG) is not None

    def pause(self, world: World, guardian: Pubkey, mask: int, seconds: int) -> Instruction:
        """A pause from now on."""
        call: Instruction = self.client.set_pause(guardian, mask, world.chain.now() + seconds)
        return call
