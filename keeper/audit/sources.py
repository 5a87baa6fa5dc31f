"""Where an audit reads: a node or a saved chain, published files, and a database that is held to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import ChainReader, TransactionRecord
from keeper.chain.connect import connect
from keeper.indexer.guard import place_of

if TYPE_CHECKING:
    from keeper.audit.index import Index  # The database, which not all parts need.
    from keeper.pow.verification import Verifier  # Nor this.


class Told(Protocol):
    """Told how far a step is: its name, how many are done, of how many."""

    def __call__(self, step: str, done: int, all_: int, /) -> None:
        """Hear of it."""
        ...


def untold(step: str, done: int, all_: int, /) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Shared:
    """What the parts of one audit make once, for all of them; it is gone when the audit ends."""

    ends: AsyncExitStack
    """Ends with the audit."""
    records: dict[Signature, TransactionRecord] = field(default_factory=dict)
    """Final transactions that were read, by their names: no node is asked for one twice."""
    index: Index | None = None
    """The index of staking and orders, once a part needed it."""
    indexing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of parts that go side by side one makes it, or reads on."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is audited: ``chain`` answers for a node, a saved chain or a bundle; files are in folders.

    ``name`` is what was named, without what may be secret in it.
    """

    name: str
    chain: ChainReader
    rewards: Sequence[Path] = ()
    """Folders of published hours."""
    evidence: Sequence[Path] = ()
    """Folders of operators' files of proofs of work."""
    market: Sequence[Path] = ()
    """Folders of published ticks and steps."""
    database: str | None = None
    """URL of an index that is held to the chain."""
    share: float = 1.0
    """Of the openings of proofs of work, that which is verified."""
    authority: Pubkey | None = None
    """Who alone may upgrade the programs; None where nobody said."""
    profiles: Path | None = None
    """Which tables of proof of work hold when, on a network with its own; None for ionet's."""
    verifier: Verifier | None = None
    """Where openings are verified; None for this process."""
    beside: Executor | None = None
    """Where operators' files are held to what was posted of them; None for this process."""
    shared: Shared | None = None
    """What other parts of the same audit have made already; None for a part that is alone."""


@asynccontextmanager
async def opened(
    chain: str,
    *,
    rewards: Sequence[Path] = (),
    evidence: Sequence[Path] = (),
    market: Sequence[Path] = (),
    database: str | None = None,
    share: float = 1.0,
    authority: Pubkey | None = None,
    profiles: Path | None = None,
    verifier: Verifier | None = None,
) -> AsyncIterator[Source]:
    """A source at ``chain``, an RPC node's URL or a saved chain's file, which stays as it is."""
    async with connect(chain) as connected:
        name = place_of(chain)
        files = rewards, evidence, market
        yield Source(name, connected, *files, database, share, authority, profiles, verifier)
