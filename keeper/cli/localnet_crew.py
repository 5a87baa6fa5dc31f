"""What proves, matches and pays on a network of one's own: operators and devices, a process each."""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from solders.keypair import Keypair

from keeper.cli.localnet_child import ended, free_port, started
from keeper.clients import staking
from keeper.demo.letting import let
from keeper.deploy import read_keypair
from keeper.errors import UserError
from keeper.jobs.names import FAULTS, NAMES
from keeper.localnet.chain import LocalChain
from keeper.localnet.crew import AtWork
from keeper.pow.codes import Code
from keeper.pow.profiles import Profile
from keeper.pow.profiles_by_hour import read_profiles_by_hour
from keeper.resources import POW_LIGHT
from keeper.rewards.facts import read_network
from keeper.settings.keys import write_keypair
from keeper.terminal.localnet import Part
from keeper.worker.assemble import NUMPY, exact_backend
from keeper.worker.state import Enrolment, Store
from keeper.worker.trial import run_trial

MAX_WORKERS = 16
"""Each is a process that computes."""
OPERATORS = "operator-"
STOP_SECONDS = 10
"""How long a process has to end by itself."""
FOLDER, REWARDS = "crew", "rewards"
CHECK_SECONDS = "2"
"""How often operators' keepers look: it is what they cost while nothing happens, and time waits for them."""


class Worker(NamedTuple):
    """A device that works: its key, in a file, and what it proves."""

    name: str
    key: Path
    device: staking.Device
    profile: Profile


class Crew(NamedTuple):
    """Devices that work, and what the network's clock knows of them and of the operators."""

    workers: list[Worker]
    clock: AtWork


async def prepare(chain: LocalChain, people: Path, count: int) -> Crew:
    """Devices for so many workers, of the supplier in the folder of keys: those that lack are registered.

    Then the next hour begins: an hour is about the devices that were there when it began.

    Raises UserError where the keys of the network's supplier or operators aren't there.
    """
    network = await read_network(chain)
    if network is None or not _operators(people):
        raise UserError(f"no operator's key is in {people}: workers need a network that ionet localnet makes")
    supplier = _key(people, "supplier")
    classes = await staking.read_classes(chain)
    profiles = read_profiles_by_hour(POW_LIGHT).at(chain.now())
    cheapest = min(
        (each for each in classes.values() if (found := profiles.of_class(each.id)) and not found.residency),
        key=lambda each: (each.multiplier_at(chain.now()), each.id),
    )
    devices, workers = await staking.read_devices(chain), []
    for number in range(count):
        name = "worker" if not number else f"worker-{number + 1}"
        path = people / f"{name}.json"
        if not path.exists():
            write_keypair(path, Keypair())
        key = read_keypair(path)
        device = devices.get(staking.device_address(key.pubkey()))
        if device is None:
            bounds = cheapest.bounds
            device = await let(chain, supplier, key, cheapest, bounds.low_io, bounds.low_usdc)
        profile = profiles.of_class(device.device_class)
        if profile is None:
            raise UserError(f"the device of {path} is of a class that proves nothing here")
        workers.append(Worker(name, path, device, profile))
    if any(each.device.registered_at >= network.start_of(network.hour_of(chain.now())) for each in workers):
        chain.advance(network.start_of(network.hour_of(chain.now()) + 1) - chain.now())
    clock = AtWork(chain, len(workers))
    chain.wait_for(network, clock)
    return Crew(workers, clock)


