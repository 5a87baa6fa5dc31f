"""What a renter makes of what was said in its order: which KEY it posts, its peers, the ticket that holds.

Boards are operators' and members are strangers: a message counts by who signed it, for the lease that runs.
"""

from __future__ import annotations

from collections.abc import Iterable

from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.compute.bodies import EGRESS, Key, Tickets
from keeper.compute.members import Members
from keeper.compute.peers import Other, others
from keeper.compute.refusals import WireError
from keeper.compute.seal import Ticket, unseal
from keeper.compute.wire import Message


def key_of(said: Iterable[Message], renter: Pubkey) -> Key | None:
    """The renter's KEY that counts: of the highest number."""
    mine = [each.body for each in said if each.sender == renter and isinstance(each.body, Key)]
    return max(mine, key=lambda each: each.number, default=None)


def key_to_post(newest: Key | None, public: bytes, runtime: bytes, egress: bool | None) -> Key | None:
    """The KEY that makes ``public`` the renter's after their ``newest`` one; None where that does it already.

    ``egress`` is whether it asks for a way out; None: as the newest does.
    """
    before = newest.capabilities & EGRESS if newest else 0
    asks = before if egress is None else EGRESS if egress else 0
    if newest is not None and (newest.public, before) == (public, asks):
        return None
    return Key(public, newest.number + 1 if newest else 0, runtime, (), asks)


def peers(found: Members, said: Iterable[Message], mine: bytes) -> dict[Pubkey, Other]:
    """The members as the renter has them, see :func:`keeper.compute.peers.others`.

    By the KEY of each lease that was signed first; ``mine`` is the renter's own WireGuard key.
    """
    return others(found, _keys(said), found.renter, mine)


def is_copied(found: Members, said: Iterable[Message], mine: bytes) -> bool:
    """Whether a device says that the renter's WireGuard key is its own.

    To the other members it is the one that has it, as devices come before renters. A device has one KEY for
    its lease, so it can't do that to the renter's next one.
    """
    keys = _keys(said)
    theirs = (keys.get((each.worker, each.number)) for each in found.nodes)
    return any(each is not None and each.public == mine for each in theirs)


def ticket(found: Members, said: Iterable[Message], renter: Pubkey, key: PrivateKey) -> Ticket | None:
    """The newest ticket of the head for this list of members that is sealed to us; None without one."""
    head = found.head
    if head is None:
        return None
    from_head = [
        each
        for each in said
        if each.sender == head.worker and each.epoch == found.epoch and isinstance(each.body, Tickets)
    ]
    for each in sorted(from_head, key=lambda each: (each.ms, each.seq), reverse=True):
        assert isinstance(each.body, Tickets)
        for sealed in each.body.sealed:
            if sealed.worker != renter:
                continue
            try:
                opened = unseal(sealed.box, key)
            except WireError:
                continue
            if (opened.epoch, opened.members, opened.head) == (found.epoch, found.hash(), head.address):
                return opened
    return None


def _keys(said: Iterable[Message]) -> dict[tuple[Pubkey, int], Key]:
    """The KEY of each sender and number that was signed first."""
    keys: dict[tuple[Pubkey, int], Key] = {}
    for each in sorted(said, key=lambda each: each.ms):
        if isinstance(each.body, Key):
            keys.setdefault((each.sender, each.body.number), each.body)
    return keys
