"""A device's part in a cluster while its lease lasts: its sandbox, its node, and what it says and hears."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import Any

from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.compute import members as clusters
from keeper.compute.boards import Boards
from keeper.compute.bodies import NODE_ID, Beat, Joined, Leaving
from keeper.compute.members import Members
from keeper.compute.members import Node as Member
from keeper.compute.node import Alive, HeadSilent, Node, TokenRefused
from keeper.compute.states import AgentState
from keeper.errors import UserError
from keeper.market.accepting import Hindrance
from keeper.worker.serving import rules
from keeper.worker.serving.answers import Answers
from keeper.worker.serving.chain import Cluster, read_cluster
from keeper.worker.serving.host import Host
from keeper.worker.serving.rules import Facts, Service
from keeper.worker.serving.talk import Talk
from keeper.worker.work import Device

LOOK_SECONDS = 5.0
"""From one look at an order's members to the next."""
ASK_SECONDS = 10.0
"""From one question for the head's list of nodes to the next, once we are in it."""
MISSED_SECONDS = 60.0
"""A node that isn't in its head's list, or a head of our own that is silent, for so long has died."""
UNLISTED_SECONDS = 20.0
"""A node may say for a moment what was before: for so long a lease may be missing on the chain."""
KEY_SECONDS = 30.0
"""Before boards that hadn't our KEY are asked again, while the lease runs already."""
FREEZE_SECONDS = 20.0
"""A head gives a node up that is silent for 29.5 seconds: so long a wave stops a sandbox, at most."""


