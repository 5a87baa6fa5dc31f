"""A worker put together from the settings: its key, its state, its operators, a node where there is one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainReader
from keeper.chain.connect import connect
from keeper.chain.http import http_client
from keeper.clients import orders, staking, tokenomics
from keeper.compute import wire
from keeper.compute.boards import Boards
from keeper.compute.bodies import endpoint
from keeper.compute.client import Board
from keeper.compute.overlay import MBIT
from keeper.compute.sandbox import Limits
from keeper.economy.calendar import month_start
from keeper.economy.classes import ProcessorKind, read_classes
from keeper.errors import UserError
from keeper.pow.backend import Backend, NumpyBackend, self_test
from keeper.pow.clock import Network
from keeper.pow.profiles import Profile
from keeper.pow.profiles_by_hour import ProfilesByHour, read_profiles_by_hour
from keeper.pow.torch_backend import torch_backend
from keeper.settings import Settings
from keeper.worker.agent import Agent
from keeper.worker.client import Operator, OperatorError
from keeper.worker.hardware import look
from keeper.worker.lease_book import LeaseBook
from keeper.worker.leases import Leases
from keeper.worker.readiness import Readiness
from keeper.worker.serving import capacity
from keeper.worker.serving.book import ServiceBook
from keeper.worker.serving.hired import Hired
from keeper.worker.serving.machine import Machine, Share, free_disk
from keeper.worker.serving.serving import Serving
from keeper.worker.sources import Node, Operators, Source
from keeper.worker.state import Enrolment, Store
from keeper.worker.work import Device, Works

NUMPY, TORCH = "numpy", "torch"
"""The backends: of processors, and of cards by PyTorch, which tests itself as it is made."""
LEASES = "leases"
"""In a worker's folder: what renters' code writes, until each lease ends."""
NO_CARDS = "a sandbox shows no card yet: devices of this class prove and earn, and don't serve"
ENROL = "ionet worker enrol --class CLASS"


class NotReady(UserError):
    """A worker that can't begin: the message says what is to be done first."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the chain says that a device is."""

    class_id: int
    processors: int
    payout: Pubkey
    lamports: int
    """Of the worker's own key."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """An agent, and the wallet that its device earns for, where a node said so."""

    agent: Agent
    payout: Pubkey | None


@asynccontextmanager
async def node(settings: Settings) -> AsyncIterator[Chain | None]:
    """The node that was named; None where none was: the default is a keeper's, on its own machine."""
    if "chain" not in settings.model_fields_set:
        yield None
        return
    async with connect(settings.chain, live=True) as chain:
        yield chain


@asynccontextmanager
async def operators_of(settings: Settings) -> AsyncIterator[list[Operator]]:
    """The operators that are named. Raises NotReady when there are none."""
    if not settings.operators:
        raise NotReady('IONET_OPERATORS names no operator: set it to their services\' URLs, ["https://..."]')
    async with http_client() as http:
        yield [Operator(str(each), http) for each in settings.operators]


@asynccontextmanager
async def assembled(settings: Settings, log: Any) -> AsyncIterator[Assembled]:
    """An agent for the device of the settings' key, enrolled before, with a backend that is exact.

    Raises NotReady, KeyRefused, StateError, BackendRefused, ProfilesError, and what a node raises.
    """
    signer = settings.signer()
    address = staking.device_address(signer.pubkey())
    async with AsyncExitStack() as stack:
        store = Store(settings.worker)
        stack.callback(store.close)
        enrolment = store.enrolment(address)
        if enrolment is None:
            raise NotReady(f"device {address} is not enrolled in {settings.worker}: run {ENROL} first")
        profiles = read_profiles_by_hour(settings.profiles)
        now, later = profiles_of(enrolment, profiles, int(time.time()))
        device = Device(address, now, enrolment.processors, signer, later)
        backend = exact_backend(enrolment.backend)
        operators = await stack.enter_async_context(operators_of(settings))
        chain = await stack.enter_async_context(node(settings))
        registered = None
        if chain is not None:
            registered = await registration(chain, signer.pubkey())
            check(enrolment, registered, log)
        genesis = await _genesis(store, chain, operators)
        program = staking.PROGRAM.address
        sources: list[Source] = [Operators(operators, genesis, bytes(program), log)]
        if chain is not None:
            economy = await tokenomics.read_config(chain)
            if economy is None:
                raise NotReady("tokenomics is not initialised on this chain: is IONET_CHAIN right?")
            sources.append(Node(chain, Network(genesis, program, month_start(economy.start_month)), log))
        works = Works(backend, [device])
        log.info("worker.started", device=str(address), profile=device.profile.id, operators=len(operators))
        agent = Agent([device], operators, sources, works, store, (genesis, program), log)
        if chain is None:
            log.warning("worker.no_leases", do="set IONET_CHAIN to a node: without one no lease is accepted")
        else:
            book, ready = LeaseBook(store), Readiness(operators, works)
            if settings.leases == "serve":
                http = await stack.enter_async_context(http_client())
                unfit = "" if is_processor(enrolment.class_id) else NO_CARDS
                agent.serving = serving(settings, chain, device, store, genesis, http, log, unfit)
                agent.waves.quiet = agent.serving.quiet
                ready = Readiness(operators, works, agent.serving.hindrance)
            else:
                log.warning("worker.leases_unserved", do="IONET_LEASES=serve, on a network that isn't a test")
            agent.leases = Leases(chain, [device], book, ready, settings.fees, log)
        yield Assembled(agent, registered.payout if registered else None)


