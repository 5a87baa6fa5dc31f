"""For whom a board looks at a message, before it does what is dear; and how much of whom it keeps.

Looking at a message costs 150 us, and who sends it is not known before. So all strangers together have one
budget, and whoever has sent a rightly signed message of an order from an address is no stranger there: no
flood from elsewhere uses up its own. Where that was outlives the process, as after a restart in a flood all
members would be strangers at once.
"""

from __future__ import annotations

from collections import Counter, OrderedDict

from solders.pubkey import Pubkey

from keeper.budgets import Buckets, Rate, network_of
from keeper.compute.refusals import Why, WireError

SENDER = Rate(200, 200 / 3_600)
"""Messages of a sender in an order: 200 an hour, 120 of them BEATs."""
ADDRESS = Rate(600, 60)
"""Messages from an address, whatever they are."""
STRANGERS = Rate(4_000, 500)
"""Messages of all who aren't known where they come from: a tenth of a core."""
NAMES = 65_536
"""Addresses, and senders, that are remembered at a time."""
GIB = 1 << 30
ROOM = 2 * GIB
"""Bytes of messages beyond which only orders with a lease that runs have further ones kept; and as much again
for those. Of a sender at most a megabyte is kept, see :data:`keeper.compute.board.KEPT`, but anybody may make
orders."""


class Admission:
    """One board's; every method raises WireError for what isn't looked at."""

    def __init__(self) -> None:
        """Nobody is known yet."""
        self._addresses, self._senders = Buckets(ADDRESS, NAMES), Buckets(SENDER, NAMES)
        self._strangers = Buckets(STRANGERS)
        self._homes: OrderedDict[tuple[Pubkey, Pubkey], str] = OrderedDict()

    def arrive(self, address: str, monotonic: float) -> None:
        """Something comes from an address."""
        if wait := self._addresses.take(network_of(address), monotonic):
            raise WireError(Why.TOO_MANY, f"too many messages from here: wait {max(1, round(wait))} s")

    def look(self, order: Pubkey, sender: Pubkey, address: str, monotonic: float) -> None:
        """It says that it is from a party of an order."""
        if self.knows(order, sender, address):
            return
        if self._strangers.take(None, monotonic):
            raise WireError(Why.TOO_MANY, "too many messages from where their senders aren't known: again")

    def knows(self, order: Pubkey, sender: Pubkey, address: str) -> bool:
        """Whether a sender is known where that comes from."""
        return self._homes.get((order, sender)) == network_of(address)

    def proved(self, order: Pubkey, sender: Pubkey, address: str, monotonic: float) -> bool:
        """It is signed by that party; whether it is known at another address from now on.

        Only a signed message costs its sender anything: else a stranger could use up anybody's.
        """
        if wait := self._senders.take((order, sender), monotonic):
            raise WireError(Why.TOO_MANY, f"200 messages an hour are taken of a sender: wait {round(wait)} s")
        return self.recall(order, sender, network_of(address))

    def recall(self, order: Pubkey, sender: Pubkey, place: str) -> bool:
        """A sender is known at a place (an address, or a network); whether that is new."""
        at = order, sender
        is_new = self._homes.get(at) != place
        self._homes[at] = place
        self._homes.move_to_end(at)
        if len(self._homes) > 4 * NAMES:
            self._homes.popitem(last=False)
        return is_new

    def forget(self, order: Pubkey) -> None:
        """An order is gone."""
        for at in [each for each in self._homes if each[0] == order]:
            del self._homes[at]


class Room:
    """Bytes of messages that are kept, by order."""

    def __init__(self, sizes: dict[bytes, int]) -> None:
        """``sizes``: what there is, by the order's address."""
        self._sizes = Counter(sizes)
        self._total = sum(sizes.values())

    @property
    def total(self) -> int:
        """Of all orders."""
        return self._total

    def require(self, size: int, *, runs: bool) -> None:
        """Raise WireError where there is none for ``size`` more; ``runs``: whether a lease does."""
        if self._total + size > (2 * ROOM if runs else ROOM):
            raise WireError(Why.TOO_MANY, "the board is full, but for BEATs: operators see to it")

    def add(self, order: Pubkey, size: int) -> None:
        """So much more is kept of an order, or less."""
        self._sizes[bytes(order)] += size
        self._total += size

    def forget(self, order: Pubkey) -> None:
        """All of an order is gone."""
        self._total -= self._sizes.pop(bytes(order), 0)
