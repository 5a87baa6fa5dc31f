"""Workers beside real operators' services: waves from the chain's blocks to verified openings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import structlog

from keeper.clients import staking
from keeper.operator.operator import Operator as Served
from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import Code
from keeper.worker.agent import Agent
from keeper.worker.client import Operator
from keeper.worker.sources import Node, Operators
from keeper.worker.state import State, Store
from keeper.worker.work import Device, Works
from tests.keeper.operator.network import GENESIS, Net
from tests.keeper.operator.serving import serving

PROGRAM = staking.PROGRAM.address


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def working(net: Net, served: list[Served], folder: Path, *, node: bool) -> AsyncIterator[Agent]:
    """An agent for all the network's devices, which runs meanwhile."""
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(serving(each)))[0] for each in served]
        http = await stack.enter_async_context(httpx.AsyncClient())
        operators = [Operator(url, http) for url in urls]
        log, genesis = structlog.get_logger(), bytes(GENESIS)
        store = Store(folder / "state")
        stack.callback(store.close)
        devices = [
            Device(each.account, net.profiles[0], each.processors, each.worker) for each in net.devices
        ]
        works = Works(NumpyBackend(), devices)
        network = served[0].desk.network
        source = (
            Node(net.world.chain, network, log, pause=0.01)
            if node
            else Operators(operators, genesis, bytes(PROGRAM), log)
        )
        agent = Agent(devices, operators, [source], works, store, (genesis, PROGRAM), log)
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        yield agent
        stop.set()
        await running


def states(agent: Agent, slot: int) -> list[State | None]:
    """How far each device is with the wave at a slot."""
    found = [agent.store.newest(each.address, 1) for each in agent.devices]
    return [kept[0].state if kept and kept[0].slot == slot else None for kept in found]


async def through_a_wave(tmp_path: Path, *, node: bool) -> None:
    net = Net(tmp_path)
    served = [await net.operator(number) for number in range(3)]
    async with working(net, served, tmp_path, node=node) as agent:
        held = await net.until_wave(*served)
        await until(lambda: states(agent, held.wave.slot) == [State.RECEIPTED] * 2)
        await until(
            lambda: all(len(agent.store.receipts(x.address, held.wave.seed)) == 3 for x in agent.devices)
        )
        await net.go(80, *served)
        await until(lambda: states(agent, held.wave.slot) == [State.OPENED] * 2)
    for each in served:
        await each.collecting.verify()
        opened = each.desk.book.openings(1)
        assert {row.device for row in opened} == {bytes(x.account) for x in net.devices}
        assert {row.code for row in opened} == {Code.PASS}


async def test_a_wave_without_a_node(tmp_path: Path) -> None:
    await through_a_wave(tmp_path, node=False)


async def test_a_wave_by_a_node(tmp_path: Path) -> None:
    await through_a_wave(tmp_path, node=True)


async def test_pings_without_a_node(tmp_path: Path) -> None:
    net = Net(tmp_path)
    served = [await net.operator(number) for number in range(3)]
    async with working(net, served, tmp_path, node=False):
        while not (new := [x for x in served[0].desk.intake.pings.values() if x.ping.hour == 1]):
            await net.go(5, *served)
        seed = new[0].ping.seed
        everybody = {bytes(each.account) for each in net.devices}
        await until(lambda: all(each.desk.intake.pings[seed].answered == everybody for each in served))
