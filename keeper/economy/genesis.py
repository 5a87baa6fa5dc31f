"""The genesis table: who gets the first 500,000,000 IO, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keeper.economy.calendar import parse_month
from keeper.economy.supply import GENESIS_SUPPLY, IO
from keeper.economy.vesting import Schedule
from keeper.errors import UserError, why
from keeper.resources import GENESIS_TABLE


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the genesis table."""

    id: int
    label: str
    schedule: Schedule

    @property
    def label_bytes(self) -> bytes:
        """The label as the chain keeps it: 16 bytes, padded with zeros."""
        return self.label.encode().ljust(16, b"\0")


class GenesisTableError(UserError):
    """A genesis table that can't be read, or that doesn't add up."""


def read_start_month(path: Path = GENESIS_TABLE) -> int:
    """Read the first month of emission that a genesis table is made for; raises GenesisTableError."""
    with _reading(path):
        return parse_month(json.loads(path.read_text())["start_month"])


def read_table(path: Path = GENESIS_TABLE) -> list[Row]:
    """Read a genesis table; raises GenesisTableError, also when its total isn't the genesis supply."""
    with _reading(path):
        rows = [
            Row(
                number,
                entry["label"],
                Schedule(entry["io"] * IO, entry["tge_bps"], entry["cliff_months"], entry["tranches"]),
            )
            for number, entry in enumerate(json.loads(path.read_text())["allocations"])
        ]
        total = sum(row.schedule.amount for row in rows)
    if total != GENESIS_SUPPLY:
        raise GenesisTableError(
            f"{path}: the allocations add up to {total}, the genesis supply is {GENESIS_SUPPLY}"
        )
    return rows


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, UserError) as error:
        raise GenesisTableError(f"{path}: no genesis table ({type(error).__name__}: {why(error)})") from error
