"""A whole chain in this process: the real VM and token programs (LiteSVM), and a clock that can be set.

Every transaction gets a slot and a block of its own. What an RPC node would keep is kept:
transactions with their inner instructions, program accounts. The state can be saved to one file and
loaded again; on a chain from a file, what was saved is final, as only that survives this process. One
that other processes use, too, is a :class:`keeper.chain.saved.SavedChain`.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Self

from solders.account import Account as SoldersAccount
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo

from keeper.chain.errors import ChainError, ChainNotSaved, ChainUnreachable, TransactionFailed
from keeper.chain.executed import Trial, error_of, long_calls, record_of, returned
from keeper.chain.filelock import FileLock
from keeper.chain.framework import MAX_COMPUTE_UNITS, UPGRADEABLE_LOADER
from keeper.chain.heads import SLOTS_PER_SECOND, Pace
from keeper.chain.kept import Kept, listed
from keeper.chain.loader import program_data_address
from keeper.chain.packing import MAX_TRANSACTION_BYTES
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
from keeper.chain.signer import Signer, sign, unsigned
from keeper.chain.snapshot import Snapshot, digest_in
from keeper.chain.whole import Whole, balances, changes, looked_up

_VM = ThreadPoolExecutor(1, "vm")
"""Programs run on a thread of their own: the VM's compiled code leaves the x87 unit of the thread it
ran on unusable (github.com/anza-xyz/sbpf/issues/197), and then numpy's float division gives NaN there."""

OUTDATED = ("BlockhashNotFound", "AlreadyProcessed")
"""The errors of a transaction that was sent before, or signed for an earlier block."""


