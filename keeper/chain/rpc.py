"""A chain behind an RPC node."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import base58
from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.sysvar import CLOCK
from solders.transaction import VersionedTransaction

from keeper.chain import answers
from keeper.chain.asking import MAX_LIST, Asker
from keeper.chain.errors import NodeRefused
from keeper.chain.framework import MAX_COMPUTE_UNITS
from keeper.chain.landed import ANY_VERSION, HIGHEST_VERSION, landed, too_new
from keeper.chain.landed_bytes import signed
from keeper.chain.listed import listed_records
from keeper.chain.newest import Newest
from keeper.chain.notices import Notices
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
from keeper.chain.refusals import UNSUPPORTED_VERSION
from keeper.chain.signer import Signer, unsigned
from keeper.chain.whole import Signed

ACCOUNTS_PER_CALL = 100
"""What getMultipleAccounts takes at once."""
SIGNATURES_PER_CALL = 1_000
"""What getSignaturesForAddress returns at once."""
STATUSES_PER_CALL = 256
"""What getSignatureStatuses takes at once."""
FEE_ACCOUNTS = 128
"""What getRecentPrioritizationFees takes at once."""
AT_ONCE = 16
"""Transactions that are asked for at a time."""
T = TypeVar("T")
BASE64 = {"encoding": "base64"}


class RpcChain:
    """Implements :class:`keeper.chain.protocol.Chain`.

    Whatever the node answers, all that it raises is ChainError: ChainUnreachable and NodeRefused for the
    answers that :mod:`keeper.chain.asking` doesn't take for good ones, after asking again.
    """

    def __init__(
        self, url: str, commitment: Commitment = Commitment.CONFIRMED, notices: Notices | None = None
    ) -> None:
        """Ask the node at ``url``; what is read and waited for has at least ``commitment``.

        ``notices`` are the node's own; without them ``changed`` never returns. Raises ChainError when it is
        not a URL; it isn't repeated, as it may have a key in it.
        """
        self._asker = Asker(url)
        self._commitment = commitment
        self._notices = notices
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._newest = Newest()

    @classmethod
    def at(cls, url: str, websocket: str | None = None) -> RpcChain:
        """Ask the node at an http(s) URL, whose notices come from ``websocket`` [default: the port after].

        Raises ChainError when it is not a URL.
        """
        chain = cls(url)
        chain._notices = Notices(websocket or websocket_url(url))
        return chain

    async def close(self) -> None:
        """Close the connections."""
        if self._notices:
            await self._notices.close()
        await self._asker.close()

    async def genesis_hash(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._asker.ask("getGenesisHash", [], answers.genesis_hash)

    async def version(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return f"Solana node {await self._asker.ask('getVersion', [], answers.version)}"

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`."""
        level = commitment or self._commitment
        ask = partial(self._asker.ask, "getAccountInfo", [str(CLOCK), BASE64 | _at(level)], answers.clock)
        return await self._newest.of(ask) if level == self._commitment else (await ask())[1]

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found: list[Account | None] = []
        for start in range(0, len(addresses), ACCOUNTS_PER_CALL):
            part = [str(each) for each in addresses[start : start + ACCOUNTS_PER_CALL]]
            read = partial(answers.accounts, count=len(part))
            settings = BASE64 | _at(self._commitment)
            found += await self._newest.of(
                partial(self._asker.ask, "getMultipleAccounts", [part, settings], read)
            )
        return found

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._newest.of(partial(self._owned, program, self._commitment, size, matches))

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`; inner instructions are not reported."""
        limited = [*instructions, set_compute_unit_limit(MAX_COMPUTE_UNITS)]
        message = MessageV0.try_compile(signers[0].pubkey(), limited, [], Hash.default())
        transaction = unsigned(message)  # the node doesn't look at signatures here
        settings = BASE64 | _at(self._commitment) | {"replaceRecentBlockhash": True, "sigVerify": False}
        parameters = [_encoded(transaction), settings]
        trial = await self._newest.of(
            partial(self._asker.ask, "simulateTransaction", parameters, answers.simulated)
        )
        error, index, code = trial.failure or (None, None, None)
        keys = message.account_keys
        return TransactionRecord(
            signature=transaction.signatures[0],
            slot=trial.slot,
            time=0,
            signers=tuple(keys[: message.header.num_required_signatures]),
            programs=tuple(keys[each.program_id_index] for each in message.instructions),
            inner=(),
            logs=tuple(trial.logs),
            compute_units=trial.units,
            fee=0,
            error=error,
            failed_instruction=index,
            code=code,
        )

    async def history(
        self, address: Pubkey, *, until: Signature | None = None, limit: int | None = None
    ) -> list[TransactionRecord]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        signatures: list[Signature] = []
        before: Signature | None = None
        while True:
            page = await self.signatures(address, self._commitment, before=before, until=until)
            signatures.extend(each.signature for each in page)
            if len(page) < SIGNATURES_PER_CALL:
                break
            before = signatures[-1]
        signatures.reverse()
        records = await listed_records(self, signatures[:limit])
        found = [record for record in records if record]
        if len(found) < len(records):
            raise NodeRefused(
                "the node lists a transaction that it doesn't have; ask one with a longer history"
            )
        return found

    async def slot(self, commitment: Commitment) -> int:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._asker.ask("getSlot", [_at(commitment)], answers.slot)

    async def final_clock(self) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`."""
        ask = partial(self._asker.ask, "getAccountInfo", [str(CLOCK), BASE64 | _at(Commitment.FINALIZED)])
        return (await ask(answers.clock))[1]

    async def signatures(
        self,
        address: Pubkey,
        commitment: Commitment,
        *,
        before: Signature | None = None,
        until: Signature | None = None,
        min_slot: int = 0,
        limit: int = SIGNATURES_PER_CALL,
    ) -> list[Listed]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        settings: dict[str, Any] = {"limit": limit} | _at(commitment) | _from(min_slot)
        if before:
            settings["before"] = str(before)
        if until:
            settings["until"] = str(until)
        return await self._asker.ask("getSignaturesForAddress", [str(address), settings], answers.signatures)

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found = await self._several(signatures, self._landed)
        self._newest.seen(max((each.slot for each in found if each), default=0))
        return found

    async def signed(self, signatures: Sequence[Signature]) -> list[Signed | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._several(signatures, self._signed)

    async def block(self, slot: int) -> list[Signature]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        settings = {"transactionDetails": "signatures", "rewards": False} | _up_to(HIGHEST_VERSION)
        settings |= _at(Commitment.CONFIRMED)
        async with self._turn:
            return await self._asker.ask("getBlock", [slot, settings], partial(answers.block, slot=slot))

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        """See :class:`~keeper.chain.protocol.Chain`; raises NodeRefused where the history begins later."""
        read = partial(answers.first_block, slot=slot)
        settings = {"transactionDetails": "none", "rewards": False} | _up_to(HIGHEST_VERSION)
        settings |= _at(commitment)
        async with self._turn:
            at = await self._asker.ask("getBlocksWithLimit", [slot, 1, _at(commitment)], read)
            if at is None:
                return None
            return await self._asker.ask(
                "getBlock", [at, settings], partial(answers.head, slot=at, first=slot)
            )

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._owned(program, Commitment.FINALIZED, min_slot=min_slot)

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        """See :class:`~keeper.chain.protocol.Chain`."""
        if self._notices is None:
            await asyncio.Event().wait()
        else:
            await self._notices.next(programs)

    async def blockhash(self) -> Blockhash:
        """See :class:`~keeper.chain.protocol.Chain`."""
        parameters = [_at(self._commitment)]
        return await self._newest.of(
            partial(self._asker.ask, "getLatestBlockhash", parameters, answers.blockhash)
        )

    async def tip(self) -> Tip:
        """See :class:`~keeper.chain.protocol.Chain`; both in one answer, as nodes may share a URL."""
        return await self._asker.ask("getEpochInfo", [_at(Commitment.FINALIZED)], answers.tip)

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """See :class:`~keeper.chain.protocol.Chain`; asked once, as whoever sends asks again anyway."""
        settings = BASE64 | {"skipPreflight": True, "maxRetries": 0}
        read = partial(answers.taken, sent=transaction.signatures[0])
        await self._asker.ask("sendTransaction", [_encoded(transaction), settings], read, again=False)

    async def statuses(
        self, signatures: Sequence[Signature], *, min_slot: int = 0
    ) -> list[TransactionStatus | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found: list[TransactionStatus | None] = []
        for start in range(0, len(signatures), STATUSES_PER_CALL):
            part = [str(each) for each in signatures[start : start + STATUSES_PER_CALL]]
            read = partial(answers.statuses, count=len(part), min_slot=min_slot)
            settings = {"searchTransactionHistory": True}
            found += await self._asker.ask("getSignatureStatuses", [part, settings], read)
        return found

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        accounts = [str(each) for each in writable[:FEE_ACCOUNTS]]
        return await self._asker.ask("getRecentPrioritizationFees", [accounts], answers.recent_fees)

    async def _owned(
        self,
        program: Pubkey,
        commitment: Commitment,
        size: int | None = None,
        matches: Sequence[Memcmp] = (),
        min_slot: int = 0,
    ) -> tuple[int, dict[Pubkey, Account]]:
        """Read accounts of a program, and the slot that they are as of."""
        filters: list[Any] = [] if size is None else [{"dataSize": size}]
        for each in matches:
            value = base58.b58encode(each.value).decode()
            filters.append({"memcmp": {"offset": each.offset, "bytes": value}})
        settings = BASE64 | {"withContext": True} | _at(commitment) | _from(min_slot)
        if filters:
            settings["filters"] = filters
        read = partial(
            answers.program_accounts, program=program, size=size, matches=matches, min_slot=min_slot
        )
        return await self._asker.ask("getProgramAccounts", [str(program), settings], read, most=MAX_LIST)

    async def _several(
        self, signatures: Sequence[Signature], ask: Callable[[Signature], Awaitable[T]]
    ) -> list[T]:
        """Ask for each, as many at a time as the node may be asked."""

        async def read(signature: Signature) -> T:
            async with self._turn:
                return await ask(signature)

        reads = [asyncio.ensure_future(read(each)) for each in signatures]
        try:
            return await asyncio.gather(*reads)
        finally:
            for each in reads:
                each.cancel()
            await asyncio.gather(*reads, return_exceptions=True)

    async def _signed(self, signature: Signature) -> Signed | None:
        settings = {"encoding": "base64"} | _at(self._commitment) | _up_to(ANY_VERSION)
        read = partial(signed, signature=signature)
        return await self._asker.ask("getTransaction", [str(signature), settings], read)

    async def _landed(self, signature: Signature) -> TransactionRecord | None:
        """Read a confirmed transaction, None if the node has none."""
        try:
            return await self._landed_up_to(signature, HIGHEST_VERSION)
        except NodeRefused as refusal:
            if refusal.code != UNSUPPORTED_VERSION:
                raise
        # Anybody may be first to send one of a new version that names our programs.
        try:
            return await self._landed_up_to(signature, ANY_VERSION)
        except NodeRefused as refusal:
            raise too_new(signature) from refusal

    async def _landed_up_to(self, signature: Signature, version: int) -> TransactionRecord | None:
        settings = {"encoding": "json"} | _at(self._commitment) | _up_to(version)
        read = partial(landed, signature=signature)
        return await self._asker.ask("getTransaction", [str(signature), settings], read)


def websocket_url(url: str) -> str:
    """Where a node at ``url`` sends notices: the next port, as Solana's own does, or the same host's."""
    parts = urlsplit(url)
    place = parts.netloc.removesuffix(str(parts.port)) + str(parts.port + 1) if parts.port else parts.netloc
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, place, parts.path, parts.query, ""))


def _encoded(transaction: VersionedTransaction) -> str:
    return b64encode(bytes(transaction)).decode()


def _at(commitment: Commitment) -> dict[str, Any]:
    return {"commitment": commitment.value}


def _from(slot: int) -> dict[str, Any]:
    """The lowest slot that a node may answer at; no node is asked about 0."""
    return {"minContextSlot": slot} if slot else {}


def _up_to(version: int) -> dict[str, Any]:
    return {"maxSupportedTransactionVersion": version}
