"""Every transaction that a chain lists of some addresses, as it was signed, in the order of execution.

No list is believed alone: what any list has counts, and a list of a program that lacks what another list has
is told. What is listed and can't be read is a gap, which is told, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.audit.calls import Call, calls_of
from keeper.audit.findings import Code, Finding, Unchecked
from keeper.audit.sources import Told
from keeper.chain import ChainReader, Commitment, Listed, TransactionRecord
from keeper.chain.listed import listed_records
from keeper.chain.whole import Signed
from keeper.indexer.walk import Bottom, walk

BATCH = 500
"""Transactions that are read between two reports of progress."""
READING = "reading transactions"


class Executed(NamedTuple):
    """A transaction that was executed, with its calls; none of one that failed, or isn't known whole."""

    record: TransactionRecord
    signed: Signed | None
    calls: tuple[Call, ...]

    @property
    def name(self) -> str:
        """Its first signature, by which it is known."""
        return str(self.record.signature)

    @property
    def signers(self) -> str:
        """Whose signatures stand under it, in words."""
        return ", ".join(map(str, self.record.signers))


class History:
    """The transactions of addresses that were asked for; more addresses may follow."""

    def __init__(
        self,
        chain: ChainReader,
        part: str,
        told: Told,
        known: dict[Signature, TransactionRecord] | None = None,
    ) -> None:
        """Have read nothing yet; findings are of ``part``. What is read is put to what is ``known``, too."""
        self._known = {} if known is None else known
        self.findings: list[Finding] = []
        self.unchecked: list[Unchecked] = []
        self.lists: dict[Pubkey, set[Signature]] = {}
        """What the chain lists, by address."""
        self.lost: set[Signature] = set()
        """Listed, and not to be had."""
        self.opaque: set[Signature] = set()
        """Those, and of which it isn't known what was signed: nothing can be said of tokens there."""
        self._chain, self._part, self._told = chain, part, told
        self._listed: dict[Signature, Listed] = {}
        self._read: dict[Signature, Executed] = {}

    async def list_of(self, addresses: Iterable[Pubkey]) -> int:
        """Read the lists of addresses that weren't read yet; returns how many transactions are new."""
        before = len(self._listed)
        slot = await self._chain.slot(Commitment.FINALIZED)
        for address in dict.fromkeys(addresses):
            if address not in self.lists:
                own = await self._list(address, slot)
                self.lists[address] = {each.signature for each in own}
                for each in own:
                    self._take(each)
        await self._read_listed()
        return len(self._listed) - before

    async def list_again(self, addresses: Iterable[Pubkey]) -> None:
        """Read lists anew, for what came between reading one list and another; nothing new is followed."""
        slot = await self._chain.slot(Commitment.FINALIZED)
        for address in addresses:
            self.lists[address] |= {each.signature for each in await self._list(address, slot)}

    def ordered(self) -> list[Executed]:
        """All that was read, in the order of execution."""
        names = sorted(self._read, key=lambda each: self._place(self._listed[each]))
        return [self._read[each] for each in names]

    def require_ordered(self) -> Iterator[Finding]:
        """Where time goes back while slots go on, a transaction isn't where it was executed."""
        latest = 0
        for each in self.ordered():
            if each.record.time < latest:
                row = "time"
                yield self._elsewhere(each.name, row, each.record.slot, latest, each.record.time)
            latest = max(latest, each.record.time)

    def require_listed(self, programs: Iterable[Pubkey]) -> Iterator[Finding]:
        """Transactions that call a program and aren't in the program's list."""
        for program in programs:
            for each in self.ordered():
                called = any(call.program == program for call in each.calls)
                if called and each.record.signature not in self.lists[program]:
                    yield Finding(
                        self._part,
                        Code.TRANSACTION_UNLISTED,
                        each.name,
                        f"list of {program}",
                        each.record.slot,
                        each.name,
                        None,
                        None,
                    )

    def hidden(self, names: set[Signature]) -> set[Pubkey]:
        """Addresses whose lists have any of these transactions."""
        return {address for address, listed in self.lists.items() if listed & names}

    # -- inside ------------------------------------------------------------------------------

    async def _list(self, address: Pubkey, slot: int) -> list[Listed]:
        pages = walk(self._chain, address, Commitment.FINALIZED, Bottom(None, None), min_slot=slot)
        return [each async for page, _ in pages for each in page]

    def _take(self, each: Listed) -> None:
        known = self._listed.setdefault(each.signature, each)
        if (known.slot, known.failed) != (each.slot, each.failed):
            self.findings.append(
                self._elsewhere(str(each.signature), "slot", each.slot, known.slot, each.slot)
            )

    def _place(self, each: Listed) -> tuple[int, int]:
        return each.slot, -1 if each.position is None else each.position

    async def _read_listed(self) -> None:
        known = self._read.keys() | self.lost
        missing = [each for name, each in self._listed.items() if name not in known]
        await self._position(missing)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            names = [each.signature for each in batch]
            records = await listed_records(self._chain, names)
            signed = await self._chain.signed(names)
            for listed, record, whole in zip(batch, records, signed, strict=True):
                self._keep(listed, record, whole)
            self._told(READING, start + len(batch), len(missing))

    def _keep(self, listed: Listed, record: TransactionRecord | None, signed: Signed | None) -> None:
        name = str(listed.signature)
        if record is None:
            self.unchecked.append(Unchecked(f"transaction {name}", "the chain lists it and hasn't got it"))
            self.lost.add(listed.signature)
            self.opaque.add(listed.signature)
            return
        if (record.slot, record.error is not None) != (listed.slot, listed.failed):
            stated, found = (
                f"slot {slot}, {'failed' if failed else 'done'}"
                for slot, failed in ((listed.slot, listed.failed), (record.slot, record.error is not None))
            )
            self.findings.append(self._elsewhere(name, "slot and outcome", record.slot, stated, found))
        calls: tuple[Call, ...] = ()
        if signed is None:
            self.unchecked.append(
                Unchecked(f"what was signed of {name}", "the chain has no bytes of it, only what came of it")
            )
            self.opaque.add(listed.signature)
        else:
            found_wrong = list(self._unsigned(listed.signature, record, signed))
            self.findings += found_wrong
            if found_wrong:
                self.opaque.add(listed.signature)
            if record.error is None and not found_wrong:
                calls = tuple(calls_of(record, signed))
        self._known[listed.signature] = record
        self._read[listed.signature] = Executed(record, signed, calls)

    def _unsigned(self, name: Signature, record: TransactionRecord, signed: Signed) -> Iterator[Finding]:
        """Whether a transaction is the one that it is shown as, and its signers signed it."""
        transaction = signed.transaction()
        if record.signature != name or transaction.signatures[0] != name:
            found = f"{record.signature}, {transaction.signatures[0]}"
            yield self._elsewhere(str(name), "signature", record.slot, str(name), found)
            return
        message = transaction.message
        keys = [*message.account_keys, *signed.writable, *signed.readonly]
        valid = transaction.verify_with_results()
        for key, good in zip(keys, valid, strict=False):
            if not good:
                yield Finding(
                    self._part,
                    Code.TRANSACTION_UNSIGNED,
                    str(name),
                    "signature",
                    record.slot,
                    f"by {key}",
                    "one that isn't",
                    None,
                )
        programs = tuple(keys[each.program_id_index] for each in message.instructions)
        for row, right, stated in (
            ("signers", tuple(keys[: len(valid)]), record.signers),
            ("programs", programs, record.programs),
        ):
            if right != stated:
                yield self._elsewhere(str(name), row, record.slot, _words(right), _words(stated))

    async def _position(self, listed: Sequence[Listed]) -> None:
        """Ask for the order within slots of which no list says it, where there are several."""
        of_slot: dict[int, list[Listed]] = defaultdict(list)
        for each in listed:
            of_slot[each.slot].append(each)
        for slot, several in of_slot.items():
            if len(several) > 1 and any(each.position is None for each in several):
                order = {name: at for at, name in enumerate(await self._chain.block(slot))}
                for each in several:
                    self._listed[each.signature] = each._replace(position=order.get(each.signature))

    def _elsewhere(self, name: str, row: str, slot: int, expected: str | int, found: str | int) -> Finding:
        return Finding(self._part, Code.TRANSACTION_ELSEWHERE, name, row, slot, expected, found, None)


def _words(keys: Iterable[Pubkey]) -> str:
    return ", ".join(map(str, keys))
