"""Posting a file's hash on chain, and what operators have posted.

A posting counts by its first event for an operator, a number, a kind and a slot, and by when that was. So
whoever wants to know asks the chain, and after a restart an operator looks there before it posts again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import ChainReader, Commitment, Event
from keeper.chain.records import Listed
from keeper.clients import staking
from keeper.economy.calendar import HOUR
from keeper.jobs.port import Port, do
from keeper.pow.anchored import Posting
from keeper.pow.clock import Network

PAGE = 1_000
PAGES = 10
"""Anybody may name an operator's account in a transaction: no more pages than these are listed at a time."""
AT_ONCE = 500
"""Transactions that are in memory at a time."""


class Key(NamedTuple):
    """What is posted once: whose, of which hour, which kind, about which slot (0 for an hour's)."""

    operator: Pubkey
    hour: int
    kind: int
    slot: int


@dataclass
class _Reading:
    """How far an operator's transactions are read. What is listed is read before anything is listed again."""

    until: Signature | None = None
    """The newest transaction that was read."""
    listed: list[Listed] = field(default_factory=list)
    """Those after it, the newest first."""
    is_whole: bool = False
    """Whether none is missing between these."""
    seen: Counter[int] = field(default_factory=Counter)
    """Postings by the hour of the clock, as the chain counts them."""


@dataclass
class Postings:
    """The first posting of each key, by confirmed transactions; :meth:`refresh` reads on."""

    chain: ChainReader
    since: int
    """A slot: nothing earlier is read."""
    network: Network

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self.first: dict[Key, Posting] = {}
        self._readings: dict[Pubkey, _Reading] = {}

    def take(self, posting: Posting) -> None:
        """Keep a posting that is read in the chain's order, if it is the first of its key.

        One from before its hour is nobody's: an hour is judged by what is posted from its start on.
        """
        if posting.at < self.network.start_of(posting.number):
            return
        key = Key(posting.operator, posting.number, posting.kind, posting.slot)
        self.first.setdefault(key, posting)

    async def refresh(self, operator: Pubkey) -> None:
        """Read what an operator has posted since the last time; raises ChainUnreachable.

        The chain counts its postings: where all are known, nothing is read, whatever else names its account.
        None is passed over: what a node doesn't give, or what is too much for once, is read the next time.
        """
        reading = self._readings.setdefault(operator, _Reading())
        account = staking.post_address(operator)
        (found,) = await self.chain.accounts([account])
        if found is None or not found.data:  # Anybody can send SOL to where there is no account yet.
            return
        posts = staking.parse_posts(found.data)
        if reading.seen[posts.hour] >= posts.count:
            return
        if not reading.is_whole:
            await self._list(account, reading)
        while reading.is_whole and reading.listed:
            if not await self._read(reading):
                break
        if not reading.listed:
            reading.is_whole = False

    async def _list(self, account: Pubkey, reading: _Reading) -> None:
        """List what comes after the newest transaction that was read, or go on with that."""
        for _ in range(PAGES):
            page = await self.chain.signatures(
                account,
                Commitment.CONFIRMED,
                before=reading.listed[-1].signature if reading.listed else None,
                until=reading.until,
                limit=PAGE,
            )
            reading.listed += [each for each in page if each.slot >= self.since]
            reading.is_whole = len(page) < PAGE or page[-1].slot < self.since
            if reading.is_whole:
                return

    async def _read(self, reading: _Reading) -> bool:
        """Read some of what is listed, the oldest first; returns whether the node had all of it."""
        some = reading.listed[-AT_ONCE:][::-1]
        asked = [each.signature for each in some if not each.failed]
        records = dict(zip(asked, await self.chain.records(asked), strict=True))
        for signature, _, failed, _ in some:
            record = records.get(signature)
            if record is None and not failed:
                # Perhaps it isn't there any more: it is listed again, or not.
                reading.listed, reading.is_whole = [], False
                return False
            for posting in _postings(staking.PROGRAM.events(record) if record else ()):
                self.take(posting)
                reading.seen[posting.at // HOUR] += 1
            reading.until = signature
            reading.listed.pop()
        return True

    def forget(self, before: int) -> None:
        """Keep nothing of earlier hours than this: an operator may post hundreds of hashes an hour."""
        self.first = {key: posted for key, posted in self.first.items() if key.hour >= before}

    def of_hour(self, hour: int) -> Mapping[Key, Posting]:
        """What all operators have posted of an hour, as far as it was read."""
        return {key: posted for key, posted in self.first.items() if key.hour == hour}


async def posted_since(chain: ChainReader, operator: Pubkey, slot: int) -> list[Posting]:
    """All that an operator has posted from a slot on, of any kind, the oldest first."""
    listed: list[Listed] = []
    while True:
        page = await chain.signatures(
            staking.post_address(operator),
            Commitment.CONFIRMED,
            before=listed[-1].signature if listed else None,
            limit=PAGE,
        )
        listed += page
        if len(page) < PAGE or page[-1].slot < slot:
            break
    asked = [each.signature for each in reversed(listed) if each.slot >= slot and not each.failed]
    found: list[Posting] = []
    for first in range(0, len(asked), AT_ONCE):
        for record in await chain.records(asked[first : first + AT_ONCE]):
            found += _postings(staking.PROGRAM.events(record) if record else ())
    return [each for each in found if each.operator == operator]


async def post(port: Port, postings: Postings, key: Key, digest: bytes) -> Posting:
    """Put a hash on chain unless the chain has one under this key; returns what the chain has.

    Raises what landing a transaction raises. Called again after a kill at any point, it posts once.
    """
    await postings.refresh(key.operator)
    if key not in postings.first:
        number, kind, slot = key.hour, key.kind, key.slot
        instruction = staking.post(port.payer, number, kind, slot, digest)

        async def due() -> bool:
            await postings.refresh(key.operator)
            return key not in postings.first

        name = f"post {number} {kind} {slot}"
        for posting in _postings(await do(port, staking.PROGRAM, [instruction], due, key=name)):
            postings.take(posting)
        if key not in postings.first:
            await postings.refresh(key.operator)
    return postings.first[key]


def _postings(events: Iterable[Event]) -> list[Posting]:
    """Those among a transaction's events, in their order."""
    return [Posting(**each.fields) for each in events if each.name == "Posted"]
