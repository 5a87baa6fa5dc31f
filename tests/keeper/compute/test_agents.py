"""Two agents in processes of their own serve an order, from its match to its end, over real operators.

Ray runs in their sandboxes; boards and relays are two operators', over HTTP and UDP; the renter is in a third
network, and asks for a way out, to the one host that both suppliers allow. One boot for the
module, a minute or more of it Ray's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import structlog
from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.chain.http import http_client
from keeper.clients import orders
from keeper.clients.orders import Order
from keeper.compute import runtime, ways
from keeper.compute.boards import Boards
from keeper.compute.bodies import EGRESS, Beat, Joined, Key, Serving, Tickets
from keeper.compute.client import Board
from keeper.compute.members import RENTER, Members, members
from keeper.compute.namespace import Namespaces
from keeper.compute.node import HeadSilent, Node, TokenRefused, alive
from keeper.compute.overlay import Overlay, Peer
from keeper.compute.peers import Other
from keeper.compute.proxy import VARIABLES
from keeper.compute.refusals import WireError
from keeper.compute.seal import Ticket, unseal
from keeper.compute.wire import Network
from keeper.economy.orders import LeaseStatus
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.relaying import Relaying
from keeper.operator.limits import Limits
from keeper.operator.metrics import Metrics
from keeper.operator.running import ORDERS_SECONDS
from keeper.pow import profiles
from keeper.worker.state import Enrolment, Store
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.compute import sandboxing
from tests.keeper.compute.agent_child import NAME
from tests.keeper.compute.sandboxing import PYTHON, USER
from tests.keeper.compute.test_cluster import EVERYWHERE, installed, run
from tests.keeper.compute.test_way_out import PAGE, certificate, website
from tests.keeper.operator.network import GENESIS, Net
from tests.keeper.operator.serving import serving
from tests.keeper.worker.leasing import ready
from tests.keeper.worker.operators import device_of
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

__all__ = ["installed"]
NAMES = ("one", "two")
NETWORK = Network(bytes(GENESIS), orders.PROGRAM.address)
LOG = structlog.get_logger()
OPENED = "worker.egress_opened"
SECONDS = 600.0
"""Where something is waited for that never comes; it takes a tenth."""
FETCH = """
import os, ssl, urllib.request as web
page = web.HTTPSHandler(context=ssl.create_default_context(cadata=os.environ["CA"]))
def fetched(url, *more):
    try:
        return len(web.build_opener(page, *more).open(url, timeout=60).read())
    except OSError as error:
        return getattr(error, "reason", error)
print("ALLOWED", fetched("https://models.example/"))
print("OTHER", fetched("https://evil.example/"))
print("STRAIGHT", fetched("https://93.184.216.34/", web.ProxyHandler({})))
"""


class Agent:
    """A device's process, which can be killed."""

    MODULE = "tests.keeper.compute.agent_child"

    def __init__(self, name: str, folder: Path, files: Path, hours: Path, given: dict[str, str]) -> None:
        folder.mkdir()
        file = folder / "key.json"
        file.touch(0o600)
        file.write_text(json.dumps(list(bytes(key(name)))))
        store = Store(folder / "state")
        store.enrol(Enrolment(device_of(key(name)), 1, 0, 4, "numpy", 1))
        store.close()
        self.name, self.files, self.log = name, files, folder / "log"
        mine = {"IONET_KEYPAIR": str(file), "IONET_WORKER": str(folder / "state")}
        # As root a sandbox is made by a real fork, at which OpenBLAS ends its threads: a product that another
        # thread is in would wait for them for ever. It has none but its own here.
        self._environment = {**os.environ, **given, **mine, "OPENBLAS_NUM_THREADS": "1"}
        self.hours = hours
        self.process: asyncio.subprocess.Process | None = None

    @property
    def arguments(self) -> list[str]:
        return [str(self.hours), str(self.files)]

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.MODULE, *self.arguments),
                stderr=log,
                stdout=log,
                env=self._environment,
            )

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def events(self) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_text().splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def state(self) -> str:
        said = [each["state"] for each in self.events() if each["event"] == "worker.serving"]
        return said[-1] if said else ""


