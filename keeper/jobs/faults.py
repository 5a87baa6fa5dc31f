"""The operators' job that votes that a lease wasn't served on: for what k operators saw at the same minute.

Observations come from all operators' services, the own one among them. A verdict is a function of those that
count (:mod:`keeper.compute.liveness`); they are published beside it, and anybody repeats it. Operators that
saw different beats vote alike, as the vote's hash is of the verdict alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from keeper.compute.liveness import GRID_SECONDS, Verdict, silence
from keeper.compute.members import runs
from keeper.compute.observations import Case, usable
from keeper.compute.verdicts import publish
from keeper.compute.wire import Network
from keeper.jobs.port import Port, do, pick

DELAY_SECONDS = 30
"""From a full minute until operators are asked about it: they look at the chain every five seconds."""
AT_ONCE = 64
"""Leases that are judged in a minute: of more, the network has failed; the rest has its turn later."""


@dataclass
class Bench:
    """Where operators' services are, where verdicts are published, and the last minute that was judged."""

    urls: Sequence[str]
    folder: Path
    judged: int = 0
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
            for address in await _silent(port, bench, boards, leases, at, config.params.threshold):
                events += await _judge(port, bench, boards, leases[address], at, config)
    bench.judged = at
    return events


async def _running(port: Port) -> dict[Pubkey, Lease]:
    """All leases that run, as they are with their gangs."""
    leases, found = await orders.read_leases(port.chain), await orders.read_orders(port.chain)
    now = (await port.chain.clock()).unix_timestamp
    begun = {at: each.begun(found[each.order]) for at, each in leases.items() if each.order in found}
    return {at: each for at, each in begun.items() if runs(each, now)}


async def _silent(
    port: Port, bench: Bench, boards: Sequence[Board], leases: dict[Pubkey, Lease], at: int, k: int
) -> list[Pubkey]:
    """The leases that at least ``k`` services don't hear, some."""
    said = Counter[Pubkey]()
    for board in boards:
        try:
            said.update({each for each in await board.silent(at) if each in leases})
        except OperatorError as error:
            _away(port, bench, board, error)
        else:
            bench.told.discard(board.url)
    return sorted((each for each, count in said.items() if count >= k), key=bytes)[:AT_ONCE]


async def _judge(
    port: Port, bench: Bench, boards: Sequence[Board], lease: Lease, at: int, config: Config
) -> list[Event]:
    """What operators saw of a lease, published, and the vote for it; nothing where they don't agree."""
    case, files = Case.of(lease), []
    for board in boards:
        try:
            files.append(await board.observation(at, lease.address))
        except Refused as error:
            port.log.info("fault.unobserved", lease=str(lease.address), url=board.url, reason=str(error))
        except OperatorError as error:
            _away(port, bench, board, error)
    network = boards[0].network
    seen = usable(files, case, at, config.params.operators, network)
    found = silence(seen, config.params.threshold) if seen else None
    if found is None or await _has_voted(port, config, lease, found):
        return []
    await asyncio.to_thread(publish, bench.folder, found, case, at, files)

    async def still_due() -> bool:
        now = await staking.read_config(port.chain)
        (data,) = await data_at(port.chain, orders.PROGRAM, [lease.address])
        there = orders.parse_lease(data) if data else None
        same = there is not None and _name(there) == _name(lease)
        return now is not None and same and not await _has_voted(port, now, lease, found)

    name = f"fault:{port.payer}:{lease.address}:{found.hash().hex()}:{config.revision}"
    call = orders.vote_fault(port.payer, lease, found.hash(), found.good_hours)
    events = await do(port, orders.PROGRAM, [call], still_due, key=name)
    for event in events:
        if event.name == "FaultVoted":
            words = pick(event.fields, "good_hours", "decided")
            evidence = found.hash().hex()
            port.log.warning("fault.voted", lease=str(lease.address), evidence=evidence, **words)
    return events


async def _has_voted(port: Port, config: Config, lease: Lease, found: Verdict) -> bool:
    """Whether this operator's vote for a verdict stands."""
    address = orders.fault_address(lease.address, found.hash(), found.good_hours)
    (data,) = await data_at(port.chain, orders.PROGRAM, [address])
    if data is None:
        return False
    fault, slot = orders.parse_fault(data), config.params.operators.index(port.payer)
    named = (fault.number, fault.registered_at) == (lease.number, lease.registered_at)
    return named and bool(fault.votes >> slot & 1) and config.stands(slot, fault.revision)


def _name(lease: Lease) -> tuple[int, int]:
    """What tells a lease from a later one at its address."""
    return lease.number, lease.registered_at


def _away(port: Port, bench: Bench, board: Board, error: OperatorError) -> None:
    """Say once that a service doesn't answer."""
    if board.url not in bench.told:
        port.log.warning("fault.operator_away", url=board.url, reason=str(error))
    bench.told.add(board.url)
