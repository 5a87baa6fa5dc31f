"""An order's cluster as it is now: the chain and all boards are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

import structlog
from solders.hash import Hash
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.chain import ChainReader
from keeper.chain.http import http_client
from keeper.clients import orders
from keeper.clients.orders.whole import read_with_leases
from keeper.compute.boards import Boards
from keeper.compute.client import Board
from keeper.compute.members import Members, members
from keeper.compute.view import Cluster, view
from keeper.compute.wire import Message, Network

QUIET: FilteringBoundLogger = structlog.wrap_logger(structlog.ReturnLogger(), processors=[])
"""For what is shown to people: a log beside it would say it twice."""


class Looked(NamedTuple):
    """What was found: who is in it by the chain, how it stands, and all that was said."""

    members: Members
    cluster: Cluster
    said: list[Message]


async def network_of(chain: ChainReader) -> Network:
    """Which orders program on which chain."""
    return Network(bytes(Hash.from_string(await chain.genesis_hash())), orders.PROGRAM.address)


@asynccontextmanager
async def boards_of(urls: Iterable[object], chain: ChainReader) -> AsyncIterator[Boards]:
    """The boards of operators by the URLs of their services; those that are away are in ``away`` alone."""
    network = await network_of(chain)
    async with http_client() as http:
        boards = Boards([Board(str(each), network, http) for each in urls], network, QUIET)
        try:
            yield boards
        finally:
            await boards.close()


async def look(chain: ChainReader, boards: Boards, at: Pubkey) -> Looked:
    """Ask for all of it. Raises ChainError where there is no such order; boards that fail are in ``away``."""
    order, leases = await read_with_leases(chain, at)
    now = (await chain.clock()).unix_timestamp
    said = [each.message for each in await boards.read(at)]
    heard: dict[Pubkey, int] = {}
    for of_operator in (await boards.beats(at)).values():
        for worker, signed in of_operator.items():
            heard[worker] = max(heard.get(worker, 0), signed.message.ms)
    return Looked(members(order, leases, now), view(order, leases, said, heard, now), said)
