"""A hired device on an embedded chain: real boards in this process, the chain's clock, a fake node."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

import structlog
from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.chain.fees import FeePolicy
from keeper.chain.services import OperatorError, Refused
from keeper.clients import orders, staking
from keeper.clients.orders import Lease
from keeper.compute.board import Board, Parties, parties
from keeper.compute.boards import Boards
from keeper.compute.bodies import Beat, Kind
from keeper.compute.client import Identity, Numbered, Posted
from keeper.compute.namespace import SandboxFailed
from keeper.compute.node import Alive, HeadSilent, Node
from keeper.compute.probe import answer
from keeper.compute.refusals import WireError
from keeper.compute.states import AgentState
from keeper.compute.wire import Message, Network, Signed, decode
from keeper.economy.orders import LeaseStatus
from keeper.market.accepting import Hindrance
from keeper.worker.serving.book import ServiceBook
from keeper.worker.serving.hired import Hired
from keeper.worker.serving.host import Other, Size, Usage
from keeper.worker.serving.serving import Serving
from tests.keeper.worker.leasing import Site, ready
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

GENESIS = bytes(range(32))
T = TypeVar("T")
NETWORK = Network(GENESIS, orders.PROGRAM.address)
IDLE, PREPARING, JOINING = AgentState.IDLE, AgentState.PREPARING, AgentState.JOINING
ACTIVE, RESTARTING, DRAINING = AgentState.ACTIVE, AgentState.RESTARTING, AgentState.DRAINING


def at_once(asking: Coroutine[Any, Any, T]) -> T:
    """The answer of an embedded chain, which waits for nothing."""
    try:
        asking.send(None)
    except StopIteration as found:
        return found.value
    raise AssertionError("it waits")


class LocalBoard:
    """An operator's real board, asked without HTTP, as :class:`keeper.compute.client.Board` is."""

    def __init__(self, world: OrdersWorld, number: int) -> None:
        self.world = world
        self.url = f"board {number}"
        self.network = NETWORK
        self.operator = world.operators[number].pubkey()
        self.identity: Identity | None = Identity(self.operator, None)
        self.board = Board(":memory:", NETWORK, self.operator, self.find)
        self.away = False
        self.posts = 0
        self.seed = b""
        """What is asked with the answer to each BEAT."""

    def find(self, order: Pubkey) -> Parties | None:
        data = self.world.chain.get(order)
        if data is None:
            return None
        found = orders.parse_order(data.data)
        return parties(found, self.leases(), self.world.chain.now())

    def leases(self) -> list[Lease]:
        return list(at_once(orders.read_leases(self.world.chain)).values())

    async def _here(self) -> None:
        if self.away:
            raise OperatorError(f"{self.url} is away")

    async def identify(self) -> Identity:
        await self._here()
        assert self.identity is not None
        return self.identity

    async def post(self, signed: Signed) -> Posted:
        await self._here()
        self.posts += 1
        now = self.world.chain.now()
        try:
            taken = self.board.post(signed.encode(), self.url, now * 1_000, now)
        except WireError as error:
            raise Refused(error.why, str(error), 0) from error
        asks = isinstance(signed.message.body, Beat)
        return Posted(taken.number, taken.nonce, self.seed if asks else b"")

    async def nonce(self, order: Pubkey, worker: Pubkey) -> bytes:
        await self._here()
        try:
            return self.board.nonce(order, worker)
        except WireError as error:
            raise Refused(error.why, str(error), 0) from error

    async def after(self, order: Pubkey, number: int, *, waits: bool = True) -> list[Numbered]:
        await self._here()
        rows = self.board.after(order, number)
        return [Numbered(n, decode(data, NETWORK, order)) for n, data in rows]

    async def accuse(self, proof) -> None:
        await self._here()
        self.board.accuse(proof.encode(), self.url, self.world.chain.now())

    async def beats(self, order: Pubkey) -> list[Signed]:
        await self._here()
        return [decode(each, NETWORK) for each in self.board.beats(order)]

    def said(self, order: Pubkey) -> list[Message]:
        """All that is on it but BEATs."""
        found: list[Message] = []
        number = 0
        while rows := self.board.after(order, number):
            found += [decode(data, NETWORK).message for _, data in rows]
            number = rows[-1][0]
        return found


