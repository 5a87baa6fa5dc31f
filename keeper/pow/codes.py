"""What became of a device in a wave."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A verdict. Soft codes may be bad luck, once a day; hard ones only a cheat or a broken card gets."""

    VOID = 0
    """The wave counts for nobody: its block isn't in the chain, or too few operators anchored in time."""
    PASS = 1
    PASS_SLOW = 2
    """Hired at the wave, and later than the ordinary deadline: no failure, and nothing is earned."""
    PASS_UNOPENED = 3
    """In time, and not drawn for an opening."""
    NO_COMMIT = 4
    LATE = 5
    NO_OPENING = 6
    """Drawn, and no right opening: what a cheat does who sees its picks."""
    OPEN_MALFORMED = 7
    OPEN_PATH = 8
    OPEN_ROOT = 9
    WORK_WRONG = 10
    """What was opened is what was committed to, and it isn't the product."""
    COMMIT_CONFLICT = 11
    """Two roots signed for one wave."""


PASSES = frozenset({Code.PASS, Code.PASS_SLOW, Code.PASS_UNOPENED})
SOFT = frozenset({Code.NO_COMMIT, Code.LATE})
HARD = frozenset(Code) - PASSES - SOFT - {Code.VOID}
