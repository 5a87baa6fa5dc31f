"""An order that is really served here, for ``ionet cluster demo``: operators, agents, the renter."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import socket
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import httpx2 as httpx
from pydantic import AnyHttpUrl
from rich.table import Table
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.cli import options
from keeper.cli.cluster_demo import NotServed
from keeper.cli.localnet_child import ended, environment_of_others, free_port, started
from keeper.cli.localnet_crew import Worker, enrolled
from keeper.demo.served import Part, Served
from keeper.demo.served import Worker as ServedWorker
from keeper.deploy import read_keypair
from keeper.economy.supply import io
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node
from keeper.localnet.server import served
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.renter import Cluster, HeadError, NotConnected
from keeper.renter.cluster import stay_connected
from keeper.renter.door import Status
from keeper.renter.place import Place
from keeper.resources import POW_DEMO_PROFILES
from keeper.settings import Settings
from keeper.settings.keys import write_keypair
from keeper.terminal import tables

EXAMPLES = Path("examples")
JOBS = (
    ("batch_inference", ("4",), "scores 800,000 rows by a neural network"),
    ("training", ("2", "20"), "trains a classifier, two workers that share gradients"),
    ("tuning", ("4", "20"), "searches for good parameters"),
    ("reinforcement", ("2",), "learns to balance a pole"),
    ("render", (), "renders a picture in strips"),
)
"""The examples, what they are told, and what each does."""
PICTURE, JOBS_PORT = "picture.ppm", 8_265
STOP_SECONDS, LOOK_SECONDS = 20.0, 0.3
OPERATORS_SECONDS, AGENTS_SECONDS, LEASES_SECONDS, READY_SECONDS, JOB_SECONDS, END_SECONDS = (
    *(180, 180, 540, 900, 600, 180),
)
"""How long each may take on a slow machine."""
Say = Callable[[str], None]
Starts = Callable[[str, Mapping[str, str], IO[Any]], Awaitable[Process]]
"""Starts an agent by its name, with an environment and a log."""


@dataclass
class Result:
    """What the order came to."""

    order: str = ""
    nodes: list[tuple[str, str]] = field(default_factory=list)
    """Each node's device and its address in the cluster, the head first."""
    jobs: list[tuple[str, str, str]] = field(default_factory=list)
    """Each job's example, what it does, the last line that it printed."""
    parts: list[Part] = field(default_factory=list)
    """Everybody's money."""