class Cloud:
    """The fake nodes of all devices: a head's list has those that found it, in the overlay, by its token."""

    def __init__(self) -> None:
        self.hosts: list[FakeHost] = []
        self.made = 0

    def head(self, address: IPv4Address, token: bytes) -> FakeHost | None:
        for each in self.hosts:
            node = each.node
            if node is not None and node.is_head and (node.address, node.token) == (address, token):
                return each
        return None


class FakeHost:
    """What :class:`keeper.worker.serving.machine.Machine` does, without doing it; misbehaves when told to."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.address: IPv4Address | None = None
        self.public = b""
        self.node: Node | None = None
        self.id = b""
        self.ended = ""
        self.others: dict[Pubkey, Other] = {}
        self.size = Size(4, 1 << 30, 1 << 28)
        self.lack: Hindrance | None = None
        self.sound = True
        self.fails: str = ""
        """Why no sandbox can be opened."""
        self.dies: str = ""
        """Why every node that is started dies."""
        self.stays = False
        """Whether files can't be deleted."""
        self.frozen = False
        self.stuck = False
        """Whether no command can be run in the sandbox, in which the node still seems to be."""
        self.lets_out = False
        self.endpoints = ()
        self.way_out = False
        """Whether the renter's code is let out."""
        self.calls: list[str] = []
        cloud.hosts.append(self)

    async def lacks(self) -> Hindrance | None:
        return self.lack

    async def keep_only(self, lease: str) -> None:
        self.calls.append(f"keep only {'the lease' if lease else 'nothing'}")
        for each in self.folder.glob("*"):
            if each.name != lease:
                each.unlink()

    async def open(self, lease, order, signer, private, address) -> None:
        if self.fails:
            raise SandboxFailed(self.fails)
        assert self.address is None
        self.calls.append("open")
        self.address, self.public = address, bytes(PrivateKey(private).public_key)
        (self.folder / lease).touch()
        self.lease = lease

    async def meet(self, others: Mapping[Pubkey, Other]) -> None:
        self.others = dict(others)

    async def let_out(self, asked: bool) -> None:
        self.way_out = asked

    async def start(self, node: Node) -> None:
        assert self.address is not None and self.node is None
        self.calls.append("head" if node.is_head else "node")
        self.cloud.made += 1
        self.node, self.id = node, self.cloud.made.to_bytes(28, "big")
        if self.dies:
            self.ended = self.dies

    async def alive(self, node: Node) -> list[Alive]:
        head = self.cloud.head(node.head, node.token)
        if head is None or head.ended or head.frozen:
            raise HeadSilent(f"the head at {node.head} doesn't answer")
        found = []
        for each in self.cloud.hosts:
            if each.node is None or each.ended or each.node.token != node.token:
                continue
            sees = each is head or (
                any(other.public == each.public for other in head.others.values())
                and any(other.public == head.public for other in each.others.values())
            )
            if sees and each.node.head == node.head:
                found.append(Alive(each.id, each.node.address))
        return found

    async def probe(self, seed: bytes) -> bytes:
        self.calls.append("probe")
        if self.address is None or self.stuck:
            raise SandboxFailed("the sandbox doesn't answer")
        return answer(seed)

    async def freeze(self) -> None:
        self.frozen = True
        self.calls.append("freeze")

    async def thaw(self) -> None:
        self.frozen = False
        self.calls.append("thaw")

    async def close(self) -> None:
        if self.address is not None:
            self.calls.append("close")
        self.address, self.node, self.ended, self.others, self.frozen = None, None, "", {}, False
        self.way_out = False

    async def end(self) -> None:
        await self.close()
        if self.stays:
            raise SandboxFailed("the folder can't be deleted")
        for each in self.folder.glob("*"):
            each.unlink()
        self.calls.append("end")

    async def clear(self) -> None:
        self.calls.append("clear")

    async def is_sound(self) -> bool:
        self.calls.append("try alone")
        return self.sound

    def used(self) -> Usage:
        return Usage(60, 1_000, 2_000, 3_000, 4_000)


