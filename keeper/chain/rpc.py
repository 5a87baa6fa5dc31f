"""A chain behind an RPC node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import base58
import httpx2 as httpx
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment as Level
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.account_decoder import UiAccountEncoding
from solders.commitment_config import CommitmentLevel
from solders.compute_budget import set_compute_unit_limit
from solders.errors import SerdeJSONError
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.config import RpcAccountInfoConfig, RpcProgramAccountsConfig
from solders.rpc.errors import MinContextSlotNotReachedMessage
from solders.rpc.filter import Memcmp as Filter
from solders.rpc.requests import GetProgramAccounts
from solders.rpc.responses import GetProgramAccountsWithContextResp
from solders.signature import Signature
from solders.sysvar import CLOCK
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionDetails
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from keeper.chain.errors import ChainError, ChainUnreachable, NodeRefused
from keeper.chain.failure import describe
from keeper.chain.framework import MAX_COMPUTE_UNITS
from keeper.chain.newest import Newest
from keeper.chain.notices import Notices
from keeper.chain.records import (
    MAX_CALL_BYTES,
    Account,
    Blockhash,
    Clock,
    Commitment,
    InnerInstruction,
    Listed,
    Memcmp,
    Tip,
    TransactionRecord,
    TransactionStatus,
)
from keeper.chain.signer import Signer, unsigned

T = TypeVar("T")

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
READ_TRIES = 5
"""How often a transaction is asked for when the node doesn't answer."""
FIRST_WAIT_SECONDS = 0.1
"""The longest wait before the second time; it doubles with each time after that."""
MAX_CALL_DIGITS = len(base58.b58encode(b"\xff" * MAX_CALL_BYTES))
"""What MAX_CALL_BYTES are in base58."""
LEVELS = {Commitment.CONFIRMED: Confirmed, Commitment.FINALIZED: Finalized}
SOLDERS_LEVELS = {Confirmed: CommitmentLevel.Confirmed, Finalized: CommitmentLevel.Finalized}
UNIX_TIMESTAMP_OFFSET = 32
"""Where the Clock sysvar keeps its unix time (i64); its slot (u64) comes first."""


