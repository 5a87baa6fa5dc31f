"""How each substitution must be refused: a default for each kind of check, and every exception by name.

Errors of the framework: ``InvalidSeeds`` (an address that isn't the derived one), ``IllegalOwner``,
``InvalidAccountData`` (another discriminator, mint or token owner), ``AccountDataTooSmall``,
``UninitializedAccount``, ``ConstraintMut``, ``ConstraintDuplicateMutableAccount``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.security.matrix import CHANGES, PURSE, VERSION, Case, Matrix

Errors = Mapping[str, str | None]
"""By the change."""

DERIVED: Errors = dict.fromkeys(CHANGES, "InvalidSeeds")
"""Known by its address alone."""
EXECUTABLE: Errors = {**dict.fromkeys(CHANGES, "ConstraintExecutable"), "stranger": "IncorrectProgramId"}

RECORDED: Errors = dict.fromkeys(CHANGES, "WrongAccount")
"""Only compared with a record, such as the config's."""
READ_ONLY: Errors = {"other kind": "IllegalOwner", "absent": "UninitializedAccount"}
"""What differs where a config isn't written: the owner is looked at first."""
CANNOT_PAY: Errors = {"foreign copy": "ExternalAccountLamportSpend", "absent": "System.LackOfLamports"}
"""A wallet that pays rent is asked before anything else happens."""
TWINS_OF_ALL: Mapping[str, str] = {
    "event_authority": "InvalidSeeds",
    "program": "MissingAccount",
    "token_program": "ConstraintExecutable",
    "system_program": "ConstraintExecutable",
}
"""An account given in two slots of which neither is writable, by the slot that is wrong; who can't sign,
``MissingRequiredSignature``."""
IMPOSSIBLE = "only the program's own init makes such an account, at the one address of its seeds"
"""Why the copy of an account that this program creates may pass."""


def who(error: str) -> Errors:
    """A signer with a role; a program's account can't sign."""
    return {**dict.fromkeys(CHANGES, error), "other kind": "MissingRequiredSignature"}


def ours(stranger: str, *, copy: str | None = None, absent: str = "AccountDataTooSmall") -> Errors:
    """An account of this program, known by owner and kind; ``stranger``: another of the kind."""
    return {
        "stranger": stranger,
        "other kind": "InvalidAccountData",
        "copy": copy,
        "foreign copy": "IllegalOwner",
        "blank": "InvalidAccountData",
        "absent": absent,
    }


def program_twins(*others: str) -> dict[tuple[str, str], str]:
    """Another program of the call where one is expected; ``others`` are those that not every call has."""
    return {
        (slot, program): "IncorrectProgramId"
        for slot in ("token_program", "system_program")
        for program in ("token_program", "system_program", "program", *others)
    }


TOKENS: Errors = {
    "stranger": "InvalidAccountData",
    "other kind": "AccountDataTooSmall",
    "copy": "NotAssociatedAccount",
    "foreign copy": "IllegalOwner",
    "blank": "UninitializedAccount",
    "absent": "AccountDataTooSmall",
}
"""Somebody's associated token account."""
PASSED_ON: Errors = {
    "stranger": "Token.OwnerMismatch",
    "other kind": "InvalidAccountData",
    "copy": None,
    "foreign copy": "ExternalAccountDataModified",
    "blank": "UninitializedAccount",
    "absent": "InvalidAccountData",
}
"""Any token account of the signer, checked by the token program."""
LOADED_VAULT: Errors = {**TOKENS, "stranger": "WrongAccount", "copy": "WrongAccount"}
MINT: Errors = {
    "stranger": "InvalidSeeds",
    "other kind": "InvalidAccountData",
    "copy": "InvalidSeeds",
    "foreign copy": "IllegalOwner",
    "blank": "UninitializedAccount",
    "absent": "IllegalOwner",
}
"""A mint that is read, so that its kind is checked before its address."""
CONFIG: Errors = {
    **ours("InvalidAccountData", copy="InvalidSeeds"),
    # A mint is smaller than a config, and the size is looked at first.
    "other kind": "AccountDataTooSmall",
}
LARGEST: Errors = {**ours("AccountDataTooSmall", copy="InvalidSeeds"), "other kind": "AccountDataTooSmall"}
"""A config that no other account of its program is as large as: the size is looked at first."""
READ_ONLY_CONFIG: Errors = {**CONFIG, "other kind": "IllegalOwner", "absent": "UninitializedAccount"}


@dataclass(frozen=True)
class Expectations:
    """What a program's matrix must come to.

    ``defaults`` by the slot, ``exceptions`` by instruction and slot; ``twins`` and ``twin_exceptions``
    for one account in two slots; ``legitimate``: every case that succeeds, and why that is right.
    """

    matrix: Matrix
    defaults: Mapping[str, Errors]
    exceptions: Mapping[tuple[str, str], Errors]
    twins: Errors
    twin_exceptions: Mapping[tuple[str, str], str]
    legitimate: Mapping[tuple[str, str, str], str]
    loose: frozenset[str] = frozenset()
    """Slots whose account may be in another one, too: only the other counts."""
    call_twins: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    """Like ``twins``, by instruction and slot, before all else."""

    def expected(self, case: Case) -> str | None:
        """The error that a case must meet, None where it is to succeed."""
        instruction, slot, change = case.instruction, case.slot, case.change
        if change == "unsigned":
            return "MissingRequiredSignature"
        if case.twin:
            same = self.matrix.account_of(instruction, slot) == self.matrix.account_of(instruction, case.twin)
            return None if same else self._expected_twice(case, case.twin)
        if change == "readonly":
            # Who signs and pays is asked for both in one comparison.
            if self.matrix.is_flagged(instruction, slot, "signer"):
                return "MissingRequiredSignature"
            # What is created isn't read before: the system program is refused the right to write it.
            return "PrivilegeEscalation" if self.matrix.is_created(instruction, slot) else "ConstraintMut"
        created = self.matrix.is_created(instruction, slot)
        default = DERIVED if created else self.defaults[slot]
        errors = {VERSION: "UnknownVersion", **default, **self.exceptions.get((instruction, slot), {})}
        # A stranger with a purse of its own is a stranger, as long as nothing else is said.
        return errors["stranger"] if change == PURSE and PURSE not in errors else errors[change]

    def _expected_twice(self, case: Case, twin: str) -> str | None:
        either = [slot for slot in (case.slot, twin) if slot not in self.loose]
        if any(self.matrix.is_flagged(case.instruction, slot, "writable") for slot in either):
            return "ConstraintDuplicateMutableAccount"
        if (case.instruction, case.slot) in self.call_twins:
            return self.call_twins[case.instruction, case.slot]
        if (case.slot, twin) in self.twin_exceptions:
            return self.twin_exceptions[case.slot, twin]
        if self.matrix.is_flagged(case.instruction, case.slot, "signer"):
            return "MissingRequiredSignature"
        return self.twins[case.slot]
