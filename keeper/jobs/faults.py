"""The operators' job that votes that a lease wasn't served on: for what k operators saw at the same minute.

Observations come from all operators' services, the own one among them. A verdict is a function of those that
count (:mod:`keeper.compute.liveness`); they are published beside it, and anybody repeats it. Operators that
saw different beats vote alike, as the vote's hash is of the verdict alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from solders.hash import Hash
from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.chain.http import http_client
from keeper.chain.services import OperatorError, Refused
from keeper.clients import orders, staking
from keeper.clients.orders import Lease
from keeper.clients.records import data_at
from keeper.clients.staking import Config
from keeper.compute.client import Board
from keeper.compute.liveness import GRID_SECONDS, Verdict, judge
from keeper.compute.members import running
from keeper.compute.observations import Case, usable
from keeper.compute.verdicts import DAY, publish, retire
from keeper.compute.wire import Network
from keeper.jobs.port import Port, do_all, pick
from keeper.sender import Action

DELAY_SECONDS = 30
"""From a full minute until operators are asked about it: they look at the chain every five seconds."""
ASK_SECONDS = 20.0
"""For all that one service says of a minute's leases: a slow one holds up no verdict."""
AT_ONCE = 256
"""Leases that are judged in a minute; the rest has its turn later. More votes don't land in one either: three
or four go into a transaction, and one is confirmed before the next is sent."""
SIDE_BY_SIDE = 8
"""Questions to one service at a time: a far one takes a tenth of a second for each."""


@dataclass
class Bench:
    """Where operators' services are, where verdicts are published, and the last minute that was judged."""

    urls: Sequence[str]
    folder: Path
    judged: int = 0
    swept: int = 0
    """The day in which old verdicts were last deleted."""
    told: set[str] = field(default_factory=set)
    """Services that failed when they were last asked."""


async def vote_faults(port: Port, *, bench: Bench, now: int | None = None) -> list[Event]:
    """Judge the leases that operators don't hear, once a minute, and vote for what was found.

    ``now`` is unix time [default: this machine's, as operators take beats by theirs].
    """
    config = await staking.read_config(port.chain)
    at = (int(time.time()) if now is None else now) - DELAY_SECONDS
    at -= at % GRID_SECONDS
    if config is None or port.payer not in config.params.operators or at <= bench.judged:
        return []
    events: list[Event] = []
    leases = await _running(port)
    if leases:
        genesis = bytes(Hash.from_string(await port.chain.genesis_hash()))
        network = Network(genesis, orders.PROGRAM.address)
        async with http_client() as http:
            boards = [Board(url, network, http) for url in bench.urls]
            silent = await _silent(port, bench, boards, leases, at, config.params.threshold)
            files = await _observations(port, bench, boards, silent, at)
        events = await _vote(port, bench, network, leases, files, at, config)
    if at // DAY != bench.swept:
        bench.swept = at // DAY
        if gone := await asyncio.to_thread(retire, bench.folder, at):
            port.log.info("fault.retired", verdicts=gone)
    bench.judged = at
    return events


async def _running(port: Port) -> dict[Pubkey, Lease]:
    """All leases that run, as they are with their gangs."""
    leases, found = await orders.read_leases(port.chain), await orders.read_orders(port.chain)
    now = (await port.chain.clock()).unix_timestamp
    return {at: begun for at, each in leases.items() for begun in running(found, [each], now)}


async def _silent(
    port: Port, bench: Bench, boards: Sequence[Board], leases: dict[Pubkey, Lease], at: int, k: int
) -> list[Pubkey]:
    """The leases that at least ``k`` services don't hear, some: the same for all operators of a minute."""
    said = Counter[Pubkey]()

    async def count(board: Board) -> None:
        try:
            said.update({each for each in await board.silent(at) if each in leases})
        except OperatorError as error:
            _away(port, bench, board, str(error))
        else:
            bench.told.discard(board.url)

    await asyncio.gather(*map(count, boards))
    turn = at.to_bytes(8, "little")
    found = (each for each, count in said.items() if count >= k)
    return sorted(found, key=lambda each: sha256(turn + bytes(each)).digest())[:AT_ONCE]


