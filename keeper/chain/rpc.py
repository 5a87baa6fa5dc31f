"""A chain behind an RPC node."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import base58
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Commitment, Confirmed
from solana.rpc.core import RPCException
from solana.rpc.models import MemcmpOpts, TxOpts
from solders.compute_budget import set_compute_unit_limit
from solders.errors import SerdeJSONError
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.sysvar import CLOCK
from solders.transaction import VersionedTransaction

from keeper.chain.failure import describe
from keeper.chain.protocol import (
    MAX_COMPUTE_UNITS,
    Account,
    ChainError,
    ChainUnreachable,
    Clock,
    InnerInstruction,
    Memcmp,
    TransactionExpired,
    TransactionFailed,
    TransactionRecord,
)

T = TypeVar("T")

ACCOUNTS_PER_CALL = 100
"""What getMultipleAccounts takes at once."""
SIGNATURES_PER_CALL = 1_000
"""What getSignaturesForAddress gives at once."""
RESEND_SECONDS = 2.0
"""How often an unconfirmed transaction's bytes are sent again."""
COMPUTE_MARGIN = 1.1
"""The compute limit, as a multiple of what the simulation used."""
UNIX_TIMESTAMP_OFFSET = 32
"""Where the Clock sysvar keeps its unix time (i64); its slot (u64) comes first."""


class RpcChain:
    """Implements :class:`keeper.chain.protocol.Chain`."""

    def __init__(
        self,
        client: AsyncClient,
        commitment: Commitment = Confirmed,
        resend_seconds: float = RESEND_SECONDS,
    ) -> None:
        """Ask through ``client``; what is read and waited for has at least ``commitment``."""
        self._client = client
        self._commitment = commitment
        self._resend_seconds = resend_seconds

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def genesis_hash(self) -> str:
        """See :class:`~keeper.chain.protocol.Chain`."""
        return str((await _ask(self._client.get_genesis_hash())).value)

    async def clock(self) -> Clock:
        """See :class:`~keeper.chain.protocol.Chain`."""
        (account,) = await self.accounts([CLOCK])
        if account is None:
            raise ChainError("the node has no Clock sysvar")
        data = account.data
        time = data[UNIX_TIMESTAMP_OFFSET : UNIX_TIMESTAMP_OFFSET + 8]
        return Clock(int.from_bytes(data[:8], "little"), int.from_bytes(time, "little", signed=True))

    async def accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        found: list[Account | None] = []
        for start in range(0, len(addresses), ACCOUNTS_PER_CALL):
            part = list(addresses[start : start + ACCOUNTS_PER_CALL])
            response = await _ask(self._client.get_multiple_accounts(part, self._commitment))
            found.extend(_account(each) if each else None for each in response.value)
        return found

    async def program_accounts(
        self, program: Pubkey, *, size: int | None = None, matches: Sequence[Memcmp] = ()
    ) -> dict[Pubkey, Account]:
        """See :class:`~keeper.chain.protocol.Chain`."""
        filters: list[int | MemcmpOpts] = [] if size is None else [size]
        filters += [MemcmpOpts(offset=m.offset, bytes=base58.b58encode(m.value).decode()) for m in matches]
        response = await _ask(
            self._client.get_program_accounts(program, self._commitment, "base64", None, filters)
        )
        return {each.pubkey: _account(each.account) for each in response.value}

    async def send(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`.

        The compute limit comes from a simulation; the same bytes are sent again until they land or
        their blockhash has expired, so they can land once at most.
        """
        trial = await self.simulate(instructions, signers)
        if trial.error is not None:
            raise TransactionFailed(trial)
        units = min(MAX_COMPUTE_UNITS, int(trial.compute_units * COMPUTE_MARGIN) + 300)
        latest = (await _ask(self._client.get_latest_blockhash(self._commitment))).value
        transaction = _sign(instructions, signers, latest.blockhash, units)
        signature = transaction.signatures[0]
        while True:
            await self._submit(transaction)
            await asyncio.sleep(self._resend_seconds)
            if record := await self._landed(signature):
                break
            height = (await _ask(self._client.get_block_height(self._commitment))).value
            if height > latest.last_valid_block_height:
                # It may have landed in the last valid block, between the two questions.
                if record := await self._landed(signature):
                    break
                raise TransactionExpired(f"{signature} was not included before its blockhash expired")
        if record.error is not None:
            raise TransactionFailed(record)
        return record

    async def simulate(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair]
    ) -> TransactionRecord:
        """See :class:`~keeper.chain.protocol.Chain`; inner instructions are not reported."""
        transaction = _sign(instructions, signers, Hash.default(), MAX_COMPUTE_UNITS)
        response = await _ask(
            self._client.simulate_transaction(
                transaction, commitment=self._commitment, replace_recent_blockhash=True
            )
        )
        value = response.value
        error, index, code = describe(value.err) if value.err else (None, None, None)
        message = transaction.message
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
        records = [await self._landed(signature) for signature in signatures[:limit]]
        if any(record is None for record in records):
            raise ChainError(
                "the node lists a transaction that it doesn't have; ask one with a longer history"
            )
        return [record for record in records if record]

    async def _submit(self, transaction: VersionedTransaction) -> None:
        options = TxOpts(skip_preflight=True, max_retries=0, preflight_commitment=self._commitment)
        await _ask(self._client.send_raw_transaction(bytes(transaction), options))

    async def _landed(self, signature: Signature) -> TransactionRecord | None:
        """Read a confirmed transaction, None if the node has none."""
        response = await _ask(
            self._client.get_transaction(
                signature, "base64", self._commitment, max_supported_transaction_version=0
            )
        )
        return _record(signature, response.value) if response.value else None


async def _ask(call: Awaitable[T]) -> T:
    """Wait for the node's answer; raises ChainError for a refusal.

    Raises ChainUnreachable when there is none, or a proxy's web page in its place.
    """
    try:
        return await call
    except (SolanaRpcException, SerdeJSONError, OSError, TimeoutError) as error:
        raise ChainUnreachable(f"the RPC node doesn't answer: {error}") from error
    except RPCException as error:
        raise ChainError(f"the RPC node refused: {error}") from error


def _sign(
    instructions: Sequence[Instruction], signers: Sequence[Keypair], blockhash: Hash, compute_units: int
) -> VersionedTransaction:
    limited = [*instructions, set_compute_unit_limit(compute_units)]
    message = MessageV0.try_compile(signers[0].pubkey(), limited, [], blockhash)
    return VersionedTransaction(message, list(signers))


def _account(found: Any) -> Account:
    return Account(found.lamports, bytes(found.data), found.owner, found.executable)


def _record(signature: Signature, found: Any) -> TransactionRecord:
    meta = found.transaction.meta
    message = found.transaction.transaction.message
    loaded = meta.loaded_addresses
    keys = [*message.account_keys, *(loaded.writable if loaded else ()), *(loaded.readonly if loaded else ())]
    inner = tuple(
        InnerInstruction(
            outer=group.index,
            stack_height=call.stack_height or 2,
            program=keys[call.program_id_index],
            accounts=tuple(keys[i] for i in bytes(call.accounts)),
            data=base58.b58decode(call.data),
        )
        for group in meta.inner_instructions or ()
        for call in group.instructions
    )
    error, index, code = describe(meta.err) if meta.err else (None, None, None)
    return TransactionRecord(
        signature=signature,
        slot=found.slot,
        time=found.block_time or 0,
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
