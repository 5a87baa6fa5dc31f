"""What operators find of real agents: one that beats and doesn't serve, one that is killed, one that serves.

Three agents in processes of their own, with Ray in their sandboxes; two operators' boards, relays and votes,
while the third says nothing; the network's clock, which agents have from a file, is moved by the test once
everybody has said what is due. The money is the model's, of every account. One boot for the module.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.chain.http import http_client
from keeper.clients import orders
from keeper.compute import runtime
from keeper.compute.boards import Boards
from keeper.compute.bodies import Complaint, Probed, View, Wrong
from keeper.compute.client import Board
from keeper.compute.liveness import JOINING_SECONDS
from keeper.compute.members import members
from keeper.compute.wire import decode
from keeper.economy import orders as economy
from keeper.economy.calendar import HOUR
from keeper.economy.orders import LeaseStatus
from keeper.jobs.faults import DELAY_SECONDS, Bench, vote_faults
from keeper.jobs.port import Direct
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.relaying import Relaying
from keeper.operator.limits import Limits
from keeper.operator.metrics import Metrics
from tests.e2e.conftest import embedded
from tests.e2e.market import Told
from tests.e2e.network import ORDERS, PURSE_IO, Network
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.compute.sandboxing import USER
from tests.keeper.compute.test_agents import NETWORK, SECONDS, Agent, nodes_at, tables
from tests.keeper.compute.test_cluster import installed
from tests.keeper.operator.network import Net
from tests.keeper.operator.serving import serving
from tests.keeper.worker.leasing import NOBODY_LISTENS
from tests.model.orders.state import BY_FAULT, COMPLETED, Lease, Terms
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import MALLORY
from tests.programs.world import key

__all__ = ["installed"]
LOG = structlog.get_logger()
NAMES = ("found one", "found two", "found three")
HOURS = 3
RATE = 4 * ASK_IO
STEP = 30
"""Seconds of the network's clock, in each of which an agent beats once."""


class Clocked(Agent):
    """An agent by the network's clock."""

    MODULE = "tests.keeper.compute.clocked_child"

    def __init__(self, name: str, folder: Path, files: Path, hours: Path, given: dict[str, str]) -> None:
        self.place = folder.with_name(f"{folder.name} clock")
        self.place.mkdir()
        (self.place / "clock").write_bytes(bytes(8))
        super().__init__(name, folder, files, hours, given)

    @property
    def arguments(self) -> list[str]:
        return [str(self.place), *super().arguments]