async def _observations(
    port: Port, bench: Bench, boards: Sequence[Board], leases: Sequence[Pubkey], at: int
) -> dict[Pubkey, list[bytes]]:
    """What services say that they saw of leases, by lease: of a slow one, what it says in time."""
    found: dict[Pubkey, list[bytes]] = {each: [] for each in leases}

    async def share(board: Board, left: Iterator[Pubkey]) -> None:
        for each in left:
            try:
                found[each].append(await board.observation(at, each))
            except Refused as error:
                port.log.info("fault.unobserved", lease=str(each), url=board.url, reason=str(error))
            except OperatorError as error:
                _away(port, bench, board, str(error))
                deque(left, 0)  # It isn't asked for the rest.

    async def collect(board: Board) -> None:
        left = iter(leases)
        try:
            async with asyncio.timeout(ASK_SECONDS):
                await asyncio.gather(*(share(board, left) for _ in range(SIDE_BY_SIDE)))
        except TimeoutError:
            _away(port, bench, board, f"its observations take more than {ASK_SECONDS:g} seconds")

    await asyncio.gather(*map(collect, boards))
    return found


async def _vote(
    port: Port,
    bench: Bench,
    network: Network,
    leases: Mapping[Pubkey, Lease],
    files: Mapping[Pubkey, Sequence[bytes]],
    at: int,
    config: Config,
) -> list[Event]:
    """Judge leases by what operators saw of them, publish it, and vote, several votes in a transaction.

    Nothing is done for those on which operators don't agree.
    """
    operators, k = config.params.operators, config.params.threshold
    found: dict[Pubkey, Verdict] = {}
    for address, of_lease in files.items():
        seen = usable(of_lease, Case.of(leases[address]), at, operators, network)
        if seen and (verdict := judge(seen, k)) is not None:
            found[address] = verdict
    voted = await _voted(port, config, leases, found)
    actions = []
    for address, verdict in found.items():
        if address in voted:
            continue
        lease = leases[address]
        await asyncio.to_thread(publish, bench.folder, verdict, Case.of(lease), at, files[address])
        name = f"fault:{port.payer}:{address}:{verdict.hash().hex()}:{config.revision}"
        call = orders.vote_fault(port.payer, lease, verdict.hash(), verdict.good_hours)
        actions.append(Action(name, (call,), partial(_is_due, port, lease, verdict)))
    events = await do_all(port, orders.PROGRAM, actions)
    for event in events:
        if event.name == "FaultVoted":
            words = pick(event.fields, "good_hours", "decided")
            lease_at, evidence = str(event.fields["lease"]), event.fields["evidence"].hex()
            port.log.warning("fault.voted", lease=lease_at, evidence=evidence, **words)
    return events


async def _is_due(port: Port, lease: Lease, found: Verdict) -> bool:
    """Whether a verdict can still be voted for."""
    now = await staking.read_config(port.chain)
    (data,) = await data_at(port.chain, orders.PROGRAM, [lease.address])
    there = orders.parse_lease(data) if data else None
    if now is None or there is None or _name(there) != _name(lease):
        return False
    return lease.address not in await _voted(port, now, {lease.address: lease}, {lease.address: found})


async def _voted(
    port: Port, config: Config, leases: Mapping[Pubkey, Lease], found: Mapping[Pubkey, Verdict]
) -> set[Pubkey]:
    """The leases for whose verdicts this operator's vote stands."""
    slot = config.params.operators.index(port.payer)
    addresses = [orders.fault_address(at, each.hash(), each.good_hours) for at, each in found.items()]
    standing = set()
    for at, data in zip(found, await data_at(port.chain, orders.PROGRAM, addresses), strict=True):
        if data is None:
            continue
        fault, lease = orders.parse_fault(data), leases[at]
        named = (fault.number, fault.registered_at) == _name(lease)
        if named and fault.votes >> slot & 1 and config.stands(slot, fault.revision):
            standing.add(at)
    return standing


def _name(lease: Lease) -> tuple[int, int]:
    """What tells a lease from a later one at its address."""
    return lease.number, lease.registered_at


def _away(port: Port, bench: Bench, board: Board, reason: str) -> None:
    """Say once that a service doesn't answer."""
    if board.url not in bench.told:
        port.log.warning("fault.operator_away", url=board.url, reason=reason)
    bench.told.add(board.url)