class RpcChain:
    """Implements :class:`keeper.chain.protocol.Chain`."""

    def __init__(
        self,
        client: AsyncClient,
        commitment: Level = Confirmed,
        notices: Notices | None = None,
    ) -> None:
        """Ask through ``client``; what is read and waited for has at least ``commitment``.

        ``notices`` are the node's own; without them ``changed`` never returns.
        """
        self._client = client
        self._commitment = commitment
        self._notices = notices
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._newest = Newest()

    @classmethod
    def at(cls, url: str, websocket: str | None = None) -> RpcChain:
        """Ask the node at an http(s) URL, whose notices come from ``websocket`` [default: the port after].

        Raises ChainError when it is not a URL; it isn't repeated, as it may have a key in it.
        """
        try:
            httpx.URL(url)
            notices = Notices(websocket or websocket_url(url))
        except (ValueError, httpx.InvalidURL):
            raise ChainError("the chain's URL is not valid: write http://HOST:PORT") from None
        return cls(AsyncClient(url), notices=notices)

    async def close(self) -> None:
        """Close the client's connections."""
        if self._notices:
            await self._notices.close()
        await self._client.close()

    async def genesis_hash(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return str((await _ask(self._client.get_genesis_hash())).value)

    async def version(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return f"Solana node {(await _ask(self._client.get_version())).value.solana_core}"

    async def clock(self, commitment: Commitment | None = None) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`."""
        level = LEVELS[commitment] if commitment else self._commitment

        async def read() -> tuple[int, Any]:
            response = await _ask(self._client.get_account_info(CLOCK, level))
            return response.context.slot, response.value

        account = await self._newest.of(read) if level == self._commitment else (await read())[1]
        if account is None:
            raise ChainError("the node has no Clock sysvar")
        data = bytes(account.data)
        time = data[UNIX_TIMESTAMP_OFFSET : UNIX_TIMESTAMP_OFFSET + 8]
        return Clock(int.from_bytes(data[:8], "little"), int.from_bytes(time, "little", signed=True))

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found: list[Account | None] = []
        for start in range(0, len(addresses), ACCOUNTS_PER_CALL):
            part = list(addresses[start : start + ACCOUNTS_PER_CALL])

            async def read(part: list[Pubkey] = part) -> tuple[int, Sequence[Any]]:
                response = await _ask(self._client.get_multiple_accounts(part, self._commitment))
                return response.context.slot, response.value

            found.extend(_account(each) if each else None for each in await self._newest.of(read))
        return found

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        filters: list[int | Filter] = [] if size is None else [size]
        filters += [Filter(m.offset, base58.b58encode(m.value).decode()) for m in matches]

        async def read() -> tuple[int, dict[Pubkey, Account]]:
            return await self._owned(program, SOLDERS_LEVELS[self._commitment], filters)

        return await self._newest.of(read)

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`; inner instructions are not reported."""
        limited = [*instructions, set_compute_unit_limit(MAX_COMPUTE_UNITS)]
        message = MessageV0.try_compile(signers[0].pubkey(), limited, [], Hash.default())
        transaction = unsigned(message)  # the node doesn't look at signatures here

        async def read() -> tuple[int, Any]:
            response = await _ask(
                self._client.simulate_transaction(
                    transaction, commitment=self._commitment, replace_recent_blockhash=True
                )
            )
            return response.context.slot, response

        response = await self._newest.of(read)
        value = response.value
        error, index, code = describe(value.err) if value.err else (None, None, None)
        keys = message.account_keys
        return TransactionRecord(
            signature=transaction.signatures[0],
            slot=response.context.slot,
            time=0,
            signers=tuple(keys[: message.header.num_required_signatures]),
            programs=tuple(keys[each.program_id_index] for each in message.instructions),
            inner=(),
            logs=tuple(value.logs or ()),
            compute_units=value.units_consumed or 0,
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
            response = await _ask(
                self._client.get_signatures_for_address(
                    address, before, until, SIGNATURES_PER_CALL, self._commitment
                )
            )
            signatures.extend(each.signature for each in response.value)
            if len(response.value) < SIGNATURES_PER_CALL:
                break
            before = signatures[-1]
        signatures.reverse()
        records = await self.records(signatures[:limit])
        if any(record is None for record in records):
            raise ChainError(
                "the node lists a transaction that it doesn't have; ask one with a longer history"
            )
        return [record for record in records if record]

    async def slot(self, commitment: Commitment) -> int:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return (await _ask(self._client.get_slot(LEVELS[commitment]))).value

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
        response = await _ask(
            self._client.get_signatures_for_address(
                address, before, until, limit, LEVELS[commitment], min_slot or None
            )
        )
        return [
            Listed(each.signature, each.slot, each.err is not None, each.transaction_index)
            for each in response.value
        ]

    async def records(self, signatures: Sequence[Signature]) -> list[TransactionRecord | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""

        async def read(signature: Signature) -> TransactionRecord | None:
            async with self._turn:
                return await self._landed(signature)

        reads = [asyncio.ensure_future(read(each)) for each in signatures]
        try:
            found = await asyncio.gather(*reads)
            self._newest.seen(max((each.slot for each in found if each), default=0))
            return found
        finally:
            for each in reads:
                each.cancel()
            await asyncio.gather(*reads, return_exceptions=True)

    async def block(self, slot: int) -> list[Signature]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        async with self._turn:
            response = await _ask(
                self._client.get_block(
                    slot,
                    max_supported_transaction_version=0,
                    transaction_details=TransactionDetails.Signatures,
                    rewards=False,
                    commitment=Confirmed,
                )
            )
        if response.value is None:
            raise ChainError(f"the node hasn't got the block of slot {slot}; ask one with a longer history")
        return list(response.value.signatures or ())

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return await self._owned(program, CommitmentLevel.Finalized, min_slot=min_slot)

    async def _owned(
        self, program: Pubkey, level: CommitmentLevel, filters: Sequence[int | Filter] = (), min_slot: int = 0
    ) -> tuple[int, dict[Pubkey, Account]]:
        """A program's accounts, and the slot that they are as of."""
        account = RpcAccountInfoConfig(UiAccountEncoding.Base64, None, level, min_slot or None)
        config = RpcProgramAccountsConfig(account, list(filters), with_context=True)
        body = GetProgramAccounts(program, config)
        response = await _ask(self._client._provider.make_request(body, GetProgramAccountsWithContextResp))
        return response.context.slot, {each.pubkey: _account(each.account) for each in response.value}

    async def changed(self, programs: Sequence[Pubkey]) -> None:
        """See :class:`~keeper.chain.protocol.Chain`."""
        if self._notices is None:
            await asyncio.Event().wait()
        else:
            await self._notices.next(programs)

    async def blockhash(self) -> Blockhash:
        """See :class:`~keeper.chain.protocol.Chain`."""

        async def read() -> tuple[int, Any]:
            response = await _ask(self._client.get_latest_blockhash(self._commitment))
            return response.context.slot, response.value

        latest = await self._newest.of(read)
        return Blockhash(latest.blockhash, latest.last_valid_block_height)

    async def tip(self) -> Tip:
        """See :class:`~keeper.chain.protocol.Chain`; both in one answer, as nodes may share a URL."""
        found = (await _ask(self._client.get_epoch_info(Finalized))).value
        return Tip(found.absolute_slot, found.block_height)

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        """See :class:`~keeper.chain.protocol.Chain`."""
        options = TxOpts(skip_preflight=True, max_retries=0, preflight_commitment=self._commitment)
        await _ask(self._client.send_raw_transaction(bytes(transaction), options))

    async def statuses(
        self, signatures: Sequence[Signature], *, min_slot: int = 0
    ) -> list[TransactionStatus | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found: list[TransactionStatus | None] = []
        for start in range(0, len(signatures), STATUSES_PER_CALL):
            part = list(signatures[start : start + STATUSES_PER_CALL])
            response = await _ask(self._client.get_signature_statuses(part, search_transaction_history=True))
            if response.context.slot < min_slot:
                raise ChainUnreachable("the RPC node is behind")
            found.extend(_status(each) if each else None for each in response.value)
        return found

    async def recent_fees(self, writable: Sequence[Pubkey]) -> list[int]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        accounts = list(writable[:FEE_ACCOUNTS])
        response = await _ask(self._client.get_recent_prioritization_fees(accounts))
        return [each.prioritization_fee for each in response.value]

    @retry(
        retry=retry_if_exception_type(ChainUnreachable),
        stop=stop_after_attempt(READ_TRIES),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS),
        reraise=True,
    )
    async def _landed(self, signature: Signature) -> TransactionRecord | None:
        """Read a confirmed transaction, None if the node has none.

        Asks a few times: even a good node fails to answer for a few of thousands, and then all would be
        read again.
        """
        response = await _ask(
            self._client.get_transaction(
                signature, "base64", self._commitment, max_supported_transaction_version=0
            )
        )
        return _record(signature, response.value) if response.value else None


async def _ask(call: Awaitable[T]) -> T:
    """Wait for the node's answer; raises NodeRefused for a refusal.

    Raises ChainUnreachable when there is none, or a proxy's web page in its place.
    """
    try:
        return await call
    except (SolanaRpcException, SerdeJSONError, OSError, TimeoutError) as error:
        raise ChainUnreachable(f"the RPC node doesn't answer: {_reason(error)}") from error
    except RPCException as error:
        if error.args and isinstance(error.args[0], MinContextSlotNotReachedMessage):
            raise ChainUnreachable("the RPC node is behind") from error
        raise NodeRefused(f"the RPC node refused: {error}") from error


def _reason(error: Exception) -> str:
    """What caused the client's error; of a bad status only its number, as its text has the URL's key."""
    cause = error.__cause__ or error
    if isinstance(cause, httpx.HTTPStatusError):
        return f"HTTP status {cause.response.status_code}"
    return f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__


def websocket_url(url: str) -> str:
    """Where a node at ``url`` sends notices: the next port, as Solana's own does, or the same host's."""
    parts = urlsplit(url)
    place = parts.netloc.removesuffix(str(parts.port)) + str(parts.port + 1) if parts.port else parts.netloc
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, place, parts.path, parts.query, ""))