class Scene:
    """A network whose clock is its chain's, an order for three devices, two operators' services."""

    def __init__(self, network: Network) -> None:
        self.network, self.chain = network, network.pair.world.chain
        self.offices: list[Office] = []
        self.agents: dict[str, Clocked] = {}
        self.silent: set[str] = set()
        self.idle: set[str] = set()

    def build(self) -> None:
        """A renter, and a supplier for each device."""
        network = self.network
        self.renter = network.join("found renter")
        self.suppliers = {name: network.join(f"{name}'s supplier") for name in NAMES}
        self.devices = {name: network.let(name, self.suppliers[name], MINIMUM) for name in NAMES}
        for name in NAMES:
            self.chain.airdrop(key(name).pubkey(), 10**7)
        self.order = network.open(self.renter, Terms(ASK_IO, HOURS, len(NAMES), 4, (1,)))
        self.order_at = Pubkey(self.order)

    def lease(self, name: str) -> Lease:
        return self.network.lease(self.order, self.devices[name])

    def onchain(self, name: str) -> orders.Lease:
        data = self.chain.get(Pubkey(self.network.address_of(self.lease(name))))
        return orders.parse_lease(data.data)

    def move(self, seconds: int) -> None:
        """Move the clock of everybody."""
        self.chain.advance(seconds)
        for each in self.agents.values():
            with (each.place / "clock").open("r+b") as file:
                file.write(self.chain.now().to_bytes(8, "little"))

    async def until(self, what: str, condition: Callable[[], Any], moves: bool = False) -> None:
        """Wait for something; the clock goes on meanwhile, at half the machine's, where it has to."""
        try:
            async with asyncio.timeout(SECONDS):
                beats = 0
                while not condition():
                    await asyncio.sleep(0.2)
                    beats += 1
                    if moves and beats % 10 == 0:
                        self.move(1)
                        for each in self.offices:
                            await each.refresh()
        except TimeoutError:
            logs = "\n".join(f"{n}: {each.log.read_text()[-3_000:]}" for n, each in self.agents.items())
            raise AssertionError(f"it didn't come: {what}\n{logs}") from None

    def states(self) -> set[str]:
        return {each.state() for each in self.agents.values()}

    async def step(self, times: int = 1) -> None:
        """Half a minute, in which whoever can has beaten, and said to operators what they ask."""
        for _ in range(times):
            self.move(STEP)
            for each in self.offices:
                await each.refresh()
            await self.until("BEATs", self._has_beaten)
            await self.until("answers", self._has_answered)

    def _has_beaten(self) -> bool:
        workers = [key(name).pubkey() for name in NAMES if name not in self.silent]
        told = [each.board.heard().get((self.order_at, one)) for each in self.offices for one in workers]
        return all(each is not None and each.ms >= self.chain.now() * 1_000 for each in told)

    def _has_answered(self) -> bool:
        lazy = {self.onchain(name).address for name in self.silent | self.idle}
        cases = [case for each in self.offices for case in each.prober._cases.items()]
        return not [name for name, case in cases if case.asked and name[0] not in lazy]

    async def to_minute(self) -> None:
        """Steps begin five seconds after a full minute."""
        self.move((5 - self.chain.now()) % 60)

    async def complain(self, *names: str) -> None:
        renter = self.network.pair.keys[self.renter]
        for name in names:
            body = Complaint(Pubkey(self.devices[name]), self.chain.now(), Wrong.OTHER)
            await self.boards.say(self.order_at, 0, body, renter, len(self.offices))

    def said(self) -> list[Any]:
        found = []
        for office in self.offices:
            number = 0
            while rows := office.board.after(self.order_at, number):
                found += [decode(data, NETWORK).message.body for _, data in rows]
                number = rows[-1][0]
        return found

    async def vote(self, number: int) -> list[Event]:
        world = self.network.pair.world
        port = Direct(world.chain, world.operators[number], LOG)
        return await vote_faults(port, bench=self.benches[number], now=self.chain.now() + DELAY_SECONDS)

    async def votes(self) -> list[Event]:
        return [event for number in range(2) for event in await self.vote(number)]


@asynccontextmanager
async def running(at: Scene, folder: Path, runtimes: Path) -> AsyncIterator[None]:
    world, now = at.network.pair.world, at.network.now
    net = Net(folder, (), world)
    at.network.pair.warp(now + 1)
    hours = tables(folder)
    async with AsyncExitStack() as stack:
        urls = []
        for number in range(2):
            service = await net.operator(number, limits=Limits(trusted=frozenset()))
            place = folder / f"board {number}"
            place.mkdir()
            signer, times = world.operators[number], {"unix_ms": lambda: at.chain.now() * 1_000}
            office = Office(
                at.chain,
                NETWORK,
                signer,
                place,
                LOG,
                Metrics(),
                monotonic=lambda: float(at.chain.now()),
                **times,
            )
            stack.callback(office.close)
            office.links = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
            if number == 0:
                await stack.enter_async_context(office.links.running())
            else:
                at.second_relay = await stack.enter_async_context(AsyncExitStack())
                await at.second_relay.enter_async_context(office.links.running())
            url, _ = await stack.enter_async_context(serving(service, office))
            urls.append(url)
            at.offices.append(office)
        node = RpcNode(at.chain)
        await node.start()
        stack.push_async_callback(node.stop)
        http = await stack.enter_async_context(http_client())
        boards = [Board(url, NETWORK, http) for url in urls]
        at.boards = Boards(boards, NETWORK, LOG, unix_ms=lambda: at.chain.now() * 1_000)
        stack.push_async_callback(at.boards.close)
        urls.append(NOBODY_LISTENS)
        at.benches = [Bench(urls, folder / f"rewards {number}") for number in range(2)]
        given = {
            "IONET_CHAIN": node.url,
            "IONET_OPERATORS": f'["{urls[0]}", "{urls[1]}"]',
            "IONET_RUNTIMES": str(runtimes),
            "IONET_LOG": "json",
        }
        files = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ionet-test-")))
        if USER:
            os.chown(files, USER, USER)
        for name in NAMES:
            at.agents[name] = Clocked(name, folder / name, files / name, hours, given)
        try:
            at.move(1)
            for each in at.agents.values():
                await each.start()
            yield
        finally:
            for each in at.agents.values():
                await each.kill()


