"""What members of an order say to each other: as one device hears it, and says it, over all boards."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.budgets import Buckets, Rate
from keeper.chain import Signer, SigningFailed
from keeper.compute import runtime
from keeper.compute.boards import Boards, NobodyTookIt
from keeper.compute.bodies import (
    ANSWERS_PROBES,
    EGRESS,
    MAX_ROWS,
    MAX_TICKETS,
    Beat,
    Body,
    Bye,
    Endpoint,
    Joined,
    Key,
    Leaving,
    Sealed,
    Seen,
    Tickets,
    View,
)
from keeper.compute.members import Members
from keeper.compute.node import GCS, JOBS
from keeper.compute.peers import Other, others
from keeper.compute.refusals import WireError
from keeper.compute.seal import Ticket, seal, unseal
from keeper.compute.wire import Message
from keeper.market.accepting import Hindrance

SPEECH = Rate(40, 60 / 3_600)
"""Messages but BEATs: a board takes 200 an hour, of which those are 120."""
SAY_SECONDS = 10.0
"""For one board to have taken something; the others are asked on meanwhile, and after that."""
VIEW_SECONDS = 300.0
"""After which the head says which nodes are alive, though nothing has changed."""
MOST_KEYS, MOST_TICKETS, MOST_LISTS = 4_096, 64, 256
"""What is remembered: anybody can sign a message for any order, and a bad board may hand it on."""


class _Handed(NamedTuple):
    """What tickets were for."""

    members: bytes
    others: frozenset[tuple[Pubkey, bytes]]
    token: bytes


class Talk:
    """One device's part in one order; :meth:`listen` runs beside all else."""

    def __init__(
        self,
        boards: Boards,
        order: Pubkey,
        signer: Signer,
        number: int,
        private: PrivateKey,
        log: Any,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        lets_out: bool = False,
        endpoints: tuple[Endpoint, ...] = (),
    ) -> None:
        """``number`` is the lease's, ``private`` what its one KEY is the public part of.

        ``lets_out`` is whether the supplier lets the renter's code out to any host; ``endpoints`` are where
        other members reach this one without a relay.
        """
        self.boards = boards
        self.has_key = False
        """Whether most boards have our KEY."""
        self._order, self._signer, self._number, self._private = order, signer, number, private
        self._log, self._monotonic = log, monotonic
        self._capabilities = ANSWERS_PROBES | (EGRESS if lets_out else 0)
        self._runtime, self._endpoints = runtime.identity(), endpoints
        self._keys: OrderedDict[tuple[Pubkey, int], Key] = OrderedDict()
        self._tickets: OrderedDict[tuple[Pubkey, int], Message] = OrderedDict()
        self._lists: OrderedDict[bytes, None] = OrderedDict()
        """Hashes of the member lists that were seen on the chain here."""
        self._known: set[Pubkey] = set()
        self._speech = Buckets(SPEECH)
        self._handed: _Handed | None = None
        self._joined = b""
        self._viewed: tuple[frozenset[Pubkey], float] | None = None
        self._since: dict[Pubkey, tuple[bool, int]] = {}
        self._refused: set[str] = set()

    # -- hearing ---------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Hear what any board has, until it is cancelled."""
        async for signed in self.boards.follow(self._order):
            self.hear(signed.message)

    def hear(self, message: Message) -> None:
        """Take a message that its sender has signed; who may say it is asked when it is used."""
        body = message.body
        if isinstance(body, Key):
            self._keys.setdefault((message.sender, body.number), body)
            self._forget(self._keys, MOST_KEYS)
        elif isinstance(body, Tickets):
            self._tickets[message.sender, message.seq] = message
            self._forget(self._tickets, MOST_TICKETS)

    def see(self, members: Members, known: set[Pubkey]) -> None:
        """Note the members as the chain has them now, and ``known``, the keys of all in the order."""
        self._known = known
        self._lists[members.hash()] = None
        while len(self._lists) > MOST_LISTS:
            self._lists.popitem(last=False)

    def others(self, members: Members) -> dict[Pubkey, Other]:
        """See :func:`keeper.compute.peers.others`: by the first KEY that was heard of each lease."""
        return others(members, self._keys, self._signer.pubkey(), bytes(self._private.public_key))

    def asks_out(self, members: Members) -> bool:
        """Whether the renter's newest KEY asks for a way out."""
        mine = {number: key for (sender, number), key in self._keys.items() if sender == members.renter}
        return bool(mine and mine[max(mine)].capabilities & EGRESS)

    def ticket(self, members: Members) -> Ticket | None:
        """The newest ticket for us of the head that the chain names; None while none is right."""
        head = members.head
        if head is None:
            return None
        mine = [each for (sender, _), each in self._tickets.items() if sender == head.worker]
        for message in sorted(mine, key=lambda each: each.seq, reverse=True):
            body = message.body
            assert isinstance(body, Tickets)
            if message.epoch != members.epoch or body.members not in self._lists:
                continue
            box = next((each.box for each in body.sealed if each.worker == self._signer.pubkey()), None)
            if box is None:
                continue
            why = ""
            try:
                found = unseal(box, self._private)
                why = self._wrong(found, members, body)
            except WireError as error:
                why = str(error)
            if not why:
                return found
            if why not in self._refused:
                self._refused.add(why)
                self._log.warning("worker.ticket_refused", head=str(head.worker), reason=why)
        return None

    # -- saying ----------------------------------------------------------------------------------

    async def introduce(self) -> Hindrance | None:
        """Have our KEY on more than half of the boards; why it isn't, or None once it is.

        Whether there is a renter's, or any other, is no matter: a renter can keep nobody from being ready.
        """
        if self.has_key:
            return None
        public = bytes(self._private.public_key)
        body = Key(public, self._number, self._runtime, self._endpoints, self._capabilities)
        enough = len(self.boards.boards) // 2 + 1
        try:
            async with asyncio.timeout(SAY_SECONDS):
                await self.boards.say(self._order, 0, body, self._signer, enough)
        except TimeoutError:
            away = "; ".join(self.boards.away.values()) or "none answers"
            return Hindrance("no_board", f"no board of most operators has its KEY: {away}")
        except SigningFailed as error:
            return Hindrance("signer", str(error))
        except NobodyTookIt as error:
            said = [each.message for each in await self.boards.read(self._order)]
            mine = [each.body for each in said if each.sender == self._signer.pubkey()]
            keys = [each for each in mine if isinstance(each, Key) and each.number == self._number]
            if public not in [each.public for each in keys]:
                return Hindrance("no_board", str(error))
            # It was taken before this process was started anew, perhaps of another version.
        self.has_key = True
        return None

    async def hand_out(self, members: Members, token: bytes) -> None:
        """As the head: a ticket for each other member and the renter, and again once any of that changes."""
        found = self.others(members)
        handed = _Handed(members.hash(), frozenset((to, each.public) for to, each in found.items()), token)
        head = members.head
        if not found or handed == self._handed or head is None:
            return
        ticket = Ticket(token, head.address, GCS, JOBS, members.epoch, self._runtime, handed.members)
        boxes = []
        for to, each in found.items():
            try:
                boxes.append(Sealed(to, seal(ticket, each.public)))
            except WireError as error:
                self._log.warning("worker.key_unusable", member=str(to), reason=str(error))
        pages = [boxes[n : n + MAX_TICKETS] for n in range(0, len(boxes), MAX_TICKETS)]
        # The next page takes the last one's place with boards that haven't that yet.
        enough = 1 if len(pages) == 1 else len(self.boards.boards)
        said = [
            await self._say(members.epoch, Tickets(handed.members, tuple(page)), enough) for page in pages
        ]
        if all(said):
            self._handed = handed
            self._log.info("worker.tickets", members=len(boxes), epoch=members.epoch)

    async def join(self, epoch: int, joined: Joined) -> None:
        """Say once that our node is alive."""
        if joined.node != self._joined and await self._say(epoch, joined):
            self._joined = joined.node

    async def view(self, members: Members, alive: set[Pubkey], now: int) -> None:
        """As the head: say which devices' nodes are alive, where that has changed, and now and then."""
        at, seen = self._monotonic(), frozenset(alive)
        if self._viewed and self._viewed[0] == seen and at - self._viewed[1] < VIEW_SECONDS:
            return
        devices = [each.device for each in members.nodes]
        for each in devices:
            if self._since.get(each, (None, 0))[0] != (each in alive):
                self._since[each] = each in alive, now
        rows = [Seen(each, *self._since[each]) for each in devices]
        pages = [rows[n : n + MAX_ROWS] for n in range(0, len(rows), MAX_ROWS)]
        enough = 1 if len(pages) == 1 else len(self.boards.boards)
        if all([await self._say(members.epoch, View(tuple(page)), enough) for page in pages]):
            self._viewed = seen, at

    async def beat(self, epoch: int, make: Callable[[Pubkey, bytes], Beat]) -> int:
        """One BEAT to each operator; how many took it. Raises SigningFailed."""
        return await self.boards.beat(self._order, epoch, self._signer, make)

    async def leave(self, epoch: int, why: Leaving) -> None:
        """Say that we leave: whoever waits for us needn't."""
        await self._say(epoch, Bye(why))

    # -- inside ----------------------------------------------------------------------------------

    async def _say(self, epoch: int, body: Body, enough: int = 1) -> bool:
        if self._speech.take(None, self._monotonic()):
            return False
        try:
            async with asyncio.timeout(SAY_SECONDS):
                await self.boards.say(self._order, epoch, body, self._signer, enough)
        except TimeoutError:
            return enough > 1
        except (NobodyTookIt, SigningFailed) as error:
            self._log.warning("worker.unsaid", kind=body.KIND.name, reason=str(error))
            return False
        return True

    def _wrong(self, ticket: Ticket, members: Members, body: Tickets) -> str:
        """What of a ticket isn't as the chain, and this machine's runtime, have it."""
        head = members.head
        assert head is not None
        if ticket.runtime != self._runtime:
            return "the ticket is for another runtime: one of both has an old version of ionet"
        if ticket.epoch != members.epoch or ticket.members != body.members:
            return "the ticket is for another epoch or list of members"
        if (ticket.head, ticket.gcs_port, ticket.jobs_port) != (head.address, GCS, JOBS):
            return f"the ticket names a head at {ticket.head}:{ticket.gcs_port}, and it is at {head.address}"
        return ""

    def _forget(self, kept: OrderedDict[tuple[Pubkey, int], Any], most: int) -> None:
        """Keep no more than so many; whoever has a part in the order goes last."""
        while len(kept) > most:
            stranger = next((each for each in kept if each[0] not in self._known), None)
            kept.pop(stranger) if stranger is not None else kept.popitem(last=False)
