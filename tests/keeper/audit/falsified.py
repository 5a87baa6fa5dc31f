"""A node that lies: the same chain with something shown otherwise, left out, or added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.audit import parts
from keeper.audit.findings import Part
from keeper.audit.sources import Source
from keeper.chain import Account, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.records import Commitment, Listed
from keeper.chain.whole import Signed


@dataclass
class Falsified:
    """What is shown in place of the truth: accounts (None for none), records, what was signed, lists."""

    true: EmbeddedChain
    accounts_shown: Mapping[Pubkey, Account | None] = field(default_factory=dict)
    records_shown: Mapping[Signature, TransactionRecord | None] = field(default_factory=dict)
    signed_shown: Mapping[Signature, Signed | None] = field(default_factory=dict)
    hidden: frozenset[Signature] = frozenset()
    """Transactions that lists leave out: those of ``hidden_from`` alone, where it names any."""
    hidden_from: frozenset[Pubkey] = frozenset()
    listed_shown: Mapping[Signature, Listed] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.true, name)

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        shown = self.accounts_shown
        return [shown[each] if each in shown else self.true.get(each) for each in addresses]

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        slot, found = await self.true.snapshot(program, min_slot=min_slot)
        shown = {
            at: each for at, each in self.accounts_shown.items() if each is None or each.owner == program
        }
        merged = {**found, **{at: each for at, each in shown.items() if each is not None}}
        return slot, {at: each for at, each in merged.items() if shown.get(at, each) is not None}

    async def signatures(self, address: Pubkey, commitment: Commitment, **options: Any) -> list[Listed]:
        found = await self.true.signatures(address, commitment, **options)
        lies = not self.hidden_from or address in self.hidden_from
        kept = [each for each in found if not (lies and each.signature in self.hidden)]
        return [self.listed_shown.get(each.signature, each) for each in kept]

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        found = dict(zip(signatures, await self.true.records(signatures), strict=True))
        return [self.records_shown.get(each, found[each]) for each in signatures]

    async def signed(self, signatures: Sequence[Signature]) -> list[Signed | None]:
        found = dict(zip(signatures, await self.true.signed(signatures), strict=True))
        return [self.signed_shown.get(each, found[each]) for each in signatures]


async def audited(chain: Any, database: str | None = None) -> Part:
    """What the part finds on a chain."""
    report = await parts.run(Source("here", chain, database=database), ("chain",))
    (part,) = report.parts
    return part
