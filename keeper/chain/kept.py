"""What an embedded chain remembers of its transactions: by place, by signature, by address, by slot."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.records import Listed, TransactionRecord
from keeper.chain.whole import Row, Whole


class Kept:
    """Transactions in the order of their execution, each in a slot of its own."""

    def __init__(
        self,
        records: Sequence[TransactionRecord] = (),
        wholes: Sequence[Row | None] = (),
        addresses: Iterable[tuple[Pubkey, int]] = (),
    ) -> None:
        """Go on from what was saved; None for one that is kept by its record alone."""
        self.records = list(records)
        self.wholes = list(wholes)
        self._by_address: dict[Pubkey, list[int]] = defaultdict(list)
        for address, index in addresses:
            self._by_address[address].append(index)
        self._positions = {record.signature: index for index, record in enumerate(self.records)}

    def __len__(self) -> int:
        """How many there are."""
        return len(self.records)

    def __contains__(self, signature: Signature) -> bool:
        """Whether a transaction of this signature was executed."""
        return signature in self._positions

    def add(self, record: TransactionRecord, whole: Whole, keys: Iterable[Pubkey]) -> None:
        """Keep one that names ``keys``, each once."""
        for address in keys:
            self._by_address[address].append(len(self.records))
        self._positions[record.signature] = len(self.records)
        self.records.append(record)
        self.wholes.append(whole.row())

    def addresses(self) -> list[tuple[Pubkey, int]]:
        """Each address with the places of the transactions that name it."""
        return [(address, index) for address, indexes in self._by_address.items() for index in indexes]

    def find(self, signature: Signature) -> TransactionRecord | None:
        """The record of one."""
        position = self._positions.get(signature)
        return None if position is None else self.records[position]

    def whole(self, signature: Signature) -> Whole | None:
        """One whole; None for one that an earlier version kept, which it did by its record alone."""
        position = self._positions.get(signature)
        row = None if position is None else self.wholes[position]
        return None if row is None else Whole.of(row)

    def history(self, address: Pubkey, until: Signature | None, limit: int | None) -> list[TransactionRecord]:
        """Those that name ``address``, oldest first, after ``until``."""
        indexes = self._by_address.get(address, [])
        return [self.records[index] for index in indexes[self._after(indexes, until) :][:limit]]

    def page(
        self, address: Pubkey, newest: int, *, before: Signature | None, until: Signature | None, limit: int
    ) -> list[TransactionRecord]:
        """Those that name ``address`` up to slot ``newest``, newest first, between two others."""
        indexes = self._by_address.get(address, [])
        first = self._after(indexes, until)
        last = bisect_left(indexes, self._positions[before]) if before in self._positions else len(indexes)
        while last > first and self.records[indexes[last - 1]].slot > newest:
            last -= 1
        return [self.records[index] for index in reversed(indexes[max(first, last - limit) : last])]

    def block(self, slot: int) -> list[TransactionRecord]:
        """Those of a slot."""
        return self.between(slot, slot)

    def between(self, first: int, last: int) -> list[TransactionRecord]:
        """Those of slots from ``first`` up to and with ``last``."""
        start = bisect_left(self.records, first, key=_slot)
        return self.records[start : bisect_left(self.records, last + 1, key=_slot)]

    def _after(self, indexes: list[int], until: Signature | None) -> int:
        return bisect_left(indexes, self._positions[until] + 1) if until in self._positions else 0


def listed(record: TransactionRecord) -> Listed:
    """A transaction as an address's list has it: alone in its block."""
    return Listed(record.signature, record.slot, record.error is not None, 0)


def _slot(record: TransactionRecord) -> int:
    return record.slot
