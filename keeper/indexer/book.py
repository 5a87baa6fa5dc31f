"""A program's accounts as its events make them, and who changed since the last look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainError, Event, Program
from keeper.chain.program import Fields
from keeper.db.events import EventPlace
from keeper.db.views import Life, Place


class FoldError(ChainError):
    """An event that can't have happened to the accounts as they are: an earlier one is missing."""


class Book:
    """The accounts of one program, by kind and address."""

    def __init__(self, program: Program) -> None:
        """Start without any."""
        self.program = program
        self.changed: set[tuple[str, Pubkey]] = set()
        """Created, changed or closed since this was cleared."""
        self.now: tuple[EventPlace, Event] | None = None
        """The event that is being folded, where somebody follows accounts' lives."""
        self.closed: list[Life] = []
        """Closed since this was cleared, by events that were named in ``now``."""
        self._opened: dict[tuple[str, Pubkey], Place] = {}
        self._kinds: defaultdict[str, dict[Pubkey, Fields]] = defaultdict(dict)

    def __iter__(self) -> Iterator[tuple[str, Pubkey, Fields]]:
        """Every account: kind, address, fields."""
        for kind, accounts in self._kinds.items():
            for address, fields in accounts.items():
                yield kind, address, fields

    def of_kind(self, kind: str) -> Mapping[Pubkey, Fields]:
        """All accounts of a kind, to read."""
        return self._kinds[kind]

    def lives(self) -> Iterator[Life]:
        """What became of accounts since this was cleared, in the order of each address' lives."""
        yield from self.closed
        for kind, address in self.changed:
            fields = self._kinds[kind].get(address)
            if fields is not None:
                yield Life(kind, address, fields, self._opened.get((kind, address)))

    def saved(self) -> None:
        """Begin anew to note what changes."""
        self.changed.clear()
        self.closed.clear()
        self._opened.clear()

    def copy(self) -> Book:
        """Another book with the same accounts, which goes its own way."""
        found = Book(self.program)
        found.changed = set(self.changed)
        for kind, address, fields in self:
            found.put(kind, address, _copied(fields))
        return found

    def put(self, kind: str, address: Pubkey, fields: Fields) -> None:
        """Put in an account as it was found."""
        self._kinds[kind][address] = fields

    def create(self, kind: str, address: Pubkey, bump: int, /, **values: Any) -> Fields:
        """Create an account with these values and zeros in the other fields; returns its fields."""
        if address in self._kinds[kind]:
            raise FoldError(f"the {kind} {address} exists already")
        fields = self.program.zeroed(kind)
        fields.update(version=self.program.constants["ACCOUNT_VERSION"], bump=bump, **values)
        self._kinds[kind][address] = fields
        self.changed.add((kind, address))
        if self.now:
            self._opened[kind, address] = Place.of(self.now[0])
        return fields

    def get(self, kind: str, address: Pubkey) -> Fields:
        """An account's fields, to read; raises FoldError when there is no such account."""
        fields = self._kinds[kind].get(address)
        if fields is None:
            raise FoldError(f"there is no {kind} {address}")
        return fields

    def change(self, kind: str, address: Pubkey) -> Fields:
        """An account's fields, to change."""
        fields = self.get(kind, address)
        self.changed.add((kind, address))
        return fields

    def close(self, kind: str, address: Pubkey) -> None:
        """Remove an account."""
        fields = self.change(kind, address)
        del self._kinds[kind][address]
        if self.now:
            place, event = self.now
            opened = self._opened.pop((kind, address), None)
            self.closed.append(Life(kind, address, fields, opened, Place.of(place), place.time, event.fields))


def _copied(value: Any) -> Any:
    """A field's value, or all of an account's: what folds may change in place is made anew."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value


Fold = Callable[[Book, Fields, int], None]
"""What an event, by its fields and its transaction's unix time, does to a book."""
