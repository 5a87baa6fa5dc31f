"""A real cluster for a renter: two devices' sandboxes with Ray, boards and a relay over sockets, a chain.

What a device does here of an agent's is what the wire asks of it: a KEY, tickets by the head, JOINED, BEATs,
the first two as an agent says them.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

import httpx2 as httpx
import structlog
from nacl.public import PrivateKey
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.chain.http import http_client
from keeper.cli.localnet_child import free_port
from keeper.clients import orders
from keeper.clients.orders import Order
from keeper.compute import runtime
from keeper.compute.boards import Boards
from keeper.compute.bodies import Beat, Joined, Serving, endpoint
from keeper.compute.client import Board
from keeper.compute.direct import Direct
from keeper.compute.looking import Looked, look
from keeper.compute.namespace import Namespaces
from keeper.compute.node import Node
from keeper.compute.overlay import Overlay
from keeper.compute.peers import Peers
from keeper.compute.proxy import Meter, Proxy, listening
from keeper.compute.sandbox import Sandbox
from keeper.compute.ways import Ways
from keeper.compute.wire import Network
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.relaying import Relaying
from keeper.operator.limits import Limits as Bounds
from keeper.operator.metrics import Metrics
from keeper.worker.serving.talk import Talk
from tests.keeper.compute.booting import LIMITS, OBJECTS, nodes
from tests.keeper.compute.sandboxing import PYTHON, USER, folder
from tests.keeper.operator.network import GENESIS, Net
from tests.keeper.operator.serving import serving
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

NETWORK = Network(bytes(GENESIS), orders.PROGRAM.address)
LOG = structlog.get_logger()
LOOK_SECONDS, BEAT_SECONDS = 1.0, 20.0
ALLOWED = ("models.example",)
"""Where devices let their renter's code out to: a name that leads nowhere."""


@dataclass
class Device:
    """One that is leased: its sandbox, its network, its ways to others."""

    name: str
    number: int
    address: IPv4Address
    sandbox: Sandbox
    overlay: Overlay
    ways: Ways
    peers: Peers
    talk: Talk


@dataclass
class Hired:
    """A renter's order, who serves it, and where boards are."""

    world: OrdersWorld
    order: Order
    urls: list[str]
    offices: list[Office]
    http: httpx.AsyncClient
    token: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    devices: dict[str, Device] = field(default_factory=dict)

    @property
    def renter(self) -> Keypair:
        return key("renter")

    def boards(self) -> Boards:
        return Boards([Board(each, NETWORK, self.http) for each in self.urls], NETWORK, LOG)

    async def look(self, boards: Boards) -> Looked:
        return await look(self.world.chain, boards, self.order.address)


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def hired(place: Path, operators: int = 1) -> AsyncIterator[Hired]:
    """An order with two leases that run, by this machine's clock, and operators with a board and a relay."""
    world = OrdersWorld.ready(now=int(time.time()) - 600)  # Each turn moves the clock on.
    world.renter("renter")
    supplier = world.supplier("supplier")
    for name in ("one", "two"):
        world.let(name, supplier)
    world.order(key("renter"))
    for name in ("one", "two"):
        world.run(world.read_order(key("renter"), 1), name)
    net = Net(place, (), world)
    async with AsyncExitStack() as stack:
        http = http_client()
        stack.push_async_callback(http.aclose)
        here = Hired(world, world.read_order(key("renter"), 1), [], [], http)
        for number in range(operators):
            relay = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
            await stack.enter_async_context(relay.running())
            service = await net.operator(number, limits=Bounds(trusted=frozenset(), reader=Rate(6_000, 600)))
            at = place / f"board-{number}"
            at.mkdir()
            world.chain.warp_to(int(time.time()))  # A network for waves begins at its own time.
            signer = world.operators[number]
            office = Office(world.chain, NETWORK, signer, at, LOG, Metrics(), links=relay, unix_ms=unix_ms)
            stack.callback(office.close)
            await office.refresh()
            url, _ = await stack.enter_async_context(serving(service, office))
            here.urls.append(url)
            here.offices.append(office)
        yield here