class Scene:
    """The chain with an order, two operators' services, and two agents."""

    def __init__(self, world: OrdersWorld, order: Order, boards: Boards, agents: list[Agent]) -> None:
        self.world, self.order, self.boards, self.agents = world, order, boards, agents

    async def until(self, what: str, condition: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(SECONDS):
                while not (found := condition()):
                    await asyncio.sleep(0.2)
                return found
        except TimeoutError:
            logs = "\n".join(f"{each.name}: {each.log.read_text()[-3_000:]}" for each in self.agents)
            raise AssertionError(f"it didn't come: {what}\n{logs}") from None

    async def members(self) -> Members:
        leases = await orders.read_leases_of(self.world.chain, self.order.address)
        order = self.world.read_order(key("renter"))
        return members(order, leases, self.world.chain.now())

    async def said(self) -> list[Any]:
        return [each.message for each in await self.boards.read(self.order.address)]


def tables(folder: Path) -> Path:
    """The table of tables of proof of work, of which there is a tiny one."""
    table = json.loads(profiles.POW_PROFILES.read_text())["profiles"][:1]
    table[0]["classes"] = [1]
    (folder / "tiny.json").write_text(json.dumps({"profiles": table}))
    digest = sha256((folder / "tiny.json").read_bytes()).hexdigest()
    row = {"from": "1970-01-01T00:00:00Z", "file": "tiny.json", "sha256": digest}
    found = folder / "hours.json"
    found.write_text(json.dumps({"tables": [row]}))
    return found


@asynccontextmanager
async def scene(folder: Path, place: Path) -> AsyncIterator[Scene]:
    world = ready(*NAMES, now=int(time.time()))
    now = world.chain.now()
    net = Net(folder, (), world)
    world.chain.warp_to(now + 1)
    order = world.order(key("renter"), devices=2)
    hours = tables(folder)
    async with AsyncExitStack() as stack:
        urls = []
        for number in range(2):
            service = await net.operator(number, limits=Limits(trusted=frozenset()))
            at = folder / f"board {number}"
            at.mkdir()
            office = Office(world.chain, NETWORK, world.operators[number], at, LOG, Metrics())
            stack.callback(office.close)
            office.links = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
            await stack.enter_async_context(office.links.running())
            url, _ = await stack.enter_async_context(serving(service, office))
            urls.append(url)
            stack.push_async_callback(cancelled, asyncio.create_task(refreshing(office)))
        stack.push_async_callback(cancelled, asyncio.create_task(ticking(world)))
        node = RpcNode(world.chain)
        await node.start()
        stack.push_async_callback(node.stop)
        http = await stack.enter_async_context(http_client())
        boards = Boards([Board(url, NETWORK, http) for url in urls], NETWORK, LOG)
        stack.push_async_callback(boards.close)
        site = await stack.enter_async_context(website(certificate(folder)))
        environment = {
            "IONET_EGRESS": json.dumps([NAME]),
            "TESTS_SITE": str(site),
            "IONET_CHAIN": node.url,
            "IONET_OPERATORS": json.dumps(urls),
            "IONET_RUNTIMES": str(place),
            "IONET_LOG": "json",
        }
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ionet-test-")))
        if USER:
            os.chown(files, USER, USER)
        agents = [Agent(name, folder / name, files / name, hours, environment) for name in NAMES]
        try:
            yield Scene(world, order, boards, agents)
        finally:
            for each in agents:
                await each.kill()


async def ticking(world: OrdersWorld) -> None:
    """The chain's clock goes on as ours does."""
    while True:
        await asyncio.sleep(1)
        world.chain.advance(1)


async def refreshing(office: Office) -> None:
    while True:
        await office.refresh()
        await asyncio.sleep(ORDERS_SECONDS)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class Renter:
    """A renter's network, which has the order's members as its peers, by the relays."""

    def __init__(self, at: Scene) -> None:
        self.at, self.private = at, PrivateKey.generate()
        self.peers: dict[Pubkey, Peer] = {}

    @asynccontextmanager
    async def inside(self) -> AsyncIterator[Overlay]:
        spaces = await Namespaces.open(user=USER, python=PYTHON)
        overlay = Overlay(spaces, self.private, RENTER)
        line = ways.Ways(self.at.boards.boards, self.at.order.address, key("renter"), self._deliver, LOG)
        try:
            await overlay.up()
            line.begin()
            said = await self.at.said()
            found = await self.at.members()
            keys = {each.sender: each.body.public for each in said if isinstance(each.body, Key)}
            for node in found.nodes:
                peer = Peer(keys[node.worker], node.address, lambda data, to=node.worker: line.send(to, data))
                self.peers[node.worker] = peer
                await overlay.add(peer)
            line.want({to: Other(each.public, each.address) for to, each in self.peers.items()})
            yield overlay
        finally:
            await line.close()
            overlay.close()
            await spaces.end()

    def _deliver(self, member: Pubkey, data: bytes) -> None:
        if member in self.peers:
            self.peers[member].deliver(data)

    async def ticket(self) -> Ticket:
        """The newest one that the head has sealed for the renter."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = await self.at.members()
                for each in sorted(await self.at.said(), key=lambda one: -one.seq):
                    if isinstance(each.body, Tickets) and each.epoch == found.epoch:
                        for box in each.body.sealed:
                            with suppress(WireError):
                                if box.worker == key("renter").pubkey():
                                    return unseal(box.box, self.private)
                await asyncio.sleep(0.5)

    async def until_alive(self, overlay: Overlay, count: int, other_than: bytes = b"") -> Node:
        """The head, by the newest ticket, once so many nodes are alive."""
        async with asyncio.timeout(SECONDS):
            while True:
                ticket = await self.ticket()
                node = Node(RENTER, ticket.head, ticket.token, 0, 0)
                with suppress(HeadSilent, TokenRefused):
                    if ticket.token != other_than and len(await alive(overlay, node)) == count:
                        return node
                await asyncio.sleep(0.5)


async def work(
    overlay: Overlay, node: Node, code: str = EVERYWHERE, variables: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, str]:
    """Give the cluster a job, again where the head takes longer for it than an answer may take."""
    async with asyncio.timeout(SECONDS):
        while True:
            with suppress(HeadSilent):
                return await run(overlay, node, code, variables)


def told(agent: Agent, event: str) -> list[dict[str, Any]]:
    """What an agent said of something."""
    return [each for each in agent.events() if each["event"] == event]


def states(agent: Agent) -> list[str]:
    """What an agent went through; a try more in a state is the same one."""
    said = [each["state"] for each in agent.events() if each["event"] == "worker.serving"]
    return [state for number, state in enumerate(said) if number == 0 or said[number - 1] != state]


def logged(agents: Sequence[Agent]) -> dict[str, Any]:
    """What all of them said of the whole story."""
    return {
        "states": [states(one) for one in agents],
        "ways out": [told(one, OPENED) for one in agents],
        "names": [{each["name"] for each in told(one, "worker.egress_name")} for one in agents],
        "errors": [
            each for one in agents for each in one.events() if each.get("level") in ("error", "critical")
        ],
    }


def nodes_at(address: str) -> list[int]:
    """Processes of the node itself: those of others name it as their head."""
    asked, told = f"--node-ip-address\0{address}", f"--node_ip_address={address}"
    return sandboxing.alive(asked) + sandboxing.alive(told)


async def beats(at: Scene) -> dict[Any, set[Any]]:
    """Whose beats each operator has, once it has those of both as active."""
    found: dict[Any, dict[Any, Any]] = {}
    async with asyncio.timeout(SECONDS):
        while True:
            found.update(await at.boards.beats(at.order.address))
            bodies = [each.message.body for some in found.values() for each in some.values()]
            if sum(isinstance(b, Beat) and b.serving is Serving.ACTIVE for b in bodies) == 4:
                return {operator: set(some) for operator, some in found.items()}
            await asyncio.sleep(1)


async def serve(folder: Path, place: Path) -> dict[str, Any]:
    """All that is tried, in the order in which it is tried."""
    found: dict[str, Any] = {}
    async with scene(folder, place) as at:
        world, order = at.world, at.order
        renter = Renter(at)
        public = Key(bytes(renter.private.public_key), 0, runtime.identity(), (), EGRESS)
        await at.boards.say(order.address, 0, public, key("renter"), 2)
        for each in at.agents:
            await each.start()
        await at.until("both idle", lambda: [each.state() for each in at.agents] == ["idle", "idle"])
        for name in NAMES:
            world.match(order, name)
        began = time.monotonic()
        await at.until(
            "both accepted",
            lambda: [world.lease(order, name).status for name in NAMES] == [LeaseStatus.RUNNING] * 2,
        )
        found["accepted in"] = time.monotonic() - began
        await at.until("both active", lambda: [each.state() for each in at.agents] == ["active", "active"])
        found["active in"] = time.monotonic() - began
        said = await at.said()
        found["joined"] = {each.sender for each in said if isinstance(each.body, Joined)}
        found["beats"] = await beats(at)
        cluster = await at.members()
        addresses = sorted(str(each.address) for each in cluster.nodes)
        async with renter.inside() as overlay:
            node = await renter.until_alive(overlay, 2)
            found["job"] = await work(overlay, node)
            found["wanted"] = f"NODES {' '.join(addresses)}"
            # As many as the cluster has: each agent opens its own.
            await at.until("both have a way out", lambda: all(told(one, OPENED) for one in at.agents))
            ca = (folder / "ca.pem").read_text()
            found["fetched"] = await work(overlay, node, FETCH, {**VARIABLES, "CA": ca})
            head = next(each for each in at.agents if key(each.name).pubkey() == cluster.head.worker)
            await head.kill()
            await at.until("its sandbox is gone", lambda: not nodes_at(str(cluster.head.address)))
            began = time.monotonic()
            await head.start()
            again = await renter.until_alive(overlay, 2, node.token)
            found["again in"] = time.monotonic() - began
            found["job again"] = await work(overlay, again)
            found["another token"] = again.token != node.token
        for name in NAMES:
            world.end(order, name, key("renter"))
        began = time.monotonic()
        await at.until(
            "no process and no file",
            lambda: (
                not any(sandboxing.alive(each) for each in addresses)
                and not [each for one in at.agents for each in one.files.glob("*")]
            ),
        )
        found["gone in"] = time.monotonic() - began
        await at.until("both idle again", lambda: [each.state() for each in at.agents] == ["idle", "idle"])
        found |= logged(at.agents)
        found["head"] = at.agents.index(head)
        found["said of it"] = [each.body.capabilities for each in said if isinstance(each.body, Key)]
        logs = [one.log.read_text() for one in at.agents]
        found["token in a log"] = any(node.token.hex() in each for each in logs)
    return found


@pytest.fixture(scope="module")
def found(installed: runtime.Runtime, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(serve(tmp_path_factory.mktemp("agents"), installed.folder.parent))


def test_both_accept_once_they_are_ready_and_join(found: dict[str, Any]) -> None:
    workers = {key(name).pubkey() for name in NAMES}
    assert found["joined"] == workers
    assert list(found["beats"].values()) == [workers, workers], "each operator hears each device"


def test_a_renters_job_has_a_task_on_each(found: dict[str, Any]) -> None:
    status, logs = found["job"]
    assert (status, logs.splitlines()[-1]) == ("SUCCEEDED", found["wanted"])


def test_a_task_fetches_from_the_host_that_is_allowed_and_from_no_other(found: dict[str, Any]) -> None:
    status, logs = found["fetched"]
    allowed, other, straight = logs.splitlines()[-3:]
    assert (status, allowed) == ("SUCCEEDED", f"ALLOWED {len(PAGE)}")
    refused = "OTHER Tunnel connection failed: 403 evil.example isn't on the list of this device's supplier"
    assert other.startswith(refused)
    assert straight == "STRAIGHT [Errno 101] Network is unreachable"
    assert all(each & EGRESS for each in found["said of it"]), "both devices and the renter said so"
    assert all(found["ways out"])
    assert found["names"][found["head"]] == {NAME} and found["names"][1 - found["head"]] == set()


def test_a_head_whose_agent_is_killed_comes_back_with_another_token(found: dict[str, Any]) -> None:
    assert found["another token"]
    status, logs = found["job again"]
    assert (status, logs.splitlines()[-1]) == ("SUCCEEDED", found["wanted"])


def test_each_went_through_its_states(found: dict[str, Any]) -> None:
    first = ["idle", "preparing", "joining", "active"]
    end = ["draining", "idle"]
    for number, states in enumerate(found["states"]):
        assert states[:4] == first and states[-2:] == end
        assert "restarting" in states[4:-2] or number == found["head"]
    assert found["errors"] == []


def test_the_end_leaves_no_process_and_no_file_in_time(found: dict[str, Any]) -> None:
    assert found["gone in"] <= 30
    assert not found["token in a log"]
