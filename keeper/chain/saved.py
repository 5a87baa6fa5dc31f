"""A chain in a file that several processes use at a time: commands, a keeper, a new ``ionet demo``.

Each loads the whole file, so the others don't see what one executes. Hence turns, of a transaction or of
several: from a turn's first simulation on, its process alone may write (:mod:`keeper.chain.filelock`); what
others have saved meanwhile is read first, and the turn ends with everything on the disk. No process holds
the lock while it only reads, thinks or asks its user; a signer may be asked while it is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path

from solders.instruction import Instruction
from solders.transaction import VersionedTransaction

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import AnotherChain, ChainError
from keeper.chain.filelock import FileLock
from keeper.chain.records import Blockhash, Clock, Commitment, Head, TransactionRecord
from keeper.chain.signer import Signer
from keeper.chain.snapshot import Snapshot, digest_in
from keeper.errors import UserError

_MINE: ContextVar[frozenset[object]] = ContextVar("turns", default=frozenset())
"""The turns that this task is in, and those that it starts are."""


class SavedChain(EmbeddedChain):
    """A chain whose every transaction is on the disk when its turn ends; :meth:`load` it from its file.

    It stays the same object when it is read again. One turn at a time: tasks that share a chain take turns,
    in the order in which they ask.
    """

    _turn: object | None = None
    """The one that is under way."""
    _turns: asyncio.Lock | None = None
    """Held during a turn."""
    _lock: FileLock | None = None
    """Held from a turn's first simulation or transaction to its end."""
    _asking: asyncio.Lock
    """Held while the file's lock is being acquired, as several tasks may send at once in one turn."""

    def refresh(self) -> None:
        """See what others have saved, unless a turn is under way.

        Raises AnotherChain when the file holds another chain by now, ChainError when it holds none.
        """
        if self._turn is None:
            self._reread()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """A turn: whatever is executed in it is on the disk afterwards.

        A transaction outside of any turn is one of its own; a turn within a turn belongs to the outer one.
        Raises ChainLocked, ChainNotSaved or AnotherChain, and then nothing of it is on the disk.
        """
        if self._is_mine():
            yield
            return
        self._turns = self._turns or asyncio.Lock()
        async with self._turns, self._turn_taken():
            yield

    @asynccontextmanager
    async def _turn_taken(self) -> AsyncIterator[None]:
        self._reread()
        self._turn, self._asking = object(), asyncio.Lock()
        outside = _MINE.set(_MINE.get() | {self._turn})
        try:
            yield
        except BaseException as error:
            try:
                await self._keep()
            except ChainError as unsaved:
                if isinstance(error, UserError):
                    raise unsaved from error
                error.add_note(str(unsaved))  # a defect of ours is shown, whatever becomes of the file
            raise
        else:
            await self._keep()
        finally:
            self._turn = None
            _MINE.reset(outside)
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    # -- the protocol ------------------------------------------------------------------------

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`.

        What was executed before a final time is final. Until this time is in the file, which every process
        reads before it writes, another one may still execute something at an earlier time.
        """
        if commitment is not Commitment.FINALIZED:
            return await super().clock(commitment)
        async with self.writing():
            await self._begin()
            if self.now() > self._saved_time:
                self._write_back()
            return Clock(self._final_slot(), self._saved_time)

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        """See :class:`~keeper.chain.protocol.Chain`.

        What time alone has brought is final once it is in the file: it goes there when it is asked for.
        """
        found = await super().head(slot, commitment)
        if found is None and await super().head(slot, Commitment.CONFIRMED):
            await self.clock(Commitment.FINALIZED)
            found = await super().head(slot, commitment)
        return found

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`; in a turn nothing comes between it and the sending."""
        if self._is_mine():
            await self._begin()
        return await super().simulate(instructions, signers)

    async def send(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """See :class:`EmbeddedChain`."""
        async with self.writing():
            await self._begin()
            return await super().send(instructions, signers)

    async def blockhash(self) -> Blockhash:
        """See :class:`~keeper.chain.protocol.Chain`; valid for the next transaction of the same turn."""
        async with self.writing():
            await self._begin()
            return await super().blockhash()

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """See :class:`~keeper.chain.protocol.Chain`."""
        async with self.writing():
            await self._begin()
            await super().broadcast(transaction)

    # -- inside ------------------------------------------------------------------------------

    def _is_mine(self) -> bool:
        """Whether this task is in the turn that is under way."""
        return self._turn in _MINE.get()

    @property
    def _place(self) -> Path:
        """The file that it was loaded from."""
        assert self._file is not None
        return self._file

    async def _begin(self) -> None:
        """Become the one that may write, with all that others have written."""
        async with self._asking:
            if self._lock is not None:
                return
            lock = FileLock(self._place)
            for pause in lock.attempts():
                await asyncio.sleep(pause)
            self._lock = lock
            self._reread()

    def _reread(self) -> None:
        """Take over what the file has now; what wasn't saved when others wrote never happened."""
        if digest_in(self._place) == self._digest:
            return
        snapshot, digest = Snapshot.read(self._place)
        if snapshot.genesis != self._genesis:
            raise AnotherChain(
                f"{self._place} holds another chain now (genesis {snapshot.genesis}), not the one that was "
                f"opened (genesis {self._genesis}): a new one was saved there. Nothing more is sent: start "
                "again, a keeper with another IONET_DATABASE"
            )
        self._restore(snapshot, digest)
        self._called.set()

    async def _keep(self) -> None:
        """Have everything on the disk; what an earlier turn failed to save is taken along."""
        if not self.all_final:
            await self._begin()
        if not self.all_final:
            self._write_back()

    def _write_back(self) -> None:
        self._write(self._place)
