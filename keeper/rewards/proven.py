"""Which devices passed their proof of work, by the published files of an hour that operators agreed on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.clients.staking import Block
from keeper.rewards.publication import PublicationError, read_manifest, read_table
from keeper.rewards.rows import Work
from keeper.tables import addresses

INPUTS = "inputs.csv"
PASSES = (Work.PASSED, Work.SLOW)
"""One that was slow while it was hired earns nothing for it, and has passed."""


@dataclass(slots=True)
class Proven:
    """The devices that passed in an hour; the last one asked for is kept in memory."""

    folder: Path
    """Where reward blocks are published."""
    _last: tuple[bytes, frozenset[Pubkey]] | None = field(default=None, init=False)

    def __call__(self, block: Block) -> Collection[Pubkey]:
        """See :data:`keeper.market.states.Passed`; raises PublicationError where the files aren't here."""
        if self._last is None or self._last[0] != block.data_hash:
            self._last = block.data_hash, self._read(block)
        return self._last[1]

    def _read(self, block: Block) -> frozenset[Pubkey]:
        manifest = read_manifest(self.folder, block.hour)
        if manifest.hash != block.data_hash.hex():
            raise PublicationError(
                f"hour {block.hour} in {self.folder} isn't the one that operators agreed on: the job attest "
                "takes that over, and ionet rewards fetch gets it"
            )
        rows = read_table(self.folder, manifest, INPUTS)
        passed = rows[[work in PASSES for work in rows["work"].tolist()]] if len(rows) else rows
        return frozenset(addresses(passed["device"].copy()))