def _status(found: Any) -> TransactionStatus:
    error = describe(found.err)[0] if found.err else None
    if found.confirmation_status == TransactionConfirmationStatus.Finalized:
        return TransactionStatus(found.slot, Commitment.FINALIZED, error)
    confirmed = found.confirmation_status == TransactionConfirmationStatus.Confirmed
    return TransactionStatus(found.slot, Commitment.CONFIRMED if confirmed else None, error)


def _account(found: Any) -> Account:
    return Account(found.lamports, bytes(found.data), found.owner, found.executable)


def _record(signature: Signature, found: Any) -> TransactionRecord:
    meta = found.transaction.meta
    # Hours are told apart by times, and events are inner instructions: a guess would be another history.
    if found.block_time is None or meta.inner_instructions is None:
        raise ChainUnreachable(f"the RPC node doesn't know when {signature} was, or what it called")
    message = found.transaction.transaction.message
    loaded = meta.loaded_addresses
    keys = [*message.account_keys, *(loaded.writable if loaded else ()), *(loaded.readonly if loaded else ())]
    inner = tuple(
        InnerInstruction(
            outer=group.index,
            stack_height=call.stack_height or 2,
            program=keys[call.program_id_index],
            accounts=tuple(keys[i] for i in bytes(call.accounts)),
            data=base58.b58decode(call.data) if len(call.data) <= MAX_CALL_DIGITS else b"",
        )
        for group in meta.inner_instructions
        for call in group.instructions
    )
    error, index, code = describe(meta.err) if meta.err else (None, None, None)
    return TransactionRecord(
        signature=signature,
        slot=found.slot,
        time=found.block_time,
        signers=tuple(keys[: message.header.num_required_signatures]),
        programs=tuple(keys[each.program_id_index] for each in message.instructions),
        inner=inner,
        logs=tuple(meta.log_messages or ()),
        compute_units=meta.compute_units_consumed or 0,
        fee=meta.fee,
        error=error,
        failed_instruction=index,
        code=code,
    )