async def serve(at: Scene, folder: Path, runtimes: Path) -> dict[str, Any]:  # noqa: PLR0915 - one story
    found: dict[str, Any] = {}
    network = at.network
    async with running(at, folder, runtimes):
        await at.until("all idle", lambda: at.states() == {"idle"}, moves=True)
        told = Told(network)
        for name in NAMES:
            assert network.match(at.order, at.devices[name]) == "match_device"
        told.own()
        at.move(1)
        status = lambda: [at.onchain(name).status for name in NAMES]  # noqa: E731
        await at.until("all accepted", lambda: status() == [LeaseStatus.RUNNING] * 3, moves=True)
        assert told.others() == ["LeaseAccepted"] * 3
        await at.until("all active", lambda: at.states() == {"active"}, moves=True)
        order = orders.parse_order(at.chain.get(at.order_at).data)
        cluster = members(order, [at.onchain(name) for name in NAMES], at.chain.now())
        served = next(name for name in NAMES if key(name).pubkey() == cluster.head.worker)
        lazy, killed = (name for name in NAMES if name != served)
        addresses = {name: str(cluster.of(key(name).pubkey()).address) for name in NAMES}
        found["names"] = served, lazy, killed

        # Everybody is complained of, and everybody answers: that costs nobody anything.
        at.move(max(0, at.lease(killed).start + JOINING_SECONDS - at.chain.now()))
        await at.to_minute()
        await at.step(8)
        await at.complain(*NAMES)
        await at.step(12)
        found["answered"] = {(each.operator, each.number) for each in at.said() if isinstance(each, Probed)}
        found["votes on complaints"] = await at.votes()
        found["words on complaints"] = [
            each.prober.words(at.onchain(name), at.chain.now()) for each in at.offices for name in NAMES
        ]

        # A relay is gone for good, and one device's node, whose agent beats on.
        await at.second_relay.aclose()
        at.idle.add(lazy)
        (at.agents[lazy].place / "idle").touch()
        for process in nodes_at(addresses[lazy]):
            with suppress(ProcessLookupError):  # It ends with one that was killed before.
                os.kill(process, signal.SIGKILL)
        device = Pubkey(at.devices[lazy])
        missed = lambda: any(  # noqa: E731
            isinstance(each, View) and any(r.device == device and not r.alive for r in each.seen)
            for each in at.said()
        )
        await at.until("its head misses it", missed, moves=True)
        at.move(max(0, at.lease(lazy).start + HOUR - at.chain.now()))
        await at.to_minute()
        await at.complain(lazy, served)
        await at.step(2)
        found["votes without probes"] = await at.votes()
        await at.step(8)
        found["votes on the lazy one"] = await at.votes()
        told.others()

        # Another one's agent is killed; it says nothing more, nor may the one whose lease is over.
        at.silent |= {lazy, killed}
        await at.agents[killed].kill()
        await at.step(5)
        found["votes too early"] = await at.votes()
        await at.step(4)
        found["votes on the killed one"] = await at.votes()
        told.others()
        found["is alive"] = bool(nodes_at(addresses[served]))

        # The third one serves to its end.
        await at.step(4)
        found["votes at last"] = await at.votes()
        at.move(max(0, at.lease(served).stop - at.chain.now()))
        await at.until("it is idle", lambda: at.agents[served].state() == "idle", moves=True)
        found["files"] = [each.name for each in at.agents[served].files.glob("*")]
        found["errors"] = [each for each in at.agents[served].events() if each.get("level") == "error"]
        network.pair.tell_time(network.now)
    found["leases"] = {name: at.lease(name) for name in NAMES}
    return found


