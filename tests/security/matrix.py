"""Every way to put another account into a slot of a call, generated from the IDL.

What the attacker puts there is of two sorts: what anybody can make on a real chain (wallets, token
accounts, programs, an account of zeros that belongs to any program, a copy that belongs to the
attacker's program), and a ``copy`` of the right account at another address. For this program's own
accounts nobody but the program could write one, so that it is planted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.program import Program
from tests.programs.world import World, key
from tests.security.outcomes import NOTHING
from tests.security.people import IMPOSTOR, KEYS

ELSEWHERE = key("elsewhere").pubkey()
"""An address that the attacker has the key of; nothing is there but what a case plants."""


@dataclass(frozen=True)
class Call:
    """The stage in which a call succeeds, and the call."""

    stage: str
    build: Callable[[World], Instruction]


@dataclass(frozen=True, slots=True)
class Kind:
    """What stands in a slot: others of its kind, and accounts of its owner that are of another kind.

    Of both, a case takes the first that exists and isn't in the call already.
    """

    owner: Pubkey
    strangers: tuple[Pubkey, ...]
    others: tuple[Pubkey, ...]


CHANGES = ("stranger", "other kind", "copy", "foreign copy", "blank", "absent")
"""What each slot is given: see :meth:`Matrix.replacement` and :meth:`Matrix.planted`."""
PURSE = "purse"
"""A person's slot and those of its token accounts in the call, given to a stranger together."""
VERSION = "other version"
"""An account of a later version of its program, all else as it was."""
SAME = "= "
"""Before the name of another slot whose account a case puts there."""


@dataclass(frozen=True, slots=True)
class Case:
    """One slot of one instruction, changed in one way."""

    instruction: str
    slot: str
    change: str

    @property
    def twin(self) -> str | None:
        """The other slot whose account is given twice."""
        return self.change.removeprefix(SAME) if self.change.startswith(SAME) else None


def put(call: Instruction, slots: Sequence[str], **accounts: Pubkey) -> Instruction:
    """A call with other accounts in some of its slots; each signs if the right one did."""
    metas = list(call.accounts)
    for slot, each in accounts.items():
        old = metas[slots.index(slot)]
        metas[slots.index(slot)] = AccountMeta(each, old.is_signer, old.is_writable)
    return Instruction(call.program_id, call.data, metas)


@dataclass(frozen=True, eq=False)
class Matrix:
    """The cases of one program; ``kinds`` is by the slots' names in the IDL."""

    program: Program
    calls: Mapping[str, Call]
    stage: Callable[[str], World]
    kinds: Mapping[str, Kind]

    def slots(self, instruction: str) -> list[str]:
        """The names of an instruction's slots, as the IDL lists them."""
        return [each["name"] for each in self.program.instructions[instruction]]

    def is_flagged(self, instruction: str, slot: str, flag: str) -> bool:
        """Whether the IDL says that a slot is ``writable`` or a ``signer``."""
        listed = self.program.instructions[instruction]
        return any(each.get(flag, False) for each in listed if each["name"] == slot)

    def cases(self, instruction: str, slot: str) -> list[Case]:
        """Every case of a slot."""
        changes = list(CHANGES)
        changes += ["unsigned"] if self.is_flagged(instruction, slot, "signer") else []
        changes += ["readonly"] if self.is_flagged(instruction, slot, "writable") else []
        changes += [SAME + other for other in self.slots(instruction) if other != slot]
        return [Case(instruction, slot, change) for change in changes]

    def world(self, instruction: str) -> World:
        """The stage in which the instruction's call succeeds."""
        return self.stage(self.calls[instruction].stage)

    @cache  # noqa: B019 - there are as many matrices as programs
    def valid(self, instruction: str) -> Instruction:
        """The call that succeeds."""
        return self.calls[instruction].build(self.world(instruction))

    def put(self, instruction: str, **accounts: Pubkey) -> Instruction:
        """The call that succeeds, with other accounts in some slots; each signs if the right one did."""
        return put(self.valid(instruction), self.slots(instruction), **accounts)

    def account_of(self, instruction: str, slot: str) -> Pubkey:
        """The right account of a slot."""
        return self.valid(instruction).accounts[self.slots(instruction).index(slot)].pubkey

    def is_created(self, instruction: str, slot: str) -> bool:
        """Whether an instruction makes this account."""
        exists = self.world(instruction).chain.get(self.account_of(instruction, slot)) is not None
        return self.is_flagged(instruction, slot, "writable") and not exists

    def replacement(self, case: Case, world: World) -> Pubkey:
        """The address that a case puts into its slot."""
        kind = self.kinds[case.slot]
        if case.twin:
            return self.account_of(case.instruction, case.twin)
        if case.change not in ("stranger", "other kind"):
            return ELSEWHERE
        choice = kind.strangers if case.change == "stranger" else kind.others
        taken = {meta.pubkey for meta in self.valid(case.instruction).accounts}
        free = [each for each in choice if each not in taken]
        # Addresses of programs need no account: nothing is at them.
        return next((each for each in free if world.chain.get(each)), free[0])

    def planted(self, case: Case, world: World) -> Account | None:
        """What a case puts at ELSEWHERE."""
        kind = self.kinds[case.slot]
        # What doesn't exist yet is forged after another of its kind.
        models = (self.account_of(case.instruction, case.slot), *kind.strangers)
        model = next((found for each in models if (found := world.chain.get(each))), None)
        model = model or Account(1_000_000, b"", kind.owner)
        if case.change == "copy":
            return Account(model.lamports, model.data, model.owner)
        if case.change == "foreign copy":
            return Account(model.lamports, model.data, IMPOSTOR)
        if case.change == "blank":
            return Account(model.lamports, bytes(len(model.data)), model.owner)
        return None

    def changed(self, case: Case, world: World) -> Instruction:
        """The call with the case's slot changed."""
        call = self.valid(case.instruction)
        position = self.slots(case.instruction).index(case.slot)
        metas = list(call.accounts)
        old = metas[position]
        if case.change == "unsigned":
            metas[position] = AccountMeta(old.pubkey, False, old.is_writable)
        elif case.change == "readonly":
            metas[position] = AccountMeta(old.pubkey, old.is_signer, False)
        else:
            put = self.replacement(case, world)
            # Nobody can sign for a program's address.
            metas[position] = AccountMeta(put, old.is_signer and put in KEYS, old.is_writable)
        return Instruction(call.program_id, call.data, metas)

    def prepare(self, case: Case) -> tuple[World, Instruction]:
        """The stage with what the case plants, and the changed call."""
        world = self.world(case.instruction)
        world.chain.set_account(ELSEWHERE, self.planted(case, world) or NOTHING)
        return world, self.changed(case, world)
