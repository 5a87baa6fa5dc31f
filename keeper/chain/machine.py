"""The VM of a chain in this process, and all that it keeps: what :mod:`keeper.chain.embedded` asks about.

Every transaction gets a slot and a block of its own. The state can be saved to one file and loaded again;
on a chain from a file, what was saved is final, as only that survives this process.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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

from keeper.chain.errors import ChainError, ChainNotSaved, TransactionFailed
from keeper.chain.executed import Trial, error_of, long_calls, record_of, returned
from keeper.chain.filelock import FileLock
from keeper.chain.framework import MAX_COMPUTE_UNITS, UPGRADEABLE_LOADER
from keeper.chain.heads import SLOTS_PER_SECOND, Pace
from keeper.chain.kept import Kept
from keeper.chain.loader import program_data_address
from keeper.chain.packing import MAX_TRANSACTION_BYTES
from keeper.chain.records import (
    Account,
    TransactionRecord,
)
from keeper.chain.signer import Signer, sign
from keeper.chain.snapshot import Snapshot, digest_in
from keeper.chain.whole import Whole, balances, changes, looked_up

_VM = ThreadPoolExecutor(1, "vm")
"""Programs run on a thread of their own: the VM's compiled code leaves the x87 unit of the thread it
ran on unusable (github.com/anza-xyz/sbpf/issues/197), and then numpy's float division gives NaN there."""


class Machine:
    """Executes, keeps what happened, saves and loads it; its methods are for the chain's owner."""

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
