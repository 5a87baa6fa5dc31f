"""A whole chain in this process: the real VM and token programs (LiteSVM), and a clock that can be set.

Every transaction gets a slot and a block of its own. What an RPC node would keep is kept:
transactions with their inner instructions, program accounts. The state can be saved to one file and
loaded again; on a chain from a file, what was saved is final, as only that survives this process. One
that other processes use, too, is a :class:`keeper.chain.saved.SavedChain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.errors import ChainError, ChainUnreachable
from keeper.chain.kept import listed
from keeper.chain.machine import Machine
from keeper.chain.records import (
    Account,
    Blockhash,
    Clock,
    Commitment,
    Head,
    Listed,
    Memcmp,
    Tip,
    TransactionRecord,
    TransactionStatus,
)
from keeper.chain.signer import Signer, unsigned
from keeper.chain.whole import Signed

OUTDATED = ("BlockhashNotFound", "AlreadyProcessed")
"""The errors of a transaction that was sent before, or signed for an earlier block."""


class EmbeddedChain(Machine):
    """Implements :class:`keeper.chain.protocol.Chain`; the machine's plain methods are for its owner."""

    async def genesis_hash(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return str(self._genesis)

    async def version(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return f"LiteSVM of solders {metadata.version('solders')}"

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`; what executes nothing is final at once."""
        if commitment is Commitment.FINALIZED:
            return await self.final_clock()
        now = self.now()  # moves the slot on, too
        return Clock(self._slot, now)

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return [self.get(address) for address in addresses]

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return {
            address: Account(found.lamports, data, found.owner, found.executable)
            for address, found in self._svm.get_program_accounts(program)
            if _match(data := bytes(found.data), size, matches)
        }

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return self.rehearse(unsigned(self._message(instructions, signers)))

    async def history(
        self, address: Pubkey, *, until: Signature | None = None, limit: int | None = None
    ) -> list[TransactionRecord]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return self._kept.history(address, until, limit)

    async def slot(self, commitment: Commitment) -> int:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return self._final_slot() if commitment is Commitment.FINALIZED else self._slot

    async def final_clock(self) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`."""
        now = self.now()
        return Clock(self._final_slot(), now if self.all_final else self._saved_time)

    async def signatures(
        self,
        address: Pubkey,
        commitment: Commitment,
        *,
        before: Signature | None = None,
        until: Signature | None = None,
        min_slot: int = 0,
        limit: int = 1_000,
    ) -> list[Listed]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        newest = self._final_slot() if commitment is Commitment.FINALIZED else self._slot
        page = self._kept.page(address, newest, before=before, until=until, limit=limit)
        return [listed(each) for each in page]

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return [self._kept.find(signature) for signature in signatures]

    async def signed(self, signatures: Sequence[Signature]) -> list[Signed | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found = [self.whole(each) for each in signatures]
        return [each.signed() if each else None for each in found]

    async def block(self, slot: int) -> list[Signature]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return [record.signature for record in self._kept.block(slot)]

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        """See :class:`~keeper.chain.protocol.Chain`; one every 32 slots, see :mod:`keeper.chain.heads`."""
        self.now()  # a clock that follows this machine's moves when it is read
        newest = self._final_slot() if commitment is Commitment.FINALIZED else self._slot
        return self._pace.head(bytes(self._genesis), slot, newest)

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        """See :class:`~keeper.chain.protocol.Chain`; there is only the newest state, so it must be final."""
        if not self.all_final:
            raise ChainUnreachable("the chain has executed what isn't in its file yet")
        return self._final_slot(), await self.program_accounts(program)

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        """See :class:`~keeper.chain.protocol.Chain`."""
        await self._called.wait()
        self._called.clear()

    async def blockhash(self) -> Blockhash:
        """See :class:`~keeper.chain.protocol.Chain`; valid for one transaction, whoever's it is."""
        return Blockhash(self.latest_blockhash(), len(self._kept))

    async def tip(self) -> Tip:
        """See :class:`~keeper.chain.protocol.Chain`; the height counts transactions, as each has a block."""
        return Tip(self._final_slot(), len(self._kept))

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """See :class:`~keeper.chain.protocol.Chain`.

        Raises ChainError for what can never be executed, ChainUnreachable for what was signed for a state
        that this chain has lost, or not reached yet: it may still land.
        """
        record = self.submit(transaction)
        if record.signature in self._kept:
            return
        blockhash = transaction.message.recent_blockhash
        if record.error == "BlockhashNotFound" and blockhash not in self._blockhashes:
            raise ChainUnreachable(
                f"{record.signature} was signed for a state that the chain doesn't have: what led to it was "
                "not saved, or an earlier file was put back"
            )
        if record.error not in OUTDATED:
            raise ChainError(f"the chain doesn't take the transaction: {record.error}")

    async def statuses(
        self, signatures: Sequence[Signature], *, min_slot: int = 0
    ) -> list[TransactionStatus | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        final = self._final_slot()
        return [
            TransactionStatus(
                found.slot,
                Commitment.FINALIZED if found.slot <= final else Commitment.CONFIRMED,
                found.error,
            )
            if found
            else None
            for found in map(self._kept.find, signatures)
        ]

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """See :class:`~keeper.chain.protocol.Chain`; nobody competes here."""
        return []


def _match(data: bytes, size: int | None, matches: Sequence[Memcmp]) -> bool:
    if size is not None and len(data) != size:
        return False
    return all(data.startswith(each.value, each.offset) for each in matches)