class Part:
    """Of one device; what it finds out is in ``facts``, for whoever decides what follows."""

    def __init__(
        self,
        device: Device,
        host: Host,
        chain: ChainReader,
        boards: Callable[[], Boards],
        log: Any,
        clock: Callable[[], float],
    ) -> None:
        """``boards`` makes those of a lease; ``clock`` gives unix seconds."""
        self.facts = Facts()
        self._device, self._host, self._chain = device, host, chain
        self._boards, self._log, self._clock = boards, log, clock
        self._talk: Talk | None = None
        self._answers: Answers | None = None
        self._listening: asyncio.Task[None] | None = None
        self._cluster: Cluster | None = None
        self._node: Node | None = None
        self._epoch = 0
        """Of the node."""
        self._id = bytes(NODE_ID)
        self._opened = False
        """Whether the head is up, so that others are let in; of another node always."""
        self._missed: float | None = None
        """Since when the node isn't where it should be."""
        self._due: dict[str, float] = {}
        """When something is done next, by what it is."""
        self._frozen = False
        self._unlisted: float | None = None
        """Since when the chain has no lease of ours in the cluster."""

    async def prepare(self, service: Service) -> Hindrance | None:
        """Make the sandbox of a lease, and post its KEY; what is still missing. Raises SandboxFailed."""
        lease, order = service.lease, service.order
        assert lease is not None and order is not None
        talk = self._begin_talk(service)
        if self._host.ended:
            await self.undo()
        if self._host.address is None:
            name = lease.device, lease.registered_at, lease.number
            await self._open(service, clusters.first_address(order, *name))
        return await talk.introduce()

    async def see_clock(self) -> None:
        """See how far the chain's clock is ahead of this machine's. Raises ChainError."""
        self.facts.skew = (await self._chain.clock()).unix_timestamp - self._clock()

    async def serve(self, service: Service) -> None:
        """Bring the node a step further, or say and do what is due of one that is alive.

        Raises ChainError, SandboxFailed, RuntimeFailed.
        """
        talk = self._begin_talk(service)
        assert service.order is not None
        if self._cluster is None or self.is_due("look", LOOK_SECONDS):
            found = await read_cluster(self._chain, service.order)
            if found is None:
                return
            self._cluster, self.facts.skew = found, found.now - self._clock()
            talk.see(found.members, found.known)
        members = self._cluster.members
        me = members.of(self._device.signer.pubkey())
        if me is None:
            await self._miss_lease()
            return
        self._unlisted = None
        if not await self._stands(service, talk, members, me):
            return
        if not talk.has_key and self.is_due("key", KEY_SECONDS):  # After a kill.
            await talk.introduce()
        if self._node is None:
            await self._join(talk, members, me)
        if self._node is None:
            return
        await self._host.let_out(talk.asks_out(members))
        rows = await self._ask(service, self._node)
        if rows is None:
            return
        mine = next((each for each in rows if each.address == me.address), None)
        if mine is None:
            self._miss(service, "the head's list doesn't have its node")
            return
        self._missed, self._id, self._opened, self.facts.joined = None, mine.node, True, True
        await self._tell(talk, members, me, rows)

    async def beat(self, service: Service) -> int | None:
        """Tell every operator that the device is there; how many heard it, None where nothing is due.

        Raises SigningFailed.
        """
        talk, serving = self._talk, rules.SERVING.get(service.agent.state)
        if talk is None or serving is None or service.lease is None or self._cluster is None:
            return None
        used, node, number = self._host.used(), self._id, service.lease.number

        def make(operator: Pubkey, nonce: bytes) -> Beat:
            return Beat(operator, nonce, serving, node, number, *used)

        return await talk.beat(self._cluster.members.epoch, make)

    async def answer(self) -> None:
        """Answer what operators ask of the sandbox, but for the time in which a wave has it stand still."""
        if self._answers is not None and not self._frozen:
            await self._answers.turn()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Meanwhile the renter's processes stand still, for :data:`FREEZE_SECONDS` at most."""
        if self._node is None or self._frozen:
            yield
            return
        try:
            await self._host.freeze()
        except UserError as error:
            self._log.warning("worker.not_frozen", reason=str(error))
            yield
            return
        self._frozen = True
        thawing = asyncio.create_task(self._thaw_late())
        try:
            yield
        finally:
            thawing.cancel()
            await asyncio.gather(thawing, return_exceptions=True)
            await self._thaw()

    async def undo(self) -> None:
        """End the sandbox; the lease's files stay. Raises SandboxFailed."""
        self._node, self._opened, self._missed, self._id = None, False, None, bytes(NODE_ID)
        await self._host.close()

    async def leave(self) -> None:
        """Say that the device can't serve on."""
        if self._talk is not None and self._cluster is not None:
            await self._talk.leave(self._cluster.members.epoch, Leaving.FAILED)

    async def hush(self) -> None:
        """Speak and listen no more."""
        talk, self._talk, self._cluster, self._answers = self._talk, None, None, None
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        if talk is not None:
            await talk.boards.close()

    def anew(self) -> None:
        """A state begins: nothing of it was done yet."""
        self.facts = self.facts.anew()
        self._due.clear()

    def is_due(self, what: str, seconds: float) -> bool:
        """Whether something is to be done again, so long after it was last done in this state."""
        now = self._clock()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + seconds
        return True

    # -- inside ----------------------------------------------------------------------------------

    async def _miss_lease(self) -> None:
        """The chain has no lease of ours that runs: whatever the disk has of it, nothing runs on for long."""
        now = self._clock()
        self._unlisted = now if self._unlisted is None else self._unlisted
        if now - self._unlisted >= UNLISTED_SECONDS and self._host.address is not None:
            self._log.warning("worker.lease_unlisted")
            await self.undo()

    async def _stands(self, service: Service, talk: Talk, members: Members, me: Member) -> bool:
        """Undo what isn't of this epoch, address or ticket; whether something may be begun or go on now."""
        if self._host.ended:
            self.facts.died = self._host.ended
            return False
        began = self._node is not None
        moved = self._host.address not in (None, me.address) or (began and self._epoch != members.epoch)
        if began and not moved and not self._is_head(members):
            ticket = talk.ticket(members)
            moved = ticket is not None and ticket.token != self._node.token  # type: ignore[union-attr]
        if moved:
            self._log.info("worker.cluster_changed", epoch=members.epoch)
            if service.agent.state is AgentState.ACTIVE:
                self.facts.died = "the cluster has another head"
                return False
            await self.undo()
        if not rules.may_start(service, self._clock()):
            return False
        if self._host.address is None:
            await self._open(service, me.address)
        return True

    async def _join(self, talk: Talk, members: Members, me: Member) -> None:
        """Start the node as soon as there is what it takes."""
        if self._is_head(members):
            # Nobody is let in before it is up: whatever fails until then is the device's own.
            token, head, self._opened = secrets.token_bytes(32), me.address, False
        else:
            await self._host.meet(talk.others(members))
            ticket = talk.ticket(members)
            if ticket is None:
                return
            token, head, self._opened = ticket.token, ticket.head, True
        size = self._host.size
        node = Node(me.address, head, token, size.processors, size.objects)
        await self._host.start(node)
        self._node, self._epoch, self._missed = node, members.epoch, None
        self._log.info("worker.node_started", address=str(me.address), head=node.is_head, epoch=members.epoch)

    async def _ask(self, service: Service, node: Node) -> list[Alive] | None:
        """The head's list of nodes; None where it can't be had now, or isn't asked for yet."""
        if self._frozen or not self.is_due("ask", ASK_SECONDS if self.facts.joined else 0.0):
            return None
        try:
            return await self._host.alive(node)
        except TokenRefused as error:
            self._miss(service, str(error))
        except HeadSilent as error:
            # Of another device's head a node's own process knows more: it ends once that is gone.
            if node.is_head:
                self._miss(service, str(error))
        return None

    def _miss(self, service: Service, reason: str) -> None:
        """The node isn't where it should be; once it was, that is its end after a while."""
        now = self._clock()
        self._missed = now if self._missed is None else self._missed
        if service.agent.state is AgentState.ACTIVE and now - self._missed >= MISSED_SECONDS:
            self.facts.died = reason

    async def _tell(self, talk: Talk, members: Members, me: Member, rows: list[Alive]) -> None:
        """Let others in and out, and say what follows from the node's being there."""
        await self._host.meet(talk.others(members))
        size = self._host.size
        await talk.join(members.epoch, Joined(self._id, size.processors, 0, size.memory))
        if self._is_head(members) and self._node is not None:
            await talk.hand_out(members, self._node.token)
            addresses = {each.address for each in rows}
            alive = {each.device for each in members.nodes if each.address in addresses}
            await talk.view(members, alive, int(self._clock()))

    def _is_head(self, members: Members) -> bool:
        return members.head is not None and members.head.worker == self._device.signer.pubkey()

    async def _open(self, service: Service, address: IPv4Address) -> None:
        assert service.order is not None
        worker = self._device.signer
        await self._host.open(service.lease_name, service.order, worker, service.private, address)

    def _begin_talk(self, service: Service) -> Talk:
        if self._talk is None:
            lease, order = service.lease, service.order
            assert lease is not None and order is not None
            private = PrivateKey(service.private)
            self._talk = Talk(
                self._boards(),
                order,
                self._device.signer,
                lease.number,
                private,
                self._log,
                self._clock,
                lets_out=self._host.lets_out,
                endpoints=self._host.endpoints,
            )
            self._listening = asyncio.create_task(self._talk.listen())
            self._answers = Answers(
                self._talk.boards, self._device.signer, self._host.probe, self._log, self._clock
            )
        return self._talk

    async def _thaw_late(self) -> None:
        await asyncio.sleep(FREEZE_SECONDS)
        self._log.warning("worker.wave_long", seconds=FREEZE_SECONDS)
        await self._thaw()

    async def _thaw(self) -> None:
        if self._frozen:
            self._frozen = False
            try:
                await self._host.thaw()
            except UserError as error:
                self._log.warning("worker.not_thawed", reason=str(error))
                self.facts.died = str(error)
