"""What a follower of an order keeps of what boards give it: as much as an honest board may have, and no more.

Anybody can sign messages of an order, and a bad board give them without end. So a follower says whose it
wants; of each sender's kind it remembers as many as a board keeps, and nothing older is new again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.compute.board import KEPT
from keeper.compute.wire import Equivocation, Message, Signed, Slot

SENDERS = 8_192
"""Sender's kinds that are remembered: of more, who has been silent for longest is forgotten."""
PACE = Rate(65_536, 64)
"""Messages that one board may give: all that it has, then what is said. A faster one is asked later."""


class Heard:
    """Messages of an order, each told once."""

    def __init__(self, wanted: Callable[[Message], bool]) -> None:
        """``wanted``: whether a message is of somebody who has a part in the order."""
        self._wanted = wanted
        self._accused: set[Pubkey] = set()
        self._kinds: OrderedDict[tuple[Pubkey, int, Pubkey | None], _Kind] = OrderedDict()

    def __len__(self) -> int:
        """How many messages are remembered."""
        return sum(len(each.by_seq) for each in self._kinds.values())

    def take(self, signed: Signed) -> Equivocation | bool:
        """Whether a message is new; a proof, one of each sender, where it isn't the one with its number."""
        if not self._wanted(signed.message):
            return False
        kind = self._of(signed.message.slot)
        before = kind.by_seq.get(signed.message.seq)
        if before is not None:
            return self._proof(before, signed) or False
        return kind.keep(signed)

    def _proof(self, before: Signed, signed: Signed) -> Equivocation | None:
        sender = signed.message.sender
        if sender in self._accused or len(self._accused) >= SENDERS:
            return None
        proof = Equivocation.of(before, signed)
        if proof is not None:
            self._accused.add(sender)
        return proof

    def _of(self, slot: Slot) -> _Kind:
        at = slot.sender, int(slot.kind), slot.operator
        found = self._kinds.setdefault(at, _Kind())
        self._kinds.move_to_end(at)
        if len(self._kinds) > SENDERS:
            self._kinds.popitem(last=False)
        return found


class _Kind:
    """The newest messages of a sender's kind."""

    def __init__(self) -> None:
        self.by_seq: dict[int, Signed] = {}
        self._floor = -1
        """No number up to it is new."""

    def keep(self, signed: Signed) -> bool:
        seq = signed.message.seq
        if seq <= self._floor:
            return False
        self.by_seq[seq] = signed
        if len(self.by_seq) > KEPT:
            self._floor = min(self.by_seq)
            del self.by_seq[self._floor]
            return seq != self._floor
        return True
