"""Blockhashes that transactions may name: as many as a validator remembers, for as long."""

from __future__ import annotations

from collections import deque

from solders.hash import Hash

TICK_SECONDS = 0.4
"""A block's time, as a validator has it."""
HASH_LIFE = 150
"""Blocks for which a blockhash is valid."""


class Ring:
    """The blockhashes of the last blocks.

    The height counts ticks of TICK_SECONDS alone: a hash that comes with each transaction lets the same
    transfer be made twice at once, and takes nothing from the minute that earlier ones are valid.
    """

    def __init__(self, height: int = 0) -> None:
        """Start empty at a block height."""
        self.height = height
        self._valid: dict[Hash, int] = {}
        self._order: deque[Hash] = deque()

    @property
    def newest(self) -> Hash:
        """What the next transaction names."""
        return self._order[-1]

    def add(self, blockhash: Hash) -> None:
        """A newer one, valid up to HASH_LIFE blocks from now."""
        if blockhash not in self._valid:
            self._order.append(blockhash)
        self._valid[blockhash] = self.height + HASH_LIFE

    def tick(self) -> None:
        """One block further; those that are too old go, but for the newest."""
        self.height += 1
        while len(self._order) > 1 and self._valid[self._order[0]] < self.height:
            del self._valid[self._order.popleft()]

    def expire(self) -> None:
        """Forget all but the newest, as if two minutes had passed."""
        while len(self._order) > 1:
            del self._valid[self._order.popleft()]

    def last_height(self, blockhash: Hash) -> int | None:
        """The last block in which a transaction that names it may land; None when that is over."""
        return self._valid.get(blockhash)
