"""How far a program is indexed: what each step of an indexer moves, in the transaction of all it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from solders.signature import Signature

from keeper.db.tables import ACCOUNTS, HOUR_ACCOUNTS
from keeper.indexer.walk import Bottom

BEFORE_ALL = -1
"""A slot below all others."""
ACCOUNTS_OF = {"folded_slot": ACCOUNTS, "hour_slot": HOUR_ACCOUNTS}
"""The tables of accounts made from events, by the watermark's field that says as of which slot."""
WITH_VIEWS = "folded_slot"
"""Of these the one that the views (:mod:`keeper.db.views`) go with."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a program is indexed; see the table's own description."""

    program: str
    address: str
    version: int = 0
    final_slot: int = BEFORE_ALL
    confirmed_slot: int = BEFORE_ALL
    anchor: str | None = None
    anchor_slot: int = BEFORE_ALL
    floor: str | None = None
    floor_slot: int = BEFORE_ALL
    target_slot: int | None = None
    target_time: int | None = None
    final_time: int = 0
    folded_time: int = 0
    target_complete: bool = False
    folded_slot: int = BEFORE_ALL
    hour_slot: int = BEFORE_ALL
    late: int = 0
    updated_at: int = 0

    def with_accounts(self, name: str, slot: int, time: int = 0) -> Watermark:
        """With the accounts of a field of :data:`ACCOUNTS_OF` as of ``slot``; the chain showed ``time``."""
        changed: dict[str, Any] = {name: slot}
        if name == WITH_VIEWS:
            changed["folded_time"] = time
        return replace(self, **changed)

    def advanced(self, slot: int, time: int | None, newest: Iterable[tuple[int, str]] = ()) -> Watermark:
        """With everything indexed up to ``slot``, when the chain showed ``time``, if that is known.

        ``newest`` are (slot, signature) of what was indexed last, ascending.
        """
        anchor, anchor_slot, floor, floor_slot = self.anchor, self.anchor_slot, self.floor, self.floor_slot
        for at, signature in newest:
            if at > anchor_slot:
                floor, floor_slot = anchor, anchor_slot
            if at >= anchor_slot:
                anchor, anchor_slot = signature, at
        return replace(
            self,
            final_slot=max(slot, self.final_slot),
            confirmed_slot=max(slot, self.confirmed_slot),
            final_time=self.final_time if time is None or slot < self.final_slot else time,
            anchor=anchor,
            anchor_slot=anchor_slot,
            floor=floor,
            floor_slot=floor_slot,
        )

    @property
    def bottom(self) -> Bottom:
        """What a list of transactions is read down to."""
        return Bottom(
            Signature.from_string(self.anchor) if self.anchor else None,
            Signature.from_string(self.floor) if self.floor else None,
        )

    def values(self) -> dict[str, Any]:
        """Its row."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
