"""The class table: which processors are rewarded, out of which pool, with which multiplier."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from keeper.errors import UserError, why
from keeper.resources import CLASS_TABLE, constants

NAME_BYTES = 24
"""Room for a class's name on chain."""
MAX_MULTIPLIER: int = constants("staking")["MAX_MULTIPLIER"]
"""The most that the program accepts, in hundredths."""


class Pool(IntEnum):
    """The pools that share an hour's emission, by the program's numbers."""

    ENTERPRISE = 0
    COMMUNITY = 1


class ProcessorKind(IntEnum):
    """Kinds of processors, by the program's numbers."""

    GPU = 0
    CPU = 1
    APPLE = 2


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One row of a class table; the multiplier in hundredths, 0 for no reward."""

    id: int
    name: str
    multiplier: int
    pool: Pool
    kind: ProcessorKind


class ClassTableError(UserError):
    """A class table that can't be read, or that the program would refuse."""


def read_classes(path: Path = CLASS_TABLE) -> list[ClassRow]:
    """Read a class table; raises ClassTableError."""
    try:
        rows = [
            ClassRow(
                each["id"],
                each["name"],
                each["multiplier"],
                Pool[each["pool"].upper()],
                ProcessorKind[each["kind"].upper()],
            )
            for each in json.loads(path.read_text())["classes"]
        ]
        for row in rows:
            if not 0 < len(row.name.encode()) <= NAME_BYTES or not 0 <= row.multiplier <= MAX_MULTIPLIER:
                raise ClassTableError(
                    f"{path}: the name or the multiplier of class {row.id} ({row.name}) is out of bounds"
                )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ClassTableError(f"{path}: no class table ({type(error).__name__}: {why(error)})") from error
    if len({row.id for row in rows}) < len(rows) or len({row.name for row in rows}) < len(rows):
        raise ClassTableError(f"{path}: an id or a name appears twice")
    return rows