def is_processor(class_id: int) -> bool:
    """Whether a class's devices are hired for their processors, which every sandbox shows."""
    return any(each.id == class_id and each.kind is ProcessorKind.CPU for each in read_classes())


def serving(
    settings: Settings,
    chain: Chain,
    device: Device,
    store: Store,
    genesis: bytes,
    http: httpx.AsyncClient,
    log: Any,
    unfit: str,
) -> Serving:
    """What serves the leases of a device, by the boards of the operators that the settings name.

    ``unfit`` is why it can't, whatever the machine has.
    """
    network = wire.Network(genesis, orders.PROGRAM.address)
    boards = [Board(str(each), network, http) for each in settings.operators]
    folder = settings.worker / LEASES
    kept = capacity.memory(device.profile, device.processors)

    def limits() -> Limits | None:
        return capacity.limits(look().memory, kept, free_disk(folder))

    share = Share(
        settings.lease_rate * MBIT,
        tuple(settings.egress),
        settings.egress_limit << 30,
        () if settings.reached is None else (endpoint(*settings.reached),),
        settings.unconfined,
    )
    host = Machine(
        folder,
        settings.runtimes.expanduser(),
        limits,
        boards,
        log,
        unfit=unfit,
        share=share,
    )
    leases, book = LeaseBook(store), ServiceBook(store)
    return Serving(
        [
            Hired(
                device,
                host,
                leases,
                book,
                chain,
                lambda: Boards(boards, network, log),
                settings.fees,
                log,
            )
        ],
        log,
    )


def exact_backend(name: str) -> Backend[Any]:
    """The backend of a name, once it has shown here that it is exact. Raises BackendRefused."""
    if name == TORCH:
        return torch_backend()
    backend = NumpyBackend()
    self_test(backend)
    return backend


def profiles_of(
    enrolment: Enrolment, profiles: ProfilesByHour, now: int
) -> tuple[Profile, tuple[tuple[int, Profile], ...]]:
    """What the class of a device does at a unix time, and from which later times on something else.

    That need not be the profile that the device was tested for: it works on, and ``ionet worker doctor`` says
    so. Raises NotReady when the class has none.
    """
    found = profiles.at(now).of_class(enrolment.class_id)
    if found is None:
        raise NotReady(f"class {enrolment.class_id} has no profile: its devices have nothing to prove")
    later = [(since, each) for since, each in profiles.of_class(enrolment.class_id) if since > now]
    return found, tuple((since, each) for since, each in later if each is not None)


async def registration(chain: ChainReader, worker: Pubkey) -> Registration | None:
    """What the chain has of a worker's device; None while it isn't registered. Raises ChainError."""
    account, own = await chain.accounts([staking.device_address(worker), worker])
    if account is None or account.owner != staking.PROGRAM.address:
        return None  # Anybody can send SOL to where there is no device yet.
    device = staking.parse_device(account.data)
    return Registration(device.device_class, device.processors, device.payout, own.lamports if own else 0)


def check(enrolment: Enrolment, registered: Registration | None, log: Any) -> None:
    """Compare what a device was enrolled for with the chain; raises NotReady where they differ."""
    if registered is None:
        log.warning("worker.unregistered", device=str(enrolment.device))
        return
    stated = enrolment.class_id, enrolment.processors
    if (registered.class_id, registered.processors) != stated:
        raise NotReady(
            f"on chain the device is {registered.processors} of class {registered.class_id}, but it was "
            f"enrolled for {enrolment.processors} of class {enrolment.class_id}: run {ENROL} again"
        )


async def _genesis(store: Store, chain: ChainReader | None, operators: list[Operator]) -> bytes:
    """Whose waves these are: what the state has, else the node, else more than half of the operators."""
    if chain is not None:
        found = bytes(Hash.from_string(await chain.genesis_hash()))
    elif (known := store.genesis()) is not None:
        return known
    else:
        found = await _majority(operators)
    store.chain(found)
    return found


async def _majority(operators: list[Operator]) -> bytes:
    said = Counter[bytes]()
    for each in operators:
        try:
            identity = await each.identify()
        except OperatorError:
            continue
        if identity.program == staking.PROGRAM.address:
            said[identity.genesis] += 1
    for genesis, count in said.items():
        if 2 * count > len(operators):
            return genesis
    raise NotReady(
        f"no more than half of the {len(operators)} operators answer and agree on a chain: see ionet worker "
        "doctor, and try again"
    )
