"""Posting a file's hash on chain, and what operators have posted.

A posting counts by its first event for an operator, a number, a kind and a slot, and by when that was. So
whoever wants to know asks the chain, and after a restart an operator looks there before it posts again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import ChainReader, Commitment
from keeper.clients import staking
from keeper.jobs.port import Port, do
from keeper.pow.anchored import Posting
from keeper.pow.clock import Network

PAGE = 1_000
PAGES = 10
"""Anybody may name an operator's account in a transaction: of more pages the rest is read the next time."""


class Key(NamedTuple):
    """What is posted once: whose, of which hour, which kind, about which slot (0 for an hour's)."""

    operator: Pubkey
    hour: int
    kind: int
    slot: int


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
        self._until: dict[Pubkey, Signature] = {}
        self._listed: dict[Pubkey, tuple[list[Signature], Signature | None]] = {}
        """Of operators whose list is being read: what was found, the newest first, and where it goes on."""

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

        A list of more than PAGES pages is taken in once it was read to its end, the oldest first: of two
        postings of a key the first counts.
        """
        account = staking.post_address(operator)
        listed, before = self._listed.get(operator, ([], None))
        fresh = [*listed]
        until = self._until.get(operator)
        for _ in range(PAGES):
            page = await self.chain.signatures(
                account, Commitment.CONFIRMED, before=before, until=until, limit=PAGE
            )
            fresh += [each.signature for each in page if each.slot >= self.since and not each.failed]
            if len(page) < PAGE or page[-1].slot < self.since:
                break
            before = page[-1].signature
        else:
            self._listed[operator] = fresh, before
            return
        if not fresh:
            self._listed.pop(operator, None)
            return
        oldest_first = fresh[::-1]
        records = await self.chain.records(oldest_first)
        self._listed.pop(operator, None)
        for signature, record in zip(oldest_first, records, strict=True):
            if record is None:
                return  # Another node listed it; it is asked for again, unless it is listed no more.
            for event in staking.PROGRAM.events(record):
                if event.name == "Posted":
                    self.take(Posting(**event.fields))
            self._until[operator] = signature

    def of_hour(self, hour: int) -> Mapping[Key, Posting]:
        """What all operators have posted of an hour, as far as it was read."""
        return {key: posted for key, posted in self.first.items() if key.hour == hour}


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
        for event in await do(port, staking.PROGRAM, [instruction], due, key=name):
            if event.name == "Posted":
                postings.take(Posting(**event.fields))
        await postings.refresh(key.operator)
    return postings.first[key]
