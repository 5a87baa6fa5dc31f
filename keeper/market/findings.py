"""What a replay says: the same, different and whose it is, or open and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from solders.pubkey import Pubkey

from keeper.errors import UserError
from keeper.market.files import BaseMissing, FileMissing, ReplayDiffers, RuleUnknown
from keeper.market.folder import FolderUnusable, StepsMissing, TickMissing
from keeper.market.snapshot import Snapshot
from keeper.market.steps import StepTable
from keeper.tables import Rows

MISSING = (TickMissing, FileMissing, BaseMissing, FolderUnusable, RuleUnknown, StepsMissing)
"""What leaves it open whether files are right: something isn't here."""


class Verdict(IntEnum):
    """What came of it, by a command's exit code."""

    SAME = 0
    DIFFERENT = 1
    MISSING = 2


@dataclass(frozen=True, slots=True)
class Culprit:
    """Whose first difference it is, as far as one can say: what was expected, and what was found instead.

    ``file`` and ``row`` (its line, from 1) say where, in files. ``vouched``: the operator posted the hash of
    the files in which it is; None where it isn't in files, or nobody looked. Anybody can write files in
    anybody's name.
    """

    operator: Pubkey
    expected: str | None = None
    found: str | None = None
    file: str | None = None
    row: int | None = None
    vouched: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of it, with the first difference or what is missing; nothing to say where all is the same."""

    verdict: Verdict
    what: str = ""
    culprit: Culprit | None = None


SAME = Finding(Verdict.SAME)


@dataclass(slots=True)
class Replayed:
    """A tick or an hour's steps, computed again: what was compared, and what came of it.

    ``by_files``: from an operator's files, too. ``posted`` operators posted a batch of the tick, ``on_chain``
    of its matches were made, ``skipped`` weren't, ``announced`` of the hour's steps were; None where nobody
    looked at the chain.
    """

    tick: int | None = None
    hour: int | None = None
    by_files: bool = False
    finding: Finding = SAME
    devices: int = 0
    orders: int = 0
    matches: int = 0
    posted: int | None = None
    on_chain: int | None = None
    skipped: int | None = None
    announced: int | None = None
    unknown: tuple[Pubkey, ...] = ()
    """Operators that posted a batch which isn't known: theirs may have been decided by other rules."""
    steps: StepTable | None = None

    def of(self, state: Snapshot, rows: Rows) -> None:
        """It is of this state, which gives these matches."""
        self.devices, self.orders, self.matches = len(state.devices), len(state.orders), len(rows)


def of_error(error: UserError, operator: Pubkey | None = None) -> Finding:
    """What an error on the way says of the files, which are an operator's."""
    if isinstance(error, MISSING):
        return Finding(Verdict.MISSING, str(error))
    culprit = Culprit(operator) if operator else None
    if culprit and isinstance(error, ReplayDiffers):
        culprit = replace(
            culprit, expected=error.expected, found=error.found, file=error.file, row=error.line
        )
    return Finding(Verdict.DIFFERENT, str(error), culprit)
