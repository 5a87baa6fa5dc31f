"""Several actions in one transaction: which are in it, and which was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.packing import pack
from keeper.sender.intents import Action

Part = tuple[Action, int]
"""An action and its intent's id."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Actions that go into one transaction."""

    parts: tuple[Part, ...]

    @property
    def instructions(self) -> list[Instruction]:
        """All instructions, in order."""
        return [each for action, _ in self.parts for each in action.instructions]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Each intent's id and its first instruction's index."""
        found, at = [], 0
        for action, intent in self.parts:
            found.append((intent, at))
            at += len(action.instructions)
        return found

    def part_of(self, instruction: int | None) -> Pack | None:
        """A pack of the one action that an instruction belongs to; None when that is none in particular."""
        if instruction is None or instruction >= len(self.instructions):
            return None
        index = max(i for i, (_, first) in enumerate(self.places) if first <= instruction)
        return Pack((self.parts[index],))

    def without(self, other: Pack) -> Pack:
        """The other actions."""
        return Pack(tuple(each for each in self.parts if each not in other.parts))

    def halves(self) -> list[Pack]:
        """Its two halves."""
        middle = len(self.parts) // 2
        return [Pack(self.parts[:middle]), Pack(self.parts[middle:])]


def packs(payer: Pubkey, parts: Sequence[Part]) -> list[Pack]:
    """Put as many of the actions into each transaction as fit."""
    runs = pack([action.instructions for action, _ in parts], payer)
    return [Pack(tuple(parts[at] for at in run)) for run in runs]