@dataclass
class Stage:
    """All of it: the chain's node, operators, agents, the renter."""

    chain: Path
    keys: Path
    folder: Path
    wheel: Path
    say: Say
    agent: Starts | None = None
    """How agents are started; by default as ``ionet worker run``."""

    async def run(self) -> Result:
        """From the devices' registration to everybody's money. Raises NotServed, DemoFailed, StageRefused."""
        loaded = LocalChain.load(self.chain)
        people = {path.stem: read_keypair(path) for path in sorted(self.keys.glob("*.json"))}
        stage, result = Served(loaded, people), Result()
        names = ("device-1", "device-2")
        of = await stage.register([Keypair() for _ in names])
        hours = self._profiles(of.id)
        for name, worker in zip(names, stage.workers, strict=True):
            self._enrol(name, worker, of.id)
        self.say(f"the supplier has registered {len(names)} devices of class {of.name} and staked on them")
        async with AsyncExitStack() as stack:
            listeners = _two_ports()
            await stack.enter_async_context(served(Node(loaded), listeners))
            url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
            base = {
                **environment_of_others(),
                "IONET_CHAIN": url,
                "IONET_LOG": "json",
                "IONET_PROFILES": str(hours),
            }
            services = await stack.enter_async_context(self._operators(base, stage.operators[:2]))
            self.say(f"{len(services)} operators serve, each with a board and a relay")
            base["IONET_OPERATORS"] = json.dumps(services)
            await stack.enter_async_context(self._agents(base, names))
            self.say(f"{len(names)} agents are there: ionet worker run, a process each")
            order = await stage.open(of, secrets.randbelow(1 << 53))
            result.order = str(order.address)
            self.say(f"the renter has opened order {order.address}")
            by = await stage.match()
            self.say(f"{' and '.join(sorted(set(by)))} matched both devices in its turn")
            await self._until(stage.all_run, LEASES_SECONDS, "both leases run", names)
            self.say("both devices have prepared a sandbox and accepted: the hours run")
            await self._rent(result, order.address, base, services)
            ended = await stage.end()
            self.say("the renter has ended the leases")
            await self._until(self._cleared(names), END_SECONDS, "the devices are cleared", names)
            self.say("both devices are cleared: no process and no file of the renter's is left")
        result.parts = await stage.settle(ended)
        self.say("hours later the keeper has paid, and closed the order")
        return result

    # -- who takes part --------------------------------------------------------------------------

    @asynccontextmanager
    async def _operators(self, base: Mapping[str, str], names: Sequence[str]) -> AsyncIterator[list[str]]:
        ports = {name: (free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)) for name in names}
        services = {name: f"http://127.0.0.1:{http}" for name, (http, _) in ports.items()}
        async with AsyncExitStack() as stack:
            for name, (http, relay) in ports.items():
                place = self._empty(name)
                peers = [services[other] for other in names if other != name]
                own = {
                    "IONET_KEYPAIR": str((self.keys / f"{name}.json").resolve()),
                    "IONET_POW": str(place),
                    "IONET_POW_HTTP": f"127.0.0.1:{http}",
                    "IONET_RELAY": f"127.0.0.1:{relay}",
                    "IONET_PEERS": json.dumps(peers),
                    "IONET_POW_METRICS": "off",
                }
                await stack.enter_async_context(self._process(name, {**base, **own}, _operator))
            found = list(services.values())

            async def answer() -> bool:
                async with httpx.AsyncClient(trust_env=False, timeout=5) as http_:
                    with suppress(httpx.HTTPError):
                        for each in found:
                            (await http_.get(f"{each}/compute/board")).raise_for_status()
                        return True
                return False

            await self._until(answer, OPERATORS_SECONDS, "the operators answer", names)
            yield found

    @asynccontextmanager
    async def _agents(self, base: Mapping[str, str], names: Sequence[str]) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for name in names:
                own = {
                    "IONET_KEYPAIR": str((self.folder / f"{name}.json").resolve()),
                    "IONET_WORKER": str((self.folder / name).resolve()),
                    "IONET_RUNTIMES": str(options.settings().runtimes.expanduser()),
                    # What runs here are this project's own examples.
                    "IONET_UNCONFINED": "true",
                }
                await stack.enter_async_context(self._process(name, {**base, **own}, self.agent or _agent))

            async def idle() -> bool:
                return all(self._state(name) == "idle" for name in names)

            await self._until(idle, AGENTS_SECONDS, "the agents are idle", names)
            yield

    @asynccontextmanager
    async def _process(
        self, name: str, environment: Mapping[str, str], starts: Starts
    ) -> AsyncIterator[Process]:
        with (self.folder / f"{name}.log").open("wb") as log:
            child = await starts(name, environment, log)
        try:
            yield child
        finally:
            if child.returncode is None:
                child.terminate()
            await ended(child, STOP_SECONDS)

    # -- the renter ------------------------------------------------------------------------------

    async def _rent(
        self, result: Result, order: Pubkey, base: Mapping[str, str], services: Sequence[str]
    ) -> None:
        """Be connected, give the cluster its jobs, and take what they leave."""
        place = Place(order)
        told: list[Status] = []
        chosen = self._settings_of_renter(base, services)
        connection = asyncio.create_task(stay_connected(place, chosen, {JOBS_PORT: 0}, told.append))
        try:

            async def ready() -> bool:
                if connection.done():
                    await connection
                return bool(told) and told[-1].connected and told[-1].state == "ready"

            await self._until(ready, READY_SECONDS, "the cluster is ready", ())
            result.nodes = [(device, address) for device, address, _ in told[-1].nodes]
            self.say(f"the renter is connected: {len(result.nodes)} nodes, by WireGuard through the relays")
            cluster = await asyncio.to_thread(Cluster, place)  # The connection answers it, on this loop.
            for name, arguments, does in JOBS:
                printed = await self._job(cluster, name, arguments)
                result.jobs.append((name, does, printed))
                self.say(f"job {len(result.jobs)} of {len(JOBS)}, {name}: {printed}")
            await asyncio.to_thread(cluster.get, PICTURE, self.folder)
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)

    async def _job(self, cluster: Cluster, name: str, arguments: Sequence[str]) -> str:
        """Run an example to its end; the last line that it prints. Raises NotServed where it fails."""
        command = ["python", f"{name}.py", *arguments]
        job = await asyncio.to_thread(cluster.submit, command, working_dir=EXAMPLES, wheels=[self.wheel])

        async def over() -> bool:
            with suppress(HeadError, NotConnected):  # A relay that is lost takes seconds to be done without.
                return (await asyncio.to_thread(cluster.job, job)).status.is_over
            return False

        await self._until(over, JOB_SECONDS, f"job {name} is over", ())
        printed = ((await asyncio.to_thread(cluster.logs, job)).splitlines() or [""])[-1]
        done = await asyncio.to_thread(cluster.job, job)
        if done.status != "SUCCEEDED":
            raise NotServed(f"job {name} is {done.status}: {printed}")
        return printed

    def _settings_of_renter(self, base: Mapping[str, str], services: Sequence[str]) -> Settings:
        own = options.settings(base["IONET_CHAIN"], self.keys / "renter.json")
        return own.model_copy(update={"operators": [AnyHttpUrl(each) for each in services]})

    # -- inside ----------------------------------------------------------------------------------

    def _empty(self, name: str) -> Path:
        place = (self.folder / name).resolve()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def _profiles(self, class_id: int) -> Path:
        """What devices of the class prove meanwhile: so little that it is no load beside the jobs."""
        table = {"profiles": json.loads(POW_DEMO_PROFILES.read_text())["profiles"][:1]}
        table["profiles"][0]["classes"] = [class_id]
        data = json.dumps(table).encode()
        (self.folder / "profiles.json").write_bytes(data)
        row = {"from": "1970-01-01T00:00:00Z", "file": "profiles.json", "sha256": sha256(data).hexdigest()}
        hours = self.folder / "hours.json"
        hours.write_text(json.dumps({"tables": [row]}))
        return hours.resolve()

    def _enrol(self, name: str, of: ServedWorker, class_id: int) -> None:
        """What ``ionet worker enrol`` leaves: a key, and a folder that knows its device."""
        file = self.folder / f"{name}.json"
        file.unlink(missing_ok=True)
        write_keypair(file, of.key)
        profile = read_profiles_by_hour(self.folder / "hours.json").at(0).of_class(class_id)
        assert profile is not None  # it was written for this class
        enrolled(self._empty(name), Worker(name, file, of.device, profile))

    def _state(self, name: str) -> str:
        """What an agent's log says last of its lease."""
        found = ""
        for line in (self.folder / f"{name}.log").read_text().splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("event") == "worker.serving":
                    found = str(said["state"])
        return found

    def _cleared(self, names: Sequence[str]) -> Callable[[], Any]:
        async def cleared() -> bool:
            return all(self._state(name) == "idle" for name in names)

        return cleared

    async def _until(
        self, condition: Callable[[], Any], seconds: float, what: str, names: Sequence[str]
    ) -> None:
        ends = time.monotonic() + seconds
        while not await condition():
            if time.monotonic() > ends:
                logs = ", ".join(f"{name}.log" for name in names) or "all logs"
                raise NotServed(f"it took more than {seconds:g} s until {what}: see {logs} in {self.folder}")
            await asyncio.sleep(LOOK_SECONDS)


def shown(found: Result) -> list[Table]:
    """What the jobs printed, and everybody's money."""
    jobs = tables.plain(f"Jobs of order {found.order}", "job", "does", "printed")
    for name, does, printed in found.jobs:
        jobs.add_row(name, does, printed)
    for each in jobs.columns[1:]:
        each.justify = "left"
    money = tables.plain("Money, IO: each as the rules have it", "whose", "before", "after", "change")
    for part in found.parts:
        change = f"{'+' if part.ruled > 0 else ''}{io(part.ruled, 8)}"
        money.add_row(part.whose, io(part.before, 8), io(part.after, 8), change)
    return [jobs, money]


async def _operator(name: str, environment: Mapping[str, str], log: IO[Any]) -> Process:
    return await started("operator", "serve", environment=environment, log=log)


async def _agent(name: str, environment: Mapping[str, str], log: IO[Any]) -> Process:
    return await started("worker", "run", environment=environment, log=log)


def _two_ports() -> list[socket.socket]:
    """A port for a node, and the next one for its notices, as clients look for them there."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        try:
            return [first, socket.create_server(("127.0.0.1", first.getsockname()[1] + 1))]
        except OSError:
            first.close()