class EmbeddedChain:
    """Implements :class:`keeper.chain.protocol.Chain`; the plain methods are for its owner."""

    def __init__(
        self,
        *,
        verify_signatures: bool = True,
        now: int = 0,
        genesis: Hash | None = None,
        own_clock: bool = False,
    ) -> None:
        """Start an empty chain whose clock shows ``now``, with a random identity unless one is given.

        With ``own_clock`` its time isn't this machine's, and what is saved of it doesn't age.
        """
        self._verify_signatures = verify_signatures
        self._genesis = genesis or Hash(secrets.token_bytes(Hash.LENGTH))
        self._saved_slot: int | None = None
        self._saved_time = now
        self._file: Path | None = None
        """The file that this chain came from or went to, and what it had in it then."""
        self._digest: str | None = None
        self._called = asyncio.Event()
        self._live = False
        self._own_clock = own_clock
        self._behind = 0
        """By how many seconds its clock is behind this machine's, when it has its own and goes on."""
        self._pace = Pace()
        self._empty()
        self._set_clock(1, now)

    # -- for the chain's owner ---------------------------------------------------------------

    def load_program(self, program: Pubkey, binary: bytes, authority: Pubkey) -> None:
        """Deploy ``binary`` as the upgradeable loader does, with its upgrade ``authority``."""
        self._svm.add_program(program, binary)
        data = program_data_address(program)
        header = struct.pack("<IQB", 3, self._slot, 1) + bytes(authority)
        account = self._svm.get_account(data)
        lamports = account.lamports if account else 1
        self.set_account(data, Account(lamports, header + binary, UPGRADEABLE_LOADER))
        self._written.add(program)

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account as if it had always been there."""
        self._svm.set_account(
            address, SoldersAccount(account.lamports, account.data, account.owner, account.executable)
        )
        self._written.add(address)

    def airdrop(self, address: Pubkey, lamports: int) -> None:
        """Give ``address`` lamports out of nothing."""
        self._svm.airdrop(address, lamports)
        self._written.add(address)

    def warp_to(self, unix_timestamp: int) -> None:
        """Set the clock, forwards or backwards; slots only ever move forwards."""
        self._move_clock(self.now(), unix_timestamp)

    def advance(self, seconds: int) -> None:
        """Move the clock on."""
        self.warp_to(self.now() + seconds)

    def follow_wall_clock(self) -> None:
        """From now on the clock is this machine's, where that is ahead of the chain's.

        A chain with a clock of its own goes on from where it is, as fast, while this process has it.
        """
        self._behind = int(time.time()) - self.now() if self._own_clock else 0
        self._live = True

    def now(self) -> int:
        """Read the clock's unix time."""
        now = self._svm.get_clock().unix_timestamp
        if self._live and (live := int(time.time()) - self._behind) > now:
            self._move_clock(now, live)
            now = live
        return now

    def newest_slot(self) -> int:
        """The slot that the clock shows."""
        return self._slot

    def get(self, address: Pubkey) -> Account | None:
        """Read one account, None if there is none."""
        found = self._svm.get_account(address)
        return None if found is None else _account(found)

    def execute(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """Execute one transaction and keep it; a refusal is in the record, not raised."""
        return self.submit(sign(self._message(instructions, signers), signers))

    async def send(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """Execute one transaction, without what it takes on a network; raises TransactionFailed."""
        record = self.execute(instructions, signers)
        if record.error is not None:
            raise TransactionFailed(record)
        return record

    def latest_blockhash(self) -> Hash:
        """What the next transaction must name; the one after it needs another."""
        return self._svm.latest_blockhash()

    def submit(self, transaction: VersionedTransaction) -> TransactionRecord:
        """Execute a transaction that was signed elsewhere and keep it; a refusal is in the record.

        One that nobody pays for (no lamports, outdated blockhash) is not executed and not kept.
        """
        _require_packet(transaction)
        writable, readonly = self._looked_up(transaction)
        keys = [*transaction.message.account_keys, *writable, *readonly]
        before = balances(keys, self._svm.get_account)
        self._set_clock(self._slot + 1, self.now())
        result = _VM.submit(self._svm.send_transaction, transaction).result()
        record = record_of(transaction, keys, result, self._slot, self._svm.get_clock().unix_timestamp)
        if record.error is None:
            self._written.update(keys)
        elif self._svm.get_balance(keys[0]) == before.lamports[0]:
            return record._replace(fee=0)
        else:
            self._written.add(keys[0])
        self._next_blockhash()
        after = balances(keys, self._svm.get_account)
        whole = Whole(
            wire=bytes(transaction),
            error=error_of(result),
            writable=tuple(writable),
            readonly=tuple(readonly),
            before=before.lamports,
            after=after.lamports,
            tokens=changes(before, after),
            calls=long_calls(result),
            returned=returned(result),
        )
        self._kept.add(record, whole, keys)
        self._called.set()
        return record

    def rehearse(self, transaction: VersionedTransaction) -> TransactionRecord:
        """Execute a transaction without changing anything; nobody need have signed it, nothing is paid."""
        return self.trial(transaction).record

    def trial(self, transaction: VersionedTransaction) -> Trial:
        """The same with all that the VM says of it."""
        _require_packet(transaction)
        tried = _VM.submit(self._simulate, transaction).result()
        result = tried.meta() if isinstance(tried, SimulatedTransactionInfo) else tried
        keys = [*transaction.message.account_keys, *chain.from_iterable(self._looked_up(transaction))]
        record = record_of(transaction, keys, result, self._slot, self._svm.get_clock().unix_timestamp)
        after = tried.post_accounts() if isinstance(tried, SimulatedTransactionInfo) else []
        accounts = {address: _account(account) for address, account in after}
        return Trial(
            record._replace(fee=0),
            record.fee,
            error_of(result),
            long_calls(result),
            returned(result),
            accounts,
        )

    def transactions(self) -> list[TransactionRecord]:
        """Everything that was executed, oldest first."""
        return list(self._kept.records)

    def whole(self, signature: Signature) -> Whole | None:
        """A transaction with its bytes and balances.

        None for one that the chain doesn't have, or that an earlier version saved, by its record alone.
        """
        return self._kept.whole(signature)

    def save(self, path: Path) -> None:
        """Write the whole chain to ``path`` in one step: the old file stays until the new one is on the disk.

        Waits for a process that is writing there, and replaces what is there. Only this chain's own file
        must be as this chain left it. Raises ChainNotSaved, ChainLocked.
        """
        path = path.resolve()
        if path != self._file:
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        for pause in lock.attempts():
            time.sleep(pause)
        try:
            self._write(path)
        finally:
            lock.release()

    @property
    def all_final(self) -> bool:
        """Whether everything that was executed is final: on a chain from a file, whether it was saved."""
        return not self._kept.records or self._kept.records[-1].slot <= self._final_slot()

    @classmethod
    def load(cls, path: Path, *, verify_signatures: bool = True) -> Self:
        """Bring back a chain that was saved; raises ChainError for a file that isn't one."""
        snapshot, digest = Snapshot.read(path)
        loaded = cls(
            verify_signatures=verify_signatures, now=snapshot.unix_timestamp, genesis=snapshot.genesis
        )
        loaded._file = path.resolve()
        loaded._restore(snapshot, digest)
        return loaded

    # -- the protocol ------------------------------------------------------------------------

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
        return Clock(self._slot, self.now())

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
            if (size is None or len(found.data) == size) and _match(data := bytes(found.data), matches)
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

    # -- inside ------------------------------------------------------------------------------

    def _empty(self) -> None:
        """Start with a VM that has executed nothing."""
        self._svm = LiteSVM().with_sigverify(self._verify_signatures).with_transaction_history(0)
        self._written: set[Pubkey] = set()
        self._kept = Kept()
        self._blockhashes: set[Hash] = set()
        """Those of transactions that were executed: no other may name them."""

    def _restore(self, snapshot: Snapshot, digest: str) -> None:
        """Be what was saved, and nothing else."""
        self._empty()
        # Code goes in before the programs that point to it: the VM compiles on sight of the latter.
        for address, account in sorted(snapshot.accounts.items(), key=lambda item: item[1].executable):
            self.set_account(address, account)
        self._kept = Kept(snapshot.records, snapshot.wholes, snapshot.addresses)
        # Blockhashes go on where they stopped: otherwise an old transaction could be made again.
        for _ in snapshot.records:
            self._next_blockhash()
        self._pace, self._own_clock = Pace(snapshot.settings), snapshot.own_clock
        self._set_clock(snapshot.slot, snapshot.unix_timestamp)
        self._saved_slot, self._saved_time, self._digest = snapshot.slot, snapshot.unix_timestamp, digest

    def _looked_up(self, transaction: VersionedTransaction) -> tuple[list[Pubkey], list[Pubkey]]:
        return looked_up(transaction, self._svm.get_account)

    def _next_blockhash(self) -> None:
        self._blockhashes.add(self._svm.latest_blockhash())
        self._svm.expire_blockhash()

    def _write(self, path: Path) -> None:
        """Save to ``path``, whose lock is held."""

        def require_unchanged() -> None:
            if path == self._file and digest_in(path) != self._digest:
                raise ChainNotSaved(
                    f"{path}: it was changed since it was read, without its lock, so nothing is saved over "
                    "it: run the command again, which reads it anew"
                )

        require_unchanged()
        accounts = {address: found for address in self._written if (found := self.get(address))}
        now = self.now()
        snapshot = Snapshot(
            genesis=self._genesis,
            slot=self._slot,
            unix_timestamp=now,
            settings=list(self._pace.settings),
            accounts=accounts,
            records=self._kept.records,
            wholes=self._kept.wholes,
            addresses=self._kept.addresses(),
            own_clock=self._own_clock,
        )
        # Again at the last moment: somebody may have removed the lock's file meanwhile.
        digest = snapshot.write(path, require_unchanged)
        self._saved_slot, self._saved_time = snapshot.slot, now
        self._file, self._digest = path, digest

    def _final_slot(self) -> int:
        return self._slot if self._saved_slot is None else self._saved_slot

    def _move_clock(self, now: int, unix_timestamp: int) -> None:
        seconds = max(0, unix_timestamp - now)
        self._set_clock(self._slot + int(seconds * SLOTS_PER_SECOND), unix_timestamp)

    def _set_clock(self, slot: int, unix_timestamp: int) -> None:
        self._slot = slot
        self._pace.set(slot, unix_timestamp)
        clock = self._svm.get_clock()
        clock.slot = slot
        clock.unix_timestamp = unix_timestamp
        self._svm.set_clock(clock)

    def _message(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> MessageV0:
        limited = [*instructions, set_compute_unit_limit(MAX_COMPUTE_UNITS)]
        return MessageV0.try_compile(signers[0].pubkey(), limited, [], self.latest_blockhash())

    def _simulate(
        self, transaction: VersionedTransaction
    ) -> SimulatedTransactionInfo | FailedTransactionMetadata:
        verifies = self._svm.get_sigverify()
        self._svm.with_sigverify(False)
        try:
            return self._svm.simulate_transaction(transaction)
        finally:
            self._svm.with_sigverify(verifies)


def _account(found: SoldersAccount) -> Account | None:
    """None for an account that was closed."""
    if found.lamports == 0 and not found.data:
        return None
    return Account(found.lamports, bytes(found.data), found.owner, found.executable)


def _require_packet(transaction: VersionedTransaction) -> None:
    size = len(bytes(transaction))
    if size > MAX_TRANSACTION_BYTES:
        raise ChainError(f"the transaction has {size} bytes, a packet holds {MAX_TRANSACTION_BYTES}")


def _match(data: bytes, matches: Sequence[Memcmp]) -> bool:
    return all(data[m.offset : m.offset + len(m.value)] == m.value for m in matches)
