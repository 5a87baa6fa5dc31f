"""A validator's chain as the tests' worlds drive one: each call waits for its answer, or for time to pass."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from keeper.chain import (
    Account,
    Blockhash,
    Clock,
    Commitment,
    Head,
    Listed,
    Memcmp,
    Program,
    Signer,
    Tip,
    TransactionFailed,
    TransactionRecord,
    TransactionStatus,
)
from keeper.chain.landing import land
from keeper.chain.notices import Notices
from keeper.chain.rpc import RpcChain, websocket_url
from keeper.chain.whole import Signed
from tests.e2e.validator import SLOT_SECONDS
from tests.programs.world import DAY

T = TypeVar("T")

RESEND_SECONDS = 0.2
LONGEST_WAIT = 60
"""Seconds that are waited for, unless a scenario says otherwise; more is jumped."""
LONGEST_JUMP = 10 * DAY
"""Seconds; an epoch has slots for a little more."""
SLOWEST = 0.75
"""By its slots the clock goes so fast at least (``MAX_ALLOWABLE_DRIFT_PERCENTAGE_FAST`` of the runtime)."""
FASTEST = 2.5
"""And so fast at most (``MAX_ALLOWABLE_DRIFT_PERCENTAGE_SLOW_V2``)."""
STRIDE = 20
"""Seconds by which a clock moves at a time that is to be fast: a third of a tick."""


class Place(Protocol):
    """A node that runs."""

    @property
    def url(self) -> str:
        """Where it answers."""
        ...

    def jump(self, keep: int, slots: int, ahead: int | None = None) -> None:
        """See :meth:`Validator.jump`."""
        ...

    def set_ahead(self, seconds: int) -> None:
        """See :meth:`Validator.set_ahead`."""
        ...


class LiveChain:
    """Implements :class:`tests.programs.world.DrivenChain` over RPC.

    Its coroutines never wait for their caller's loop, but for ``changed``: the RPC client lives in a thread
    of its own.
    """

    def __init__(
        self,
        validator: Place,
        faucet: Keypair,
        commitment: Commitment = Commitment.CONFIRMED,
        *,
        longest_wait: int = LONGEST_WAIT,
    ) -> None:
        """Ask ``validator``; what is read has ``commitment`` at least. ``longest_wait`` is in seconds."""
        self._longest_wait = longest_wait
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rpc", daemon=True)
        self._thread.start()
        self._validator = validator
        self._commitment = commitment
        self._records: list[TransactionRecord] = []
        self._faucet = faucet
        self._rpc = self._connect()

    @property
    def url(self) -> str:
        """Where the validator answers, also after a jump."""
        return self._validator.url

    def _connect(self) -> RpcChain:
        url = self.url
        notices = Notices(websocket_url(url))
        return RpcChain(url, self._commitment, notices)

    def start(self, work: Callable[[RpcChain], Coroutine[Any, Any, T]]) -> Future[T]:
        """Let ``work`` use the RPC chain as the keeper does, while the caller does something else."""
        return asyncio.run_coroutine_threadsafe(work(self._rpc), self._loop)

    def run(self, work: Callable[[RpcChain], Coroutine[Any, Any, T]]) -> T:
        """The same, and wait for what comes of it."""
        return self.start(work).result()

    def close(self) -> None:
        """Close the connections and end the thread."""
        self.run(RpcChain.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def finalized(self) -> LiveChain:
        """The same chain as it is for ever, once that has come as far as this one."""
        slot = self.run(RpcChain.clock).slot
        other = LiveChain(self._validator, self._faucet, Commitment.FINALIZED)
        other._records = self._records
        while other.run(RpcChain.clock).slot < slot:
            time.sleep(0.2)
        return other

    # -- driving -----------------------------------------------------------------------------------

    def airdrop(self, address: Pubkey, lamports: int) -> None:
        """Send lamports from the faucet."""
        give = transfer(
            TransferParams(from_pubkey=self._faucet.pubkey(), to_pubkey=address, lamports=lamports)
        )
        self._land([give], [self._faucet])

    def execute(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """Send one transaction and wait until it is confirmed; a refusal is in the record."""
        try:
            record = self._land(instructions, signers)
        except TransactionFailed as refusal:
            # What the simulation refuses is never sent: it was refused now.
            return refusal.record._replace(time=refusal.record.time or self.now())
        self._records.append(record)
        return record

    def _land(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        return self.run(lambda chain: land(chain, instructions, signers, poll_seconds=RESEND_SECONDS))

    def transactions(self) -> list[TransactionRecord]:
        """What was executed here and not refused, and what was told of, oldest first."""
        return list(self._records)

    def hear(self, program: Program, event: str) -> None:
        """Tell of all that a program did until it said ``event``: the keeper's own code executed that."""
        while True:
            found = self.run(lambda rpc: rpc.history(program.address))
            if any(each.name == event for record in found for each in program.events(record)):
                break
            time.sleep(0.2)
        for record in found:
            self.tell(record)

    def tell(self, record: TransactionRecord) -> None:
        """Somebody else executed this."""
        self._records.append(record)
        self._records.sort(key=lambda each: each.slot)

    def get(self, address: Pubkey) -> Account | None:
        """Read one account, None if there is none."""
        (found,) = self.run(lambda chain: chain.accounts([address]))
        return found

    def now(self) -> int:
        """Read the clock's unix time."""
        return self.run(RpcChain.clock).unix_timestamp

    def warp_to(self, unix_timestamp: int) -> None:
        """Wait until the chain's clock is there; jump most of the way when that would take long."""
        while (left := unix_timestamp - self.now()) > self._longest_wait:
            self._jump(min(left, LONGEST_JUMP))
        self._wait_until(unix_timestamp)

    def pass_through(self, begin: int, end: int) -> None:
        """Come to ``end`` with blocks at all times from ``begin`` on, :data:`STRIDE` seconds apart at most.

        ``begin`` is jumped to. From then on the machine's clock, as the validator sees it, is set ahead again
        and again: votes tell that time, and the runtime believes them between three quarters of what the
        epoch's slots should have taken and two and a half times that, of which the jump leaves plenty.
        """
        seconds = begin - self.now()
        assert seconds * (FASTEST / SLOWEST - 1) > end - begin, "the runtime would hold the clock back"
        ahead = begin - int(time.time())
        self._jump(seconds, ahead)
        while end - self.now() > STRIDE:
            ahead += STRIDE
            self._validator.set_ahead(ahead)
            self._wait_until(int(time.time()) + ahead)
        self._wait_until(end)

    def _jump(self, seconds: int, ahead: int | None = None) -> None:
        """Move the clock by restarting the validator at a later slot; it may come out some seconds later.

        A restart makes its clock the start of the slot's epoch, and votes of more than an epoch ago tell no
        time any more. As soon as there is a new vote, the clock shows that start and three quarters of the
        time that the epoch's slots so far should have taken: that is the least it may show, and the votes
        have the machine's time, which the clock is ahead of. It goes on at three quarters of its pace.
        """
        clock = self.run(RpcChain.clock)
        self._validator.jump(clock.slot, math.ceil(seconds / (SLOT_SECONDS * SLOWEST)), ahead)
        self.run(RpcChain.close)
        self._rpc = self._connect()
        self._wait_until(clock.unix_timestamp + seconds)

    def _wait_until(self, unix_timestamp: int) -> None:
        while self.now() < unix_timestamp:
            time.sleep(0.2)

    def advance(self, seconds: int) -> None:
        """Wait."""
        self.warp_to(self.now() + seconds)

    # -- what the keeper's own functions ask -----------------------------------------------------

    async def genesis_hash(self) -> str:
        return self.run(RpcChain.genesis_hash)

    async def version(self) -> str:
        return self.run(RpcChain.version)

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        return self.run(lambda chain: chain.clock(commitment))

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        return self.run(lambda chain: chain.accounts(addresses))

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        return self.run(lambda chain: chain.program_accounts(program, size=size, matches=matches))

    async def send(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        record = self._land(instructions, signers)
        self._records.append(record)
        return record

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        return self.run(lambda chain: chain.simulate(instructions, signers))

    async def history(
        self, address: Pubkey, *, until: Signature | None = None, limit: int | None = None
    ) -> list[TransactionRecord]:
        return self.run(lambda chain: chain.history(address, until=until, limit=limit))

    async def final_clock(self) -> Clock:
        return self.run(RpcChain.final_clock)

    async def slot(self, commitment: Commitment) -> int:
        return self.run(lambda chain: chain.slot(commitment))

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
        return self.run(
            lambda chain: chain.signatures(
                address, commitment, before=before, until=until, min_slot=min_slot, limit=limit
            )
        )

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        return self.run(lambda chain: chain.records(signatures))

    async def signed(self, signatures: Sequence[Signature]) -> list[Signed | None]:
        return self.run(lambda chain: chain.signed(signatures))

    async def block(self, slot: int) -> list[Signature]:
        return self.run(lambda chain: chain.block(slot))

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        return self.run(lambda chain: chain.head(slot, commitment))

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        return self.run(lambda chain: chain.snapshot(program, min_slot=min_slot))

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        # It may take for ever, and the caller may give up.
        await asyncio.wrap_future(self.start(lambda chain: chain.changed(programs)))

    async def blockhash(self) -> Blockhash:
        return self.run(RpcChain.blockhash)

    async def tip(self) -> Tip:
        return self.run(RpcChain.tip)

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        self.run(lambda chain: chain.broadcast(transaction))

    async def statuses(
        self, signatures: Sequence[Signature], *, min_slot: int = 0
    ) -> list[TransactionStatus | None]:
        return self.run(lambda chain: chain.statuses(signatures, min_slot=min_slot))

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        return self.run(lambda chain: chain.recent_fees(writable))