@pytest.fixture(scope="module")
def scene() -> Scene:
    network = Network(embedded(verify_signatures=False), replace(ORDERS, accept_window=3_600))
    network.pair.world.operators = [key(f"operator {number}") for number in range(3)]
    at = Scene(network)
    at.build()
    return at


@pytest.fixture(scope="module")
def found(
    scene: Scene, installed: runtime.Runtime, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    return asyncio.run(serve(scene, tmp_path_factory.mktemp("found"), installed.folder.parent))


def names_of(events: list[Event]) -> list[str]:
    return [each.name for each in events]


def test_who_serves_answers_each_operator_and_a_complaint_costs_nothing(found: dict[str, Any]) -> None:
    assert len(found["answered"]) == 2 * 1, "two operators, and each device's first lease"
    assert found["votes on complaints"] == []
    assert [len(each.complaints) for each in found["words on complaints"]] == [1] * 6
    assert [each.probes_failed for each in found["words on complaints"]] == [()] * 6


def test_who_beats_and_does_not_serve_is_found_by_complaint_view_and_probe(found: dict[str, Any]) -> None:
    assert found["votes without probes"] == [], "the renter and the head's list alone cost nobody anything"
    events = found["votes on the lazy one"]
    assert names_of(events) == ["FaultVoted", "FaultVoted", "LeaseEnded"]
    first, second, _ = events
    assert first.fields["evidence"] == second.fields["evidence"]
    assert [each.fields["good_hours"] for each in (first, second)] == [1, 1]


def test_a_killed_agent_s_lease_ends_by_the_votes_of_two_and_not_before(found: dict[str, Any]) -> None:
    assert found["votes too early"] == []
    events = found["votes on the killed one"]
    assert names_of(events) == ["FaultVoted", "FaultVoted", "LeaseEnded"]
    assert events[0].fields["evidence"] == events[1].fields["evidence"]
    assert [each.fields["good_hours"] for each in events[:2]] == [1, 1]


def test_who_serves_beside_them_is_untouched(found: dict[str, Any]) -> None:
    assert found["is alive"] and found["votes at last"] == []
    assert (found["files"], found["errors"]) == ([], [])


def test_the_money_is_the_model_s(scene: Scene, found: dict[str, Any]) -> None:
    network, (served, lazy, killed) = scene.network, found["names"]
    assert network.do_end(MALLORY, scene.lease(served)) == "end_lease"
    network.wait_until(scene.lease(served).stop + ORDERS.settlement_lag)
    for name, hours, reason in ((served, HOURS, COMPLETED), (lazy, 1, BY_FAULT), (killed, 1, BY_FAULT)):
        lease, before = scene.lease(name), network.money(scene.suppliers[name])
        assert lease.reason == reason
        assert network.do_settle(lease) == "settle"
        assert network.do_close_lease(lease.payer, lease) == "close_lease"
        principal = economy.principal(RATE, hours)
        due = principal - economy.fee(principal, ORDERS.supplier_fee_bps)
        assert network.money(scene.suppliers[name]) == before + due
    for name, fault in list(network.model.faults.items()):
        assert network.do_close_fault(fault.payer, name) == "close_fault"
    assert network.close(scene.order) == "close_order"
    spent, served_hours = PURSE_IO - network.money(scene.renter), HOURS + 1 + 1
    principal = economy.principal(RATE, served_hours)
    assert spent == principal + economy.fee(principal, ORDERS.renter_fee_bps)