@asynccontextmanager
async def devices(here: Hired, *names: str) -> AsyncIterator[Boards]:
    """Have devices be members, with nothing in their sandboxes; gives the boards."""
    async with AsyncExitStack() as stack:
        for name in names:
            here.devices[name] = await stack.enter_async_context(_device(here, name))
        boards = here.boards()
        stack.push_async_callback(boards.close)
        tasks = [asyncio.create_task(_serve(here, each)) for each in here.devices.values()]
        stack.push_async_callback(_cancelled, tasks)
        yield boards


@asynccontextmanager
async def served(here: Hired, installed: runtime.Runtime, *names: str) -> AsyncIterator[None]:
    """Have devices serve: agents' part, Ray in their sandboxes, until all nodes are alive."""
    async with devices(here, *names) as boards, AsyncExitStack() as stack:
        members = (await here.look(boards)).members
        head = next(each for each in here.devices.values() if each.address == members.head.address)
        said = Node(head.address, head.address, here.token, 1, OBJECTS)
        # A node gives a head that isn't up yet half a minute, which a loaded machine takes.
        for number, each in enumerate(sorted(here.devices.values(), key=lambda each: each is not head)):
            node = Node(each.address, head.address, here.token, 1, OBJECTS)
            await each.sandbox.run(node.job(installed, LIMITS))
            if number in (0, len(here.devices) - 1):
                count = number + 1
                found = await nodes(head.overlay, said, lambda rows: len(rows) == count, each.sandbox)  # noqa: B023
        for name, each in here.devices.items():
            of = next(row.node for row in found if row.address == each.address)
            await boards.say(here.order.address, members.epoch, Joined(of, 1, 0, LIMITS.memory), key(name))
        beats = asyncio.create_task(_beat(here, boards, members.epoch))
        stack.push_async_callback(_cancelled, [beats])
        yield


@asynccontextmanager
async def _device(here: Hired, name: str) -> AsyncIterator[Device]:
    lease = here.world.lease(here.order, name)
    boards = here.boards()
    members = (await here.look(boards)).members
    private = PrivateKey.generate()
    with folder() as place:
        spaces = await Namespaces.open(user=USER, python=PYTHON)
        sandbox = Sandbox(spaces, place, USER)
        address = next(each.address for each in members.nodes if each.device == lease.device)
        overlay = Overlay(spaces, private, address)

        def deliver(sender: Pubkey, datagram: bytes) -> None:
            peers.deliver(sender, datagram)

        # Nobody takes it, as this machine's own address isn't public, but for a test that has it be so.
        port = free_port(socket.SOCK_DGRAM)
        direct = Direct(NETWORK, here.order.address, key(name), LOG, port)
        ways = Ways(boards.boards, here.order.address, key(name), deliver, LOG, direct=direct)
        peers = Peers(overlay, ways.send)
        talk = Talk(
            boards,
            here.order.address,
            key(name),
            lease.number,
            private,
            LOG,
            endpoints=(endpoint("127.0.0.1", port),),
        )
        try:
            await overlay.up()
            ways.begin()
            while await talk.introduce() is not None:
                pass  # A board that is slow is asked again.
            out = Proxy(ALLOWED, Meter(1 << 20), overlay.line, list, LOG)
            async with out.open(*await listening(spaces, address)):
                yield Device(name, lease.number, address, sandbox, overlay, ways, peers, talk)
        finally:
            await ways.close()
            await boards.close()
            overlay.close()
            await sandbox.end()


async def _serve(here: Hired, device: Device) -> None:
    """Have the other members, and the renter by its newest KEY, for peers; as the head, post tickets."""
    boards, talk = here.boards(), device.talk
    while True:
        found = await here.look(boards)
        for each in found.said:
            talk.hear(each)
        wanted = talk.others(found.members)
        assert await device.peers.meet(wanted) == {}
        device.ways.want(wanted)
        head = found.members.head
        if head is not None and head.address == device.address:
            await talk.hand_out(found.members, here.token)
        await asyncio.sleep(LOOK_SECONDS)


async def _beat(here: Hired, boards: Boards, epoch: int) -> None:
    while True:
        for name, device in here.devices.items():

            def beat(operator: Pubkey, nonce: bytes, device: Device = device) -> Beat:
                return Beat(operator, nonce, Serving.ACTIVE, bytes(28), device.number, 1, 2, 3, 4, 5)

            await boards.beat(here.order.address, epoch, key(name), beat)
        await asyncio.sleep(BEAT_SECONDS)


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
    for each in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(each, Exception):
            raise each