class HiredSite(Site):
    """A device's folder with all that serves its leases; again with the same folder after a kill."""

    def __init__(
        self,
        world: OrdersWorld,
        folder: Path,
        name: str,
        cloud: Cloud,
        boards: Iterable[LocalBoard],
        ahead: float = 0.0,
    ) -> None:
        """``ahead`` are seconds by which the machine's clock is ahead of the chain's."""
        super().__init__(world, folder, [name])
        self.boards = list(boards)
        files = folder / "leases"
        files.mkdir(exist_ok=True)
        self.host = FakeHost(cloud, files)
        log = structlog.get_logger()
        self.sleeping = asyncio.Event()

        async def sleep(_: float) -> None:
            await asyncio.sleep(0)

        self.hired = Hired(
            self.devices[0],
            self.host,
            self.book,
            ServiceBook(self.store),
            world.chain,
            lambda: Boards(self.boards, NETWORK, log, unix_ms=lambda: world.chain.now() * 1_000, sleep=sleep),
            FeePolicy(),
            log,
            clock=lambda: world.chain.now() + ahead,
        )
        self.serving = Serving([self.hired], log)
        self.readiness._serves = self.serving.hindrance

    @property
    def state(self) -> AgentState:
        return self.hired.service.agent.state

    async def beat(self) -> int | None:
        return await self.hired.part.beat(self.hired.service)

    async def turn(self, times: int = 1) -> None:
        """Look at the chain, and do all that follows from it at this second."""
        for _ in range(times):
            await self.look()
            await self.hired.turn()
            await self.hired.settle()
            # What boards have is heard in a task of its own.
            for _ in range(20):
                await asyncio.sleep(0)
            await self.hired.turn()

    async def kill(self) -> None:
        """As SIGKILL does, which sandboxes don't outlive: nothing is said or tidied up."""
        await self.hired._halt()
        talk = self.hired.part._talk
        if self.hired.part._listening is not None:
            self.hired.part._listening.cancel()
        if talk is not None:
            await talk.boards.close()
        self.host.cloud.hosts.remove(self.host)
        self.store.close()


class Field:
    """Devices, their boards and their chain."""

    def __init__(self, folder: Path, names: Sequence[str], may_end: bool = False) -> None:
        self.world = ready(*names)
        if may_end:
            for name in names:
                device = self.world.read_device(name)
                call = staking.change_device(
                    device,
                    tier=device.tier,
                    country=device.country,
                    ask_io=device.ask_io,
                    ask_usdc=device.ask_usdc,
                    worker_may_end=True,
                )
                self.world.do(call, signers=[key("supplier")])
        self.world.chain.advance(1)
        self.folder, self.cloud = folder, Cloud()
        self.boards = [LocalBoard(self.world, number) for number in range(3)]
        self.sites = {name: self.site(name) for name in names}

    def site(self, name: str) -> HiredSite:
        return HiredSite(self.world, self.folder / name, name, self.cloud, self.boards)

    async def begin(self, *names: str) -> None:
        for name in names or self.sites:
            await self.sites[name].hired.begin()
            await self.sites[name].turn()

    async def turns(self, times: int = 4) -> None:
        for _ in range(times):
            for each in self.sites.values():
                await each.turn()
            self.world.chain.advance(6)

    async def again(self, name: str) -> HiredSite:
        """Kill a device's process, and start it anew."""
        await self.sites[name].kill()
        self.sites[name] = self.site(name)
        await self.begin(name)
        return self.sites[name]

    def states(self) -> list[AgentState]:
        return [each.state for each in self.sites.values()]

    def said(self, order: orders.Order, number: int = 0) -> list[Kind]:
        return [each.body.KIND for each in self.boards[number].said(order.address)]


async def close(found: Field) -> None:
    for each in found.sites.values():
        await each.hired.close()
        each.close()


def lease(field: Field, order: orders.Order, name: str = "one") -> orders.Lease:
    return field.world.lease(order, name)


async def reach(field: Field, order: orders.Order, state: AgentState) -> HiredSite:
    """Bring the first device's lease to a state, in which nothing of it has been done yet."""
    one = field.sites["one"]
    field.world.match(order, "one")
    if state is PREPARING:
        await one.look()
        await one.hired.turn()
        await one.hired._halt()
        return one
    if state is JOINING:
        await one.look()
        while one.newest("one").status != LeaseStatus.RUNNING:
            await one.hired.turn()
            await one.hired.settle()
            await one.look()
        await one.hired.turn()
        await one.hired._halt()
        return one
    await field.turns(4)
    if state is RESTARTING:
        one.host.ended = "its command ended with 1"
        await one.turn(2)
    if state is DRAINING:
        one.host.stays = True
        field.world.end(order, "one", key("renter"))
        await one.turn(2)
    return one
