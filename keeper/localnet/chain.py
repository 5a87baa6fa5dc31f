"""An embedded chain as the server needs it: a clock that runs, blockhashes that last, transactions once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain import heads
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import ChainError
from keeper.chain.executed import Trial
from keeper.chain.heads import SLOTS_PER_SECOND
from keeper.chain.kept import Kept
from keeper.chain.records import Account, Blockhash, Tip, TransactionRecord
from keeper.localnet.haste import Crew, Haste
from keeper.localnet.nonces import nonce_of
from keeper.localnet.ring import HASH_LIFE, Ring
from keeper.pow.clock import APART, Network

MAX_SPEED = 100_000.0
"""Seconds of the chain in one of ours: a day and more."""


class LocalChain(EmbeddedChain):
    """Signatures are verified here and not in the VM, as simulations have none.

    All is final at once, and nothing is in the file until it is saved.
    """

    heard: Callable[[TransactionRecord, VersionedTransaction], None] = staticmethod(lambda record, sent: None)
    """Called with each transaction that was executed."""
    _haste: Haste | None = None
    _ring: Ring
    _speed = 1.0
    _clock: Callable[[], float] = staticmethod(time.monotonic)
    _ticked = 0.0
    """When the clock moved last, and what it was short of a slot and of a second then."""
    _slots_short = 0.0
    _seconds_short = 0.0

    def __init__(self, *, verify_signatures: bool = False, now: int = 0, genesis: Hash | None = None) -> None:
        """See :class:`EmbeddedChain`; the VM verifies no signature."""
        super().__init__(verify_signatures=False, now=now, genesis=genesis)
        self._start()

    @classmethod
    def load(cls, path: Path, *, verify_signatures: bool = False) -> Self:
        """See :meth:`EmbeddedChain.load`."""
        loaded = super().load(path, verify_signatures=verify_signatures)
        loaded._start()
        return loaded

    # -- time ----------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """Seconds that pass on the chain in a second."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """From now on so many seconds pass in a second: 0 for a clock that stands still."""
        self._pass()
        self._speed = speed

    def wait_for(self, network: Network, crew: Crew) -> None:
        """From now on time waits for those who work on a network, see :mod:`keeper.localnet.haste`."""
        genesis = bytes(self._genesis)
        self._haste = Haste(
            network,
            self._slot,
            lambda slot: self._pace.head(genesis, slot, self._slot),
            crew,
            lambda: self._ticked,
        )

    def tick(self) -> None:
        """A block, and the time since the last one: called every TICK_SECONDS."""
        self._ring.tick()
        slot = self._slot
        waits = self._pass()
        if self._slot == slot and not waits:
            self._set_clock(slot + 1, self.now())  # a chain whose clock stands makes blocks, too
        self._new_blockhash()

    def advance(self, seconds: int) -> None:
        """Move the clock on, as on a cluster that stood still so long: the time has no blocks.

        So whoever follows blocks has nothing to catch up with, and nothing was asked of anybody meanwhile.
        """
        if seconds > 0:
            self._set_clock(self._slot + APART, self.now() + seconds)
        self._new_blockhash()

    def expire_blockhashes(self) -> None:
        """No transaction that is signed by now can land."""
        self._set_clock(self._slot + 1, self.now())
        self._new_blockhash()
        self._ring.expire()

    # -- transactions --------------------------------------------------------------------------

    def refusal(self, transaction: VersionedTransaction) -> str | None:
        """Why a transaction can't be executed at all, in the runtime's word; None if it can."""
        if transaction.signatures[0] in self._kept:
            return "AlreadyProcessed"
        named = transaction.message.recent_blockhash
        if self._ring.last_height(named) is None and nonce_of(transaction, self.get) != named:
            return "BlockhashNotFound"
        return None

    def trial(self, transaction: VersionedTransaction, *, checked: bool = False) -> Trial:
        """See :meth:`EmbeddedChain.trial`; with ``checked`` one that can't be executed fails, too."""
        refused = self.refusal(transaction) if checked else None
        if refused is not None:
            return Trial(self._not_executed(transaction, refused), 0, refused, {}, None, {})
        return super().trial(transaction)

    def submit(self, transaction: VersionedTransaction) -> TransactionRecord:
        """See :class:`EmbeddedChain`; one that was executed, or whose blockhash is too old, isn't."""
        refused = self.refusal(transaction)
        if refused is not None:
            return self._not_executed(transaction, refused)
        record = super().submit(transaction)
        self._new_blockhash()
        if record.signature in self._kept:
            self.heard(record, transaction)
        return record

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """See :class:`~keeper.chain.protocol.Chain`; raises ChainError for one that nobody pays for."""
        if not all(transaction.verify_with_results()):
            raise ChainError("the transaction's signatures are not valid")
        if self.refusal(transaction) is None:
            record = self.submit(transaction)
            if record.signature not in self._kept:
                raise ChainError(f"the chain doesn't take the transaction: {record.error}")

    def latest_blockhash(self) -> Hash:
        """What the next transaction names."""
        return self._ring.newest

    async def blockhash(self) -> Blockhash:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return Blockhash(self._ring.newest, self._ring.height + HASH_LIFE)

    async def tip(self) -> Tip:
        """See :class:`~keeper.chain.protocol.Chain`; the height counts ticks."""
        return Tip(self._slot, self._ring.height)

    @property
    def height(self) -> int:
        """The block height."""
        return self._ring.height

    def last_height(self, blockhash: Hash) -> int | None:
        """The last block in which a transaction that names it may land; None when that is over."""
        return self._ring.last_height(blockhash)

    def hash_at(self, slot: int) -> Hash:
        """The hash of a slot's block."""
        return Hash(heads.blockhash(bytes(self._genesis), slot))

    def time_at(self, slot: int) -> int:
        """When a slot was, unix seconds."""
        return self._pace.time(slot)

    # -- what is there -------------------------------------------------------------------------

    @property
    def kept(self) -> Kept:
        """All transactions."""
        return self._kept

    def keys(self, transaction: VersionedTransaction) -> list[Pubkey]:
        """All addresses of a transaction, those that it looks up at the end."""
        return [*transaction.message.account_keys, *itertools.chain(*self._looked_up(transaction))]

    def owned(self, program: Pubkey) -> Iterator[tuple[Pubkey, Account]]:
        """All accounts of a program."""
        for address, found in self._svm.get_program_accounts(program):
            yield address, Account(found.lamports, bytes(found.data), found.owner, found.executable)

    def balances(self) -> Iterator[tuple[Pubkey, int]]:
        """The lamports of every account that anybody has written."""
        return ((address, self._svm.get_balance(address) or 0) for address in self._written)

    def rent_exempt(self, space: int) -> int:
        """Lamports that keep an account of so many bytes."""
        return self._svm.minimum_balance_for_rent_exemption(space)

    # -- inside --------------------------------------------------------------------------------

    def _start(self) -> None:
        self._ring = Ring(self._slot)
        self._ring.add(self.hash_at(self._slot))
        self._ticked = self._clock()

    def _empty(self) -> None:
        super()._empty()
        self._svm = self._svm.with_blockhash_check(False)

    def _final_slot(self) -> int:
        return self._slot

    def _new_blockhash(self) -> None:
        self._ring.add(self.hash_at(self._slot))

    def _pass(self) -> bool:
        """Let the time pass since this was called last; whether it stands until something is done."""
        now = self._clock()
        left, self._ticked = now - self._ticked, now
        while left > 0:
            speed, took = self._speed, left
            if self._haste is not None and speed:
                speed, slots = self._haste.speed(self._slot, self.now(), speed)
                if not speed:
                    return True
                took = min(left, slots / SLOTS_PER_SECOND / speed)
            self._move(took * speed)
            left -= took
        return False

    def _move(self, seconds: float) -> None:
        whole, self._seconds_short = divmod(self._seconds_short + seconds, 1.0)
        slots, self._slots_short = divmod(self._slots_short + seconds * SLOTS_PER_SECOND, 1.0)
        if whole or slots:
            self._set_clock(self._slot + int(slots), self.now() + int(whole))

    def _not_executed(self, transaction: VersionedTransaction, reason: str) -> TransactionRecord:
        keys: list[Any] = list(transaction.message.account_keys)
        return TransactionRecord(
            signature=transaction.signatures[0],
            slot=self._slot,
            time=self.now(),
            signers=tuple(keys[: transaction.message.header.num_required_signatures]),
            programs=tuple(keys[each.program_id_index] for each in transaction.message.instructions),
            inner=(),
            logs=(),
            compute_units=0,
            fee=0,
            error=reason,
        )