@asynccontextmanager
async def working(
    url: str, people: Path, folder: Path, crew: Crew | None, environment: Mapping[str, str]
) -> AsyncIterator[list[Part]]:
    """Run operators and workers meanwhile; all of them have ended afterwards."""
    if crew is None:
        yield []
        return
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    names = _operators(people)
    services = {name: f"http://127.0.0.1:{free_port()}" for name in names}
    files = {name: f"http://127.0.0.1:{free_port()}" for name in names}
    parts: list[Part] = []
    children: list[Process] = []

    async def start(name: str, does: str, own: Mapping[str, str], *command: str) -> Process:
        log = place / f"{name}.log"
        given = {**environment, "IONET_CHAIN": url, "IONET_PROFILES": str(POW_LIGHT), **own}
        with log.open("ab") as file:
            child = await started(*command, environment=given, log=file)
        children.append(child)
        parts.append(Part(name, does, log))
        return child

    following = asyncio.create_task(crew.clock.follow())
    try:
        for name in names:
            peers = [each for other in names if other != name for each in (services[other], files[other])]
            own = _settings_of_operator(place / name, people / f"{name}.json", services[name], peers)
            port = files[name].rpartition(":")[2]
            service = await start(name, "takes proofs and verifies them", own, "operator", "serve")
            crew.clock.services[services[name]] = partial(_runs, service)
            does = "attests hours, matches orders, votes prices, pays what is due"
            await start(f"{name}-keeper", does, own, "keeper", "run")
            await start(
                f"{name}-files", "serves what it has published", own, "rewards", "serve", "--port", port
            )
        for worker in crew.workers:
            own = {
                "IONET_KEYPAIR": str(worker.key.resolve()),
                "IONET_WORKER": str(enrolled(place / worker.name, worker)),
                "IONET_OPERATORS": json.dumps(list(services.values())),
                "IONET_PEERS": json.dumps(list(files.values())),
                # A card that isn't there serves nobody: what is shown is that leases are taken and paid.
                "IONET_LEASES": "unserved",
            }
            await start(worker.name, "proves its work, and accepts leases", own, "worker", "run")
        yield parts
    finally:
        following.cancel()
        for each in children:
            if each.returncode is None:
                each.terminate()
        await asyncio.gather(*(ended(each, STOP_SECONDS) for each in children))


def published_in(folder: Path) -> Path:
    """Where the first of them publishes its hours."""
    return folder / FOLDER / f"{OPERATORS}1" / REWARDS


def forget(folder: Path) -> None:
    """Remove what operators and devices of another network have left in a folder."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _settings_of_operator(place: Path, key: Path, service: str, peers: Sequence[str]) -> dict[str, str]:
    for each in ("pow", "market", REWARDS):
        (place / each).mkdir(parents=True, exist_ok=True)
    return {
        "IONET_KEYPAIR": str(key.resolve()),
        "IONET_NAME": place.name,
        "IONET_DATABASE": f"sqlite:///{place / 'keeper.db'}",
        "IONET_POW": str(place / "pow"),
        "IONET_MARKET": str(place / "market"),
        "IONET_REWARDS": str(place / REWARDS),
        "IONET_POW_HTTP": service.removeprefix("http://"),
        "IONET_PEERS": json.dumps(peers),
        "IONET_CHECK_SECONDS": CHECK_SECONDS,
        # Its devices run nothing for a lease, and beat for none: operators would rightly end them.
        "IONET_JOBS": json.dumps([each for each in NAMES if each != FAULTS]),
        **dict.fromkeys(("IONET_HTTP", "IONET_POW_METRICS", "IONET_RELAY"), "off"),
    }


def enrolled(place: Path, worker: Worker) -> Path:
    """A worker's folder, once its device is tested for its class, as ``ionet worker enrol`` does."""
    address = staking.device_address(worker.device.worker)
    place.mkdir(parents=True, exist_ok=True)
    store = Store(place)
    try:
        if store.enrolment(address) is None:
            processors = worker.device.processors
            trial = run_trial(exact_backend(NUMPY), address, worker.profile, processors)
            if trial.code is not Code.PASS or not trial.is_in_time:
                raise UserError(
                    f"a wave that was made here for {worker.name} is of no use ({trial.code.name} after "
                    f"{trial.product_ms / 1000:.1f} seconds): this machine errs, or is far too slow"
                )
            of_class = worker.device.device_class
            store.enrol(Enrolment(address, of_class, worker.profile.id, processors, NUMPY, trial.product_ms))
    finally:
        store.close()
    return place


def _runs(child: Process) -> bool:
    return child.returncode is None


def _operators(people: Path) -> list[str]:
    return sorted(path.stem for path in people.glob(f"{OPERATORS}*.json"))


def _key(people: Path, name: str) -> Keypair:
    path = people / f"{name}.json"
    if not path.exists():
        raise UserError(f"there is no {path}: workers need a network that ionet localnet makes")
    return read_keypair(path)
