"""What the doctors find: each check with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """How a check came out."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WRONG = "wrong"
    """Something has to be done."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what it is about, how it came out, what was found, and what to do."""

    check: str
    state: CheckState
    found: str
    do: str = ""
