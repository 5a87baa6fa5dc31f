"""A renter's machine in its cluster: a network of its own beside the machine's, for as long as it is wanted.

It needs no root and changes no route. It posts the renter's KEY, takes the head's ticket, has each member for
a peer, and follows all of that: who comes and goes, and another head with another token. Nothing of it stays
when it ends but the folder with the key.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainError, ChainReader
from keeper.chain.signer import Signer
from keeper.compute import runtime
from keeper.compute.boards import Boards
from keeper.compute.bodies import EGRESS
from keeper.compute.direct import Direct
from keeper.compute.looking import Looked, look
from keeper.compute.members import RENTER
from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.node import JOBS
from keeper.compute.overlay import Overlay
from keeper.compute.peers import Peers
from keeper.compute.seal import Ticket
from keeper.compute.states import ClusterState
from keeper.compute.ways import Ways
from keeper.errors import UserError
from keeper.renter import joining
from keeper.renter.door import Status, answering
from keeper.renter.forwarding import Forwarder, Streams, close
from keeper.renter.place import Place

SOON_SECONDS, LOOK_SECONDS = 1.0, 5.0
"""From one look at chain and boards to the next: until the head answers, and afterwards."""
CONNECT_SECONDS = 10.0
SYSTEM_PYTHON = "/usr/bin/python3"


class NotTheRenter(UserError):
    """A key that isn't that of the order's renter."""


class ClusterEnded(UserError):
    """An order that has no devices, and gets none any more."""


class Connection:
    """One process's; :meth:`run` is all that is called, from one event loop."""

    def __init__(
        self,
        place: Place,
        chain: ChainReader,
        boards: Boards,
        signer: Signer,
        log: FilteringBoundLogger,
        ports: Mapping[int, int],
        tell: Callable[[Status], None],
        egress: bool | None = None,
    ) -> None:
        """``ports`` are this machine's (0: any) by the head's; ``tell`` is called when something changes.

        Port 8265 of the head, its jobs, is among them. ``egress`` is whether a way out is asked for, None:
        as it was.
        """
        self._place, self._chain, self._boards, self._signer = place, chain, boards, signer
        self._log, self._ports, self._tell = log, {JOBS: 0, **ports}, tell
        self._egress = egress
        self._key = place.key()
        self._overlay: Overlay | None = None
        self._ticket: Ticket | None = None
        self._peers: Peers | None = None
        direct = Direct(boards.network, place.order, signer, log)
        self._ways = Ways(boards.boards, place.order, signer, self._deliver, log, direct=direct)
        self.status = Status(ClusterState.WAITING, "", False, 0, "", "", {}, (), False)

    async def run(self) -> None:
        """Be connected until it is cancelled.

        Raises ConnectedAlready, NotTheRenter, ClusterEnded, PortTaken, SigningFailed, and what is refused for
        good. A chain, a board, a relay or a head that is away is waited for.
        """
        with self._place.held(), self._place.door() as door:
            forwarder = Forwarder()
            async with AsyncExitStack() as stack:
                ports = {}
                for inside, outside in self._ports.items():
                    opens = self._opener(inside)
                    ports[inside] = await stack.enter_async_context(forwarder.listening(outside, opens))
                self.status = self.status.having(ports=ports)
                await stack.enter_async_context(answering(door, forwarder, self._answer, self.open))
                self._ways.begin()
                stack.push_async_callback(self._ways.close)
                await self._stay()

    async def open(self, address: IPv4Address, port: int) -> Streams:
        """A connection to a member's port; raises OSError, TimeoutError, SandboxFailed."""
        if self._overlay is None or self._peers is None or address not in self._peers.addresses:
            raise SandboxFailed(f"there is no way to {address} now")
        async with asyncio.timeout(CONNECT_SECONDS):
            made = await self._overlay.connect(address, port)
        return await asyncio.open_connection(sock=made)

    # -- inside ----------------------------------------------------------------------------------

    async def _stay(self) -> None:
        """Go on in another network when one ended, whatever ended it, as long as one can be made."""
        while True:
            async with self._network() as over:
                task = asyncio.create_task(self._follow())
                ends: list[asyncio.Future[Any]] = [task, asyncio.shield(over)]
                try:
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in ends:
                        each.cancel()
                    (error,) = await asyncio.gather(task, return_exceptions=True)
                if isinstance(error, Exception) and not (over.done() and isinstance(error, SandboxFailed)):
                    raise error
            if over.done():
                reason = f"its network ended ({over.result()}): another one is made"
                self._change(self.status.having(connected=False, why=reason))

    @asynccontextmanager
    async def _network(self) -> AsyncIterator[asyncio.Future[str]]:
        """A network of one's own, in which there is nothing but WireGuard; gives what tells of its end."""
        user, python = whose()
        spaces = await Namespaces.open(user=user, python=python)
        overlay = Overlay(spaces, self._key, RENTER)
        try:
            await overlay.up()
            self._overlay, self._peers = overlay, Peers(overlay, self._ways.send)
            yield spaces.over
        finally:
            self._overlay = self._peers = None
            overlay.close()
            await spaces.end()

    async def _follow(self) -> None:
        """Go by what chain and boards have, until another network is needed: one with another key."""
        while True:
            try:
                found = await look(self._chain, self._boards, self._place.order)
            except ChainError as error:
                self._change(self.status.having(why=f"the chain doesn't answer: {error}"))
            else:
                if joining.is_copied(found.members, found.said, bytes(self._key.public_key)):
                    self._key, self._ticket = self._place.another_key(), None
                    reason = "a device has posted a copy of your key, so another one is made"
                    self._change(self.status.having(connected=False, why=reason))
                    return
                await self._take(found)
            await asyncio.sleep(LOOK_SECONDS if self.status.connected else SOON_SECONDS)

    async def _take(self, found: Looked) -> None:
        """Go by what chain and boards have."""
        if found.members.renter != self._signer.pubkey():
            raise NotTheRenter(
                f"{found.members.order} is {found.members.renter}'s order: sign with their key"
            )
        if found.cluster.state is ClusterState.ENDED:
            self._place.keep_token(None)
            raise ClusterEnded(f"the cluster is over: {found.cluster.why}")
        mine = bytes(self._key.public_key)
        newest = joining.key_of(found.said, self._signer.pubkey())
        key = joining.key_to_post(newest, mine, runtime.identity(), self._egress)
        if key is not None and self._boards.boards:
            await self._boards.say(self._place.order, 0, key, self._signer)
        counts = key or newest
        await self._have(found)
        if found.members.epoch != self.status.epoch:
            self._ticket = None
            self._place.keep_token(None)
        ticket = joining.ticket(found.members, found.said, self._signer.pubkey(), self._key)
        if ticket is not None:
            self._ticket = ticket
            self._place.keep_token(ticket.token)
        connected = self._ticket is not None and await self._reaches(self._ticket)
        head = str(found.members.head.address) if found.members.head else ""
        nodes = tuple(
            (str(each.node.device), str(each.node.address), each.phase) for each in found.cluster.nodes
        )
        reason = found.cluster.why
        if not connected and not reason:
            waits = "the head's ticket" if self._ticket is None else "the head, which doesn't answer yet"
            reason = f"it waits for {waits}"
        away = "; ".join(self._boards.away.values())
        self._change(
            Status(
                found.cluster.state,
                reason,
                connected,
                found.members.epoch,
                head,
                away,
                self.status.ports,
                nodes,
                bool(counts is not None and counts.capabilities & EGRESS),
            )
        )

    async def _have(self, found: Looked) -> None:
        """Have those for peers that are members, and nobody else."""
        assert self._peers is not None
        wanted = joining.peers(found.members, found.said, bytes(self._key.public_key))
        await self._peers.meet(wanted)
        self._ways.want(wanted)

    def _deliver(self, worker: Pubkey, datagram: bytes) -> None:
        if self._peers is not None:
            self._peers.deliver(worker, datagram)

    async def _reaches(self, ticket: Ticket) -> bool:
        """Whether the head takes connections."""
        try:
            _, writer = await self.open(ticket.head, ticket.jobs_port)
        except (OSError, TimeoutError, SandboxFailed):
            return False
        await close(writer)
        return True

    def _opener(self, port: int) -> Callable[[], asyncio.Future[Streams]]:
        async def opens() -> Streams:
            if self._ticket is None:
                raise SandboxFailed("the cluster has no head now")
            return await self.open(self._ticket.head, self._ticket.jobs_port if port == JOBS else port)

        return lambda: asyncio.ensure_future(opens())

    def _answer(self) -> Status:
        return self.status

    def _change(self, status: Status) -> None:
        if status != self.status:
            self.status = status
            self._tell(status)


def whose() -> tuple[int | None, str]:
    """As whom the network is made, by number, and with which Python: root's is made as nobody."""
    if os.geteuid() != 0:
        return None, sys.executable
    python = SYSTEM_PYTHON if Path(SYSTEM_PYTHON).exists() else sys.executable
    return pwd.getpwnam("nobody").pw_uid, python
